/** The pseudoinverse and least squares, for matrices of any shape and rank. */
import { requireNumber, requireOptions } from '../../arguments.js'
import { defineOp } from '../../autodiff/dispatch.js'
import type { Sample } from '../../autodiff/op.js'
import { ops } from '../../autodiff/op.js'
import { sampleWith } from '../../autodiff/samples.js'
import { scope } from '../../tensor/scope.js'
import type { Tensor } from '../../tensor/tensor.js'
import { jacobiSvd } from './algorithms/svd.js'
import { solveWith } from './cholesky.js'
import { batchOf, matrices, matrixByMatrix, products, sizesOf } from './matrices.js'

/** Which singular values count as 0. */
export interface RankOptions {
  /** Those below this part of the largest one. If left out: max(m, n) · 2⁻²³ for float32, · 2⁻⁵² for float64. */
  tolerance?: number
}

const callPseudoInverse = defineOp<RankOptions>({
  name: 'pseudoInverse',
  rule: 'dA = −Yᵀ·dY·Yᵀ + (I − A·Y)·dYᵀ·Y·Yᵀ + Yᵀ·Y·dYᵀ·(I − Y·A)',
  shape: ([a]) => {
    const [m, n] = sizesOf(a.shape)
    return { shape: [...batchOf(a.shape), n, m], dtype: a.dtype }
  },
  forward: matrixByMatrix<RankOptions>('pseudoInverse', ([a], { rows, columns, dtype, options }) => {
    const { tolerance = Math.max(rows, columns) * (dtype === 'float64' ? 2 ** -52 : 2 ** -23) } = options
    return inverted(a, rows, columns, tolerance)
  }),
  // Golub & Pereyra 1973, "The differentiation of pseudo-inverses", eq. 4.12; the rank is constant.
  vjp: ({ dY, y }, [a], ops) => [
    () => {
      const { ab, aTb, abT } = products(ops)
      const inner = ops.neg(aTb(y, abT(dY, y)))
      const left = aTb(dY, abT(y, y)) // dYᵀ·Y·Yᵀ [m, n]
      const right = abT(aTb(y, y), dY) // Yᵀ·Y·dYᵀ [m, n]
      const outside = ops.add(ops.sub(left, ab(ab(a, y), left)), ops.sub(right, ab(ab(right, y), a)))
      return ops.add(inner, outside)
    },
  ],
  samples: pseudoInverseSamples(),
})

/** V·diag(1/s)·Uᵀ over the singular values that count. */
function inverted(a: Float64Array, m: number, n: number, tolerance: number): Float64Array {
  const { u, s, v } = jacobiSvd(a, m, n)
  const out = new Float64Array(n * m)
  s.forEach((value, k) => {
    if (value <= tolerance * s[0] || value === 0) return
    for (let i = 0; i < n; i++) for (let j = 0; j < m; j++) out[i * m + j] += (v[k * n + i] * u[k * m + j]) / value
  })
  return out
}

/**
 * The inverse of Moore and Penrose, A⁺ = V·diag(1/s)·Uᵀ over the singular values that are not 0. It exists for every matrix.
 *
 * Shape:    [..b, m, n] → [..b, n, m]
 * Gradient: Golub & Pereyra 1973, for a rank that does not change
 * Cost:     that of `svd`
 *
 * @throws ShapeError for fewer than two axes.
 * @example
 * ```ts
 * const y = pseudoInverse(tensor([[1, 2], [2, 4]]))   // [[0.04, 0.08], [0.08, 0.16]]
 * ```
 */
export function pseudoInverse(a: Tensor, options: RankOptions = {}): Tensor {
  requireRankOptions('pseudoInverse', options)
  return scope(() => callPseudoInverse([matrices('pseudoInverse', 'a', a)], options))
}

function requireRankOptions(op: string, options: RankOptions): void {
  requireOptions(op, options, ['tolerance'], `${op}(a, { tolerance: 1e-5 })`)
  if (options.tolerance !== undefined) requireNumber(op, 'tolerance', options.tolerance, { least: 0 })
}

/**
 * The X that makes ‖A·X − B‖ least, and of several the shortest: X = A⁺·B. Leading axes are a batch and broadcast.
 *
 * Shape:    a [..b, m, n], b [..b, m, k] → [..b, n, k]; or a [..b, m, n], b [m] → [..b, n]
 * Gradient: through A⁺·B, for a rank that does not change
 * Cost:     that of `svd`
 *
 * @throws ShapeError if shapes do not fit.
 * @example
 * ```ts
 * const line = leastSquares(tensor([[0, 1], [1, 1], [2, 1]]), tensor([1, 3, 5]))   // slope 2, offset 1
 * ```
 */
export function leastSquares(a: Tensor, b: Tensor, options: RankOptions = {}): Tensor {
  requireRankOptions('leastSquares', options)
  return solveWith('leastSquares', a, b, (x, y) => ops.matMul(callPseudoInverse([x], options), y), false)
}

function pseudoInverseSamples(): Sample<RankOptions>[] {
  return [
    sampleWith({}, { shape: [3, 3], diagonal: 4 }),
    sampleWith({}, { shape: [2, 5, 3], diagonal: 4 }),
    sampleWith({ tolerance: 1e-3 }, { shape: [2, 4], diagonal: 4 }),
    sampleWith({}, { shape: [1, 1], diagonal: 3 }),
    sampleWith({}, [0, 3]),
    sampleWith({}, [2, 0]),
    sampleWith({}, { shape: [37, 41], diagonal: 50 }),
  ]
}
