/** Bidirectional with a layer of its own for the way back. */
import { key, normal } from '@cotangent/core'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  bidirectional,
  gru,
  input,
  lstm,
  model,
  modelToBytes,
  resetNames,
  rnn,
  Sequential,
  simpleRNN,
  simpleRNNCell,
} from '../src/index.js'
import { copiesByFormat, jsonOfZip } from './keras-files.js'

beforeEach(() => resetNames())

const make = () =>
  bidirectional(lstm(3, { returnSequences: true }), { backwardLayer: gru(2, { returnSequences: true, goBackwards: true }) })

test('its output and weights are those of both layers', async () => {
  const layer = make()
  const net = new Sequential([layer], { seed: 1 })
  net.build([null, 4, 2])
  expect(net.output.shape).toEqual([null, 4, 5])
  expect(layer.weights.map((w) => w.name.split('/').slice(-2).join('/'))).toEqual([
    ...['kernel', 'recurrent_kernel', 'bias'].map((w) => `forward_lstm_1/${w}`),
    ...['kernel', 'recurrent_kernel', 'bias'].map((w) => `backward_gru_1/${w}`),
  ])
  const x = normal(key(1), [2, 4, 2])
  const { output, states } = layer.backward.run(x)
  const all = (await layer.run(x).outputs[0].array()) as number[][][]
  const back = (await output.array()) as number[][][]
  expect(all.map((steps) => steps.map((row) => row.slice(3)))).toEqual(back.map((steps) => [...steps].reverse()))
  expect(states).toHaveLength(1)
})

test('without mergeMode there are two outputs of their own sizes', () => {
  const layer = bidirectional(lstm(3), { mergeMode: null, backwardLayer: rnn(simpleRNNCell(2), { goBackwards: true }) })
  expect(layer.applyAll(input({ shape: [4, 2] })).map(({ shape }) => shape)).toEqual([
    [null, 3],
    [null, 2],
  ])
})

test('what does not fit is named', () => {
  const wrong = (backwardLayer: ReturnType<typeof lstm>) => () => bidirectional(lstm(2), { backwardLayer })
  expect(wrong(lstm(2))).toThrow(/Bidirectional: backwardLayer must have goBackwards: true, since the layer has false/)
  expect(wrong(lstm(2, { goBackwards: true, returnSequences: true }))).toThrow(/the same returnSequences as the layer, false/)
  const sums = bidirectional(lstm(2), { mergeMode: 'sum', backwardLayer: simpleRNN(3, { goBackwards: true }) as never })
  expect(() => new Sequential([sums]).build([null, 4, 2])).toThrow(
    /mergeMode 'sum' needs outputs of one shape, got \[\?, 2\] and \[\?, 3\]/,
  )
})

describe('in files', () => {
  test.each(Object.entries(copiesByFormat))('%s: it comes back', async (_, copyOf) => {
    const x = input({ shape: [4, 2] })
    const net = model({ inputs: x, outputs: make().apply(x), seed: 2 })
    const copy = await copyOf(net)
    expect(copy.layers.map((layer) => layer.getConfig())).toEqual(net.layers.map((layer) => layer.getConfig()))
    const data = normal(key(3), [2, 4, 2])
    expect(await (await copy.predict(data)).array()).toEqual(await (await net.predict(data)).array())
  })
  test('.keras has it as Keras writes it', async () => {
    const net = new Sequential([make()], { seed: 2 })
    net.build([null, 4, 2])
    const { config } = jsonOfZip(await modelToBytes(net, { format: 'keras' })) as { config: { layers: { config: object }[] } }
    expect(config.layers[1].config).toMatchObject({
      layer: { class_name: 'LSTM', config: { name: 'forward_lstm_1', go_backwards: false, units: 3 } },
      backward_layer: { class_name: 'GRU', config: { name: 'backward_gru_1', go_backwards: true, units: 2 } },
    })
  })
})
