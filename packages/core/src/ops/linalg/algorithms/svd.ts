/**
 * Singular values and vectors by one-sided Jacobi rotations (Hestenes 1958; Golub & Van Loan, "Matrix Computations", §8.6): pairs of columns are rotated
 * until all are orthogonal. Then their lengths are the singular values. The method is exact to a few units in the last place, also for small values.
 */
import { hypot } from './hypot.js'
import { allFinite, columnsOf, largestOf, makeLargestPositive } from './qr.js'

/** The parts of A = U·diag(s)·Vᵀ, k = min(m, n). */
export interface Singular {
  /** The columns of U, one after the other: k of m elements. */
  readonly u: Float64Array
  /** k values, the largest first. */
  readonly s: Float64Array
  /** The columns of V, one after the other: k of n elements. */
  readonly v: Float64Array
}

/** More than any matrix needs; convergence takes about ten. */
const MOST_SWEEPS = 60

/** The decomposition of a [m, n], row-major; NaN if an element is not finite. The element of largest magnitude of each column of U is positive. */
export function jacobiSvd(a: Float64Array, m: number, n: number): Singular {
  const k = Math.min(m, n)
  if (!allFinite(a)) {
    const nan = (size: number): Float64Array => new Float64Array(size).fill(Number.NaN)
    return { u: nan(k * m), s: nan(k), v: nan(k * n) }
  }
  const scale = largestOf(a) || 1 // so that squares neither overflow nor underflow
  const wide = m < n
  const [rows, columns] = wide ? [n, m] : [m, n]
  const scaled = a.map((x) => x / scale)
  const w = wide ? scaled : columnsOf(scaled, m, n) // [columns][rows]
  const v = new Float64Array(columns * columns) // columns of V
  for (let j = 0; j < columns; j++) v[j * columns + j] = 1
  orthogonalise(w, v, rows, columns)

  const lengths = Float64Array.from({ length: columns }, (_, j) => Math.sqrt(dot(w, j * rows, w, j * rows, rows)))
  const order = Array.from(lengths.keys()).sort((i, j) => lengths[j] - lengths[i])
  const s = new Float64Array(k)
  const left = new Float64Array(k * rows)
  const right = new Float64Array(k * columns)
  for (let j = 0; j < k; j++) {
    const from = order[j]
    s[j] = lengths[from] * scale
    for (let i = 0; i < rows; i++) left[j * rows + i] = lengths[from] > 0 ? w[from * rows + i] / lengths[from] : 0
    right.set(v.subarray(from * columns, (from + 1) * columns), j * columns)
    if (lengths[from] === 0) complete(left, j, rows)
  }
  const [u, other] = wide ? [right, left] : [left, right]
  for (let j = 0; j < k; j++) {
    if (makeLargestPositive(u, j * m, m)) for (let i = j * n; i < (j + 1) * n; i++) other[i] = -other[i]
  }
  return { u, s, v: other }
}

/** Rotates pairs of the columns of w, and those of v alike, until w's are orthogonal. */
function orthogonalise(w: Float64Array, v: Float64Array, rows: number, columns: number): void {
  const tolerance = Math.sqrt(rows) * Number.EPSILON
  for (let sweep = 0, rotated = true; rotated && sweep < MOST_SWEEPS; sweep++) {
    rotated = false
    for (let p = 0; p < columns - 1; p++) {
      for (let q = p + 1; q < columns; q++) {
        const alpha = dot(w, p * rows, w, p * rows, rows)
        const beta = dot(w, q * rows, w, q * rows, rows)
        const gamma = dot(w, p * rows, w, q * rows, rows)
        if (Math.abs(gamma) <= tolerance * Math.sqrt(alpha * beta)) continue
        rotated = true
        // The smaller root of t² + 2ζt − 1 = 0 is the tangent of the angle that makes the two orthogonal.
        const zeta = (beta - alpha) / (2 * gamma)
        const t = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + hypot(1, zeta))
        const cosine = 1 / Math.sqrt(1 + t * t)
        rotate(w, p * rows, q * rows, rows, cosine, cosine * t)
        rotate(v, p * columns, q * columns, columns, cosine, cosine * t)
      }
    }
  }
}

function dot(a: Float64Array, i: number, b: Float64Array, j: number, length: number): number {
  let sum = 0
  for (let l = 0; l < length; l++) sum += a[i + l] * b[j + l]
  return sum
}

function rotate(x: Float64Array, p: number, q: number, length: number, cosine: number, sine: number): void {
  for (let l = 0; l < length; l++) {
    const a = x[p + l]
    const b = x[q + l]
    x[p + l] = cosine * a - sine * b
    x[q + l] = sine * a + cosine * b
  }
}

/** Makes column j a unit vector orthogonal to the columns before it: what is left of an axis, twice (Gram and Schmidt). */
function complete(columns: Float64Array, j: number, rows: number): void {
  const column = columns.subarray(j * rows, (j + 1) * rows)
  for (let axis = 0; axis < rows; axis++) {
    column.fill(0)
    column[axis] = 1
    for (let pass = 0; pass < 2; pass++) {
      for (let i = 0; i < j; i++) {
        const along = dot(columns, i * rows, columns, j * rows, rows)
        for (let l = 0; l < rows; l++) column[l] -= along * columns[i * rows + l]
      }
    }
    const length = Math.sqrt(dot(columns, j * rows, columns, j * rows, rows))
    // Of `rows` axes one has at least this much outside a space of fewer dimensions.
    if (length < 0.5 / Math.sqrt(rows)) continue
    for (let l = 0; l < rows; l++) column[l] /= length
    return
  }
}
