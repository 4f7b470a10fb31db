/**
 * Keras 3's `.keras`: a zip of `metadata.json`, `config.json` and `model.weights.h5`, where each layer's arrays are `vars/0`, `vars/1`, … under
 * a path of its own. Reference: keras/src/saving/saving_lib.py 3.3.3.
 */
import { type Parameter, ValueError } from '@cotangent/core'
import type { Layer } from '../layer.js'
import { Bidirectional, RecurrentLayer, StackedRNNCells, TimeDistributed } from '../layers/index.js'
import { Model } from '../model.js'
import { Adagrad, type Optimizer } from '../optimizers/index.js'
import { groupAt, makeGroup, putArray, stateOf, valuesOf } from './h5-model.js'
import { type H5Group, isH5, newGroup, readH5, writeH5 } from './h5-tree.js'
import { isObject, type Json, type KerasObject, parseObject, requireKerasObject } from './keras-object.js'
import { togetherState } from './optimizer-state.js'
import { originOf } from './origin.js'
import { isModelClass } from './read-layer.js'
import type { FileParts } from './restore.js'
import { type Assignment, assignAll, type SavedArray } from './saved-weights.js'
import { compiledOf, describeModel } from './write-model.js'

/** The version of Keras whose files ours are. */
const KERAS_3 = '3.3.3'

/** A layer's own arrays, and the layers inside by the names of Keras' attributes. */
function partsOf(layer: Layer): { vars: Parameter[]; inner: readonly (readonly [path: string, layer: Layer])[] } {
  const inside = layer.inner.flatMap((inner) => inner.weights)
  return { vars: layer.weights.filter((w) => !inside.includes(w)), inner: innerPaths(layer) }
}

function innerPaths(layer: Layer): readonly (readonly [string, Layer])[] {
  if (layer instanceof RecurrentLayer) return [['cell', layer.cell]]
  if (layer instanceof Bidirectional) {
    return [
      ['forward_layer', layer.forward],
      ['backward_layer', layer.backward],
    ]
  }
  if (layer instanceof TimeDistributed) return [['layer', layer.layer]]
  if (layer instanceof Model) return listPaths(layer.layers, 'layers')
  if (layer instanceof StackedRNNCells) return listPaths(layer.cells, 'cells')
  return listPaths(layer.inner, 'inner')
}

/** Keras calls the members of a list after their classes: `dense`, `dense_1`, …, whatever their names are. */
function listPaths(layers: readonly Layer[], list: string): (readonly [string, Layer])[] {
  const used = new Map<string, number>()
  return layers.map((layer) => {
    const name = containerName(layer.className)
    const count = used.get(name) ?? 0
    used.set(name, count + 1)
    return [`${list}/${count === 0 ? name : `${name}_${count}`}`, layer]
  })
}

/** `MaxPooling2D` → `max_pooling2d`: keras.src.utils.naming.to_snake_case. */
const containerName = (className: string): string =>
  className
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase()

/** Every weight of the layers with the path of its array. */
function weightPaths(paths: readonly (readonly [string, Layer])[], prefix = ''): { path: string; weight: Parameter; layer: Layer }[] {
  return paths.flatMap(([path, layer]) => {
    const { vars, inner } = partsOf(layer)
    const own = vars.map((weight, i) => ({ path: `${prefix}${path}/vars/${i}`, weight, layer }))
    return [...own, ...weightPaths(inner, `${prefix}${path}/`)]
  })
}

/** How the layers of a model are called in files: after their classes; from Keras 3.8 after their names; `_layer_checkpoint_dependencies` in 2.12. */
function modelPaths(model: Model, root: H5Group): (readonly [string, Layer])[] {
  const byClass = listPaths(model.layers, 'layers')
  const ways = [
    byClass,
    model.layers.map((layer): readonly [string, Layer] => [`layers/${layer.name}`, layer]),
    listPaths(model.layers, '_layer_checkpoint_dependencies'),
  ]
  return (
    ways.find((paths) =>
      weightPaths(paths).every(({ path }) =>
        groupAt(root, path.slice(0, path.lastIndexOf('/')))?.arrays.has(path.slice(path.lastIndexOf('/') + 1)),
      ),
    ) ?? byClass
  )
}

/** Puts the arrays of `model.weights.h5` into a model. */
export function loadKerasWeights(model: Model, root: H5Group, what: string): void {
  const assignments = weightPaths(modelPaths(model, root)).map(({ path, weight, layer }): Assignment => {
    const slash = path.lastIndexOf('/')
    const array = groupAt(root, path.slice(0, slash))?.arrays.get(path.slice(slash + 1))
    if (!array) throw new ValueError(`${what}: the array "${path}" for "${weight.name}" of ${layer.describe()} is missing.`)
    return { weight, array: { name: path, ...array } }
  })
  assignAll(assignments, what)
}

/** The arrays of a list `vars/0`, `vars/1`, …, in order. */
function listAt(root: H5Group, path: string): SavedArray[] {
  const arrays = groupAt(root, path)?.arrays ?? new Map()
  return [...arrays.entries()].sort(([a], [b]) => Number(a) - Number(b)).map(([name, array]) => ({ name: `${path}/${name}`, ...array }))
}

/** The parts of a `.keras` file. */
export async function readKerasZip(bytes: Uint8Array, what: string, maxBytes?: number): Promise<FileParts> {
  const { unzip } = await import('@cotangent/datasets/formats')
  const entries = asValueError(() => unzip(bytes, { name: what, maxBytes }))
  const entry = (name: string): Uint8Array => {
    const content = entries.get(name)
    if (!content)
      throw new ValueError(`${what}: "${name}" is missing in the archive (it holds ${[...entries.keys()].join(', ') || 'nothing'}).`)
    return content
  }
  const json = (name: string): Json => parseObject(new TextDecoder().decode(entry(name)), `${what}: ${name}`)
  const metadata = json('metadata.json')
  const topology = requireKerasObject(json('config.json'), `${what}: config.json`)
  const weights = entry('model.weights.h5')
  if (!isH5(weights)) throw new ValueError(`${what}: model.weights.h5 in the archive is not an HDF5 file.`)
  const root = await readH5(weights, `${what}: model.weights.h5`)
  const state = listAt(root, 'optimizer/vars')
  return {
    origin: originOf(typeof metadata.keras_version === 'string' ? metadata.keras_version : undefined, undefined),
    topology,
    topologyPart: `${what}: config.json`,
    training: isObject(topology.compile_config) ? topology.compile_config : undefined,
    beyond: isObject(metadata.cotangent) ? metadata.cotangent : undefined,
    loadWeights: (model) => loadKerasWeights(model, root, what),
    state: state.length > 0 ? { arrays: state, together: true } : undefined,
  }
}

/** Errors of the zip reader as errors of this package. */
export function asValueError<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw new ValueError(error instanceof Error ? error.message : String(error))
  }
}

const modules: readonly (readonly [RegExp, string])[] = [
  [/(initializer)$/, 'keras.initializers'],
  [/(regularizer)$/, 'keras.regularizers'],
  [/(constraint)$/, 'keras.constraints'],
  [/^(layer|cell|cells)$/, 'keras.layers'],
]

/** A layer of Keras 2.3's words in those of Keras 3; options that Keras 3 lost go to what Keras does not look at, by the layer's name. */
function toKeras3(object: KerasObject, module: string, beyond: Record<string, Json>): Json {
  if (isModelClass(object.class_name)) return modelToKeras3(object, beyond)
  const { batch_input_shape, ...config } = object.config
  // In Keras 3's files the variant is Keras 3's unless we say otherwise.
  const lost: Json = object.class_name === 'BatchNormalization' ? { variant: 'keras2' } : {}
  const out: Json = {}
  for (const [key, value] of Object.entries(config)) {
    if (key === 'implementation') {
      if (value !== 2) lost.implementation = value
    } else if (key === 'input_length' && object.class_name === 'Embedding') {
      if (value !== null) lost.inputLength = value
    } else if (key === 'alpha' && object.class_name === 'LeakyReLU') out.negative_slope = value
    else if ((key === 'activation' || key === 'recurrent_activation') && value === 'hard_sigmoid') {
      throw new ValueError(
        `hard_sigmoid is another function in Keras 3, so layer "${config.name}" cannot be in a .keras file. Save the model as .h5.`,
      )
    } else out[key] = describedFor3(key, value, beyond)
  }
  const name = String(config.name)
  if (Object.keys(lost).length > 0) beyond[name] = { ...lost, ...beyond[name] }
  if (object.class_name === 'InputLayer') out.batch_shape = batch_input_shape
  return { module, class_name: object.class_name, config: out, registered_name: null }
}

/** A model, with an input layer in a Sequential as Keras 3 has it, and the arguments of calls in a graph. */
function modelToKeras3({ class_name, config }: KerasObject, beyond: Record<string, Json>): Json {
  const { name, layers, input_layers, output_layers, build_input_shape } = config
  const objects = layers as (KerasObject & { inbound_nodes?: unknown[][][] })[]
  const written = objects.map((object): Json => {
    const layer = toKeras3(object, 'keras.layers', beyond)
    if (!object.inbound_nodes) return layer
    const nodes = object.inbound_nodes.map((places) => {
      const tensors = places.map((place) => ({
        class_name: '__keras_tensor__',
        config: { shape: null, dtype: 'float32', keras_history: place.slice(0, 3) },
      }))
      return { args: [tensors.length === 1 ? tensors[0] : tensors], kwargs: {} }
    })
    return { ...layer, name: object.config.name, inbound_nodes: nodes }
  })
  if (class_name === 'Model') {
    const graph = { name, trainable: true, layers: written, input_layers, output_layers }
    return { module: 'keras.src.models.functional', class_name: 'Functional', config: graph, registered_name: 'Functional' }
  }
  const shape = objects[0]?.config.batch_input_shape ?? build_input_shape
  const input = { batch_shape: shape, dtype: 'float32', sparse: false, name: `${name}_input` }
  const first = { module: 'keras.layers', class_name: 'InputLayer', config: input, registered_name: null }
  const stack = { name, trainable: true, layers: shape ? [first, ...written] : written, ...(shape ? { build_input_shape: shape } : {}) }
  return { module: 'keras', class_name, config: stack, registered_name: null, ...(shape ? { build_config: { input_shape: shape } } : {}) }
}

function describedFor3(key: string, value: unknown, beyond: Record<string, Json>): unknown {
  const module = modules.find(([pattern]) => pattern.test(key))?.[1]
  if (Array.isArray(value) && module) return value.map((item) => describedFor3('cell', item, beyond))
  if (!isObject(value) || !module || typeof value.class_name !== 'string') return value
  return toKeras3(value as KerasObject, module, beyond)
}

/** The bytes of a `.keras` file. */
export async function writeKerasZip(model: Model, includeOptimizer: boolean): Promise<Uint8Array> {
  const { topology, training, beyond } = describeModel(model)
  const layers: Record<string, Json> = { ...beyond.layers }
  const { config, lost } = optimizerFor3(includeOptimizer ? training : undefined, compiledOf(model)?.optimizer)
  const archive = { ...modelToKeras3(topology, layers), ...(config && { compile_config: config }) }
  const kept = { ...beyond, ...(Object.keys(layers).length > 0 && { layers }), optimizer: { ...beyond.optimizer, ...lost } }
  const root = newGroup()
  for (const [path] of listPaths(model.layers, 'layers')) makeGroup(root, `${path}/vars`)
  const paths = weightPaths(listPaths(model.layers, 'layers'))
  const values = await valuesOf(paths.map(({ weight }) => weight))
  for (const [i, { path }] of paths.entries()) putArray(root, path, values[i])
  if (config) await putState(root, model)
  const { zip } = await import('@cotangent/datasets/formats')
  const utf8 = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))
  return zip([
    ['metadata.json', utf8({ keras_version: KERAS_3, date_saved: timestamp(new Date()), cotangent: kept })],
    ['config.json', utf8(archive)],
    ['model.weights.h5', await writeH5(root)],
  ])
}

/** `2026-11-22@09:30:00`, as Keras writes it. */
const timestamp = (date: Date): string => date.toISOString().slice(0, 19).replace('T', '@')

/** What a model was compiled with in Keras 3's words, which have no `decay`. */
function optimizerFor3(training: Json | undefined, optimizer: Optimizer | undefined): { config?: Json; lost: Json } {
  if (!training || !optimizer) return { lost: {} }
  const { optimizer_config, sample_weight_mode, ...rest } = training
  const { decay, schedule_decay, initial_accumulator_value, ...config } = (optimizer_config as KerasObject).config
  const { variant, clipScope } = optimizer
  const lost: Json = {
    ...{ variant, clipScope },
    ...(decay ? { decay } : {}),
    ...(schedule_decay === undefined ? {} : { scheduleDecay: schedule_decay }),
    ...(optimizer instanceof Adagrad ? { initialAccumulatorValue: optimizer.initialAccumulatorValue } : {}),
  }
  const object = { module: 'keras.optimizers', class_name: optimizer.className, config, registered_name: null }
  return { config: { optimizer: object, ...rest }, lost }
}

/** The optimizer's arrays: before the first step the counter and the learning rate alone. */
async function putState(root: H5Group, model: Model): Promise<void> {
  const compiled = compiledOf(model)
  if (!compiled) return
  const { optimizer, parameters } = compiled
  const saved = await stateOf(model)
  const before = [
    { shape: [], data: BigInt64Array.of(0n) },
    ...(optimizer.schedule ? [] : [{ shape: [], data: Float32Array.of(optimizer.learningRate) }]),
  ]
  const arrays = saved ? togetherState(optimizer, saved, parameters.length) : before
  for (const [i, { shape, data }] of arrays.entries()) putArray(root, `optimizer/vars/${i}`, { shape, data })
}
