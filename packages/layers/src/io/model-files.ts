/** Models and weights as bytes, in Keras' formats: HDF5 (`.h5`) and zip (`.keras`); the architecture alone as JSON. */
import { type Parameter, ValueError } from '@cotangent/core'
import { requireBoolean, requireOptions } from '@cotangent/core/arguments'
import type { Model } from '../models/model.js'
import { using } from '../training/model-use.js'
import { h5ModelTree, h5Origin, h5WeightsTree, readH5Json, readH5State, readH5Weights, valuesOf } from './h5-model.js'
import { type H5Group, isH5, readH5, writeH5 } from './h5-tree.js'
import { namesInFile } from './inner-weights.js'
import { isObject, type Json, parseObject, pythonJson, requireKerasObject } from './keras-object.js'
import { requireNoTexts } from './keras-texts.js'
import { asValueError, kerasWeightsTree, loadKerasWeights, readKerasZip, writeKerasZip } from './keras-zip.js'
import { memoryLimit } from './limits.js'
import { naming, namingLater } from './naming.js'
import { modernized } from './older-weights.js'
import { originOf, versionByWords } from './origin.js'
import { type FileParts, type LoadOptions, restore } from './restore.js'
import { type NamedArray, readSafetensors, writeSafetensors } from './safetensors.js'
import { assignAll, byName, byOrder, ofModel, requireAny, type SavedArray, type SavedLayer } from './saved-weights.js'
import { describeModel, KERAS_VERSION, requireModel } from './write-model.js'
import { keras2Words } from './write-training.js'

/** Formats of whole models: `h5`, Keras 2's HDF5; `keras`, Keras 3's zip. */
export type ModelFormat = 'h5' | 'keras'
/** Formats of weights alone: `h5`, Keras 2's HDF5; `weights.h5`, Keras 3's; `safetensors` and `npz`, each weight under its name. */
export type WeightsFormat = 'h5' | 'weights.h5' | 'safetensors' | 'npz'

function requireBuilt(model: Model, what: string): void {
  requireModel(what, model)
  if (model.built) return
  throw new ValueError(
    `${what}: the model "${model.name}" has no weights yet. Give its first layer an inputShape, or call build([null, …]).`,
  )
}

/**
 * A model as the bytes of a file: architecture, weights, the options of `compile` and the optimizer's state. So training can go on where it stopped. HDF5 files are
 * as Keras 2.3.1 wrote them; tf.keras and Keras 3 read them, too. `keras` files are as Keras 3.16 writes them.
 *
 * @param options.format `h5` by default
 * @param options.includeOptimizer whether the options of `compile` and the optimizer's state are included; true by default
 * @throws ValueError for a model without weights, and for one that takes texts unless the format is `keras`
 * @example
 * ```ts
 * const bytes = await modelToBytes(model, { format: 'keras' })
 * const again = await modelFromBytes(bytes)
 * console.log(again.countParams() === model.countParams())   // true
 * ```
 */
export async function modelToBytes(model: Model, options: { format?: ModelFormat; includeOptimizer?: boolean } = {}): Promise<Uint8Array> {
  requireOptions('modelToBytes', options, ['format', 'includeOptimizer'], "modelToBytes(model, { format: 'keras' })")
  const { format = 'h5', includeOptimizer = true } = options
  requireBoolean('modelToBytes', 'includeOptimizer', includeOptimizer)
  requireBuilt(model, 'modelToBytes')
  if (format === 'keras') return using(model, 'modelToBytes', false, () => writeKerasZip(model, includeOptimizer))
  if (format === 'h5') {
    requireNoTexts('modelToBytes', '.h5', model)
    return using(model, 'modelToBytes', false, async () => writeH5(await h5ModelTree(model, includeOptimizer)))
  }
  throw new ValueError(`modelToBytes: format must be 'h5' or 'keras', got '${format}'.`)
}

/** Whether bytes begin as a zip archive does. */
const isZip = (bytes: Uint8Array): boolean => bytes[0] === 0x50 && bytes[1] === 0x4b

/**
 * The model in the bytes of a file of Keras 1.2 to 3, tf.keras or this package. The format is recognised by content.
 *
 * @throws ValueError or ShapeError that names the part of the file that is damaged or not supported
 * @example
 * ```ts
 * const again = await modelFromBytes(await modelToBytes(model))
 * console.log(again.optimizer.className)   // SGD
 * ```
 */
export async function modelFromBytes(bytes: Uint8Array, options: LoadOptions = {}): Promise<Model> {
  const { name: what = 'model file' } = options
  return namingLater(what, async () => {
    if (isH5(bytes)) return restore(h5Parts(await readH5(bytes, what, options.maxBytes), what, bytes.length, options), options)
    if (isZip(bytes)) return restore(await readKerasZip(bytes, what, options.maxBytes, options.customObjects ?? {}), options)
    throw new ValueError(`${what}: neither HDF5 nor a zip archive by its first bytes, so no .h5 or .keras model (${bytes.length} bytes).`)
  })
}

function h5Parts(root: H5Group, what: string, length: number, { compile = true, maxBytes = memoryLimit(length) }: LoadOptions): FileParts {
  const config = readH5Json(root, 'model_config', what)
  if (!config) {
    throw new ValueError(
      `${what}: there is no model_config in it, so it holds weights alone. Build the model and load them: weightsFromBytes, or loadWeights.`,
    )
  }
  const state = compile ? readH5State(root, what) : undefined
  return {
    origin: h5Origin(root),
    topology: topologyOf(config, `${what}: model_config`),
    topologyPart: `${what}: model_config`,
    weightBytes: maxBytes,
    training: readH5Json(root, 'training_config', what),
    beyond: readH5Json(root, 'cotangent', what),
    loadWeights: (model) => loadH5Weights(model, root, what, ofModel),
    state: state && { arrays: state },
  }
}

/** Up to Keras 2.2.2 the config of a Sequential was the bare list of its layers. */
const topologyOf = (config: Json, part: string): ReturnType<typeof requireKerasObject> =>
  requireKerasObject(Array.isArray(config.config) ? { ...config, config: { layers: config.config } } : config, part)

/** Loads the weights of an HDF5 file into a model. Older arrangements are converted to that of Keras 2.3. */
function loadH5Weights(model: Model, root: H5Group, what: string, match: typeof byOrder): void {
  const origin = h5Origin(root)
  const saved = readH5Weights(root, what)
  const withWeights = saved.filter(({ weights }) => weights.length > 0)
  const ours = model.layers.filter((layer) => layer.weights.length > 0)
  const partner = (layer: SavedLayer) =>
    match === byOrder ? ours[withWeights.indexOf(layer)] : ours.find(({ name }) => name === layer.name)
  const ready = saved.map((layer) => {
    const target = layer.weights.length > 0 ? partner(layer) : undefined
    return target ? modernized(target, layer, origin) : layer
  })
  assignAll(match(model.layers, ready, what), what)
}

/**
 * The weights of a model, without its architecture.
 *
 * @param options.format `h5` (default) as `save_weights` of Keras 2; `weights.h5` as that of Keras 3; `safetensors` and `npz` hold each weight under its name
 * @throws ValueError for a model without weights
 * @example
 * ```ts
 * const { arrays } = readSafetensors(await weightsToBytes(model, { format: 'safetensors' }))
 * console.log([...arrays.values()].map(({ shape }) => shape))   // [[8, 4], [4]]
 * ```
 */
export async function weightsToBytes(model: Model, options: { format?: WeightsFormat } = {}): Promise<Uint8Array> {
  requireOptions('weightsToBytes', options, ['format'], "weightsToBytes(model, { format: 'safetensors' })")
  const { format = 'h5' } = options
  requireBuilt(model, 'weightsToBytes')
  if (format === 'h5') return using(model, 'weightsToBytes', false, async () => writeH5(await h5WeightsTree(model)))
  if (format === 'weights.h5') return using(model, 'weightsToBytes', false, async () => writeH5(await kerasWeightsTree(model)))
  if (format !== 'safetensors' && format !== 'npz')
    throw new ValueError(`weightsToBytes: format must be 'h5', 'weights.h5', 'safetensors' or 'npz', got '${format}'.`)
  const values = await using(model, 'weightsToBytes', false, () => valuesOf(model.weights))
  const arrays = values.map(({ name, shape, data }) => [name, { shape, data: data as Float32Array }] as const)
  if (format === 'safetensors') return writeSafetensors(arrays, { format: 'cotangent' })
  const { writeNpz } = await import('@cotangent/datasets/formats')
  return asValueError(() => writeNpz(arrays))
}

/** Options of `weightsFromBytes` and `loadWeights`. */
export interface WeightsOptions {
  /** Load the weights whose layer or name is in model and file, and leave the others. By default all are loaded, in order. */
  byName?: boolean
  /** The name of the file in messages. */
  name?: string
  /**
   * The bytes that the file may ask for: the unpacked size of an archive (`.keras`, `.npz`), packed arrays of HDF5. By default 256 MiB or 100 times its size,
   * whichever is more, up to 2 GiB.
   */
  maxBytes?: number
}

/**
 * Loads the weights of a file into a model. The file is HDF5 (weights or a whole model), `.keras`, safetensors or npz.
 *
 * @throws ValueError or ShapeError that names the layer or array that does not fit; then no weight has changed
 * @example
 * ```ts
 * const copy = new Sequential([dense(4, { inputShape: [3] })])
 * await weightsFromBytes(copy, await weightsToBytes(copy, { format: 'safetensors' }))
 * ```
 */
export async function weightsFromBytes(model: Model, bytes: Uint8Array, options: WeightsOptions = {}): Promise<void> {
  const { name: what = 'weights' } = options
  requireBuilt(model, what)
  return using(model, 'weightsFromBytes', true, () => namingLater(what, () => loadBytes(model, bytes, options)))
}

async function loadBytes(
  model: Model,
  bytes: Uint8Array,
  { byName: names = false, name: what = 'weights', maxBytes }: WeightsOptions,
): Promise<void> {
  if (isH5(bytes)) {
    const root = await readH5(bytes, what, maxBytes)
    if (root.groups.has('layers') && !root.attributes.has('layer_names')) return loadKerasWeights(model, root, what, names)
    return loadH5Weights(model, root, what, names ? byName : byOrder)
  }
  if (!isZip(bytes)) return loadFlat(model.weights, readSafetensors(bytes, what).arrays, what, names)
  const { parseNpz, unzip } = await import('@cotangent/datasets/formats')
  const entries = asValueError(() => unzip(bytes, { name: what, maxBytes, filter: (entry) => entry === 'model.weights.h5' }))
  if (entries.size > 0) return (await readKerasZip(bytes, what, maxBytes)).loadWeights?.(model, names)
  const arrays = asValueError(() => parseNpz(bytes, what, { maxBytes }))
  return loadFlat(model.weights, arrays as Map<string, NamedArray>, what, names)
}

/** Puts named arrays into weights: by name, or in order. */
function loadFlat(weights: readonly Parameter[], arrays: ReadonlyMap<string, NamedArray>, what: string, names: boolean): void {
  const saved = [...arrays].map(([name, array]): SavedArray => ({ name, ...array }))
  if (!names && saved.length !== weights.length) {
    throw new ValueError(
      `${what}: ${saved.length} arrays in the file, but the model has ${weights.length} weights. To load those whose names agree, use byName: true.`,
    )
  }
  const found = new Map(saved.map((array) => [array.name, array]))
  const own = namesInFile(weights)
  const assignments = weights.flatMap((weight, i) => {
    const array = names ? found.get(own[i]) : saved[i]
    return array ? [{ weight, array }] : []
  })
  requireAny(assignments, own, [...found.keys()], 'array', what)
  assignAll(assignments, what)
}

/**
 * A model's architecture, without weights, as JSON that Keras' `model_from_json` reads.
 *
 * @throws ValueError for a model that takes texts
 * @example
 * ```ts
 * const again = modelFromJSON(modelToJSON(model))
 * console.log(again.layers.map((layer) => layer.className))   // ['Dense']
 * ```
 */
export function modelToJSON(model: Model): string {
  requireModel('modelToJSON', model)
  requireNoTexts('modelToJSON', 'JSON', model)
  const { topology, beyond } = describeModel(model, keras2Words, 'json')
  return pythonJson({ ...topology, keras_version: KERAS_VERSION, backend: 'tensorflow', cotangent: beyond })
}

/** The bytes that the weights of a JSON file may take. Those of VGG16 take half of it. */
const JSON_WEIGHT_BYTES = 2 ** 30

/**
 * The model of such a JSON text, with new weights.
 *
 * @throws ValueError or ShapeError that names the file and the layer or key that is not supported
 * @example
 * ```ts
 * const again = modelFromJSON(modelToJSON(model), { seed: 7 })
 * console.log(again.seed, again.countParams() === model.countParams())   // 7 true
 * ```
 */
export function modelFromJSON(text: string, options: Omit<LoadOptions, 'compile'> = {}): Model {
  const { name: what = 'model JSON' } = options
  return naming(what, () => restore(jsonParts(text, what, options.maxBytes), options))
}

function jsonParts(text: string, what: string, maxBytes = JSON_WEIGHT_BYTES): FileParts {
  const json = parseObject(text, what)
  const { keras_version: version, backend } = json
  return {
    origin: originOf(typeof version === 'string' ? version : versionByWords(json), typeof backend === 'string' ? backend : undefined),
    topology: topologyOf(json, what),
    topologyPart: what,
    weightBytes: maxBytes,
    beyond: isObject(json.cotangent) ? json.cotangent : undefined,
  }
}
