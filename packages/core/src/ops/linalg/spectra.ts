/** Eigenvalues of symmetric matrices and singular values. Each is one op with values and vectors packed below each other; the public functions take them apart. */
import { defineOp } from '../../autodiff/dispatch.js'
import type { Sample } from '../../autodiff/op.js'
import { type Ops, ops } from '../../autodiff/op.js'
import { sample, withoutGradient } from '../../autodiff/samples.js'
import { scope } from '../../tensor/scope.js'
import type { Tensor } from '../../tensor/tensor.js'
import { symmetricEigen } from './algorithms/eigh.js'
import { jacobiSvd } from './algorithms/svd.js'
import { batchOf, identityLike, matrices, matrixByMatrix, products, rowsOf, sizesOf, symmetric, transposed } from './matrices.js'

/** x [..b, k] as the columns' weights: X·diag(x) is `mul(X, row(x))`. */
const row = (x: Tensor, ops: Ops): Tensor => ops.expandDims(x, -2)
/** x [..b, k] as the rows' weights: diag(x)·X is `mul(column(x), X)`. */
const column = (x: Tensor, ops: Ops): Tensor => ops.expandDims(x, -1)

/** x / (wⱼ − wᵢ) off the diagonal and 0 on it, for x [..b, k, k]; 0 also where x is 0, so that equal values harm only what depends on their vectors. */
function overDifferences(x: Tensor, w: Tensor, ops: Ops): Tensor {
  const one = identityLike(x, w.shape[w.rank - 1], ops)
  const differences = ops.sub(row(w, ops), column(w, ops))
  const off = ops.mulNoNaN(x, ops.sub(1, one))
  return ops.mulNoNaN(ops.reciprocal(ops.add(differences, one)), off)
}

/** The values of a packed result: its first row. */
const firstRow = (packed: Tensor, ops: Ops): Tensor => ops.squeeze(rowsOf(packed, 0, 1, ops), -2)

/** Eigenvalues in the first row, eigenvectors below as columns: [..b, n + 1, n]. */
const callEigh = defineOp({
  name: 'eigh',
  rule: 'dA = V·(diag(dw) + F∘(Vᵀ·dV))·Vᵀ with F = 1/(wⱼ − wᵢ), made symmetric',
  shape: ([a]) => {
    const [n] = sizesOf(a.shape)
    return { shape: [...batchOf(a.shape), n + 1, n], dtype: a.dtype }
  },
  forward: matrixByMatrix('eigh', ([a], { rows }) => symmetricEigen(a, rows)),
  vjp: ({ dY, y }, [a], ops) => [
    () => {
      const [n] = sizesOf(a.shape)
      const { ab, aTb, abT } = products(ops)
      const [w, v] = [firstRow(y, ops), rowsOf(y, 1, n + 1, ops)]
      const [dW, dV] = [firstRow(dY, ops), rowsOf(dY, 1, n + 1, ops)]
      const values = ops.mul(column(dW, ops), identityLike(a, n, ops))
      const inner = ops.add(values, overDifferences(aTb(v, dV), w, ops))
      return symmetric(abT(ab(v, inner), v), ops)
    },
  ],
  samples: eighSamples(),
})
/**
 * Eigenvalues and eigenvectors of symmetric matrices: A = V·diag(w)·Vᵀ. A is taken as (A + Aᵀ)/2. Values ascend. The element of largest magnitude of
 * each vector (a column) is positive. A matrix with an infinity or NaN gives NaN.
 *
 * Shape:    [..b, n, n] → values [..b, n], vectors [..b, n, n]
 * Gradient: dA = V·(diag(dw) + F∘(Vᵀ·dV))·Vᵀ with F = 1/(wⱼ − wᵢ) (Giles 2008), made symmetric. Where values are equal, only the values have one.
 * Cost:     about 9n³ flops a matrix, on the host
 *
 * @throws ShapeError if a matrix is not square.
 * @example
 * ```ts
 * const { values, vectors } = eigh(tensor([[2, 1], [1, 2]]))   // values 1 and 3
 * ```
 */
export function eigh(a: Tensor): { values: Tensor; vectors: Tensor } {
  return scope(() => {
    const x = matrices('eigh', 'a', a, true)
    const packed = callEigh([x], {})
    const [n] = sizesOf(x.shape)
    return { values: firstRow(packed, ops), vectors: rowsOf(packed, 1, n + 1, ops) }
  })
}

/** Singular values in the first row, then U [m, k], then V [n, k], k = min(m, n): [..b, 1 + m + n, k]. */
const callSvd = defineOp({
  name: 'svd',
  rule: 'dA = U·(diag(ds) + E∘skew(Uᵀ·dU)·S + S·E∘skew(Vᵀ·dV))·Vᵀ with E = 1/(sⱼ² − sᵢ²), and the parts of dU and dV outside U and V',
  shape: ([a]) => {
    const [m, n] = sizesOf(a.shape)
    return { shape: [...batchOf(a.shape), 1 + m + n, Math.min(m, n)], dtype: a.dtype }
  },
  forward: matrixByMatrix('svd', ([a], { rows, columns }) => packedSvd(a, rows, columns)),
  // Townsend 2016, "Differentiating the singular value decomposition".
  vjp: ({ dY, y }, [a], ops) => [
    () => {
      const [m, n] = sizesOf(a.shape)
      const { ab, aTb, abT } = products(ops)
      const [s, u, v] = svdParts(y, m, n, ops)
      const [dS, dU, dV] = svdParts(dY, m, n, ops)
      const s2 = ops.square(s)
      const skew = (x: Tensor): Tensor => overDifferences(ops.sub(x, transposed(x, ops)), s2, ops)
      const values = ops.mul(column(dS, ops), identityLike(a, Math.min(m, n), ops))
      const fromU = ops.mul(skew(aTb(u, dU)), row(s, ops))
      const fromV = ops.mul(column(s, ops), skew(aTb(v, dV)))
      let dA = abT(ab(u, ops.add(values, ops.add(fromU, fromV))), v)
      /** (I − X·Xᵀ)·dX·S⁻¹ */
      const outside = (x: Tensor, dX: Tensor): Tensor => ops.mulNoNaN(row(ops.reciprocal(s), ops), ops.sub(dX, ab(x, aTb(x, dX))))
      if (m > n) dA = ops.add(dA, abT(outside(u, dU), v))
      if (n > m) dA = ops.add(dA, abT(u, outside(v, dV)))
      return dA
    },
  ],
  samples: svdSamples(),
})

const svdParts = (packed: Tensor, m: number, n: number, ops: Ops): readonly [s: Tensor, u: Tensor, v: Tensor] => [
  firstRow(packed, ops),
  rowsOf(packed, 1, m + 1, ops),
  rowsOf(packed, m + 1, m + n + 1, ops),
]

function packedSvd(a: Float64Array, m: number, n: number): Float64Array {
  const k = Math.min(m, n)
  const { u, s, v } = jacobiSvd(a, m, n)
  const out = new Float64Array((1 + m + n) * k)
  out.set(s)
  for (let j = 0; j < k; j++) {
    for (let i = 0; i < m; i++) out[(1 + i) * k + j] = u[j * m + i]
    for (let i = 0; i < n; i++) out[(1 + m + i) * k + j] = v[j * n + i]
  }
  return out
}

/**
 * The singular value decomposition A = U·diag(s)·Vᵀ (the reduced form). Singular values descend. The element of largest magnitude of each column of U
 * is positive. A matrix with an infinity or NaN gives NaN.
 *
 * Shape:    [..b, m, n] → u [..b, m, k], s [..b, k], vT [..b, k, n] with k = min(m, n)
 * Gradient: Townsend 2016. Where singular values are equal, only the values have one, not the vectors.
 * Cost:     about ten passes of 6m·n² flops a matrix (m ≥ n), on the host
 *
 * @throws ShapeError for fewer than two axes.
 * @example
 * ```ts
 * const { u, s, vT } = svd(tensor([[3, 0], [4, 5]]))   // s is [6.708, 2.236]
 * ```
 */
export function svd(a: Tensor): { u: Tensor; s: Tensor; vT: Tensor } {
  return scope(() => {
    const x = matrices('svd', 'a', a)
    const [m, n] = sizesOf(x.shape)
    const [s, u, v] = svdParts(callSvd([x], {}), m, n, ops)
    return { u, s, vT: transposed(v, ops) }
  })
}

function eighSamples(): Sample<object>[] {
  return [
    sample([3, 3]),
    sample([2, 5, 5]),
    sample([1, 1]),
    sample([0, 0]),
    sample([0, 2, 2]),
    withoutGradient('close eigenvalues make the gradient large', sample([37, 37])),
  ]
}

function svdSamples(): Sample<object>[] {
  return [
    sample([3, 3]),
    sample([2, 5, 3]),
    sample([2, 4]),
    sample([1, 1]),
    sample([0, 3]),
    sample([0, 2, 2]),
    withoutGradient('close singular values make the gradient large', sample([37, 41])),
  ]
}
