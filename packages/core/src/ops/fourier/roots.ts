/**
 * Roots of unity by additions and multiplications alone. JavaScript engines differ in the last bits of `Math.sin` and `Math.cos`; with these roots a transform has
 * the same bits in all of them.
 */

/** A complex array: its real and its imaginary parts. */
export type Complex = readonly [real: Float64Array, imag: Float64Array]

/** n complex zeros. */
export const complexArray = (n: number): Complex => [new Float64Array(n), new Float64Array(n)]

/** Coefficients (−1)ⁱ/(2i + first)! of a Taylor series, the last one first. Up to π/4, nine of them leave an error below 1e-18. */
function taylor(first: 0 | 1): readonly number[] {
  const coefficients = [1]
  for (let i = 1; i < 10; i++) coefficients.unshift(-coefficients[0] / ((2 * i + first - 1) * (2 * i + first)))
  return coefficients
}
const COSINE = taylor(0)
const SINE = taylor(1)

const horner = (coefficients: readonly number[], x: number): number => {
  let sum = 0
  for (let i = 0; i < coefficients.length; i++) sum = sum * x + coefficients[i]
  return sum
}

/** e^(−2πi·k/n) for whole k ≥ 0, as [cosine, sine]. */
export function rootOfUnity(k: number, n: number): [number, number] {
  const quarters = Math.round((4 * (k % n)) / n)
  const angle = ((Math.PI / 2) * (4 * (k % n) - quarters * n)) / n // from −π/4 to π/4; the whole numbers are exact
  const square = angle * angle
  const cosine = horner(COSINE, square)
  const sine = -angle * horner(SINE, square)
  // A quarter turn of e^(−i·angle) is a multiplication by −i.
  switch (quarters % 4) {
    case 1:
      return [sine, -cosine]
    case 2:
      return [-cosine, -sine]
    case 3:
      return [-sine, cosine]
    default:
      return [cosine, sine]
  }
}

/** e^(−2πi·k/n) for k < count. */
export function rootsOfUnity(n: number, count = n): Complex {
  const [cosines, sines] = complexArray(count)
  for (let k = 0; k < count; k++) [cosines[k], sines[k]] = rootOfUnity(k, n)
  return [cosines, sines]
}
