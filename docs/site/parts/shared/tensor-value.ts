/** Numbers of a tensor, as a page shows them. */

export interface TensorValue {
  readonly shape: readonly number[]
  readonly values: ArrayLike<number>
  readonly name?: string
  /** The axes that are rows and columns; the last two by default. For images [n, h, w, c] these are [1, 2]. */
  readonly axes?: readonly [number, number]
}
export type TensorMode = 'numbers' | 'map' | 'both'

/** A number in a few characters: four digits that count. */
export function brief(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  const size = Math.abs(value)
  const sign = value < 0 ? '−' : ''
  if (size === Infinity) return `${sign}∞`
  if (size === 0) return '0'
  if (size >= 1e5 || size < 1e-3) return sign + size.toExponential(1).replace('e+', 'e').replace('e-', 'e−')
  return sign + (Number.isInteger(size) ? String(size) : size.toPrecision(4))
}

/** A number of float32 in as few digits as give the same one again, so that two that look alike have the same bits. */
export function float32Digits(value: number): string {
  for (let n = 1; n < 9; n++) {
    const text = String(Number(value.toPrecision(n)))
    if (Math.fround(Number(text)) === value) return text
  }
  return String(Number(value.toPrecision(9)))
}

/** The largest finite size of a number: the end of the colours. 1 if all are 0. */
export function reach(values: ArrayLike<number>): number {
  let most = 0
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i])
    if (size > most && size < Infinity) most = size
  }
  return most || 1
}

/** A few numbers, where there are too many to write. */
export function summaryOf(values: ArrayLike<number>): string {
  let least = Infinity
  let most = -Infinity
  let sum = 0
  let broken = 0
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    if (!Number.isFinite(value)) {
      broken++
      continue
    }
    least = Math.min(least, value)
    most = Math.max(most, value)
    sum += value
  }
  const count = values.length - broken
  const range = count > 0 ? `${brief(least)} to ${brief(most)}, mean ${brief(sum / count)}` : ''
  const first = Array.from({ length: Math.min(4, values.length) }, (_, i) => brief(values[i])).join('  ')
  return [range, broken > 0 ? `${broken} not finite` : '', `first: ${first}${values.length > 4 ? ' …' : ''}`].filter(Boolean).join('; ')
}
