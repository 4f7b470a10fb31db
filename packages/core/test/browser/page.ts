/** What the core's browser tests run in the page, and in Node to compare. */
import { type BackendInfo, registry, type WasmOptions } from '../../src/index.js'
import { digest } from '../digest.js'
import { drawInputs, run } from '../sweep.js'
import { threadedBackend } from '../threads.js'

/** A digest of each op's outputs, gradients and second derivatives for its samples. */
export async function sweep(options: WasmOptions): Promise<{ ops: Record<string, string>; info?: BackendInfo; helped: number }> {
  const { backend, helped } = await threadedBackend(options)
  const ops: Record<string, string> = {}
  for (const op of registry.values()) {
    const outcomes = []
    for (const [i, sample] of op.samples.entries()) outcomes.push(await run(op, sample, drawInputs(op, sample, i), backend, 'float32'))
    ops[op.name] = digest(
      outcomes.flatMap(({ value, grads = [], second = [] }) => [value, ...grads, ...second].filter((x) => x !== undefined)),
    )
  }
  return { ops, info: backend.info?.(), helped: helped() }
}
