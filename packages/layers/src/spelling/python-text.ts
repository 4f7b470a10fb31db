/** Numbers as Python prints them, and texts with places for numbers. Keras makes file names and log files that way. */
import { ValueError } from '@cotangent/core'
import { unknownName } from './names.js'

/** Rounds exact decimal text to `digits` decimals, a half to the even neighbour; null if it is not exactly half. */
function evenHalf(exact: string, digits: number): string | null {
  const cut = exact.indexOf('.') + 1 + digits
  if (!/^50*$/.test(exact.slice(cut)) || '13579'.includes(exact.slice(0, cut).replace('.', '').slice(-1))) return null
  return digits === 0 ? exact.slice(0, cut - 1) : exact.slice(0, cut)
}

const isNegative = (x: number): boolean => x < 0 || Object.is(x, -0)

/** Python's `'%.{digits}f' % x`. If x lies exactly between two texts, Python takes the even one; JavaScript takes the larger. */
export function fixed(x: number, digits: number): string {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? 'nan' : x > 0 ? 'inf' : '-inf'
  const size = Math.abs(x)
  return (isNegative(x) ? '-' : '') + (evenHalf(size.toFixed(Math.min(100, digits + 60)), digits) ?? size.toFixed(digits))
}

/** Python's `'%.{digits}e' % x`, with at least two digits in the exponent. */
export function scientific(x: number, digits: number): string {
  if (!Number.isFinite(x)) return fixed(x, digits)
  const size = Math.abs(x)
  const [mantissa, exponent] = size.toExponential(digits).split('e')
  const even = evenHalf(size.toExponential(60).split('e')[0], digits)
  const power = Math.abs(Number(exponent))
  return `${isNegative(x) ? '-' : ''}${even ?? mantissa}e${Number(exponent) < 0 ? '-' : '+'}${String(power).padStart(2, '0')}`
}

/** Python's `repr` of a float: the shortest text that reads as the same number. */
export function floatText(x: number): string {
  if (!Number.isFinite(x)) return fixed(x, 0)
  if (x === 0) return isNegative(x) ? '-0.0' : '0.0'
  const [mantissa, exponent] = x.toExponential().split('e')
  const power = Number(exponent)
  if (power < -4 || power >= 16) return `${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
  // Between these bounds JavaScript writes no exponent either.
  return Number.isInteger(x) ? `${x}.0` : String(x)
}

/** One value in a format: `02d`, `.4f`, `8.2e`, `.1%`, or none. */
function formatted(value: number, format: string, isWhole: boolean, place: string): string {
  const [, zero, width, precision, code] = /^(0?)(\d*)(?:\.(\d+))?([dfe%]?)$/.exec(format) ?? []
  const wrong = (problem: string): ValueError =>
    new ValueError(
      `${place}: ${problem}. Formats are those of Python: {epoch:02d} for whole numbers, {val_loss:.4f}, {val_loss:.2e} or {val_acc:.1%}.`,
    )
  if (zero === undefined || (precision !== undefined && !'fe%'.includes(code || ' '))) throw wrong(`the format "${format}" is not known`)
  if (code === 'd' && !isWhole) throw wrong('"d" is for whole numbers')
  const digits = precision === undefined ? 6 : Number(precision)
  const texts: Record<string, () => string> = {
    f: () => fixed(value, digits),
    e: () => scientific(value, digits),
    '%': () => `${fixed(value * 100, digits)}%`,
  }
  const text = texts[code]?.() ?? (isWhole ? String(value) : floatText(value))
  const missing = Number(width || 0) - text.length
  if (missing <= 0) return text
  const sign = zero && text.startsWith('-') ? '-' : ''
  return sign + (zero ? '0' : ' ').repeat(missing) + text.slice(sign.length)
}

/**
 * Fills the places `{name}` and `{name:format}` of a text, as Python's `str.format` does. `{{` and `}}` stand for braces.
 *
 * @param what the function whose text it is, for messages
 * @param whole values that are whole numbers
 * @param others all other values
 * @throws ValueError for an unknown name or format, or a single brace
 * @example
 * ```ts
 * formatText('path', 'w.{epoch:02d}-{val_loss:.2f}.h5', { epoch: 3 }, { val_loss: 0.4 })   // 'w.03-0.40.h5'
 * ```
 */
export function formatText(what: string, text: string, whole: Record<string, number>, others: Record<string, number>): string {
  return text.replace(/\{\{|\}\}|\{([^{}]*)\}|[{}]/g, (place, inner: string | undefined) => {
    if (place === '{{' || place === '}}') return place[0]
    if (inner === undefined) throw new ValueError(`${what}: a brace "${place}" stands alone in "${text}". Write {{ or }} for a brace.`)
    const [name, format = ''] = inner.split(/:(.*)/s)
    const where = `${what}: "${place}" in "${text}"`
    if (Object.hasOwn(whole, name)) return formatted(whole[name], format, true, where)
    if (Object.hasOwn(others, name)) return formatted(others[name], format, false, where)
    const { message } = unknownName('log', name, [...Object.keys(whole), ...Object.keys(others)])
    throw new ValueError(
      `${where}: ${message}${name.startsWith('val_') ? ' Those of validation need validationData or validationSplit.' : ''}`,
    )
  })
}
