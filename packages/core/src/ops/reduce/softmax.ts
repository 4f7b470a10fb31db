/**
 * Softmax, its logarithm, and the cross-entropy of both, over the last axis. All subtract the row's maximum first, so that no exponential
 * overflows (Goodfellow, Bengio, Courville: "Deep Learning", §4.1).
 *
 * A logit of −∞ is a class of probability 0. Rows without a finite logit have no softmax (NaN), but a ln Σ: −∞, or ∞ where one is ∞. A row of no
 * classes has the softmax [], the ln Σ −∞ and the cross-entropy 0.
 */
import { requireBoolean, requireOptions } from '../../arguments.js'
import { defineComposed } from '../../autodiff/dispatch.js'
import type { Ops, Vjp } from '../../autodiff/op.js'
import { shapeError } from '../../errors.js'
import { type Shape, sameShape } from '../../tensor/shape.js'
import { requireTensor, type Tensor } from '../../tensor/tensor.js'
import { requireFloats, requireNoMore } from '../requirements.js'

/** The arguments of `softmax` and its kin, for messages. */
const overLast = 'one tensor and goes over its last axis (transpose another to the end first)'
const last = { axis: -1, keepDims: true } as const

const floating = (op: string, x: Tensor): void => {
  requireFloats(op, op === 'softmaxCrossEntropy' ? 'logits' : 'x', x)
  if (x.rank === 0) throw shapeError(op, 'a scalar has no last axis', [{ name: 'x', shape: x.shape }])
}

const classesOf = ({ shape }: Tensor): number => shape[shape.length - 1]

/** Each row's maximum, [.., 1], limited to finite numbers: x less it has no ∞ − ∞, and sums of exponentials keep their limits. */
function finiteMaximum(x: Tensor, ops: Ops): Tensor {
  if (classesOf(x) === 0) return ops.zeros([...x.shape.slice(0, -1), 1], { dtype: x.dtype, backend: x.backend })
  const largest = x.dtype === 'float64' ? Number.MAX_VALUE : 3.4028234663852886e38
  return ops.stopGradient(ops.minimum(ops.maximum(ops.max(x, last), -largest), largest))
}

const callSoftmax = defineComposed({
  name: 'softmax',
  compose: ([x], _, ops) => {
    if (classesOf(x) === 0) return ops.exp(x)
    const e = ops.exp(ops.sub(x, ops.stopGradient(ops.max(x, last))))
    return ops.div(e, ops.sum(e, last))
  },
  fused: {
    kernel: 'softmax',
    rule: 'dX = y·(dY − Σ dY·y)',
    shape: ([x]) => x,
    forward: (fused, out, [x]) => fused.softmax(out, x),
    vjp: ({ dY, y }, _, ops) => [() => ops.mul(y, ops.sub(dY, ops.sum(ops.mul(dY, y), last)))],
  },
  samples: sampleShapes().map((shape) => ({ inputs: [shape] })),
})
/** eˣ / Σ eˣ over the last axis: positive, and 1 in sum. */
export function softmax<S extends Shape>(x: Tensor<S>): Tensor<S>
export function softmax(x: Tensor, ...more: unknown[]): Tensor {
  if (more.length > 0) requireNoMore('softmax', x, more, overLast)
  floating('softmax', x)
  return callSoftmax([x], {})
}

const callLogSumExp = defineComposed<{ keepDims: boolean }>({
  name: 'logSumExp',
  compose: ([x], { keepDims }, ops) => {
    const top = finiteMaximum(x, ops)
    const y = ops.add(ops.log(ops.sum(ops.exp(ops.sub(x, top)), last)), top)
    return keepDims ? y : ops.reshape(y, x.shape.slice(0, -1))
  },
  samples: sampleShapes().map((shape, i) => ({ inputs: [shape], options: { keepDims: i % 2 === 0 } })),
})
/** ln Σ eˣ over the last axis, without overflow; −∞ over nothing, and where all are −∞, and there no derivative (NaN). */
export function logSumExp(x: Tensor, options: { keepDims?: boolean } = {}): Tensor {
  requireOptions('logSumExp', options, ['keepDims'], 'x.logSumExp({ keepDims: true }): the last axis is summed')
  const { keepDims = false } = options
  requireBoolean('logSumExp', 'keepDims', keepDims)
  floating('logSumExp', x)
  return callLogSumExp([x], { keepDims })
}

const callLogSoftmax = defineComposed({
  name: 'logSoftmax',
  // The maximum goes first, so that large logits keep their differences' digits.
  compose: ([x], _, ops) => {
    const shifted = ops.sub(x, finiteMaximum(x, ops))
    return ops.sub(shifted, ops.log(ops.sum(ops.exp(shifted), last)))
  },
  samples: sampleShapes().map((shape) => ({ inputs: [shape] })),
})
/** ln softmax(x) over the last axis, exact where softmax itself would round to 0. */
export function logSoftmax<S extends Shape>(x: Tensor<S>): Tensor<S>
export function logSoftmax(x: Tensor, ...more: unknown[]): Tensor {
  if (more.length > 0) requireNoMore('logSoftmax', x, more, overLast)
  floating('logSoftmax', x)
  return callLogSoftmax([x], {})
}

const crossEntropyRule = 'dLogits = dY·(softmax·Σlabels − labels), dLabels = −dY·ln softmax'
const crossEntropyVjp: Vjp<object> = ({ dY }, [logits, labels], ops) => [
  () => ops.mul(ops.sub(ops.mul(ops.softmax(logits), ops.sum(labels, last)), labels), ops.expandDims(dY, -1)),
  () => ops.neg(ops.mul(ops.logSoftmax(logits), ops.expandDims(dY, -1))),
]

const callCrossEntropy = defineComposed({
  name: 'softmaxCrossEntropy',
  // A label of 0 counts for nothing, even if its class has probability 0.
  compose: ([logits, labels], _, ops) => ops.neg(ops.sum(ops.mulNoNaN(ops.logSoftmax(logits), labels), { axis: -1 })),
  derivative: { rule: crossEntropyRule, vjp: crossEntropyVjp },
  fused: {
    kernel: 'softmaxCrossEntropy',
    rule: crossEntropyRule,
    shape: ([logits]) => ({ shape: logits.shape.slice(0, -1), dtype: logits.dtype }),
    forward: (fused, out, [logits, labels]) => fused.softmaxCrossEntropy(out, logits, labels),
    vjp: crossEntropyVjp,
  },
  samples: sampleShapes().map((shape) => ({ inputs: [shape, { shape, low: 0, high: 1 }] })),
})
/**
 * The cross-entropy of labels (one-hot, or any weights) with softmax(logits), one value a row.
 *
 * Shape:    logits [..b, c], labels [..b, c] → [..b]
 * Gradient: dLogits = dY·(softmax(logits)·Σ labels − labels)
 *
 * @example
 * ```ts
 * const loss = softmaxCrossEntropy(tensor([[2, 0, -1]]), tensor([[1, 0, 0]])).mean()
 * ```
 */
export function softmaxCrossEntropy(logits: Tensor, labels: Tensor): Tensor {
  floating('softmaxCrossEntropy', logits)
  requireTensor('softmaxCrossEntropy', 'labels', labels)
  if (!sameShape(logits.shape, labels.shape)) {
    throw shapeError(
      'softmaxCrossEntropy',
      'logits and labels have different shapes',
      [
        { name: 'logits', shape: logits.shape },
        { name: 'labels', shape: labels.shape },
      ],
      labels.rank === logits.rank - 1 ? 'These look like class numbers: pass oneHot(labels, classes).' : undefined,
    )
  }
  return callCrossEntropy([logits, labels], {})
}

function sampleShapes(): Shape[] {
  return [[4], [3, 5], [2, 3, 4], [1, 1], [0, 3], [3, 0], [130, 67]]
}
