/**
 * Softmax, its logarithm, and the cross-entropy of both, over the last axis. All subtract the row's maximum first, so that no exponential
 * overflows (Goodfellow, Bengio, Courville: "Deep Learning", §4.1).
 */
import { defineComposed } from '../define-op.js'
import { requireDType } from '../dtype.js'
import { shapeError } from '../errors.js'
import { type Shape, sameShape } from '../shape.js'
import type { Tensor } from '../tensor.js'

const last = { axis: -1, keepDims: true } as const
const rows: Shape[] = [[4], [3, 5], [2, 3, 4], [1, 1], [0, 3], [130, 67]]

const floating = (op: string, x: Tensor): void => {
  requireDType(op, 'x', x.dtype, ['float32', 'float64'])
  if (x.rank === 0) throw shapeError(op, 'a scalar has no last axis', [{ name: 'x', shape: x.shape }])
}

const callSoftmax = defineComposed({
  name: 'softmax',
  compose: ([x], _, { exp, sub, max, div, sum, stopGradient }) => {
    const e = exp(sub(x, stopGradient(max(x, last))))
    return div(e, sum(e, last))
  },
  fused: {
    kernel: 'softmax',
    rule: 'dX = y·(dY − Σ dY·y)',
    shape: ([x]) => x,
    forward: (fused, out, [x]) => fused.softmax(out, x),
    vjp: ({ dY, y }, _, { mul, sub, sum }) => [() => mul(y, sub(dY, sum(mul(dY, y), last)))],
  },
  samples: rows.map((shape) => ({ inputs: [shape] })),
})
/** eˣ / Σ eˣ over the last axis: positive, and 1 in sum. */
export function softmax<S extends Shape>(x: Tensor<S>): Tensor<S> {
  floating('softmax', x)
  return callSoftmax([x], {}) as Tensor<S>
}

const callLogSumExp = defineComposed<{ keepDims: boolean }>({
  name: 'logSumExp',
  compose: ([x], { keepDims }, { exp, sub, max, log, sum, add, stopGradient, reshape }) => {
    const top = stopGradient(max(x, last))
    const y = add(log(sum(exp(sub(x, top)), last)), top)
    return keepDims ? y : reshape(y, x.shape.slice(0, -1))
  },
  samples: rows.map((shape, i) => ({ inputs: [shape], options: { keepDims: i % 2 === 0 } })),
})
/** ln Σ eˣ over the last axis, without overflow. */
export function logSumExp(x: Tensor, { keepDims = false }: { keepDims?: boolean } = {}): Tensor {
  floating('logSumExp', x)
  return callLogSumExp([x], { keepDims })
}

const callLogSoftmax = defineComposed({
  name: 'logSoftmax',
  compose: ([x], _, { sub, logSumExp: lse }) => sub(x, lse(x, { keepDims: true })),
  samples: rows.map((shape) => ({ inputs: [shape] })),
})
/** ln softmax(x) over the last axis, exact where softmax itself would round to 0. */
export function logSoftmax<S extends Shape>(x: Tensor<S>): Tensor<S> {
  floating('logSoftmax', x)
  return callLogSoftmax([x], {}) as Tensor<S>
}

const callCrossEntropy = defineComposed({
  name: 'softmaxCrossEntropy',
  compose: ([logits, labels], _, { neg, sum, mul, logSoftmax: ls }) => neg(sum(mul(labels, ls(logits)), { axis: -1 })),
  fused: {
    kernel: 'softmaxCrossEntropy',
    rule: 'dLogits = dY·(softmax·Σlabels − labels), dLabels = −dY·ln softmax',
    shape: ([logits]) => ({ shape: logits.shape.slice(0, -1), dtype: logits.dtype }),
    forward: (fused, out, [logits, labels]) => fused.softmaxCrossEntropy(out, logits, labels),
    vjp: ({ dY }, [logits, labels], { mul, sub, sum, neg, softmax: sm, logSoftmax: ls, expandDims }) => [
      () => mul(sub(mul(sm(logits), sum(labels, last)), labels), expandDims(dY, -1)),
      () => neg(mul(ls(logits), expandDims(dY, -1))),
    ],
  },
  samples: rows.map((shape) => ({ inputs: [shape, { shape, low: 0, high: 1 }] })),
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
