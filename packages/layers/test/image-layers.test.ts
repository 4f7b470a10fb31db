/**
 * Layers of images and sequences: values by their definition, noise by its mean and variance, messages. One file, since the layers share the loops over cells.
 */
import { createReferenceBackend, key, normal, ShapeError, scope, type Tensor, tensor, withBackend } from '@cotangent/core'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import * as l from '../src/index.js'

beforeEach(() => l.resetNames())

const backend = createReferenceBackend()
const read = (t: Tensor): number[] => [...(t.backend.readSync as NonNullable<Tensor['backend']['readSync']>)(t.storage)]
/** A layer without weights on host values, in float64. */
function run(layer: l.Layer, values: readonly number[], shape: readonly number[]): number[] {
  return scope(() =>
    withBackend(backend, () => read(layer.call(tensor([...values], { shape: [...shape], dtype: 'float64' }), { training: false }))),
  )
}
const number = fc.integer({ min: -99, max: 99 })
const size = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max })
const images = fc.tuple(size(3), size(6), size(6), size(5)).chain((shape) =>
  fc.record({
    shape: fc.constant(shape),
    values: fc.array(number, { minLength: shape.reduce((a, b) => a * b), maxLength: shape.reduce((a, b) => a * b) }),
  }),
)
type Image = { shape: [number, number, number, number]; values: number[] }
/** Cell [n, i, j, c], undefined outside. */
const cell = ({ shape: [, h, w, c], values }: Image, n: number, i: number, j: number, k: number): number | undefined =>
  i < 0 || j < 0 || i >= h || j >= w ? undefined : values[((n * h + i) * w + j) * c + k]
/** An array of a shape, each cell computed by its definition. */
function build([n, h, w, c]: readonly number[], value: (n: number, i: number, j: number, k: number) => number): number[] {
  return Array.from({ length: n * h * w * c }, (_, at) =>
    value(Math.floor(at / (h * w * c)), Math.floor(at / (w * c)) % h, Math.floor(at / c) % w, at % c),
  )
}

describe('layers of images are their definitions, cell by cell', () => {
  test('pooling', () => {
    const options = fc.record({ pool: fc.tuple(size(4), size(4)), strides: fc.tuple(size(5), size(5)), same: fc.boolean() })
    fc.assert(
      fc.property(images, options, ({ shape, values }, { pool, strides, same }) => {
        const [n, h, w, c] = shape
        fc.pre(same || (pool[0] <= h && pool[1] <= w))
        const out = [h, w].map((m, i) => (same ? Math.ceil(m / strides[i]) : Math.floor((m - pool[i]) / strides[i]) + 1))
        const before = [h, w].map((m, i) => (same ? Math.floor(Math.max((out[i] - 1) * strides[i] + pool[i] - m, 0) / 2) : 0))
        const inside = (b: number, i: number, j: number, k: number): number[] =>
          Array.from({ length: pool[0] * pool[1] }, (_, at) =>
            cell(
              { shape, values },
              b,
              i * strides[0] - before[0] + Math.floor(at / pool[1]),
              j * strides[1] - before[1] + (at % pool[1]),
              k,
            ),
          ).filter((v) => v !== undefined)
        const given = { poolSize: pool, strides, padding: same ? 'same' : 'valid' } as const
        const wanted = [n, ...out, c]
        expect(run(l.maxPooling2d(given), values, shape)).toEqual(build(wanted, (...at) => Math.max(...inside(...at))))
        const means = run(l.averagePooling2d(given), values, shape)
        build(wanted, (...at) => inside(...at).reduce((a, b) => a + b) / inside(...at).length).forEach((mean, i) => {
          expect(means[i]).toBeCloseTo(mean, 9)
        })
      }),
    )
  })
  test('padding, cropping, repeating', () => {
    const edges = fc.tuple(fc.tuple(fc.nat(3), fc.nat(3)), fc.tuple(fc.nat(3), fc.nat(3)))
    fc.assert(
      fc.property(images, edges, fc.tuple(size(3), size(3)), ({ shape, values }, around, times) => {
        const [n, h, w, c] = shape
        const [[top, bottom], [left, right]] = around
        const padded = build(
          [n, top + h + bottom, left + w + right, c],
          (b, i, j, k) => cell({ shape, values }, b, i - top, j - left, k) ?? 0,
        )
        expect(run(l.zeroPadding2d({ padding: around }), values, shape)).toEqual(padded)
        expect(run(l.cropping2d({ cropping: around }), padded, [n, top + h + bottom, left + w + right, c])).toEqual(values)
        const repeated = build(
          [n, h * times[0], w * times[1], c],
          (b, i, j, k) => cell({ shape, values }, b, Math.floor(i / times[0]), Math.floor(j / times[1]), k) as number,
        )
        expect(run(l.upSampling2d({ size: times }), values, shape)).toEqual(repeated)
      }),
    )
  })
  test('what one number and pairs mean', () => {
    expect(run(l.zeroPadding1d(), [1, 2], [1, 2, 1])).toEqual([0, 1, 2, 0])
    expect(run(l.zeroPadding1d({ padding: [0, 2] }), [1, 2], [1, 2, 1])).toEqual([1, 2, 0, 0])
    expect(run(l.cropping1d({ cropping: 1 }), [1, 2, 3, 4], [1, 4, 1])).toEqual([2, 3])
    expect(run(l.upSampling1d(), [1, 2], [1, 2, 1])).toEqual([1, 1, 2, 2])
    expect(l.zeroPadding2d({ padding: [1, 2] }).outputShape([null, 5, 5, 1])).toEqual([null, 7, 9, 1])
    expect(run(l.permute([2, 1]), [1, 2, 3, 4, 5, 6], [1, 2, 3])).toEqual([1, 4, 2, 5, 3, 6])
    expect(run(l.repeatVector(2), [1, 2, 3, 4], [2, 2])).toEqual([1, 2, 1, 2, 3, 4, 3, 4])
  })
  test('activations', () => {
    const x = [-2, -0.5, 0, 0.5, 2]
    const shape = [1, 5]
    expect(run(l.leakyReLU({ alpha: 0.1 }), x, shape).map((v) => Number(v.toFixed(9)))).toEqual([-0.2, -0.05, 0, 0.5, 2])
    expect(run(l.thresholdedReLU(), x, shape)).toEqual([0, 0, 0, 0, 2])
    // keras/backend/common.py 2.3.1, relu: maxValue from there on, x from the threshold, slope·(x − threshold) below it.
    for (const [maxValue, negativeSlope, threshold] of [
      [null, 0, 0],
      [6, 0, 0],
      [1, 0.25, 0],
      [null, 0.5, 1],
      [1.5, 0.5, 1],
      [1, 0.5, 1.5],
    ] as const) {
      const expected = [-2, -0.5, 0, 0.5, 2].map((v) => (v > threshold ? Math.min(v, maxValue ?? v) : negativeSlope * (v - threshold)))
      expect(run(l.reLU({ maxValue, negativeSlope, threshold }), x, shape).map((v) => v + 0)).toEqual(expected.map((v) => v + 0))
    }
    expect(run(l.activation('relu6'), [-1, 3, 7], [1, 3])).toEqual([0, 3, 6])
    expect(run(l.elu({ alpha: 2 }), x, shape)[0]).toBeCloseTo(2 * Math.expm1(-2), 12)
    const e = x.map(Math.exp)
    run(l.softmax(), x, shape).forEach((p, i) => {
      expect(p).toBeCloseTo(e[i] / e.reduce((a, b) => a + b), 12)
    })
    const rows = run(l.softmax({ axis: 1 }), [1, 2, 3, 4], [1, 2, 2])
    expect(rows[0] + rows[2]).toBeCloseTo(1, 12)
  })
})

describe('BatchNormalization', () => {
  const built = (options: l.BatchNormalizationOptions): l.BatchNormalization => {
    const layer = l.batchNormalization({ momentum: 0.9, epsilon: 0, ...options })
    layer.build([null, 1], { key: key(1), dtype: 'float64', backend })
    return layer
  }
  /** Trains one step on 1, 2, 6 (mean 3, variance 14/3). Returns the output and the moving statistics. */
  const step = (layer: l.BatchNormalization): number[][] =>
    scope(() => {
      const y = layer.call(tensor([[1], [2], [6]], { dtype: 'float64', backend }), { training: true })
      return [y, ...layer.weights.slice(2)].map(read)
    })
  const deviation = Math.sqrt(14 / 3)
  test('the moving variance is that of a sample in Keras 2, of the batch in Keras 3', () => {
    const [y, mean, variance] = step(built({}))
    expect(y[0]).toBeCloseTo(-2 / deviation, 12)
    expect(mean[0]).toBeCloseTo(0.1 * 3, 12)
    expect(variance[0]).toBeCloseTo(0.9 + 0.1 * 7, 12)
    expect(step(built({ variant: 'keras3' }))[2][0]).toBeCloseTo(0.9 + (0.1 * 14) / 3, 12)
  })
  test('frozen, the averages stay; in training Keras 2 normalises with the batch, Keras 3 with the averages', () => {
    expect(step(built({ trainable: false }))).toEqual([[-2, -1, 3].map((d) => expect.closeTo(d / deviation, 12)), [0], [1]])
    expect(step(built({ trainable: false, variant: 'keras3' }))).toEqual([[1, 2, 6], [0], [1]])
  })
  test('a batch of one value has variance 0, not NaN', () => {
    const layer = built({})
    scope(() => layer.call(tensor([[4]], { dtype: 'float64', backend }), { training: true }))
    expect(layer.weights.slice(2).map(read)).toEqual([[expect.closeTo(0.4, 12)], [expect.closeTo(0.9, 12)]])
  })
  test('inference uses the averages, and one image by itself does not move them', () => {
    const layer = built({})
    step(layer)
    const [mean, variance] = layer.weights.slice(2).map(read)
    const y = scope(() => read(layer.call(tensor([[1]], { dtype: 'float64', backend }), { training: false })))
    expect(y[0]).toBeCloseTo((1 - mean[0]) / Math.sqrt(variance[0]), 12)
    expect(layer.weights.slice(2).map(read)).toEqual([mean, variance])
  })
  test('in fit the averages come near the statistics of the data, and are counted as not trainable', async () => {
    const model = new l.Sequential([l.batchNormalization({ momentum: 0.5, inputShape: [2] }), l.dense(1)], { seed: 1 })
    expect(model.summaryLines().slice(-4, -1)).toEqual(['Total params: 11', 'Trainable params: 7', 'Non-trainable params: 4'])
    model.compile({ optimizer: 'sgd', loss: 'mse' })
    const x = scope(() =>
      normal(key(1), [512, 2], { stddev: 3 })
        .add(tensor([5, -1]))
        .keep(),
    )
    const y = normal(key(2), [512, 1])
    await model.fit(x, y, { epochs: 8, batchSize: 256, verbose: 0 })
    const [, , mean, variance] = await model.getWeights()
    expect([...mean.data]).toEqual([expect.closeTo(5, 0), expect.closeTo(-1, 0)])
    for (const v of variance.data) expect(Math.abs(v / 9 - 1)).toBeLessThan(0.2)
  })
})

describe('layers with a weight for each position', () => {
  /** Runs with the weights 1, 2, 3, … in place of the first ones. */
  function weighted(layer: l.Layer, { shape, values }: Image): number[] {
    layer.build([null, ...shape.slice(1)], { key: key(1), dtype: 'float64', backend })
    scope(() =>
      layer.setWeights(
        layer.weights.map((w) =>
          tensor(
            Float64Array.from({ length: w.size }, (_, i) => i + 1),
            { shape: w.shape, dtype: 'float64', backend },
          ),
        ),
      ),
    )
    return run(layer, values, shape)
  }
  test('LayerNormalization over height and width is its definition', () => {
    fc.assert(
      fc.property(images, (image) => {
        const [, h, w] = image.shape
        const y = weighted(l.layerNormalization({ axis: [2, 1], center: false, epsilon: 0.5 }), image)
        const wanted = build(image.shape, (n, i, j, c) => {
          const plane = Array.from({ length: h * w }, (_, at) => cell(image, n, Math.floor(at / w), at % w, c) as number)
          const mean = plane.reduce((a, b) => a + b) / plane.length
          const variance = plane.reduce((a, b) => a + (b - mean) ** 2, 0) / plane.length
          return (((cell(image, n, i, j, c) as number) - mean) / Math.sqrt(variance + 0.5)) * (i * w + j + 1)
        })
        wanted.forEach((value, i) => {
          expect(y[i]).toBeCloseTo(value, 9)
        })
      }),
      { numRuns: 40 },
    )
  })
  test('PReLU has a slope for each position, or one along shared axes', () => {
    fc.assert(
      fc.property(images, fc.boolean(), (image, shared) => {
        const [, , w, channels] = image.shape
        const y = weighted(l.prelu(shared ? { sharedAxes: [1, 2] } : {}), image)
        const slope = (i: number, j: number, c: number): number => (shared ? c : (i * w + j) * channels + c) + 1
        expect(y.map((v) => v + 0)).toEqual(
          build(image.shape, (n, i, j, c) => {
            const x = cell(image, n, i, j, c) as number
            return x > 0 ? x : slope(i, j, c) * x + 0
          }),
        )
      }),
      { numRuns: 40 },
    )
  })
})

describe('noise', () => {
  const drawn = (layer: l.Layer, shape: readonly number[]): Float32Array =>
    Float32Array.from(
      scope(() =>
        read(
          layer.call(tensor(new Float32Array(shape.reduce((a, b) => a * b)).fill(1), { shape: [...shape], backend }), {
            training: true,
            key: key(5),
          }),
        ),
      ),
    )
  const mean = (v: Float32Array): number => v.reduce((a, b) => a + b, 0) / v.length
  const variance = (v: Float32Array): number => {
    const center = mean(v)
    return mean(v.map((x) => (x - center) ** 2))
  }
  const count = 40000
  test.each([
    ['GaussianNoise', l.gaussianNoise(0.5), 0.25],
    ['GaussianDropout', l.gaussianDropout(0.2), 0.25],
  ] as const)('%s keeps the mean and has the stated variance', (_, layer, wanted) => {
    const values = drawn(layer, [200, 200])
    // Five standard errors: of the mean σ/√n, of the variance of normal values σ²·√(2/n).
    expect(Math.abs(mean(values) - 1)).toBeLessThan(5 * Math.sqrt(wanted / count))
    expect(Math.abs(variance(values) - wanted)).toBeLessThan(5 * wanted * Math.sqrt(2 / count))
  })
  test('SpatialDropout drops whole channels', () => {
    const values = drawn(l.spatialDropout2d(0.4), [50, 3, 4, 20])
    const first = drawn(l.spatialDropout2d(0.4, { dataFormat: 'channelsFirst' }), [50, 20, 3, 4])
    let dropped = 0
    for (let n = 0; n < 50; n++) {
      for (let c = 0; c < 20; c++) {
        const channel = Array.from({ length: 12 }, (_, at) => values[(n * 12 + at) * 20 + c])
        expect(new Set(channel).size).toBe(1)
        expect(new Set(first.subarray((n * 20 + c) * 12, (n * 20 + c + 1) * 12)).size).toBe(1)
        if (channel[0] === 0) dropped++
      }
    }
    expect(Math.abs(dropped / 1000 - 0.4)).toBeLessThan(5 * Math.sqrt((0.4 * 0.6) / 1000))
    expect(Math.max(...values)).toBeCloseTo(1 / 0.6, 6)
    expect(() => l.spatialDropout1d(0.5).call(normal(key(1), [2, 2, 2]), { training: true })).toThrow(
      /SpatialDropout1D: training needs a key/,
    )
  })
})

describe('messages and names', () => {
  test.each([
    [() => l.maxPooling2d({ poolSize: 3 }).outputShape([null, 2, 8, 1]), /MaxPooling2D, poolSize 3×3\): the window \[3, 3\] is larger/],
    [() => l.maxPooling1d().outputShape([null, 1, 8]), /the window \[2\] is larger than the input, whose steps are \[1\]/],
    [() => l.globalMaxPooling2d().outputShape([null, 4, 4]), /takes inputs of 4 axes/],
    [() => l.cropping2d({ cropping: 2 }).outputShape([null, 4, 9, 1]), /leaves nothing of the 4 cells of axis 0 in \[4, 9\]/],
    [() => l.permute([2, 1]).outputShape([null, 2, 3, 4]), /orders 2 axes, but a sample of \[\?, 2, 3, 4\] has 3/],
    [() => l.repeatVector(2).outputShape([null, 2, 3]), /takes \[batch, features\]/],
    [() => l.softmax({ axis: 0 }).outputShape([null, 2]), /axis 0 must name axes of a sample/],
    [() => l.batchNormalization({ axis: 3 }).outputShape([null, 2]), /axis 3 is no axis of a sample in \[\?, 2\]/],
    [() => l.layerNormalization({ axis: [1, -1] }).outputShape([null, 2]), /must name axes of a sample/],
    [
      () => l.prelu({ sharedAxes: [3] }).build([null, 2, 2], { key: key(1), dtype: 'float32', backend }),
      /sharedAxes has 3, but axes of a sample are numbered from 1 to 2 here/,
    ],
  ])('%s', (act, message) => {
    expect(act).toThrow(ShapeError)
    expect(act).toThrow(message)
  })
  test.each([
    [() => l.maxPooling2d({ padding: 'causal' as never }), "MaxPooling2D: padding must be 'valid' or 'same', got text \"causal\"."],
    [
      () => l.zeroPadding2d({ padding: [1, 2, 3] }),
      'ZeroPadding2D: padding must be a number, [rows, columns] or [[top, bottom], [left, right]]',
    ],
    [
      () => l.zeroPadding1d({ padding: -1 }),
      'ZeroPadding1D: padding must be a number or [before, after], whole numbers, at least 0, got -1.',
    ],
    [() => l.upSampling2d({ size: 0 }), 'UpSampling2D: size must be a whole number or two, at least 1, got 0.'],
    [() => l.upSampling2d({ interpolation: 'cubic' as never }), /UpSampling2D: interpolation must be/],
    [() => l.permute([0, 1]), 'Permute: dims must name each axis of a sample once, counted from 1, got [0, 1].'],
    [() => l.repeatVector(1.5), 'RepeatVector: n must be a whole number, at least 1, got 1.5.'],
    [() => l.batchNormalization({ momentum: 2 }), 'BatchNormalization: momentum must be a number from 0 to 1, got 2.'],
    [
      () => l.batchNormalization({ variant: 'keras1' as never }),
      "variant must be 'keras2' or 'keras3', got text \"keras1\". Did you mean 'keras2'?",
    ],
    [() => l.batchNormalization({ epsilon: -1 }), 'epsilon must be a number, at least 0, got -1.'],
    [() => l.layerNormalization({ epsilon: Number.NaN }), 'epsilon must be a number, at least 0, got NaN.'],
    [() => l.gaussianNoise(-1), 'GaussianNoise: stddev must be a number, at least 0, got -1.'],
    [() => l.gaussianDropout(Number.NaN), 'GaussianDropout: rate must be a number from 0 to 1, got NaN.'],
    [() => l.leakyReLU({ alpha: Number.NaN }), 'LeakyReLU: alpha must be a number, got NaN.'],
    [() => l.thresholdedReLU({ theta: -1 }), 'ThresholdedReLU: theta must be a number, at least 0, got -1.'],
  ])('%s', (make, message) => expect(make).toThrow(message))
  test('automatic names are Keras’', () => {
    const layers = [
      l.globalMaxPooling1d(),
      l.globalAveragePooling2d(),
      l.averagePooling1d(),
      l.zeroPadding2d(),
      l.upSampling1d(),
      l.batchNormalization(),
      l.repeatVector(1),
      l.spatialDropout1d(0.1),
      l.leakyReLU(),
      l.prelu(),
      l.elu(),
      l.thresholdedReLU(),
    ]
    expect(layers.map((layer) => layer.name)).toEqual([
      'global_max_pooling1d_1',
      'global_average_pooling2d_1',
      'average_pooling1d_1',
      'zero_padding2d_1',
      'up_sampling1d_1',
      'batch_normalization_1',
      'repeat_vector_1',
      'spatial_dropout1d_1',
      'leaky_re_lu_1',
      'p_re_lu_1',
      'elu_1',
      'thresholded_re_lu_1',
    ])
  })
  test('a model that ends in a Softmax layer trains on its logits, as with the activation', async () => {
    const make = (...last: l.Layer[]): l.Sequential => {
      const model = new l.Sequential([l.dense(3, { inputShape: [4] }), ...last], { seed: 1 })
      model.compile({ optimizer: 'adam', loss: 'categoricalCrossentropy' })
      return model
    }
    const x = normal(key(1), [8, 4])
    const targets = scope(() =>
      tensor(
        Array.from({ length: 24 }, (_, i) => (((i / 3) | 0) % 3 === i % 3 ? 1 : 0)),
        { shape: [8, 3] },
      ).keep(),
    )
    const [a, b] = [make(l.softmax()), make(l.activation('softmax'))]
    expect(await a.trainOnBatch(x, targets)).toEqual(await b.trainOnBatch(x, targets))
    for (const t of [x, targets]) t.dispose()
  })
})

test('ReLU with a limit, slope or threshold comes out of files of Keras (MobileNet, Teachable Machine)', async () => {
  const config = { name: 'r', trainable: true, dtype: 'float32', max_value: 6, negative_slope: 0.5, threshold: 1 }
  const layer = { class_name: 'ReLU', config: { ...config, batch_input_shape: [null, 4] } }
  for (const keras_version of ['2.3.1', '2.15.0', '3.3.3', 'tfjs-layers 4.22']) {
    const text = JSON.stringify({ class_name: 'Sequential', config: { name: 'm', layers: [layer] }, keras_version })
    const net = l.modelFromJSON(text)
    expect(await net.predict([[-1, 0.5, 3, 9]]).then((y) => y.array())).toEqual([[-1, -0.25, 3, 6]])
  }
})
