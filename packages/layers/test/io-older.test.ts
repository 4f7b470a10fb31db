/** Weights as Keras 1, Theano and CuDNN kept them, checked element by element with the formulas of keras/engine/saving.py 2.2.4. */
import { describe, expect, test } from 'vitest'
import {
  batchNormalization,
  bidirectional,
  conv1d,
  conv2d,
  conv2dTranspose,
  dense,
  flatten,
  model as graph,
  gru,
  input,
  type Layer,
  lstm,
  Sequential,
  timeDistributed,
} from '../src/index.js'
import { modernized } from '../src/io/older-weights.js'
import { originOf } from '../src/io/origin.js'
import type { SavedArray } from '../src/io/saved-weights.js'

const keras1 = originOf('1.2.2', 'tensorflow')
const keras2 = originOf('2.2.4', 'tensorflow')

/** Counts up, so that all elements differ. */
const counting = (shape: readonly number[], from = 0): SavedArray => {
  const size = shape.reduce((a, b) => a * b, 1)
  return { name: `from ${from}`, shape, data: Float32Array.from({ length: size }, (_, i) => from + i) }
}
const at = ({ shape, data }: SavedArray, ...index: number[]): number =>
  Number(data[index.reduce((sum, n, axis) => sum * shape[axis] + n, 0)])
const built = <L extends Layer>(layer: L, inputShape: number[]): L => {
  new Sequential([layer]).build([null, ...inputShape])
  return layer
}
const weightsOf = (layer: Layer, weights: SavedArray[], origin = keras1): readonly SavedArray[] =>
  modernized(layer, { name: layer.name, weights }, origin).weights

describe('Keras 1', () => {
  test('an LSTM of twelve arrays, gates i, c, f, o', () => {
    const layer = built(lstm(2), [5, 3])
    const parts = ['i', 'c', 'f', 'o'].flatMap((_, gate) => [
      counting([3, 2], gate * 100),
      counting([2, 2], gate * 100 + 20),
      counting([2], gate * 100 + 40),
    ])
    const [kernel, recurrent, bias] = weightsOf(layer, parts)
    expect([kernel.shape, recurrent.shape, bias.shape]).toEqual([[3, 8], [2, 8], [8]])
    expect(Array.from(bias.data, Number)).toEqual([40, 41, 240, 241, 140, 141, 340, 341]) // i, f, c, o
    expect([0, 2, 4, 6].map((column) => at(kernel, 1, column))).toEqual([2, 202, 102, 302])
    expect(at(recurrent, 1, 3)).toBe(223)
  })

  test('a GRU of nine arrays, and one in both directions', () => {
    const nine = (from: number): SavedArray[] =>
      [0, 1, 2].flatMap((gate) => [
        counting([3, 2], from + gate * 100),
        counting([2, 2], from + gate * 100 + 20),
        counting([2], from + gate * 100 + 40),
      ])
    const arrays = weightsOf(built(bidirectional(gru(2)), [5, 3]), [...nine(0), ...nine(1000)])
    expect(arrays.map(({ shape }) => shape)).toEqual([[3, 6], [2, 6], [6], [3, 6], [2, 6], [6]])
    expect(Array.from(arrays[2].data, Number)).toEqual([40, 41, 140, 141, 240, 241])
    expect(Array.from(arrays[5].data, Number)).toEqual([1040, 1041, 1140, 1141, 1240, 1241])
  })

  test("convolutions in Theano's order of axes, and one-dimensional ones with an axis too many", () => {
    const old = counting([4, 3, 2, 5]) // [out, in, rows, columns]
    const [kernel] = weightsOf(built(conv2d(4, [2, 5], { dataFormat: 'channelsFirst' }), [3, 9, 9]), [old])
    expect(kernel.shape).toEqual([2, 5, 3, 4])
    expect(at(kernel, 1, 4, 2, 3)).toBe(at(old, 3, 2, 1, 4))
    const same = counting([2, 5, 3, 4])
    expect(weightsOf(built(conv2d(4, [2, 5]), [9, 9, 3]), [same])).toEqual([same])

    const long = counting([3, 1, 2, 4]) // [k, 1, in, out]
    expect(weightsOf(built(conv1d(4, 3), [9, 2]), [long])).toEqual([{ ...long, shape: [3, 2, 4] }])
    const theano = counting([4, 2, 3, 1]) // [out, in, k, 1]
    const [turned] = weightsOf(built(conv1d(4, 3), [9, 2]), [theano])
    expect(turned.shape).toEqual([3, 2, 4])
    expect(at(turned, 2, 1, 3)).toBe(at(theano, 3, 1, 2, 0))

    const transpose = counting([2, 5, 3, 4]) // [rows, columns, in, out]
    const [back] = weightsOf(built(conv2dTranspose(4, [2, 5]), [9, 9, 3]), [transpose])
    expect(back.shape).toEqual([2, 5, 4, 3])
    expect(at(back, 1, 2, 3, 1)).toBe(at(transpose, 1, 2, 1, 3))
  })

  test('of Theano, which turns its windows around', () => {
    const old = counting([2, 5, 3, 4])
    const bias = counting([4])
    const [kernel, same] = weightsOf(built(conv2d(4, [2, 5]), [9, 9, 3]), [old, bias], originOf('2.1.6', 'theano'))
    expect(at(kernel, 0, 1, 2, 3)).toBe(at(old, 1, 3, 2, 3))
    expect(same).toEqual(bias)
    expect(weightsOf(built(conv2d(4, [2, 5]), [9, 9, 3]), [old, bias], keras2)).toEqual([old, bias])
  })
})

describe('CuDNN', () => {
  const [inputs, units] = [3, 2]
  /** The conversion of _convert_rnn_weights: k.T.reshape(k.shape, order='F') for each gate's kernel, k.T for the recurrent one. */
  test.each([
    ['an LSTM, whose biases are added', lstm(2), 4],
    ['a GRU, which keeps both', gru(2, { resetAfter: true }), 3],
  ] as const)('%s', (_, layer, gates) => {
    const arrays = [counting([inputs, gates * units]), counting([units, gates * units]), counting([2 * gates * units])]
    const [kernel, recurrent, bias] = weightsOf(built(layer, [5, inputs]), arrays, keras2)
    for (let gate = 0; gate < gates; gate++) {
      const flat: number[] = [] // k.T in Fortran order is k in C order
      for (let i = 0; i < inputs; i++) for (let j = 0; j < units; j++) flat.push(at(arrays[0], i, gate * units + j))
      for (let i = 0; i < inputs; i++) {
        for (let j = 0; j < units; j++) expect(at(kernel, i, gate * units + j)).toBe(flat[i + j * inputs])
      }
      for (let i = 0; i < units; i++) {
        for (let j = 0; j < units; j++) expect(at(recurrent, i, gate * units + j)).toBe(at(arrays[1], j, gate * units + i))
      }
    }
    const all = Array.from(arrays[2].data, Number)
    const half = gates * units
    expect(bias.shape).toEqual(gates === 4 ? [half] : [2, half])
    expect(Array.from(bias.data, Number)).toEqual(gates === 4 ? all.slice(0, half).map((value, i) => value + all[i + half]) : all)
  })

  test('plain ones stay as they are', () => {
    const arrays = [counting([3, 8]), counting([2, 8]), counting([8])]
    expect(weightsOf(built(lstm(2), [5, 3]), arrays, keras2)).toEqual(arrays)
  })
})

describe('layers inside models and wrappers', () => {
  const theano = originOf('2.1.6', 'theano')
  /** Convolution, normalisation, convolution: the arrays of the second kernel come before the moving averages of the normalisation. */
  const stack = (): Sequential =>
    new Sequential([conv2d(2, [2, 3], { inputShape: [8, 8, 1] }), batchNormalization(), conv2d(1, [3, 2], { useBias: false })])
  const arraysOf = (): SavedArray[] => [
    counting([2, 3, 1, 2]),
    counting([2]),
    counting([2], 50),
    counting([2], 60),
    counting([3, 2, 2, 1], 100),
    counting([2], 70),
    counting([2], 80),
  ]
  const expectTurned = (weights: readonly SavedArray[], old: readonly SavedArray[]): void => {
    expect(at(weights[0], 0, 1, 0, 1)).toBe(at(old[0], 1, 1, 0, 1))
    expect(at(weights[4], 0, 1, 1, 0)).toBe(at(old[4], 2, 0, 1, 0))
    for (const i of [1, 2, 3, 5, 6]) expect(weights[i]).toEqual(old[i])
  }

  test('of Theano, in a model, in a model in a model, in a graph, and at each step', () => {
    const arrays = arraysOf()
    expectTurned(weightsOf(stack(), arrays, theano), arrays)
    expectTurned(weightsOf(new Sequential([stack(), flatten()]), arrays, theano), arrays)
    const x = input({ shape: [8, 8, 1] })
    expectTurned(weightsOf(graph({ inputs: x, outputs: stack().apply(x) }), arrays, theano), arrays)
    const old = [counting([2, 3, 1, 2]), counting([2])]
    const [kernel, bias] = weightsOf(built(timeDistributed(conv2d(2, [2, 3])), [4, 8, 8, 1]), old, theano)
    expect(at(kernel, 1, 0, 0, 1)).toBe(at(old[0], 0, 2, 0, 1))
    expect(bias).toEqual(old[1])
  })

  test('in whatever order the file has them, if their names are those of the weights', () => {
    const model = stack()
    const arrays = arraysOf()
    const names = [...model.layers[0].weights, ...model.layers[1].trainableWeights, ...model.layers[2].weights]
    const rest = model.layers[1].weights.slice(2)
    const named = [...names, ...rest].map(({ name }, i) => ({ ...arrays[i], name: `${name}:0` }))
    const shuffled = [named[4], named[6], named[0], named[3], named[1], named[5], named[2]]
    expectTurned(weightsOf(model, shuffled, theano), named)
  })

  test('recurrent layers of Keras 1 and CuDNN in a model', () => {
    const gates = (n: number, from = 0): SavedArray[] =>
      Array.from({ length: n }, (_, gate) => [
        counting([3, 2], from + gate * 100),
        counting([2, 2], from + gate * 100 + 20),
        counting([2], from + gate * 100 + 40),
      ]).flat()
    const after = [counting([4, 1], 7), counting([1], 8)]
    const model = new Sequential([bidirectional(lstm(2), { inputShape: [5, 3] }), dense(1)])
    const weights = weightsOf(model, [...gates(4), ...gates(4, 1000), ...after])
    expect(weights.map(({ shape }) => shape)).toEqual([[3, 8], [2, 8], [8], [3, 8], [2, 8], [8], [4, 1], [1]])
    expect(Array.from(weights[2].data, Number)).toEqual([40, 41, 240, 241, 140, 141, 340, 341])
    expect(weights.slice(6)).toEqual(after)

    const cudnn = [counting([3, 8]), counting([2, 8]), counting([16])]
    const inside = new Sequential([lstm(2, { inputShape: [5, 3] }), dense(1)])
    const dense2 = [counting([2, 1], 7), counting([1], 8)]
    const alone = weightsOf(inside.layers[0], cudnn, keras2)
    expect(weightsOf(inside, [...cudnn, ...dense2], keras2)).toEqual([...alone, ...dense2])
    expect(alone[2].shape).toEqual([8])
  })
})
