/** Numbers and times as people read them. */

/** `0.9731`, `1,234`, `3.2e-5`; a dash for what was not measured. */
export function num(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–'
  const size = Math.abs(value)
  if (Number.isInteger(value) && size < 1e15) return value.toLocaleString('en-US')
  if (size < 1e-4 || size >= 1e7) return Number(value.toPrecision(3)).toExponential().replace('e+', 'e')
  return size >= 1000 ? value.toLocaleString('en-US', { maximumFractionDigits: 1 }) : String(Number(value.toPrecision(4)))
}

/** `8.2 s`, `3 min 20 s`, `1 h 5 min`. */
export function duration(seconds: number): string {
  if (!(seconds >= 0)) return '–'
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`
  const whole = Math.round(seconds)
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)]
  return hours > 0 ? `${hours} h ${minutes} min` : `${minutes} min ${whole % 60} s`
}

/** `2026-11-30 17:43`, in the reader's time. */
export function moment(iso: string): string {
  const date = new Date(iso)
  if (Number.isNaN(date.getTime())) return iso
  const two = (n: number): string => String(n).padStart(2, '0')
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`
}

export const percent = (share: number): string => `${(100 * share).toFixed(share < 0.995 || share === 1 ? 0 : 1)}\u00a0%`

/** `1 epoch`, `2 epochs` */
export const counted = (n: number, noun: string): string => `${num(n)} ${noun}${n === 1 ? '' : 's'}`

/** A text cut to a length. */
export const short = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text)

/** A name for a file: `mnist-mlp-seed-1-loss`. */
export const fileName = (...parts: string[]): string =>
  parts
    .join('-')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 80) || 'report'

/** Whether a smaller value of this name is the better one; undefined if that is not known. */
export function smallerIsBetter(name: string): boolean | undefined {
  if (/loss|error|hinge|divergence|logcosh|poisson|crossentropy|perplexity|(^|_)(mse|mae|mape|msle|rmse)/i.test(name)) return true
  if (/acc|auc|precision|recall|score|f1|iou|r2|correlation/i.test(name)) return false
  return undefined
}

/** The best value of a series, and where it is. */
export function bestOf(name: string, values: readonly (number | null)[]): { value: number; at: number } | undefined {
  const smaller = smallerIsBetter(name)
  if (smaller === undefined) return undefined
  let best: { value: number; at: number } | undefined
  for (const [at, value] of values.entries())
    if (value !== null && (!best || (smaller ? value < best.value : value > best.value))) best = { value, at }
  return best
}
