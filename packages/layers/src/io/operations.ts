/**
 * Operations on symbolic tensors in Keras 3's functional models. They stand among the layers with a module below `keras.src.ops`. Their class names may be those of
 * layers: `Add` of `keras.layers` is another class. Operands are the arguments of the call, constants among them; options are in the config.
 */
import { ValueError } from '@cotangent/core'
import type { TensorPlace } from '../graph/description.js'
import { InputLayer } from '../graph/input-layer.js'
import type { Kind } from '../graph/operations/kind.js'
import { kinds, operationOf } from '../graph/operations/kinds.js'
import { type Constant, Operation, type OperationOptions } from '../graph/operations/operation.js'
import type { Index } from '../graph/operations/shapes.js'
import type { SymbolicTensor } from '../graph/symbolic-tensor.js'
import type { BatchShape } from '../layer-types.js'
import { camelCase, snakeCase } from '../spelling/names.js'
import { isObject, type Json, type KerasObject } from './keras-object.js'
import { adviceForOperation, isRefusedOperation } from './refused.js'

/** Whether an object among the layers is an operation. In `.h5` files Keras 3 writes no module; but only layers have `trainable` there. */
export function isOperation(object: Json): boolean {
  const { module, class_name: className, config, inbound_nodes: nodes } = object
  if (typeof module === 'string') return /^keras\.(src\.)?ops(\.|$)/.test(module)
  const called = module === undefined && Array.isArray(nodes) && isObject(nodes[0]) && Array.isArray(nodes[0].args)
  return called && isObject(config) && !Object.hasOwn(config, 'trainable') && isKerasOperation(String(className))
}

const isKerasOperation = (className: string): boolean => operationOf(className) !== undefined || isRefusedOperation(className)

/** A tensor's place in Keras 3's arguments, `[layer, node, tensor]`; undefined for anything else. */
export function historyOf(value: unknown): readonly [string, number, number] | undefined {
  if (!isObject(value) || value.class_name !== '__keras_tensor__' || !isObject(value.config)) return undefined
  const history = value.config.keras_history
  const fits = Array.isArray(history) && typeof history[0] === 'string' && Number.isInteger(history[1]) && Number.isInteger(history[2])
  return fits ? (history as unknown as [string, number, number]) : undefined
}

/** The operation of an object, and the places of its inputs for each use. */
export function readOperation(object: KerasObject, part: string): { layer: Operation; inboundNodes: TensorPlace[][] } {
  const { class_name: className, config } = object
  const name = String(config.name ?? object.name)
  const where = `${part}, operation "${name}" (${className})`
  const op = operationOf(className)
  if (!op) {
    const classes = Object.values(kinds).map((kind) => kind.className)
    throw new ValueError(
      `${where} on tensors is not supported. ${adviceForOperation(className)} There are: ${[...new Set(classes)].sort().join(', ')}.`,
    )
  }
  const calls = (Array.isArray(object.inbound_nodes) ? object.inbound_nodes : []).map((node) => readCall(op, node, where))
  const [first, ...others] = calls
  const own = JSON.stringify([first?.constants, first?.options])
  if (!first || others.some(({ constants, options }) => JSON.stringify([constants, options]) !== own))
    throw new ValueError(`${where}: its calls must exist and have the same constants.`)
  const { constants, shape } = first
  const { read = (given: Json) => given } = kinds[op] as Kind
  const options = { ...readOptions(op, read(plain(config) as Json, shape, className), where), name, constants, ...first.options }
  return { layer: new Operation(op, options), inboundNodes: calls.map(({ places }) => places) }
}

/** Without Keras' objects for tuples. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (!isObject(value)) return value
  return Array.isArray(value.items)
    ? value.items.map(plain)
    : Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]))
}

/** The options in a config; those that say what happens anyway are left out. */
function readOptions(op: Operation['op'], config: Json, where: string): OperationOptions {
  const { className, words = {}, extra = {}, options } = kinds[op] as Kind
  const usual = (own: string): unknown => {
    try {
      return options[own].read(undefined, { className, name: own, options: {}, before: {} })
    } catch {
      return undefined // it must be given, which its check says
    }
  }
  const ours = new Map(Object.entries(words).map(([own, keras]) => [keras, own]))
  const read: Json = {}
  for (const [key, value] of Object.entries(config)) {
    const own = ours.get(key) ?? camelCase(key)
    if (key === 'name') continue
    if (value === null) {
      // Of an axis, null means all axes; elsewhere what is usual.
      if (own === 'axis' && Object.hasOwn(options, own) && usual(own) !== undefined)
        throw new ValueError(`${where}: config key "axis": null is not supported. Name the axis: axis=-1.`)
    } else if (Object.hasOwn(options, own)) read[own] = value
    else if (!Object.hasOwn(extra, key) || (value !== extra[key] && extra[key] !== undefined)) {
      const only = Object.hasOwn(extra, key) ? `, only ${JSON.stringify(extra[key])}` : ''
      throw new ValueError(
        `${where}: config key "${key}": ${JSON.stringify(value)} is not supported${only}. ${adviceForOperation(className)}`,
      )
    }
  }
  return read
}

interface Call {
  readonly places: TensorPlace[]
  readonly constants: Record<number, Constant | null>
  /** Options that are arguments of the call. */
  readonly options: Json
  /** The shape of the first tensor. */
  readonly shape: BatchShape
}

function readCall(op: Operation['op'], node: unknown, where: string): Call {
  const { className, operands: takes, inCall = {} } = kinds[op] as Kind
  const { args, kwargs } = isObject(node) ? node : {}
  const named = Object.entries(isObject(kwargs) ? kwargs : {}).filter(([, value]) => value !== null && value !== undefined)
  const names = furtherOf(op)
  const unknown = named.find(([key]) => !Object.hasOwn(inCall, key) && !names.some((name) => name.key === key))
  if (!Array.isArray(args) || unknown)
    throw new ValueError(`${where}: the call ${JSON.stringify(unknown ?? node)} is not supported. ${adviceForOperation(className)}`)
  const operands: unknown[] =
    takes === 'list' ? (historyOf(args[0]) ? [...args] : listOf(args[0], where)) : op === 'at' ? args.slice(0, 1) : [...args]
  for (const { key, place } of names) {
    const given = named.find(([name]) => name === key)
    if (given) operands[place] = given[1]
  }
  while (typeof takes === 'number' && operands.length > takes && (operands.at(-1) ?? null) === null) operands.pop()
  const places: TensorPlace[] = []
  const constants: Call['constants'] = {}
  for (const [i, operand] of operands.entries()) {
    const history = historyOf(operand)
    if (history) places.push({ layer: history[0], node: history[1], tensor: history[2] })
    else constants[i] = (operand ?? null) === null ? null : constantOf(operand, where)
  }
  const options = Object.fromEntries(named.flatMap(([key, value]) => (Object.hasOwn(inCall, key) ? [[inCall[key], value]] : [])))
  if (op === 'at' && args.length > 1) options.index = indexOf(args[1], where)
  return { places, constants, options, shape: shapeIn(operands) }
}

/** Operands that may be left out: their names in Keras, places, and whether calls name them. */
const furtherOf = (op: Operation['op']): { key: string; place: number; isNamed: boolean }[] => {
  const { further = [], operands } = kinds[op] as Kind
  return further.map((word, i) => ({ key: word.replace('=', ''), place: Number(operands) + i, isNamed: word.endsWith('=') }))
}

/** The shape of the first tensor among operands. */
function shapeIn(operands: readonly unknown[]): BatchShape {
  const first = operands.find((operand) => historyOf(operand) !== undefined) as { config: Json } | undefined
  return Array.isArray(first?.config.shape) ? (first.config.shape as BatchShape) : []
}

function listOf(value: unknown, where: string): unknown[] {
  const list = isObject(value) && value.class_name === '__tuple__' ? value.items : value
  if (Array.isArray(list)) return list
  throw new ValueError(`${where}: a list of operands was expected, got ${JSON.stringify(value)}.`)
}

/** Numbers of an argument: alone, in lists, or as an array of NumPy or of the backend. */
function constantOf(value: unknown, where: string): Constant {
  if (isObject(value) && (value.class_name === '__numpy__' || value.class_name === '__tensor__') && isObject(value.config))
    return constantOf(value.config.value, where)
  if (isObject(value) && value.class_name === '__tuple__') return constantOf(value.items, where)
  if (typeof value === 'number' || typeof value === 'boolean') return value
  if (Array.isArray(value)) return value.map((item) => constantOf(item, where))
  throw new ValueError(`${where}: the operand ${JSON.stringify(value)} is not supported.`)
}

/** The indices of `x[…]`, in the words of `at`. */
function indexOf(key: unknown, where: string): Index[] {
  return (Array.isArray(key) ? key : isObject(key) && Array.isArray(key.items) ? key.items : [key]).map((item): Index => {
    if (item === null || Number.isInteger(item)) return item as number | null
    const { class_name: kind, config } = isObject(item) ? item : {}
    if (kind === '__ellipsis__') return '...'
    if (kind !== '__slice__' || !isObject(config)) throw new ValueError(`${where}: the index ${JSON.stringify(item)} is not supported.`)
    const { start, stop, step } = config
    return [start, stop, ...(step === null || step === undefined ? [] : [step])].map((n) => n ?? '').join(':')
  })
}

/** An operation in the words of Keras 3, without its calls. */
export function operationObject(layer: Operation): KerasObject {
  const { className, module, options, words = {}, extra, inCall = {}, write } = layer.kind
  const own = Object.keys(options).filter((name) => name !== 'index' && !Object.values(inCall).includes(name))
  const values = layer as unknown as Json
  return {
    module: `keras.src.ops.${module}`,
    class_name: className,
    config: {
      name: layer.name,
      ...(write ? write(layer) : Object.fromEntries(own.map((name) => [words[name] ?? snakeCase(name), values[name] ?? null]))),
      ...extra,
    },
    registered_name: className,
  }
}

/** An operation in a Sequential, which Keras does not have: with one call, since that has the constants. */
export const operationAlone = (layer: Operation): KerasObject => ({
  ...operationObject(layer),
  inbound_nodes: [operationCall(layer, [{ class_name: '__keras_tensor__', config: { dtype: 'float32', keras_history: ['', 0, 0] } }])],
})

/** A call of an operation with these tensors. */
export function operationCall(layer: Operation, tensors: readonly Json[]): Json {
  const operands = layer.operands<unknown>(tensors, (value) => constantWords(value, tensors[0]))
  if (layer.op === 'at') return { args: [...operands, indexWords((layer as { index?: readonly Index[] }).index ?? [])], kwargs: {} }
  if (layer.kind.operands === 'list') return { args: [operands], kwargs: {} }
  const names = furtherOf(layer.op)
  const options = Object.entries(layer.kind.inCall ?? {}).map(([key, own]) => [key, (layer as unknown as Json)[own] ?? null])
  // Keras wants those that it does not name, null or not.
  const count = Math.max(operands.length, ...names.map(({ place }) => place + 1))
  return {
    args: Array.from({ length: count }, (_, i) => operands[i] ?? null).filter(
      (_, i) => !names.some(({ place, isNamed }) => place === i && isNamed),
    ),
    kwargs: Object.fromEntries([
      ...names.flatMap(({ key, place, isNamed }) => (isNamed ? [[key, operands[place] ?? null]] : [])),
      ...options,
    ]),
  }
}

/** Keras takes numbers as they are, and lists only as arrays. */
function constantWords(value: Constant, tensor: Json): unknown {
  if (typeof value === 'number' || typeof value === 'boolean') return value
  const { dtype } = tensor.config as Json
  return {
    class_name: '__numpy__',
    config: { value, dtype: value.flat(Number.POSITIVE_INFINITY as 1).every((item) => typeof item === 'boolean') ? 'bool' : dtype },
  }
}

const indexWords = (index: readonly Index[]): unknown[] =>
  index.map((item) => {
    if (item === '...') return { class_name: '__ellipsis__', config: {} }
    if (typeof item !== 'string') return item
    const [start, stop, step] = [...item.split(':'), '', ''].map((word) => (word.trim() === '' ? null : Number(word)))
    return { class_name: '__slice__', config: { start, stop, step } }
  })

/** A symbolic tensor in the arguments of a call. */
export const kerasTensor = (x: SymbolicTensor, history: readonly [string, number, number], dtype: string): Json => ({
  class_name: '__keras_tensor__',
  config: { shape: x.shape, dtype: dtypeOf(x, dtype), keras_history: history },
})

/** The dtype of a symbolic tensor: an operation may make truth values or whole numbers, or keep those of its operands. */
function dtypeOf(x: SymbolicTensor, dtype: string): string {
  let at = x
  while (at.layer instanceof Operation) {
    const { dtype: made } = at.layer.kind
    const own = (at.layer as { dtype?: string }).dtype ?? (Array.isArray(made) ? made[at.index] : made)
    if (own) return own
    at = at.node.inputs[at.node.inputs.length - 1]
  }
  return (at.layer instanceof InputLayer ? at.layer.dtype : undefined) ?? dtype
}
