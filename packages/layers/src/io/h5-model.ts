/** Keras' HDF5 files of whole models and of weights alone. They are written as by Keras 2.3.1, and read from Keras 1.2 to 3. */
import { ValueError } from '@cotangent/core'
import type { Layer } from '../layer.js'
import type { Model } from '../models/model.js'
import { snakeCase } from '../spelling/names.js'
import { type H5Array, type H5Group, newGroup } from './h5-tree.js'
import { holdsModel, namesInFile, weightsInFile } from './inner-weights.js'
import { type Json, parseObject, pythonJson } from './keras-object.js'
import { type Origin, originOf, versionByWords } from './origin.js'
import type { SavedArray, SavedLayer } from './saved-weights.js'
import { compiledOf, describeModel, KERAS_VERSION, trainingConfig } from './write-model.js'

/** The longest attribute. h5py has a limit, so Keras divides longer ones. */
const MOST_BYTES = 64_512

/**
 * Our attribute on the group of a model inside: the names of its arrays, in the order of its layers. Keras lists frozen weights last, and ignores this attribute.
 */
const ORDER = 'cotangent_order'

/** The group or array at a path. */
function arrayAt(group: H5Group, path: string): H5Array | undefined {
  const parts = path.split('/').filter((part) => part !== '')
  const last = parts.pop()
  const inner = groupAt(group, parts.join('/'))
  return last === undefined ? undefined : inner?.arrays.get(last)
}

/** The group at a path. */
export function groupAt(group: H5Group, path: string): H5Group | undefined {
  return path
    .split('/')
    .filter((part) => part !== '')
    .reduce<H5Group | undefined>((inner, part) => inner?.groups.get(part), group)
}

/** The group at a path, made if it is not there. */
export function makeGroup(group: H5Group, path: string): H5Group {
  return path
    .split('/')
    .filter((part) => part !== '')
    .reduce((inner, part) => {
      const next = inner.groups.get(part) ?? newGroup()
      inner.groups.set(part, next)
      return next
    }, group)
}

/** Puts an array at a path. */
export function putArray(group: H5Group, path: string, array: H5Array): void {
  const slash = path.lastIndexOf('/')
  makeGroup(group, path.slice(0, Math.max(0, slash))).arrays.set(path.slice(slash + 1), array)
}

/** A list of names in an attribute, which may be divided into `name0`, `name1`, … @throws ValueError if it is not there */
function namesIn(group: H5Group, attribute: string, part: string): string[] {
  const pieces = [group.attributes.get(attribute)].filter((piece) => piece !== undefined)
  for (let i = 0; pieces.length === i && group.attributes.has(`${attribute}${i}`); i++)
    pieces.push(group.attributes.get(`${attribute}${i}`) as string[])
  if (pieces.length === 0) throw new ValueError(`${part}: the attribute "${attribute}" is missing.`)
  return pieces.flatMap((piece) => {
    const list = typeof piece === 'string' ? [piece] : piece
    return list.map((name) => {
      if (typeof name === 'string') return name
      throw new ValueError(`${part}: the attribute "${attribute}" must hold names.`)
    })
  })
}

function putNames(group: H5Group, attribute: string, names: readonly string[]): void {
  const bytes = (list: readonly string[]): number => list.length * Math.max(0, ...list.map((name) => new TextEncoder().encode(name).length))
  if (bytes(names) <= MOST_BYTES) {
    group.attributes.set(attribute, [...names])
    return
  }
  let pieces = 2
  const piece = (i: number): string[] => names.slice(Math.floor((i * names.length) / pieces), Math.floor(((i + 1) * names.length) / pieces))
  while (Array.from({ length: pieces }, (_, i) => bytes(piece(i))).some((n) => n > MOST_BYTES)) pieces++
  for (let i = 0; i < pieces; i++) group.attributes.set(`${attribute}${i}`, piece(i))
}

/** The arrays of a group, in the order of its attribute `weight_names`. */
function readArrays(group: H5Group, part: string): SavedArray[] {
  return namesIn(group, 'weight_names', part).map((name) => {
    const array = arrayAt(group, name)
    if (!array) throw new ValueError(`${part}: the array "${name}" that weight_names announces is missing.`)
    return { name, ...array }
  })
}

/** The group that holds the layers: `model_weights` of a whole model, or the root of a file of weights. */
const weightsGroup = (root: H5Group): H5Group => root.groups.get('model_weights') ?? root

const textOf = (group: H5Group, attribute: string): string | undefined => {
  const value = group.attributes.get(attribute)
  return typeof value === 'string' ? value : undefined
}

/** The program that wrote the file. */
export function h5Origin(root: H5Group): Origin {
  const weights = weightsGroup(root)
  const find = (name: string): string | undefined => textOf(root, name) ?? textOf(weights, name)
  const words = textOf(root, 'model_config')
  const version = find('keras_version') ?? (words === undefined ? undefined : versionByWords(parseObject(words, 'model_config')))
  return originOf(version, find('backend'))
}

/** The arrays of all layers, in the file's order. */
export function readH5Weights(root: H5Group, what: string): SavedLayer[] {
  const group = weightsGroup(root)
  return namesIn(group, 'layer_names', `${what}, ${group === root ? 'root' : 'model_weights'}`).map((name) => {
    const layer = groupAt(group, name)
    if (!layer) throw new ValueError(`${what}: the group of layer "${name}", which layer_names announces, is missing.`)
    const order =
      layer.attributes.has(ORDER) || layer.attributes.has(`${ORDER}0`) ? namesIn(layer, ORDER, `${what}, layer "${name}"`) : undefined
    return { name, weights: readArrays(layer, `${what}, layer "${name}"`), order }
  })
}

/** The optimizer's arrays; undefined if there are none. */
export function readH5State(root: H5Group, what: string): SavedArray[] | undefined {
  const group = root.groups.get('optimizer_weights')
  return group && readArrays(group, `${what}, optimizer_weights`)
}

/** A JSON attribute of the root; undefined if there is none. */
export function readH5Json(root: H5Group, attribute: string, what: string): Json | undefined {
  const text = textOf(root, attribute)
  return text === undefined ? undefined : parseObject(text, `${what}, attribute "${attribute}"`)
}

/** Values of weights, with the names that they have in the file. */
export async function valuesOf(weights: Layer['weights'], names: readonly string[] = namesInFile(weights)): Promise<SavedArray[]> {
  return Promise.all(
    weights.map(async (w, i) => ({ name: names[i], shape: w.shape, data: (await w.data()) as Float32Array | Float64Array })),
  )
}

/** The state of a model's optimizer, slot after slot; undefined before the first step. */
export async function stateOf(model: Model): Promise<SavedArray[] | undefined> {
  const optimizer = compiledOf(model)?.optimizer
  if (!optimizer || optimizer.steps === 0) return undefined
  const saved = await optimizer.getWeights()
  return saved.map(({ name, shape, data }) => {
    const counter = name === 'iterations' // an int64, as in Keras
    return {
      name: shape.length === 0 && counter ? `${optimizer.className}/${name}:0` : `training/${optimizer.className}/${snakeCase(name)}:0`,
      shape,
      data: counter ? BigInt64Array.of(BigInt(data[0])) : (data as Float32Array | Float64Array),
    }
  })
}

async function putWeights(group: H5Group, model: Model): Promise<void> {
  putNames(
    group,
    'layer_names',
    model.layers.map(({ name }) => name),
  )
  group.attributes.set('backend', 'tensorflow')
  group.attributes.set('keras_version', KERAS_VERSION)
  for (const layer of model.layers) {
    const own = makeGroup(group, layer.name)
    const listed = weightsInFile(layer)
    const values = await valuesOf(
      listed.map(({ weight }) => weight),
      listed.map(({ name }) => `${name}:0`),
    )
    putArrays(own, values)
    if (holdsModel(layer))
      putNames(
        own,
        ORDER,
        namesInFile(layer.weights).map((name) => `${name}:0`),
      )
  }
}

function putArrays(group: H5Group, arrays: readonly SavedArray[]): void {
  putNames(
    group,
    'weight_names',
    arrays.map(({ name }) => name),
  )
  for (const { name, shape, data } of arrays) putArray(group, name, { shape, data })
}

/** The tree of a file with the weights alone. */
export async function h5WeightsTree(model: Model): Promise<H5Group> {
  const root = newGroup()
  await putWeights(root, model)
  return root
}

/** The tree of a file with the whole model. */
export async function h5ModelTree(model: Model, includeOptimizer: boolean): Promise<H5Group> {
  const described = describeModel(model)
  const { topology, beyond } = described
  const training = trainingConfig(described)
  const root = newGroup()
  root.attributes.set('keras_version', KERAS_VERSION)
  root.attributes.set('backend', 'tensorflow')
  root.attributes.set('model_config', pythonJson(topology))
  root.attributes.set('cotangent', pythonJson(beyond))
  await putWeights(makeGroup(root, 'model_weights'), model)
  if (!includeOptimizer || !training) return root
  root.attributes.set('training_config', pythonJson(training))
  const state = await stateOf(model)
  if (state) putArrays(makeGroup(root, 'optimizer_weights'), state)
  return root
}
