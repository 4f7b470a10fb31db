/** Functional models: layers, and which of their outputs goes where, as Keras 2 and Keras 3 write it. */
import { type DType, ValueError } from '@cotangent/core'
import { connectGraph, type LayerUses, type TensorPlace } from '../graph/description.js'
import { GraphModel } from '../graph/graph-model.js'
import { InputLayer } from '../graph/input-layer.js'
import type { BatchShape, Layer } from '../layer.js'
import { Model, type ModelOptions } from '../model.js'
import { isObject, type Json, type KerasObject, plainClassName } from './keras-object.js'
import { type ReadContext, readLayer, requireDefaults } from './read-layer.js'

/** The model of a functional config. */
export function readGraph(config: Json, objects: readonly KerasObject[], context: ReadContext, options: ModelOptions, part: string): Model {
  const layers: LayerUses[] = []
  try {
    for (const object of objects) {
      const layer = plainClassName(object.class_name) === 'InputLayer' ? readInput(object, part) : readLayer(object, context, part)
      layers.push({ layer, inboundNodes: nodesOf(object, `${part}, layer "${layer.name}"`) })
    }
    const graph = {
      layers,
      inputs: placesOf(config.input_layers, `${part}: input_layers`),
      outputs: placesOf(config.output_layers, `${part}: output_layers`),
    }
    return new GraphModel({ ...options, ...connectGraph(countedFromOne(graph)) })
  } catch (error) {
    for (const { layer } of layers) layer.dispose()
    throw error
  }
}

function readInput({ config }: KerasObject, part: string): Layer {
  requireDefaults(config, `${part}, layer "${config.name}" (InputLayer)`)
  const dtype = { int64: 'int32', int32: 'int32', float32: undefined, float64: 'float64', bool: 'bool' }[String(config.dtype ?? 'float32')]
  if (dtype === undefined && (config.dtype ?? 'float32') !== 'float32') {
    throw new ValueError(
      `${part}, layer "${config.name}" (InputLayer): config key "dtype": ${JSON.stringify(config.dtype)} is not supported.`,
    )
  }
  return InputLayer.fromConfig({
    batchShape: (config.batch_shape ?? config.batch_input_shape) as BatchShape,
    dtype: dtype as DType | undefined,
    name: config.name as string,
  })
}

/** `[name, node, tensor]`, alone or in a list. */
function placesOf(value: unknown, part: string): TensorPlace[] {
  if (isPlace(value)) return [placeOf(value)]
  if (Array.isArray(value) && value.every(isPlace)) return value.map(placeOf)
  if (isObject(value)) return Object.values(value).flatMap((place) => placesOf(place, part))
  throw new ValueError(`${part}: [name, node, tensor] was expected, got ${JSON.stringify(value)}.`)
}

type Place = readonly [string, number, number, ...unknown[]]
const isPlace = (value: unknown): value is Place =>
  Array.isArray(value) && typeof value[0] === 'string' && Number.isInteger(value[1]) && Number.isInteger(value[2])
const placeOf = ([layer, node, tensor]: Place): TensorPlace => ({ layer, node, tensor })

/** Arguments of calls that change nothing here: masks travel by themselves, and training is said by who runs the model. */
const withoutEffect = ['training', 'mask']

/** The inputs of each use of a layer. */
function nodesOf(object: KerasObject, part: string): TensorPlace[][] {
  const nodes = Array.isArray(object.inbound_nodes) ? object.inbound_nodes : []
  return nodes.map((node): TensorPlace[] => {
    if (isPlace(node)) return [placeOf(node)]
    if (!isObject(node)) {
      if (!Array.isArray(node) || !node.every(isPlace))
        throw new ValueError(`${part}: inbound_nodes: ${JSON.stringify(node)} is not a list of [name, node, tensor].`)
      return node.flatMap((place) => [placeOf(place), ...argumentsOf(place[3], part)])
    }
    // Keras 3: the arguments of the call, in which tensors say where they come from.
    const args = Array.isArray(node.args) ? node.args : []
    return [...tensorsIn(args), ...argumentsOf(node.kwargs, part)]
  })
}

/** Tensors among the named arguments: the states that a recurrent layer begins with. */
function argumentsOf(kwargs: unknown, part: string): TensorPlace[] {
  return Object.entries(isObject(kwargs) ? kwargs : {}).flatMap(([key, value]): TensorPlace[] => {
    if (value === null || withoutEffect.includes(key)) return []
    if (key !== 'initial_state') throw new ValueError(`${part}: inbound_nodes: the argument "${key}" of a call is not supported.`)
    return isPlace(value) || (Array.isArray(value) && value.every(isPlace)) ? placesOf(value, part) : tensorsIn(value)
  })
}

/** The places of all tensors in Keras 3's arguments. */
function tensorsIn(value: unknown): TensorPlace[] {
  if (Array.isArray(value)) return value.flatMap(tensorsIn)
  if (!isObject(value)) return []
  const history = isObject(value.config) ? value.config.keras_history : undefined
  if (value.class_name === '__keras_tensor__' && isPlace(history)) return [placeOf(history)]
  return Object.values(value).flatMap(tensorsIn)
}

/** A model's uses are counted from 1; Keras 3 counts those of a Sequential from 0. */
function countedFromOne<Graph extends { layers: LayerUses[]; inputs: TensorPlace[]; outputs: TensorPlace[] }>(graph: Graph): Graph {
  const places = [...graph.inputs, ...graph.outputs, ...graph.layers.flatMap(({ inboundNodes }) => inboundNodes.flat())]
  const fromZero = new Set(
    graph.layers.flatMap(({ layer }) =>
      layer instanceof Model && places.some((place) => place.layer === layer.name && place.node === 0) ? [layer.name] : [],
    ),
  )
  for (const place of places) if (fromZero.has(place.layer)) place.node++
  return graph
}
