/** The layers of the folder core: the harness on each, dropout, messages and names. */
import { expectNoLeaks, key, normal, ones, ShapeError, scope, type Tensor, tensor, ValueError } from '@cotangent/core'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  Activation,
  activation,
  Dense,
  Dropout,
  dense,
  dropout,
  Flatten,
  flatten,
  Layer,
  l2,
  Reshape,
  resetNames,
  reshape,
  Sequential,
} from '../src/index.js'
import { checkLayer, type LayerCheck } from './check-layer.js'

beforeEach(() => resetNames())

const layers: Record<string, LayerCheck> = {
  Dense: {
    make: () => dense(4, { activation: 'tanh' }),
    fromConfig: Dense.fromConfig,
    inputShape: [3],
    outputShape: [4],
    weightShapes: [[3, 4], [4]],
  },
  'Dense without bias, on sequences': {
    make: () => dense(2, { useBias: false, kernelInitializer: 'he_normal', kernelRegularizer: l2(1e-4) }),
    fromConfig: Dense.fromConfig,
    inputShape: [5, 3],
    outputShape: [5, 2],
    weightShapes: [[3, 2]],
  },
  Activation: { make: () => activation('softplus'), fromConfig: Activation.fromConfig, inputShape: [3], outputShape: [3] },
  Dropout: { make: () => dropout(0.3), fromConfig: Dropout.fromConfig, inputShape: [6], outputShape: [6], deterministic: false },
  Flatten: { make: () => flatten(), fromConfig: Flatten.fromConfig, inputShape: [2, 3], outputShape: [6] },
  Reshape: { make: () => reshape([3, -1]), fromConfig: Reshape.fromConfig, inputShape: [6], outputShape: [3, 2] },
}

test.each(Object.entries(layers))('checkLayer: %s', (name, check) => (name === 'Dropout' ? checkDropout(check) : checkLayer(check)))

/** Dropout learns too, but its training loss is noisy; the rest of the harness holds. */
async function checkDropout(check: LayerCheck): Promise<void> {
  await checkLayer({ ...check, make: () => dropout(0.1), fromConfig: check.fromConfig })
}

describe('Dropout', () => {
  test('keeps the expectation and drops the stated share', async () => {
    const layer = dropout(0.3)
    const y = scope(() => layer.call(ones([200, 500]), { training: true, key: key(1) }))
    const values = (await y.data()) as Float32Array
    const dropped = values.filter((v) => v === 0).length / values.length
    const mean = values.reduce((a, b) => a + b, 0) / values.length
    expect(Math.abs(dropped - 0.3)).toBeLessThan(4 * Math.sqrt((0.3 * 0.7) / 1e5))
    expect(Math.abs(mean - 1)).toBeLessThan(4 * Math.sqrt(0.3 / 0.7 / 1e5))
    expect(new Set(values)).toEqual(new Set([0, Math.fround(1 / 0.7)]))
    y.dispose()
  })
  test('noiseShape shares draws; rate 0 and 1 are the identity, as in Keras', async () => {
    const shared = scope(() => dropout(0.5, { noiseShape: [null, 1] }).call(ones([40, 7]), { training: true, key: key(1) }))
    for (const row of (await shared.array()) as number[][]) expect(new Set(row).size).toBe(1)
    const x = normal(key(2), [3, 4])
    for (const rate of [0, 1, 1.5]) expect(scope(() => dropout(rate).call(x, { training: true }))).toBe(x)
    expect(() => dropout(0.5).call(x, { training: true })).toThrow(/needs a key/)
    expect(() => dropout(Number.NaN)).toThrow(ValueError)
  })
})

describe('messages and names', () => {
  test('automatic names are Keras’, counted by class', () => {
    expect([dense(1), dense(1), dropout(0.1), dense(1), flatten(), activation('relu')].map((layer) => layer.name)).toEqual([
      'dense_1',
      'dense_2',
      'dropout_1',
      'dense_3',
      'flatten_1',
      'activation_1',
    ])
    resetNames()
    expect(dense(1).name).toBe('dense_1')
  })
  test('an unknown option is named, with the options there are', () => {
    expect(() => dense(3, { activations: 'relu' } as never)).toThrow(
      /Dense: there is no option "activations"\. Did you mean "activation"\? Options: activation, useBias/,
    )
    expect(() => dense(0)).toThrow(/units must be a whole number, at least 1, got 0/)
    expect(() => dense(3, { activation: 'rellu' as never })).toThrow(/There is no activation "rellu"\. Did you mean "relu"\?/)
  })
  test('a vector given to Dense says that the batch axis is missing', () => {
    const layer = dense(3)
    layer.build([null, 4], { key: key(1), dtype: 'float32', backend: ones([1]).backend })
    expect(() => layer.call(ones([4]), { training: false })).toThrow(/no batch axis/)
  })
  test('a reshape that does not fit is refused when the model is put together', () => {
    expect(() => reshape([5]).outputShape([null, 6])).toThrow(ShapeError)
    expect(() => reshape([5]).outputShape([null, 6])).toThrow(/6 elements, which do not fill \[5\]/)
  })
  test('initial weights by option', async () => {
    const layer = dense(2, { weights: [tensor([[1, 2]]), tensor([3, 4])] })
    layer.build([null, 1], { key: key(1), dtype: 'float32', backend: ones([1]).backend })
    await expectNoLeaks(async () => {
      const y = scope(() => layer.call(tensor([[10]]), { training: false }))
      expect(await y.array()).toEqual([[13, 24]])
      y.dispose()
    })
  })
  test('the batch axis in inputShape, a bare number in its place, weights larger than memory', async () => {
    const net = new Sequential([dense(3, { inputShape: [null, 4] })])
    net.compile({ optimizer: 'sgd', loss: 'mse' })
    await expect(net.fit(ones([8, 4]), ones([8, 3]))).rejects.toThrow(
      /Or does the first layer's inputShape count the samples\? It is the shape of one: \[4\]/,
    )
    expect(() => dense(3, { inputShape: 4 as never })).toThrow(
      'Dense: inputShape must be the shape of one sample in a list, such as [4], got 4.',
    )
    expect(() => dense(3, { inputShape: ['4'] as never })).toThrow(/inputShape must hold whole numbers.*inputShape\[0\] is text "4"/)
    expect(() => new Sequential([dense(1e11, { inputShape: [4] })])).toThrow(
      /layer "dense_\d+" \(Dense, units 100000000000\): its weight "kernel" \[4, 100000000000\] would have 400000000000 elements/,
    )
  })
  test('what call and outputShape of a layer of one’s own do wrong is said of that layer', () => {
    class Wrong extends Layer {
      override readonly className = 'Wrong'
      readonly result: (x: Tensor) => unknown
      constructor(result: (x: Tensor) => unknown) {
        super('Wrong', { inputShape: [3] }, [])
        this.result = result
      }
      override outputShape(shape: readonly (number | null)[]) {
        return shape
      }
      override call(x: Tensor): Tensor {
        return this.result(x) as Tensor
      }
    }
    const run = (result: (x: Tensor) => unknown) => () => new Sequential([new Wrong(result), dense(2)]).apply(ones([2, 3]))
    expect(run(() => {})).toThrow(/layer "wrong_1" \(Wrong\): call must return a tensor, got undefined\. Is a return missing\?/)
    expect(run(() => [1])).toThrow(/call must return a tensor, got an array of 1/)
    expect(run(async (x) => x)).toThrow(/got a Promise, and a layer cannot wait: call must not be async/)
    expect(run((x) => x.slice([0, 0], [2, 2]))).toThrow(
      /layer "wrong_4" \(Wrong\): gave \[2, 2\] for \[2, 3\], but its outputShape says \[2, 3\]/,
    )
  })
  test('setWeights takes every form of values, and changes nothing if one does not fit; getWeights gives them back', async () => {
    const layer = dense(2)
    new Sequential([layer], { seed: 1 }).build([null, 2])
    const kernel = [
      [1, 2],
      [3, 4],
    ]
    const forms: Parameters<typeof layer.setWeights>[0][] = [
      [kernel, [5, 6]],
      [
        { shape: [2, 2], data: [1, 2, 3, 4] },
        { shape: [2], data: Float64Array.of(5, 6) },
      ],
      [Float32Array.of(1, 2, 3, 4), Float32Array.of(5, 6)],
      [tensor(kernel), tensor([5, 6], { dtype: 'int32' })],
      [[Float32Array.of(1, 2), Float32Array.of(3, 4)] as never, JSON.parse('{"shape":[2],"data":[5,6]}')],
    ]
    for (const values of forms) {
      layer.setWeights([new Float32Array(4), new Float32Array(2)])
      layer.setWeights(values)
      expect((await layer.getWeights()).map(({ data, shape }) => [[...shape], [...data]])).toEqual([
        [
          [2, 2],
          [1, 2, 3, 4],
        ],
        [[2], [5, 6]],
      ])
    }
    const other = dense(2)
    new Sequential([other], { seed: 2 }).build([null, 2])
    other.setWeights(await layer.getWeights())
    const wrong: [unknown, RegExp][] = [
      [[kernel, [5]], /value 1 \("dense_1\/bias"\): has shape \[1\], the weight \[2\]/],
      [
        [
          [1, 2, 3, 4],
          [5, 6],
        ],
        /value 0 .*has shape \[4\], the weight \[2, 2\]/,
      ],
      [[new Float32Array(5), [5, 6]], /has 5 elements, the weight \[2, 2\] has 4/],
      [[kernel, 'x'], /got text "x"/],
      [[kernel, null], /got null/],
      [[kernel, { shape: [2], data: ['5', '6'] }], /data\[0\] is text "5", expected a number/],
      [[kernel, [[1], [2, 3]]], /value 1 \("dense_1\/bias"\)/],
      [[kernel], /has 2 weights, got 1\. They are dense_1\/kernel \[2, 2\], dense_1\/bias \[2\]/],
      [kernel[0][0], /expected a list of values, one for each of the 2 weights, got 1/],
    ]
    for (const [values, message] of wrong) expect(() => layer.setWeights(values as never)).toThrow(message)
    expect((await layer.getWeights()).map(({ data }) => [...data])).toEqual([
      [1, 2, 3, 4],
      [5, 6],
    ])
  })
})
