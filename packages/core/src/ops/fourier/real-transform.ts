/** Fourier transforms of real numbers: half the spectrum, and for even lengths half the work (Press et al., "Numerical Recipes", §12.3). */
import { type Complex, complexArray, rootsOfUnity } from './roots.js'
import { type Plan, planTransform } from './transform.js'

/** The two directions for rows of n real numbers and spectra of ⌊n/2⌋ + 1 complex ones. */
export interface RealPlan {
  /** y[k] = Σ x[j]·e^(−2πi·jk/n) for k ≤ n/2. */
  forward(x: Float64Array, y: Complex): void
  /** The adjoint of `forward`: x[j] = Σ over k ≤ n/2 of the real part of y[k]·e^(2πi·jk/n). */
  adjoint(y: Complex, x: Float64Array): void
}

/** Plans for rows of n ≥ 1 real numbers. */
export const planReal = (n: number): RealPlan => (n % 2 === 0 ? evenLength(n) : oddLength(n))

/** The adjoint takes real parts of a transform whose upper half is 0. */
function oddLength(n: number): RealPlan {
  const transform = planTransform(n)
  const [z, out] = [complexArray(n), complexArray(n)]
  const half = (n - 1) / 2
  return {
    forward(x, y) {
      z[0].set(x)
      z[1].fill(0)
      transform(z, out)
      for (const part of [0, 1]) y[part].set(out[part].subarray(0, half + 1))
    },
    adjoint(y, x) {
      for (const part of [0, 1]) z[part].fill(0, half + 1)
      for (const part of [0, 1]) z[part].set(y[part])
      inverse(transform, z, out)
      x.set(out[0])
    },
  }
}

const inverse = (transform: Plan, [xr, xi]: Complex, [yr, yi]: Complex): void => transform([xi, xr], [yi, yr])

/** x[2j] + i·x[2j + 1] is transformed, with half the length; even and odd positions are taken apart afterwards. */
function evenLength(n: number): RealPlan {
  const half = n / 2
  const transform = planTransform(half)
  const [z, out] = [complexArray(half), complexArray(half)]
  const [cosines, sines] = rootsOfUnity(n, half + 1)
  return {
    forward(x, [yr, yi]) {
      for (let j = 0; j < half; j++) {
        z[0][j] = x[2 * j]
        z[1][j] = x[2 * j + 1]
      }
      transform(z, out)
      const [zr, zi] = out
      for (let k = 0; k <= half; k++) {
        const [a, b] = [k % half, (half - k) % half]
        // With E and O of the even and odd positions: z[a] = E + i·O, and the conjugate of z[b] is E − i·O.
        const [er, ei, or, oi] = [zr[a] + zr[b], zi[a] - zi[b], zi[a] + zi[b], zr[b] - zr[a]]
        yr[k] = (er + or * cosines[k] - oi * sines[k]) / 2
        yi[k] = (ei + oi * cosines[k] + or * sines[k]) / 2
      }
    },
    adjoint([yr, yi], x) {
      // h is the spectrum whose transform is the real part wanted: h[k] = y[k]/2 and h[n − k] its conjugate; the ends count once and are real.
      for (let k = 0; k < half; k++) {
        const end = k === 0
        const [ar, ai] = end ? [yr[0], 0] : [yr[k] / 2, yi[k] / 2]
        const [br, bi] = end ? [yr[half], 0] : [yr[half - k] / 2, -yi[half - k] / 2]
        const [dr, di] = [ar - br, ai - bi]
        // E + i·O, with O = (a − b)·e^(2πi·k/n)
        z[0][k] = ar + br - di * cosines[k] + dr * sines[k]
        z[1][k] = ai + bi + dr * cosines[k] + di * sines[k]
      }
      inverse(transform, z, out)
      for (let j = 0; j < half; j++) {
        x[2 * j] = out[0][j]
        x[2 * j + 1] = out[1][j]
      }
    },
  }
}
