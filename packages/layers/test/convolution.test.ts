/**
 * Convolution layers: values by their definition, cell by cell; shapes that do not fit; data formats; the harness of all layers. One file, since all kinds share the
 * plain loops that define them.
 */
import { createReferenceBackend, key, normal, ShapeError, scope, type Tensor, withBackend, zeros } from '@cotangent/core'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  Conv1D,
  Conv2D,
  Conv2DTranspose,
  conv1d,
  conv2d,
  conv2dTranspose,
  DepthwiseConv2D,
  dense,
  depthwiseConv2d,
  Flatten,
  flatten,
  imageDataFormat,
  type Layer,
  l2,
  maxPooling2d,
  resetNames,
  SeparableConv2D,
  Sequential,
  separableConv2d,
  setImageDataFormat,
} from '../src/index.js'
import { checkLayer, type LayerCheck } from './check-layer.js'

beforeEach(() => resetNames())
afterEach(() => setImageDataFormat('channelsLast'))

const checks: Record<string, LayerCheck> = {
  Conv2D: {
    make: () => conv2d(3, [3, 2], { activation: 'tanh', strides: [2, 1], padding: 'same', kernelRegularizer: l2(1e-5) }),
    fromConfig: Conv2D.fromConfig,
    inputShape: [5, 4, 2],
    outputShape: [3, 4, 3],
    weightShapes: [[3, 2, 2, 3], [3]],
  },
  'Conv2D, channels first, without bias': {
    make: () => conv2d(3, 2, { useBias: false, dataFormat: 'channels_first', kernelInitializer: 'he_normal', dilationRate: 2 }),
    fromConfig: Conv2D.fromConfig,
    inputShape: [2, 4, 5],
    outputShape: [3, 2, 3],
    weightShapes: [[2, 2, 2, 3]],
  },
  'Conv1D, causal': {
    make: () => conv1d(3, 3, { activation: 'tanh', padding: 'causal', dilationRate: 2, kernelConstraint: 'max_norm' }),
    fromConfig: Conv1D.fromConfig,
    inputShape: [6, 2],
    outputShape: [6, 3],
    weightShapes: [[3, 2, 3], [3]],
  },
  'Conv1D, channels first': {
    make: () => conv1d(3, [2], { strides: 2, dataFormat: 'channelsFirst' }),
    fromConfig: Conv1D.fromConfig,
    inputShape: [2, 7],
    outputShape: [3, 3],
    weightShapes: [[2, 2, 3], [3]],
  },
  DepthwiseConv2D: {
    make: () => depthwiseConv2d([2, 3], { depthMultiplier: 2, activation: 'tanh', depthwiseInitializer: 'he_normal' }),
    fromConfig: DepthwiseConv2D.fromConfig,
    inputShape: [4, 5, 3],
    outputShape: [3, 3, 6],
    weightShapes: [[2, 3, 3, 2], [6]],
  },
  SeparableConv2D: {
    make: () => separableConv2d(4, 3, { depthMultiplier: 2, padding: 'same', strides: 2, pointwiseRegularizer: l2(1e-5) }),
    fromConfig: SeparableConv2D.fromConfig,
    inputShape: [5, 4, 2],
    outputShape: [3, 2, 4],
    weightShapes: [[3, 3, 2, 2], [1, 1, 4, 4], [4]],
  },
  Conv2DTranspose: {
    make: () => conv2dTranspose(3, [3, 2], { strides: 2, padding: 'same' }),
    fromConfig: Conv2DTranspose.fromConfig,
    inputShape: [3, 2, 2],
    outputShape: [6, 4, 3],
    weightShapes: [[3, 2, 3, 2], [3]],
  },
  'Conv2DTranspose, channels first, with output padding': {
    make: () => conv2dTranspose(2, 3, { strides: [3, 2], outputPadding: [2, 0], dataFormat: 'channelsFirst' }),
    fromConfig: Conv2DTranspose.fromConfig,
    inputShape: [2, 2, 3],
    outputShape: [2, 8, 7],
    weightShapes: [[3, 3, 2, 2], [2]],
  },
}
test.each(Object.entries(checks))('checkLayer: %s', (_, check) => checkLayer(check))

const backend = createReferenceBackend()
const valuesOf = (t: Tensor): number[] => [...(t.backend.readSync as NonNullable<Tensor['backend']['readSync']>)(t.storage)]

/** y[n, i, j, f] = b[f] + Σ x[n, i·s + a·d − before, …, c]·w[a, b, c, f], cell by cell; sizes of a 1-D case have a 1 in front. */
function definition(
  x: readonly number[],
  w: readonly number[],
  bias: readonly number[],
  g: {
    batch: number
    size: readonly number[]
    kernel: readonly number[]
    channels: number
    filters: number
    strides: readonly number[]
    dilation: readonly number[]
    padding: string
  },
): { values: number[]; size: number[] } {
  const reach = g.kernel.map((k, i) => (k - 1) * g.dilation[i] + 1)
  const size = g.size.map((n, i) => {
    if (g.padding === 'same') return Math.ceil(n / g.strides[i])
    return Math.floor((n + (g.padding === 'causal' ? reach[i] - 1 : 0) - reach[i]) / g.strides[i]) + 1
  })
  const before = g.size.map((n, i) => {
    if (g.padding === 'same') return Math.floor(Math.max((size[i] - 1) * g.strides[i] + reach[i] - n, 0) / 2)
    return g.padding === 'causal' ? reach[i] - 1 : 0
  })
  const values: number[] = []
  for (let n = 0; n < g.batch; n++)
    for (let i = 0; i < size[0]; i++)
      for (let j = 0; j < size[1]; j++)
        for (let f = 0; f < g.filters; f++) {
          let sum = bias[f]
          for (let a = 0; a < g.kernel[0]; a++)
            for (let b = 0; b < g.kernel[1]; b++) {
              const row = i * g.strides[0] + a * g.dilation[0] - before[0]
              const column = j * g.strides[1] + b * g.dilation[1] - before[1]
              if (row < 0 || column < 0 || row >= g.size[0] || column >= g.size[1]) continue
              for (let c = 0; c < g.channels; c++)
                sum +=
                  x[((n * g.size[0] + row) * g.size[1] + column) * g.channels + c] *
                  w[((a * g.kernel[1] + b) * g.channels + c) * g.filters + f]
            }
          values.push(sum)
        }
  return { values, size }
}

const size = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max })
const geometry = fc.record({
  batch: size(3),
  channels: size(6),
  filters: size(6),
  kernel: fc.tuple(size(4), size(4)),
  strides: fc.tuple(size(5), size(5)),
  dilation: fc.tuple(size(3), size(3)),
  extra: fc.tuple(fc.nat(7), fc.nat(7)),
  first: fc.boolean(),
})
const runs = { numRuns: 120 }

/** Runs a layer in float64 on random data with random weights. Returns everything with channels last. */
function runLayer(
  layer: Layer,
  shape: readonly number[],
  first: boolean,
): { x: number[]; weights: number[][]; y: number[]; shape: number[] } {
  return scope(() =>
    withBackend(backend, () => {
      const toFirst = [0, shape.length - 1, ...shape.slice(2).map((_, i) => i + 1)]
      const toLast = [0, ...shape.slice(2).map((_, i) => i + 2), 1]
      const last = normal(key(1), shape, { dtype: 'float64' })
      const x = first ? last.transpose(toFirst) : last
      const open = [null, ...x.shape.slice(1)]
      layer.build(open, { key: key(2), dtype: 'float64', backend })
      layer.setWeights(layer.weights.map((w, i) => normal(key(3 + i), w.shape, { dtype: 'float64' })))
      const y = layer.call(x, { training: false })
      expect(layer.outputShape(open)).toEqual([null, ...y.shape.slice(1)])
      const back = first ? y.transpose(toLast) : y
      const result = { x: valuesOf(last), weights: layer.weights.map(valuesOf), y: valuesOf(back), shape: [...back.shape] }
      layer.dispose()
      return result
    }),
  )
}

const agree = (a: readonly number[], b: readonly number[]): void => {
  expect(a.length).toBe(b.length)
  for (let i = 0; i < b.length; i++)
    if (!(Math.abs(a[i] - b[i]) <= 1e-9 * (1 + Math.abs(b[i])))) expect.fail(`element ${i} is ${a[i]}, not ${b[i]}`)
}

describe('convolution is its definition, cell by cell', () => {
  test('Conv2D, both data formats', () => {
    fc.assert(
      fc.property(geometry, fc.constantFrom('valid' as const, 'same' as const), (g, padding) => {
        const image = g.kernel.map((k, i) => (padding === 'same' ? 1 : (k - 1) * g.dilation[i] + 1) + g.extra[i])
        const layer = conv2d(g.filters, g.kernel, {
          strides: g.strides,
          padding,
          dilationRate: g.dilation,
          dataFormat: g.first ? 'channelsFirst' : 'channelsLast',
        })
        const { x, weights, y, shape } = runLayer(layer, [g.batch, ...image, g.channels], g.first)
        const wanted = definition(x, weights[0], weights[1], { ...g, size: image, padding })
        expect(shape).toEqual([g.batch, ...wanted.size, g.filters])
        agree(y, wanted.values)
      }),
      runs,
    )
  })
  test('Conv1D, all paddings', () => {
    fc.assert(
      fc.property(geometry, fc.constantFrom('valid' as const, 'same' as const, 'causal' as const), (g, padding) => {
        const steps = (padding === 'valid' ? (g.kernel[1] - 1) * g.dilation[1] + 1 : 1) + g.extra[1]
        const layer = conv1d(g.filters, g.kernel[1], {
          strides: g.strides[1],
          padding,
          dilationRate: g.dilation[1],
          dataFormat: g.first ? 'channelsFirst' : 'channelsLast',
        })
        const { x, weights, y, shape } = runLayer(layer, [g.batch, steps, g.channels], g.first)
        const flat = { kernel: [1, g.kernel[1]], strides: [1, g.strides[1]], dilation: [1, g.dilation[1]], size: [1, steps] }
        const wanted = definition(x, weights[0], weights[1], { ...g, ...flat, padding })
        expect(shape).toEqual([g.batch, wanted.size[1], g.filters])
        agree(y, wanted.values)
      }),
      runs,
    )
  })
  test('SeparableConv2D is a convolution with the product of its kernels', () => {
    fc.assert(
      fc.property(geometry, size(3), (g, multiplier) => {
        const image = g.kernel.map((k, i) => (k - 1) * g.dilation[i] + 1 + g.extra[i])
        const layer = separableConv2d(g.filters, g.kernel, {
          strides: g.strides,
          dilationRate: g.dilation,
          depthMultiplier: multiplier,
          dataFormat: g.first ? 'channelsFirst' : 'channelsLast',
        })
        const { x, weights, y } = runLayer(layer, [g.batch, ...image, g.channels], g.first)
        const [depthwise, pointwise, bias] = weights
        const full = Array.from({ length: g.kernel[0] * g.kernel[1] * g.channels * g.filters }, (_, at) => {
          const [cell, f] = [Math.floor(at / g.filters), at % g.filters]
          let sum = 0
          for (let m = 0; m < multiplier; m++)
            sum += depthwise[cell * multiplier + m] * pointwise[((cell % g.channels) * multiplier + m) * g.filters + f]
          return sum
        })
        agree(y, definition(x, full, bias, { ...g, size: image, padding: 'valid' }).values)
      }),
      { numRuns: 60 },
    )
  })
})

describe('shapes that do not fit', () => {
  test('a kernel larger than the input names layer, sizes and remedy', () => {
    const add = (): unknown => new Sequential([conv2d(32, [5, 5], { inputShape: [1, 28, 28] })])
    expect(add).toThrow(ShapeError)
    expect(() => new Sequential([conv2d(32, [5, 5], { inputShape: [1, 28, 28], name: 'first' })])).toThrow(
      'layer "first" (Conv2D, filters 32, kernelSize 5×5): the window [5, 5] is larger than the input, whose height and width are [1, 28] with ' +
        "dataFormat 'channelsLast'. Use a smaller kernelSize or padding 'same'; if the channels come first, set dataFormat: 'channelsFirst'.",
    )
    expect(() => conv1d(2, 3, { dilationRate: 4 }).outputShape([null, 8, 1])).toThrow(
      /the window \[3\], spread over \[9\] by its dilation, is larger than the input, whose steps are \[8\]/,
    )
    expect(() => maxPooling2d({ dataFormat: 'channelsFirst' }).outputShape([null, 8, 8, 1])).toThrow(
      /MaxPooling2D, poolSize 2×2\): the window \[2, 2\] is larger .* \[8, 1\] .*set dataFormat: 'channelsLast'/,
    )
  })
  test('a missing axis is explained', () => {
    expect(() => conv2d(2, 3).outputShape([null, 28, 28])).toThrow(
      /takes inputs of 4 axes \[batch, height, width, channels\], got \[\?, 28, 28\]\. If there is only one channel, .*reshape\(\[28, 28, 1\]\)/,
    )
    expect(() => conv1d(2, 3, { dataFormat: 'channelsFirst' }).outputShape([null, 2, 3, 4])).toThrow(/\[batch, channels, steps\]/)
    expect(() => conv2d(2, 3).build([null, 5, 5, null], { key: key(1), dtype: 'float32', backend })).toThrow(/axis 3 .* must be known/)
  })
  test('the size of a transposed convolution', () => {
    const size = (kernel: number, options: Parameters<typeof conv2dTranspose>[2], n: number): number | null =>
      conv2dTranspose(1, kernel, options).outputShape([null, n, n, 1])[1]
    expect(size(3, { strides: 2, padding: 'same' }, 4)).toBe(8)
    expect(size(3, { strides: 2 }, 4)).toBe(9)
    expect(size(2, { strides: 3 }, 4)).toBe(12)
    // Keras' deconv_length: (n − 1)·stride + kernel − 2·pad + outputPadding, pad being 0 or ⌊kernel/2⌋.
    expect(size(3, { strides: 2, padding: 'same', outputPadding: 0 }, 4)).toBe(7)
    expect(size(3, { strides: 2, padding: 'same', outputPadding: 1 }, 4)).toBe(8)
    expect(size(4, { strides: 2, padding: 'same', outputPadding: 1 }, 4)).toBe(7)
    expect(size(4, { strides: 3, outputPadding: 2 }, 4)).toBe(15)
    expect(size(4, { strides: 2, padding: 'same', outputPadding: 0 }, 4)).toBe(6) // as Keras 3's rule says
  })
  test('open sizes stay open', () => {
    expect(conv2d(2, 3, { strides: 2 }).outputShape([null, null, 9, 1])).toEqual([null, null, 4, 2])
    expect(conv2dTranspose(2, 3, { strides: 2 }).outputShape([null, null, 4, null])).toEqual([null, null, 9, 2])
    expect(depthwiseConv2d(3).outputShape([null, 5, 5, null])).toEqual([null, 3, 3, null])
  })
  test.each([
    [() => conv2d(0, 3), 'Conv2D: filters must be a whole number, at least 1, got 0.'],
    [() => conv2d(2, [3, 3, 3] as never), 'Conv2D: kernelSize must be a whole number or two, at least 1, got [3,3,3].'],
    [() => conv2d(2, 2.5), 'Conv2D: kernelSize must be a whole number or two, at least 1, got 2.5.'],
    [() => conv1d(2, [3, 3]), 'Conv1D: kernelSize must be a whole number, at least 1, got [3,3].'],
    [() => conv1d(2, 3, { strides: 0 }), 'Conv1D: strides must be a whole number, at least 1, got 0.'],
    [() => conv2d(2, 3, { padding: 'causal' }), "Conv2D: padding must be 'valid' or 'same', got text \"causal\"."],
    [() => conv2d(2, 3, { dataFormat: 'channels_middle' as never }), 'There is no data format "channels_middle".'],
    [() => conv2d(2, 3, { kernelRegulariser: 'l2' } as never), 'Conv2D: there is no option "kernelRegulariser".'],
    [() => depthwiseConv2d(3, { depthMultiplier: 0 }), 'DepthwiseConv2D: depthMultiplier must be a whole number, at least 1, got 0.'],
    [() => conv2dTranspose(2, 3, { outputPadding: 1 }), 'outputPadding [1, 1] must be smaller than the strides [1, 1].'],
    [() => setImageDataFormat('first' as never), 'There is no data format "first".'],
  ])('%s', (make, message) => expect(make).toThrow(message))
})

describe('data formats', () => {
  test('setImageDataFormat is for layers of images made after it; sequences keep theirs', () => {
    expect(imageDataFormat()).toBe('channelsLast')
    setImageDataFormat('channels_first')
    expect(imageDataFormat()).toBe('channelsFirst')
    expect(
      [conv2d(1, 1), maxPooling2d(), flatten(), conv2d(1, 1, { dataFormat: 'channelsLast' }), conv1d(1, 1)].map((l) => l.dataFormat),
    ).toEqual(['channelsFirst', 'channelsFirst', 'channelsFirst', 'channelsLast', 'channelsLast'])
  })
  test('Flatten puts the channels last, so that weights behind it fit both formats', async () => {
    const x = normal(key(1), [2, 3, 4, 5])
    const first = scope(() => flatten({ dataFormat: 'channelsFirst' }).call(x.transpose([0, 3, 1, 2]), { training: false }))
    const last = scope(() => Flatten.fromConfig({}).call(x, { training: false }))
    expect(await first.array()).toEqual(await last.array())
  })
  test('one network in both formats, with the same weights, is one function', async () => {
    const network = (dataFormat: 'channelsFirst' | 'channelsLast'): Sequential => {
      setImageDataFormat(dataFormat)
      const inputShape = dataFormat === 'channelsFirst' ? [2, 9, 8] : [9, 8, 2]
      const layers = [conv2d(4, 3, { activation: 'relu', inputShape }), maxPooling2d(), conv2d(3, [2, 1]), flatten(), dense(2)]
      return new Sequential(layers, { seed: 1 })
    }
    const [first, last] = [network('channelsFirst'), network('channelsLast')]
    const x = normal(key(1), [3, 9, 8, 2])
    const a = await first.predict(x.transpose([0, 3, 1, 2]))
    const b = await last.predict(x)
    expect(first.countParams()).toBe(last.countParams())
    expect(await a.array()).toEqual(await b.array())
  })
})

test('names and summary are Keras’', () => {
  const model = new Sequential([conv2d(32, [5, 5], { padding: 'same', inputShape: [28, 28, 1] }), maxPooling2d({ strides: 2 })])
  expect(model.summaryLines().slice(4, 7)).toEqual([
    'conv2d_1 (Conv2D)            (None, 28, 28, 32)        832       ',
    '_________________________________________________________________',
    'max_pooling2d_1 (MaxPooling2 (None, 14, 14, 32)        0         ',
  ])
  expect([conv1d(1, 1), depthwiseConv2d(1), separableConv2d(1, 1), conv2dTranspose(1, 1)].map((layer) => layer.name)).toEqual([
    'conv1d_1',
    'depthwise_conv2d_1',
    'separable_conv2d_1',
    'conv2d_transpose_1',
  ])
})

test('an empty batch goes through', () => {
  const model = new Sequential([conv2d(3, 2, { inputShape: [4, 4, 1] }), maxPooling2d(), flatten()])
  expect(scope(() => model.apply(zeros([0, 4, 4, 1])).shape)).toEqual([0, 3])
})
