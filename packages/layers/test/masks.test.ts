/** The effect of a mask on layers of sequences, losses, metrics and gradients. */
import { expectNoLeaks, key, normal, ones, Parameter, type Tensor, tensor, valueAndGrad, zeros } from '@cotangent/core'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  conv1d,
  dense,
  dropout,
  embedding,
  flatten,
  globalAveragePooling1d,
  gru,
  type Layer,
  lstm,
  masking,
  metrics,
  resetNames,
  Sequential,
  timeDistributed,
} from '../src/index.js'
import { goldenTensor, loadGolden } from './golden.js'

beforeEach(() => resetNames())

const values = async (t: Tensor): Promise<number[]> => [...(await t.data())]

describe('masks', () => {
  const words = tensor([
    [3, 4, 0, 0],
    [5, 0, 6, 0],
    [1, 2, 3, 4],
  ]).keep()
  const model = (...last: Layer[]): Sequential => new Sequential([embedding(7, 3, { maskZero: true }), ...last], { seed: 4 })

  test('padding changes nothing for a recurrent layer behind an embedding', async () => {
    const net = model(dropout(0.5), lstm(3, { returnSequences: true }), gru(2), dense(1))
    const alone = await values(net.apply(tensor([[5, 6]])))
    const [, padded] = await values(net.apply(words))
    expect(Math.abs(alone[0] - padded)).toBeLessThan(1e-6)
    expect(Math.abs((await values(net.apply(tensor([[5, 6, 1]]))))[0] - padded)).toBeGreaterThan(1e-6)
  })
  test('an op and single steps agree, with states given before steps that do not count', async () => {
    const x = normal(key(2), [3, 4, 2])
    const mask = tensor(
      [
        [0, 1, 0, 1],
        [0, 0, 0, 0],
        [1, 1, 0, 0],
      ],
      { dtype: 'bool' },
    )
    for (const options of [{}, { returnSequences: true }, { returnSequences: true, goBackwards: true }]) {
      const layer = lstm(2, options)
      layer.build([null, 4, 2], { key: key(3), dtype: 'float32', backend: x.backend })
      const initialState = [ones([3, 2]), ones([3, 2])]
      const byOp = layer.run(x, { mask, initialState })
      layer.cell.sequence = () => undefined
      const byStep = layer.run(x, { mask, initialState })
      const [a, b] = await Promise.all(
        [byOp, byStep].map(async (r) => [...(await values(r.output)), ...(await values(r.states[0])), ...(await values(r.states[1]))]),
      )
      for (const [i, v] of a.entries()) expect(Math.abs(v - b[i])).toBeLessThan(1e-6)
    }
  })
  test('a layer that cannot take a mask says so, and its name', () => {
    expect(() => model(conv1d(2, 2)).apply(words)).toThrow(/Conv1D: does not support masking.*in layer "conv1d_1"/s)
  })
  test('flatten takes what is masked along, and ends the mask', async () => {
    const net = model(flatten())
    const vectors = (await net.layers[0].call(words, { training: false }).array()) as number[][][]
    expect(await net.apply(words).array()).toEqual(vectors.map((sample) => sample.flat()))
    expect(net.run([words], { training: false }, []).masks).toEqual([undefined])
  })
  test('the mean over a sequence is that of what is not masked, of nothing 0; what is masked may be no number', async () => {
    const net = model(globalAveragePooling1d())
    const [padded] = (await net.apply(tensor([[5, 6, 0, 0]])).array()) as number[][]
    const [alone] = (await net.apply(tensor([[5, 6]])).array()) as number[][]
    for (const [i, v] of padded.entries()) expect(Math.abs(v - alone[i])).toBeLessThan(1e-6)
    expect(await net.apply(tensor([[0, 0]])).array()).toEqual([[0, 0, 0]])
    const mask = tensor([[1, 0]], { dtype: 'bool' })
    const y = globalAveragePooling1d().call(tensor([[[3], [Number.NaN]]]), { training: false, mask })
    expect(await values(y)).toEqual([3])
    expect(await values(masking({ maskValue: Number.POSITIVE_INFINITY }).call(tensor([[[Infinity], [2]]]), { training: false }))).toEqual([
      0, 2,
    ])
  })
  test.each(loadGolden('masks.json').filter(({ name }) => name.startsWith('GlobalAveragePooling1D')))(
    '$name',
    async ({ params, inputs, expected }) => {
      const x = new Parameter(tensor(goldenTensor(inputs.x).data, { shape: goldenTensor(inputs.x).shape }))
      const mask = tensor(goldenTensor(inputs.mask).data, { shape: goldenTensor(inputs.mask).shape, dtype: 'bool' })
      const layer = globalAveragePooling1d({ dataFormat: params.dataFormat as 'channels_first' })
      const { grads } = valueAndGrad([x], () => {
        const y = layer.call(x, { training: false, mask })
        const weights = goldenTensor(inputs.grad_output)
        return y.mul(tensor(weights.data, { shape: y.shape })).sum()
      })
      const near = async (got: Tensor, wanted: unknown): Promise<void> => {
        const list = await values(got)
        for (const [i, v] of goldenTensor(wanted).data.entries()) expect(Math.abs(list[i] - v)).toBeLessThan(1e-5 + 1e-4 * Math.abs(v))
      }
      await near(layer.call(x, { training: false, mask }), expected.output)
      await near(grads[0], expected.grad_x)
    },
  )
  test.each(loadGolden('masks.json').filter(({ name }) => name.startsWith('Masking')))('$name', async ({ params, inputs, expected }) => {
    const x = tensor(goldenTensor(inputs.x).data, { shape: goldenTensor(inputs.x).shape })
    const layer = masking({ maskValue: params.maskValue as number })
    const got = await values(layer.call(x, { training: false }))
    for (const [i, v] of goldenTensor(expected.output).data.entries()) expect(got[i]).toBeCloseTo(v, 6)
    expect(await values(layer.outputMask(x) as Tensor)).toEqual([...goldenTensor(expected.mask).data])
  })
  test.each(loadGolden('masks.json').filter(({ name }) => name.startsWith('SparseCategoricalAccuracy')))(
    '$name',
    async ({ inputs, expected }) => {
      const of = (name: string, dtype: 'float32' | 'int32' | 'bool'): Tensor =>
        tensor(goldenTensor(inputs[name]).data, { shape: goldenTensor(inputs[name]).shape, dtype })
      const state = metrics.getMetric('sparseCategoricalAccuracy').start()
      state.update(of('y_true', 'int32'), of('y_pred', 'float32'), of('mask', 'bool'))
      expect(await state.result()).toBeCloseTo(goldenTensor(expected.value).data[0], 6)
      state.dispose()
    },
  )
  test('losses and metrics leave out what is masked; the mean is over all steps, as in Keras 2.3', async () => {
    const net = model(timeDistributed(dense(1, { useBias: false })))
    net.compile({ optimizer: 'sgd', loss: 'mae', metrics: ['mae', 'mse', 'binaryAccuracy'] })
    const y = zeros([3, 4, 1])
    const output = (await net.predict(words).then((t) => t.data())) as Float32Array
    const counts = (await values(words)).map((w) => w !== 0)
    const total = output.reduce((sum, v, i) => sum + (counts[i] ? Math.abs(v) : 0), 0)
    const squares = output.reduce((sum, v, i) => sum + (counts[i] ? v * v : 0), 0)
    const [loss, mae, mse, accuracy] = await net.evaluate(words, y, { batchSize: 2 })
    expect(loss).toBeCloseTo(total / 12, 6)
    expect(mae).toBeCloseTo(total / 8, 6)
    expect(mse).toBeCloseTo(squares / 8, 6)
    expect(accuracy).toBe(1)
    await expectNoLeaks(() => net.fit(words, y, { batchSize: 2, epochs: 2, verbose: 0 }).then(() => {}))
  })
  test('steps that are masked are not learned from', async () => {
    const net = model(dense(1))
    net.compile({ optimizer: 'sgd', loss: 'mse' })
    const before = (await net.getWeights())[0].data.slice()
    await net.trainOnBatch(tensor([[1, 0, 0]]), ones([1, 3, 1]))
    const after = (await net.getWeights())[0].data
    const changed = Array.from({ length: 7 }, (_, word) =>
      after.subarray(word * 3, word * 3 + 3).some((v, i) => v !== before[word * 3 + i]),
    )
    expect(changed).toEqual([false, true, false, false, false, false, false])
  })
})
