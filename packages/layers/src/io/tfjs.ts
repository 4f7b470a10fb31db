/** TensorFlow.js' layers models: `model.json` with the topology and a manifest, and the elements of all weights in files (shards) beside it. */
import { ValueError } from '@cotangent/core'
import { requireFunction, requireOptions, requireText } from '@cotangent/core/arguments'
import type { Layer } from '../layer.js'
import { Model } from '../model.js'
import { using } from '../model-use.js'
import { valuesOf } from './h5-model.js'
import { isKerasObject, isObject, type Json, parseObject, pythonJson, requireKerasObject } from './keras-object.js'
import { modernized } from './older-weights.js'
import { type Origin, originOf } from './origin.js'
import { type LoadOptions, restore } from './restore.js'
import { fromHalves } from './safetensors.js'
import { assignAll, byName, byOrder, type SavedArray, type SavedLayer } from './saved-weights.js'
import { describeModel, KERAS_VERSION, requireModel, trainingConfig } from './write-model.js'
import { keras2Words } from './write-training.js'

/** The files of a model for TensorFlow.js. */
export interface TfjsModel {
  /** Text of `model.json`. */
  readonly modelJson: string
  /** The files that it names, by name. */
  readonly shards: ReadonlyMap<string, Uint8Array>
}

/** TensorFlow.js' converter makes shards of 4 MiB, which browsers cache. */
const SHARD_BYTES = 4 * 1024 * 1024

/**
 * A model as TensorFlow.js' `model.json` and shards. The state of the optimizer does not go along; the format has no place for it.
 *
 * @param options.shardBytes largest size of a shard; 4 MiB by default
 * @param options.shardName the name of a shard by its number, from 1, and their count; `group1-shard1of2.bin` by default. Names of its own let a model lie
 *   beside an earlier one until its model.json takes the place of the earlier one's.
 * @throws ValueError for a model without weights, or with two layers of one name in models inside it.
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
  if (!Number.isInteger(shardBytes) || shardBytes < 1)
    throw new ValueError(`modelToTfjs: shardBytes must be a whole number from 1, got ${shardBytes}.`)
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

/** The weights of a layer under names that begin with its own; those of cells and layers inside have names of theirs. */
async function namedValues(layer: Layer): Promise<SavedArray[]> {
  const values = await valuesOf(layer.weights)
  return values.map((array) => (array.name.startsWith(`${layer.name}/`) ? array : { ...array, name: `${layer.name}/${array.name}` }))
}

/** Where the bytes of a shard come from, by the path in the manifest. */
export type ShardSource = ReadonlyMap<string, Uint8Array> | ((path: string) => Uint8Array | Promise<Uint8Array>)

/**
 * The model of a `model.json` and its shards.
 *
 * @param source gives the bytes of a shard: a Map of them, or a function of the path
 * @throws ValueError that names the shard or weight for anything missing, too short or too long.
 */
export async function modelFromTfjs(modelJson: string, source: ShardSource, options: LoadOptions = {}): Promise<Model> {
  const { name: what = 'model.json' } = options
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
  const saved = await readManifest(file.weightsManifest, source, what)
  const training = modelTopology.training_config ?? file.trainingConfig
  const metadata = isObject(file.userDefinedMetadata) ? file.userDefinedMetadata : {}
  return restore(
    {
      origin,
      topology: requireKerasObject(object, `${what}: modelTopology`),
      topologyPart: `${what}: modelTopology`,
      training: isObject(training) ? training : undefined,
      beyond: isObject(metadata.cotangent) ? metadata.cotangent : undefined,
      loadWeights: (model) => loadNamed(model, saved, origin, what),
    },
    options,
  )
}

/** Puts arrays whose names begin with their layer's into a model; TensorFlow.js itself writes all moving averages last. */
function loadNamed(model: Model, saved: readonly SavedArray[], origin: Origin, what: string): void {
  const ofLayer = (layer: Layer): SavedArray[] => saved.filter(({ name }) => name.startsWith(`${layer.name}/`))
  const layers = leavesOf(model)
  const groups = layers.map((layer): SavedLayer => modernizedIfAny(layer, { name: layer.name, weights: ofLayer(layer) }, origin))
  if (groups.reduce((n, { weights }) => n + weights.length, 0) === saved.length) {
    assignAll(byName(layers, groups, what), what)
    return
  }
  // Names of another model: the layers in order, as long as each array's first part stays the same. TensorFlow.js lists frozen ones last, its converter
  // in order, so that their place says nothing.
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

/** The layers that are not models, also those of models inside. */
const leavesOf = (model: Model): Layer[] => model.layers.flatMap((layer) => (layer instanceof Model ? leavesOf(layer) : [layer]))

const modernizedIfAny = (layer: Layer, saved: SavedLayer, origin: Origin): SavedLayer =>
  saved.weights.length > 0 ? modernized(layer, saved, origin) : saved

/** The arrays that a manifest announces, out of its shards. */
async function readManifest(manifest: unknown, source: ShardSource, what: string): Promise<SavedArray[]> {
  if (!Array.isArray(manifest)) throw new ValueError(`${what}: weightsManifest is missing, so there are no weights.`)
  const out: SavedArray[] = []
  for (const [i, group] of manifest.entries()) {
    const part = `${what}: weightsManifest group ${i}`
    if (!isObject(group) || !Array.isArray(group.paths) || !Array.isArray(group.weights))
      throw new ValueError(`${part}: paths and weights were expected.`)
    const shards = await Promise.all(group.paths.map((path) => readShard(String(path), source, what)))
    const bytes = new Uint8Array(shards.reduce((n, shard) => n + shard.length, 0))
    let at = 0
    for (const shard of shards) {
      bytes.set(shard, at)
      at += shard.length
    }
    out.push(...splitGroup(group.weights, bytes, part, group.paths.join(', ')))
  }
  return out
}

async function readShard(path: string, source: ShardSource, what: string): Promise<Uint8Array> {
  if (typeof source === 'function') return source(path)
  const shard = source.get(path)
  if (!shard) throw new ValueError(`${what}: the shard "${path}" is missing.`)
  return shard
}

function splitGroup(weights: readonly unknown[], bytes: Uint8Array, part: string, paths: string): SavedArray[] {
  let at = 0
  const arrays = weights.map((weight): SavedArray => {
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
    const end = at + stored.bytes * shape.reduce((a: number, b: number) => a * b, 1)
    if (!(end <= bytes.length)) {
      throw new ValueError(
        `${part}: weight "${name}" [${shape.join(', ')}] goes beyond the ${bytes.length} bytes of ${paths}; is a shard missing or truncated?`,
      )
    }
    const { buffer } = bytes.slice(at, end)
    at = end
    return { name, shape, data: stored.read(buffer) }
  })
  if (at !== bytes.length) throw new ValueError(`${part}: the weights take ${at} bytes, but ${paths} have ${bytes.length}.`)
  return arrays
}

/** How the elements of a weight are in the shards. */
interface Stored {
  readonly bytes: number
  read(buffer: ArrayBuffer): Float32Array | Int32Array
}

/** TensorFlow.js quantizes to halves, or to whole numbers q of which the value is q·scale + min. */
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
