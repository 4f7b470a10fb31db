/** A fully connected layer as one op: a product, a bias, and relu on request. */
import { requireBoolean, requireOptions } from '../../arguments.js'
import { defineComposed } from '../../autodiff/dispatch.js'
import type { Sample, TensorSpec } from '../../autodiff/op.js'
import { sampleWith } from '../../autodiff/samples.js'
import { type ShapeError, shapeError } from '../../errors.js'
import { scope } from '../../tensor/scope.js'
import { type Shape, sizeOf } from '../../tensor/shape.js'
import { requireTensor, type Tensor } from '../../tensor/tensor.js'
import { requireFloats } from '../requirements.js'
import { reshape } from '../shape/move.js'

const call = defineComposed<{ relu: boolean }>({
  name: 'affine',
  compose: ([x, w, b], { relu }, ops) => {
    const z = ops.add(ops.matMul(x, w), b)
    return relu ? ops.relu(z) : z
  },
  fused: {
    kernel: 'affine',
    rule: 'dZ = dY (with relu: where y > 0), dX = dZ·Wᵀ, dW = Xᵀ·dZ, dB = Σ dZ over rows',
    shape: ([x, w, b]) => {
      if (x.shape.length !== 2) throw unfit(x, w, b)
      return { shape: [x.shape[0], w.shape[1]], dtype: x.dtype }
    },
    forward: (fused, out, [x, w, b], { relu }) => fused.affine(out, x, w, b, relu),
    vjp: ({ dY, y, options: { relu } }, [x, w], ops) => {
      let gated: Tensor | undefined
      const dZ = (): Tensor => {
        gated ??= relu ? ops.gate(dY, y) : dY
        return gated
      }
      return [
        () => ops.matMul(dZ(), w, { transposeB: true }),
        () => ops.matMul(x, dZ(), { transposeA: true }),
        () => ops.sum(dZ(), { axis: 0 }),
      ]
    },
  },
  samples: affineSamples(),
})

/**
 * x·W + b over the last axis of x; with `relu`, max(0, x·W + b).
 *
 * Shape:    x [.., k], W [k, n], b [n] → [.., n]
 * Gradient: dX = dZ·Wᵀ, dW = Xᵀ·dZ, dB = Σ dZ over rows, where dZ = dY (with relu: where y > 0)
 * Cost:     2·m·k·n flops for m rows
 *
 * @throws ShapeError if the sizes do not fit.
 * @example
 * ```ts
 * const x = tensor([[1, -2]])
 * affine(x, tensor([[3, 0], [1, 2]]), tensor([0.5, 0.5]), { relu: true }) // [[1.5, 0]]
 * ```
 */
export function affine(x: Tensor, w: Tensor, b: Tensor, options: { relu?: boolean } = {}): Tensor {
  requireFloats('affine', 'x', x)
  requireTensor('affine', 'W', w)
  requireTensor('affine', 'b', b)
  requireOptions('affine', options, ['relu'], 'affine(x, w, b, { relu: true })')
  const { relu = false } = options
  requireBoolean('affine', 'relu', relu)
  if (x.rank < 2 || w.rank !== 2 || x.shape[x.rank - 1] !== w.shape[0] || b.rank !== 1 || b.shape[0] !== w.shape[1]) throw unfit(x, w, b)
  if (x.rank === 2) return call([x, w, b], { relu })
  const leading = x.shape.slice(0, -1)
  return scope(() => reshape(call([reshape(x, [sizeOf(leading), w.shape[0]]), w, b], { relu }), [...leading, w.shape[1]]))
}

const unfit = (x: TensorSpec, w: TensorSpec, b: TensorSpec): ShapeError =>
  shapeError(
    'affine',
    'x·W + b needs x [.., k], W [k, n] and b [n]',
    [
      { name: 'x', shape: x.shape, bad: [-1] },
      { name: 'W', shape: w.shape, bad: w.shape.length === 2 ? [0] : [] },
      { name: 'b', shape: b.shape },
    ],
    'The last axis of x must have as many elements as the first of W, and b as many as the last of W.',
  )

function affineSamples(): Sample<{ relu: boolean }>[] {
  const both = (first: boolean, x: Shape, w: Shape) => [first, !first].map((relu) => sampleWith({ relu }, x, w, [w[1]]))
  return [
    ...both(true, [2, 3], [3, 4]),
    ...both(false, [5, 7], [7, 1]),
    ...both(true, [1, 4], [4, 9]),
    ...both(false, [0, 3], [3, 2]),
    ...both(true, [2, 0], [0, 3]),
    ...both(false, [67, 130], [130, 71]),
  ]
}
