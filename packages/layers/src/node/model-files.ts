/// <reference types="node" />
/** Models and weights as files. The extension says the format; everything is written whole or not at all. */
import { mkdir, readFile, stat } from 'node:fs/promises'
import { basename, dirname, extname, join, sep } from 'node:path'
import { ValueError } from '@cotangent/core'
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
import { writeFileAtomic } from './write-file.js'

const models: Readonly<Record<string, ModelFormat>> = { '.h5': 'h5', '.hdf5': 'h5', '.keras': 'keras' }
const modelOthers = ', model.json (TensorFlow.js), .json (the architecture alone)'
const weights: Readonly<Record<string, WeightsFormat>> = { '.h5': 'h5', '.hdf5': 'h5', '.safetensors': 'safetensors', '.npz': 'npz' }

/** The format that a path's extension stands for, or an error that lists those there are. */
function formatOf<Format>(what: string, path: string, formats: Readonly<Record<string, Format>>, others = ''): Format {
  const extension = extname(path).toLowerCase()
  if (Object.hasOwn(formats, extension)) return formats[extension]
  throw new ValueError(
    `${what}: "${path}" ${extension ? `ends in "${extension}"` : 'has no extension'}; the format follows from it: ${Object.keys(formats).join(', ')}${others}.`,
  )
}

export interface SaveOptions {
  /** Whether what the model was compiled with and the optimizer's state go along; true by default. */
  includeOptimizer?: boolean
  /** `tfjs`: the path is a folder for TensorFlow.js' model.json and shards. */
  format?: 'tfjs'
}

/**
 * Saves a model: `.h5` as Keras 2.3 does, `.keras` as Keras 3 does, `.json` its architecture alone, a path that ends in `model.json`, or
 * `format: 'tfjs'`, for TensorFlow.js.
 *
 * @throws ValueError for another extension or a model without weights; the error of the system if the file cannot be written.
 * @example
 * ```ts
 * import { tmpdir } from 'node:os'
 *
 * await saveModel(model, `${tmpdir()}/digits.h5`)
 * const again = await loadModel(`${tmpdir()}/digits.h5`)
 * ```
 */
export async function saveModel(model: Model, path: string, { includeOptimizer = true, format }: SaveOptions = {}): Promise<void> {
  if (format === 'tfjs' || basename(path) === 'model.json') {
    return saveTfjs(model, format === 'tfjs' && basename(path) !== 'model.json' ? path : dirname(path))
  }
  if (extname(path) === '.json') return writeFileAtomic(path, modelToJSON(model))
  const kind = formatOf('saveModel', path, models, modelOthers)
  await writeFileAtomic(path, await modelToBytes(model, { format: kind, includeOptimizer }))
}

/** @internal Throws unless models, or weights alone, can be saved at a path with this extension. */
export function requireSavable(what: string, path: string, weightsOnly: boolean): void {
  if (weightsOnly) formatOf(what, path, weights)
  else if (extname(path) !== '.json') formatOf(what, path, models, modelOthers)
}

/** The shards first: whoever finds model.json finds what it names. */
async function saveTfjs(model: Model, folder: string): Promise<void> {
  const { modelJson, shards } = await modelToTfjs(model)
  await mkdir(folder, { recursive: true })
  for (const [name, bytes] of shards) await writeFileAtomic(join(folder, name), bytes)
  await writeFileAtomic(join(folder, 'model.json'), modelJson)
}

/**
 * Loads a model: HDF5 or `.keras`, by what is in the file rather than by its name; TensorFlow.js' `model.json`, or the folder it lies in; the
 * architecture alone (`.json`), with new weights.
 *
 * @throws ValueError or ShapeError that names the part of the file that is damaged or not supported.
 */
export async function loadModel(path: string, options: LoadOptions = {}): Promise<Model> {
  const named = { name: path, ...options }
  if ((await stat(path)).isDirectory()) return loadModel(join(path, 'model.json'), options)
  if (extname(path) !== '.json') return modelFromBytes(await readFile(path), named)
  const text = await readFile(path, 'utf8')
  if (!text.includes('"weightsManifest"')) return modelFromJSON(text, named)
  return modelFromTfjs(text, (shard) => readShard(dirname(path), shard, path), named)
}

async function readShard(folder: string, shard: string, path: string): Promise<Uint8Array> {
  const file = join(folder, shard)
  if (!file.startsWith(folder === '.' ? '' : folder + sep) || shard.split(/[\\/]/).includes('..')) {
    throw new ValueError(`${path}: the shard "${shard}" lies outside the folder of the model.`)
  }
  try {
    return await readFile(file)
  } catch (error) {
    throw new ValueError(`${path}: the shard "${shard}" cannot be read (${error instanceof Error ? error.message : error}).`)
  }
}

/**
 * Saves the weights of a model alone: `.h5` as Keras' `save_weights`, `.safetensors`, `.npz`.
 *
 * @throws ValueError for another extension or a model without weights.
 */
export async function saveWeights(model: Model, path: string): Promise<void> {
  const format = formatOf('saveWeights', path, weights)
  await writeFileAtomic(path, await weightsToBytes(model, { format }))
}

/**
 * Loads weights into a model: from files of weights or of whole models, by order, or by name.
 *
 * @throws ValueError or ShapeError that names the layer or array that does not fit; then no weight has changed.
 */
export async function loadWeights(model: Model, path: string, options: WeightsOptions = {}): Promise<void> {
  formatOf('loadWeights', path, { ...weights, '.keras': 'h5' })
  await weightsFromBytes(model, await readFile(path), { name: path, ...options })
}
