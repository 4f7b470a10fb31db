/** The factorisations LU and QR. Each is one op with its factors packed below each other or side by side; the public functions take them apart. */
import { defineOp } from '../../autodiff/dispatch.js'
import type { Sample } from '../../autodiff/op.js'
import { type Ops, ops } from '../../autodiff/op.js'
import { sample } from '../../autodiff/samples.js'
import { scope } from '../../tensor/scope.js'
import type { Tensor } from '../../tensor/tensor.js'
import { eliminate } from './algorithms/lu.js'
import { householder } from './algorithms/qr.js'
import { triangularSolve } from './cholesky.js'
import { batchOf, columnsOf, identityLike, matrices, matrixByMatrix, products, rowsOf, sizesOf, transposed, triangle } from './matrices.js'

/** The order of rows that partial pivoting chooses: [..b, m], int32. */
const callPivots = defineOp<object>({
  name: 'luPivots',
  rule: '(none)',
  shape: ([a]) => ({ shape: a.shape.slice(0, -1), dtype: 'int32' }),
  forward: matrixByMatrix('luPivots', ([a], { rows, columns }) => Float64Array.from(eliminate(a, rows, columns).order)),
  vjp: 'an order of rows is piecewise constant.',
  samples: [sample([3, 3]), sample([2, 4, 2]), sample([2, 5]), sample([0, 0])],
})

/** L below the diagonal and U on and above it, [..b, m, n], of a matrix whose rows are in pivoting's order. */
const callEliminate = defineOp<object>({
  name: 'luFactors',
  rule: 'dA = L⁻ᵀ·(tril(Lᵀ·dL) + triu(dU·Uᵀ))·U⁻ᵀ',
  shape: ([a]) => a,
  forward: matrixByMatrix('luFactors', ([a], { rows, columns }) => {
    eliminate(a, rows, columns, false)
    return a
  }),
  // The square part of A is L·U. Rows below it are L₂·U, columns beside it are L·U₂; both add to the cotangents of L and U.
  vjp: ({ dY, y }, [a], ops) => [
    () => {
      const [m, n] = sizesOf(a.shape)
      const k = Math.min(m, n)
      const { aTb, abT } = products(ops)
      const [lu, d] = [y, dY].map((x) => columnsOf(rowsOf(x, 0, k, ops), 0, k, ops))
      const rightOverU = (x: Tensor): Tensor => transposed(triangularSolve(lu, transposed(x, ops), { lower: false }), ops) // X·U⁻ᵀ
      const underL = (x: Tensor): Tensor => triangularSolve(lu, x, { transpose: true, unitDiagonal: true }) // L⁻ᵀ·X
      let [dL, dU] = [triangle(d, 'lower', 0, ops), triangle(d, 'upper', 1, ops)]
      let more: Tensor | undefined
      if (m > n) {
        more = rightOverU(rowsOf(dY, n, m, ops))
        dU = ops.sub(dU, triangle(aTb(rowsOf(y, n, m, ops), more), 'upper', 1, ops))
      } else if (n > m) {
        more = underL(columnsOf(dY, m, n, ops))
        dL = ops.sub(dL, triangle(abT(more, columnsOf(y, m, n, ops)), 'lower', 0, ops))
      }
      const one = identityLike(a, k, ops)
      const l = ops.add(triangle(lu, 'lower', 0, ops), one)
      const u = triangle(lu, 'upper', 1, ops)
      const inner = ops.add(triangle(aTb(l, dL), 'lower', 0, ops), triangle(abT(dU, u), 'upper', 1, ops))
      const square = underL(rightOverU(inner))
      return more ? ops.concat([square, more], m > n ? -2 : -1) : square
    },
  ],
  samples: [
    sample({ shape: [3, 3], diagonal: 6 }),
    sample({ shape: [2, 5, 3], diagonal: 9 }),
    sample({ shape: [3, 5], diagonal: 9 }),
    sample({ shape: [1, 1], diagonal: 3 }),
    sample([0, 0]),
  ],
})

/**
 * A = P·L·U with a permutation P, a lower triangle L with ones on its diagonal, and an upper triangle U. Each pivot is the element of largest
 * magnitude in its column.
 *
 * Shape:    [..b, m, n] → p [..b, m, m], l [..b, m, k], u [..b, k, n] with k = min(m, n)
 * Gradient: dA = P·L⁻ᵀ·(tril(Lᵀ·dL) + triu(dU·Uᵀ))·U⁻ᵀ for square A; an error where U is singular
 * Cost:     ⅔n³ flops a square matrix, twice, on the host
 *
 * @throws ShapeError for fewer than two axes.
 * @example
 * ```ts
 * const { p, l, u } = lu(tensor([[1, 2], [4, 4]]))   // l is [[1, 0], [0.25, 1]], u is [[4, 4], [0, 1]]
 * ```
 */
export function lu(a: Tensor): { p: Tensor; l: Tensor; u: Tensor } {
  return scope(() => {
    const x = matrices('lu', 'a', a)
    const [m, n] = sizesOf(x.shape)
    const k = Math.min(m, n)
    const { aTb } = products(ops)
    const p = transposed(ops.oneHot(callPivots([x], {}), m, x.dtype), ops)
    const packed = callEliminate([aTb(p, x)], {})
    const left = columnsOf(packed, 0, k, ops) // [..b, m, k]
    const l = ops.add(triangle(left, 'lower', 0, ops), ops.eye(m, k, { dtype: x.dtype, backend: x.backend }))
    return { p, l, u: triangle(rowsOf(packed, 0, k, ops), 'upper', 1, ops) }
  })
}

/** Q [..b, m, n] and R [..b, n, n] below each other, for m ≥ n. */
const callQr = defineOp({
  name: 'qr',
  rule: 'dA = (dQ + Q·sym(M))·R⁻ᵀ with M = R·dRᵀ − dQᵀ·Q, of which sym takes the lower triangle',
  shape: ([a]) => {
    const [m, n] = sizesOf(a.shape)
    return { shape: [...batchOf(a.shape), m + n, n], dtype: a.dtype }
  },
  forward: matrixByMatrix('qr', ([a], { rows, columns }) => householder(a, rows, columns)),
  // Walter & Lehmann 2010, "Algorithmic differentiation of linear algebra functions".
  vjp: ({ dY, y }, [a], ops) => [
    () => {
      const [m, n] = sizesOf(a.shape)
      const { ab, aTb, abT } = products(ops)
      const [q, r] = partsOf(y, m, n, ops)
      const [dQ, dR] = partsOf(dY, m, n, ops)
      const inner = ops.sub(abT(r, triangle(dR, 'upper', 1, ops)), aTb(dQ, q))
      const lower = triangle(inner, 'lower', 0.5, ops)
      const left = ops.add(dQ, ab(q, ops.add(lower, transposed(lower, ops))))
      return transposed(triangularSolve(r, transposed(left, ops), { lower: false }), ops)
    },
  ],
  samples: qrSamples(),
})

/** Rows 0 to m and the n rows after them. */
const partsOf = (packed: Tensor, m: number, n: number, ops: Ops): readonly [Tensor, Tensor] => [
  rowsOf(packed, 0, m, ops),
  rowsOf(packed, m, m + n, ops),
]

/**
 * A = Q·R with orthonormal columns of Q and an upper triangle R (the reduced form). The diagonal of R is not negative, so that both are unique where A
 * has full rank.
 *
 * Shape:    [..b, m, n] → q [..b, m, k], r [..b, k, n] with k = min(m, n)
 * Gradient: dA = (dQ + Q·sym(M))·R⁻ᵀ with M = R·dRᵀ − dQᵀ·Q (Walter & Lehmann 2010), an error if R is singular
 * Cost:     4m·n² flops a matrix, on the host
 *
 * @throws ShapeError for fewer than two axes.
 * @example
 * ```ts
 * const { q, r } = qr(tensor([[3, 1], [4, 7]]))   // r is [[5, 6.2], [0, 3.4]]
 * ```
 */
export function qr(a: Tensor): { q: Tensor; r: Tensor } {
  return scope(() => {
    const x = matrices('qr', 'a', a)
    const [m, n] = sizesOf(x.shape)
    const k = Math.min(m, n)
    // Of a wide matrix the first m columns are factored; Qᵀ makes the others of R.
    const [q, r] = partsOf(callQr([columnsOf(x, 0, k, ops)], {}), m, k, ops)
    return { q, r: n > k ? ops.concat([r, products(ops).aTb(q, columnsOf(x, k, n, ops))], -1) : r }
  })
}

function qrSamples(): Sample<object>[] {
  return [
    sample({ shape: [3, 3], diagonal: 4 }),
    sample({ shape: [2, 5, 3], diagonal: 4 }),
    sample({ shape: [1, 1], diagonal: 3 }),
    sample([4, 1]),
    sample([0, 0]),
    sample([3, 0]),
    sample([0, 3, 2]),
  ]
}
