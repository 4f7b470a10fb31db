/**
 * A small training for each exercise, in which its op does some of the work: to see what a wrong rule does. Both trainings begin with the same weights and see the
 * same data, so all that differs is the rule.
 */
import {
  add,
  conv2d,
  gather,
  key,
  layerNorm,
  lstmCell,
  matMul,
  maxPool2d,
  mean,
  mul,
  normal,
  Parameter,
  relu,
  reshape,
  scaledDotProductAttention,
  scope,
  slice,
  softmax,
  softmaxCrossEntropy,
  softplus,
  sub,
  type Tensor,
  tanh,
  tensor,
  transpose,
  type Vjp,
  withDerivative,
  zeros,
} from '@cotangent/core'
import { noise } from './cases/case.js'
import { descend } from './descend.js'
import { ladder } from './ladder.js'
import { counted } from './rule.js'

interface Started {
  readonly parameters: Parameter[]
  loss(): Tensor
}
interface Training {
  /** The task, in words for the reader. */
  readonly task: string
  readonly rate: number
  start(): Started
}

let keys = 0
const weights = (shape: number[], stddev = 1 / Math.sqrt(shape[0])): Parameter => new Parameter(normal(key(++keys), shape, { stddev }))
const zero = (shape: number[]): Parameter => new Parameter(zeros(shape))
const table = (rows: number, columns: number, f: (row: number, column: number) => number): Tensor =>
  tensor(
    Array.from({ length: rows * columns }, (_, i) => f(Math.floor(i / columns), i % columns)),
    { shape: [rows, columns] },
  )
const oneHot = (classes: readonly number[], count: number): Tensor =>
  table(classes.length, count, (row, column) => (classes[row] === column ? 1 : 0))

/** Points of two rings, one in the other, and which ring each belongs to. */
function rings(): { x: Tensor; labels: Tensor } {
  const n = 48
  const classes = Array.from({ length: n }, (_, i) => i % 2)
  const x = table(n, 2, (row, column) => {
    const angle = 2 * Math.PI * noise(1, row)
    const radius = (classes[row] ? 1.6 : 0.7) + 0.3 * (noise(2, row) - 0.5)
    return radius * (column ? Math.sin(angle) : Math.cos(angle))
  })
  return { x, labels: oneHot(classes, 2) }
}

const ringTask = 'Two layers learn which of two rings a point belongs to.'
/** Two layers with something between them, on the two rings. */
const onRings = (between: (h: Tensor, extra: Parameter[]) => Tensor, rate = 0.5, extra: () => Parameter[] = () => []): Training => ({
  task: ringTask,
  rate,
  start() {
    const { x, labels } = rings()
    const [w1, b1, w2, b2, more] = [weights([2, 12], 1), weights([12], 0.5), weights([12, 2]), zero([2]), extra()]
    return {
      parameters: [w1, b1, w2, b2, ...more],
      loss: () => mean(softmaxCrossEntropy(add(matMul(between(add(matMul(x, w1), b1), more), w2), b2), labels)),
    }
  },
})

/** 8 × 8 pictures of a bar that lies or stands, [n, 8, 8, 1]. */
function bars(): { x: Tensor; labels: Tensor } {
  const n = 24
  const classes = Array.from({ length: n }, (_, i) => i % 2)
  const pixels = Array.from({ length: n * 64 }, (_, i) => {
    const [image, row, column] = [Math.floor(i / 64), Math.floor(i / 8) % 8, i % 8]
    const [line, from] = [1 + Math.floor(6 * noise(3, image)), Math.floor(4 * noise(4, image))]
    const [across, along] = classes[image] ? [row, column] : [column, row]
    return (across === line && along >= from && along < from + 5 ? 1 : 0) + 0.2 * noise(5, i)
  })
  return { x: tensor(pixels, { shape: [n, 8, 8, 1] }), labels: oneHot(classes, 2) }
}
const onBars: Training = {
  task: 'A convolution, relu and max pooling learn whether a bar lies or stands.',
  rate: 0.3,
  start() {
    const { x, labels } = bars()
    const [filter, bias, w, b] = [weights([3, 3, 1, 4], 0.4), zero([4]), weights([36, 2]), zero([2])]
    return {
      parameters: [filter, bias, w, b],
      loss() {
        const pooled = maxPool2d(relu(conv2d(x, filter, { bias })), [2, 2]) // [n, 3, 3, 4]
        return mean(softmaxCrossEntropy(add(matMul(reshape(pooled, [24, 36]), w), b), labels))
      },
    }
  },
}

const trainings: Readonly<Record<string, Training>> = {
  tanh: onRings((h) => tanh(h)),
  relu: onRings((h) => relu(h)),
  softplus: onRings((h) => softplus(h)),
  add: onRings((h) => tanh(h)),
  matmul: onRings((h) => tanh(h)),
  mean: onRings((h) => tanh(h)),
  'softmax-cross-entropy': onRings((h) => tanh(h)),
  'layer-normalisation': onRings(
    (h, [gamma, beta]) => tanh(layerNorm(h, { gamma, beta })),
    0.5,
    () => [new Parameter(tensor(new Array(12).fill(1))), zero([12])],
  ),
  mul: {
    task: 'A straight line is fitted to points; the loss is the mean of e·e, the error times itself.',
    rate: 0.1,
    start() {
      const x = table(24, 1, (row) => 2 * noise(6, row) - 1)
      const t = table(24, 1, (row) => 0.6 - 1.3 * (2 * noise(6, row) - 1) + 0.1 * noise(7, row))
      const [w, b] = [zero([1, 1]), zero([1])]
      return {
        parameters: [w, b],
        loss() {
          const e = sub(add(matMul(x, w), b), t)
          return mean(mul(e, e))
        },
      }
    },
  },
  transpose: {
    task: 'Five numbers are pressed into two and unpacked again by the same weights, transposed.',
    rate: 0.1,
    start() {
      const basis = [0, 1].map((k) => Array.from({ length: 5 }, (_, i) => 2 * noise(8 + k, i) - 1))
      const x = table(24, 5, (row, column) => (2 * noise(10, row) - 1) * basis[0][column] + (2 * noise(11, row) - 1) * basis[1][column])
      const w = weights([5, 2], 0.3)
      return {
        parameters: [w],
        loss() {
          const e = sub(matMul(matMul(x, w), transpose(w)), x)
          return mean(mul(e, e))
        },
      }
    },
  },
  softmax: {
    task: 'A layer with softmax learns shares: how a whole is divided among three.',
    rate: 4,
    start() {
      const x = table(24, 3, (row, column) => 2 * noise(12 + column, row) - 1)
      const t = softmax(
        matMul(
          x,
          table(3, 3, (row, column) => 3 * (noise(16 + row, column) - 0.5)),
        ),
      )
      const w = weights([3, 3], 0.2)
      return {
        parameters: [w],
        loss() {
          const e = sub(softmax(matMul(x, w)), t)
          return mean(mul(e, e))
        },
      }
    },
  },
  gather: {
    task: 'Each of eight letters learns two numbers of its own, from which the next letter is read.',
    rate: 2,
    start() {
      const text = Array.from({ length: 40 }, (_, i) => [0, 3, 1, 4, 1, 5, 2, 6, 5, 3, 5, 7][i % 12])
      const indices = tensor(text.slice(0, -1), { dtype: 'int32' })
      const labels = oneHot(text.slice(1), 8)
      const [rows, w] = [weights([8, 4], 0.5), weights([4, 8], 0.5)]
      return { parameters: [rows, w], loss: () => mean(softmaxCrossEntropy(matMul(gather(rows, indices), w), labels)) }
    },
  },
  'max-pooling': onBars,
  convolution: onBars,
  attention: {
    task: 'A head of attention learns to find the marked one of four words and to read what stands there.',
    rate: 1,
    start() {
      const [n, t] = [24, 4]
      const marked = Array.from({ length: n }, (_, i) => Math.floor(t * noise(20, i)))
      const said = Array.from({ length: n * t }, (_, i) => Math.floor(3 * noise(21, i)))
      const x = table(n * t, 4, (row, column) =>
        column === 3 ? (row % t === marked[Math.floor(row / t)] ? 1 : 0) : said[row] === column ? 1 : 0,
      )
      const labels = oneHot(
        marked.map((at, i) => said[i * t + at]),
        3,
      )
      const question = weights([1, 1, 1, 4], 0.5)
      const [wk, wv] = [weights([4, 4]), weights([4, 3])]
      const ask = add(zeros([n, 1, 1, 4]), 0)
      return {
        parameters: [question, wk, wv],
        loss() {
          const q = add(ask, question)
          const k = reshape(matMul(x, wk), [n, t, 1, 4])
          const v = reshape(matMul(x, wv), [n, t, 1, 3])
          return mean(softmaxCrossEntropy(mul(reshape(scaledDotProductAttention(q, k, v), [n, 3]), 3), labels))
        },
      }
    },
  },
  'lstm-cell': {
    task: 'An LSTM reads four numbers one by one and learns to say at the end whether the first was above 0.',
    rate: 1,
    start() {
      const [n, t, u] = [24, 4, 4]
      const steps = Array.from({ length: t }, (_, s) => table(n, 1, (row) => 2 * noise(30 + s, row) - 1))
      const labels = oneHot(
        Array.from({ length: n }, (_, row) => (noise(30, row) > 0.5 ? 1 : 0)),
        2,
      )
      // The forget gate begins open, as in Keras: a 1 in its part of the bias.
      const bias = Array.from({ length: 4 * u }, (_, i) => (i >= u && i < 2 * u ? 1 : 0))
      const [W, U, b, w] = [weights([1, 4 * u], 0.7), weights([u, 4 * u], 0.2), new Parameter(tensor(bias)), weights([u, 2])]
      const nothing = zeros([n, u])
      return {
        parameters: [W, U, b, w],
        loss() {
          let [h, c]: Tensor[] = [nothing, nothing]
          for (const x of steps) {
            const both = lstmCell(x, h, c, W, U, b)
            h = reshape(slice(both, [0], [1]), [n, u])
            c = reshape(slice(both, [1], [1]), [n, u])
          }
          return mean(softmaxCrossEntropy(matMul(h, w), labels))
        },
      }
    },
  },
}

export const STEPS = 120

export interface Trained {
  readonly task: string
  /** The loss before each step; it ends early where it is no number any more. */
  readonly right: number[]
  readonly wrong: number[]
  /** How often the reader's rule was asked. */
  readonly asked: number
}

/** Trains twice from the same weights: with the op's own rule and with the reader's. */
export function trainBoth(id: string, vjp: Vjp<object>, steps = STEPS): Trained {
  const exercise = ladder.find((each) => each.id === id)
  const training = trainings[id]
  if (!exercise || !training) throw new Error(`There is no training for "${id}".`)
  let asked = 0
  const reader = counted(vjp, () => asked++)
  const right = losses(training, steps)
  const wrong = withDerivative(exercise.op, reader, () => losses(training, steps))
  return { task: training.task, right, wrong, asked }
}

function losses({ start, rate }: Training, steps: number): number[] {
  keys = 0
  return scope(() => {
    const { parameters, loss } = start()
    const seen: number[] = []
    for (let step = 0; step < steps; step++) {
      const now = descend(parameters, loss, rate)
      seen.push(now)
      if (!Number.isFinite(now)) break
    }
    for (const parameter of parameters) parameter.dispose()
    return seen
  })
}
