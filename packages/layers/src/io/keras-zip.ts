/**
 * Keras 3's `.keras` files: a zip of `metadata.json`, `config.json` and `model.weights.h5`. In the latter each layer has a path, under which its arrays are
 * `vars/0`, `vars/1` and so on. Source: keras/src/saving/saving_lib.py 3.16.
 */
import { type Parameter, ValueError } from '@cotangent/core'
import { Operation } from '../graph/operations/operation.js'
import type { Layer } from '../layer.js'
import { ProjectedAttention } from '../layers/attention/projected-attention.js'
import {
  Bidirectional,
  GroupQueryAttention,
  RecurrentLayer,
  SpectralNormalization,
  StackedRNNCells,
  TimeDistributed,
} from '../layers/index.js'
import { Model } from '../models/model.js'
import { pythonName } from '../spelling/automatic-names.js'
import type { CustomObjects } from './custom.js'
import { groupAt, makeGroup, putArray, stateOf, valuesOf } from './h5-model.js'
import { type H5Array, type H5Group, isH5, newGroup, readH5, writeH5 } from './h5-tree.js'
import { containerName, isObject, type Json, parseObject, pythonJson, requireKerasObject } from './keras-object.js'
import { type TextAssets, withoutTexts, withTexts } from './keras-texts.js'
import { Keras3Writer } from './keras3-topology.js'
import { memoryLimit } from './limits.js'
import { withoutVocabularies, withVocabularies } from './number-vocabularies.js'
import { keepsRate, togetherState } from './optimizer-state.js'
import { originOf } from './origin.js'
import type { FileParts } from './restore.js'
import { type Assignment, assignAll, type SavedArray } from './saved-weights.js'
import { compiledOf, describeModel } from './write-model.js'
import { keras3Words } from './write-training.js'

/** The version of Keras that our files name. */
const KERAS_3 = '3.16.0'

/** The layers inside Keras' attention, by the first part of the name that the same weight has here. */
const projections: Readonly<Record<string, string>> = {
  query: 'query_dense',
  key: 'key_dense',
  gate: '_gate_dense',
  value: 'value_dense',
  attention_output: 'output_dense',
}

/** The paths of a layer's own arrays, those of layers inside it left out. */
function ownPaths(layer: Layer): { path: string; weight: Parameter }[] {
  const inside = layer.inner.flatMap((inner) => inner.weights)
  const own = layer.weights.filter((w) => !inside.includes(w))
  // Keras stores the kernel a second time.
  if (layer instanceof SpectralNormalization) return [layer.kernel as Parameter, ...own].map((weight, i) => ({ path: `vars/${i}`, weight }))
  if (!(layer instanceof ProjectedAttention)) return own.map((weight, i) => ({ path: `vars/${i}`, weight }))
  return own.map((weight) => {
    const [projection, kind] = weight.name.split('/').slice(-2)
    const name = projections[projection]
    const path = layer instanceof GroupQueryAttention && !name.startsWith('_') ? `_${name}` : name
    return { path: `${path}/vars/${kind === 'kernel' ? 0 : 1}`, weight }
  })
}

function innerPaths(layer: Layer, { list = 'layers', nameOf }: Naming): readonly (readonly [string, Layer])[] {
  if (layer instanceof RecurrentLayer) return [['cell', layer.cell]]
  if (layer instanceof Bidirectional) {
    return [
      ['forward_layer', layer.forward],
      ['backward_layer', layer.backward],
    ]
  }
  if (layer instanceof TimeDistributed || layer instanceof SpectralNormalization) return [['layer', layer.layer]]
  if (layer instanceof Model) return listPaths(layer.layers, list, nameOf)
  if (layer instanceof StackedRNNCells) return listPaths(layer.cells, 'cells')
  return listPaths(layer.inner, 'inner')
}

/** The paths of the members of a list. Keras names them by class, `dense`, `dense_1`, whatever their own names are. */
function listPaths(layers: readonly Layer[], list: string, nameOf = kerasClass): (readonly [string, Layer])[] {
  const used = new Map<string, number>()
  // Operations are no layers in Keras.
  return layers
    .filter((layer) => !(layer instanceof Operation))
    .map((layer) => {
      const name = containerName(nameOf(layer))
      const count = used.get(name) ?? 0
      used.set(name, count + 1)
      return [`${list}/${count === 0 ? name : `${name}_${count}`}`, layer]
    })
}

/** The class that Keras 3 has for a layer. */
const kerasClass = ({ className }: Layer): string => otherClasses.get(className) ?? pythonName(className)
const otherClasses: ReadonlyMap<string, string> = new Map([
  ['Model', 'Functional'],
  ['ThresholdedReLU', 'ReLU'],
])

/** Every weight of the layers with the path of its array. A layer that occurs twice is stored once, at its first path. */
function weightPaths(paths: readonly (readonly [string, Layer])[], naming: Naming = {}): WeightPath[] {
  const seen = new Set<Parameter>()
  const walk = (list: readonly (readonly [string, Layer])[], prefix: string): WeightPath[] =>
    list.flatMap(([path, layer]) => {
      const own = ownPaths(layer).flatMap(({ path: rest, weight }): WeightPath[] => {
        if (seen.has(weight)) return []
        if (!(layer instanceof SpectralNormalization)) seen.add(weight)
        return [{ path: `${prefix}${path}/${rest}`, weight, layer }]
      })
      return [...own, ...walk(innerPaths(layer, naming), `${prefix}${path}/`)]
    })
  return walk(paths, '')
}

/** These layers and all inside, with their places. */
function* allLayers(paths: readonly (readonly [string, Layer])[], prefix = ''): Generator<readonly [string, Layer]> {
  for (const [path, layer] of paths) {
    yield [prefix + path, layer]
    yield* allLayers(innerPaths(layer, {}), `${prefix}${path}/`)
  }
}

interface WeightPath {
  readonly path: string
  readonly weight: Parameter
  readonly layer: Layer
}

/** How the file names the members of a model inside. */
interface Naming {
  readonly list?: string
  readonly nameOf?: (layer: Layer) => string
}

/**
 * The paths of a model's weights in a file, which names layers by class; from Keras 3.8 on perhaps by name; in 2.12 under `_layer_checkpoint_dependencies`; in
 * older files of ours by our classes.
 */
function pathsIn(model: Model, root: H5Group): WeightPath[] {
  const classes = ({ className }: Layer): string => className
  const ways = [
    weightPaths(listPaths(model.layers, 'layers')),
    weightPaths(model.layers.map((layer): readonly [string, Layer] => [`layers/${layer.name}`, layer])),
    weightPaths(listPaths(model.layers, '_layer_checkpoint_dependencies'), { list: '_layer_checkpoint_dependencies' }),
    weightPaths(listPaths(model.layers, 'layers', classes), { nameOf: classes }),
  ]
  return ways.find((paths) => paths.every(({ path }) => arrayIn(root, path))) ?? ways[0]
}

const arrayIn = (root: H5Group, path: string): H5Array | undefined => {
  const slash = path.lastIndexOf('/')
  return groupAt(root, path.slice(0, slash))?.arrays.get(path.slice(slash + 1))
}

/** The weights of the layers whose names the file has beside their arrays, as Keras 3.8 and later write them. */
function namedPaths(model: Model, root: H5Group, what: string): WeightPath[] {
  const groups = [...(root.groups.get('layers')?.groups ?? [])]
  const names = new Map(groups.map(([place, group]) => [group.groups.get('vars')?.attributes.get('name'), place]))
  const withWeights = model.layers.filter((layer) => layer.weights.length > 0)
  const found = withWeights.filter(({ name }) => names.has(name))
  if (found.length === 0) {
    const [ours, theirs] = [withWeights.map(({ name }) => name), [...names.keys()].filter((name) => name !== undefined)]
    const has = theirs.length > 0 ? `it has ${theirs.join(', ')}` : 'it has no names of layers, so load it by order'
    throw new ValueError(`${what}: no layer of the file has the name of one here. The model has ${ours.join(', ')}; ${has}.`)
  }
  return weightPaths(found.map((layer): readonly [string, Layer] => [`layers/${names.get(layer.name)}`, layer]))
}

/** Puts the arrays of `model.weights.h5` into a model: in order, or by the names of layers. */
export function loadKerasWeights(model: Model, root: H5Group, what: string, byName = false): void {
  const assignments = (byName ? namedPaths(model, root, what) : pathsIn(model, root)).map(({ path, weight, layer }): Assignment => {
    const array = arrayIn(root, path)
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

/**
 * The parts of a `.keras` file.
 *
 * @param custom the user's functions, which layers of texts may need; undefined if only the weights are wanted
 */
export async function readKerasZip(bytes: Uint8Array, what: string, maxBytes?: number, custom?: CustomObjects): Promise<FileParts> {
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
  const given = requireKerasObject(json('config.json'), `${what}: config.json`)
  const weights = entry('model.weights.h5')
  if (!isH5(weights)) throw new ValueError(`${what}: model.weights.h5 in the archive is not an HDF5 file.`)
  const root = await readH5(weights, `${what}: model.weights.h5`, maxBytes)
  const state = listAt(root, 'optimizer/vars')
  const assets: TextAssets = {
    text: (path) => (entries.has(path) ? new TextDecoder('utf-8', { ignoreBOM: true }).decode(entry(path)) : undefined),
    numbers(path) {
      const array = arrayIn(root, `${path}/idf_weights`)
      return array && Array.from(array.data, Number)
    },
  }
  const complete = custom ? withVocabularies(given, assets) : given
  const { topology, texts } = custom
    ? withoutTexts(complete, assets, custom, `${what}: config.json`)
    : { topology: given, texts: undefined }
  return {
    origin: originOf(typeof metadata.keras_version === 'string' ? metadata.keras_version : undefined, undefined),
    topology,
    texts,
    topologyPart: `${what}: config.json`,
    weightBytes: maxBytes ?? memoryLimit(bytes.length),
    training: isObject(topology.compile_config) && topology.compile_config.optimizer ? topology.compile_config : undefined, // {} if not compiled
    beyond: isObject(metadata.cotangent) ? metadata.cotangent : undefined,
    loadWeights: (model, byName) => loadKerasWeights(model, root, what, byName),
    state: state.length > 0 ? { arrays: state, together: true } : undefined,
  }
}

/** Runs work; errors of the zip reader become errors of this package. */
export function asValueError<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw new ValueError(error instanceof Error ? error.message : String(error))
  }
}

/** The weights of a model as Keras 3 has them in `.weights.h5`: arrays under the places of layers, with the layers' names beside them. */
export async function kerasWeightsTree(model: Model): Promise<H5Group> {
  const root = newGroup()
  const members = listPaths(model.layers, 'layers')
  for (const [path, { name }] of members) makeGroup(root, `${path}/vars`).attributes.set('name', name)
  const paths = weightPaths(members)
  const values = await valuesOf(paths.map(({ weight }) => weight))
  for (const [i, { path }] of paths.entries()) putArray(root, path, values[i])
  return root
}

/** The texts of a `.keras` file: all but the weights. */
export function describeKerasZip(model: Model, includeOptimizer: boolean) {
  const { topology, optimizer, training, beyond } = describeModel(model, keras3Words)
  const layers: Record<string, Json> = { ...beyond.layers }
  const compiled =
    includeOptimizer && training ? { optimizer, ...training, run_eagerly: false, steps_per_execution: 1, jit_compile: false } : {}
  const archive = { ...new Keras3Writer(layers).model(model, topology), compile_config: compiled }
  const kept = { ...beyond, ...(Object.keys(layers).length > 0 && { layers }) }
  const [texts, vocabularies] = [withTexts(model, archive), withoutVocabularies(allLayers(listPaths(model.layers, 'layers')), archive)]
  return {
    archive,
    kept,
    assets: [...texts.assets, ...vocabularies.assets],
    numbers: [...texts.numbers, ...vocabularies.numbers],
  }
}

/** The bytes of a `.keras` file. */
export async function writeKerasZip(model: Model, includeOptimizer: boolean): Promise<Uint8Array> {
  const { archive, kept, assets, numbers } = describeKerasZip(model, includeOptimizer)
  const root = await kerasWeightsTree(model)
  for (const [path, data] of numbers) putArray(root, path, { shape: [data.length], data: Float32Array.from(data) })
  if (includeOptimizer) await putState(root, model)
  const { zip } = await import('@cotangent/datasets/formats')
  const utf8 = (value: unknown): Uint8Array => new TextEncoder().encode(pythonJson(value))
  return zip([
    ['metadata.json', utf8({ keras_version: KERAS_3, date_saved: timestamp(new Date()), cotangent: kept })],
    ['config.json', utf8(archive)],
    ['model.weights.h5', await writeH5(root)],
    ...assets.map(([path, text]) => [path, new TextEncoder().encode(text)] as const),
  ])
}

/** `2026-11-22@09:30:00`, as Keras writes it. */
const timestamp = (date: Date): string => date.toISOString().slice(0, 19).replace('T', '@')

/** Writes the optimizer's arrays. Before the first step these are only the counter and the learning rate. */
async function putState(root: H5Group, model: Model): Promise<void> {
  const compiled = compiledOf(model)
  if (!compiled) return
  const { optimizer, parameters } = compiled
  const saved = await stateOf(model)
  const before = [
    { shape: [], data: BigInt64Array.of(0n) },
    ...(keepsRate(optimizer) ? [{ shape: [], data: Float32Array.of(optimizer.learningRate) }] : []),
  ]
  const arrays = saved ? togetherState(optimizer, saved, parameters) : before
  for (const [i, { shape, data }] of arrays.entries()) putArray(root, `optimizer/vars/${i}`, { shape, data })
}
