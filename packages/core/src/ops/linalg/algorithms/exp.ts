/** The exponential of a matrix by scaling, a Padé approximant of degree 13, and squaring (Higham 2005). */
import { eliminate, identity, solveByFactors } from './lu.js'
import { allFinite } from './qr.js'

/** Coefficients of the approximant's numerator; those of its denominator have alternating signs. */
const PADE = [
  64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800, 129060195264000, 10559470521600, 670442572800, 33522128640,
  1323241920, 40840800, 960960, 16380, 182, 1,
]
/** The largest norm for which degree 13 is exact in float64. */
const LARGEST_NORM = 5.371920351148152

/** e^A for a [n, n]; NaN if an element is not finite. */
export function exponential(a: Float64Array, n: number): Float64Array {
  if (!allFinite(a)) return new Float64Array(n * n).fill(Number.NaN)
  let norm = 0
  for (let j = 0; j < n; j++) {
    let sum = 0
    for (let i = 0; i < n; i++) sum += Math.abs(a[i * n + j])
    norm = Math.max(norm, sum)
  }
  const squarings = Math.max(0, Math.ceil(Math.log2(norm / LARGEST_NORM)))
  const a1 = a.map((x) => x * 2 ** -squarings)
  const a2 = multiply(a1, a1, n)
  const a4 = multiply(a2, a2, n)
  const a6 = multiply(a4, a2, n)
  /** c0·I + c2·A² + c4·A⁴ + c6·A⁶ + A⁶·(c8·A² + c10·A⁴ + c12·A⁶), with every second coefficient from `first` on. */
  const polynomial = (first: number): Float64Array => {
    const c = (power: number): number => PADE[first + power]
    const high = multiply(
      a6,
      a2.map((x, i) => c(8) * x + c(10) * a4[i] + c(12) * a6[i]),
      n,
    )
    for (let i = 0; i < n * n; i++) high[i] += c(2) * a2[i] + c(4) * a4[i] + c(6) * a6[i]
    for (let i = 0; i < n; i++) high[i * n + i] += c(0)
    return high
  }
  const even = polynomial(0)
  const odd = multiply(a1, polynomial(1), n)
  const denominator = even.map((x, i) => x - odd[i])
  const { order } = eliminate(denominator, n, n)
  let result = solveByFactors(
    denominator,
    order,
    even.map((x, i) => x + odd[i]),
    n,
    n,
  )
  if (norm === 0) result = identity(n)
  for (let i = 0; i < squarings; i++) result = multiply(result, result, n)
  return result
}

/** A·B, all [n, n]. */
function multiply(a: Float64Array, b: Float64Array, n: number): Float64Array {
  const out = new Float64Array(n * n)
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < n; k++) {
      const factor = a[i * n + k]
      for (let j = 0; j < n; j++) out[i * n + j] += factor * b[k * n + j]
    }
  }
  return out
}
