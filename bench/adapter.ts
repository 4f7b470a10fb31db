/**
 * The contract between the benchmark and a library: its adapter, and the messages between the parent and the process that the library runs in.
 *
 * An adapter builds a workload once and then runs steps of it; the parent says how many, and when. `run` resolves when the result of the last step
 * can be read on the host, so no library is timed while work is still queued.
 */
import type { Counted } from './counted.js'
import type { Limits } from './probes.js'
import type { Profile } from './profile.js'
import type { Sample } from './quiet.js'
import type { Workload } from './workloads.js'

/** A workload that is ready to run. */
export interface Prepared {
  /**
   * Runs steps. Returns the loss of the last one, or one element of the last result; or a function that reads that number, if reading takes time that is no
   * part of a step.
   */
  run(steps: number): Promise<number | (() => Promise<number>)>
  /** Frees memory before the next workload. */
  dispose(): void
}

/** A library under test. */
export interface Adapter {
  prepare(workload: Workload, seed: number): Promise<Prepared>
  /** The workload as one would write it without the op under test, in the same process. */
  prepareByHand?(workload: Workload, seed: number): Promise<Prepared>
}

export type Request =
  | { type: 'prepare'; workload: Workload; seed: number; byHand?: boolean }
  /** Run `steps` steps in pieces of `chunk`; each piece is timed. */
  | { type: 'run'; steps: number; chunk: number; byHand?: boolean }
  /** All values that an operation computes, for `accuracy`. */
  | { type: 'results' }
  /** Measure the limits of the process; `bytes` is the size of the copy. */
  | { type: 'probe'; bytes?: number }
  /** Where the time of a step goes; ours alone. */
  | { type: 'profile'; steps: number }
  /** How the jobs of a step would be cut for these numbers of threads; ours alone, on one thread. */
  | { type: 'count'; steps: number; threads: readonly number[] }
  /** The most memory the process has had. */
  | { type: 'memory' }

export type Response =
  /** The library is loaded, or the workload is ready. */
  | { type: 'ready' }
  | ({ type: 'ran' } & Ran)
  | { type: 'probed'; limits: Limits }
  | { type: 'profiled'; profile: Profile }
  | { type: 'counted'; counted: Counted }
  | { type: 'memory'; megabytes: number }
  | { type: 'results'; values: number[][] }
  | { type: 'failed'; message: string }

/** The result of a round. */
export interface Ran {
  /** The time of all steps, without probes. */
  ms: number
  /** The value of the last step. */
  value: number
  samples?: Sample[]
  /** The best figure of the probe `pressed` in this process so far. */
  mostPressed?: number
}

interface LibraryEntry {
  title: string
  /** Its name for `--peers`; absent for our libraries. */
  peer?: string
  /** Its name in JSON, if that differs from its own. */
  recordedAs?: string
  /** The kinds of workload it takes part in; all if absent. For other things it cannot do it throws. */
  kinds?: readonly Workload['kind'][]
  threads: number
  /** Its first step compiles the workload, so that step's time says nothing about the next. */
  compiles?: true
  /** The library in whose process it lives; it runs the workload that `prepareByHand` makes. */
  within?: string
  /** The stack that its process needs, in KiB, if Node's is too small. */
  stack?: number
  /** Ours with 256-bit kernels, if the JavaScript engine can compile them; all others of ours have 128-bit ones. */
  simd256?: boolean
}

const withoutOperations = ['train', 'matMul', 'conv', 'elementwise', 'update', 'dispatch'] as const
const ofTorch = [...withoutOperations, 'gpt'] as const

/** The libraries, in the order of their rows. The others are compared with the first one that takes part. */
export const libraries = {
  cotangent: { title: 'cotangent', threads: 1 },
  'cotangent-2': { title: 'cotangent, 2 threads', recordedAs: 'cotangent', threads: 2 },
  'cotangent-256': { title: 'cotangent, 256 bits', threads: 1, simd256: true },
  'cotangent-256-2': { title: '256 bits, 2 threads', recordedAs: 'cotangent-256', threads: 2, simd256: true },
  'cotangent-core': { title: 'cotangent core', threads: 1 },
  'cotangent-core-2': { title: 'core, 2 threads', recordedAs: 'cotangent-core', threads: 2 },
  'cotangent-core-256': { title: 'core, 256 bits', threads: 1, simd256: true },
  'cotangent-core-by-hand': { title: 'by hand', threads: 1, within: 'cotangent-core', kinds: ['operation'] },
  'torch-1': { title: 'torch, 1 thread', peer: 'torch', recordedAs: 'torch', threads: 1, kinds: ofTorch },
  'torch-2': { title: 'torch, 2 threads', peer: 'torch', recordedAs: 'torch', threads: 2, kinds: ofTorch },
  numpy: { title: 'NumPy', peer: 'numpy', threads: 1, kinds: ['operation'] },
  'tfjs-wasm': { title: 'tfjs-wasm', peer: 'tfjs-wasm', threads: 1, kinds: withoutOperations },
  'tfjs-cpu': { title: 'tfjs-cpu', peer: 'tfjs-cpu', threads: 1, kinds: withoutOperations },
  jax: { title: 'jax-js', peer: 'jax-js', recordedAs: 'jax-js', threads: 1, compiles: true, stack: 60_000 },
  'gpujs-webasm': { title: 'gpu.js webasm', peer: 'gpujs-webasm', threads: 1, kinds: withoutOperations },
  'gpujs-cpu': { title: 'gpu.js cpu', peer: 'gpujs-cpu', threads: 1, kinds: withoutOperations },
  'js-loop': { title: 'loop in JS', peer: 'js-loop', threads: 1, kinds: ['elementwise', 'update'] },
  'cotangent-eager': { title: 'cotangent, steps not recorded', peer: 'eager', threads: 1, kinds: ['train', 'gpt'] },
} as const satisfies Record<string, LibraryEntry>
export type LibraryName = keyof typeof libraries
export const libraryNames = Object.keys(libraries) as LibraryName[]
/**
 * The entry of a library; for a name that is not in the table (in a test), an entry made up from the name. A version behind the name, as in `torch-2@2.6.0`, is
 * that of the Python module: a run may have several. It becomes part of the title and of the name in JSON. A number, as in `cotangent#4`, is one of threads.
 */
export function libraryEntry(name: string): LibraryEntry {
  const [own, version] = name.split('@')
  const [base, threads] = own.split('#')
  const entry: LibraryEntry = base in libraries ? (libraries as Record<string, LibraryEntry>)[base] : { title: base, threads: 1 }
  if (threads !== undefined)
    return {
      ...entry,
      threads: Number(threads),
      title: `${entry.title}, ${threads} ${threads === '1' ? 'thread' : 'threads'}`,
      recordedAs: base,
    }
  if (version === undefined) return entry
  const { title, recordedAs = own } = entry
  return { ...entry, title: title.replace(/^[^,]*/, `$& ${version}`), recordedAs: `${recordedAs} ${version}` }
}
/** Whether a library takes part in a workload. */
export function takesPart(name: string, workload: Workload): boolean {
  const { kinds, within } = libraryEntry(name)
  if (within && !(workload.kind === 'operation' && workload.byHand)) return false
  return kinds?.includes(workload.kind) ?? true
}
/** The names that `--peers` accepts. */
export const peerNames = [...new Set(libraryNames.flatMap((name) => libraryEntry(name).peer ?? []))]
