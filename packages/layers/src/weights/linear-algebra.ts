/**
 * The linear algebra of orthogonal initialisation, in float64 on the host. Large matrices use products of a backend. A matrix is an array of its columns,
 * each at least as long as their number.
 */
import { type Backend, matMul, scope, tensor } from '@cotangent/core'

/** Σ aᵢ·bᵢ, in four partial sums, so that the additions overlap. */
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

/** Removes from a its parts along the orthonormal columns from..from+3. Four columns at a time read and write a a quarter as often. */
function removeFour(a: Float64Array, columns: readonly Float64Array[], from: number): void {
  const [p, q, r, s] = columns.slice(from, from + 4)
  let [sp, sq, sr, ss] = [0, 0, 0, 0]
  for (let i = 0; i < a.length; i++) {
    sp += p[i] * a[i]
    sq += q[i] * a[i]
    sr += r[i] * a[i]
    ss += s[i] * a[i]
  }
  for (let i = 0; i < a.length; i++) a[i] -= sp * p[i] + sq * q[i] + (sr * r[i] + ss * s[i])
}

/** Removes from a its part along a column of length 1. */
function removeOne(a: Float64Array, column: Float64Array): void {
  const factor = dot(column, a)
  for (let i = 0; i < a.length; i++) a[i] -= factor * column[i]
}

function scale(a: Float64Array, factor: number): void {
  for (let i = 0; i < a.length; i++) a[i] *= factor
}

/**
 * Replaces the columns by Q of A = Q·R, where R has a positive diagonal (so Q is unique), by modified Gram–Schmidt. A column that loses most of its length
 * is swept twice (Golub, Van Loan, "Matrix computations", §5.2.8; Kahan's "twice is enough").
 *
 * Cost: 2·rows·columns² flops
 */
export function orthonormalize(columns: readonly Float64Array[]): void {
  columns.forEach((a, j) => {
    let length = Math.sqrt(dot(a, a))
    for (let pass = 0; pass < 2; pass++) {
      const before = length
      let i = 0
      for (; i + 3 < j; i += 4) removeFour(a, columns, i)
      for (; i < j; i++) removeOne(a, columns[i])
      length = Math.sqrt(dot(a, a))
      if (length > before * 1e-2) break
    }
    scale(a, 1 / length)
  })
}

/** Columns in a block of `orthonormalizeByBlocks`. Few, since the work inside a block is done on the host. */
const BLOCK = 24

/**
 * Does the same block by block. Two matrix products of the backend remove from a whole block its parts along the columns done before; they do it twice
 * if a column loses much of its length. Inside the block it works as `orthonormalize`. The products are in float32, so Q is right to about 1e-6, not 1e-14.
 *
 * Source: block Gram–Schmidt with reorthogonalisation; Barlow, Smoktunowicz, "Reorthogonalized block classical Gram–Schmidt", 2013
 *
 * @param backend one whose results can be read at once
 * @returns the columns, one after the other
 */
export function orthonormalizeByBlocks(columns: readonly Float64Array[], backend: Backend): Float32Array {
  const [count, length] = [columns.length, columns[0].length]
  const done = new Float32Array(count * length) // a column in each row
  const block = new Float32Array(BLOCK * length)
  for (let first = 0; first < count; first += BLOCK) {
    const panel = columns.slice(first, first + BLOCK)
    for (let pass = 0, again = first > 0; again && pass < 2; pass++) {
      const before = panel.map((column) => dot(column, column))
      for (const [i, column] of panel.entries()) block.set(column, i * length)
      const along = scope(() => {
        const q = tensor(done.subarray(0, first * length), { shape: [first, length], dtype: 'float32', backend })
        const p = tensor(block.subarray(0, panel.length * length), { shape: [panel.length, length], dtype: 'float32', backend })
        const y = matMul(matMul(p, q, { transposeB: true }), q) // [panel, length]
        return Float32Array.from(backend.readSync?.(y.storage) as Float32Array)
      })
      for (const [i, column] of panel.entries()) for (let j = 0; j < length; j++) column[j] -= along[i * length + j]
      again = panel.some((column, i) => dot(column, column) < 0.1 * before[i])
    }
    orthonormalize(panel)
    for (const [i, column] of panel.entries()) done.set(column, (first + i) * length)
  }
  return done
}

/**
 * Replaces the columns by U of the thin singular value decomposition A = U·Σ·Vᵀ, largest singular value first, by one-sided Jacobi rotations (Golub, Van
 * Loan, §8.6.3). The signs of the columns are arbitrary.
 *
 * Cost: about 8 sweeps of 4·rows·columns² flops
 */
export function leftSingularVectors(columns: Float64Array[]): void {
  const n = columns.length
  for (let sweep = 0, rotated = true; rotated && sweep < 60; sweep++) {
    rotated = false
    for (let p = 0; p < n - 1; p++) {
      for (let q = p + 1; q < n; q++) {
        const [a, b] = [columns[p], columns[q]]
        const [alpha, beta, gamma] = [dot(a, a), dot(b, b), dot(a, b)]
        if (Math.abs(gamma) <= 1e-15 * Math.sqrt(alpha * beta)) continue
        rotated = true
        // The rotation by the smaller angle that makes a and b orthogonal.
        const zeta = (beta - alpha) / (2 * gamma)
        const tangent = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta))
        const cosine = 1 / Math.sqrt(1 + tangent * tangent)
        const sine = cosine * tangent
        for (let i = 0; i < a.length; i++) {
          const [x, y] = [a[i], b[i]]
          a[i] = cosine * x - sine * y
          b[i] = sine * x + cosine * y
        }
      }
    }
  }
  columns.sort((a, b) => dot(b, b) - dot(a, a))
  for (const a of columns) scale(a, 1 / Math.sqrt(dot(a, a)))
}
