/** QR by Householder reflections (Golub & Van Loan, "Matrix Computations", §5.2). */

/**
 * Q [m, n] then R [n, n] in one array, for a [m, n] with m ≥ n, row-major. The diagonal of R is not negative, which makes both unique. NaN if an
 * element of A is not finite.
 */
export function householder(a: Float64Array, m: number, n: number): Float64Array {
  if (!allFinite(a)) return new Float64Array((m + n) * n).fill(Number.NaN)
  const largest = largestOf(a) || 1 // so that squares neither overflow nor underflow
  const work = columnsOf(a, m, n).map((x) => x / largest) // column j of the remaining matrix: work[j·m .. j·m + m]
  const reflectors: { v: Float64Array; scale: number }[] = []
  for (let k = 0; k < n; k++) {
    const v = work.slice(k * m + k, (k + 1) * m)
    v[0] += Math.sqrt(squareOf(v)) * (v[0] < 0 ? -1 : 1)
    const square = squareOf(v)
    const reflector = { v, scale: square === 0 ? 0 : 2 / square }
    reflectors.push(reflector)
    for (let j = k; j < n; j++) reflect(work, j * m + k, reflector)
  }
  const q = new Float64Array(n * m)
  for (let j = 0; j < n; j++) {
    q[j * m + j] = 1
    for (let k = n - 1; k >= 0; k--) reflect(q, j * m + k, reflectors[k])
  }
  const out = new Float64Array((m + n) * n)
  for (let k = 0; k < n; k++) {
    const sign = work[k * m + k] < 0 ? -1 : 1
    for (let i = 0; i < m; i++) out[i * n + k] = sign * q[k * m + i]
    for (let j = k; j < n; j++) out[(m + k) * n + j] = sign * largest * work[j * m + k]
  }
  return out
}

const squareOf = (v: Float64Array): number => v.reduce((sum, x) => sum + x * x, 0)

/** The largest magnitude, 0 of nothing. */
export const largestOf = (values: Float64Array): number => values.reduce((most, x) => Math.max(most, Math.abs(x)), 0)

/** x −= 2·v·(vᵀx)/(vᵀv), for the part of x from `start` on. */
function reflect(x: Float64Array, start: number, { v, scale }: { v: Float64Array; scale: number }): void {
  let dot = 0
  for (let i = 0; i < v.length; i++) dot += v[i] * x[start + i]
  dot *= scale
  for (let i = 0; i < v.length; i++) x[start + i] -= dot * v[i]
}

/** The columns of a [m, n], one after the other. */
export function columnsOf(a: Float64Array, m: number, n: number): Float64Array {
  const columns = new Float64Array(n * m)
  for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) columns[j * m + i] = a[i * n + j]
  return columns
}

/** Whether every value is finite. */
export const allFinite = (values: Float64Array): boolean => values.every(Number.isFinite)

/** Multiplies the column at `start` (`length` elements) by −1 if its element of largest magnitude is negative. Returns whether it did. */
export function makeLargestPositive(columns: Float64Array, start: number, length: number): boolean {
  let largest = 0
  for (let i = start; i < start + length; i++) if (Math.abs(columns[i]) > Math.abs(largest)) largest = columns[i]
  if (largest < 0) for (let i = start; i < start + length; i++) columns[i] = -columns[i]
  return largest < 0
}
