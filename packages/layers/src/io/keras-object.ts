/** The shapes of Keras' JSON: objects with a class name and a config, wherever they come from. */
import { ValueError } from '@cotangent/core'

/** Any JSON object. */
export type Json = Record<string, unknown>

/** A layer, model, optimizer, initializer … as Keras writes it. */
export interface KerasObject {
  readonly class_name: string
  readonly config: Json
  readonly [key: string]: unknown
}

export const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Whether a value describes an object of a class. */
export const isKerasObject = (value: unknown): value is KerasObject =>
  isObject(value) && typeof value.class_name === 'string' && isObject(value.config)

/** Deeper than any model: each model inside another takes four or five levels. What reads JSON calls itself at every level, and the stack ends. */
const DEEPEST_JSON = 256

/** How deep objects and lists lie in each other in JSON text, up to a limit. */
function depthOf(text: string): number {
  let depth = 0
  let deepest = 0
  for (let at = 0; at < text.length && deepest <= DEEPEST_JSON; at++) {
    const c = text.charCodeAt(at)
    if (c === 0x22) {
      for (at++; at < text.length && text.charCodeAt(at) !== 0x22; at++) if (text.charCodeAt(at) === 0x5c) at++
    } else if (c === 0x7b || c === 0x5b) deepest = Math.max(deepest, ++depth)
    else if (c === 0x7d || c === 0x5d) depth--
  }
  return deepest
}

/** Whether an object anywhere inside has the key `__proto__`, which would turn into the prototype of what is made from it. */
const hasPrototypeKey = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && (Object.hasOwn(value, '__proto__') || Object.values(value).some(hasPrototypeKey))

/** JSON text as a value. @throws ValueError that names the part of the file. */
function parseJson(text: string, part: string): unknown {
  if (depthOf(text) > DEEPEST_JSON) throw new ValueError(`${part}: objects and lists lie in each other more than ${DEEPEST_JSON} deep.`)
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new ValueError(`${part}: not JSON (${error instanceof Error ? error.message : error}).`)
  }
}

/** JSON text as an object, whose keys may be any. @throws ValueError that names the part of the file. */
export function parseAnyObject(text: string, part: string): Json {
  const value = parseJson(text, part)
  if (!isObject(value))
    throw new ValueError(`${part}: a JSON object was expected, got ${Array.isArray(value) ? 'an array' : String(value)}.`)
  return value
}

/** JSON text as an object of Keras. @throws ValueError that names the part of the file. */
export function parseObject(text: string, part: string): Json {
  const value = parseAnyObject(text, part)
  if (hasPrototypeKey(value)) throw new ValueError(`${part}: no key may be "__proto__".`)
  return value
}

/** The object of a class at a place of the file, or an error that says so. */
export function requireKerasObject(value: unknown, part: string): KerasObject {
  if (isKerasObject(value)) return value
  throw new ValueError(`${part}: an object with class_name and config was expected.`)
}

/** Keys whose numbers are floats in Python. Keras 3 refuses `learning_rate: 1`, where it wants `1.0`. */
const floatKeys = new Set([
  ...[
    'alpha',
    'beta_1',
    'beta_2',
    'clipnorm',
    'clipvalue',
    'decay',
    'decay_rate',
    'delta',
    'dropout',
    'ema_momentum',
    'end_learning_rate',
    'epsilon',
  ],
  ...[
    'gain',
    'global_clipnorm',
    'initial_accumulator_value',
    'initial_learning_rate',
    'l1',
    'l2',
    'label_smoothing',
    'learning_rate',
    'loss_weights',
  ],
  ...[
    'mask_value',
    'maxval',
    'mean',
    'minval',
    'momentum',
    'negative_slope',
    'power',
    'rate',
    'recurrent_dropout',
    'rho',
    'schedule_decay',
    'stddev',
  ],
  ...['theta', 'threshold', 'values', 'warmup_target', 'weight_decay'],
])

/** JSON as Python's `json.dumps` writes it: every character is ASCII, and a whole number that is a float has `.0`. */
export function pythonJson(value: unknown, float = false): string {
  if (typeof value === 'number') return float && Number.isInteger(value) && Math.abs(value) < 1e21 ? `${value}.0` : JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map((item) => pythonJson(item ?? null, float)).join(', ')}]`
  if (!isObject(value)) return JSON.stringify(value).replace(/[\u007f-\uffff]/g, escaped)
  const entries = Object.entries(value).filter(([, item]) => item !== undefined)
  const inside = float && !isKerasObject(value) // loss_weights by output
  return `{${entries.map(([key, item]) => `${pythonJson(key)}: ${pythonJson(item, inside || floatKeys.has(key))}`).join(', ')}}`
}

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

/** `Custom>Adam` and `my_package>Mine` → the name of the class alone. */
export const plainClassName = (name: string): string => name.slice(name.lastIndexOf('>') + 1)

/** A key that an object somewhere in JSON text has twice: `JSON.parse` keeps the last and says nothing. The text must be JSON. */
export function repeatedKey(text: string): string | undefined {
  /** The keys of the objects that are open, from the outermost; of a list, nothing. */
  const open: (Set<string> | undefined)[] = []
  for (let at = 0; at < text.length; at++) {
    const c = text[at]
    if (c === '{') open.push(new Set())
    else if (c === '[') open.push(undefined)
    else if (c === '}' || c === ']') open.pop()
    else if (c === '"') {
      let end = at + 1
      while (text[end] !== '"') end += text[end] === '\\' ? 2 : 1
      let next = end + 1
      while (/\s/.test(text[next] ?? '')) next++
      if (text[next] === ':') {
        const key = JSON.parse(text.slice(at, end + 1)) as string
        const keys = open.at(-1)
        if (keys?.has(key)) return key
        keys?.add(key)
      }
      at = end
    }
  }
  return undefined
}
