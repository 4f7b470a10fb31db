/** Makes models from Keras' JSON: the architecture, with new weights. Models inside models are layers like others. */
import { type Backend, type DType, ValueError } from '@cotangent/core'
import type { BatchShape, Layer } from '../layer.js'
import type { Model, ModelOptions } from '../models/model.js'
import { Sequential } from '../models/sequential.js'
import { entryOf } from '../spelling/names.js'
import { isObject, type Json, type KerasObject, plainClassName, requireKerasObject } from './keras-object.js'
import { inputType, readGraph } from './read-graph.js'
import { dtypeName, isModelClass, MOST_LAYERS, type ReadContext, readLayer } from './read-layer.js'

/** Settings of a model that its description does not have. */
interface ModelSettings {
  seed?: number
  backend?: Backend
}

/**
 * The model of a description.
 *
 * @param part its place in the file, for messages
 * @throws ValueError that names the layer or config key that is not supported
 */
export function readModel(
  topology: KerasObject,
  context: Omit<ReadContext, 'readInner' | 'budget'>,
  settings: ModelSettings,
  part: string,
): Model {
  const dtype = dtypeOf(topology)
  const inner: ReadContext = {
    ...context,
    budget: { layers: MOST_LAYERS },
    readInner: (object, place) => readNetwork(object, inner, { backend: settings.backend, dtype }, place),
  }
  return readNetwork(topology, inner, { ...settings, dtype }, part)
}

function readNetwork(topology: KerasObject, context: ReadContext, settings: ModelOptions, part: string): Model {
  const className = plainClassName(topology.class_name)
  if (!isModelClass(className)) {
    throw new ValueError(
      `${part}: a model of class "${className}" is not supported. Models are Sequential or Functional; subclassed ones save no architecture.`,
    )
  }
  const layers = layersOf(topology.config, part)
  const name = typeof topology.config.name === 'string' ? topology.config.name : undefined
  const trainable = (name && entryOf(context.beyond, name)?.trainable) ?? topology.config.trainable
  const options = { ...settings, name, ...(trainable === false && { trainable }) }
  return className === 'Sequential'
    ? readSequential(topology, layers, context, options, part)
    : readGraph(topology.config, layers, context, options, part)
}

/** The list of layers. Up to Keras 2.2.2 the config of a Sequential was that list itself. */
function layersOf(config: unknown, part: string): KerasObject[] {
  const list = Array.isArray(config) ? config : isObject(config) ? config.layers : undefined
  if (!Array.isArray(list)) throw new ValueError(`${part}: config.layers must be a list of layers.`)
  return list.map((layer, i) => {
    const object = requireKerasObject(
      isObject(layer) && Array.isArray(layer.config) ? { ...layer, config: { layers: layer.config } } : layer,
      `${part}: layer ${i}`,
    )
    // In functional models of Keras 1 and 2, a layer's name stands beside its config, which may lack it.
    return typeof object.name === 'string' && object.config.name === undefined
      ? { ...object, config: { ...object.config, name: object.name } }
      : object
  })
}

/** float64 if any layer but an input has it, layers of models inside included; else float32. */
function dtypeOf({ config }: KerasObject): DType {
  const isDouble = (layer: unknown): boolean => {
    if (!isObject(layer) || !isObject(layer.config) || layer.class_name === 'InputLayer') return false
    const { dtype, layers } = layer.config
    return dtypeName(dtype) === 'float64' || (Array.isArray(layers) && layers.some(isDouble))
  }
  return isDouble({ config }) ? 'float64' : 'float32'
}

function readSequential(
  topology: KerasObject,
  layers: readonly KerasObject[],
  context: ReadContext,
  options: ModelOptions,
  part: string,
): Model {
  const model = new Sequential([], options)
  try {
    for (const layer of readStack(layers, context, part)) model.add(layer)
    const shape = topology.config.build_input_shape ?? (isObject(topology.build_config) ? topology.build_config.input_shape : undefined)
    if (!model.built && model.layers.length > 0 && Array.isArray(shape)) model.build(shape as BatchShape)
    return model
  } catch (error) {
    model.dispose()
    throw error
  }
}

/** The layers of a Sequential. An input layer gives its shape to the next layer. */
function readStack(objects: readonly KerasObject[], context: ReadContext, part: string): Layer[] {
  let inputShape: unknown
  return objects.flatMap((object) => {
    if (plainClassName(object.class_name) === 'InputLayer') {
      inputType(object.config, part)
      inputShape = object.config.batch_shape ?? object.config.batch_input_shape
      return []
    }
    const model = isModelClass(plainClassName(object.class_name))
    const shaped =
      inputShape === undefined
        ? object
        : { ...object, config: { ...object.config, [model ? 'build_input_shape' : 'batch_input_shape']: inputShape } as Json }
    inputShape = undefined
    return [readLayer(shaped, context, part)]
  })
}
