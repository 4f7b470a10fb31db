/**
 * Makes layers from the configs of Keras 1.2 to 3. An option that means what happens here anyway is dropped. One that would change the result and is not supported
 * is refused; the error names its key and a remedy.
 */
import { addContext, ValueError } from '@cotangent/core'
import { describeValue } from '@cotangent/core/arguments'
import { type ActivationIdentifier, getActivation } from '../activations.js'
import type { Layer } from '../layer.js'
import { camelCase, camelKeys, entryOf, unknownName } from '../spelling/names.js'
import { type CustomObjects, customFunction, findLayerClass, layerClassNames } from './custom.js'
import { isKerasObject, isObject, type Json, type KerasObject, plainClassName, requireKerasObject } from './keras-object.js'
import { fromKeras1 } from './keras1.js'
import { isHarmless } from './known-keys.js'
import { isOperation, readOperation } from './operations.js'
import type { Origin } from './origin.js'
import { adviceForLayer } from './refused.js'

/** Everything that readers of layers share for one file. */
export interface ReadContext {
  readonly origin: Origin
  readonly custom: CustomObjects
  /** Options of layers that Keras has no words for, by the layer's name. */
  readonly beyond: Readonly<Record<string, Json>>
  /** Whether this package wrote the file; false if left out. */
  readonly isOurs?: boolean
  /** Gets a message for each part of the file that is ignored. */
  readonly warn?: (message: string) => void
  /** The layers that the whole file may still have. */
  readonly budget: ReadBudget
  /** Makes a model that is a layer. */
  readonly readInner: (object: KerasObject, part: string) => Layer
}

/** The number of layers that a file may still have: each takes kilobytes of memory for a few bytes of text. */
export interface ReadBudget {
  layers: number
}

/** Far more than the deepest models of Keras have. */
export const MOST_LAYERS = 10_000

/** Takes one layer from the budget. */
export function countLayer(budget: ReadBudget, part: string): void {
  if (--budget.layers < 0) throw new ValueError(`${part}: more than ${MOST_LAYERS} layers.`)
}

/** Whether a class is a model of Keras, not a layer. */
export const isModelClass = (className: string): boolean => ['Sequential', 'Functional', 'Model'].includes(className)

/** Layers whose `data_format` is always given, since the default here belongs to the process. */
const withFormat =
  /^(Conv[23]D|ConvLSTM[23]D|Conv[23]DTranspose|SeparableConv2D|DepthwiseConv2D|(Adaptive)?(Max|Average)Pooling[23]D|Global(Max|Average)Pooling[23]D|(ZeroPadding|Cropping|UpSampling|SpatialDropout)[23]D|Flatten|Resizing|CenterCrop|Random(Flip|Rotation|Zoom|Translation|Crop|Contrast|Brightness))$/

/**
 * The layer of a description.
 *
 * @param part its place in the file, for messages
 * @throws ValueError that names the class or config key that is not supported
 */
export function readLayer(object: KerasObject, context: ReadContext, part: string): Layer {
  countLayer(context.budget, part)
  if (isOperation(object)) return readOperation(object, part).layer
  const named = typeof object.registered_name === 'string' ? plainClassName(object.registered_name) : undefined
  const className = plainClassName(object.class_name)
  const name = typeof object.config.name === 'string' ? object.config.name : '?'
  if (isModelClass(className)) return context.readInner(object, `${part}, layer "${name}"`)
  const found = findLayerClass(className, context.custom) ?? (named ? findLayerClass(named, context.custom) : undefined)
  if (!found) {
    throw addContext(unsupported(className), `in ${part}, layer "${name}"`)
  }
  const { layerClass, className: known } = found
  try {
    if (!known) return layerClass.fromConfig(customOptions(object.config) as never)
    const config = optionsOf(known, object, context, part)
    return layerClass.fromConfig({ ...config, ...entryOf(context.beyond, name) } as never)
  } catch (error) {
    throw addContext(error, `in ${part}, layer "${name}" (${className})`)
  }
}

/** The config of a user's layer in our spelling, without the keys that every layer of Keras has and ours have not. */
function customOptions({ dtype, batch_shape, ...config }: Json): Json {
  const given = Object.entries({ ...(batch_shape !== undefined && { batch_input_shape: batch_shape }), ...config })
  return camelKeys(Object.fromEntries(given.filter(([, value]) => value !== null)))
}

function unsupported(className: string): ValueError {
  const { message } = unknownName('layer class called', className, layerClassNames())
  const [problem, ...rest] = message.split(' There are: ')
  return new ValueError([`${problem} ${adviceForLayer(className)}`, ...rest].join(' There are: '))
}

/** The options of a layer of this package, in our words. */
function optionsOf(className: string, object: KerasObject, context: ReadContext, part: string): Json {
  const { origin } = context
  const config = origin.family === 'keras1' ? fromKeras1(className, object.config) : object.config
  if (origin.family === 'keras1') warnOfDropout(className, object.config, context, part)
  const out: Json = {}
  for (const [key, raw] of Object.entries(config)) {
    const value = unwrapped(raw)
    if (value === undefined || (value === null && key !== 'merge_mode')) continue
    if (isHarmless(className, key, value, origin)) continue
    if (key === 'dtype') requireFloat32(value, className)
    else if (key === 'batch_input_shape' || key === 'batch_shape') out.batchInputShape = value
    else if (key === 'layer' || key === 'cell') out[key] = readLayer(requireKerasObject(value, `${part}: ${key}`), context, part)
    else if (key === 'cells')
      out[key] = listOf(value, key).map((cell) => readLayer(requireKerasObject(cell, `${part}: cells`), context, part))
    else if (key === 'backward_layer') {
      if (!isMirror(config.layer, value)) out.backwardLayer = readLayer(requireKerasObject(value, `${part}: ${key}`), context, part)
    } else if (key === 'activation' || key === 'recurrent_activation') out[camelCase(key)] = readActivation(key, value, context)
    else if (isObject(value)) out[camelCase(key)] = readDescription(key, value, context)
    else if (typeof value === 'string' && customFunction(value, context.custom)) out[camelCase(key)] = customFunction(value, context.custom)
    else out[camelCase(key)] = value
  }
  return corrected(className, plainClassName(object.class_name), out, context)
}

function listOf(value: unknown, key: string): unknown[] {
  if (Array.isArray(value)) return value
  throw new ValueError(`config key "${key}": a list was expected, got ${describeValue(value)}.`)
}

/** An Embedding of Keras 1 could drop words in training. In Keras 2, and here, a layer after it does that. */
function warnOfDropout(className: string, { name, dropout }: Json, { warn }: ReadContext, part: string): void {
  if (className !== 'Embedding' || !dropout) return
  warn?.(
    `${part}, layer "${name}" (Embedding): dropout ${dropout} is left out. It has no effect on predictions; for training put spatialDropout1d after the layer.`,
  )
}

/** Differences between the versions in meaning, not only in words. */
function corrected(className: string, written: string, options: Json, { origin, beyond, isOurs }: ReadContext): Json {
  const out = { ...options }
  if (withFormat.test(className)) out.dataFormat ??= 'channels_last'
  if (className === 'Flatten' && origin.family === 'keras1') out.dataFormat = 'channels_last' // Keras 1 moved no axes there
  if (className === 'BatchNormalization') {
    if (Array.isArray(out.axis) && out.axis.length === 1) out.axis = out.axis[0]
    if (origin.family === 'keras3' || origin.family === 'tf2') out.variant = 'keras3'
  }
  if (className === 'ActivityRegularization' && (origin.family === 'keras1' || origin.family === 'keras2')) out.variant = 'keras2'
  if (className === 'LeakyReLU' && 'negativeSlope' in out) {
    out.alpha = out.negativeSlope
    delete out.negativeSlope
  }
  if (className === 'LSTM' || className === 'GRU' || className.endsWith('Cell')) {
    if (out.implementation === 0) out.implementation = 1 // Keras up to 2.0.8: each gate drops its own, too
    // Keras 3 has no such key, and lets each gate drop its own where there is recurrent dropout (layers/rnn/lstm.py).
    if (origin.family === 'keras3' && !isOurs && out.recurrentDropout) out.implementation = 1
    if (className === 'SimpleRNNCell') delete out.implementation
    if (written.startsWith('CuDNN')) Object.assign(out, { recurrentActivation: 'sigmoid' }, className === 'GRU' ? { resetAfter: true } : {})
  } else delete out.implementation
  if (
    className === 'LSTM' ||
    className === 'GRU' ||
    className === 'LSTMCell' ||
    className === 'GRUCell' ||
    className.startsWith('ConvLSTM')
  ) {
    out.recurrentActivation ??= 'hard_sigmoid' // a file without it is from before Keras 2.3, or from TensorFlow.js
  }
  if (className === 'MultiHeadAttention' && Array.isArray(out.outputShape) && out.outputShape.length === 1)
    [out.outputShape] = out.outputShape
  if (className === 'Attention' || className === 'AdditiveAttention') {
    // tf.keras up to 2.9; later versions have an argument of the call.
    if ('causal' in out) out.useCausalMask = out.causal
    delete out.causal
  }
  if (className === 'Bidirectional') {
    if (origin.family === 'keras3' || origin.family === 'tf2')
      for (const key of ['layer', 'backwardLayer']) if (out[key]) out[key] = zeroingMasked(out[key] as Layer, beyond)
    if (out.layer) out.layer = withoutPrefix(out.layer as Layer, 'forward_')
    if (out.backwardLayer) out.backwardLayer = withoutPrefix(out.backwardLayer as Layer, 'backward_')
  }
  return out
}

/** tf.keras and Keras 3 set zero_output_for_mask of both directions to return_sequences, whatever the file says (layers/rnn/bidirectional.py). */
function zeroingMasked(layer: Layer, beyond: ReadContext['beyond']): Layer {
  const { returnSequences, zeroOutputForMask } = layer as { returnSequences?: boolean; zeroOutputForMask?: boolean }
  if (entryOf(beyond, layer.name)?.zeroOutputForMask !== undefined || returnSequences === zeroOutputForMask) return layer
  return again(layer, { zeroOutputForMask: returnSequences })
}

/** An equal layer with other options. */
function again(layer: Layer, options: Json): Layer {
  const { fromConfig } = layer.constructor as unknown as { fromConfig(config: object): Layer }
  return fromConfig.call(layer.constructor, { ...layer.getConfig(), ...options })
}

/** Keras 3 writes the layers of both directions with their prefixed names. */
function withoutPrefix(layer: Layer, prefix: string): Layer {
  return layer.name.startsWith(prefix) ? again(layer, { name: layer.name.slice(prefix.length) }) : layer
}

/** The name of a dtype, which Keras 3 writes as a policy object. */
export function dtypeName(value: unknown): string | undefined {
  const name = isObject(value) && isObject(value.config) ? value.config.name : value
  return name === null || name === undefined ? undefined : String(name)
}

/** Throws unless the dtype is `float32`, also as Keras 3's policy, or whole numbers for a layer that takes indices. */
function requireFloat32(value: unknown, className: string): void {
  const name = dtypeName(value)
  const fine = name === 'float32' || name === 'float64' || (/Embedding$/.test(className) && (name === 'int32' || name === 'int64'))
  if (!fine)
    throw new ValueError(
      `config key "dtype": ${JSON.stringify(name ?? value)} is not supported. Save the model with float32 weights and activations.`,
    )
}

/** Whether Keras 3's backward layer is the forward layer reversed, which is made here anyway. */
function isMirror(forward: unknown, backward: unknown): boolean {
  /** The config without names, directions and marks of shared objects. */
  const rest = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(rest)
    if (!isObject(value)) return value
    const meaning = Object.entries(value).filter(([key]) => !['name', 'go_backwards', 'shared_object_id', 'build_config'].includes(key))
    return Object.fromEntries(meaning.map(([key, item]) => [key, rest(item)]))
  }
  const turned = isKerasObject(forward) && isKerasObject(backward) && forward.config.go_backwards !== backward.config.go_backwards
  return turned && JSON.stringify(rest(forward)) === JSON.stringify(rest(backward))
}

/** Keras 3 writes tuples, and functions, as objects. */
function unwrapped(value: unknown): unknown {
  if (!isObject(value)) return value
  if (value.class_name === '__tuple__' && Array.isArray(value.items)) return value.items.map(unwrapped)
  return value.class_name === 'function' && typeof value.config === 'string' ? plainClassName(value.config) : value
}

function readActivation(key: string, value: unknown, { custom, origin }: ReadContext): ActivationIdentifier {
  const name = isKerasObject(value) ? plainClassName(value.class_name) : value
  if (typeof name !== 'string') throw new ValueError(`config key "${key}": a name was expected, got ${JSON.stringify(value)}.`)
  // Our files have silu as swish.
  const given = customFunction(name, custom) ?? (name === 'swish' ? customFunction('silu', custom) : undefined)
  if (given) return given as ActivationIdentifier
  if (name === 'hard_sigmoid' && origin.family === 'keras3') return 'hardSigmoid6'
  try {
    return getActivation(name as ActivationIdentifier)
  } catch (error) {
    throw addContext(error, `config key "${key}"; pass your own: customObjects: { ${name}: (x) => … }`)
  }
}

/** An initializer, regularizer or constraint. */
function readDescription(key: string, value: Json, { custom, origin }: ReadContext): unknown {
  if (typeof value.class_name !== 'string') throw new ValueError(`config key "${key}": ${JSON.stringify(value)} is not supported.`)
  const className = plainClassName(value.class_name)
  const { dtype: _, input_axes, output_axes, ...config } = isObject(value.config) ? value.config : {}
  if ((input_axes ?? output_axes ?? null) !== null)
    throw new ValueError(
      `config key "${key}": ${className} with input_axes or output_axes is not supported. The weights are in the file: use ones.`,
    )
  // tf.keras and Keras 3 divide a penalty on outputs by the number of samples.
  const perSample =
    key === 'activity_regularizer' &&
    (origin.family === 'keras3' || origin.family === 'tf2') &&
    /^(L[12]+|OrthogonalRegularizer)$/.test(className)
  return customFunction(className, custom) ?? { className, config: { ...camelKeys(config), ...(perSample && { perSample }) } }
}
