/**
 * Boundaries between bins that hold about as many values each, by a summary of at most about 1/ε values, as Keras 3.16's layers/preprocessing/discretization.py
 * makes it, with its roundings to float32.
 */

/** Values in order, and how many each stands for. */
export interface Summary {
  readonly values: Float32Array
  readonly weights: Float32Array
}

export const emptySummary: Summary = { values: new Float32Array(0), weights: new Float32Array(0) }

/** Every step-th of the sorted values. */
export function summarize(data: ArrayLike<number>, epsilon: number): Summary {
  const sorted = Float32Array.from(data).sort()
  const increment = sorted.length * epsilon
  const step = Math.max(increment, 1)
  const first = Math.trunc(Math.max(increment - 1, 0))
  const values = sorted.filter((_, i) => i >= first && (i - first) % Math.trunc(step) === 0)
  return { values, weights: values.map(() => step) }
}

/** The summary of two sets of values together. */
export function mergeSummaries(a: Summary, b: Summary, epsilon: number): Summary {
  const all = [...a.values].map((value, i) => [value, a.weights[i]]).concat([...b.values].map((value, i) => [value, b.weights[i]]))
  all.sort(([x], [y]) => x - y)
  return compress({ values: Float32Array.from(all, ([value]) => value), weights: Float32Array.from(all, ([, weight]) => weight) }, epsilon)
}

/** The boundaries of `bins` bins. */
export const boundariesOf = (summary: Summary, bins: number): number[] => [...compress(summary, 1 / bins).values].slice(0, -1)

function compress(summary: Summary, epsilon: number): Summary {
  if (summary.values.length * epsilon < 1) return summary
  const percents = Array.from({ length: Math.ceil(1 / epsilon) }, (_, i) => epsilon + i * epsilon)
  let sum = 0
  // NumPy sums float32 values in float32.
  const sums = Array.from(summary.weights, (weight) => (sum = Math.fround(sum + weight)))
  const shares = sums.map((one) => Math.fround(one / sum))
  const values = percents.map((at) => interpolated(at, shares, summary.values))
  const counts = percents.map((at) => interpolated(at, shares, sums))
  return { values: Float32Array.from(values), weights: Float32Array.from(counts, (count, i) => count - (counts[i - 1] ?? 0)) }
}

/** The value at x on the line through the points (xs, ys); the ends go on level. */
function interpolated(x: number, xs: ArrayLike<number>, ys: ArrayLike<number>): number {
  const last = xs.length - 1
  if (x >= xs[last]) return ys[last]
  if (x <= xs[0]) return ys[0]
  let at = 0
  while (xs[at + 1] <= x) at++
  return ys[at] + ((ys[at + 1] - ys[at]) / (xs[at + 1] - xs[at])) * (x - xs[at])
}
