/** The fused kernels of pooling and depthwise convolution against their compositions, for any window, with ties, infinities and NaN. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as c from '../src/index.js'
import { alive, near, reference, valuesOf, wasm } from './helpers.js'

const size = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max })
const pair = (max: number): fc.Arbitrary<[number, number]> => fc.tuple(size(max), size(max))

const cases = fc
  .record({
    n: fc.nat({ max: 3 }),
    image: pair(9),
    channels: fc.oneof(size(9), fc.constantFrom(16, 19, 24)),
    kernel: pair(4),
    strides: pair(4),
    dilation: pair(2),
    padding: fc.constantFrom('valid' as const, 'same' as const, 'causal' as const),
    seed: fc.nat(),
  })
  .filter(
    ({ image, kernel, dilation, padding }) => padding !== 'valid' || image.every((length, i) => length > (kernel[i] - 1) * dilation[i]),
  )

/** Small whole numbers, so that windows have ties. With `special`, some are infinities or NaN. */
function draw(seed: number, shape: readonly number[], special: boolean): number[] {
  const u = valuesOf(c.withBackend(reference, () => c.uniform(c.key(seed), shape)))
  return u.map((x) => (special && x < 0.25 ? [NaN, Infinity, -Infinity, -Infinity, 0][Math.floor(x * 20)] : Math.floor(x * 7) - 3))
}

/** Compares the results of ops on wasm, in float32, with those on the reference. */
function same(inputs: readonly { values: number[]; shape: readonly number[] }[], f: (...x: c.Tensor[]) => c.Tensor): void {
  const before = alive(wasm)
  const [got, want] = [wasm, reference].map((backend) =>
    c.withBackend(backend, () =>
      c.scope(() => {
        const y = f(...inputs.map(({ values, shape }) => c.tensor(values, { shape })))
        return { shape: y.shape, values: valuesOf(y) }
      }),
    ),
  )
  expect(got.shape).toEqual(want.shape)
  if (!near(got.values, want.values, 1e-5)) expect(got.values).toEqual(want.values)
  expect(alive(wasm)).toEqual(before)
}

describe('pooling', () => {
  const property = (
    special: boolean,
    run: (x: { values: number[]; shape: number[] }, at: typeof cases extends fc.Arbitrary<infer T> ? T : never) => void,
  ) =>
    fc.assert(
      fc.property(cases, (at) => {
        const shape = [at.n, ...at.image, at.channels]
        run({ values: draw(at.seed, shape, special), shape }, at)
      }),
      { numRuns: 150 },
    )
  const cotangent = (seed: number, x: { shape: number[] }, pool: (x: c.Tensor) => c.Tensor) => {
    const { shape } = c.withBackend(reference, () => c.scope(() => pool(c.zeros(x.shape))))
    return { values: draw(seed + 1, shape, false), shape }
  }

  test('the maximum and its gradient, with ties, infinities and NaN', () => {
    property(true, (x, { kernel, strides, dilation, padding, seed }) => {
      const options = { strides, dilation, padding }
      same([x], (t) => c.maxPool2d(t, kernel, options))
      const dY = cotangent(seed, x, (t) => c.maxPool2d(t, kernel, options))
      same([x, dY], (t, d) => c.maxPool2dGradient(t, d, kernel, options))
    })
  })
  test('the average and its gradient', () => {
    property(false, (x, { kernel, strides, dilation, padding, image, seed }) => {
      const options = { strides, dilation, padding }
      same([x], (t) => c.averagePool2d(t, kernel, options))
      const dY = cotangent(seed, x, (t) => c.averagePool2d(t, kernel, options))
      same([dY], (d) => c.averagePool2dGradient(d, image, kernel, options))
    })
  })
  test('windows of very many cells', () => {
    const x = { values: draw(1, [2, 11, 12, 6], false), shape: [2, 11, 12, 6] }
    const dY = { values: draw(2, [2, 2, 2, 6], false), shape: [2, 2, 2, 6] }
    const options = { strides: [2, 2] } as const
    same([x], (t) => c.maxPool2d(t, [9, 9], options))
    same([x, dY], (t, d) => c.maxPool2dGradient(t, d, [9, 9], options))
    same([x], (t) => c.averagePool2d(t, [9, 9], options))
    same([dY], (d) => c.averagePool2dGradient(d, [11, 12], [9, 9], options))
  })
  test('a tie goes to the first cell, row by row', () => {
    const grads = c.withBackend(wasm, () =>
      valuesOf(c.maxPool2dGradient(c.ones([1, 2, 4, 1]), c.tensor([5, 7], { shape: [1, 1, 2, 1] }), [2, 2])),
    )
    expect(grads).toEqual([5, 0, 7, 0, 0, 0, 0, 0])
  })
  test('gradients refuse a cotangent of another shape', () => {
    expect(() => c.maxPool2dGradient(c.zeros([1, 4, 4, 1]), c.zeros([1, 3, 2, 1]), [2, 2])).toThrow(/pooling gives \[1, 2, 2, 1\]/)
    expect(() => c.averagePool2dGradient(c.zeros([1, 3, 2, 1]), [4, 4], [2, 2])).toThrow(/pooling gives \[1, 2, 2, 1\]/)
  })
})

test('depthwise convolution and its gradients', () => {
  fc.assert(
    fc.property(cases, size(3), ({ n, image, channels, kernel, strides, dilation, padding, seed }, multiplier) => {
      const shape = [n, ...image, channels]
      const options = { strides, dilation, padding }
      const x = { values: draw(seed, shape, false), shape }
      const filter = { values: draw(seed + 1, [...kernel, channels, multiplier], false), shape: [...kernel, channels, multiplier] }
      same([x, filter], (a, b) => c.depthwiseConv2d(a, b, options))
      for (const input of [0, 1])
        same([x, filter], (a, b) => c.grad((t: c.Tensor, f: c.Tensor) => c.depthwiseConv2d(t, f, options).square().sum())(a, b)[input])
    }),
    { numRuns: 150 },
  )
})

describe('convolution', () => {
  test.each([1, 2])('has the bits of the product with the unfolded images, for rows of any length, stride %i', (stride) => {
    const [channels, kernel] = [8, [3, 3] as const]
    for (let width = 1; width <= 13; width++)
      c.scope(() => {
        const x = [2, (7 - 1) * stride + 3, (width - 1) * stride + 3, channels]
        const [image, filter] = [x, [...kernel, channels, 13]].map((shape, i) => c.normal(c.key(width + i), shape, { backend: wasm }))
        const y = c.conv2d(image, filter, { strides: [stride, stride] })
        const rows = c.unfold(image, kernel, { strides: [stride, stride] }).reshape([2 * 7 * width, 9 * channels])
        expect(valuesOf(y)).toEqual(valuesOf(rows.matMul(filter.reshape([9 * channels, 13]))))
      })
  })

  test.each([1, 2, 5, 6])('the filter of %i columns has the bits of a product of unfolded images, for one image', (columns) => {
    for (const rows of [1, 2, 5])
      c.scope(() => {
        const [x, y] = [
          [1, 11, 12, 1],
          [1, 12 - rows, 13 - columns, 9],
        ].map((shape, i) => c.normal(c.key(rows + i), shape, { backend: wasm }))
        const dF = c.grad((f: c.Tensor) => c.conv2d(x, f).mul(y).sum())(c.zeros([rows, columns, 1, 9], { backend: wasm }))
        const unfolded = c.unfold(x, [rows, columns]).reshape([(12 - rows) * (13 - columns), rows * columns])
        const want = unfolded.matMul(y.reshape([(12 - rows) * (13 - columns), 9]), { transposeA: true })
        expect(valuesOf(dF)).toEqual(valuesOf(want))
      })
  })
})
