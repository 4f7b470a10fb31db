/**
 * The layer that is being built or called now. A layer that is built or called meanwhile is inside it, wherever it is kept: in a property, an array, a private
 * field. So a layer of your own need not list its layers, hand out keys, or tell them that it is frozen.
 */
import { foldKey, type Key, type Tensor } from '@cotangent/core'
import type { Layer } from './layer.js'

/** A layer that is being built or called. */
export interface Around {
  readonly layer: Layer
  /** The key that it was given. */
  readonly key?: Key
  /** Whether it, or a layer around it, is not trainable. */
  readonly frozen: boolean
  /** How often each layer inside was called so far; made with the first call. */
  uses?: Map<Layer, number>
  readonly outer?: Around
}

let current: Around | undefined

/** The innermost layer that is being built or called. */
export const around = (): Around | undefined => current

/** Runs work that builds or calls layers inside a layer. */
export function inside<Result>(layer: Layer, key: Key | undefined, frozen: boolean, work: () => Result): Result {
  const outer = current
  current = { layer, key, frozen, outer }
  try {
    return work()
  } finally {
    current = outer
  }
}

/** Whether a layer is being built or called, this one or one further out. */
export function isAround(layer: Layer): boolean {
  for (let place = current; place; place = place.outer) if (place.layer === layer) return true
  return false
}

/** Keeps these keys apart from those of weights, which fold in a hash of their names. */
const INSIDE = 0x696e7369

/** The key of a layer at its place in another. A second use in one call has another key than the first. */
export function keyInside(key: Key, place: number, use: number): Key {
  const own = foldKey(foldKey(key, INSIDE), place)
  return use === 0 ? own : foldKey(own, use)
}

/** The layers among the properties of an object, in their order. It looks into arrays, sets, maps and plain objects, too. */
export function layersAmong(owner: object, isLayer: (value: object) => value is Layer): Layer[] {
  const found = new Set<Layer>()
  const seen = new Set<object>([owner])
  const look = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || seen.has(value)) return
    seen.add(value)
    if (isLayer(value)) found.add(value)
    else for (const entry of entriesOf(value)) look(entry)
  }
  for (const value of Object.values(owner)) look(value)
  return [...found]
}

function entriesOf(value: object): Iterable<unknown> {
  if (Array.isArray(value) || value instanceof Set) return value
  if (value instanceof Map) return value.values()
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null ? Object.values(value) : []
}

let changes = 0
/** Notes that a Sequential got a layer or lost one. */
export function stackChanged(): void {
  changes++
}
/** How often that has happened. While the number stays the same, no model has changed its layers. */
export const stackChanges = (): number => changes

/** Losses and metrics that layers add beside their outputs while a model runs. */
export interface Added {
  readonly losses: Tensor[]
  readonly metrics: Record<string, Tensor>
}

let adding: Added | undefined

/** Where layers add losses and metrics now; undefined if no model runs. */
export const addedNow = (): Added | undefined => adding

/** Runs a model whose layers may add losses and metrics. */
export function collecting<Result>(added: Added, work: () => Result): Result {
  const before = adding
  adding = added
  try {
    return work()
  } finally {
    adding = before
  }
}
