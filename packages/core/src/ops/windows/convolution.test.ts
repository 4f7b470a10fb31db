/** Properties of transposed and depthwise convolution and of normalisation, and their wasm kernels against the reference, derivatives included. */
import { test as property } from '@fast-check/vitest'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { holds, runs } from '../../../test/arbitraries.js'
import { alive, near, onReference, reference, valuesOf, wasm } from '../../../test/helpers.js'
import {
  averagePool2d,
  batchNorm,
  conv2d,
  conv2dTranspose,
  depthwiseConv2d,
  key,
  layerNorm,
  maxPool2d,
  moments,
  normal,
  type Shape,
  ShapeError,
  scope,
  sum,
  type Tensor,
  tensor,
  vjp,
  windowExtent,
  withBackend,
  zeros,
} from '../../index.js'

const size = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max })
const pair = (max: number): fc.Arbitrary<[number, number]> => fc.tuple(size(max), size(max))
const draw = (seed: number, shape: readonly number[]): Tensor => normal(key(seed), shape, { dtype: 'float64' })
const value = (t: Tensor): number => (t.backend.readSync as NonNullable<Tensor['backend']['readSync']>)(t.storage)[0]

const sliding = fc.record({
  batch: size(3),
  channels: size(5),
  filters: size(5),
  kernel: pair(4),
  strides: pair(4),
  dilation: pair(2),
  padding: fc.constantFrom('valid' as const, 'same' as const),
  extra: fc.tuple(fc.nat(6), fc.nat(6)),
})

describe('transposed convolution', () => {
  property.prop([sliding], runs)('is the adjoint of convolution: ⟨conv(y), x⟩ = ⟨y, convᵀ(x)⟩', (c) =>
    holds(() => {
      const reach = (axis: 0 | 1): number => (c.kernel[axis] - 1) * c.dilation[axis] + 1
      const full = [reach(0) + c.extra[0], reach(1) + c.extra[1]] as const
      const options = { strides: c.strides, dilation: c.dilation, padding: c.padding }
      const y = draw(1, [c.batch, ...full, c.channels])
      const filter = draw(2, [...c.kernel, c.channels, c.filters])
      const forward = conv2d(y, filter, options)
      const x = draw(3, forward.shape)
      const left = value(sum(forward.mul(x)))
      const right = value(sum(conv2dTranspose(x, filter, full, options).mul(y)))
      return Math.abs(left - right) <= 1e-10 * (1 + Math.abs(left))
    }),
  )
  test('refuses a size that is not a possible input of the convolution, and channels that differ', () => {
    const x = zeros([1, 3, 3, 2])
    expect(() => conv2dTranspose(x, zeros([3, 3, 4, 2]), [6, 5])).toThrow(
      /a convolution takes the size \[6, 5\] to \[4, 3\], not to x's \[3, 3\]/,
    )
    expect(() => conv2dTranspose(x, zeros([3, 3, 4, 5]), [5, 5])).toThrow(/channels differ \(2 vs 5\)/)
    expect(() => conv2dTranspose(x, zeros([3, 3, 4]), [5, 5])).toThrow(/need 4 axes/)
  })
})

describe('depthwise convolution', () => {
  property.prop([sliding], runs)('equals a convolution whose filter is 0 between channels', (c) =>
    holds(() => {
      const options = { strides: c.strides, dilation: c.dilation, padding: c.padding }
      const x = draw(1, [c.batch, 9, 10, c.channels])
      const filter = draw(2, [...c.kernel, c.channels, c.filters])
      // [c, c, 1] of the identity gives each channel's filters output channels of their own.
      const diagonal = tensor(
        Array.from({ length: c.channels ** 2 }, (_, i) => (i % (c.channels + 1) === 0 ? 1 : 0)),
        { shape: [c.channels, c.channels, 1], dtype: 'float64' },
      )
      const spread = filter.reshape([...c.kernel, c.channels, 1, c.filters]).mul(diagonal)
      const full = conv2d(x, spread.reshape([...c.kernel, c.channels, c.channels * c.filters]), options)
      return value(sum(depthwiseConv2d(x, filter, options).sub(full).abs())) < 1e-9
    }),
  )
  test('names the channels that differ', () => {
    expect(() => depthwiseConv2d(zeros([1, 4, 4, 3]), zeros([2, 2, 2, 1]))).toThrow(/channels differ \(3 vs 2\)/)
    expect(() => depthwiseConv2d(zeros([1, 4, 4]), zeros([2, 2, 2, 1]))).toThrow(/need 4 axes/)
    expect(() => depthwiseConv2d(zeros([1, 2, 2, 1]), zeros([3, 3, 1, 1]))).toThrow(ShapeError)
  })
})

describe('normalisation', () => {
  const numbers = fc.record({
    rows: fc.integer({ min: 2, max: 6 }),
    channels: size(5),
    shift: fc.double({ min: -50, max: 50, noNaN: true }),
  })
  property.prop([numbers], runs)('batchNorm with its own moments has mean 0 and variance v/(v + ε), whatever is added', (c) =>
    holds(() => {
      const x = draw(1, [c.rows, 3, c.channels]).add(c.shift)
      const apart = (t: Tensor, i: number): Tensor => t.slice([i, 0], [1]).reshape([c.channels])
      const [mean, variance] = [0, 1].map((i) => apart(moments(x), i))
      const after = moments(batchNorm(x, mean, variance, { epsilon: 0.1 }))
      const wanted = variance.div(variance.add(0.1))
      return value(apart(after, 0).abs().sum()) < 1e-9 && value(apart(after, 1).sub(wanted).abs().sum()) < 1e-9
    }),
  )
  property.prop([numbers], runs)('layerNorm is batchNorm of the transpose', (c) =>
    holds(() => {
      const x = draw(1, [c.rows, c.channels + 1]).add(c.shift)
      const [mean, variance] = [0, 1].map((i) => moments(x.transpose()).slice([i, 0], [1]).reshape([c.rows]))
      const other = batchNorm(x.transpose(), mean, variance).transpose()
      return value(layerNorm(x).sub(other).abs().sum()) < 1e-9
    }),
  )
  test('statistics and weights must be one number a channel; nothing has no mean', () => {
    const x = zeros([2, 3])
    expect(() => batchNorm(x, zeros([2]), zeros([3]))).toThrow(/mean needs one number for each position of x's last axis/)
    expect(() => batchNorm(x, zeros([3]), zeros([3]), { gamma: zeros([1, 3]) })).toThrow(/gamma needs one number/)
    expect(() => layerNorm(x, { beta: zeros([1]) })).toThrow(/beta needs one number/)
    expect(() => moments(zeros([0, 3]))).toThrow(/nothing to average over/)
    expect(() => moments(zeros([]))).toThrow(/nothing to average over/)
  })
})

/** Cases that a fused kernel may get wrong: sizes that are no multiple of a vector, strides larger than the kernel, windows over the edge, ties. */
describe('wasm gives what the reference gives, and its derivatives', () => {
  type Case = typeof sliding extends fc.Arbitrary<infer C> ? C : never
  type Op = (xs: readonly Tensor[], c: Case) => Tensor
  const windowOf = ({ strides, dilation, padding }: Case) => ({ strides, dilation, padding })
  const poolOf = ({ strides, padding }: Case) => ({ strides, padding })
  const reach = (c: Case, axis: 0 | 1): number => (c.kernel[axis] - 1) * c.dilation[axis] + 1
  const sizeOf = (c: Case): [number, number] => [reach(c, 0) + c.extra[0], reach(c, 1) + c.extra[1]]
  const image = (c: Case): Shape => [c.batch, ...sizeOf(c), c.channels]
  /** The shapes of the inputs. `ties`: the inputs have few different values, so that many are equal. */
  const ops: Record<string, { op: Op; shapes: (c: Case) => Shape[]; ties?: boolean }> = {
    conv2d: { op: ([x, f], c) => conv2d(x, f, windowOf(c)), shapes: (c) => [image(c), [...c.kernel, c.channels, c.filters]] },
    depthwiseConv2d: {
      op: ([x, f], c) => depthwiseConv2d(x, f, windowOf(c)),
      shapes: (c) => [image(c), [...c.kernel, c.channels, c.filters]],
    },
    conv2dTranspose: {
      op: ([x, f], c) => conv2dTranspose(x, f, sizeOf(c), windowOf(c)),
      shapes: (c) => [
        [c.batch, ...sizeOf(c).map((n, i) => windowExtent(n, c.kernel[i], c.strides[i], c.dilation[i], c.padding).out), c.channels],
        [...c.kernel, c.filters, c.channels],
      ],
    },
    maxPool2d: { op: ([x], c) => maxPool2d(x, c.kernel, poolOf(c)), shapes: (c) => [image(c)], ties: true },
    averagePool2d: { op: ([x], c) => averagePool2d(x, c.kernel, poolOf(c)), shapes: (c) => [image(c)] },
  }

  property.each(Object.entries(ops))('%s', (_, { op, shapes, ties }) => {
    const before = alive(wasm)
    fc.assert(
      fc.property(sliding, (c) => {
        const host = onReference(() =>
          scope(() =>
            shapes(c).map((shape, i) => {
              const drawn = draw(i + 1, shape)
              return { shape, values: valuesOf(ties ? drawn.round() : drawn) }
            }),
          ),
        )
        const on = (backend: typeof wasm): number[][] =>
          withBackend(backend, () =>
            scope(() => {
              const inputs = host.map(({ shape, values }) => tensor(values, { shape }))
              const f = (...xs: Tensor[]): Tensor => op(xs, c)
              const u = normal(key(9), f(...inputs).shape)
              const { value: y, grads } = vjp(f, inputs, u)
              return [y, ...grads].map(valuesOf)
            }),
          )
        const [got, want] = [on(wasm), on(reference)]
        // Sums of at most 3·13·13·5 products of values of about 1, in float32.
        for (const [i, values] of got.entries())
          expect(near(values, want[i], 1e-4), i === 0 ? 'value' : `gradient of input ${i - 1}`).toBe(true)
      }),
      { numRuns: 60 },
    )
    expect(alive(wasm), 'leaked memory').toEqual(before)
  })
})
