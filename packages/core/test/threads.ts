/** A backend with threads for tests: its workers have started, it shares whatever it can, and it counts. */
import { Engine } from '../src/backends/wasm/engine/engine.js'
import { createBackendOn } from '../src/backends/wasm/index.js'
import type { Backend, WasmOptions } from '../src/index.js'

export interface ThreadedBackend {
  backend: Backend
  /** Parts of kernels that workers have run so far. */
  helped(): number
}

/**
 * Makes a backend with threads. It shares every kernel estimated to take more than `splitAbove` nanoseconds, whether that pays or not; on a busy machine a
 * test would otherwise compare one thread with one thread. Resolves once all workers have started or are lost.
 */
export async function threadedBackend(options: WasmOptions, splitAbove = 0): Promise<ThreadedBackend> {
  const engine = new Engine(options)
  const { pool } = engine
  engine.splitAbove = splitAbove
  if (pool) pool.choice.always = true
  while (pool && pool.ready < pool.threads - 1) await new Promise((resolve) => setTimeout(resolve, 2))
  return { backend: createBackendOn(engine), helped: () => pool?.helped ?? 0 }
}
