/** Records, NaN reports and errors name the layer: by its own name in a model, by the path to it inside other layers. */
import { debug, key, normal, record, scope, type TapeRecord, type Tensor, tensor, ValueError } from '@cotangent/core'
import { afterEach, expect, test } from 'vitest'
import {
  activation,
  bidirectional,
  dense,
  input,
  Layer,
  lstm,
  model,
  resetNames,
  Sequential,
  simpleRNN,
  timeDistributed,
} from '../src/index.js'

afterEach(() => {
  debug({ nonFinite: false })
  resetNames()
})

const pathOf = ({ path, op }: TapeRecord): string => `${path ? `${path}/` : ''}${op.name}`
/** The paths of the records that a model makes. */
function pathsOf(net: Sequential | ReturnType<typeof model>, x: Tensor): string[] {
  const { tape } = record(net.params, () => net.apply(x).sum())
  return tape.records.map(pathOf)
}
const data = (...shape: number[]): Tensor => scope(() => normal(key(3), shape).keep())

test('layers of a model by their names, the model itself not', () => {
  const net = new Sequential([dense(4, { activation: 'relu', inputShape: [3] }), dense(2, { activation: 'softmax' })], { seed: 1 })
  const paths = pathsOf(net, data(5, 3))
  expect(paths[0]).toBe('dense_1/affine')
  expect(paths.at(-1)).toBe('sum')
  for (const path of paths.slice(0, -1)) expect(path).toMatch(/^dense_[12]\//)
})

test('layers inside layers by the path to them', () => {
  const encoder = new Sequential([dense(4, { inputShape: [3] })], { name: 'encoder', seed: 1 })
  const x = input({ shape: [6, 3] })
  const y = timeDistributed(encoder).apply(x)
  const net = model({ inputs: x, outputs: bidirectional(lstm(2)).apply(y), seed: 1 })
  const paths = pathsOf(net, data(2, 6, 3))
  expect(paths).toContain('time_distributed_1/encoder/dense_1/affine')
  expect(paths).toContainEqual(expect.stringMatching(/^bidirectional_1\/forward_lstm_1\/lstm/))
  expect(paths).toContainEqual(expect.stringMatching(/^bidirectional_1\/backward_lstm_1\/lstm/))
})

test('an op that fails on the way back names the layer of the op that it is the derivative of', async () => {
  const net = new Sequential([dense(2, { activation: (x) => x.sqrt(), kernelRegularizer: 'l2', useBias: false, inputShape: [2] })], {
    seed: 1,
  })
  net.compile({ optimizer: 'sgd', loss: 'mse' })
  net.setWeights([
    [
      [0, 1],
      [0, 1],
    ],
  ])
  debug({ nonFinite: true })
  // √0 = 0, with the derivative 1/0.
  await expect(net.fit(tensor([[1, 1]]), tensor([[1, 1]]), { verbose: 0 })).rejects.toThrow(
    /dense_1\/dsqrt\/div: element 0 of its output \[1, 2\] is -?Infinity/,
  )
})

test('penalties by their layer', () => {
  const net = new Sequential([dense(2, { kernelRegularizer: 'l2', inputShape: [2] })], { seed: 1 })
  const { tape } = record(net.params, () => net.penalties()[0])
  expect(tape.records.length).toBeGreaterThan(0)
  for (const made of tape.records) expect(pathOf(made)).toMatch(/^dense_1\//)
})

test('a NaN on the way there', async () => {
  const net = new Sequential([dense(2, { inputShape: [2] }), new Sequential([activation((x) => x.abs().neg().log())], { name: 'logs' })], {
    seed: 1,
  })
  debug({ nonFinite: true })
  expect(() => net.apply(tensor([[1, 1]]))).toThrow(/logs\/activation_1\/log: element 0 of its output \[1, 2\] is NaN/)
})

test('a NaN of the loss', async () => {
  const net = new Sequential([dense(1, { inputShape: [1] })], { seed: 1 })
  net.compile({ optimizer: 'sgd', loss: (_, p) => p.abs().neg().log() })
  debug({ nonFinite: true })
  await expect(net.fit(tensor([[1]]), tensor([[1]]), { verbose: 0 })).rejects.toThrow(/loss\/log: element 0 of its output \[1, 1\] is NaN/)
})

test('an error leaves no name behind', () => {
  class Fails extends Layer {
    readonly className = 'Fails'
    constructor() {
      super('Fails', {}, [])
    }
    outputShape(shape: readonly (number | null)[]) {
      return shape
    }
    call(): Tensor {
      throw new ValueError('no')
    }
  }
  const net = new Sequential([dense(2, { inputShape: [2] }), new Fails()], { seed: 1 })
  const x = data(1, 2)
  expect(() => net.apply(x)).toThrow(/no\n {2}in layer "fails_1" \(Fails\)/)
  expect(record([x], () => x.square()).tape.records.map(pathOf)).toEqual(['square'])
})

test('a layer called by itself has its name, too', () => {
  const layer = simpleRNN(2, { inputShape: [3, 2], name: 'steps' })
  const net = new Sequential([layer], { seed: 1 })
  const x = data(1, 3, 2)
  const { tape } = record(net.params, () => layer.call(x, { training: false }).sum())
  expect(tape.records.map(pathOf)).toContainEqual(expect.stringMatching(/^steps\/simpleRnn/))
})
