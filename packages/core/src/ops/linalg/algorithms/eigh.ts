/**
 * Eigenvalues and eigenvectors of symmetric matrices: Householder reflections to a tridiagonal matrix, then the implicit QL method. Source: the
 * routines tred2 and tql2 of EISPACK (Martin, Reinsch, Wilkinson 1968; Bowdler, Martin, Reinsch, Wilkinson 1968), in the form of JAMA (public domain).
 */

import { ValueError } from '../../../errors.js'
import { hypot } from './hypot.js'
import { allFinite, makeLargestPositive } from './qr.js'

/** More steps for one eigenvalue than any matrix needs; two are usual. */
const MOST_STEPS = 100

/**
 * For a [n, n], taken as (A + Aᵀ)/2: the eigenvalues [n], ascending, then the eigenvectors [n, n] as columns, in one array. The element of largest
 * magnitude of each vector is positive. NaN if an element of A is not finite.
 */
export function symmetricEigen(a: Float64Array, n: number): Float64Array {
  const out = new Float64Array((n + 1) * n)
  if (!allFinite(a)) return out.fill(Number.NaN)
  const v = Array.from({ length: n }, (_, i) => Float64Array.from({ length: n }, (_, j) => (a[i * n + j] + a[j * n + i]) / 2))
  const d = new Float64Array(n)
  const e = new Float64Array(n)
  if (n > 0) {
    tridiagonalise(v, d, e, n)
    implicitQl(v, d, e, n)
  }
  const order = Array.from(d.keys()).sort((i, j) => d[i] - d[j])
  order.forEach((from, j) => {
    out[j] = d[from]
    const vector = v[from]
    makeLargestPositive(vector, 0, n)
    for (let i = 0; i < n; i++) out[(i + 1) * n + j] = vector[i]
  })
  return out
}

/** tred2: Vᵀ·A·V is tridiagonal with the diagonal d and, below it, e[1..n). v holds the columns of A before and those of V after. */
function tridiagonalise(v: Float64Array[], d: Float64Array, e: Float64Array, n: number): void {
  d.set(v[n - 1])
  for (let i = n - 1; i > 0; i--) {
    let scale = 0
    let h = 0
    for (let k = 0; k < i; k++) scale += Math.abs(d[k])
    if (scale === 0) {
      e[i] = d[i - 1]
      for (let j = 0; j < i; j++) {
        d[j] = v[j][i - 1]
        v[j][i] = 0
        v[i][j] = 0
      }
    } else {
      for (let k = 0; k < i; k++) {
        d[k] /= scale
        h += d[k] * d[k]
      }
      let f = d[i - 1]
      let g = f > 0 ? -Math.sqrt(h) : Math.sqrt(h)
      e[i] = scale * g
      h -= f * g
      d[i - 1] = f - g
      e.fill(0, 0, i)
      // The similarity transformation of the remaining columns.
      for (let j = 0; j < i; j++) {
        const column = v[j]
        f = d[j]
        v[i][j] = f
        g = e[j] + column[j] * f
        for (let k = j + 1; k <= i - 1; k++) {
          g += column[k] * d[k]
          e[k] += column[k] * f
        }
        e[j] = g
      }
      f = 0
      for (let j = 0; j < i; j++) {
        e[j] /= h
        f += e[j] * d[j]
      }
      const hh = f / (h + h)
      for (let j = 0; j < i; j++) e[j] -= hh * d[j]
      for (let j = 0; j < i; j++) {
        const column = v[j]
        f = d[j]
        g = e[j]
        for (let k = j; k <= i - 1; k++) column[k] -= f * e[k] + g * d[k]
        d[j] = column[i - 1]
        column[i] = 0
      }
    }
    d[i] = h
  }
  // The product of the reflections.
  for (let i = 0; i < n - 1; i++) {
    v[i][n - 1] = v[i][i]
    v[i][i] = 1
    const h = d[i + 1]
    const reflector = v[i + 1]
    if (h !== 0) {
      for (let k = 0; k <= i; k++) d[k] = reflector[k] / h
      for (let j = 0; j <= i; j++) {
        const column = v[j]
        let g = 0
        for (let k = 0; k <= i; k++) g += reflector[k] * column[k]
        for (let k = 0; k <= i; k++) column[k] -= g * d[k]
      }
    }
    reflector.fill(0, 0, i + 1)
  }
  for (let j = 0; j < n; j++) {
    d[j] = v[j][n - 1]
    v[j][n - 1] = 0
  }
  v[n - 1][n - 1] = 1
  e[0] = 0
}

/** tql2: d becomes the eigenvalues of the tridiagonal matrix (d, e), in any order; the matrix of v's columns is multiplied by its eigenvectors. */
function implicitQl(v: Float64Array[], d: Float64Array, e: Float64Array, n: number): void {
  e.copyWithin(0, 1)
  e[n - 1] = 0
  let f = 0
  let largest = 0
  for (let l = 0; l < n; l++) {
    // The first small element below the diagonal.
    largest = Math.max(largest, Math.abs(d[l]) + Math.abs(e[l]))
    const small = Number.EPSILON * largest
    let m = l
    while (Math.abs(e[m]) > small) m++
    for (let step = 0; m > l && Math.abs(e[l]) > small; step++) {
      if (step === MOST_STEPS) throw new ValueError(`eigh: no convergence after ${MOST_STEPS} steps for one eigenvalue.`)
      f += shift(d, e, l, n)
      rotateUp(v, d, e, l, m)
    }
    d[l] += f
    e[l] = 0
  }
}

/** Subtracts the implicit shift from the diagonal, and returns it. */
function shift(d: Float64Array, e: Float64Array, l: number, n: number): number {
  const g = d[l]
  const p = (d[l + 1] - g) / (2 * e[l])
  const r = p < 0 ? -hypot(p, 1) : hypot(p, 1)
  d[l] = e[l] / (p + r)
  d[l + 1] = e[l] * (p + r)
  const h = g - d[l]
  for (let i = l + 2; i < n; i++) d[i] -= h
  return h
}

/** One QL step: rotations of neighbouring columns, from m − 1 down to l. */
function rotateUp(v: Float64Array[], d: Float64Array, e: Float64Array, l: number, m: number): void {
  const following = d[l + 1]
  const below = e[l + 1]
  let p = d[m]
  let [c, c2, c3, s, s2] = [1, 1, 1, 0, 0]
  for (let i = m - 1; i >= l; i--) {
    c3 = c2
    c2 = c
    s2 = s
    const g = c * e[i]
    const h = c * p
    const r = hypot(p, e[i])
    e[i + 1] = s * r
    s = e[i] / r
    c = p / r
    p = c * d[i] - s * g
    d[i + 1] = h + s * (c * g + s * d[i])
    rotate(v[i], v[i + 1], c, s)
  }
  p = (-s * s2 * c3 * below * e[l]) / following
  e[l] = s * p
  d[l] = c * p
}

/** Turns a pair of columns: left becomes c·left − s·right, right becomes s·left + c·right. */
function rotate(left: Float64Array, right: Float64Array, c: number, s: number): void {
  for (let k = 0; k < left.length; k++) {
    const [a, b] = [left[k], right[k]]
    left[k] = c * a - s * b
    right[k] = s * a + c * b
  }
}
