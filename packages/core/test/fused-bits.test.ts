/** Fused kernels that do in one pass what a composition does in several: same bits, also where a size is no multiple of anything. */
import { describe, expect, test } from 'vitest'
import { ops } from '../src/autodiff/op.js'
import { type Backend, createWasmBackend, registry, type Shape, type Tensor, tensor, withBackend } from '../src/index.js'
import { valuesOf } from './helpers.js'

/** Values of both signs with some zeros, as bytes from 0 to 2. */
function drawn(backend: Backend, shape: Shape, seed: number, bytes = false): Tensor {
  const size = shape.reduce((a, b) => a * b, 1)
  const float = (i: number): number => ((i + seed) % 5 === 0 ? 0 : Math.sin(1.7 * i + seed) * 3)
  const values = bytes
    ? Uint8Array.from({ length: size }, (_, i) => (i * 7 + seed) % 3)
    : Float32Array.from({ length: size }, (_, i) => float(i))
  return tensor(values, { shape, backend })
}

/** Runs an op by its kernel and by its definition, and compares every bit. */
function expectSameBits(name: string, inputs: readonly Tensor[], options: object = {}): void {
  const op = registry.get(name)
  if (!op?.compose) throw new Error(`no composed op ${name}`)
  const compose = op.compose
  const [got, want] = withBackend(inputs[0].backend, () => [op.call(inputs, options), compose(inputs, options, ops)].map(valuesOf))
  const wrong = got.findIndex((value, i) => !Object.is(value, want[i]))
  expect(wrong < 0 && got.length === want.length, `${name}: element ${wrong} is ${got[wrong]}, by its definition ${want[wrong]}`).toBe(true)
}

describe.each([true, false])('same bits as the definition, with relaxedSimd %s', (relaxedSimd) => {
  const wasm = createWasmBackend({ threads: 1, relaxedSimd })
  test.each([[[1]], [[3, 7]], [[64]], [[1003]]])('maskedScale %j', (shape) => {
    expectSameBits('maskedScale', [drawn(wasm, shape, 1), drawn(wasm, shape, 2, true)], { factor: 1 / 0.7 })
  })
  test.each([[[1, 1]], [[5, 10]], [[2, 3, 4]], [[3, 1000]], [[7, 515]]])('softmaxCrossEntropyGradient %j', (shape) => {
    const [logits, labels, dY] = [shape, shape, shape.slice(0, -1)].map((each, i) => drawn(wasm, each, i))
    expectSameBits('softmaxCrossEntropyGradient', [logits, labels, dY])
  })
})
