/**
 * Softmax, its logarithm, and the cross-entropy of both, over the last axis. All subtract the maximum of the row first, so that no exponential
 * overflows (Goodfellow, Bengio, Courville: "Deep Learning", 2016, §4.1).
 *
 * Edges: a logit of −∞ is a class of probability 0. A row of only −∞ has the softmax NaN and the ln Σ −∞; a row with ∞ has the softmax NaN and the ln Σ ∞.
 * A row of no classes has the softmax [], the ln Σ −∞ and the cross-entropy 0.
 */
import { requireBoolean, requireOptions } from '../../arguments.js'
import { defineComposed } from '../../autodiff/dispatch.js'
import type { Ops, Vjp } from '../../autodiff/op.js'
import { shapeError } from '../../errors.js'
import { type Shape, sameShape } from '../../tensor/shape.js'
import { requireTensor, type Tensor } from '../../tensor/tensor.js'
import { requireFloats, requireNoMore } from '../requirements.js'

/** The arguments that `softmax` and its relatives take, for messages. */
const overLast = 'one tensor and goes over its last axis (transpose another to the end first)'
const last = { axis: -1, keepDims: true } as const

const requireLastAxis = (op: string, x: Tensor): void => {
  requireFloats(op, op === 'softmaxCrossEntropy' ? 'logits' : 'x', x)
  if (x.rank === 0) throw shapeError(op, 'a scalar has no last axis', [{ name: 'x', shape: x.shape }])
}

const classesOf = ({ shape }: Tensor): number => shape[shape.length - 1]

/** The maximum of each row, [.., 1], limited to finite numbers. So x minus it is never ∞ − ∞, and a row of −∞ has the ln Σ −∞. */
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
/**
 * eˣ / Σ eˣ over the last axis: positive values that sum to 1.
 *
 * Shape:    [.., c] → [.., c]
 * Gradient: dX = y·(dY − Σ dY·y)
 *
 * @throws ShapeError if x is a scalar.
 * @example
 * ```ts
 * softmax(tensor([0, 0])) // [0.5, 0.5]
 * ```
 */
export function softmax<S extends Shape>(x: Tensor<S>): Tensor<S>
export function softmax(x: Tensor, ...more: unknown[]): Tensor {
  if (more.length > 0) requireNoMore('softmax', x, more, overLast)
  requireLastAxis('softmax', x)
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
/**
 * ln Σ eˣ over the last axis, without overflow; −∞ over nothing. A row of only −∞ gives −∞, and its derivative is NaN.
 *
 * Shape:    [.., c] → [..], or [.., 1] with `keepDims`
 * Gradient: dX = dY·softmax(x)
 *
 * @throws ShapeError if x is a scalar.
 * @example
 * ```ts
 * logSumExp(tensor([1000, 1000])) // ≈ 1000.693
 * ```
 */
export function logSumExp(x: Tensor, options: { keepDims?: boolean } = {}): Tensor {
  requireOptions('logSumExp', options, ['keepDims'], 'x.logSumExp({ keepDims: true }): the last axis is summed')
  const { keepDims = false } = options
  requireBoolean('logSumExp', 'keepDims', keepDims)
  requireLastAxis('logSumExp', x)
  return callLogSumExp([x], { keepDims })
}

const callLogSoftmax = defineComposed({
  name: 'logSoftmax',
  // The maximum is subtracted first, so that the differences of large logits keep their digits.
  compose: ([x], _, ops) => {
    const shifted = ops.sub(x, finiteMaximum(x, ops))
    return ops.sub(shifted, ops.log(ops.sum(ops.exp(shifted), last)))
  },
  samples: sampleShapes().map((shape) => ({ inputs: [shape] })),
})
/**
 * ln softmax(x) over the last axis. It is exact even where softmax itself rounds to 0.
 *
 * Shape:    [.., c] → [.., c]
 * Gradient: dX = dY − softmax(x)·Σ dY
 *
 * @throws ShapeError if x is a scalar.
 * @example
 * ```ts
 * logSoftmax(tensor([0, 200])) // [-200, 0]
 * ```
 */
export function logSoftmax<S extends Shape>(x: Tensor<S>): Tensor<S>
export function logSoftmax(x: Tensor, ...more: unknown[]): Tensor {
  if (more.length > 0) requireNoMore('logSoftmax', x, more, overLast)
  requireLastAxis('logSoftmax', x)
  return callLogSoftmax([x], {})
}

const crossEntropyRule = 'dLogits = dY·(softmax·Σlabels − labels), dLabels = −dY·ln softmax'
const crossEntropyVjp: Vjp<object> = ({ dY }, [logits, labels], ops) => [
  () => ops.mul(ops.sub(ops.mul(ops.softmax(logits), ops.sum(labels, last)), labels), ops.expandDims(dY, -1)),
  () => ops.neg(ops.mul(ops.logSoftmax(logits), ops.expandDims(dY, -1))),
]

const callCrossEntropy = defineComposed({
  name: 'softmaxCrossEntropy',
  // A label of 0 adds nothing, even where the class has probability 0 and ln 0 is −∞.
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
 * The cross-entropy −Σ labels·ln softmax(logits) of each row. Labels are one-hot, or any weights.
 *
 * Shape:    logits [..b, c], labels [..b, c] → [..b]
 * Gradient: dLogits = dY·(softmax(logits)·Σ labels − labels), dLabels = −dY·ln softmax(logits)
 *
 * @throws ShapeError if the shapes differ; class numbers become labels with `oneHot`.
 * @example
 * ```ts
 * softmaxCrossEntropy(tensor([[0, 0]]), tensor([[1, 0]])) // ≈ [0.69315]
 * ```
 */
export function softmaxCrossEntropy(logits: Tensor, labels: Tensor): Tensor {
  requireLastAxis('softmaxCrossEntropy', logits)
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
