/** Runs the harness of all layers on Keras 3's core layers and normalisation. wave2-*.test.ts test their values. */
import { key, normal, ones, ShapeError, scope, tensor } from '@cotangent/core'
import { describe, expect, test } from 'vitest'
import * as l from '../src/index.js'
import { checkLayer, type LayerCheck } from './check-layer.js'

const vector = { inputShape: [6], outputShape: [6] }
const sequence = { inputShape: [4, 6], outputShape: [4, 6] }
const checks: Record<string, LayerCheck> = {
  Identity: { make: () => l.identity(), fromConfig: l.Identity.fromConfig, ...vector },
  ActivityRegularization: {
    make: () => l.activityRegularization({ l1: 1e-4, l2: 1e-4 }),
    fromConfig: l.ActivityRegularization.fromConfig,
    ...vector,
  },
  AlphaDropout: { make: () => l.alphaDropout(0.1), fromConfig: l.AlphaDropout.fromConfig, ...vector, deterministic: false },
  EinsumDense: {
    make: () => l.einsumDense('abc,cde->abde', [null, 2, 3], { biasAxes: 'e', activation: 'gelu', kernelRegularizer: 'l2' }),
    fromConfig: l.EinsumDense.fromConfig,
    inputShape: [4, 6],
    outputShape: [4, 2, 3],
    weightShapes: [[6, 2, 3], [3]],
  },
  'EinsumDense with an ellipsis': {
    make: () => l.einsumDense('...x,xy->...y', 3),
    fromConfig: l.EinsumDense.fromConfig,
    inputShape: [4, 6],
    outputShape: [4, 3],
    weightShapes: [[6, 3]],
  },
  RMSNormalization: {
    make: () => l.rmsNormalization(),
    fromConfig: l.RMSNormalization.fromConfig,
    ...sequence,
    weightShapes: [[6]],
  },
  UnitNormalization: { make: () => l.unitNormalization(), fromConfig: l.UnitNormalization.fromConfig, ...sequence },
  GroupNormalization: {
    make: () => l.groupNormalization({ groups: 3 }),
    fromConfig: l.GroupNormalization.fromConfig,
    ...sequence,
    weightShapes: [[6], [6]],
  },
  'Softmax over two axes': { make: () => l.softmax({ axis: [1, 2] }), fromConfig: l.Softmax.fromConfig, ...sequence },
}

test.each(Object.entries(checks))('checkLayer: %s', (_, check) => checkLayer(check))

describe('messages', () => {
  test('of equations', () => {
    expect(() => l.einsumDense('ab,bc', 3)).toThrow(/EinsumDense: equation must be letters of input, kernel and output/)
    expect(() => l.einsumDense('aab,bc->ac', 3)).toThrow(/EinsumDense: equation/)
    expect(() => l.einsumDense('ab,bc->ad', 3)).toThrow(/EinsumDense: equation/)
    expect(() => l.einsumDense('ab,bc->ac', 3, { biasAxes: 'x' })).toThrow(/EinsumDense: biasAxes must be letters of the output "ac"/)
    expect(() => l.einsumDense('ab,bc->ac', 3).outputShape([null, 4, 5])).toThrow(/the equation has 2 axes of the input, got \[\?, 4, 5\]/)
    expect(() => l.einsumDense('abc,cd->abd', 3).outputShape([null, 4, 5])).toThrow(
      /outputShape \[3\] does not fit the letters of the output, "abd"/,
    )
    expect(() => l.einsumDense('abc,cd->abd', [7, 3]).outputShape([null, 4, 5])).toThrow(
      /outputShape says 7 for "b", but the input .* has 4/,
    )
    expect(() => new l.Sequential([l.einsumDense('abc,cd->abd', [null, null], { inputShape: [4, 5] })])).toThrow(
      /the size of "d" must be known/,
    )
  })
  test('of groups and axes', () => {
    expect(() => l.groupNormalization({ groups: 0 })).toThrow(/GroupNormalization: groups must be at least 1, or -1/)
    expect(() => l.groupNormalization({ groups: 4 }).outputShape([null, 6])).toThrow(
      /the 6 channels of axis -1 do not divide into 4 groups/,
    )
    expect(() => l.rmsNormalization({ axis: 0 }).outputShape([null, 6])).toThrow(ShapeError)
  })
})

describe('ReversibleEmbedding', () => {
  const built = (options: l.ReversibleEmbeddingOptions): l.ReversibleEmbedding => {
    const layer = l.reversibleEmbedding(5, 3, options)
    new l.Sequential([layer], { seed: 3 }).build([null, 4])
    return layer
  }
  test('untied, it has a second weight; a cap bounds the scores', async () => {
    const layer = built({ tieWeights: false, logitSoftCap: 2 })
    expect(layer.weights.map(({ shape }) => shape)).toEqual([
      [5, 3],
      [3, 5],
    ])
    const x = normal(key(1), [2, 4, 3])
    const [scores, expected] = scope(() => [
      layer.reverse(x.mul(100)).keep(),
      x.mul(100).matMul(layer.weights[1]).div(2).tanh().mul(2).keep(),
    ])
    expect(await scores.array()).toEqual(await expected.array())
    expect(scores.shape).toEqual([2, 4, 5])
  })
  test('inside a layer of one’s own, both ways train the table', async () => {
    class Words extends l.Layer {
      override readonly className = 'Words'
      readonly words = l.reversibleEmbedding(5, 3, { maskZero: true })
      constructor() {
        super('Words', { inputShape: [4] }, [])
      }
      protected override makeWeights(shape: l.BatchShape, context: l.BuildContext): void {
        this.words.build(shape, context)
      }
      override outputShape([n, t]: l.BatchShape): l.BatchShape {
        return [n, t, 5]
      }
      override call(x: ReturnType<typeof ones>, context: l.CallContext): ReturnType<typeof ones> {
        return this.words.reverse(this.words.call(x, context))
      }
    }
    const net = new l.Sequential([new Words()], { seed: 1 })
    net.compile({ optimizer: 'sgd', loss: 'mse' })
    const before = await net.getWeights()
    await net.fit(tensor([[1, 2, 3, 4]]), ones([1, 4, 5]), { verbose: 0 })
    expect((await net.getWeights())[0].data).not.toEqual(before[0].data)
  })
})
