/** The embedding layer: the harness, its config, and indices out of range on every kind of device. */
import { getBackend, scope, type Tensor, tensor } from '@cotangent/core'
import { beforeEach, describe, expect, test } from 'vitest'
import { dense, Embedding, embedding, flatten, resetNames, Sequential } from '../src/index.js'

beforeEach(() => resetNames())

const values = async (t: Tensor): Promise<number[]> => [...(await t.data())]

describe('Embedding', () => {
  test('config, input shape, frozen weights', async () => {
    const layer = embedding(5, 2, {
      inputLength: 3,
      weights: [
        tensor([
          [0, 1],
          [2, 3],
          [4, 5],
          [6, 7],
          [8, 9],
        ]),
      ],
      trainable: false,
    })
    expect(Embedding.fromConfig(JSON.parse(JSON.stringify(layer.getConfig()))).getConfig()).toEqual(layer.getConfig())
    const model = new Sequential([layer, flatten(), dense(1)], { seed: 2 })
    expect(model.inputShapeOf()).toEqual([null, 3])
    model.compile({ optimizer: 'sgd', loss: 'mse' })
    await model.fit(
      [
        [1, 2, 1],
        [0, 4, 3],
      ],
      [[1], [0]],
      { verbose: 0, epochs: 3 },
    )
    expect(await values(layer.weights[0])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(await values(scope(() => layer.call(tensor([[4, 0, 4]]), { training: false })))).toEqual([8, 9, 0, 1, 8, 9])
  })
  test('an index out of range is named, with the layer', () => {
    const model = new Sequential([embedding(5, 2)], { seed: 2 })
    expect(() => model.apply(tensor([[1, 5]]))).toThrow(/5.*in layer "embedding_1" \(Embedding, 5 × 2\)/s)
    expect(() => embedding(5, 2, { inputLength: 3, inputShape: [4] }).outputShape([null, 4])).toThrow(
      /inputLength is 3, but the input has 4/,
    )
    expect(() => embedding(0, 2)).toThrow(/inputDim must be a whole number, at least 1/)
  })
  test.each(['reference', 'wasm', 'gpu'] as const)('fit refuses a word beyond the vocabulary: %s', async (name) => {
    const backend = await getBackend(name)
    const model = new Sequential([embedding(5, 2, { inputLength: 3 }), flatten(), dense(1)], { seed: 2, backend })
    model.compile({ optimizer: 'sgd', loss: 'mse' })
    const fit = (x: number[]) => model.fit({ data: Int32Array.from(x), shape: [2, 3] }, [[1], [0]], { verbose: 0, shuffle: false })
    const refused = (x: number[], value: number): Promise<void> =>
      expect(fit(x)).rejects.toThrow(`fit: x[1][1] is ${value}: these are indices of rows, so they must be whole numbers from 0 to 4.`)
    await refused([0, 1, 2, 3, 5, 4], 5)
    await refused([0, 1, 2, 3, -1, 4], -1)
    // For a tensor, the op reports it. On WebGPU that is later, when the loss is read and no layer is running.
    const x = tensor([0, 1, 2, 3, 5, 4], { shape: [2, 3], dtype: 'int32', backend })
    const where = backend.name === 'gpu:webgpu' ? '' : '.*in layer "embedding_\\d+"'
    await expect(model.fit(x, [[1], [0]], { verbose: 0, shuffle: false })).rejects.toThrow(
      new RegExp(`index 5 at position 4 is out of range: there are 5 rows${where}`, 's'),
    )
    x.dispose()
    expect((await fit([0, 1, 2, 3, 4, 4])).history.loss[0]).toBeGreaterThan(0)
    model.dispose()
  })
})
