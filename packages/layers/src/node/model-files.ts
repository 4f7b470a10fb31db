/// <reference types="node" />
/** Models and weights as files. The extension says the format. Files are written whole or not at all. */
import { readFile, stat } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { ValueError } from '@cotangent/core'
import { requireBoolean, requireChoice, requireOptions, requireText } from '@cotangent/core/arguments'
import {
  type LoadOptions,
  type Model,
  type ModelFormat,
  modelFromBytes,
  modelFromJSON,
  modelFromTfjs,
  modelToBytes,
  modelToJSON,
  modelToTfjs,
  type WeightsFormat,
  type WeightsOptions,
  weightsFromBytes,
  weightsToBytes,
} from '../index.js'
import { requireFormatFor } from '../io/savable.js'
import { reading } from './file-error.js'
import { readTfjsFolder, writeTfjsFolder } from './tfjs-folder.js'
import { writeWhole } from './write-file.js'

const models: Readonly<Record<string, ModelFormat>> = { '.h5': 'h5', '.hdf5': 'h5', '.keras': 'keras' }
const modelOthers = ', model.json (TensorFlow.js), .json (the architecture alone)'
const weights: Readonly<Record<string, WeightsFormat>> = {
  '.weights.h5': 'weights.h5',
  '.h5': 'h5',
  '.hdf5': 'h5',
  '.safetensors': 'safetensors',
  '.npz': 'npz',
}

/** The format of a path's extension. Throws for an extension that stands for none. */
function formatOf<Format>(what: string, path: string, formats: Readonly<Record<string, Format>>, others = ''): Format {
  requireText(what, 'the path', path)
  const extension = extname(path).toLowerCase()
  const longer = Object.keys(formats).find((ending) => ending.indexOf('.', 1) > 0 && path.toLowerCase().endsWith(ending))
  if (longer ?? Object.hasOwn(formats, extension)) return formats[longer ?? extension]
  throw new ValueError(
    `${what}: "${path}" ${extension ? `ends in "${extension}"` : 'has no extension'}; the format follows from it: ${Object.keys(formats).join(', ')}${others}.`,
  )
}

/** Options of `saveModel`. */
export interface SaveOptions {
  /** Whether to save also the options of `compile` and the optimizer's state; true by default. */
  includeOptimizer?: boolean
  /** `tfjs`: the path is a folder, which gets TensorFlow.js' model.json and shards. By default the extension says the format. */
  format?: 'tfjs'
}

/**
 * Saves a model. The extension says the format: `.h5` as Keras 2.3, `.keras` as Keras 3, `.json` the architecture alone. A path that ends in `model.json`, or
 * `format: 'tfjs'`, is for TensorFlow.js.
 *
 * At any moment, even after a crash, the path holds the old model or the new one, whole: see `writeFileAtomic`. For TensorFlow.js, shards get new names; those
 * of the replaced model are removed, other files of the folder stay. Several processes may save to one path; the last one wins.
 *
 * @throws ValueError for another extension, or for a model without weights; CotangentError with the system's `code` if the file cannot be written. Then the
 * old model is there as it was.
 * @example
 * ```ts
 * import { tmpdir } from 'node:os'
 *
 * await saveModel(model, `${tmpdir()}/digits.h5`)
 * const again = await loadModel(`${tmpdir()}/digits.h5`)
 * console.log(again.countParams() === model.countParams())   // true
 * ```
 */
export async function saveModel(model: Model, path: string, options: SaveOptions = {}): Promise<void> {
  await saveModelAs('saveModel', model, path, options)
}

/** @internal `saveModel` for the function `what`. */
export async function saveModelAs(what: string, model: Model, path: string, options: SaveOptions = {}): Promise<void> {
  requireText(what, 'the path', path)
  requireOptions(what, options, ['includeOptimizer', 'format'], "saveModel(model, 'model.h5', { includeOptimizer: false })")
  const { includeOptimizer = true, format } = options
  requireBoolean(what, 'includeOptimizer', includeOptimizer)
  if (format !== undefined) requireChoice(what, "format, where the path's extension does not say it,", format, ['tfjs'])
  if (format === 'tfjs' || basename(path) === 'model.json') {
    const folder = basename(path) === 'model.json' ? dirname(path) : path
    return writeTfjsFolder(what, folder, (shardName) => modelToTfjs(model, { shardName }))
  }
  if (extname(path) === '.json') return writeWhole(what, path, modelToJSON(model))
  const kind = formatOf(what, path, models, modelOthers)
  await writeWhole(what, path, await modelToBytes(model, { format: kind, includeOptimizer }))
}

/** @internal Throws unless the extension of a path stands for a format of weights, or of models that can hold this one. */
export function requireSavable(what: string, path: string, weightsOnly: boolean, model: Model): void {
  if (weightsOnly) formatOf(what, path, weights)
  else if (extname(path) !== '.json') requireFormatFor(what, model, formatOf(what, path, models, modelOthers))
  else requireFormatFor(what, model, basename(path) === 'model.json' ? 'tfjs' : 'json')
}

/**
 * Loads a model: HDF5 or `.keras`, recognised by content, not by name; TensorFlow.js' `model.json`, or its folder; or an architecture alone (`.json`), with new
 * weights.
 *
 * @throws ValueError or ShapeError that names the part of the file that is damaged or not supported; CotangentError with the system's `code` if the file
 * cannot be read
 * @example
 * ```ts
 * await saveModel(model, 'digits.keras')
 * const again = await loadModel('digits.keras')
 * console.log(again.layers.length === model.layers.length)   // true
 * ```
 */
export async function loadModel(path: string, options: LoadOptions = {}): Promise<Model> {
  requireText('loadModel', 'the path', path)
  const read = <T>(get: () => Promise<T>): Promise<T> => reading('loadModel', path, get)
  const named = { name: path, ...options }
  if ((await read(() => stat(path))).isDirectory()) return loadModel(join(path, 'model.json'), options)
  if (extname(path) !== '.json') return modelFromBytes(await read(() => readFile(path)), named)
  const text = await read(() => readFile(path, 'utf8'))
  if (!text.includes('"weightsManifest"')) return modelFromJSON(text, named)
  return readTfjsFolder('loadModel', path, text, (json, shard) => modelFromTfjs(json, shard, named))
}

/**
 * Saves only the weights of a model: `.h5` as `save_weights` of Keras 2, `.weights.h5` as that of Keras 3, `.safetensors` or `.npz`. The file is written whole or not at all.
 *
 * @throws ValueError for another extension, or for a model without weights; CotangentError with the system's `code` if the file cannot be written. Then the
 * old file is there as it was.
 * @example
 * ```ts
 * await saveWeights(model, 'digits.safetensors')
 * await loadWeights(model, 'digits.safetensors')
 * ```
 */
export async function saveWeights(model: Model, path: string): Promise<void> {
  await saveWeightsAs('saveWeights', model, path)
}

/** @internal `saveWeights` for the function `what`. */
export async function saveWeightsAs(what: string, model: Model, path: string): Promise<void> {
  const format = formatOf(what, path, weights)
  await writeWhole(what, path, await weightsToBytes(model, { format }))
}

/**
 * Loads weights into a model, from a file of weights or of a whole model, in order or by the names of layers.
 *
 * @throws ValueError or ShapeError that names the layer or array that does not fit; CotangentError if the file cannot be read. Then no weight has changed.
 * @example
 * ```ts
 * const before = await model.getWeights()
 * await saveWeights(model, 'before.h5')
 * await model.fit(x, y, { verbose: 0 })
 * await loadWeights(model, 'before.h5')
 * console.log((await model.getWeights())[0].data[0] === before[0].data[0])   // true
 * ```
 */
export async function loadWeights(model: Model, path: string, options: WeightsOptions = {}): Promise<void> {
  formatOf('loadWeights', path, { ...weights, '.keras': 'h5' })
  await weightsFromBytes(model, await reading('loadWeights', path, () => readFile(path)), { name: path, ...options })
}
