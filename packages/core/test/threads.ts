/** Threads that tests can rely on: a backend whose workers have started, which shares whatever can be shared, and counts. */
import { Engine } from '../src/backends/wasm/engine/engine.js'
import { createBackendOn } from '../src/backends/wasm/index.js'
import type { Backend, WasmOptions } from '../src/index.js'

export interface ThreadedBackend {
  backend: Backend
  /** Parts of kernels that workers have run so far. */
  helped(): number
}

/**
 * A backend with threads that shares every kernel it estimates to take so many nanoseconds, whether that pays or not: a test on a busy machine
 * would otherwise compare one thread with one thread. Resolves once all workers have started, or have been lost.
 */
export async function threadedBackend(options: WasmOptions, splitAbove = 0): Promise<ThreadedBackend> {
  const engine = new Engine(options)
  const { pool } = engine
  engine.splitAbove = splitAbove
  if (pool) pool.choice.always = true
  while (pool && pool.ready < pool.threads - 1) await new Promise((resolve) => setTimeout(resolve, 2))
  return { backend: createBackendOn(engine), helped: () => pool?.helped ?? 0 }
}
