/**
 * The state of optimizers in files. Names differ with every version of Keras, the order does not: `iterations` and the like first, then the
 * slots, one after the other for all parameters; or, from tf.keras 2.11 and in Keras 3, all slots of each parameter together.
 */
import { type Parameter, showShape, ValueError } from '@cotangent/core'
import type { Model } from '../model.js'
import type { SavedArray } from './saved-weights.js'

/** Whether the arrays of a parameter lie together: those optimizers call their counter `iteration`, the ones before `iter` or `iterations`. */
const isTogether = (name: string): boolean => /(^|\/)iteration(:0)?$/.test(name)

/**
 * Puts the state of a file into the optimizer of a model.
 *
 * @param layerOrder the names of the layers as the file lists them; its arrays are in that order
 * @param together whether all slots of a parameter come together; by the name of the first array if left out
 * @throws ValueError if it is not of this optimizer and these parameters; then nothing changes.
 */
export function restoreState(
  model: Model,
  saved: readonly SavedArray[],
  layerOrder: readonly string[],
  together = saved.length > 0 && isTogether(saved[0].name),
): void {
  const { optimizer, parameters } = model.compiled()
  const slots = together ? slotAfterSlot(saved, parameters.length) : saved
  const head = slots.findIndex(({ shape }) => shape.length > 0)
  const theirs = inFileOrder(model, parameters, layerOrder)
  requireShapes(slots, theirs)
  const ordered = slots.map((_, i) => {
    if (head < 0 || i < head) return slots[i]
    const position = (i - head) % parameters.length
    return slots[i - position + theirs.indexOf(parameters[position])]
  })
  optimizer.setWeights(
    ordered.map(({ data }) => ({ data: data instanceof BigInt64Array ? Float64Array.from(data, Number) : data })),
    parameters,
  )
}

/** Parameters by the file's order of the layers they are in. */
function inFileOrder(model: Model, parameters: readonly Parameter[], layerOrder: readonly string[]): Parameter[] {
  const place = (w: Parameter): number => layerOrder.indexOf(model.layers.find((layer) => layer.weights.includes(w))?.name ?? '')
  return [...parameters].sort((a, b) => place(a) - place(b))
}

/** Of slot-wise arrays the last ones belong to the last parameters; a state of other shapes is of another model. */
function requireShapes(saved: readonly SavedArray[], parameters: readonly Parameter[]): void {
  const arrays = saved.filter(({ shape }) => shape.length > 0 && !(shape.length === 1 && shape[0] === 1))
  const targets = parameters.filter((w) => !(w.rank === 1 && w.size === 1) && w.rank > 0)
  if (arrays.length === 0) return
  const wrong = arrays.findIndex(({ shape }, i) => {
    const target = targets[i % targets.length]
    return !target || shape.length !== target.rank || shape.some((n, axis) => n !== target.shape[axis])
  })
  if (wrong < 0 && arrays.length % targets.length === 0) return
  const { name, shape } = arrays[Math.max(0, wrong)]
  throw new ValueError(`optimizer state "${name}" ${showShape(shape)} does not fit the trainable weights of the model, in their order.`)
}

/** Slots of each parameter together → slot after slot. */
function slotAfterSlot(saved: readonly SavedArray[], parameters: number): SavedArray[] {
  const scalars = saved.findIndex(({ shape }) => shape.length > 0)
  const count = scalars < 0 ? saved.length : scalars
  const head = saved.slice(0, count)
  const slots = saved.slice(count)
  const each = parameters === 0 ? 0 : slots.length / parameters
  if (!Number.isInteger(each)) {
    throw new ValueError(`optimizer state: ${slots.length} arrays do not fit ${parameters} trainable weights.`)
  }
  // Nadam's product of momenta; the learning rate, which comes second, is in the configuration.
  const product = head.slice(1).find(({ name }) => !/(learning_rate(:0)?|vars\/1)$/.test(name))
  return [
    ...head.slice(0, 1),
    ...(product ? [product] : []),
    ...Array.from({ length: each }, (_, slot) => Array.from({ length: parameters }, (_, i) => slots[i * each + slot])).flat(),
  ]
}

/** The state as Keras 3 orders it, from slot after slot. */
export function togetherState(saved: readonly SavedArray[], parameters: number): SavedArray[] {
  const head = saved.filter(({ shape }) => shape.length === 0)
  const slots = saved.slice(head.length)
  const each = parameters === 0 ? 0 : slots.length / parameters
  return [
    ...head,
    ...Array.from({ length: parameters }, (_, i) => Array.from({ length: each }, (_, slot) => slots[slot * parameters + i])).flat(),
  ]
}
