/**
 * What a library under test must offer, and the messages between the parent and the process it lives in.
 *
 * An adapter builds a workload once and then runs steps of it; how many, and when, is decided by the parent. `run` resolves when the
 * result of the last step can be read on the host, so that no library is timed while work is still queued.
 */
import type { Workload } from './workloads.js'

/** A workload, ready to run. */
export interface Prepared {
  /** Runs steps. The loss of the last one, or one element of the last result. */
  run(steps: number): Promise<number>
  /** Gives memory back before the next workload. */
  dispose(): void
}

/** A library under test. */
export interface Adapter {
  prepare(workload: Workload, seed: number): Promise<Prepared>
}

export type Request = { type: 'prepare'; workload: Workload; seed: number } | { type: 'run'; steps: number }

export type Response =
  /** The process is up, or the workload is ready. */
  { type: 'ready' } | { type: 'ran'; ms: number; value: number } | { type: 'failed'; message: string }

/** The libraries, in the order of their rows. The first present is the one others are compared with. */
export const libraries = {
  cotangent: { title: 'cotangent', peer: false },
  'cotangent-core': { title: 'cotangent core', peer: false },
  'tfjs-wasm': { title: 'tfjs-wasm', peer: true },
  'tfjs-cpu': { title: 'tfjs-cpu', peer: true },
} as const
export type LibraryName = keyof typeof libraries
export const libraryNames = Object.keys(libraries) as LibraryName[]
export const peerNames = libraryNames.filter((name) => libraries[name].peer)
