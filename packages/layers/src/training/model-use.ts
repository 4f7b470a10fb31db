/**
 * Keeps track of the calls that work on a model's weights. A call that trains is alone: `predict` beside it would compute with weights that change from batch to
 * batch, and a second `fit` would alternate with the first. Neither fails by itself, so without this check the result would be a wrong number.
 *
 * While training waits for the user's code (a callback, an iterable of batches), the weights do not change. Calls from that code may read and change them;
 * training goes on when they are over.
 */
import { ValueError } from '@cotangent/core'
import type { Layer } from '../layer.js'

/** One call that works on a model for some time. */
export interface Use {
  /** The method, such as `fit`. */
  readonly what: string
  readonly model: Layer
  /** The layers with weights, and whether this use changes them. */
  readonly layers: ReadonlyMap<Layer, boolean>
  /** The number of pieces of the user's code that it waits for. */
  paused: number
  /** Calls from that code that are not over yet. */
  readonly guests: Set<Promise<unknown>>
}

/** The uses of each layer. Layers are the keys, since a layer may be in several models. */
const uses = new WeakMap<Layer, Set<Use>>()

/**
 * Does the work of a method that takes time.
 *
 * @param what the method, for messages
 * @param changes whether it changes weights
 * @throws ValueError if another call works on the same weights, and one of the two changes them; the Promise is rejected before any work
 */
export async function using<Result>(model: Layer, what: string, changes: boolean, work: (use: Use) => Promise<Result>): Promise<Result> {
  const layers = layersOf(model, changes)
  const hosts = requireFree(model, what, layers)
  const use: Use = { what, model, layers, paused: 0, guests: new Set() }
  for (const layer of layers.keys()) {
    const others = uses.get(layer)
    if (others) others.add(use)
    else uses.set(layer, new Set([use]))
  }
  const done = (async () => {
    try {
      return await work(use)
    } finally {
      for (const layer of layers.keys()) uses.get(layer)?.delete(use)
    }
  })()
  for (const { guests } of hosts) guests.add(done)
  try {
    return await done
  } finally {
    for (const { guests } of hosts) guests.delete(done)
  }
}

/**
 * Runs the user's code in the middle of a use, then waits for the calls that it started and did not wait for. If the code is over at once, there is no wait:
 * otherwise other code would run meanwhile and find the weights free.
 */
export function paused<Result>(use: Use | undefined, code: () => Result | Promise<Result>): Result | Promise<Result> {
  if (!use) return code()
  use.paused++
  let waits = false
  try {
    const result = code()
    waits = isPromise(result) || use.guests.size > 0
    return waits ? afterGuests(use, result) : result
  } finally {
    if (!waits) use.paused--
  }
}

const isPromise = (value: unknown): boolean => typeof (value as { then?: unknown } | null)?.then === 'function'

async function afterGuests<Result>(use: Use, result: Result | Promise<Result>): Promise<Result> {
  try {
    return await result
  } finally {
    while (use.guests.size > 0) await Promise.allSettled(use.guests)
    use.paused--
  }
}

/**
 * For methods that change weights at once.
 *
 * @throws ValueError while another call works on them
 */
export function requireUnused(layer: Layer, what: string): void {
  requireFree(layer, what, layersOf(layer, true))
}

/** Throws if the model trains, also when called from a callback. */
export function requireNoTraining(model: Layer, what: string): void {
  for (const use of uses.get(model) ?? []) {
    if (use.model === model && use.layers.get(model)) {
      throw new ValueError(
        `${what}: ${use.what} of the model "${model.name}" is still running. Wait for it first: await model.${use.what}(…).`,
      )
    }
  }
}

/** The uses that wait for the code that now calls `what`. Throws if there is a conflicting use that does not wait. */
function requireFree(model: Layer, what: string, layers: ReadonlyMap<Layer, boolean>): Set<Use> {
  const hosts = new Set<Use>()
  for (const [layer, changes] of layers) {
    for (const use of uses.get(layer) ?? []) {
      if (!changes && !use.layers.get(layer)) continue
      const again = what === 'fit' && use.what === 'fit' && use.model === model
      if (use.paused > 0 && !again) {
        hosts.add(use)
        continue
      }
      const inCallback = use.what === 'fit' && !again ? ' What is to run in between belongs in a callback.' : ''
      throw new ValueError(
        `${what}: ${use.what} of the model "${use.model.name}" is still running and works on the same weights. ` +
          `Wait for it first: await model.${use.what}(…).${inCallback}`,
      )
    }
  }
  return hosts
}

/** The model and all layers in it that have weights; for each, whether training of the model changes them. */
function layersOf(model: Layer, changes: boolean): Map<Layer, boolean> {
  const found = new Map<Layer, boolean>()
  const visit = (layer: Layer, trains: boolean): boolean => {
    const trained = trains && layer.trainable
    // Layers that train may have weights that move without a gradient, such as moving averages.
    const parts = layer.inner.map((inner) => inner.weights.length > 0 && visit(inner, trained))
    const changed = parts.length === 0 ? trained : parts.includes(true) || (trained && layer.built && layer.trainableWeights.length > 0)
    found.set(layer, changed || found.get(layer) === true)
    return changed
  }
  visit(model, changes)
  return found.set(model, changes)
}
