/** Activations over the last axis: a gated linear unit, and the sparse relative of softmax. */
import { defineComposed, defineOp } from '../../autodiff/dispatch.js'
import type { Sample } from '../../autodiff/op.js'
import { sample } from '../../autodiff/samples.js'
import type { HostValues } from '../../backends/backend.js'
import { shapeError } from '../../errors.js'
import type { Shape } from '../../tensor/shape.js'
import type { Tensor } from '../../tensor/tensor.js'
import { requireFloats, requireNoMore } from '../requirements.js'

const callGlu = defineComposed({
  name: 'glu',
  compose: ([x], _, ops) => {
    const half = x.shape[x.rank - 1] / 2
    const [a, b] = ops.split(x, [half, half], -1)
    return ops.mul(a, ops.sigmoid(b))
  },
  samples: gluSamples(),
})
/**
 * a·sigmoid(b), a and b being the halves of the last axis (Dauphin et al.: "Language modeling with gated convolutional networks", 2017).
 *
 * Shape:    [.., 2n] → [.., n]
 * Gradient: dA = dY·σ(b), dB = dY·a·σ(b)·(1 − σ(b))
 *
 * @throws ShapeError if the last axis has no halves.
 * @example
 * ```ts
 * glu(tensor([[2, 4, 0, 100]]))   // [[1, 4]]
 * ```
 */
export function glu(x: Tensor): Tensor
export function glu(x: Tensor, ...more: unknown[]): Tensor {
  if (more.length > 0) requireNoMore('glu', x, more, 'one tensor and halves its last axis')
  requireFloats('glu', 'x', x)
  if (x.rank === 0 || x.shape[x.rank - 1] % 2 !== 0) {
    throw shapeError('glu', 'the last axis must have an even number of elements', [{ name: 'x', shape: x.shape, bad: [-1] }])
  }
  return callGlu([x], {})
}

/**
 * y = max(z − τ, 0) of each row, τ chosen so that Σ y = 1. With z sorted downwards, the first k values are above τ, k being the last for which
 * 1 + k·z_k > Σ z_i over i ≤ k, and τ = (Σ z_i − 1)/k.
 */
function sparsemaxRows(out: HostValues, z: HostValues, n: number): void {
  const sorted = new Float64Array(n)
  for (let row = 0; row < z.length; row += n) {
    const values = z.subarray(row, row + n)
    // Less the maximum, so that sums of large numbers keep their digits.
    let top = -Infinity
    for (const value of values) top = Math.max(top, value) // NaN if any is
    for (let i = 0; i < n; i++) sorted[i] = top - values[i]
    sorted.sort() // the distances from the maximum, ascending
    let [sum, count] = [0, 0]
    while (count < n && (count + 1) * sorted[count] < 1 + sum + sorted[count]) sum += sorted[count++]
    const tau = -(1 + sum) / count
    for (let i = 0; i < n; i++) out[row + i] = Number.isFinite(top) ? Math.max(values[i] - top - tau, 0) : Number.NaN
  }
}

const callSparsemax = defineOp({
  name: 'sparsemax',
  rule: 'dX = dY − mean(dY) over the positions where y > 0, and 0 elsewhere',
  shape: ([x]) => x,
  forward: (k, out, [x]) => k.host(out, [x], (y, [z]) => sparsemaxRows(y, z, x.shape[x.rank - 1])),
  vjp: ({ dY, y }, _, ops) => [
    () => {
      const held = ops.stopGradient(ops.cast(ops.greater(y, 0), y.dtype))
      const mean = ops.div(ops.sum(ops.mul(dY, held), { axis: -1, keepDims: true }), ops.sum(held, { axis: -1, keepDims: true }))
      return ops.mul(held, ops.sub(dY, mean))
    },
  ],
  samples: sparsemaxSamples(),
})
/**
 * The point of the probability simplex that is nearest to x, over the last axis: like softmax, but small values become 0 (Martins & Astudillo: "From softmax
 * to sparsemax", 2016). A row without a finite maximum gives NaN.
 *
 * Shape:    [.., n] → the same
 * Gradient: dX = dY − mean(dY) over the positions where y > 0, and 0 elsewhere
 * Cost:     a sort of each row, on the host
 *
 * @throws ShapeError for a scalar.
 * @example
 * ```ts
 * sparsemax(tensor([[1, 0.5, -1]]))   // [[0.75, 0.25, 0]]
 * ```
 */
export function sparsemax<S extends Shape>(x: Tensor<S>): Tensor<S>
export function sparsemax(x: Tensor, ...more: unknown[]): Tensor {
  if (more.length > 0) requireNoMore('sparsemax', x, more, 'one tensor and goes over its last axis (transpose another to the end first)')
  requireFloats('sparsemax', 'x', x)
  if (x.rank === 0) throw shapeError('sparsemax', 'a scalar has no last axis', [{ name: 'x', shape: x.shape }])
  return callSparsemax([x], {})
}

function gluSamples(): Sample<object>[] {
  return [sample([6]), sample([3, 2]), sample([2, 3, 10]), sample([0, 4]), sample([3, 0])]
}

function sparsemaxSamples(): Sample<object>[] {
  return [sample([5]), sample([3, 4]), sample([2, 3, 7]), sample([4, 1]), sample([0, 3]), sample([3, 0]), sample([61, 67])]
}
