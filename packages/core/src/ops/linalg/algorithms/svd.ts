/**
 * Singular values and vectors by one-sided Jacobi rotations (Hestenes 1958; Golub & Van Loan, "Matrix Computations", §8.6): pairs of columns are rotated
 * until all are orthogonal. Then their lengths are the singular values. The method is exact to a few units in the last place, also for small values.
 */
import { hypot } from './hypot.js'
import { identity } from './lu.js'
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
  const w = parts(wide ? scaled : columnsOf(scaled, m, n), columns, rows)
  const v = parts(identity(columns), columns, columns)
  orthogonalise(w, v)

  const lengths = Float64Array.from(w, (column) => Math.sqrt(dot(column, column)))
  const order = Array.from(lengths.keys()).sort((i, j) => lengths[j] - lengths[i])
  const s = new Float64Array(k)
  const left = new Float64Array(k * rows)
  const right = new Float64Array(k * columns)
  for (let j = 0; j < k; j++) {
    const from = order[j]
    s[j] = lengths[from] * scale
    for (let i = 0; i < rows; i++) left[j * rows + i] = lengths[from] > 0 ? w[from][i] / lengths[from] : 0
    right.set(v[from], j * columns)
    if (lengths[from] === 0) complete(parts(left, j + 1, rows))
  }
  const [u, other] = wide ? [right, left] : [left, right]
  for (let j = 0; j < k; j++) {
    if (makeLargestPositive(u, j * m, m)) for (let i = j * n; i < (j + 1) * n; i++) other[i] = -other[i]
  }
  return { u, s, v: other }
}

/** The first `count` parts of `length` elements. */
const parts = (x: Float64Array, count: number, length: number): Float64Array[] =>
  Array.from({ length: count }, (_, i) => x.subarray(i * length, (i + 1) * length))

/**
 * Rotates pairs of columns of w, and those of v alike, until w's are orthogonal. The longer column of a pair comes first, so that the lengths end up
 * sorted, which takes fewer sweeps (de Rijk 1989). Squared lengths are brought up to date after each rotation, and computed anew in each sweep; the last
 * sweep rotates nothing.
 */
function orthogonalise(w: Float64Array[], v: Float64Array[]): void {
  const count = w.length
  const tolerance = count > 0 ? Math.sqrt(w[0].length) * Number.EPSILON : 0
  const squares = new Float64Array(count)
  for (let sweep = 0, rotated = true; rotated && sweep < MOST_SWEEPS; sweep++) {
    rotated = false
    for (let p = 0; p < count; p++) squares[p] = dot(w[p], w[p])
    for (let p = 0; p < count - 1; p++) {
      for (let q = p + 1; q < count; q++) {
        const gamma = dot(w[p], w[q])
        if (Math.abs(gamma) <= tolerance * Math.sqrt(squares[p] * squares[q])) continue
        rotated = true
        if (squares[p] < squares[q]) for (const columns of [w, v]) swap(columns, p, q)
        const [alpha, beta] = [Math.max(squares[p], squares[q]), Math.min(squares[p], squares[q])]
        // The smaller root of t² + 2ζt − 1 = 0 is the tangent of the angle that makes the two orthogonal.
        const zeta = (beta - alpha) / (2 * gamma)
        const t = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + hypot(1, zeta))
        const cosine = 1 / Math.sqrt(1 + t * t)
        const sine = cosine * t
        rotate(w[p], w[q], cosine, sine)
        rotate(v[p], v[q], cosine, sine)
        squares[p] = alpha - t * gamma
        squares[q] = beta + t * gamma
      }
    }
  }
}

function swap(columns: Float64Array[], p: number, q: number): void {
  const first = columns[p]
  columns[p] = columns[q]
  columns[q] = first
}

/** aᵀ·b in four sums, which do not wait for each other. */
function dot(a: Float64Array, b: Float64Array): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0]
  let i = 0
  for (; i + 3 < a.length; i += 4) {
    s0 += a[i] * b[i]
    s1 += a[i + 1] * b[i + 1]
    s2 += a[i + 2] * b[i + 2]
    s3 += a[i + 3] * b[i + 3]
  }
  for (; i < a.length; i++) s0 += a[i] * b[i]
  return s0 + s1 + (s2 + s3)
}

function rotate(p: Float64Array, q: Float64Array, cosine: number, sine: number): void {
  for (let i = 0; i < p.length; i++) {
    const a = p[i]
    const b = q[i]
    p[i] = cosine * a - sine * b
    q[i] = sine * a + cosine * b
  }
}

/** Makes the last of the columns a unit vector orthogonal to those before it: what is left of an axis, twice (Gram and Schmidt). */
function complete(columns: readonly Float64Array[]): void {
  const column = columns[columns.length - 1]
  for (let axis = 0; axis < column.length; axis++) {
    column.fill(0)
    column[axis] = 1
    for (let pass = 0; pass < 2; pass++) {
      for (const other of columns.slice(0, -1)) {
        const along = dot(other, column)
        for (let i = 0; i < column.length; i++) column[i] -= along * other[i]
      }
    }
    const length = Math.sqrt(dot(column, column))
    // Of all axes one has at least this much outside a space of fewer dimensions.
    if (length < 0.5 / Math.sqrt(column.length)) continue
    for (let i = 0; i < column.length; i++) column[i] /= length
    return
  }
}
