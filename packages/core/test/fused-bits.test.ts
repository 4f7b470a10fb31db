/** Fused kernels that do in one pass what a composition does in several: same bits, also where a size is no multiple of anything. */
import { describe, expect, test } from 'vitest'
import { ops } from '../src/autodiff/op.js'
import { createWasmBackend, registry, type Shape, type Tensor, tensor, withBackend } from '../src/index.js'
import { valuesOf } from './helpers.js'

const wasm = createWasmBackend({ threads: 1 })

/** Values of both signs with some zeros, from 0 to 2 for bytes. */
function drawn(shape: Shape, seed: number, dtype: 'float32' | 'uint8' = 'float32'): Tensor {
  const size = shape.reduce((a, b) => a * b, 1)
  const value = (i: number): number => (dtype === 'uint8' ? (i * 7 + seed) % 3 : (i + seed) % 5 === 0 ? 0 : Math.sin(1.7 * i + seed) * 3)
  return tensor(
    dtype === 'uint8' ? Uint8Array.from({ length: size }, (_, i) => value(i)) : Float32Array.from({ length: size }, (_, i) => value(i)),
    {
      shape,
      backend: wasm,
    },
  )
}

/** Runs an op by its kernel and by its definition, and compares every bit. */
function expectSameBits(name: string, inputs: readonly Tensor[], options: object = {}): void {
  const op = registry.get(name)
  if (!op?.compose) throw new Error(`no composed op ${name}`)
  const compose = op.compose
  const [got, want] = withBackend(wasm, () => [op.call(inputs, options), compose(inputs, options, ops)].map(valuesOf))
  const wrong = got.findIndex((value, i) => !Object.is(value, want[i]))
  expect(wrong < 0 && got.length === want.length, `${name}: element ${wrong} is ${got[wrong]}, by its definition ${want[wrong]}`).toBe(true)
}

describe('same bits as the definition', () => {
  test.each([[[1]], [[3, 7]], [[64]], [[1003]]])('maskedScale %j', (shape) => {
    expectSameBits('maskedScale', [drawn(shape, 1), drawn(shape, 2, 'uint8')], { factor: 1 / 0.7 })
  })
  test.each([[[1, 1]], [[5, 10]], [[2, 3, 4]], [[3, 1000]], [[7, 515]]])('softmaxCrossEntropyGradient %j', (shape) => {
    const [logits, labels] = [drawn(shape, 1), drawn(shape, 2)]
    expectSameBits('softmaxCrossEntropyGradient', [logits, labels, drawn(shape.slice(0, -1), 3)])
  })
})
