/**
 * Draws that take as many random numbers as they need: candidates are drawn until one is accepted. Candidate j of element i is a pure function of the key,
 * i and j, so no element depends on another.
 */
import { block, type Key } from '../../random.js'

/** A source of numbers uniform in (0, 1), one after another, for element i of a key. */
export type Uniform = () => number

export function uniformsOf(key: Key, i: number): Uniform {
  let counter = 0
  let spare: number | undefined
  return () => {
    if (spare !== undefined) {
      const word = spare
      spare = undefined
      return (word + 0.5) * 2 ** -32
    }
    const [word, other] = block(key, [i, counter++])
    spare = other
    return (word + 0.5) * 2 ** -32
  }
}

/** A standard normal value by the Box–Muller transform. */
const normalFrom = (u: Uniform): number => Math.sqrt(-2 * Math.log(u())) * Math.cos(2 * Math.PI * u())

/**
 * The logarithm of a gamma value of scale 1, which does not underflow for small shapes. Marsaglia & Tsang, "A simple method for generating gamma
 * variables" (2000): with d = α − 1/3, d·(1 + x/√(9d))³ of a normal x has nearly the density, and is accepted with the quotient. For α < 1 a value of
 * α + 1 is multiplied by u^(1/α).
 */
export function logGamma(alpha: number, u: Uniform): number {
  if (alpha < 1) return logGamma(alpha + 1, u) + Math.log(u()) / alpha
  const d = alpha - 1 / 3
  for (;;) {
    const x = normalFrom(u)
    const v = (1 + x / Math.sqrt(9 * d)) ** 3
    if (v > 0 && Math.log(u()) < x * x * 0.5 + d - d * v + d * Math.log(v)) return Math.log(d * v)
  }
}

/** A count of events of the given rate: the number of uniform factors before their product falls below e^−rate (Knuth), or for large rates by rejection. */
export function poissonCount(rate: number, u: Uniform): number {
  if (rate >= 10) return poissonByRejection(rate, u)
  let k = 0
  for (let product = u(); product > Math.exp(-rate); product *= u()) k++
  return k
}

/** Algorithm PTRS of W. Hörmann, "The transformed rejection method for generating Poisson random variables" (1993). */
function poissonByRejection(rate: number, u: Uniform): number {
  const b = 0.931 + 2.53 * Math.sqrt(rate)
  const a = -0.059 + 0.02483 * b
  const inverseAlpha = 1.1239 + 1.1328 / (b - 3.4)
  const easy = 0.9277 - 3.6224 / (b - 2)
  for (;;) {
    const x = u() - 0.5
    const v = u()
    const edge = 0.5 - Math.abs(x)
    const k = Math.floor(((2 * a) / edge + b) * x + rate + 0.43)
    if (edge >= 0.07 && v <= easy) return k
    if (k < 0 || (edge < 0.013 && v > edge)) continue
    if (Math.log((v * inverseAlpha) / (a / (edge * edge) + b)) <= k * Math.log(rate) - rate - logFactorial(k)) return k
  }
}

/** ln k!: a sum up to 9, beyond by Stirling's series, whose error is below 1/(1260·k⁵). */
function logFactorial(k: number): number {
  if (k < 10) {
    let sum = 0
    for (let i = 2; i <= k; i++) sum += Math.log(i)
    return sum
  }
  return (k + 0.5) * Math.log(k) - k + 0.5 * Math.log(2 * Math.PI) + 1 / (12 * k) - 1 / (360 * k ** 3)
}
