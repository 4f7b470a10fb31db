/**
 * What a library under test must offer, and the messages between the parent and the process it lives in.
 *
 * An adapter builds a workload once and then runs steps of it; how many, and when, is decided by the parent. `run` resolves when the
 * result of the last step can be read on the host, so that no library is timed while work is still queued.
 */
import type { Limits } from './probes.js'
import type { Sample } from './quiet.js'
import type { Workload } from './workloads.js'

/** A workload, ready to run. */
export interface Prepared {
  /** Runs steps. The loss of the last one, or one element of the last result; or how to read that, if reading takes time that no step has. */
  run(steps: number): Promise<number | (() => Promise<number>)>
  /** Gives memory back before the next workload. */
  dispose(): void
}

/** A library under test. */
export interface Adapter {
  prepare(workload: Workload, seed: number): Promise<Prepared>
}

export type Request =
  | { type: 'prepare'; workload: Workload; seed: number }
  /** In pieces of `chunk` steps, each timed. */
  | { type: 'run'; steps: number; chunk: number }
  /** What the process could do at best; the copy works on so many bytes. */
  | { type: 'probe'; bytes?: number }
  /** The most memory the process has had. */
  | { type: 'memory' }

export type Response =
  /** The process is up, or the workload is ready. */
  | { type: 'ready' }
  | ({ type: 'ran' } & Ran)
  | { type: 'probed'; limits: Limits }
  | { type: 'memory'; megabytes: number }
  | { type: 'failed'; message: string }

/** What a round came to. */
export interface Ran {
  /** Of all steps, probes left out. */
  ms: number
  /** Of the last step. */
  value: number
  samples?: Sample[]
  /** The best figure of the probe `pressed` in this process so far. */
  mostPressed?: number
}

interface LibraryEntry {
  title: string
  /** What `--peers` calls it; absent for ours. */
  peer?: string
  /** What JSON calls it where that is not its own name. */
  recordedAs?: string
  /** The kinds of workload it takes part in; absent for all. What else it cannot do it says itself. */
  kinds?: readonly Workload['kind'][]
  threads: number
  /** Its first step compiles the workload, which says nothing about the next. */
  compiles?: true
  /** The stack its process needs, in KiB, where that is more than Node gives. */
  stack?: number
  /** Ours with 256-bit kernels, where the JavaScript engine can compile them. */
  simd256?: boolean
}

/** The libraries, in the order of their rows. The first present is the one others are compared with. */
export const libraries = {
  cotangent: { title: 'cotangent', threads: 1 },
  'cotangent-2': { title: 'cotangent, 2 threads', recordedAs: 'cotangent', threads: 2 },
  'cotangent-256': { title: 'cotangent, 256 bits', threads: 1, simd256: true },
  'cotangent-256-2': { title: '256 bits, 2 threads', recordedAs: 'cotangent-256', threads: 2, simd256: true },
  'cotangent-core': { title: 'cotangent core', threads: 1 },
  'cotangent-core-2': { title: 'core, 2 threads', recordedAs: 'cotangent-core', threads: 2 },
  'cotangent-core-256': { title: 'core, 256 bits', threads: 1, simd256: true },
  'torch-1': { title: 'torch, 1 thread', peer: 'torch', recordedAs: 'torch', threads: 1 },
  'torch-2': { title: 'torch, 2 threads', peer: 'torch', recordedAs: 'torch', threads: 2 },
  'tfjs-wasm': { title: 'tfjs-wasm', peer: 'tfjs-wasm', threads: 1 },
  'tfjs-cpu': { title: 'tfjs-cpu', peer: 'tfjs-cpu', threads: 1 },
  jax: { title: 'jax-js', peer: 'jax-js', recordedAs: 'jax-js', threads: 1, compiles: true, stack: 60_000 },
  'gpujs-webasm': { title: 'gpu.js webasm', peer: 'gpujs-webasm', threads: 1 },
  'gpujs-cpu': { title: 'gpu.js cpu', peer: 'gpujs-cpu', threads: 1 },
  'js-loop': { title: 'loop in JS', peer: 'js-loop', threads: 1, kinds: ['elementwise', 'update'] },
} as const satisfies Record<string, LibraryEntry>
export type LibraryName = keyof typeof libraries
export const libraryNames = Object.keys(libraries) as LibraryName[]
/** A library's entry; of a name unknown here (a test's), what can be said of it. */
export const libraryEntry = (name: string): LibraryEntry =>
  name in libraries ? (libraries as Record<string, LibraryEntry>)[name] : { title: name, threads: 1 }
/** Whether a library takes part in a workload. */
export const takesPart = (name: string, { kind }: Workload): boolean => libraryEntry(name).kinds?.includes(kind) ?? true
/** What `--peers` takes. */
export const peerNames = [...new Set(libraryNames.flatMap((name) => libraryEntry(name).peer ?? []))]
