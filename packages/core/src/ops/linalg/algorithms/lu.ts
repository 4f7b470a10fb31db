/** Gaussian elimination with partial pivoting, and what follows from it. Matrices are row-major arrays. */

/** The result of an elimination: P·A = L·U. */
export interface Factors {
  /** Row i of P·A is row `order[i]` of A. */
  readonly order: Int32Array
  /** The determinant of P: 1 or −1. */
  readonly sign: number
  /** The first column without a pivot, −1 if each has one. */
  readonly singular: number
}

/**
 * Replaces a [m, n] by L (below the diagonal, where L has ones) and U (on and above it). Source: Golub & Van Loan, "Matrix Computations", §3.4.
 *
 * A pivot is a sum of products. If it is no larger than the rounding error of that sum, the column counts as singular. This test does not depend on
 * the scale of rows and columns. The elimination goes on all the same. Without `pivoting`, rows keep their order.
 */
export function eliminate(a: Float64Array, m: number, n: number, pivoting = true): Factors {
  const order = Int32Array.from({ length: m }, (_, i) => i)
  let sign = 1
  let singular = -1
  for (let k = 0; k < Math.min(m, n); k++) {
    let best = k
    // NaN wins, so that it reaches the result.
    if (pivoting) for (let i = k + 1; i < m; i++) if (!(Math.abs(a[i * n + k]) <= Math.abs(a[best * n + k]))) best = i
    if (best !== k) {
      sign = -sign
      const row = order[k]
      order[k] = order[best]
      order[best] = row
      for (let j = 0; j < n; j++) {
        const value = a[k * n + j]
        a[k * n + j] = a[best * n + j]
        a[best * n + j] = value
      }
    }
    const pivot = a[k * n + k]
    let terms = 0 // Σ |l·u| of the sum that made the pivot
    for (let j = 0; j < k; j++) terms += Math.abs(a[k * n + j] * a[j * n + k])
    if (singular < 0 && Math.abs(pivot) <= n * Number.EPSILON * terms) singular = k
    if (pivot === 0) continue
    for (let i = k + 1; i < m; i++) {
      const factor = a[i * n + k] / pivot
      a[i * n + k] = factor
      if (factor !== 0) for (let j = k + 1; j < n; j++) a[i * n + j] -= factor * a[k * n + j]
    }
  }
  return { order, sign, singular }
}

/** X [n, k] with A·X = B, from the factors of A and B [n, k]. */
export function solveByFactors(lu: Float64Array, order: Int32Array, b: Float64Array, n: number, k: number): Float64Array {
  const x = new Float64Array(n * k)
  for (let i = 0; i < n; i++) {
    for (let c = 0; c < k; c++) x[i * k + c] = b[order[i] * k + c]
    for (let j = 0; j < i; j++) subtractRow(x, i, j, lu[i * n + j], k)
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let j = i + 1; j < n; j++) subtractRow(x, i, j, lu[i * n + j], k)
    for (let c = 0; c < k; c++) x[i * k + c] /= lu[i * n + i]
  }
  return x
}

/** Row i of x [.., k] −= factor · row j. */
function subtractRow(x: Float64Array, i: number, j: number, factor: number, k: number): void {
  for (let c = 0; c < k; c++) x[i * k + c] -= factor * x[j * k + c]
}

/** The identity [n, n]. */
export function identity(n: number): Float64Array {
  const one = new Float64Array(n * n)
  for (let i = 0; i < n; i++) one[i * n + i] = 1
  return one
}

/** Sign and ln |·| of the determinant of a [n, n], whose values it uses up. The sign of a singular matrix is 0, its logarithm −∞. */
export function signAndLog(a: Float64Array, n: number): readonly [sign: number, log: number] {
  let { sign } = eliminate(a, n, n)
  let log = 0
  for (let i = 0; i < n; i++) {
    sign *= Math.sign(a[i * n + i])
    log += Math.log(Math.abs(a[i * n + i]))
  }
  return [sign + 0, log] // −0 becomes 0
}

/** The determinant of a [n, n], whose values it uses up. */
export function determinantOf(a: Float64Array, n: number): number {
  let product = eliminate(a, n, n).sign
  for (let i = 0; i < n; i++) product *= a[i * n + i]
  return product
}
