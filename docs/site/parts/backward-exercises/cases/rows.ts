/** softmax, cross-entropy and layer normalisation: what goes over a row as a whole. */
import { layerNorm, softmax, softmaxCrossEntropy, type Tensor } from '@cotangent/core'
import type { Case, Checks, Input, Namespace } from './case.js'

const last = { axis: -1, keepDims: true } as const
const rows = (shape: readonly number[], name: string, why?: string): Case => ({
  name,
  hidden: true,
  inputs: [{ shape }],
  run: (x) => softmax(x),
  why,
})

export const ofSoftmax: Checks = {
  cases: [
    { ...rows([3, 4], 'three rows of four'), hidden: false },
    rows([3, 3], 'as many rows as columns', 'Here a sum over the wrong axis, or one that lost its axis, has a shape that fits.'),
    rows([2, 3, 5], 'three axes', 'Only the last axis is summed.'),
    rows([4, 1], 'one class', 'A single probability is 1 whatever x is. So every derivative is 0.'),
    rows([5], 'a single row'),
  ],
  mistakes: [
    {
      title: 'Only the diagonal',
      text: 'y·(1 − y) is how a probability moves with its own x. But it moves with all others of its row, too: their parts are missing.',
      vjp: ({ dY, y }, _, ops) => [() => ops.mul(dY, ops.mul(y, ops.sub(1, y)))],
    },
    {
      title: 'The input where the output belongs',
      text: 'The formula is right, but with x in the place of y. The probabilities are y.',
      vjp: ({ dY }, [x], ops) => [() => ops.mul(x, ops.sub(dY, ops.sum(ops.mul(dY, x), last)))],
    },
    {
      title: 'The factor y is missing',
      text: 'dY − Σ dY·y is right as far as it goes. It is multiplied with y, number by number.',
      vjp: ({ dY, y }, _, ops) => [() => ops.sub(dY, ops.sum(ops.mul(dY, y), last))],
    },
    {
      title: 'y is missing in the sum',
      text: 'The sum is of dY·y, not of dY: each probability counts by how large it is.',
      vjp: ({ dY, y }, _, ops) => [() => ops.mul(y, ops.sub(dY, ops.sum(dY, last)))],
    },
    {
      title: 'The sum has lost its axis',
      text: 'Without keepDims: true the sums are a row, and broadcasting lays them along the wrong axis.',
      vjp: ({ dY, y }, _, ops) => [() => ops.mul(y, ops.sub(dY, ops.sum(ops.mul(dY, y), { axis: -1 })))],
    },
    {
      title: 'The sum goes over all rows',
      text: 'Each row is a softmax of its own. Sum over the last axis alone.',
      vjp: ({ dY, y }, _, ops) => [() => ops.mul(y, ops.sub(dY, ops.sum(ops.mul(dY, y))))],
    },
    {
      title: 'Only the sum',
      text: 'You forgot the first of the two terms: y·dY − y·Σ dY·y.',
      vjp: ({ dY, y }, _, ops) => [() => ops.neg(ops.mul(y, ops.sum(ops.mul(dY, y), last)))],
    },
  ],
}

const labelled = (labels: Input, name: string, why?: string): Case => ({
  name,
  hidden: true,
  inputs: [{ shape: labels.shape }, labels],
  run: (logits, labels) => softmaxCrossEntropy(logits, labels),
  why,
})
export const ofCrossEntropy: Checks = {
  cases: [
    { ...labelled({ shape: [4, 3], values: [1, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 0] }, 'four rows, one right class each'), hidden: false },
    labelled(
      { shape: [3, 3], values: [0.2, 0.3, 0.5, 0.7, 0.2, 0.1, 0, 0, 1] },
      'labels that are probabilities',
      'As many rows as classes: does dY stand along the rows?',
    ),
    labelled(
      { shape: [2, 4], low: 0.2, high: 2 },
      'labels that do not sum to 1',
      'Labels may be any weights. Then p is multiplied with their sum.',
    ),
    labelled({ shape: [1, 2], values: [0, 1] }, 'a single row'),
  ],
  mistakes: [
    {
      title: 'The sign',
      text: 'labels − p is the direction that makes the loss smaller. The derivative points the other way: p − labels.',
      vjp: ({ dY }, [logits, labels], ops) => [
        () => ops.mul(ops.sub(labels, ops.mul(ops.softmax(logits), ops.sum(labels, last))), ops.expandDims(dY, -1)),
        () => ops.neg(ops.mul(ops.logSoftmax(logits), ops.expandDims(dY, -1))),
      ],
    },
    {
      title: 'The sum of the labels is missing',
      text: 'p − labels holds if the labels of a row sum to 1. In general it is p·Σ labels − labels.',
      vjp: ({ dY }, [logits, labels], ops) => [
        () => ops.mul(ops.sub(ops.softmax(logits), labels), ops.expandDims(dY, -1)),
        () => ops.neg(ops.mul(ops.logSoftmax(logits), ops.expandDims(dY, -1))),
      ],
    },
    {
      title: 'dY is missing',
      text: 'p − labels is the slope. dY has a number for each row, and each row is multiplied with its own: ops.expandDims(dY, -1).',
      vjp: (_at, [logits, labels], ops) => [
        () => ops.sub(ops.mul(ops.softmax(logits), ops.sum(labels, last)), labels),
        () => ops.neg(ops.logSoftmax(logits)),
      ],
    },
    {
      title: 'The logits where the probabilities belong',
      text: 'You subtract the labels from the logits. Take ops.softmax of the logits first.',
      vjp: ({ dY }, [logits, labels], ops) => [
        () => ops.mul(ops.sub(logits, labels), ops.expandDims(dY, -1)),
        () => ops.neg(ops.mul(ops.logSoftmax(logits), ops.expandDims(dY, -1))),
      ],
    },
    {
      title: 'The probability where its logarithm belongs',
      text: 'The loss is −Σ labels·ln p, so the derivative by a label is −ln p: ops.logSoftmax.',
      vjp: ({ dY }, [logits, labels], ops) => [
        () => ops.mul(ops.sub(ops.mul(ops.softmax(logits), ops.sum(labels, last)), labels), ops.expandDims(dY, -1)),
        () => ops.neg(ops.mul(ops.softmax(logits), ops.expandDims(dY, -1))),
      ],
    },
  ],
}

const normalised = (shape: readonly number[], epsilon: number, name: string, why?: string): Case => ({
  name,
  hidden: true,
  inputs: [{ shape }, { shape: shape.slice(-1) }, { shape: shape.slice(-1) }],
  run: (x, gamma, beta) => layerNorm(x, { gamma, beta, epsilon }),
  why,
})
type NormAt = { dY: Tensor; options: { epsilon: number } }
const unitOf = ({ dY, options }: NormAt, x: Tensor, gamma: Tensor, ops: Namespace): { factor: Tensor; unit: Tensor; g: Tensor } => {
  const factor = ops.rsqrt(ops.add(ops.variance(x, last), options.epsilon))
  return { factor, unit: ops.mul(ops.sub(x, ops.mean(x, last)), factor), g: ops.mul(dY, gamma) }
}
/** A rule with this dX, and the right derivatives of gamma and beta. */
const withDx =
  (dX: (at: ReturnType<typeof unitOf>, ops: Namespace) => Tensor) =>
  (at: NormAt, [x, gamma, beta]: readonly Tensor[], ops: Namespace): (() => Tensor)[] => {
    const parts = unitOf(at, x, gamma, ops)
    return [() => dX(parts, ops), () => ops.sumTo(ops.mul(at.dY, parts.unit), gamma.shape), () => ops.sumTo(at.dY, beta.shape)]
  }
const along = ({ unit, g }: ReturnType<typeof unitOf>, ops: Namespace): Tensor => ops.mul(unit, ops.mean(ops.mul(g, unit), last))
const rightDx = (at: ReturnType<typeof unitOf>, ops: Namespace): Tensor =>
  ops.mul(at.factor, ops.sub(ops.sub(at.g, ops.mean(at.g, last)), along(at, ops)))
export const ofLayerNorm: Checks = {
  cases: [
    { ...normalised([4, 3], 0.001, 'four rows of three'), hidden: false },
    normalised(
      [3, 3],
      0.001,
      'as many rows as columns',
      'gamma and beta lie along the last axis; their derivatives are sums over the rows.',
    ),
    normalised([2, 3, 5], 0.001, 'three axes', 'gamma and beta were repeated along two axes.'),
    normalised([1, 4], 0.5, 'one row, a large ε', 'ε belongs to the factor: 1/√(variance + ε).'),
  ],
  mistakes: [
    {
      title: 'Mean and variance are not constants',
      text: 'You send g·factor, as if mean and variance stayed. They are made of x, so two terms are taken away: mean(g) and unit·mean(g·unit).',
      vjp: withDx(({ g, factor }, ops) => ops.mul(g, factor)),
    },
    {
      title: 'The way through the variance is missing',
      text: 'You have the mean. The variance moves with x, too: it takes away unit·mean(g·unit).',
      vjp: withDx(({ g, factor }, ops) => ops.mul(factor, ops.sub(g, ops.mean(g, last)))),
    },
    {
      title: 'The way through the mean is missing',
      text: 'You have the variance. The mean moves with x, too: it takes away mean(g).',
      vjp: withDx((at, ops) => ops.mul(at.factor, ops.sub(at.g, along(at, ops)))),
    },
    {
      title: 'The factor is missing',
      text: 'g − mean(g) − unit·mean(g·unit) is right as far as it goes. It is multiplied with 1/√(variance + ε).',
      vjp: withDx((at, ops) => ops.sub(ops.sub(at.g, ops.mean(at.g, last)), along(at, ops))),
    },
    {
      title: 'Sums where means belong',
      text: 'mean(g) and mean(g·unit) are means over the last axis, as the mean of x is.',
      vjp: withDx(({ g, unit, factor }, ops) =>
        ops.mul(factor, ops.sub(ops.sub(g, ops.sum(g, last)), ops.mul(unit, ops.sum(ops.mul(g, unit), last)))),
      ),
    },
    {
      title: 'gamma is forgotten',
      text: 'What arrives at unit is g = dY·gamma, not dY.',
      vjp: (at: NormAt, [x, gamma, beta], ops) => {
        const parts = unitOf(at, x, gamma, ops)
        return [
          () => rightDx({ ...parts, g: at.dY }, ops),
          () => ops.sumTo(ops.mul(at.dY, parts.unit), gamma.shape),
          () => ops.sumTo(at.dY, beta.shape),
        ]
      },
    },
    {
      title: 'x where unit belongs',
      text: 'gamma is multiplied with unit, the normalised x. So its derivative is Σ dY·unit.',
      vjp: (at: NormAt, [x, gamma, beta], ops) => {
        const parts = unitOf(at, x, gamma, ops)
        return [() => rightDx(parts, ops), () => ops.sumTo(ops.mul(at.dY, x), gamma.shape), () => ops.sumTo(at.dY, beta.shape)]
      },
    },
  ],
}
