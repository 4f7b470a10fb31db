/** Determinants, and the signs and logarithms of determinants. */
import { defineOp } from '../../autodiff/dispatch.js'
import { ops } from '../../autodiff/op.js'
import { scope } from '../../tensor/scope.js'
import type { Tensor } from '../../tensor/tensor.js'
import { determinantOf, signAndLog } from './algorithms/lu.js'
import { jacobiSvd } from './algorithms/svd.js'
import { batchOf, matrices, matrixByMatrix, products, transposed } from './matrices.js'
import { inverse, squareSamples } from './solve.js'

type Call = (inputs: readonly Tensor[], options: object) => Tensor

const callDeterminant: Call = defineOp({
  name: 'determinant',
  rule: 'dA = dY·cofactors(A)',
  shape: ([a]) => ({ shape: batchOf(a.shape), dtype: a.dtype }),
  forward: matrixByMatrix('determinant', ([a], { rows }) => Float64Array.of(determinantOf(a, rows))),
  vjp: ({ dY }, [a], ops) => [() => ops.mul(overMatrices(dY, ops), callCofactors([a], {}))],
  samples: squareSamples(),
})

/** A value for each matrix, so that it broadcasts against matrices. */
const overMatrices = (x: Tensor, namespace: typeof ops): Tensor => namespace.expandDims(namespace.expandDims(x, -1), -1)

const callCofactors: Call = defineOp({
  name: 'cofactors',
  rule: 'dA = (⟨dY, Y⟩·Y − Y·dYᵀ·Y) / det A',
  shape: ([a]) => a,
  forward: matrixByMatrix('cofactors', ([a], { rows }) => cofactorsOf(a, rows)),
  vjp: ({ dY, y }, [a], ops) => [
    () => {
      const { ab, abT } = products(ops)
      const along = ops.sum(ops.mul(dY, y), { axis: [-2, -1], keepDims: true })
      return ops.div(ops.sub(ops.mul(along, y), ab(abT(y, dY), y)), overMatrices(callDeterminant([a], {}), ops))
    },
  ],
  samples: squareSamples(),
})

/** det(A)·A⁻ᵀ, which exists for singular A, too: det(U)·det(V) · U·diag(Π of the other s)·Vᵀ. */
function cofactorsOf(a: Float64Array, n: number): Float64Array {
  const { u, s, v } = jacobiSvd(a, n, n)
  const out = new Float64Array(n * n)
  const sign = Math.round(determinantOf(u.slice(), n) * determinantOf(v.slice(), n))
  for (let k = 0; k < n; k++) {
    const others = s.reduce((product, x, i) => (i === k ? product : product * x), sign)
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) out[i * n + j] += others * u[k * n + i] * v[k * n + j]
  }
  return out
}

/**
 * The determinant.
 *
 * Shape:    [..b, n, n] → [..b]
 * Gradient: dA = dY·C with the cofactors C = det(A)·A⁻ᵀ, also for singular A; a second derivative needs a regular A
 * Cost:     ⅔n³ flops a matrix, on the host; the gradient takes a singular value decomposition
 *
 * @throws ShapeError if a matrix is not square.
 * @example
 * ```ts
 * const y = determinant(tensor([[1, 2], [3, 4]]))   // −2
 * ```
 */
export function determinant(a: Tensor): Tensor {
  return scope(() => callDeterminant([matrices('determinant', 'a', a, true)], {}))
}

const callLogDeterminant = defineOp({
  name: 'logDeterminant',
  rule: 'dA = dLog·A⁻ᵀ',
  shape: ([a]) => ({ shape: [...batchOf(a.shape), 2], dtype: a.dtype }),
  forward: matrixByMatrix('logDeterminant', ([a], { rows }) => Float64Array.from(signAndLog(a, rows))),
  vjp: ({ dY }, [a], ops) => [
    () => ops.mul(overMatrices(ops.squeeze(ops.slice(dY, [...batchOf(a.shape).map(() => 0), 1]), -1), ops), transposed(inverse(a), ops)),
  ],
  samples: squareSamples(),
})
/**
 * The determinant as its sign (−1, 0 or 1) and the logarithm of its magnitude, which does not overflow. A singular matrix has the sign 0 and the
 * logarithm −∞.
 *
 * Shape:    [..b, n, n] → sign [..b], log [..b]
 * Gradient: dA = dLog·A⁻ᵀ (Giles 2008), an error if A is singular; the sign has none
 * Cost:     ⅔n³ flops a matrix, on the host
 *
 * @throws ShapeError if a matrix is not square.
 * @example
 * ```ts
 * const { sign, log } = logDeterminant(tensor([[1, 2], [3, 4]]))   // −1 and ln 2
 * ```
 */
export function logDeterminant(a: Tensor): { sign: Tensor; log: Tensor } {
  return scope(() => {
    const [sign, log] = ops.unstack(callLogDeterminant([matrices('logDeterminant', 'a', a, true)], {}), -1)
    return { sign, log }
  })
}
