/** The architecture of a model as Keras 3.16 writes it into `config.json`, made from the form of Keras 2.3. */
import { usesIn } from '../graph/description.js'
import { InputLayer } from '../graph/input-layer.js'
import { Operation } from '../graph/operations/operation.js'
import type { BatchShape, Layer } from '../layer.js'
import { ProjectedAttention } from '../layers/attention/projected-attention.js'
import { Bidirectional, RecurrentLayer, type RNNCell, SpectralNormalization, StackedRNNCells, TimeDistributed } from '../layers/index.js'
import { GraphModel } from '../models/graph-model.js'
import { Model } from '../models/model.js'
import type { Sequential } from '../models/sequential.js'
import { camelKeys } from '../spelling/names.js'
import { isKerasLayer } from './custom.js'
import { isObject, type Json, type KerasObject } from './keras-object.js'
import { builtFromTheStart, keras3Config } from './keras3-words.js'
import { kerasTensor, operationCall, operationObject } from './operations.js'
import { callOptions } from './write-layer.js'

type Place = readonly [layer: string, node: number, tensor: number]

/** Writes a model. Options that Keras 3 has no words for are added to `beyond`, by the layer's name. */
export class Keras3Writer {
  readonly #beyond: Record<string, Json>

  constructor(beyond: Record<string, Json>) {
    this.#beyond = beyond
  }

  /** @param object the model in the words of Keras 2.3 */
  model(model: Model, object: KerasObject): Json {
    return model instanceof GraphModel ? this.#graph(model, object) : this.#stack(model as Sequential, object)
  }

  #stack(model: Sequential, { config }: KerasObject): Json {
    const shape = model.batchShape ?? model.inputShapeOf()
    let input: BatchShape = shape
    const objects = config.layers as KerasObject[]
    const layers = objects.map((object, i) => {
      if (i === 0) return this.#input(object)
      const layer = model.layers[i - 1]
      const written = layer instanceof Operation ? object : this.#layer(layer, object, [input])
      input = layer.outputShapes([input])[0]
      return written
    })
    return {
      module: 'keras',
      class_name: 'Sequential',
      config: { name: model.name, trainable: model.trainable, dtype: layerPolicy(model.dtype), layers, build_input_shape: shape },
      registered_name: null,
      build_config: { input_shape: shape },
      compile_config: {},
    }
  }

  #graph(model: GraphModel, { config }: KerasObject): Json {
    const { layers, inputs, outputs } = model.describeGraph()
    const objects = config.layers as KerasObject[]
    const written = layers.map(({ layer, inboundNodes }, i): Json => {
      const uses = usesIn(model, layer).filter((node) => node.inputs.length > 0)
      const nodes = inboundNodes.map((places, use) => {
        const tensors = places.map(({ layer: name, node, tensor }, k) =>
          kerasTensor(uses[use].inputs[k], [name, node - firstUse(layers, name), tensor], model.dtype),
        )
        if (uses[use].reverse) return { args: tensors, kwargs: { reverse: true } }
        const { args, kwargs } = callOf(layer, tensors) as { args: unknown[]; kwargs: Json }
        return { args, kwargs: { ...kwargs, ...(uses[use].inference && { training: false }) } }
      })
      const shapes = uses[0]?.inputs.map((x) => x.shape) ?? []
      const object = layer instanceof InputLayer ? this.#input(objects[i]) : this.#layer(layer, objects[i], shapes)
      return { ...object, name: layer.name, inbound_nodes: nodes }
    })
    // Keras 3 counts uses of a Sequential from 0. Among the outputs of a graph it counts uses of other models from 1.
    const place = ({ layer, node, tensor }: { layer: string; node: number; tensor: number }): Place => {
      const isGraph = layers.find((uses) => uses.layer.name === layer)?.layer instanceof GraphModel
      return [layer, isGraph ? node : node - firstUse(layers, layer), tensor]
    }
    const places = (list: readonly { layer: string; node: number; tensor: number }[]): unknown =>
      list.length === 1 ? place(list[0]) : list.map(place)
    return {
      module: 'keras.src.models.functional',
      class_name: 'Functional',
      config: {
        name: model.name,
        trainable: model.trainable,
        layers: written,
        input_layers: places(inputs),
        output_layers: places(outputs),
      },
      registered_name: 'Functional',
      build_config: { input_shape: null },
      compile_config: {},
    }
  }

  #input({ config }: KerasObject): Json {
    const { batch_input_shape: batchShape, dtype, name } = config
    const own = { batch_shape: batchShape, dtype, sparse: false, ragged: false, name, optional: false }
    return { module: 'keras.layers', class_name: 'InputLayer', config: own, registered_name: null }
  }

  #layer(layer: Layer, object: KerasObject, shapes: readonly BatchShape[]): Json {
    if (layer instanceof Model) return this.model(layer, object)
    if (layer instanceof Operation) return operationObject(layer)
    const { class_name } = object
    const name = String(object.config.name)
    const { config, lost } = keras3Config(class_name, object.config)
    if (Object.keys(lost).length > 0) this.#beyond[name] = { ...camelKeys(lost), ...this.#beyond[name] }
    const [first] = shapes
    if (layer instanceof TimeDistributed) {
      config.layer = this.#layer(layer.layer, config.layer as KerasObject, [[first[0], ...first.slice(2)]])
    } else if (layer instanceof SpectralNormalization) {
      config.layer = this.#layer(layer.layer, config.layer as KerasObject, shapes)
    } else if (layer instanceof Bidirectional) {
      for (const [key, inner] of [['layer', layer.forward] as const, ['backward_layer', layer.backward] as const]) {
        const own = (key === 'backward_layer' && object.config[key] ? object.config[key] : object.config.layer) as KerasObject
        const direction = { ...own.config, name: inner.name, go_backwards: inner.goBackwards }
        config[key] = this.#layer(inner, { ...own, config: direction }, shapes)
        // Keras 3 sets it anew.
        const { zeroOutputForMask } = inner
        if (zeroOutputForMask !== inner.returnSequences) this.#beyond[inner.name] = { ...this.#beyond[inner.name], zeroOutputForMask }
      }
    } else if (layer instanceof RecurrentLayer && isObject(config.cell)) {
      config.cell = this.#layer(layer.cell, config.cell as KerasObject, [[first[0], first[2]]])
    } else if (layer instanceof StackedRNNCells) {
      let input = first
      config.cells = layer.cells.map((cell: RNNCell, i) => {
        const written = this.#layer(cell, (object.config.cells as KerasObject[])[i], [input])
        input = cell.outputShape(input)
        return written
      })
    }
    const build = builtFromTheStart.test(class_name) || shapes.length === 0 ? {} : { build_config: buildConfig(layer, shapes) }
    if (!isKerasLayer(class_name)) return { module: null, class_name, config, registered_name: class_name, ...build }
    return { module: 'keras.layers', class_name, config, registered_name: null, ...build }
  }
}

const layerPolicy = (dtype: string): Json => ({
  module: 'keras',
  class_name: 'DTypePolicy',
  config: { name: dtype },
  registered_name: null,
})

/** The shapes with which Keras 3 builds the layer. */
function buildConfig(layer: Layer, shapes: readonly BatchShape[]): Json {
  if (layer instanceof ProjectedAttention) {
    const [query, value, key] = shapes
    return { shapes_dict: { query_shape: query, value_shape: value, ...(key && { key_shape: key }) } }
  }
  const [first, ...states] = shapes
  if (states.length > 0 && layer instanceof RecurrentLayer) return { shapes_dict: { sequences_shape: first, initial_state_shape: states } }
  return { input_shape: states.length === 0 || layer instanceof Bidirectional ? first : shapes }
}

/** One use of a layer: the arguments of its call. */
function callOf(layer: Layer, tensors: readonly Json[]): Json {
  if (layer instanceof Operation) return operationCall(layer, tensors)
  const [first, ...others] = tensors
  if (layer instanceof ProjectedAttention) {
    const [query, value, key, mask] = tensors
    return { args: [query, value, ...(key ? [key] : [])], kwargs: { ...(mask && { attention_mask: mask }), ...callOptions(layer) } }
  }
  if (layer instanceof RecurrentLayer || layer instanceof Bidirectional)
    return { args: [first], kwargs: others.length > 0 ? { initial_state: others } : {} }
  return { args: [tensors.length === 1 ? first : tensors], kwargs: callOptions(layer) }
}

/** The number of a layer's first use in Keras 3's file. */
const firstUse = (layers: readonly { layer: Layer }[], name: string): number =>
  layers.find(({ layer }) => layer.name === name)?.layer.firstNodeIndex ?? 0
