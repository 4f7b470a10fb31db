/** Keras' JSON: objects with a class name and a config. */
import { ValueError } from '@cotangent/core'

/** Any JSON object. */
export type Json = Record<string, unknown>

/** A layer, model, optimizer, initializer or the like, as Keras writes it. */
export interface KerasObject {
  readonly class_name: string
  readonly config: Json
  readonly [key: string]: unknown
}

/** Whether a value is an object, and no array. */
export const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Whether a value has a class name and a config. */
export const isKerasObject = (value: unknown): value is KerasObject =>
  isObject(value) && typeof value.class_name === 'string' && isObject(value.config)

/**
 * Deeper than any model: each model inside another takes four or five levels. Readers of JSON recurse at every level, so deeper text could overflow the stack.
 */
const DEEPEST_JSON = 256

/** The nesting depth of objects and lists in JSON text, up to a limit. */
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

/** Whether an object inside has the key `__proto__`. It would become the prototype of objects made from it. */
const hasPrototypeKey = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && (Object.hasOwn(value, '__proto__') || Object.values(value).some(hasPrototypeKey))

/** JSON text as a value. @throws ValueError that names the part of the file. */
function parseJson(text: string, part: string): unknown {
  if (depthOf(text) > DEEPEST_JSON) throw new ValueError(`${part}: objects and lists lie in each other more than ${DEEPEST_JSON} deep.`)
  try {
    return JSON.parse(text)
  } catch (error) {
    const numbers = text.replace(/"(?:[^"\\]|\\.)*"|-?\bInfinity\b/g, (word) =>
      word.endsWith('"') ? word : word.replace('Infinity', '1e999'),
    )
    // Python writes infinities as words.
    if (numbers !== text) return parseJson(numbers, part)
    throw new ValueError(`${part}: not JSON (${error instanceof Error ? error.message : error}).`)
  }
}

/** JSON text as an object with any keys. @throws ValueError that names the part of the file */
export function parseAnyObject(text: string, part: string): Json {
  const value = parseJson(text, part)
  if (!isObject(value))
    throw new ValueError(`${part}: a JSON object was expected, got ${Array.isArray(value) ? 'an array' : String(value)}.`)
  return value
}

/** JSON text as an object of Keras. @throws ValueError that names the part of the file */
export function parseObject(text: string, part: string): Json {
  const value = parseAnyObject(text, part)
  if (hasPrototypeKey(value)) throw new ValueError(`${part}: no key may be "__proto__".`)
  return value
}

/** The object at a place in the file. Throws if it has no class name and config. */
export function requireKerasObject(value: unknown, part: string): KerasObject {
  if (isKerasObject(value)) return value
  throw new ValueError(`${part}: an object with class_name and config was expected.`)
}

/** Keys whose numbers are floats in Python. Keras 3 refuses `learning_rate: 1` and wants `1.0`. */
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

/** JSON as Python's `json.dumps` writes it: all characters are ASCII, and a whole number that is a float has `.0`. */
export function pythonJson(value: unknown, float = false): string {
  if (value === Infinity || value === -Infinity) return String(value)
  if (typeof value === 'number') return float && Number.isInteger(value) && Math.abs(value) < 1e21 ? `${value}.0` : JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map((item) => pythonJson(item ?? null, float)).join(', ')}]`
  if (!isObject(value)) return JSON.stringify(value).replace(/[\u007f-\uffff]/g, escaped)
  const entries = Object.entries(value).filter(([, item]) => item !== undefined)
  const inside = float && !isKerasObject(value) // loss_weights by output
  return `{${entries.map(([key, item]) => `${pythonJson(key)}: ${pythonJson(item, inside || floatKeys.has(key))}`).join(', ')}}`
}

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

/** The name of the class alone: `Custom>Adam` → `Adam`. */
export const plainClassName = (name: string): string => name.slice(name.lastIndexOf('>') + 1)

/**
 * A key that some object in JSON text has twice; undefined if there is none. `JSON.parse` keeps the last one silently. The text must be valid JSON.
 */
export function repeatedKey(text: string): string | undefined {
  /** The keys of the open objects, from the outermost; undefined for a list. */
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

/** A tensor's place as Keras before version 3 has it, perhaps with arguments of the call. */
export type Place = readonly [layer: string, node: number, tensor: number, ...unknown[]]
export const isPlace = (value: unknown): value is Place =>
  Array.isArray(value) && typeof value[0] === 'string' && Number.isInteger(value[1]) && Number.isInteger(value[2])

/** The name of a place in a `.keras` file, of the layer's class: `MaxPooling2D` → `max_pooling2d` (keras.src.utils.naming.to_snake_case). */
export const containerName = (className: string): string =>
  className
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase()
