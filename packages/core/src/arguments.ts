/**
 * Checks of arguments, and the wording of all messages about them. Types hold TypeScript callers to the right arguments. These checks are for plain
 * JavaScript, for values from forms, command lines and JSON, and for mistakes that types do not see, such as a misspelt option in an object made elsewhere.
 *
 * `what` is the name of the function as its user knows it, such as `sum` or `fit`. Every message begins with it.
 *
 * `@cotangent/core/arguments` exports this file to the layers, so that all packages word messages alike. It is not public.
 */
import { ValueError } from './errors.js'
import { isStranger, stranger } from './tensor/copies.js'
import type { Shape } from './tensor/shape.js'

/** A value in a few words, for messages: `null`, `text "abc"`, `an array of 3`, `a Promise: await it first`, `a tensor of float32 [2, 3]`. */
export function describeValue(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (typeof value === 'string') return `text ${JSON.stringify(value.length > 30 ? `${value.slice(0, 27)}…` : value)}`
  if (typeof value === 'bigint') return `the BigInt ${value}n`
  if (typeof value === 'function') return value.name ? `the function ${value.name}` : 'a function'
  if (typeof value !== 'object') return String(value)
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : `an array of ${value.length}`
  if (ArrayBuffer.isView(value)) return `${article(value.constructor.name)} of ${(value as { length?: number }).length ?? value.byteLength}`
  if (typeof (value as { then?: unknown }).then === 'function') return 'a Promise: await it first'
  if (isStranger(value)) return stranger
  const { storage, dtype, shape } = value as { storage?: unknown; dtype?: unknown; shape?: Shape }
  if (storage && Array.isArray(shape)) return `a tensor of ${dtype} [${shape.join(', ')}]`
  const { name } = value.constructor ?? {}
  if (name && name !== 'Object') return article(name)
  const keys = Object.keys(value)
  return keys.length === 0 ? 'an empty object' : `an object with ${keys.slice(0, 4).join(', ')}${keys.length > 4 ? ', …' : ''}`
}

const article = (noun: string): string => `${/^[AEIOU]/i.test(noun) ? 'an' : 'a'} ${noun}`

/** Throws for a tensor of another copy of core, which would otherwise be taken for data. */
export function refuseStranger(what: string, value: unknown): void {
  if (isStranger(value)) throw new ValueError(`${what}: got ${stranger}.`)
}

/**
 * Throws unless `options` is undefined or an object with no other keys than the named ones. People put an array, a tensor, a number or text in the place of the
 * options; the message then shows the right call.
 *
 * @param example the right call, if people often get it wrong: `x.sum({ axis: 1 })`
 */
export function requireOptions(what: string, options: unknown, names: readonly string[], example?: string): void {
  if (options === undefined) return
  requireObject(what, options, names, example)
  for (const key in options as object) if (!names.includes(key)) throw unknownOption(what, key, names)
}

/** Throws unless `options` is an object of options. Does not look at the keys. */
export function requireObject(what: string, options: unknown, names: readonly string[], example?: string): void {
  // A Map, a Date or a buffer is an error: none of its content would be read as options.
  const plain = Object.prototype.toString.call(options) === '[object Object]'
  if (plain && !('storage' in (options as object)) && typeof (options as { then?: unknown }).then !== 'function') return
  const right = example ? ` Write ${example}.` : names.length > 0 ? ` Options: ${names.join(', ')}.` : ''
  throw new ValueError(`${what}: expected an object of options, got ${describeValue(options)}.${right}`)
}

/** The error for an option that does not exist. It suggests the nearest that does. */
export function unknownOption(what: string, key: string, names: readonly string[]): ValueError {
  const near = nearest(key, names)
  const there = names.length > 0 ? `Options: ${names.join(', ')}.` : 'It takes no options.'
  return new ValueError(`${what}: there is no option "${key}".${near ? ` Did you mean "${near}"?` : ''} ${there}`)
}

/** The range of a number. */
export interface NumberRange {
  /** Values must be at least this. */
  least?: number
  /** Values must be at most this. */
  most?: number
  /** Values must be greater than this. */
  above?: number
  /** Values must be less than this. */
  below?: number
}

const inRange = (value: number, { least = -Infinity, most = Infinity, above = -Infinity, below = Infinity }: NumberRange): boolean =>
  value >= least && value <= most && (value > above || above === -Infinity) && (value < below || below === Infinity)

function rangeText({ least, most, above, below }: NumberRange): string {
  if (least !== undefined && most !== undefined) return ` from ${least} to ${most}`
  const high = most !== undefined ? ` up to ${most}` : below !== undefined ? ` below ${below}` : ''
  if (least !== undefined) return high ? ` from ${least} and${high}` : `, at least ${least}`
  const low = above !== undefined ? ` above ${above}` : ''
  return low && high ? `${low} and${high}` : low + high
}

function wrongNumber(what: string, name: string, value: unknown, kind: string, range: NumberRange): ValueError {
  const given = typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value))
  const hint = given ? ` Convert it first: Number(${JSON.stringify(value)}).` : ''
  return new ValueError(`${what}: ${name} must be ${kind}${rangeText(range)}, got ${describeValue(value)}.${hint}`)
}

/** Throws unless `value` is a finite number in the range. Text such as "3" is an error too. */
export function requireNumber(what: string, name: string, value: unknown, range: NumberRange = {}): void {
  if (typeof value === 'number' && Number.isFinite(value) && inRange(value, range)) return
  throw wrongNumber(what, name, value, 'a number', range)
}

/** Throws unless `value` is a number. NaN and the infinities are allowed. */
export function requireNumeric(what: string, name: string, value: unknown): void {
  if (typeof value !== 'number') throw wrongNumber(what, name, value, 'a number', {})
}

/** Throws unless `value` is a whole number in the range. */
export function requireWhole(what: string, name: string, value: unknown, range: NumberRange = {}): void {
  if (Number.isSafeInteger(value) && inRange(value as number, range)) return
  throw wrongNumber(what, name, value, 'a whole number', range)
}

/** Throws unless `value` is true or false. */
export function requireBoolean(what: string, name: string, value: unknown): void {
  if (typeof value !== 'boolean') throw new ValueError(`${what}: ${name} must be true or false, got ${describeValue(value)}.`)
}

/** Throws unless `value` is text and not empty. */
export function requireText(what: string, name: string, value: unknown): void {
  if (typeof value !== 'string' || value === '')
    throw new ValueError(`${what}: ${name} must be a text, got ${value === '' ? 'an empty one' : describeValue(value)}.`)
}

/** Throws unless `value` is one of the choices. The message suggests the nearest. */
export function requireChoice(what: string, name: string, value: unknown, choices: readonly (string | null | boolean | number)[]): void {
  if ((choices as readonly unknown[]).includes(value)) return
  const texts = choices.filter((choice) => typeof choice === 'string')
  const near = typeof value === 'string' ? nearest(value, texts) : undefined
  const shown = choices.map((choice) => (typeof choice === 'string' ? `'${choice}'` : String(choice)))
  const list = shown.length > 1 ? `${shown.slice(0, -1).join(', ')} or ${shown.at(-1)}` : shown[0]
  throw new ValueError(`${what}: ${name} must be ${list}, got ${describeValue(value)}.${near ? ` Did you mean '${near}'?` : ''}`)
}

/** Throws unless `value` is a function. */
export function requireFunction(what: string, name: string, value: unknown, example?: string): void {
  if (typeof value === 'function') return
  throw new ValueError(`${what}: ${name} must be a function, got ${describeValue(value)}.${example ? ` Write ${example}.` : ''}`)
}

/** A name without case and punctuation, so that `binaryAccuracy` and `binary_accuracy` are the same. */
export const canonical = (name: string): string => name.replace(/[^a-z0-9]/gi, '').toLowerCase()

/**
 * The fewest insertions, deletions, replacements and swaps of neighbours that turn a into b (optimal string alignment; Damerau 1964). It works row by row.
 */
export function editDistance(a: string, b: string): number {
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) next[j] = Math.min(next[j], before[j - 2] + 1)
    }
    before = row
    row = next
  }
  return row[b.length]
}

/** The candidate nearest to a mistyped name. Undefined if in every candidate more than a third of the letters differ. */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  // No name is that long, so this is no mistyped one; and the time for the distance grows with the square of the length.
  if (name.length > 100) return undefined
  let best: string | undefined
  let least = Infinity
  for (const candidate of candidates) {
    const distance = editDistance(canonical(name), canonical(candidate))
    if (distance < least) [best, least] = [candidate, distance]
  }
  return best !== undefined && least <= Math.max(1, Math.floor(Math.max(canonical(best).length, canonical(name).length) / 3))
    ? best
    : undefined
}
