/** Threads of the host: worker_threads in Node, Worker in a page. Neither is imported, so core loads on any host. */
import type { HostMemory } from './memory.js'
import { MOST_THREADS, nodeSource, pageSource, words } from './worker-program.js'

/** A worker that is starting or running. */
export interface WorkerHandle {
  send(message: object): void
  /** Ends the worker; resolves when it has ended. */
  end(): Promise<unknown>
}

interface NodeWorker {
  postMessage(message: object): void
  terminate(): Promise<number>
  unref(): void
  on(event: 'error' | 'exit', listener: (value: unknown) => void): void
}

interface PageWorker {
  postMessage(message: object): void
  terminate(): void
  onerror: ((event: { message?: string }) => void) | null
}

interface Host {
  process?: { getBuiltinModule?(id: string): unknown }
  navigator?: { hardwareConcurrency?: number }
  crossOriginIsolated?: boolean
  Worker?: new (url: string) => PageWorker
  Blob?: new (parts: string[], options: { type: string }) => object
  URL?: { createObjectURL(blob: object): string; revokeObjectURL(url: string): void }
}

const host = globalThis as Host

/** Starts a worker and sends it its first message. Undefined where the host has no workers. Calls `lost` if the worker ends by itself. */
export function startWorker(data: { memory: HostMemory; thread: number }, lost: (why: string) => void): WorkerHandle | undefined {
  try {
    const threads = host.process?.getBuiltinModule?.('node:worker_threads') as
      | { Worker?: new (source: string, options: object) => NodeWorker }
      | undefined
    if (threads?.Worker) return nodeWorker(new threads.Worker(nodeSource, { eval: true, execArgv: [], workerData: data }), lost)
    if (host.crossOriginIsolated && host.Worker && host.Blob && host.URL) return pageWorker(data, lost)
  } catch {
    // The host forbids workers: treat it as one that has none.
  }
  return undefined
}

/** True in a page, or a worker of a page, where threads are allowed. Only its content security policy may still forbid them. */
export const pageMayHaveWorkers = (): boolean => host.crossOriginIsolated === true && host.Worker !== undefined

function nodeWorker(worker: NodeWorker, lost: (why: string) => void): WorkerHandle {
  worker.unref()
  worker.on('error', (error) => lost(String(error)))
  worker.on('exit', (code) => lost(`exit code ${code}`))
  return { send: (message) => worker.postMessage(message), end: () => worker.terminate() }
}

function pageWorker(data: object, lost: (why: string) => void): WorkerHandle | undefined {
  const { Worker, Blob, URL } = host
  if (!Worker || !Blob || !URL) return undefined
  const url = URL.createObjectURL(new Blob([pageSource], { type: 'text/javascript' }))
  const worker = new Worker(url)
  worker.onerror = (event) => {
    URL.revokeObjectURL(url)
    lost(event.message ?? 'it could not be started')
  }
  worker.postMessage(data)
  const end = async (): Promise<void> => {
    worker.terminate()
    URL.revokeObjectURL(url)
  }
  return { send: (message) => worker.postMessage(message), end }
}

/** The number of threads for `'auto'`: the cores this process may use, at most MOST_THREADS. */
export function automaticThreads(): number {
  const os = host.process?.getBuiltinModule?.('node:os') as { availableParallelism?(): number } | undefined
  const cores = os?.availableParallelism?.() ?? host.navigator?.hardwareConcurrency ?? 1
  return Math.max(1, Math.min(MOST_THREADS, cores))
}

/** Whether this thread may block. A page's main thread may not: Atomics.wait throws there, even if it has nothing to wait for. */
export function mayWait(control: Int32Array): boolean {
  try {
    Atomics.wait(control, words.waiting, 1, 0)
    return true
  } catch {
    return false
  }
}
