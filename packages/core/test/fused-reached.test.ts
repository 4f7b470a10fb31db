/** Every op that names a fused kernel reaches it on wasm: an op that falls back to its composition is right, too, so that no other test would see it. */
import { expect, test } from 'vitest'
import { createWasmBackend, registry, scope } from '../src/index.js'
import { drawInputs, place } from './sweep.js'

const wasm = createWasmBackend({ threads: 1 })
const called = new Set<string>()
/** Kernels that the gpu backend alone has. */
const elsewhere = new Set(['lstmCell'])
Object.assign(wasm, {
  fused: new Proxy(wasm.fused, {
    get: (fused, property) => {
      const name = String(property)
      const kernel = (fused as Record<string, unknown>)[name] as ((...values: unknown[]) => void) | undefined
      return (
        kernel &&
        ((...values: unknown[]) => {
          called.add(name)
          kernel(...values)
        })
      )
    },
  }),
})

const ops = [...registry.values()].filter(({ fused, samples }) => fused && samples.length > 0)
test.each(ops.map((op) => [op.name, op] as const))('%s', (_, op) => {
  for (const [i, sample] of op.samples.entries()) {
    const kernel = op.fused?.kernel
    const name = typeof kernel === 'function' ? kernel(sample.options ?? {}) : kernel
    scope(() => void op.call(place(wasm, drawInputs(op, sample, i), 'float32'), sample.options ?? {}))
    expect(called.has(name ?? ''), `sample ${i} reaches ${name}`).toBe(!elsewhere.has(name ?? ''))
    called.clear()
  }
})
