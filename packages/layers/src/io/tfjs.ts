/**
 * TensorFlow.js' layers models: `model.json` with the topology and a manifest of weights, and files (shards) with the elements of the weights beside it. Reading
 * and writing stand together, since both follow one manifest; hence a little over 300 lines.
 */
import { sizeOf, ValueError } from '@cotangent/core'
import { describeValue, requireFunction, requireOptions, requireText } from '@cotangent/core/arguments'
import type { Layer } from '../layer.js'
import { Model } from '../models/model.js'
import { using } from '../training/model-use.js'
import { valuesOf } from './h5-model.js'
import { isKerasObject, isObject, type Json, parseObject, pythonJson, requireKerasObject } from './keras-object.js'
import { requireNoTexts } from './keras-texts.js'
import { MOST_BYTES, memoryLimit } from './limits.js'
import { namingLater } from './naming.js'
import { modernized } from './older-weights.js'
import { type Origin, originOf } from './origin.js'
import { type LoadOptions, restore } from './restore.js'
import { fromHalves } from './safetensors.js'
import { assignAll, byName, byOrder, type SavedArray, type SavedLayer } from './saved-weights.js'
import { describeModel, KERAS_VERSION, requireModel, trainingConfig } from './write-model.js'
import { keras2Words } from './write-training.js'

/** The files of a model for TensorFlow.js. */
export interface TfjsModel {
  /** The text of `model.json`. */
  readonly modelJson: string
  /** The shards by the names in `model.json`. */
  readonly shards: ReadonlyMap<string, Uint8Array>
}

/** The size of shards: 4 MiB, as in TensorFlow.js' converter. Browsers cache files of that size. */
const SHARD_BYTES = 4 * 1024 * 1024

/**
 * A model as TensorFlow.js' `model.json` and shards. The optimizer's state is left out: the format has no place for it.
 *
 * @param options.shardBytes the largest size of a shard in bytes; 4 MiB by default
 * @param options.shardName the name of a shard, from its number (counted from 1) and their count; `group1-shard1of2.bin` by default. With names of their own, new
 * shards can lie beside those of an earlier model until model.json is replaced.
 * @throws ValueError for a model without weights, or with two weights of one name in models inside it; for a model that takes texts
 * @example
 * ```ts
 * const { modelJson, shards } = await modelToTfjs(model)
 * console.log([...shards.keys()])   // ['group1-shard1of1.bin']
 * console.log((await modelFromTfjs(modelJson, shards)).countParams() === model.countParams())   // true
 * ```
 */
export async function modelToTfjs(
  model: Model,
  options: { shardBytes?: number; shardName?: (number: number, count: number) => string } = {},
): Promise<TfjsModel> {
  requireModel('modelToTfjs', model)
  requireOptions('modelToTfjs', options, ['shardBytes', 'shardName'], 'modelToTfjs(model, { shardBytes: 2 ** 22 })')
  const { shardBytes = SHARD_BYTES, shardName = (number, count) => `group1-shard${number}of${count}.bin` } = options
  requireFunction('modelToTfjs', 'shardName', shardName, "modelToTfjs(model, { shardName: (number) => 'part-' + number + '.bin' })")
  if (!model.built) throw new ValueError(`modelToTfjs: the model "${model.name}" has no weights yet. Call build([null, …]) first.`)
  requireNoTexts('modelToTfjs', 'TensorFlow.js', model)
  if (!Number.isInteger(shardBytes) || shardBytes < 1)
    throw new ValueError(`modelToTfjs: shardBytes must be a whole number, at least 1, got ${shardBytes}.`)
  const described = describeModel(model, keras2Words, 'tfjs')
  const { topology, beyond } = described
  const training = trainingConfig(described)
  const arrays = (await using(model, 'modelToTfjs', false, () => Promise.all(leavesOf(model).map(namedValues)))).flat()
  const twice = arrays.find(({ name }, i) => arrays.findIndex((array) => array.name === name) !== i)
  if (twice) {
    throw new ValueError(
      `modelToTfjs: there are two weights "${twice.name}", which TensorFlow.js could not tell apart. Give the layers inside the models names of their own.`,
    )
  }
  const pieces = arrays.map(({ data }) => Float32Array.from(data as Float32Array)) // TensorFlow.js has no float64
  const all = new Uint8Array(pieces.reduce((n, piece) => n + piece.byteLength, 0))
  let at = 0
  for (const piece of pieces) {
    all.set(new Uint8Array(piece.buffer), at)
    at += piece.byteLength
  }
  const count = Math.max(1, Math.ceil(all.length / shardBytes))
  const paths = Array.from({ length: count }, (_, i) => shardName(i + 1, count))
  for (const path of paths) requireText('modelToTfjs', 'what shardName gives', path)
  const same = paths.find((path, i) => paths.indexOf(path) !== i)
  if (same !== undefined) throw new ValueError(`modelToTfjs: shardName calls two shards "${same}".`)
  const shards = new Map(paths.map((path, i) => [path, all.slice(i * shardBytes, (i + 1) * shardBytes)]))
  const file = {
    format: 'layers-model',
    generatedBy: `keras v${KERAS_VERSION}`,
    convertedBy: null,
    modelTopology: {
      keras_version: KERAS_VERSION,
      backend: 'tensorflow',
      model_config: topology,
      ...(training && { training_config: training }),
    },
    weightsManifest: [{ paths, weights: arrays.map(({ name, shape }) => ({ name, shape, dtype: 'float32' })) }],
    userDefinedMetadata: { cotangent: beyond },
  }
  return { modelJson: pythonJson(file), shards }
}

/** The weights of a layer under names that begin with its own name; weights of cells and layers inside have theirs. */
async function namedValues(layer: Layer): Promise<SavedArray[]> {
  const values = await valuesOf(layer.weights)
  return values.map((array) => (array.name.startsWith(`${layer.name}/`) ? array : { ...array, name: `${layer.name}/${array.name}` }))
}

/** Gives the bytes of a shard, by its path in the manifest. */
export type ShardSource = ReadonlyMap<string, Uint8Array> | ((path: string) => Uint8Array | Promise<Uint8Array>)

/**
 * The model of a `model.json` and its shards.
 *
 * @param source the bytes of the shards: a Map by path, or a function of the path
 * @throws ValueError that names the shard or weight for anything missing, too short or too long
 * @example
 * ```ts
 * const { modelJson, shards } = await modelToTfjs(model)
 * const again = await modelFromTfjs(modelJson, (path) => shards.get(path)!)
 * console.log((await again.getWeights())[0].data[0] === (await model.getWeights())[0].data[0])   // true
 * ```
 */
export async function modelFromTfjs(modelJson: string, source: ShardSource, options: LoadOptions = {}): Promise<Model> {
  const { name: what = 'model.json' } = options
  return namingLater(what, () => readTfjs(modelJson, source, what, options))
}

async function readTfjs(modelJson: string, source: ShardSource, what: string, options: LoadOptions): Promise<Model> {
  const { maxBytes = MOST_BYTES } = options
  const file = parseObject(modelJson, what)
  if (file.format === 'graph-model') {
    throw new ValueError(
      `${what}: a graph model, which has no layers. Convert the original with --output_format tfjs_layers_model, or load its .h5.`,
    )
  }
  const { modelTopology } = file
  if (!isObject(modelTopology)) throw new ValueError(`${what}: modelTopology is missing.`)
  const wrapped = isObject(modelTopology.model_config) ? modelTopology.model_config : modelTopology
  const object = isKerasObject(wrapped) || !Array.isArray(wrapped.config) ? wrapped : { ...wrapped, config: { layers: wrapped.config } }
  const text = (key: string): string | undefined => (typeof modelTopology[key] === 'string' ? (modelTopology[key] as string) : undefined)
  const origin = originOf(text('keras_version') ?? 'tfjs', text('backend'))
  const saved = await readManifest(file.weightsManifest, source, what, maxBytes)
  const training = modelTopology.training_config ?? file.trainingConfig
  const metadata = isObject(file.userDefinedMetadata) ? file.userDefinedMetadata : {}
  return restore(
    {
      origin,
      topology: requireKerasObject(object, `${what}: modelTopology`),
      topologyPart: `${what}: modelTopology`,
      weightBytes: options.maxBytes ?? memoryLimit(4 * saved.reduce((n, { data }) => n + data.length, 0)),
      training: isObject(training) ? training : undefined,
      beyond: isObject(metadata.cotangent) ? metadata.cotangent : undefined,
      loadWeights: (model) => loadNamed(model, saved, origin, what),
    },
    options,
  )
}

/** Loads arrays whose names begin with their layer's name into a model. TensorFlow.js itself writes all moving averages last. */
function loadNamed(model: Model, saved: readonly SavedArray[], origin: Origin, what: string): void {
  const ofLayer = (layer: Layer): SavedArray[] => saved.filter(({ name }) => name.startsWith(`${layer.name}/`))
  const layers = leavesOf(model)
  const groups = layers.map((layer): SavedLayer => modernizedIfAny(layer, { name: layer.name, weights: ofLayer(layer) }, origin))
  if (groups.reduce((n, { weights }) => n + weights.length, 0) === saved.length) {
    assignAll(byName(layers, groups, what), what)
    return
  }
  // The names are of another model. Then arrays with the same first part are one layer, and layers are matched in order. TensorFlow.js lists frozen weights
  // last, its converter lists them in order, so the position of frozen ones means nothing.
  const frozen = layers.find((layer) => !layer.trainable && layer.weights.length > 0)
  if (frozen) {
    throw new ValueError(
      `${what}: the weights have names (${saved.map(({ name }) => name).join(', ')}) that are none of the layers', and ${frozen.describe()} is frozen, ` +
        'so that their order does not tell which is which.',
    )
  }
  const runs: { name: string; weights: SavedArray[] }[] = []
  for (const array of saved) {
    const name = array.name.slice(0, array.name.lastIndexOf('/'))
    if (runs.at(-1)?.name === name) runs.at(-1)?.weights.push(array)
    else runs.push({ name, weights: [array] })
  }
  assignAll(byOrder(layers, runs, what), what)
}

/** The layers that are no models, those of models inside included. */
const leavesOf = (model: Model): Layer[] => model.layers.flatMap((layer) => (layer instanceof Model ? leavesOf(layer) : [layer]))

const modernizedIfAny = (layer: Layer, saved: SavedLayer, origin: Origin): SavedLayer =>
  saved.weights.length > 0 ? modernized(layer, saved, origin) : saved

/** A weight in a manifest, and its position in the bytes of its group. */
interface Announced {
  readonly name: string
  readonly shape: readonly number[]
  readonly stored: Stored
  readonly at: number
  readonly end: number
}

/** The arrays of a manifest, read from its shards. Their size is counted before any shard is read. */
async function readManifest(manifest: unknown, source: ShardSource, what: string, maxBytes: number): Promise<SavedArray[]> {
  if (!Array.isArray(manifest)) throw new ValueError(`${what}: weightsManifest is missing, so there are no weights.`)
  const paths = new Set<string>()
  let total = 0
  const groups = manifest.map((group, i) => {
    const part = `${what}: weightsManifest group ${i}`
    if (!isObject(group) || !Array.isArray(group.paths) || !Array.isArray(group.weights))
      throw new ValueError(`${part}: paths and weights were expected.`)
    for (const path of group.paths) {
      if (typeof path !== 'string') throw new ValueError(`${part}: ${JSON.stringify(path)} is not the path of a shard.`)
      if (paths.has(path)) throw new ValueError(`${part}: the shard "${path}" is named twice.`)
      paths.add(path)
    }
    const weights = announcedBy(group.weights, part)
    total += weights.reduce((n, { shape }) => n + 4 * sizeOf(shape), 0)
    return { part, paths: group.paths as string[], weights, bytes: weights.at(-1)?.end ?? 0 }
  })
  if (!(total <= maxBytes)) {
    throw new ValueError(
      `${what}: weightsManifest asks for ${total} bytes, more than the ${maxBytes} expected at most; if you trust it, pass a larger maxBytes.`,
    )
  }
  const out: SavedArray[] = []
  for (const group of groups) out.push(...(await readGroup(group, source, what)))
  return out
}

interface Group {
  readonly part: string
  readonly paths: readonly string[]
  readonly weights: readonly Announced[]
  /** The bytes that its weights take. */
  readonly bytes: number
}

/** The arrays of a group. It reads the shards one after the other, and stops if they are longer than the manifest says. */
async function readGroup({ part, paths, weights, bytes }: Group, source: ShardSource, what: string): Promise<SavedArray[]> {
  const shards: Uint8Array[] = []
  let length = 0
  for (const path of paths) {
    const shard = await readShard(path, source, what)
    if (!(shard instanceof Uint8Array))
      throw new ValueError(`${what}: the shard "${path}" must be a Uint8Array, got ${describeValue(shard)}.`)
    shards.push(shard)
    length += shard.length
    if (length > bytes) throw new ValueError(`${part}: the weights take ${bytes} bytes, but ${shown(paths)} have ${length}.`)
  }
  const beyond = weights.find(({ end }) => end > length)
  if (beyond) {
    throw new ValueError(
      `${part}: weight "${beyond.name}" [${beyond.shape.join(', ')}] goes beyond the ${length} bytes of ${shown(paths)}; is a shard missing or truncated?`,
    )
  }
  const joined = shards.length === 1 ? shards[0] : new Uint8Array(length)
  for (let i = 0, at = 0; shards.length > 1 && i < shards.length; at += shards[i].length, i++) joined.set(shards[i], at)
  // Copies, since the bytes may not be aligned for their type.
  return weights.map(({ name, shape, stored, at, end }) => ({
    name,
    shape,
    data: stored.read(new Uint8Array(joined.subarray(at, end)).buffer),
  }))
}

/** The paths of shards; only some if there are many. */
const shown = (paths: readonly string[]): string => (paths.length > 8 ? `${paths.slice(0, 8).join(', ')}, …` : paths.join(', '))

async function readShard(path: string, source: ShardSource, what: string): Promise<Uint8Array> {
  if (typeof source === 'function') return source(path)
  const shard = source.get(path)
  if (!shard) throw new ValueError(`${what}: the shard "${path}" is missing.`)
  return shard
}

/** The weights of a group, one after the other. */
function announcedBy(weights: readonly unknown[], part: string): Announced[] {
  let at = 0
  return weights.map((weight): Announced => {
    const { name, shape, dtype, quantization } = (isObject(weight) ? weight : {}) as Json
    if (typeof name !== 'string' || !Array.isArray(shape) || !shape.every((n) => Number.isSafeInteger(n) && n >= 0)) {
      throw new ValueError(`${part}: ${JSON.stringify(weight)} is not a weight with name and shape.`)
    }
    const stored = storedAs(dtype, quantization)
    if (!stored) {
      const how = quantization === undefined ? `dtype ${JSON.stringify(dtype)}` : `quantization ${JSON.stringify(quantization)}`
      throw new ValueError(
        `${part}: weight "${name}" has ${how}, which is not supported. float32 and int32 are, also quantized as float16, uint8 and uint16.`,
      )
    }
    const start = at
    at += stored.bytes * sizeOf(shape)
    return { name, shape, stored, at: start, end: at }
  })
}

/** The form of a weight's elements in the shards. */
interface Stored {
  readonly bytes: number
  read(buffer: ArrayBuffer): Float32Array | Int32Array
}

/** The form of a weight's elements. TensorFlow.js quantizes to halves, or to whole numbers q that stand for q·scale + min. */
function storedAs(dtype: unknown, quantization: unknown): Stored | undefined {
  if (quantization === undefined || quantization === null) {
    if (dtype === 'float32') return { bytes: 4, read: (buffer) => new Float32Array(buffer) }
    return dtype === 'int32' ? { bytes: 4, read: (buffer) => new Int32Array(buffer) } : undefined
  }
  if (!isObject(quantization) || (dtype !== 'float32' && dtype !== 'int32')) return undefined
  const { dtype: small, scale, min } = quantization
  if (small === 'float16') return dtype === 'float32' ? { bytes: 2, read: (buffer) => fromHalves(new Uint8Array(buffer)) } : undefined
  if ((small !== 'uint8' && small !== 'uint16') || typeof scale !== 'number' || typeof min !== 'number') return undefined
  return {
    bytes: small === 'uint8' ? 1 : 2,
    read: (buffer) => {
      const whole = small === 'uint8' ? new Uint8Array(buffer) : new Uint16Array(buffer)
      const values = dtype === 'float32' ? new Float32Array(whole.length) : new Int32Array(whole.length)
      for (let i = 0; i < whole.length; i++) values[i] = dtype === 'float32' ? whole[i] * scale + min : Math.round(whole[i] * scale + min)
      return values
    },
  }
}
