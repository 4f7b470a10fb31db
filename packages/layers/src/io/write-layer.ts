/**
 * Writes layers as Keras 2.3.1 does, or in the words of tf.keras and Keras 3 where they refuse those of 2.3. Options that Keras has no word for are collected in
 * `beyond`, and kept where Keras does not look.
 */
import { ValueError } from '@cotangent/core'
import { type ActivationIdentifier, getActivation } from '../activations.js'
import { type LayerUses, type TensorPlace, usesIn } from '../graph/description.js'
import { InputLayer } from '../graph/input-layer.js'
import { Operation } from '../graph/operations/operation.js'
import type { Layer } from '../layer.js'
import { AttentionLayer } from '../layers/attention/attention-layer.js'
import { ProjectedAttention } from '../layers/attention/projected-attention.js'
import { TimeDistributed } from '../layers/index.js'
import { GraphModel } from '../models/graph-model.js'
import { Model } from '../models/model.js'
import { Sequential } from '../models/sequential.js'
import { camelCase, snakeCase, snakeKeys } from '../spelling/names.js'
import { isObject, type Json, type KerasObject } from './keras-object.js'
import { kerasTensor, operationAlone, operationCall, operationObject } from './operations.js'

/** Options that Keras does not know, by class, and the value that means the same as leaving them out. */
const wordless: readonly { classes: RegExp; option: string; usual: unknown }[] = [
  { classes: /^(BatchNormalization|ActivityRegularization)$/, option: 'variant', usual: undefined },
  { classes: /^(ZeroPadding1D|Cropping1D|UpSampling1D|SpatialDropout1D)$/, option: 'dataFormat', usual: 'channels_last' },
  // In Keras these are arguments of the call, see callOptions.
  { classes: /Attention$/, option: 'useCausalMask', usual: false },
  { classes: /Attention$/, option: 'returnAttentionScores', usual: false },
]

/** Options that are left out at their default, since Keras 2.3 or Keras 3 does not know them. */
const leftOut: readonly { classes: RegExp; key: string; usual: unknown }[] = [
  { classes: /^(SpatialDropout[123]D|Discretization)$/, key: 'trainable', usual: true },
  { classes: /^Conv[123]D$/, key: 'groups', usual: 1 },
  { classes: /^Global/, key: 'keepdims', usual: false },
  { classes: /^(SimpleRNN|LSTM|GRU|ConvLSTM[123]D|RNN)$/, key: 'zero_output_for_mask', usual: false },
  { classes: /^Attention$/, key: 'score_mode', usual: 'dot' },
  { classes: /^MultiHeadAttention$/, key: 'use_gate', usual: false },
  { classes: /^MultiHeadAttention$/, key: 'sliding_window', usual: null },
]

/** Sizes that Keras writes as plain numbers in one dimension. */
const flat: readonly { classes: RegExp; key: string }[] = [
  { classes: /^ZeroPadding1D$/, key: 'padding' },
  { classes: /^Cropping1D$/, key: 'cropping' },
  { classes: /^UpSampling1D$/, key: 'size' },
]

/** Options that hold layers. */
const layerOptions = ['layer', 'backward_layer', 'cell', 'cells']

/** Options of the layer here that are arguments of its call in Keras. */
export const callOptions = (layer: Layer): Json => ({
  ...(layer instanceof AttentionLayer && layer.useCausalMask && { use_causal_mask: true }),
  ...(layer instanceof AttentionLayer && layer.returnAttentionScores && { return_attention_scores: true }),
})

/**
 * The intended reader. For `keras`, a file, a Sequential begins with an input layer, as Keras 3 wants it. `json` is as Keras 2.3 wrote it. `tfjs` knows no
 * `threshold` of ReLU and no arguments of calls.
 */
export type ModelReader = 'keras' | 'json' | 'tfjs'

/** Writes layers of a model, and collects options that Keras has no words for. */
export class LayerWriter {
  /** Options that Keras has no word for, in our spelling, by the layer's name. */
  readonly beyond: Record<string, Json> = {}
  readonly #dtype: string
  readonly #reader: ModelReader

  constructor(dtype: string, reader: ModelReader) {
    this.#dtype = dtype
    this.#reader = reader
  }

  /** The description of a layer; that of a model holds its layers. */
  write(layer: Layer): KerasObject {
    if (layer instanceof Model) return this.#model(layer)
    if (layer instanceof InputLayer) return this.#input(layer)
    if (layer instanceof Operation) return operationAlone(layer)
    const object = this.#describe(layer.className, layer.getConfig())
    if (layer instanceof TimeDistributed && layer.layer instanceof Model) object.config.layer = this.#inside(this.#model(layer.layer))
    return object
  }

  /** A layer in a layer. Keras 3 needs the module of its class in files; others ignore it. */
  #inside(object: KerasObject): KerasObject {
    if (this.#reader !== 'keras') return object
    const ofModel = object.class_name === 'Sequential' || object.class_name === 'Model'
    return { module: ofModel ? 'keras' : 'keras.layers', ...object, registered_name: null }
  }

  #model(model: Model): KerasObject {
    if (!model.trainable) this.beyond[model.name] = { trainable: false } // Keras 2.3 forgets it
    if (model instanceof GraphModel) return { class_name: 'Model', config: this.#graph(model) }
    if (!(model instanceof Sequential)) {
      throw new ValueError(`${model.describe()}: only Sequential models and graphs can be saved. Save its weights.`)
    }
    const layers = model.layers.map((layer) => this.write(layer))
    if (!model.built) return { class_name: 'Sequential', config: { name: model.name, layers } }
    const shape = model.batchShape
    if (this.#reader === 'keras') {
      // Keras 3 cannot read a shape at any other layer.
      if (layers.length > 0) delete layers[0].config.batch_input_shape
      layers.unshift(this.#inputObject(`${model.layers[0]?.name ?? model.name}_input`, shape, this.#dtype))
    } else if (!model.layers[0]?.batchInputShape) {
      return { class_name: 'Sequential', config: { name: model.name, layers, build_input_shape: shape } }
    }
    return { class_name: 'Sequential', config: { name: model.name, layers } }
  }

  #graph(model: GraphModel): Json {
    const { layers, inputs, outputs } = model.describeGraph()
    const place = ({ layer, node, tensor }: TensorPlace): unknown[] => [layer, node, tensor]
    const node = ({ layer, reverse, inference }: LayerUses, places: readonly TensorPlace[], use: number): unknown => {
      if (layer instanceof Operation) return this.#operationNode(model, layer, places, use)
      const [first, ...others] = places.map(place)
      const ofLayer = reverse?.[use] ? { reverse: true } : this.#reader === 'tfjs' ? {} : callOptions(layer)
      const options = { ...ofLayer, ...(inference?.[use] && { training: false }) }
      // As tf.keras has it: value and key are named.
      if (layer instanceof ProjectedAttention) {
        const [value, key, mask] = others
        return [[...first, { value, ...(key && { key }), ...(mask && { attention_mask: mask }), ...options }]]
      }
      return [first, ...others].map((from) => [...from, options]) // readers use the options of the last one
    }
    return {
      name: model.name,
      layers: layers.map((uses) => ({
        name: uses.layer.name,
        ...(uses.layer instanceof Operation ? operationObject(uses.layer) : this.write(uses.layer)),
        inbound_nodes: uses.inboundNodes.map((places, use) => node(uses, places, use)),
      })),
      input_layers: inputs.map(place),
      output_layers: outputs.map(place),
    }
  }

  /** Keras 2.3 has no operations. Their calls are written as Keras 3 writes them, in `.h5`, too. */
  #operationNode(model: GraphModel, layer: Operation, places: readonly TensorPlace[], use: number): Json {
    const { inputs } = usesIn(model, layer)[use]
    const tensors = places.map((from, i) => kerasTensor(inputs[i], [from.layer, from.node, from.tensor], model.dtype))
    return operationCall(layer, tensors)
  }

  #input({ name, batchInputShape, dtype }: InputLayer): KerasObject {
    return this.#inputObject(name, batchInputShape, dtype ?? this.#dtype)
  }
  #inputObject(name: string, shape: unknown, dtype: string): KerasObject {
    return { class_name: 'InputLayer', config: { batch_input_shape: shape, dtype, sparse: false, name } }
  }

  #describe(className: string, { name, trainable, batchInputShape, ...options }: Json): KerasObject {
    const lost: Json = {}
    for (const { classes, option, usual } of wordless) {
      if (!classes.test(className) || !(option in options)) continue
      if (options[option] !== undefined && options[option] !== usual) lost[option] = options[option]
      delete options[option]
    }
    if ((options.activityRegularizer as { config?: Json } | undefined)?.config?.perSample)
      lost.activityRegularizer = options.activityRegularizer
    if (Object.keys(lost).length > 0) this.beyond[String(name)] = lost
    for (const option of Object.keys(options)) {
      const read = camelCase(snakeCase(option))
      if (read === option) continue
      throw new ValueError(
        `The option "${option}" of ${className} "${name}" would be read back as "${read}": use that name in getConfig().`,
      )
    }
    const config: Json = { name, trainable, ...(batchInputShape ? { batch_input_shape: batchInputShape } : {}), dtype: this.#dtype }
    for (const [key, value] of Object.entries(snakeKeys(options))) config[key] = this.#value(key, value)
    for (const { classes, key } of flat) if (classes.test(className)) config[key] = (config[key] as unknown[])[0]
    for (const { classes, key, usual } of leftOut) if (classes.test(className) && config[key] === usual) delete config[key]
    if (className === 'ThresholdedReLU' && this.#reader !== 'tfjs') {
      const { theta, ...rest } = config // Keras 3 has a ReLU with a threshold instead
      return { class_name: 'ReLU', config: { ...rest, max_value: null, negative_slope: 0, threshold: theta } }
    }
    return { class_name: className, config }
  }

  /** A value of a config. Objects with class and config (initializers, layers inside) are put into Keras' words; undefined becomes null. */
  #value(key: string, value: unknown): unknown {
    if (value === undefined) return null
    if (Array.isArray(value)) return value.map((item) => this.#value(key, item))
    if (key === 'activation' || key === 'recurrent_activation') return activationWord(value)
    if (!isObject(value) || typeof value.className !== 'string') return value
    const options = isObject(value.config) ? value.config : {}
    if (layerOptions.includes(key)) return this.#inside(this.#describe(value.className, options))
    // Options of initializers that Keras does not have are left out: whoever reads the file reads the weights, too. `perSample` is kept beyond.
    const { correctTruncation, method, perSample, ...config } = options
    return { class_name: value.className, config: snakeKeys(config) }
  }
}

/** Keras' name of an activation. A user's function keeps its name. Before Keras 3, silu was called swish only. */
function activationWord(name: unknown): unknown {
  try {
    const known = getActivation(name as ActivationIdentifier).name
    return known === 'silu' ? 'swish' : snakeCase(known)
  } catch {
    return name
  }
}
