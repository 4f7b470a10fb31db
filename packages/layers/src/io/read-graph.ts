/** Functional models: layers and the connections between them, as Keras 2 and Keras 3 write them. */
import { addContext, type DType, ValueError } from '@cotangent/core'
import { connectGraph, type LayerUses, type TensorPlace } from '../graph/description.js'
import { InputLayer } from '../graph/input-layer.js'
import type { BatchShape, Layer } from '../layer.js'
import { ReversibleEmbedding } from '../layers/index.js'
import { GraphModel } from '../models/graph-model.js'
import { Model, type ModelOptions } from '../models/model.js'
import { Sequential } from '../models/sequential.js'
import { withoutMaskOperations } from './implicit-masks.js'
import { isObject, isPlace, type Json, type KerasObject, type Place, plainClassName } from './keras-object.js'
import { requireHarmless } from './known-keys.js'
import { isOperation, readOperation } from './operations.js'
import { countLayer, dtypeName, type ReadContext, readLayer } from './read-layer.js'
import { isTfOperation, readTfOperation } from './tf-operations.js'

/** The model of a functional config. */
export function readGraph(config: Json, objects: readonly KerasObject[], context: ReadContext, options: ModelOptions, part: string): Model {
  const layers: LayerUses[] = []
  try {
    for (const object of withoutMaskOperations(objects, config.output_layers, part)) {
      if (isOperation(object) || isTfOperation(object)) {
        countLayer(context.budget, part)
        layers.push((isOperation(object) ? readOperation : readTfOperation)(object, part))
        continue
      }
      const layer =
        plainClassName(object.class_name) === 'InputLayer'
          ? readInput(object, context, part)
          : readLayer(withCallOptions(object, part), context, part)
      const reverse = reversedCalls(object, layer, part)
      const inference = calls(object).map((node) => namedArguments(node).training === false)
      layers.push({
        layer,
        inboundNodes: nodesOf(object, `${part}, layer "${layer.name}"`),
        ...(reverse.includes(true) && { reverse }),
        ...(inference.includes(true) && { inference }),
      })
    }
    const graph = {
      layers,
      inputs: placesOf(config.input_layers, `${part}: input_layers`),
      outputs: placesOf(config.output_layers, `${part}: output_layers`),
    }
    const count = countCalls(layers, part)
    const made = new GraphModel({ ...options, ...connectGraph(countedFromOne(graph, context.origin.family === 'keras3')) })
    callsInside.set(made, count)
    return made
  } catch (error) {
    for (const { layer } of layers) layer.dispose()
    throw error
  }
}

/** Far more calls of layers than the largest models make. */
const MOST_CALLS = 100_000

/** For a model, the number of calls of layers in one call of it. */
const callsInside = new WeakMap<Layer, number>()

const callsOf = (layer: Layer): number =>
  callsInside.get(layer) ?? 1 + (layer instanceof Model ? layer.layers : layer.inner).reduce((n, inner) => n + callsOf(inner), 0)

/**
 * Counts the calls of a graph. If a model calls a model inside it twice, and that one does the same, the number doubles with every level of a few lines.
 */
function countCalls(layers: readonly LayerUses[], part: string): number {
  const calls = layers.reduce((n, { layer, inboundNodes }) => n + inboundNodes.length * callsOf(layer), 0)
  if (calls <= MOST_CALLS) return calls
  throw new ValueError(`${part}: one call of the model would be ${calls} calls of layers, more than ${MOST_CALLS}.`)
}

/** The dtype of an input here, by the file's. Small whole numbers, such as pixels, become floats, which hold them exactly. */
const inputTypes: ReadonlyMap<string, DType | undefined> = new Map([
  ['int64', 'int32'],
  ['int32', 'int32'],
  ['uint8', undefined],
  ['uint16', undefined],
  ['int8', undefined],
  ['int16', undefined],
  ['float32', undefined],
  ['float64', 'float64'],
  ['bool', 'bool'],
])

/** The dtype of an input as the file has it. @throws ValueError for one that is not supported */
export function inputType(config: Json, part: string): string {
  const given = dtypeName(config.dtype) ?? 'float32'
  if (inputTypes.has(given)) return given
  throw new ValueError(
    `${part}, layer "${config.name}" (InputLayer): config key "dtype": ${JSON.stringify(config.dtype)} is not supported.`,
  )
}

function readInput({ config }: KerasObject, { origin }: ReadContext, part: string): Layer {
  try {
    requireHarmless(config, origin)
  } catch (error) {
    throw addContext(error, `in ${part}, layer "${config.name}" (InputLayer)`)
  }
  const given = inputType(config, part)
  return InputLayer.fromConfig({
    batchShape: (config.batch_shape ?? config.batch_input_shape) as BatchShape,
    dtype: inputTypes.get(given),
    name: config.name as string,
  })
}

/** `[name, node, tensor]`, alone, in lists or in a record. */
function placesOf(value: unknown, part: string): TensorPlace[] {
  if (isPlace(value)) return [placeOf(value)]
  if (Array.isArray(value)) return value.flatMap((place) => placesOf(place, part))
  // Keras takes the entries of a record by the order of their names.
  if (isObject(value))
    return Object.keys(value)
      .sort()
      .flatMap((name) => placesOf(value[name], part))
  throw new ValueError(`${part}: [name, node, tensor] was expected, got ${JSON.stringify(value)}.`)
}

const placeOf = ([layer, node, tensor]: Place): TensorPlace => ({ layer, node, tensor })

/** Arguments of calls that are no inputs: masks travel with tensors; a call that never trains is a kind of its own. */
const withoutEffect = ['training', 'mask', 'query_mask', 'value_mask', 'key_mask', 'flash_attention']

/** Arguments that are inputs, in the order in which layers here take them. */
const inputArguments = ['inputs', 'sequences', 'sequence', 'query', 'value', 'key', 'attention_mask', 'initial_state']

/** The named arguments of a call: in Keras 3 `kwargs`, before it the fourth member of the first input's place. */
function namedArguments(node: unknown): Json {
  if (isObject(node)) return isObject(node.kwargs) ? node.kwargs : {}
  const places = Array.isArray(node) ? (isPlace(node) ? [node] : node) : []
  return Object.assign({}, ...places.map((place) => (isPlace(place) && isObject(place[3]) ? place[3] : {})))
}

/** The calls of a layer. */
const calls = (object: KerasObject): readonly unknown[] => (Array.isArray(object.inbound_nodes) ? object.inbound_nodes : [])

/** Options of attention here that are arguments of the call in Keras. */
const callFlags = ['use_causal_mask', 'return_attention_scores']

/** The layer, with options added for arguments of its calls. */
function withCallOptions(object: KerasObject, part: string): KerasObject {
  const nodes = calls(object)
  if (nodes.some((node) => namedArguments(node).training === true)) {
    const where = `${part}, layer "${object.config.name}" (${object.class_name})`
    throw new ValueError(
      `${where}: training=True at a call is not supported, since here the caller says whether it trains. Save the model without it.`,
    )
  }
  const config = { ...object.config }
  for (const key of callFlags) {
    const given = nodes.map((node) => namedArguments(node)[key] === true)
    if (!given.includes(true)) continue
    const known = /^(Additive|MultiHead|Group(ed)?Query)?Attention$/.test(plainClassName(object.class_name))
    if (!known || given.includes(false)) {
      const where = `${part}, layer "${object.config.name}" (${object.class_name})`
      throw new ValueError(`${where}: ${key} ${known ? 'at some of its calls only is not supported; use two layers' : 'is not supported'}.`)
    }
    config[key] = true
  }
  return { ...object, config }
}

/** For each call, whether it is Keras' `embedding(x, reverse=True)`. */
function reversedCalls(object: KerasObject, layer: Layer, part: string): boolean[] {
  const nodes = calls(object)
  const reverse = nodes.map((node) => namedArguments(node).reverse === true)
  if (reverse.includes(true) && !(layer instanceof ReversibleEmbedding))
    throw new ValueError(`${part}, layer "${layer.name}" (${object.class_name}): inbound_nodes: a call in reverse is not supported.`)
  return reverse
}

/** The inputs of each use of a layer. */
function nodesOf(object: KerasObject, part: string): TensorPlace[][] {
  const nodes = calls(object)
  return nodes.map((node): TensorPlace[] => withKey(inputsOf(node, part), node))
}

/** Here a mask is the fourth input of an attention, so the third one is not left out. */
function withKey(inputs: TensorPlace[], node: unknown): TensorPlace[] {
  const [query, value, mask] = inputs
  return inputs.length === 3 && (namedArguments(node).attention_mask ?? null) !== null ? [query, value, value, mask] : inputs
}

function inputsOf(node: unknown, part: string): TensorPlace[] {
  if (isPlace(node)) return [placeOf(node), ...argumentsOf(node, part)]
  if (isObject(node)) return [...tensorsIn(node.args), ...argumentsOf(node, part)] // in Keras 3, tensors name their place
  if (!Array.isArray(node) || !node.every(isPlace))
    throw new ValueError(`${part}: inbound_nodes: ${JSON.stringify(node)} is not a list of [name, node, tensor].`)
  return [...node.map(placeOf), ...argumentsOf(node, part)]
}

/** Tensors among the named arguments: value and key of an attention, initial states of a recurrent layer. */
function argumentsOf(node: unknown, part: string): TensorPlace[] {
  const given = namedArguments(node)
  for (const [key, value] of Object.entries(given)) {
    const known = [...inputArguments, ...withoutEffect, ...callFlags, 'reverse']
    if (known.includes(key) || value === null || value === false) continue
    throw new ValueError(`${part}: inbound_nodes: the argument "${key}" of a call is not supported.`)
  }
  return inputArguments.flatMap((key): TensorPlace[] => {
    const value = given[key] ?? null
    if (value === null) return []
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

/**
 * Renumbers uses of models, which count from 1 here and before Keras 3. Keras 3 counts from 0, but from 1 among the outputs of a graph if the model is no
 * Sequential. If the numbers themselves decide, they are used.
 */
function countedFromOne<Graph extends { layers: LayerUses[]; inputs: TensorPlace[]; outputs: TensorPlace[] }>(
  graph: Graph,
  isKeras3: boolean,
): Graph {
  for (const { layer, inboundNodes } of graph.layers) {
    if (!(layer instanceof Model)) continue
    for (const [list, fromZero] of [
      [graph.layers.flatMap((uses) => uses.inboundNodes.flat()), isKeras3],
      [graph.outputs, isKeras3 && layer instanceof Sequential],
    ] as const) {
      const places = list.filter((place) => place.layer === layer.name)
      const tells = places.some(({ node }) => node === 0) || places.some(({ node }) => node >= inboundNodes.length)
      if (tells ? places.some(({ node }) => node === 0) : fromZero) for (const place of places) place.node++
    }
  }
  return graph
}
