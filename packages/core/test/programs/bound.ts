/**
 * How far rounding to float32 may move a result.
 *
 * The bound comes from the condition of a program, which is measured: the reference runs again in float64 with values changed at random by at most 2⁻²⁰ of their
 * size (16 roundings to float32), and in float32. How far these runs move a result is about the most that rounding does to it. What moves by more than a hundredth, such as a
 * step of `floor` near its edge, is not compared.
 */

export const EPSILON = 2 ** -20
/** How many times the largest movement in the float64 runs is allowed: they moved at random, and may all have missed the worst. */
const SAFETY = 8
/**
 * How many times the movement in float32 is allowed. The reference rounds each primitive correctly, by 6e-8 at most; a kernel may be wrong by 2e-6. This shows where an op
 * cancels inside, as x − tanh(x) does near 0.
 */
const SAFETY_FLOAT32 = 32
/** Of the largest element: kernels of transcendental functions and sums differ from the exact value by up to 2e-6 (wasm/accuracy.test.ts). */
const FLOOR = 2 ** -18
/**
 * Terms that cancel within a rule leave their roundings, which no run of the reference shows: 1 − y² where tanh is almost 1, or the second derivative of |x|. So the floor
 * is at least that of this many times the largest of all results up to this derivative.
 */
const CANCELLED = 4

/** A number in [−1, 1) that looks random. */
export const noise = (seed: number): number => {
  const s = Math.sin(seed) * 43758.5453
  return 2 * (s - Math.floor(s)) - 1
}

const largestOf = (data: ArrayLike<number>): number => {
  let largest = 0
  for (let i = 0; i < data.length; i++) largest = Math.max(largest, Math.abs(data[i]))
  return largest
}

export const furthest = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let worst = 0
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) worst = Math.max(worst, Math.abs(a[i] - b[i]))
  return worst
}

/** Numbers outside this range overflow or vanish in float32. */
const isComparable = (largest: number): boolean => Number.isFinite(largest) && largest < 1e30

/** The largest element of those results that float32 holds. */
export const largestComparable = (results: readonly ArrayLike<number>[]): number =>
  Math.max(0, ...results.map(largestOf).filter(isComparable))

/**
 * Compares a result with that of the reference, which also ran in float32 and, in float64, with values moved; undefined if float32 cannot hold it. `used` is the error as a part of its bound. `moves`: rounding changes the result
 * by more than a hundredth.
 */
export function compareWithin(
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  [float32, ...moved]: readonly ArrayLike<number>[],
  largestOfAll: number,
  isFloat = true,
): { used: number; moves: boolean; text: string } | undefined {
  const largest = largestOf(want)
  const rounding = furthest(float32, want)
  const movement = Math.max(rounding, ...moved.map((other) => furthest(other, want)))
  if (!isComparable(largest) || !isComparable(movement)) return undefined
  const size = Math.max(largest, CANCELLED * largestOfAll)
  const bound = Math.max(SAFETY * movement, SAFETY_FLOAT32 * rounding) + (isFloat ? FLOOR * size : 0)
  const difference = furthest(got, want)
  const moves = movement > size / 100
  return {
    used: moves || difference === 0 ? 0 : difference / bound,
    moves,
    text: `differs from the reference by ${difference}, the bound is ${bound}, its largest element ${largest}`,
  }
}
