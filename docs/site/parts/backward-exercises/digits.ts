/** The last exercise: a small network learns digits with the derivatives that the reader wrote. Where a rule is still missing, the library's own is taken. */
import {
  add,
  argMax,
  conv2d,
  key,
  matMul,
  maxPool2d,
  mean,
  mul,
  normal,
  Parameter,
  relu,
  reshape,
  scope,
  softmaxCrossEntropy,
  sub,
  type Tensor,
  tensor,
  type Vjp,
  valueAndGrad,
  withDerivative,
  zeros,
} from '@cotangent/core'
import { noise } from './cases/case.js'
import { inDigits, ladder } from './ladder.js'
import { counted } from './rule.js'

export const SIDE = 28
const CLASSES = 10
const BATCH = 64
const RATE = 0.5

export interface DigitSet {
  /** 0 is paper, 1 is ink: [n · 784]. */
  readonly images: Float32Array
  readonly labels: Uint8Array
}

export interface Usage {
  readonly id: string
  readonly op: string
  /** Whether the rule is the reader's. */
  readonly own: boolean
  /** How often the walk backwards asked it. */
  readonly times: number
}

export interface Progress {
  readonly step: number
  readonly steps: number
  readonly losses: readonly number[]
  readonly usage: readonly Usage[]
}

export interface Learned extends Progress {
  /** The share of test digits that are recognised. */
  readonly accuracy: number
  readonly tested: number
}

function network(x: Tensor, { filter, bias, w1, b1, w2, b2 }: Record<string, Parameter>): Tensor {
  const n = x.shape[0]
  const seen = maxPool2d(relu(conv2d(x, filter, { bias, strides: [2, 2] })), [2, 2]) // [n, 6, 6, 8]
  const hidden = add(matMul(reshape(seen, [n, 288]), w1), b1).tanh()
  return add(matMul(hidden, w2), b2)
}

const startingWeights = (): Record<string, Parameter> => {
  let keys = 0
  const drawn = (shape: number[], stddev: number): Parameter => new Parameter(normal(key(70 + ++keys), shape, { stddev }))
  const zero = (n: number): Parameter => new Parameter(zeros([n]))
  return {
    filter: drawn([5, 5, 1, 8], 0.2),
    bias: zero(8),
    w1: drawn([288, 48], 0.06),
    b1: zero(48),
    w2: drawn([48, CLASSES], 0.15),
    b2: zero(CLASSES),
  }
}

/** Images and one-hot labels of the given digits. */
function batchOf({ images, labels }: DigitSet, rows: readonly number[]): { x: Tensor; t: Tensor } {
  const size = SIDE * SIDE
  const x = new Float32Array(rows.length * size)
  const t = new Float32Array(rows.length * CLASSES)
  rows.forEach((row, i) => {
    x.set(images.subarray(row * size, (row + 1) * size), i * size)
    t[i * CLASSES + labels[row]] = 1
  })
  return { x: tensor(x, { shape: [rows.length, SIDE, SIDE, 1] }), t: tensor(t, { shape: [rows.length, CLASSES] }) }
}

const valueOf = (x: Tensor): ArrayLike<number> => x.backend.readSync?.(x.storage) ?? []

/**
 * @param rules the reader's rules by the id of the exercise
 * @param tell gets the losses so far now and then; what it returns is awaited, so that a message can leave
 */
export async function learnDigits(
  data: { train: DigitSet; test: DigitSet },
  rules: ReadonlyMap<string, Vjp<object>>,
  steps: number,
  tell: (progress: Progress) => void | Promise<void>,
): Promise<Learned> {
  const times = new Map<string, number>()
  const exercises = inDigits.map((id) => ladder.find((each) => each.id === id)).filter((each) => each !== undefined)
  const usage = (): Usage[] => exercises.map(({ id, op }) => ({ id, op, own: rules.has(id), times: times.get(id) ?? 0 }))
  const parameters = startingWeights()
  const all = Object.values(parameters)
  const losses: number[] = []

  const train = async (): Promise<void> => {
    for (let step = 0; step < steps; step++) {
      const rows = Array.from({ length: BATCH }, (_, i) => Math.floor(noise(step, i) * data.train.labels.length))
      losses.push(
        scope(() => {
          const { x, t } = batchOf(data.train, rows)
          const { value, grads } = valueAndGrad(all, () => mean(softmaxCrossEntropy(network(x, parameters), t)))
          all.forEach((w, i) => {
            w.assign(sub(w, mul(grads[i], RATE)))
          })
          return valueOf(value)[0]
        }),
      )
      if (step % 5 === 4 || step === steps - 1) await tell({ step: step + 1, steps, losses: [...losses], usage: usage() })
    }
  }
  /** The training inside the reader's rules, one around the other. */
  const within = exercises.reduce<() => Promise<void>>((inner, { id, op }) => {
    const rule = rules.get(id)
    const count = (): void => void times.set(id, (times.get(id) ?? 0) + 1)
    return rule ? () => withDerivative(op, counted(rule, count), inner) : inner
  }, train)
  try {
    await within()
    const tested = Math.min(1000, data.test.labels.length)
    let right = 0
    for (let from = 0; from < tested; from += 200) {
      const rows = Array.from({ length: Math.min(200, tested - from) }, (_, i) => from + i)
      right += scope(() => {
        const { x } = batchOf(data.test, rows)
        const said = valueOf(argMax(network(x, parameters)))
        return rows.filter((row, i) => said[i] === data.test.labels[row]).length
      })
    }
    return { step: steps, steps, losses, usage: usage(), accuracy: right / tested, tested }
  } finally {
    for (const parameter of all) parameter.dispose()
  }
}

/** Digits that are drawn with a few lines, for a site that was built without data. They are easier than real ones. */
export function drawnDigits(count: number, seed: number): DigitSet {
  // Seven strokes as of a clock: top, upper left, upper right, middle, lower left, lower right, bottom.
  const strokes = [0b1110111, 0b0010010, 0b1011101, 0b1011011, 0b0111010, 0b1101011, 0b1101111, 0b1010010, 0b1111111, 0b1111011]
  const lines: readonly (readonly [number, number, number, number])[] = [
    [9, 6, 18, 6],
    [9, 6, 9, 14],
    [18, 6, 18, 14],
    [9, 14, 18, 14],
    [9, 14, 9, 22],
    [18, 14, 18, 22],
    [9, 22, 18, 22],
  ]
  const images = new Float32Array(count * SIDE * SIDE)
  const labels = new Uint8Array(count)
  for (let n = 0; n < count; n++) {
    const digit = Math.floor(10 * noise(seed, n))
    labels[n] = digit
    const [dx, dy, slant] = [0, 1, 2].map((k) => 6 * (noise(seed + 1 + k, n) - 0.5))
    lines.forEach(([x0, y0, x1, y1], s) => {
      if (!((strokes[digit] >> (6 - s)) & 1)) return
      for (let at = 0; at <= 24; at++) {
        const y = y0 + ((y1 - y0) * at) / 24 + dy
        const x = x0 + ((x1 - x0) * at) / 24 + dx + (slant * (14 - y)) / 14
        for (const [i, j] of [
          [0, 0],
          [0, 1],
          [1, 0],
          [1, 1],
        ])
          images[n * SIDE * SIDE + (Math.floor(y) + i) * SIDE + Math.floor(x) + j] = 1
      }
    })
  }
  return { images, labels }
}
