/** Loads the weights of a file into a model. All are checked before any changes. */
import { type Parameter, ShapeError, scope, showShape, tensor, ValueError } from '@cotangent/core'
import type { Layer } from '../layer.js'
import { floatsOf, type H5Data } from './h5-tree.js'
import { holdsModel, pairInner } from './inner-weights.js'

/** One array of a file. */
export interface SavedArray {
  readonly name: string
  readonly shape: readonly number[]
  readonly data: H5Data
}

/** The arrays of one layer of a file. */
export interface SavedLayer {
  readonly name: string
  readonly weights: readonly SavedArray[]
  /** The names of the arrays in the order of the layers inside, if the file says it. */
  readonly order?: readonly string[]
}

/** A weight and the array for it. */
export interface Assignment {
  readonly weight: Parameter
  readonly array: SavedArray
}

/** Values as floats on the host. */
const floats = (data: H5Data): Float32Array | Float64Array | Int32Array => (data instanceof BigInt64Array ? floatsOf(data) : data)

/**
 * Gives all weights their values.
 *
 * @throws ShapeError that names array and weight if one does not fit; then no weight changes
 */
export function assignAll(assignments: readonly Assignment[], what: string): void {
  for (const { weight, array } of assignments) {
    if (array.shape.length === weight.rank && array.shape.every((n, i) => n === weight.shape[i])) continue
    throw new ShapeError(
      `${what}: "${array.name}" is ${showShape(array.shape)} in the file, but the weight "${weight.name}" is ${showShape(weight.shape)}. The file is of another model, or its layers are in another order.`,
    )
  }
  scope(() => {
    const fresh = assignments.map(({ weight: { dtype, backend }, array }) =>
      tensor(floats(array.data), { shape: array.shape, dtype, backend }),
    )
    for (const [i, { weight }] of assignments.entries()) weight.assign(fresh[i])
  })
}

/** Pairs arrays and weights: the layers with weights of file and model, in order. */
export function byOrder(layers: readonly Layer[], saved: readonly SavedLayer[], what: string, sameState = false): Assignment[] {
  const [ours, theirs] = [layers.filter((layer) => layer.weights.length > 0), saved.filter(({ weights }) => weights.length > 0)]
  if (ours.length !== theirs.length) {
    const list = (names: readonly { name: string }[]): string => names.map(({ name }) => name).join(', ') || 'none'
    throw new ValueError(
      `${what}: ${theirs.length} layers with weights in the file (${list(theirs)}), but ${ours.length} in the model (${list(ours)}). To load the layers whose names agree, use byName: true.`,
    )
  }
  return ours.flatMap((layer, i) => ofLayer(layer, theirs[i], what, sameState))
}

/** Pairs arrays and weights for a file that also holds the model: by the names of layers, or in order if the names differ. */
export function ofModel(layers: readonly Layer[], saved: readonly SavedLayer[], what: string): Assignment[] {
  const names = new Set(saved.flatMap(({ name, weights }) => (weights.length > 0 ? [name] : [])))
  const ours = layers.filter((layer) => layer.weights.length > 0)
  const same = names.size === ours.length && ours.every(({ name }) => names.has(name))
  return (same ? byName : byOrder)(layers, saved, what, true)
}

/** Pairs arrays and weights of the layers that have the same name in file and model. */
export function byName(layers: readonly Layer[], saved: readonly SavedLayer[], what: string, sameState = false): Assignment[] {
  const theirs = new Map(saved.map((layer) => [layer.name, layer]))
  const found = layers.flatMap((layer) => {
    const same = theirs.get(layer.name)
    return same && (layer.weights.length > 0 || same.weights.length > 0) ? ofLayer(layer, same, what, sameState) : []
  })
  const withWeights = (list: readonly { name: string; weights: readonly unknown[] }[]): string[] =>
    list.filter(({ weights }) => weights.length > 0).map(({ name }) => name)
  requireAny(found, withWeights(layers), withWeights(saved), 'layer', what)
  return found
}

/** Throws if weights were to be matched by name and none was. Otherwise nothing would be loaded, without an error. */
export function requireAny(
  found: readonly Assignment[],
  ours: readonly string[],
  theirs: readonly string[],
  kind: string,
  what: string,
): void {
  if (found.length > 0 || ours.length === 0 || theirs.length === 0) return
  throw new ValueError(
    `${what}: byName: no ${kind} of the file has the name of one of the model. The file has ${theirs.join(', ')}; the model has ${ours.join(', ')}. Rename the layers of the model, or load by order.`,
  )
}

function ofLayer(layer: Layer, saved: SavedLayer, what: string, sameState = false): Assignment[] {
  const { weights } = layer
  if (weights.length !== saved.weights.length) {
    throw new ValueError(
      `${what}: layer "${saved.name}" has ${saved.weights.length} weights in the file (${saved.weights.map((array) => array.name).join(', ')}), but ${layer.describe()} has ${weights.length}.`,
    )
  }
  if (holdsModel(layer)) return pairInner(layer, saved, sameState, what)
  return weights.map((weight, i) => ({ weight, array: saved.weights[i] }))
}
