/** The page module of core's browser tests. Node runs its functions, too, to compare. */
import * as core from '../../src/index.js'
import { type BackendInfo, createWasmBackend, ones, registry, type WasmOptions } from '../../src/index.js'
import { digest } from '../digest.js'
import { drawInputs, run } from '../sweep.js'
import { threadedBackend } from '../threads.js'

// A bundler leaves out families of ops that nobody names; the sweep wants them all.
Object.assign(globalThis, { everyOp: core })

/** A digest of each op's outputs, gradients and second derivatives, over its samples. */
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

/** Reads the maximum of many tensors of 4 MB that nobody disposes; returns the most bytes in use at one time. */
export async function leakyLoop(turns: number, options: WasmOptions): Promise<number> {
  const backend = createWasmBackend(options)
  const x = ones([1024, 1024], { backend })
  let most = 0
  for (let i = 0; i < turns; i++) {
    await x.add(i).max().item()
    most = Math.max(most, backend.memory().bytes)
  }
  return most
}
