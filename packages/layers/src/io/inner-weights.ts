/**
 * The weights of models inside models, in files. Keras 2 lists the trainable ones first (trainable_weights + non_trainable_weights, keras/engine/network.py
 * 2.3.1), so their order depends on what was frozen when the file was written. Here they are matched by properties that do not depend on it: names; our own list
 * of the layers' order; names that differ in numbers only; shapes that no other layer has. If two matches are possible, the file is refused.
 */
import { type Parameter, showShape, ValueError } from '@cotangent/core'
import type { Layer } from '../layer.js'
import { Model } from '../models/model.js'
import { freeName } from '../spelling/automatic-names.js'
import type { Assignment, SavedArray, SavedLayer } from './saved-weights.js'

/** Whether the order of a layer's weights in Keras' files depends on what is frozen. That is so for models and for wrappers around them. */
export const holdsModel = (layer: Layer): boolean => layer instanceof Model || layer.inner.some(holdsModel)

/** The names of weights, made unique: weights of models inside models may have equal names, which a file cannot. */
export function namesInFile(weights: readonly Parameter[]): string[] {
  const taken = new Set<string>()
  return weights.map(({ name }) => freeName(taken, name))
}

/**
 * The weights that training changes as it is set now, and the others. A frozen layer has none of the first kind. Wrappers list as their layer does.
 */
function listed(layer: Layer): [changing: Parameter[], other: Parameter[]] {
  const parts = holdsModel(layer)
    ? layer.inner.map(listed)
    : [[layer.weights.filter((w) => w.trainable), layer.weights.filter((w) => !w.trainable)]]
  const [changing, other] = [0, 1].map((i) => parts.flatMap((part) => part[i]))
  return layer.trainable ? [changing, other] : [[], [...changing, ...other]]
}

/** The weights of a layer in the order of Keras' files, as layers are frozen now, with names that do not depend on it. */
export function weightsInFile(layer: Layer): { weight: Parameter; name: string }[] {
  const names = namesInFile(layer.weights)
  const all = layer.weights.map((weight, i) => ({ weight, name: names[i] }))
  if (!holdsModel(layer)) return all
  const places = new Map(all.map((entry) => [entry.weight, entry]))
  return [...new Set(listed(layer).flat())].map((weight) => places.get(weight) as (typeof all)[number])
}

/** The arrays of a file, by name, in the order of `weightsInFile`; undefined if the names differ. */
export function byNames(layer: Layer, saved: readonly SavedArray[]): SavedArray[] | undefined {
  const found = new Map(saved.map((array) => [array.name.replace(/:0$/, ''), array]))
  const listed = weightsInFile(layer)
  if (found.size < saved.length || listed.length !== saved.length || !listed.every(({ name }) => found.has(name))) return undefined
  return listed.map(({ name }) => found.get(name) as SavedArray)
}

/**
 * Decides which array goes into which weight, for a layer that holds a model.
 *
 * @param sameState whether the file says what was frozen, and the layer is frozen in the same way
 * @throws ValueError if arrays fit more than one layer
 */
export function pairInner(layer: Layer, saved: SavedLayer, sameState: boolean, what: string): Assignment[] {
  const { weights } = layer
  const ours = named(namesInFile(weights), weights)
  const theirs = named(
    saved.weights.map(({ name }) => name.replace(/:0$/, '')),
    saved.weights,
  )
  const pairs =
    listedWith(layer, byNames(layer, saved.weights)) ??
    inOrder(weights, saved) ??
    byNumbers(groupsOf(ours), groupsOf(theirs)) ??
    listedWith(layer, sameState ? saved.weights : undefined) ??
    byShapes(groupsOf(ours), groupsOf(theirs))
  if (pairs) return pairs.map(([weight, array]) => ({ weight, array }))
  const list = (names: readonly { name: string }[]): string => names.map(({ name }) => name).join(', ')
  throw new ValueError(
    `${what}: the weights inside layer "${saved.name}" have other names in the file (${list(theirs)}) than in ${layer.describe()} (${list(ours)}), ` +
      'and several layers have the same shapes. Keras writes those of frozen layers last, so their order does not tell which is which. Give the ' +
      'layers inside the names that they have in the file, or load the whole model from a file that has it.',
  )
}

type Pair = readonly [Parameter, SavedArray]

/** The weights in the order of files with arrays in that order. */
const listedWith = (layer: Layer, arrays: readonly SavedArray[] | undefined): Pair[] | undefined =>
  arrays && weightsInFile(layer).map(({ weight }, i) => [weight, arrays[i]])

interface Named<Value> {
  readonly name: string
  readonly value: Value
}
const named = <Value>(names: readonly string[], values: readonly Value[]): Named<Value>[] =>
  names.map((name, i) => ({ name, value: values[i] }))

/** In the order of the layers, if our own list in the file says it. */
function inOrder(weights: readonly Parameter[], { order, weights: saved }: SavedLayer): Pair[] | undefined {
  const found = new Map(saved.map((array) => [array.name, array]))
  if (!order || order.length !== weights.length || !order.every((name) => found.has(name))) return undefined
  return weights.map((weight, i) => [weight, found.get(order[i]) as SavedArray])
}

/** The weights of one layer: their names have the same first part. */
interface Group<Value> {
  /** The name without numbers: `dense` of `dense_3`. */
  readonly base: string
  readonly number: number
  readonly values: Value[]
}

function groupsOf<Value>(list: readonly Named<Value>[]): Group<Value>[] {
  const groups = new Map<string, Group<Value>>()
  for (const { name, value } of list) {
    const at = name.includes('/') ? name.lastIndexOf('/') : name.lastIndexOf('_') // dense_1/kernel, or dense_1_W of Keras 1
    const layer = name.slice(0, Math.max(0, at)).replace(/\/\w*cell(_\d+)?$/, '') // tf.keras adds lstm/lstm_cell_1
    const last = layer.slice(layer.lastIndexOf('/') + 1)
    const number = /_(\d+)$/.exec(last)
    if (!groups.has(layer)) groups.set(layer, { base: last.replace(/_\d+$/, ''), number: number ? Number(number[1]) : 0, values: [] })
    groups.get(layer)?.values.push(value)
  }
  return [...groups.values()]
}

/** `[3, 4] [4]` */
const shapesOf = ({ values }: Group<{ readonly shape: readonly number[] }>): string => values.map(({ shape }) => showShape(shape)).join(' ')

/**
 * Matches automatic names by their numbers: the first of `dense_1`, `dense_2` and the first of `dense_4`, `dense_5` belong together, wherever they stand.
 */
function byNumbers(ours: readonly Group<Parameter>[], theirs: readonly Group<SavedArray>[]): Pair[] | undefined {
  const sorted = <Value>(groups: readonly Group<Value>[]): Group<Value>[] =>
    [...groups].sort((a, b) => (a.base < b.base ? -1 : a.base > b.base ? 1 : a.number - b.number))
  const [first, second] = [sorted(ours), sorted(theirs)]
  const fits =
    first.length === second.length && first.every((group, i) => group.base === second[i].base && shapesOf(group) === shapesOf(second[i]))
  return fits ? first.flatMap((group, i) => pairsOf(group, second[i])) : undefined
}

/** Matches by shapes, if no two layers have the same. */
function byShapes(ours: readonly Group<Parameter>[], theirs: readonly Group<SavedArray>[]): Pair[] | undefined {
  const found = new Map(theirs.map((group) => [shapesOf(group), group]))
  if (found.size < theirs.length || ours.length !== theirs.length || new Set(ours.map(shapesOf)).size < ours.length) return undefined
  if (!ours.every((group) => found.has(shapesOf(group)))) return undefined
  return ours.flatMap((group) => pairsOf(group, found.get(shapesOf(group)) as Group<SavedArray>))
}

const pairsOf = (ours: Group<Parameter>, theirs: Group<SavedArray>): Pair[] => ours.values.map((weight, i) => [weight, theirs.values[i]])
