/**
 * The discrete Fourier transform Y[k] = Σ x[j]·e^(−2πi·jk/n) of complex numbers in two float64 arrays, for any length.
 *
 * A length with small prime factors is transformed factor by factor (Stockham's self-sorting form of Cooley & Tukey 1965; Van Loan, "Computational
 * Frameworks for the Fast Fourier Transform", §1.7). Any other length becomes a convolution, of a power of two (Bluestein 1970).
 */

import { type Complex, complexArray, rootOfUnity, rootsOfUnity } from './roots.js'

/** Transforms x, which has the plan's length, into y. x is used up. The inverse without the factor 1/n: swap real and imaginary part in both. */
export type Plan = (x: Complex, y: Complex) => void

/** The largest prime factor that a pass takes: it costs p² operations for p elements. */
const LARGEST_FACTOR = 31

/** How many plans are kept, and up to which length: at most 40 MB each. Two, for the two axes of an image. */
const MOST_PLANS = 2
const LONGEST_KEPT = 2 ** 18
const plans = new Map<number, Plan>()

/** A transform of length n ≥ 1. To make it costs as much as to run it, so one plan serves all rows, and the last plans are kept. */
export function planTransform(n: number): Plan {
  const plan = plans.get(n) ?? makePlan(n)
  plans.delete(n) // the one used last goes to the end
  if (n <= LONGEST_KEPT) plans.set(n, plan)
  for (const oldest of plans.keys()) {
    if (plans.size <= MOST_PLANS) break
    plans.delete(oldest)
  }
  return plan
}

function makePlan(n: number): Plan {
  const factors = factorsOf(n)
  return factors.every((p) => p <= LARGEST_FACTOR) ? byFactors(n, factors) : byConvolution(n)
}

/** Factors of n: fours first, because a pass of four needs no more products than two passes of two; then primes. */
function factorsOf(n: number): number[] {
  const factors: number[] = []
  let rest = n
  for (; rest % 4 === 0; rest /= 4) factors.push(4)
  for (let p = 2; rest > 1; p++) {
    if (p * p > rest) p = rest // a prime is left
    for (; rest % p === 0; rest /= p) factors.push(p)
  }
  return factors
}

function byFactors(n: number, factors: readonly number[]): Plan {
  const roots = rootsOfUnity(n)
  const passes = factors.map((p) => (p === 4 ? passOf4 : p === 2 ? passOf2 : passOf(p, n, roots)))
  return (x, y) => {
    let [from, to] = [x, y]
    let stride = 1
    for (const [i, p] of factors.entries()) {
      passes[i](from, to, n / stride / p, stride, roots)
      stride *= p
      ;[from, to] = [to, from]
    }
    if (from !== y) {
      y[0].set(from[0])
      y[1].set(from[1])
    }
  }
}

/**
 * One pass with factor p: for q < m and j < stride, the p elements j + stride·(q + m·r) are transformed and multiplied by the powers of
 * e^(−2πi·q·stride/n). They go to the places j + stride·(p·q + t).
 */
type Pass = (x: Complex, y: Complex, m: number, stride: number, roots: Complex) => void

const passOf2: Pass = ([xr, xi], [yr, yi], m, stride, [cosines, sines]) => {
  for (let q = 0; q < m; q++) {
    const [c, s] = [cosines[q * stride], sines[q * stride]]
    for (let j = 0; j < stride; j++) {
      const a = j + stride * q
      const b = a + stride * m
      const out = j + stride * 2 * q
      yr[out] = xr[a] + xr[b]
      yi[out] = xi[a] + xi[b]
      storeTurned(yr, yi, out + stride, xr[a] - xr[b], xi[a] - xi[b], c, s)
    }
  }
}

const passOf4: Pass = ([xr, xi], [yr, yi], m, stride, [cosines, sines]) => {
  for (let q = 0; q < m; q++) {
    const at = q * stride
    const [c1, s1, c2, s2, c3, s3] = [cosines[at], sines[at], cosines[2 * at], sines[2 * at], cosines[3 * at], sines[3 * at]]
    for (let j = 0; j < stride; j++) {
      const a = j + at
      const b = a + stride * m
      const c = b + stride * m
      const d = c + stride * m
      const out = j + 4 * at
      const sumR = xr[a] + xr[c]
      const sumI = xi[a] + xi[c]
      const differenceR = xr[a] - xr[c]
      const differenceI = xi[a] - xi[c]
      const otherR = xr[b] + xr[d]
      const otherI = xi[b] + xi[d]
      const turnedR = xi[b] - xi[d] // −i·(b − d)
      const turnedI = xr[d] - xr[b]
      yr[out] = sumR + otherR
      yi[out] = sumI + otherI
      storeTurned(yr, yi, out + stride, differenceR + turnedR, differenceI + turnedI, c1, s1)
      storeTurned(yr, yi, out + 2 * stride, sumR - otherR, sumI - otherI, c2, s2)
      storeTurned(yr, yi, out + 3 * stride, differenceR - turnedR, differenceI - turnedI, c3, s3)
    }
  }
}

/** y[out] = (re + i·im)·(c + i·s) */
function storeTurned(yr: Float64Array, yi: Float64Array, out: number, re: number, im: number, c: number, s: number): void {
  yr[out] = re * c - im * s
  yi[out] = re * s + im * c
}

/** The pass of any factor p, by the definition. */
function passOf(p: number, n: number, roots: Complex): Pass {
  const [cosines, sines] = roots
  const step = n / p
  return ([xr, xi], [yr, yi], m, stride) => {
    for (let q = 0; q < m; q++) {
      for (let j = 0; j < stride; j++) {
        for (let t = 0; t < p; t++) {
          let re = 0
          let im = 0
          for (let r = 0; r < p; r++) {
            const a = j + stride * (q + m * r)
            const w = ((r * t) % p) * step
            re += xr[a] * cosines[w] - xi[a] * sines[w]
            im += xr[a] * sines[w] + xi[a] * cosines[w]
          }
          const w = q * t * stride
          const out = j + stride * (p * q + t)
          storeTurned(yr, yi, out, re, im, cosines[w], sines[w])
        }
      }
    }
  }
}

/** jk = (j² + k² − (k − j)²)/2 makes the transform a convolution with c[j] = e^(πi·j²/n), here by transforms of a power of two. */
function byConvolution(n: number): Plan {
  const size = 2 ** Math.ceil(Math.log2(2 * n - 1))
  const transform = makePlan(size)
  const [chirpR, chirpI] = complexArray(n) // e^(−πi·j²/n)
  const [kernel, spectrum, work, product] = Array.from({ length: 4 }, () => complexArray(size))
  for (let j = 0; j < n; j++) {
    ;[chirpR[j], chirpI[j]] = rootOfUnity((j * j) % (2 * n), 2 * n)
    const mirrored = j === 0 ? 0 : size - j
    kernel[0][j] = kernel[0][mirrored] = chirpR[j]
    kernel[1][j] = kernel[1][mirrored] = -chirpI[j]
  }
  transform(kernel, spectrum)
  const [kr, ki] = spectrum
  return ([xr, xi], [yr, yi]) => {
    const [wr, wi] = work
    wr.fill(0)
    wi.fill(0)
    for (let j = 0; j < n; j++) {
      wr[j] = xr[j] * chirpR[j] - xi[j] * chirpI[j]
      wi[j] = xr[j] * chirpI[j] + xi[j] * chirpR[j]
    }
    const [pr, pi] = product
    transform(work, product)
    for (let k = 0; k < size; k++) {
      wr[k] = pr[k] * kr[k] - pi[k] * ki[k]
      wi[k] = pr[k] * ki[k] + pi[k] * kr[k]
    }
    transform([wi, wr], [pi, pr]) // the inverse
    for (let k = 0; k < n; k++) {
      yr[k] = (pr[k] * chirpR[k] - pi[k] * chirpI[k]) / size
      yi[k] = (pr[k] * chirpI[k] + pi[k] * chirpR[k]) / size
    }
  }
}
