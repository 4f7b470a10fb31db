/**
 * Operations between layers as tf.keras 2 wrote them: `TFOpLambda` and `SlicingOpLambda` (2.4 to 2.15), which name a function of TensorFlow and keep its arguments with
 * the places of tensors. Here they become the operations of Keras 3. Source: Keras 2.15, layers/core/tf_op_layer.py and engine/node.py.
 */
import { addContext, type DType, ValueError } from '@cotangent/core'
import type { TensorPlace } from '../graph/description.js'
import type { OperationName } from '../graph/operations/kinds.js'
import { type Constant, Operation, type OperationOptions } from '../graph/operations/operation.js'
import type { Index } from '../graph/operations/shapes.js'
import { isObject, isPlace, type Json, type KerasObject } from './keras-object.js'

/** How a function of TensorFlow becomes an operation. */
interface Translation {
  readonly op: OperationName
  /** Arguments that are operands, in their order behind the first one. */
  readonly operands?: readonly string[]
  /** Arguments that are options here. */
  readonly options?: Readonly<Record<string, string>>
  /** Options where the arguments are left out. */
  readonly usual?: Json
  /** Arguments that must have these values. */
  readonly only?: Json
  /** Arguments that `more` reads. */
  readonly reads?: readonly string[]
  /** Further options, of the arguments. */
  readonly more?: (given: Json) => OperationOptions & { op?: OperationName }
}

const plain = (names: Readonly<Record<string, OperationName>>): Record<string, Translation> =>
  Object.fromEntries(Object.entries(names).map(([name, op]) => [name, { op }]))
const binary = (names: Readonly<Record<string, OperationName>>): Record<string, Translation> =>
  Object.fromEntries(Object.entries(names).map(([name, op]) => [name, { op, operands: ['y'] }]))
const reduction = (names: Readonly<Record<string, OperationName>>): Record<string, Translation> =>
  Object.fromEntries(
    Object.entries(names).map(([name, op]) => [name, { op, options: { axis: 'axis', keepdims: 'keepDims', keep_dims: 'keepDims' } }]),
  )

/** By the function's name without its module. */
const translations: Readonly<Record<string, Translation>> = {
  ...plain({
    ...{
      abs: 'abs',
      negative: 'neg',
      sign: 'sign',
      square: 'square',
      sqrt: 'sqrt',
      rsqrt: 'rsqrt',
      reciprocal: 'reciprocal',
      exp: 'exp',
      expm1: 'expm1',
    },
    ...{
      log: 'log',
      log1p: 'log1p',
      sin: 'sin',
      cos: 'cos',
      tan: 'tan',
      tanh: 'tanh',
      erf: 'erf',
      floor: 'floor',
      ceil: 'ceil',
      round: 'round',
    },
    ...{
      relu: 'relu',
      relu6: 'relu6',
      sigmoid: 'sigmoid',
      softplus: 'softplus',
      softsign: 'softsign',
      elu: 'elu',
      selu: 'selu',
      silu: 'silu',
      swish: 'silu',
    },
    ...{ log_sigmoid: 'logSigmoid', logical_not: 'logicalNot', is_nan: 'isNaN', identity: 'copy', stop_gradient: 'stopGradient' },
    ...{ zeros_like: 'zerosLike', ones_like: 'onesLike', rgb_to_grayscale: 'rgbToGrayscale' },
  }),
  ...binary({
    ...{
      add: 'add',
      subtract: 'sub',
      multiply: 'mul',
      divide: 'div',
      truediv: 'div',
      floordiv: 'floorDiv',
      pow: 'pow',
      mod: 'mod',
      floormod: 'mod',
    },
    ...{
      maximum: 'maximum',
      minimum: 'minimum',
      equal: 'equal',
      eq: 'equal',
      not_equal: 'notEqual',
      ne: 'notEqual',
      less: 'less',
      less_equal: 'lessEqual',
    },
    ...{
      greater: 'greater',
      greater_equal: 'greaterEqual',
      logical_and: 'logicalAnd',
      logical_or: 'logicalOr',
      logical_xor: 'logicalXor',
      atan2: 'atan2',
    },
    ...{ divide_no_nan: 'divNoNaN' },
  }),
  ...reduction({
    ...{
      reduce_mean: 'mean',
      reduce_sum: 'sum',
      reduce_max: 'max',
      reduce_min: 'min',
      reduce_prod: 'prod',
      reduce_any: 'any',
      reduce_all: 'all',
    },
    ...{ reduce_std: 'std', reduce_variance: 'variance', reduce_logsumexp: 'logSumExp' },
  }),
  softmax: { op: 'softmax', options: { axis: 'axis' } },
  log_softmax: { op: 'logSoftmax', options: { axis: 'axis' } },
  leaky_relu: { op: 'leakyRelu', options: { alpha: 'negativeSlope' } },
  gelu: { op: 'gelu', options: { approximate: 'approximate' } },
  argmax: { op: 'argMax', options: { axis: 'axis' }, usual: { axis: 0 }, only: { output_type: undefined } },
  argmin: { op: 'argMin', options: { axis: 'axis' }, usual: { axis: 0 }, only: { output_type: undefined } },
  cumsum: { op: 'cumSum', options: { axis: 'axis' }, usual: { axis: 0 }, only: { exclusive: false, reverse: false } },
  l2_normalize: {
    op: 'unitNorm',
    options: { axis: 'axis' },
    reads: ['epsilon'],
    more: ({ epsilon }) => ({ epsilon: Math.sqrt(typeof epsilon === 'number' ? epsilon : 1e-12) }),
  },
  norm: { op: 'norm', options: { axis: 'axis', keepdims: 'keepDims' }, only: { ord: 'euclidean' } },
  clip_by_value: { op: 'clip', options: { clip_value_min: 'min', clip_value_max: 'max' } },
  cast: { op: 'cast', reads: ['dtype'], more: dtypeOf },
  reshape: { op: 'reshape', options: { shape: 'shape' } },
  transpose: { op: 'transpose', options: { perm: 'axes' } },
  expand_dims: { op: 'expandDims', options: { axis: 'axis' } },
  squeeze: { op: 'squeeze', options: { axis: 'axis', squeeze_dims: 'axis' } },
  reverse: { op: 'flip', options: { axis: 'axis' } },
  tile: { op: 'tile', options: { multiples: 'repeats' } },
  repeat: { op: 'repeat', options: { repeats: 'repeats', axis: 'axis' } },
  roll: { op: 'roll', options: { shift: 'shift', axis: 'axis' } },
  broadcast_to: { op: 'broadcastTo', options: { shape: 'shape' } },
  concat: { op: 'concat', options: { axis: 'axis' } },
  stack: { op: 'stack', options: { axis: 'axis' }, usual: { axis: 0 } },
  split: { op: 'split', options: { num_or_size_splits: 'parts', axis: 'axis' }, usual: { axis: 0 } },
  unstack: { op: 'unstack', options: { num: 'num', axis: 'axis' }, usual: { axis: 0 } },
  gather: { op: 'gather', operands: ['indices'], options: { axis: 'axis' }, usual: { axis: 0 }, only: { batch_dims: 0 } },
  where: { op: 'where', operands: ['x', 'y'] },
  one_hot: {
    op: 'oneHot',
    options: { depth: 'depth', axis: 'axis' },
    only: { on_value: undefined, off_value: undefined },
    reads: ['dtype'],
    more: dtypeOf,
  },
  top_k: { op: 'topK', options: { k: 'k' }, only: { sorted: true } },
  pad: {
    op: 'pad',
    options: { paddings: 'pads', constant_values: 'value' },
    reads: ['mode'],
    more: ({ mode }) => ({ mode: String(mode ?? 'constant').toLowerCase() }),
  },
  resize: {
    op: 'resize',
    options: { size: 'size', method: 'interpolation', antialias: 'antialias' },
    only: { preserve_aspect_ratio: false },
  },
  depth_to_space: { op: 'depthToSpace', options: { block_size: 'blockSize' }, only: { data_format: 'NHWC' } },
  space_to_depth: { op: 'spaceToDepth', options: { block_size: 'blockSize' }, only: { data_format: 'NHWC' } },
  matmul: {
    op: 'matMul',
    operands: ['b'],
    reads: ['transpose_a', 'transpose_b'],
    more({ transpose_a, transpose_b }) {
      if (transpose_a !== true && transpose_b !== true) return {}
      return { op: 'einsum', equation: `${transpose_a === true ? '...ji' : '...ij'},${transpose_b === true ? '...kj' : '...jk'}->...ik` }
    },
  },
  getitem: { op: 'at', reads: ['slice_spec'], more: ({ slice_spec }) => ({ index: [slice_spec].flat().map(indexOf) }) },
}

/** Arguments without effect on values, whatever the function. */
const withoutEffect = ['name', 'var', 'validate_indices', 'full_precision', 'optimize']

/** The dtype that an argument names. Integers have 32 bits here. */
function dtypeOf({ dtype }: Json): { dtype?: DType } {
  return (dtype ?? null) === null ? {} : { dtype: (dtype === 'int64' ? 'int32' : dtype) as DType }
}

/** An item of `x[…]`, in the words of `at`. */
function indexOf(item: unknown): Index {
  if (item === null || Number.isInteger(item)) return item as number | null
  if (isObject(item) && item.class_name === '__ellipsis__') return '...'
  if (!isObject(item)) throw new ValueError(`the index ${JSON.stringify(item)} is not supported.`)
  const { start, stop, step } = item
  return [start, stop, ...((step ?? null) === null ? [] : [step])].map((n) => n ?? '').join(':')
}

/** Whether an object is an operation of tf.keras 2. */
export const isTfOperation = ({ class_name }: KerasObject): boolean =>
  /^(TFOpLambda|SlicingOpLambda|TensorFlowOpLayer|ClassMethod|InstanceMethod)$/.test(class_name)

/** The operation of an object, and the places of its inputs for each use. */
export function readTfOperation(object: KerasObject, part: string): { layer: Operation; inboundNodes: TensorPlace[][] } {
  const { class_name: className, config } = object
  const written = String(config.function ?? className)
  const where = `${part}, layer "${config.name}" (${className} of ${written})`
  const name = written.slice(written.lastIndexOf('.') + 1)
  const translation = Object.hasOwn(translations, name) ? translations[name] : undefined
  if (!translation || config.function === undefined) {
    throw new ValueError(
      `${where} is not supported. Load the model in TensorFlow 2, replace the step by layers, or by one of: ${Object.keys(translations).sort().join(', ')}; then save it again.`,
    )
  }
  try {
    const nodes = Array.isArray(object.inbound_nodes) ? object.inbound_nodes : []
    const calls = nodes.map((node) => readCall(translation, node))
    const [first, ...others] = calls
    const own = JSON.stringify(first?.options)
    if (!first || others.some(({ options }) => JSON.stringify(options) !== own))
      throw new ValueError('its calls must exist and have the same constants.')
    const { op = translation.op, ...options } = first.options
    return { layer: new Operation(op, { ...options, name: String(config.name) }), inboundNodes: calls.map(({ places }) => places) }
  } catch (error) {
    throw addContext(error, `in ${where}`)
  }
}

interface Call {
  readonly places: TensorPlace[]
  readonly options: OperationOptions & { op?: OperationName }
}

/** A call: `[name, node, tensor, arguments]`, a constant in that place, or a list of both. */
function readCall({ operands: names = [], options = {}, usual = {}, only = {}, reads = [], more }: Translation, node: unknown): Call {
  const entries = Array.isArray(node) && Array.isArray(node[0]) ? (node as unknown[][]) : [node as unknown[]]
  const given = entries.map((entry) => entry?.[3]).find(isObject) ?? {}
  const operands = [...entries, ...names.map((name) => given[name])]
  const places: TensorPlace[] = []
  const constants: Record<number, Constant> = {}
  for (const [i, operand] of operands.entries()) {
    if (isPlace(operand) && operand[0] !== '_CONSTANT_VALUE') places.push({ layer: operand[0], node: operand[1], tensor: operand[2] })
    else constants[i] = (Array.isArray(operand) && operand[0] === '_CONSTANT_VALUE' ? operand[2] : operand) as Constant
  }
  const read: Json = { ...usual }
  for (const [key, value] of Object.entries(given)) {
    if (names.includes(key) || reads.includes(key) || withoutEffect.includes(key) || value === null) continue
    if (Object.hasOwn(options, key)) read[options[key]] = value
    else if (!Object.hasOwn(only, key) || only[key] !== value)
      throw new ValueError(`the argument "${key}": ${JSON.stringify(value)} is not supported.`)
  }
  return { places, options: { ...read, ...more?.(given), ...(Object.keys(constants).length > 0 && { constants }) } }
}
