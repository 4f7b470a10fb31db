/** Statistics of repeated measurements: median, minimum and maximum. A mean would be ruined by one interrupted round. */

export interface Spread {
  median: number
  min: number
  max: number
}

/** Median, minimum and maximum; the median of an even count is the mean of the two in the middle. */
export function spread(values: readonly number[]): Spread {
  if (values.length === 0) throw new RangeError('spread: there are no values.')
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  const median = sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
  return { median, min: sorted[0], max: sorted[sorted.length - 1] }
}

/** theirs[i] / ours[i] for each round that both have. It divides times measured side by side, not two medians. */
export function ratios(theirs: readonly number[], ours: readonly number[]): number[] {
  const rounds = Math.min(theirs.length, ours.length)
  return Array.from({ length: rounds }, (_, i) => theirs[i] / ours[i])
}
