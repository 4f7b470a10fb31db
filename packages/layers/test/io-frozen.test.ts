/**
 * Files of models inside models, saved and loaded with different layers frozen. Keras' order is written down here once more, after trainable_weights and
 * non_trainable_weights of keras/engine/network.py and base_layer.py 2.3.1. A loaded model must have the outputs of the saved one.
 */
import { normal, type Parameter, key as randomKey } from '@cotangent/core'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  batchNormalization,
  dense,
  input,
  type Layer,
  lstm,
  Model,
  model,
  modelFromBytes,
  modelToBytes,
  resetNames,
  Sequential,
  timeDistributed,
  weightsFromBytes,
  weightsToBytes,
} from '../src/index.js'
import { h5WeightsTree } from '../src/io/h5-model.js'
import { readH5, writeH5 } from '../src/io/h5-tree.js'

beforeEach(resetNames)

/** [trainable, not trainable], as Keras 2.3 lists them. */
function listed(layer: Layer): [Parameter[], Parameter[]] {
  if (layer instanceof Model) {
    const parts = layer.layers.map(listed)
    const [changing, other] = [parts.flatMap(([a]) => a), parts.flatMap(([, b]) => b)]
    return layer.trainable ? [changing, other] : [[], [...changing, ...other]]
  }
  const [changing, other] = [layer.weights.filter((w) => w.trainable), layer.weights.filter((w) => !w.trainable)]
  return layer.trainable ? [changing, other] : [[], [...changing, ...other]]
}
const kerasOrder = (layer: Layer): string[] => listed(layer).flatMap((list) => list.map(({ name }) => `${name}:0`))

/** Three layers of the same shapes with a batch normalisation among them, in a model in a model; every one can be frozen. */
const make = (names?: (name: string) => string): { whole: Model; parts: Layer[] } => {
  const called = (name: string) => (names ? { name: names(name) } : {})
  const parts = [
    dense(3, { ...called('a'), inputShape: [3], biasInitializer: 'uniform' }),
    batchNormalization({ ...called('b'), movingMeanInitializer: 'uniform' }),
    dense(3, { ...called('c'), biasInitializer: 'uniform' }),
  ]
  const inner = new Sequential(parts, names ? { name: names('inner') } : {})
  const last = dense(3, { ...called('d'), biasInitializer: 'uniform' })
  const x = input({ shape: [3], ...called('x') })
  const base = model({ inputs: x, outputs: last.apply(inner.apply(x)), ...(names ? { name: names('base') } : {}) })
  return {
    whole: new Sequential([base, dense(1, called('e'))], names ? { name: names('whole') } : {}),
    parts: [...parts, inner, last, base],
  }
}
/** Every way of freezing some of them. */
const states = Array.from({ length: 2 ** 6 }, (_, bits) => Array.from({ length: 6 }, (_, i) => (bits >> i) % 2 === 0))
const set = (parts: readonly Layer[], state: readonly boolean[]): void => {
  for (const [i, layer] of parts.entries()) layer.trainable = state[i]
}
const x = normal(randomKey(3), [4, 3])
const outputs = async (of: Model) => of.predict(x).then((y) => y.array())

/** The bytes of a file of weights as Keras writes it, without our list of the order. */
async function kerasFile(whole: Model): Promise<Uint8Array> {
  const tree = await h5WeightsTree(whole)
  for (const group of tree.groups.values()) group.attributes.delete('cotangent_order')
  return writeH5(tree)
}

test('a file lists weights as Keras 2.3 does, whatever is frozen', async () => {
  const { whole, parts } = make()
  for (const state of states) {
    set(parts, state)
    const root = await readH5(await weightsToBytes(whole), 'file')
    for (const layer of whole.layers) expect(root.groups.get(layer.name)?.attributes.get('weight_names')).toEqual(kerasOrder(layer))
  }
})

const some = states.filter((_, i) => i % 13 === 0 || i === 63)

describe.each([
  ['the same names', () => make((name) => name), () => make((name) => name)],
  ['automatic names, counted on', () => make(), () => make()],
  ['other names', () => make((name) => name), () => make((name) => `other_${name}_x`)],
] as const)('%s', (kind, first, second) => {
  test('weights saved in one state and loaded in another', async () => {
    const saved = first()
    const target = second()
    const wanted = await outputs(saved.whole)
    for (const [i, from] of some.entries()) {
      set(saved.parts, from)
      const own = await weightsToBytes(saved.whole)
      const keras = await kerasFile(saved.whole)
      for (const to of [some[(i + 3) % some.length], states[0]]) {
        set(target.parts, to)
        await clear(target.whole)
        await weightsFromBytes(target.whole, own)
        expect(await outputs(target.whole)).toEqual(wanted)
        await clear(target.whole)
        if (kind === 'other names') {
          await expect(weightsFromBytes(target.whole, keras)).rejects.toThrow(/other names in the file.*frozen layers last.*does not tell/s)
          expect((await outputs(target.whole)) as number[][]).toEqual([[0], [0], [0], [0]])
        } else {
          await weightsFromBytes(target.whole, keras)
          expect(await outputs(target.whole)).toEqual(wanted)
        }
      }
    }
  })
})

const clear = async (whole: Model): Promise<void> => {
  whole.setWeights(whole.weights.map(({ shape, size }) => ({ shape, data: new Float32Array(size) })))
}

test('other names are no matter where only one layer has the shapes', async () => {
  const build = (prefix: string) => {
    const parts = [dense(2, { name: `${prefix}a`, inputShape: [3] }), dense(4, { name: `${prefix}b` }), dense(3, { name: `${prefix}c` })]
    return { whole: new Sequential([new Sequential(parts, { name: prefix }), dense(1)], { seed: 1 }), parts }
  }
  const [saved, target] = [build('p'), build('q')]
  set(saved.parts, [false, true, false])
  await weightsFromBytes(target.whole, await kerasFile(saved.whole))
  expect(await outputs(target.whole)).toEqual(await outputs(saved.whole))
})

test('whole models come back with what is frozen, in every state and format', async () => {
  for (const state of some) {
    const { whole, parts } = make()
    set(parts, state)
    const wanted = await outputs(whole)
    for (const format of ['h5', 'keras'] as const) {
      const again = await modelFromBytes(await modelToBytes(whole, { format }))
      expect(await outputs(again)).toEqual(wanted)
      expect(again.trainableWeights.map(({ name }) => name)).toEqual(whole.trainableWeights.map(({ name }) => name))
    }
  }
})

test('two layers of one name in models inside a model keep their weights across states', async () => {
  const build = () => {
    const inner = [1, 2].map((i) => new Sequential([dense(3, { name: 'same', inputShape: [3] })], { name: `inner${i}` }))
    return { whole: new Sequential([new Sequential(inner, { name: 'both' })], { seed: 1 }), inner }
  }
  const saved = build()
  saved.inner[0].trainable = false
  const target = build()
  target.whole.setWeights(target.whole.weights.map(({ shape, size }) => ({ shape, data: new Float32Array(size) })))
  await weightsFromBytes(target.whole, await weightsToBytes(saved.whole))
  expect(await outputs(target.whole)).toEqual(await outputs(saved.whole))
})

test('so does a model in timeDistributed', async () => {
  const build = (first: boolean) => {
    const part = dense(3, { name: 'first', inputShape: [3], trainable: first })
    const inner = new Sequential([part, dense(3, { name: 'second' })], { name: 'inner' })
    return new Sequential([timeDistributed(inner, { name: 'each', inputShape: [2, 3] }), lstm(2, { name: 'lstm' })], { seed: 1 })
  }
  const [saved, target] = [build(false), build(true)]
  target.setWeights(target.weights.map(({ shape, size }) => ({ shape, data: new Float32Array(size) })))
  const root = await readH5(await weightsToBytes(saved), 'file')
  expect(root.groups.get('each')?.attributes.get('weight_names')).toEqual([
    'second/kernel:0',
    'second/bias:0',
    'first/kernel:0',
    'first/bias:0',
  ])
  await weightsFromBytes(target, await kerasFile(saved))
  const steps = normal(randomKey(4), [2, 2, 3])
  expect(await target.apply(steps).array()).toEqual(await saved.apply(steps).array())
})
