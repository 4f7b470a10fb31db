/**
 * Layers as Keras 2.3.1 wrote them, so that it and tf.keras can read the files. What Keras has no word for comes apart (`beyond`), to be kept
 * where Keras does not look.
 */
import { ValueError } from '@cotangent/core'
import type { TensorPlace } from '../graph/description.js'
import { GraphModel } from '../graph/graph-model.js'
import { InputLayer } from '../graph/input-layer.js'
import type { Layer } from '../layer.js'
import { TimeDistributed } from '../layers/index.js'
import { Model } from '../model.js'
import { camelCase, snakeCase, snakeKeys } from '../names.js'
import { Sequential } from '../sequential.js'
import { isObject, type Json, type KerasObject } from './keras-object.js'

/** Options that Keras does not know, by class; the value that means the same as leaving it out. */
const wordless: readonly { classes: RegExp; option: string; usual: unknown }[] = [
  { classes: /^BatchNormalization$/, option: 'variant', usual: undefined },
  { classes: /^(ZeroPadding1D|Cropping1D|UpSampling1D|SpatialDropout1D)$/, option: 'dataFormat', usual: 'channels_last' },
]

/** What Keras 2.3.1 wrote beside, for the sake of readers that want every key. */
const constant: readonly { classes: RegExp; config: Json }[] = [
  { classes: /^UpSampling2D$/, config: { interpolation: 'nearest' } },
  { classes: /^SpatialDropout[12]D$/, config: { noise_shape: null, seed: null } },
]

/** Sizes that Keras writes as bare values in one dimension. */
const flat: readonly { classes: RegExp; key: string }[] = [
  { classes: /^ZeroPadding1D$/, key: 'padding' },
  { classes: /^Cropping1D$/, key: 'cropping' },
  { classes: /^UpSampling1D$/, key: 'size' },
]

/** Options that hold layers. */
const layerOptions = ['layer', 'cell', 'cells']

/** Writes layers of a model, and collects what Keras has no words for. */
export class LayerWriter {
  /** Options without a Keras word, in our spelling, by the layer's name. */
  readonly beyond: Record<string, Json> = {}
  readonly #dtype: string

  constructor(dtype: string) {
    this.#dtype = dtype
  }

  /** A layer's description; that of a model holds its layers. */
  write(layer: Layer): KerasObject {
    if (layer instanceof Model) return this.#model(layer)
    if (layer instanceof InputLayer) return this.#input(layer)
    const object = this.#describe(layer.className, layer.getConfig())
    if (layer instanceof TimeDistributed && layer.layer instanceof Model) object.config.layer = this.#model(layer.layer)
    return object
  }

  #model(model: Model): KerasObject {
    if (!model.trainable) this.beyond[model.name] = { trainable: false } // Keras 2.3 forgets it
    if (model instanceof GraphModel) return { class_name: 'Model', config: this.#graph(model) }
    if (!(model instanceof Sequential)) {
      throw new ValueError(`${model.describe()}: only Sequential models and graphs can be saved. Save its weights.`)
    }
    const layers = model.layers.map((layer) => this.write(layer))
    const shape = model.built && !model.layers[0]?.batchInputShape ? { build_input_shape: model.inputShapeOf() } : {}
    return { class_name: 'Sequential', config: { name: model.name, layers, ...shape } }
  }

  #graph(model: GraphModel): Json {
    const { layers, inputs, outputs } = model.describeGraph()
    const place = ({ layer, node, tensor }: TensorPlace): unknown[] => [layer, node, tensor]
    return {
      name: model.name,
      layers: layers.map(({ layer, inboundNodes }) => ({
        name: layer.name,
        ...this.write(layer),
        inbound_nodes: inboundNodes.map((node) => node.map((from) => [...place(from), {}])),
      })),
      input_layers: inputs.map(place),
      output_layers: outputs.map(place),
    }
  }

  #input({ name, batchInputShape, dtype }: InputLayer): KerasObject {
    return { class_name: 'InputLayer', config: { batch_input_shape: batchInputShape, dtype: dtype ?? this.#dtype, sparse: false, name } }
  }

  #describe(className: string, { name, trainable, batchInputShape, ...options }: Json): KerasObject {
    const lost: Json = {}
    for (const { classes, option, usual } of wordless) {
      if (!classes.test(className) || !(option in options)) continue
      if (options[option] !== undefined && options[option] !== usual) lost[option] = options[option]
      delete options[option]
    }
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
    for (const { classes, config: added } of constant) if (classes.test(className)) Object.assign(config, added)
    for (const { classes, key } of flat) if (classes.test(className)) config[key] = (config[key] as unknown[])[0]
    return { class_name: className, config }
  }

  /** A value of a config: what is described by class and config (initializers, layers inside) in Keras' words, nothing as null. */
  #value(key: string, value: unknown): unknown {
    if (value === undefined) return null
    if (Array.isArray(value)) return value.map((item) => this.#value(key, item))
    if (!isObject(value) || typeof value.className !== 'string') return value
    const options = isObject(value.config) ? value.config : {}
    if (layerOptions.includes(key)) return this.#describe(value.className, options)
    // How an initial value was drawn beyond Keras' options matters to nobody who reads the weights.
    const { correctTruncation, method, ...config } = options
    return { class_name: value.className, config: snakeKeys(config) }
  }
}
