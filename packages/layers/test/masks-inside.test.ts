/** Masks in layers around other layers: padding changes nothing, and masks made inside are passed on. */
import { key, normal, ones, scope, type Tensor, tensor } from '@cotangent/core'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  bidirectional,
  dense,
  dropout,
  embedding,
  gru,
  input,
  type Layer,
  lstm,
  lstmCell,
  masking,
  model,
  resetNames,
  rnn,
  Sequential,
  simpleRNN,
  timeDistributed,
} from '../src/index.js'

beforeEach(resetNames)

const values = async (t: Tensor): Promise<number[]> => [...(await t.data())]
const close = (got: readonly number[], wanted: readonly number[]): void => {
  expect(got.length).toBe(wanted.length)
  for (const [i, v] of got.entries()) expect(Math.abs(v - wanted[i]), `[${i}]`).toBeLessThan(1e-6)
}

/** Two texts. The first has two sentences, of two words and of one. The second has one sentence. */
const short = [
  [
    [1, 2],
    [3, 0],
  ],
  [
    [4, 5],
    [0, 0],
  ],
]
/** The same texts, with one word and one sentence of padding more. */
const padded = short.map((text) => [...text.map((sentence) => [...sentence, 0]), [0, 0, 0]])

describe('sentences of texts: embedding, timeDistributed, recurrent', () => {
  const words = () => embedding(7, 3, { maskZero: true, inputShape: [null, null] })
  const readers: Record<string, () => Layer> = {
    lstm: () => lstm(4),
    bidirectional: () => bidirectional(gru(4)),
    'rnn of stacked cells': () => rnn([lstmCell(4), lstmCell(2)]),
    'a Sequential': () => new Sequential([dense(5), dropout(0.5), lstm(4, { returnSequences: true }), simpleRNN(2)]),
    'a graph': () => {
      const x = input({ shape: [null, 3] })
      return model({ inputs: x, outputs: lstm(4).apply(x) })
    },
  }
  test.each(Object.entries(readers))('%s', async (_, reader) => {
    const net = new Sequential([words(), timeDistributed(reader()), lstm(3), dense(2)], { seed: 4 })
    net.build([null, null, null])
    close(await values(net.apply(tensor(padded))), await values(net.apply(tensor(short))))
    // The second text alone, without any padding.
    const [, second] = (await net.apply(tensor(padded)).array()) as number[][]
    close(await values(net.apply(tensor([[[4, 5]]]))), second)
  })
  test('an embedding inside: words of nothing change nothing', async () => {
    const reader = new Sequential([embedding(7, 3, { maskZero: true }), gru(4)])
    const net = new Sequential([timeDistributed(reader, { inputShape: [2, null] })], { seed: 4 })
    const longer = short.map((text) => text.map((sentence) => [...sentence, 0, 0]))
    close(await values(net.apply(tensor(longer))), await values(net.apply(tensor(short))))
  })
  test('a sentence equals the layer on that sentence by itself', async () => {
    const reader = lstm(4)
    const net = new Sequential([words(), timeDistributed(reader)], { seed: 4 })
    net.build([null, null, null])
    const all = (await net.apply(tensor(padded)).array()) as number[][][]
    const vectors = (await net.layers[0].call(tensor([[1, 2]]), { training: false }).array()) as number[][][]
    close(await values(reader.call(tensor(vectors), { training: false })), all[0][0])
  })
})

describe('the mask that comes out', () => {
  const run = (layer: Layer, x: Tensor, mask?: Tensor): { output: Tensor; mask?: Tensor } =>
    scope(() => {
      layer.build([null, ...x.shape.slice(1)], { key: key(3), dtype: 'float32', backend: x.backend })
      const result = layer.callAll([x], { training: false, masks: [mask] })
      return { output: result.outputs[0].keep(), mask: result.masks[0]?.keep() }
    })
  const bools = (list: unknown): Tensor => tensor(list as number[], { dtype: 'bool' })

  test('made inside, by an embedding and by a masking layer', async () => {
    const { mask } = run(timeDistributed(embedding(7, 2, { maskZero: true })), tensor(short))
    expect(await mask?.array()).toEqual(short.map((text) => text.map((sentence) => sentence.map((word) => Number(word !== 0)))))
    const steps = run(timeDistributed(masking()), tensor([[[[1], [0]]]]))
    expect(await steps.mask?.array()).toEqual([[[1, 0]]])
  })
  test('passed on by the layer; one that ends it leaves which steps have any', async () => {
    const mask = bools([
      [
        [1, 0],
        [0, 0],
      ],
    ])
    const x = normal(key(1), [1, 2, 2, 3])
    expect(await run(timeDistributed(lstm(2, { returnSequences: true })), x, mask).mask?.array()).toEqual(await mask.array())
    expect(await run(timeDistributed(lstm(2)), x, mask).mask?.array()).toEqual([[1, 0]])
  })
  test('of steps it passes by the layer, as before', async () => {
    const mask = bools([[1, 0]])
    expect(await run(timeDistributed(dense(2)), ones([1, 2, 3]), mask).mask?.array()).toEqual([[1, 0]])
    const both = run(
      timeDistributed(masking()),
      tensor([
        [
          [[1], [0]],
          [[2], [3]],
        ],
      ]),
      mask,
    )
    expect(await both.mask?.array()).toEqual([
      [
        [1, 0],
        [0, 0],
      ],
    ])
    const none = run(timeDistributed(dense(2)), ones([1, 2, 3]))
    expect(none.mask).toBe(undefined)
  })
})

test('timeDistributed is a loop over the steps, and adds up what the layer inside adds to the loss', async () => {
  const layer = dense(2, { activation: 'tanh', activityRegularizer: 'l2' })
  const net = new Sequential([timeDistributed(layer, { inputShape: [3, 4] })], { seed: 4 })
  const x = normal(key(1), [2, 3, 4])
  const output = (await net.apply(x).array()) as number[][][]
  for (let t = 0; t < 3; t++) {
    const step = scope(() => layer.call(x.slice([0, t, 0], [2, 1, 4]).reshape([2, 4]), { training: false }))
    close(
      await values(step),
      output.flatMap((sample) => sample[t]),
    )
  }
  net.compile({ optimizer: 'sgd', loss: 'mse' })
  const sum = output.flat(2).reduce((total, v) => total + v * v, 0)
  const [loss] = await net.evaluate(x, net.apply(x))
  expect(Math.abs(loss - 0.01 * sum)).toBeLessThan(1e-6) // l2 is 0.01, summed over the batch
})

test('bidirectional has the penalty of its layer, on what it gives', async () => {
  const net = new Sequential([bidirectional(gru(2, { activityRegularizer: 'l2' }), { inputShape: [3, 4] })], { seed: 4 })
  const x = normal(key(1), [2, 3, 4])
  const output = await values(net.apply(x))
  net.compile({ optimizer: 'sgd', loss: 'mse' })
  const [loss] = await net.evaluate(x, net.apply(x))
  expect(Math.abs(loss - 0.01 * output.reduce((total, v) => total + v * v, 0))).toBeLessThan(1e-6)
})

test('a layer with several outputs is refused', () => {
  expect(() => timeDistributed(lstm(2, { returnState: true }))).toThrow(/TimeDistributed: layer "lstm_1".*has 3 outputs/)
})
