/** Recurrent networks of pictures: the harness, states, masks, dropout, both directions, files. Golden cases are in wave2-recurrent.test.ts. */
import { key, normal, ones, scope, type Tensor, tensor, zeros } from '@cotangent/core'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  bidirectional,
  ConvLSTM1D,
  ConvLSTM2D,
  ConvLSTM3D,
  convLSTM1d,
  convLSTM2d,
  convLSTM3d,
  dense,
  flatten,
  input,
  lstm,
  type Model,
  model,
  modelToBytes,
  resetNames,
  Sequential,
  timeDistributed,
} from '../src/index.js'
import { checkLayer, type LayerCheck } from './check-layer.js'
import { arraysOfZip, copiesByFormat } from './keras-files.js'

beforeEach(() => resetNames())
const numbers = async (x: Tensor): Promise<number[]> => [...(await x.data())].map(Number)

const layers: Record<string, LayerCheck> = {
  ConvLSTM2D: {
    make: () => convLSTM2d(2, [2, 3], { strides: [1, 2], padding: 'same', kernelInitializer: 'heNormal' }),
    fromConfig: ConvLSTM2D.fromConfig,
    inputShape: [3, 3, 4, 2],
    outputShape: [3, 2, 2],
    weightShapes: [[2, 3, 2, 8], [2, 3, 2, 8], [8]],
  },
  'ConvLSTM2D with channels first': {
    make: () => convLSTM2d(3, 2, { dataFormat: 'channelsFirst', dilationRate: 2, returnSequences: true, useBias: false }),
    fromConfig: ConvLSTM2D.fromConfig,
    inputShape: [2, 1, 4, 3],
    outputShape: [2, 3, 2, 1],
    weightShapes: [
      [2, 2, 1, 12],
      [2, 2, 3, 12],
    ],
  },
  ConvLSTM3D: {
    make: () => convLSTM3d(2, [1, 2, 2], { strides: [1, 2, 1], returnSequences: true, dropout: 0 }),
    fromConfig: ConvLSTM3D.fromConfig,
    inputShape: [2, 2, 3, 2, 1],
    outputShape: [2, 2, 1, 1, 2],
    weightShapes: [[1, 2, 2, 1, 8], [1, 2, 2, 2, 8], [8]],
  },
  ConvLSTM1D: {
    make: () => convLSTM1d(2, 3, { returnSequences: true, unitForgetBias: false, recurrentActivation: 'hardSigmoid6' }),
    fromConfig: ConvLSTM1D.fromConfig,
    inputShape: [3, 4, 2],
    outputShape: [3, 2, 2],
    weightShapes: [[3, 2, 8], [3, 2, 8], [8]],
  },
}
test.each(Object.entries(layers))('checkLayer: %s', (_, check) => checkLayer(check))

describe('on pictures of one pixel it is an LSTM', () => {
  const weightsOf = (layer: { getWeights(): Promise<{ data: Float32Array | Float64Array }[]> }) =>
    layer.getWeights().then((all) => all.map(({ data }) => [...data]))
  test.each(['channelsLast', 'channelsFirst'] as const)('%s: outputs, states, masks, direction', async (dataFormat) => {
    const options = {
      returnSequences: true,
      returnState: true,
      goBackwards: true,
      kernelInitializer: 'heNormal',
      zeroOutputForMask: true,
    } as const
    const [x, small] = [input({ shape: [4, 3] }), input({ shape: dataFormat === 'channelsLast' ? [4, 1, 1, 3] : [4, 3, 1, 1] })]
    const [plain, pictures] = [lstm(2, options), convLSTM2d(2, 1, { ...options, dataFormat })]
    const a = model({ inputs: x, outputs: plain.applyAll(x) })
    const b = model({ inputs: small, outputs: pictures.applyAll(small) })
    pictures.setWeights((await weightsOf(plain)).map((data, i) => ({ shape: pictures.weights[i].shape, data: Float32Array.from(data) })))
    const steps = normal(key(1), [2, 4, 3])
    const mask = tensor(
      [
        [1, 1, 0, 1],
        [0, 1, 1, 1],
      ],
      { dtype: 'bool' },
    )
    const initial = [normal(key(2), [2, 2]), normal(key(3), [2, 2])]
    const ys = plain.run(steps, { mask, initialState: initial })
    const shape = small.shape.slice(1) as number[]
    const spread = (state: Tensor): Tensor => state.reshape(dataFormat === 'channelsLast' ? [2, 1, 1, 2] : [2, 2, 1, 1])
    const zs = pictures.run(steps.reshape([2, ...shape]), { mask, initialState: initial.map(spread) })
    for (const [y, z] of [
      [ys.output, zs.output],
      [ys.states[0], zs.states[0]],
      [ys.states[1], zs.states[1]],
    ]) {
      const [got, wanted] = [await numbers(z), await numbers(y)]
      for (const [i, v] of wanted.entries()) expect(got[i]).toBeCloseTo(v, 5)
    }
    expect(b.outputs.map(({ shape: s }) => s)).toEqual(
      [[null, 4], [null], [null]].map((before) => [...before, ...(dataFormat === 'channelsLast' ? [1, 1, 2] : [2, 1, 1])]),
    )
    a.dispose()
  })
})

test('dropout: each gate has its own choice, the same at every step, and none in inference', async () => {
  const layer = convLSTM2d(2, 2, { dropout: 0.4, recurrentDropout: 0.4 })
  new Sequential([layer]).build([null, 3, 4, 4, 2])
  const x = normal(key(1), [2, 3, 4, 4, 2])
  const masks = layer.cell.dropoutMasks(x, { training: true, key: key(2) })
  expect(masks?.input?.map(({ shape }) => shape)).toEqual(new Array(4).fill([2, 4, 4, 2]))
  expect(masks?.recurrent?.map(({ shape }) => shape)).toEqual(new Array(4).fill([2, 3, 3, 2]))
  const run = async (context: object): Promise<number[]> => numbers(scope(() => layer.run(x, context).output))
  const noisy = await run({ training: true, key: key(2) })
  expect(noisy).toEqual(await run({ training: true, key: key(2) }))
  expect(noisy).not.toEqual(await run({}))
})

test('a stateful layer goes on where it stopped; states in a graph have the sizes of pictures', async () => {
  const layer = convLSTM2d(2, 2, { stateful: true, returnSequences: true, batchInputShape: [1, 2, 3, 3, 1] })
  new Sequential([layer], { seed: 4 }).build([1, 2, 3, 3, 1])
  const x = normal(key(1), [1, 4, 3, 3, 1])
  const half = (from: number): Tensor => x.slice([0, from, 0, 0, 0], [1, 2, 3, 3, 1])
  const [first, second] = [await numbers(layer.run(half(0)).output), await numbers(layer.run(half(2)).output)]
  layer.resetStates()
  expect([...first, ...second]).toEqual(await numbers(layer.run(x).output))
  layer.resetStates([zeros([1, 2, 2, 2]), zeros([1, 2, 2, 2])])
  expect(await numbers(layer.run(half(0)).output)).toEqual(first)
  expect(() => layer.resetStates([zeros([1, 2])])).toThrow(/states must be \[1, 2, 2, 2\] and \[1, 2, 2, 2\], got \[1, 2\]/)
  const [y, h] = [input({ shape: [2, 3, 3, 1] }), input({ shape: [2, 2, 2] })]
  expect(convLSTM2d(2, 2).apply([y, h, h]).shape).toEqual([null, 2, 2, 2])
  expect(() => convLSTM2d(2, 2).apply([y, y, y])).toThrow(/states before the first step, \[\?, 2, 2, 2\] and \[\?, 2, 2, 2\]/)
})

test('wrong inputs are named', () => {
  expect(() => convLSTM2d(2, 2).outputShape([null, 3, 4])).toThrow(/ConvLSTM2D.*must have 5 axes \[batch, steps, …\]/)
  expect(() => convLSTM2d(2, 5).outputShape([null, 3, 4, 4, 1])).toThrow(
    /the window \[5, 5\] is larger than a step of the input, channelsLast \[4, 4, 1\]/,
  )
  expect(() => new Sequential([convLSTM2d(2, 2)]).build([null, 3, 4, 4, null])).toThrow(/must be known/)
  expect(() => convLSTM1d(2, [2, 2])).toThrow(/ConvLSTM1D: kernelSize must be a whole number/)
  const layer = convLSTM1d(2, 2)
  new Sequential([layer]).build([null, 3, 4, 1])
  expect(() => layer.run(ones([2, 3, 4]))).toThrow(/ConvLSTM1D: the input must be \[batch, steps, …\]/)
})

describe('in files', () => {
  const stack = (): Model =>
    new Sequential(
      [
        convLSTM2d(2, 2, { dataFormat: 'channelsFirst', returnSequences: true, padding: 'same', inputShape: [3, 1, 4, 4] }),
        bidirectional(convLSTM2d(2, [2, 1], { zeroOutputForMask: true, returnSequences: true, activation: 'relu' }), { mergeMode: 'sum' }),
        timeDistributed(convLSTM1d(2, 2, { recurrentDropout: 0.2, dilationRate: 2, goBackwards: true })),
        flatten(),
        dense(1),
      ],
      { seed: 3 },
    )
  test.each(Object.entries(copiesByFormat))('%s: alone, in both directions, at every step', async (_, copyOf) => {
    const net = stack()
    const copy = await copyOf(net)
    expect(copy.layers.map((layer) => layer.getConfig())).toEqual(net.layers.map((layer) => layer.getConfig()))
    const x = normal(key(1), [2, 3, 1, 4, 4])
    expect(await numbers(await copy.predict(x))).toEqual(await numbers(await net.predict(x)))
  })
  test('.keras: arrays stand under cell', async () => {
    const paths = [...(await arraysOfZip(await modelToBytes(stack(), { format: 'keras' }))).keys()]
    const below = (path: string): string[] => [0, 1, 2].map((i) => `layers/${path}/cell/vars/${i}`)
    expect(paths).toEqual(
      expect.arrayContaining(
        ['conv_lstm2d', 'bidirectional/forward_layer', 'bidirectional/backward_layer', 'time_distributed/layer'].flatMap(below),
      ),
    )
  })
})
