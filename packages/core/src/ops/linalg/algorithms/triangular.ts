/** Triangular systems and the Cholesky factor. Matrices are row-major arrays. */

/** Which part of a matrix is read, and how. */
export interface Triangle {
  /** The part on and below the diagonal is read, else that on and above it. */
  readonly lower: boolean
  /** The system is Aᵀ·X = B. */
  readonly transpose: boolean
  /** The diagonal counts as ones and is not read. */
  readonly unitDiagonal: boolean
}

/** Replaces b [n, k] by X with A·X = B. Returns the first row whose diagonal element is 0, −1 if there is none. */
export function substitute(a: Float64Array, b: Float64Array, n: number, k: number, { lower, transpose, unitDiagonal }: Triangle): number {
  const [row, column] = transpose ? [1, n] : [n, 1]
  const forward = lower !== transpose
  if (!unitDiagonal) for (let i = 0; i < n; i++) if (a[i * n + i] === 0) return i
  for (let step = 0; step < n; step++) {
    const i = forward ? step : n - 1 - step
    const [from, to] = forward ? [0, i] : [i + 1, n]
    for (let j = from; j < to; j++) {
      const factor = a[i * row + j * column]
      for (let c = 0; c < k; c++) b[i * k + c] -= factor * b[j * k + c]
    }
    if (!unitDiagonal) for (let c = 0; c < k; c++) b[i * k + c] /= a[i * n + i]
  }
  return -1
}

/**
 * Replaces a [n, n] by the lower L with L·Lᵀ = (A + Aᵀ)/2, row by row (Golub & Van Loan, "Matrix Computations", §4.2). Returns the first row without a
 * positive pivot, −1 if there is none.
 */
export function choleskyInPlace(a: Float64Array, n: number): number {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = (a[i * n + j] + a[j * n + i]) / 2
      for (let k = 0; k < j; k++) sum -= a[i * n + k] * a[j * n + k]
      if (i > j) a[i * n + j] = sum / a[j * n + j]
      else if (sum <= 0) return i
      else a[i * n + i] = Math.sqrt(sum)
    }
  }
  for (let i = 0; i < n; i++) a.fill(0, i * n + i + 1, (i + 1) * n)
  return -1
}
