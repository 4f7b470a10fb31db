/** Files of models whose layers have equal or unusual names, and of models in float64. Each weight is loaded into its own place. */
import { useBackend } from '@cotangent/core'
import { afterEach, describe, expect, test } from 'vitest'
import {
  dense,
  flatten,
  model as graph,
  input,
  type Model,
  modelFromBytes,
  modelFromTfjs,
  modelToBytes,
  modelToTfjs,
  Sequential,
  weightsFromBytes,
  weightsToBytes,
} from '../src/index.js'

afterEach(async () => void (await useBackend('wasm')))

const values = async (model: Model): Promise<number[][]> => (await model.getWeights()).map(({ data }) => [...data])
const one = (name: string, inside: string): Sequential => new Sequential([dense(1, { inputShape: [1], name: inside })], { name })

/** Models in a model in a model. All innermost layers are named `d`; the last one has the name that its twin gets in a file. */
const nested = (): Sequential =>
  new Sequential([new Sequential([one('p', 'd'), one('q', 'd'), one('r', 'd_1')], { name: 'inner' }), dense(1, { name: 'd' })], { seed: 3 })
const numbers = [[[1]], [2], [[3]], [4], [[5]], [6], [[7]], [8]]

describe('layers of one name in models inside', () => {
  test.each(['h5', 'keras'] as const)('%s: a whole model', async (format) => {
    const model = nested()
    model.setWeights(numbers)
    expect(await values(await modelFromBytes(await modelToBytes(model, { format })))).toEqual(numbers.map((value) => value.flat()))
  })

  test.each(['h5', 'safetensors', 'npz'] as const)('%s: weights by order and by name', async (format) => {
    const model = nested()
    model.setWeights(numbers)
    for (const byName of [false, true]) {
      const other = nested()
      await weightsFromBytes(other, await weightsToBytes(model, { format }), { byName })
      expect(await values(other)).toEqual(numbers.map((value) => value.flat()))
    }
  })

  test('TensorFlow.js knows weights by names alone, so such a model is refused', async () => {
    await expect(modelToTfjs(nested())).rejects.toThrow(/two weights "d\/kernel", which TensorFlow\.js could not tell apart/)
  })
})

test.each(['a/b', '/', 'ü ñ', '日本 1', '..', 'x:0', '', '__proto__'])('a layer called %j', async (name) => {
  const make = (): Sequential => new Sequential([dense(2, { inputShape: [1], name }), dense(1, { name: 'other' })], { seed: 5 })
  const model = make()
  model.compile({ optimizer: 'adam', loss: 'mse' })
  await model.fit([[1]], [[1]], { verbose: 0 })
  const expected = await values(model)
  for (const format of ['h5', 'keras'] as const) {
    const again = await modelFromBytes(await modelToBytes(model, { format }))
    expect(await values(again), format).toEqual(expected)
    expect(again.layers[0].name).toBe(name)
    expect(again.optimizer.steps, format).toBe(1)
  }
  const { modelJson, shards } = await modelToTfjs(model)
  expect(await values(await modelFromTfjs(modelJson, shards))).toEqual(expected)
  for (const format of ['h5', 'safetensors', 'npz'] as const) {
    const other = make()
    await weightsFromBytes(other, await weightsToBytes(model, { format }), { byName: true })
    expect(await values(other), format).toEqual(expected)
  }
})

test('a name that HDF5 has no place for is refused in words', async () => {
  const model = new Sequential([dense(1, { inputShape: [1], name: '.' })])
  await expect(modelToBytes(model)).rejects.toThrow(/an HDF5 file cannot hold this model .*Is a layer's name "\."\?/)
})

test('a model without any weights: files of nothing', async () => {
  const model = new Sequential([flatten({ inputShape: [2, 2] })])
  for (const format of ['h5', 'keras'] as const) {
    expect((await modelFromBytes(await modelToBytes(model, { format }))).layers).toHaveLength(1)
  }
  for (const format of ['h5', 'safetensors', 'npz'] as const) await weightsFromBytes(model, await weightsToBytes(model, { format }))
})

describe("Keras 3's files", () => {
  test.each(['keras', 'weights.h5'] as const)('.%s: layers go by name, too', async (format) => {
    const make = (names: readonly string[]): Sequential =>
      new Sequential(
        names.map((name) => dense(2, { name, inputShape: [2] })),
        { seed: 1 },
      )
    const model = make(['a', 'b'])
    const bytes = format === 'keras' ? await modelToBytes(model, { format }) : await weightsToBytes(model, { format })
    const other = make(['b', 'c'])
    const [, c] = other.layers
    await c.setWeights([
      [
        [1, 2],
        [3, 4],
      ],
      [5, 6],
    ]) // prettier
    await weightsFromBytes(other, bytes, { byName: true })
    const values = async (of: Pick<Sequential, 'getWeights'>): Promise<unknown[]> => (await of.getWeights()).map(({ data }) => data)
    expect(await values(other.layers[0])).toEqual(await values(model.layers[1]))
    expect((await c.getWeights())[1].data).toEqual(Float32Array.of(5, 6))
    await weightsFromBytes(other, bytes)
    expect(await values(other)).toEqual(await values(model))
    await expect(weightsFromBytes(make(['c']), bytes, { byName: true, name: 'w' })).rejects.toThrow(
      /^w: no layer of the file has the name of one here\. The model has c; it has a, b\./,
    )
  })
})

describe('byName without a name in common', () => {
  const source = new Sequential([dense(1, { inputShape: [1], name: 'theirs' })])
  test.each(['h5', 'safetensors', 'npz'] as const)('%s: an error that lists both, and nothing changes', async (format) => {
    const model = new Sequential([dense(1, { inputShape: [1], name: 'ours' })], { seed: 3 })
    const before = await values(model)
    const bytes = await weightsToBytes(source, { format })
    await expect(weightsFromBytes(model, bytes, { byName: true, name: 'w' })).rejects.toThrow(
      /^w: byName: no (layer|array) of the file has the name of one of the model\. The file has theirs.*; the model has ours.*load by order/,
    )
    expect(await values(model)).toEqual(before)
    await weightsFromBytes(model, bytes)
  })
})

describe('float64', () => {
  test('a model of models stays in float64, and takes nested arrays with all their digits', async () => {
    await useBackend('reference')
    const x = input({ shape: [1] })
    const inner = (): Sequential => new Sequential([dense(1, { inputShape: [1], useBias: false })], { dtype: 'float64' })
    for (const model of [
      new Sequential([inner()], { dtype: 'float64' }),
      graph({ inputs: x, outputs: inner().apply(x), dtype: 'float64' }),
    ]) {
      model.setWeights([[[0.1]]])
      expect([...(await (await model.predict([[0.3]])).data())]).toEqual([0.1 * 0.3])
      for (const format of ['h5', 'keras'] as const) {
        const again = await modelFromBytes(await modelToBytes(model, { format }))
        expect([again.dtype, await values(again)]).toEqual(['float64', [[0.1]]])
      }
    }
  })
})
