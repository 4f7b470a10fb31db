/**
 * The state of optimizers in files. Every version of Keras has other names but the same order: `iterations` and the like first, then the slots, one after the
 * other for all parameters. From tf.keras 2.11 on, and in Keras 3, most slots of one parameter stand together.
 */
import { type Parameter, type Shape, showShape, sizeOf, ValueError } from '@cotangent/core'
import type { Model } from '../models/model.js'
import type { Optimizer } from '../optimizers/index.js'
import { type Slot, slotPlaces } from '../optimizers/state.js'
import { floatsOf } from './h5-tree.js'
import type { SavedArray } from './saved-weights.js'

/** Whether the slots of a parameter stand together. Such optimizers call their counter `iteration`; earlier ones `iter` or `iterations`. */
const isTogether = (name: string): boolean => /(^|\/)iteration(:0)?$/.test(name)

/**
 * Loads the state of a file into the optimizer of a model.
 *
 * @param layerOrder the names of the layers as the file lists them; its arrays are in that order
 * @param together whether the arrays are in the order of Keras 3; decided by the name of the first array if left out
 * @throws ValueError if the state does not fit this optimizer and these parameters; then nothing changes
 */
export function restoreState(
  model: Model,
  saved: readonly SavedArray[],
  layerOrder: readonly string[],
  together = saved.length > 0 && isTogether(saved[0].name),
): void {
  const { optimizer, parameters } = model.trainer()
  const theirs = inFileOrder(model, parameters, layerOrder)
  if (together && Number(saved[0].data[0]) === 0) return // before the first step there is no state
  const ordered = together ? slotAfterSlot(optimizer, saved, theirs, parameters) : inOurOrder(optimizer, saved, theirs, parameters)
  optimizer.setWeights(
    ordered.map(({ data }) => ({ data: data instanceof BigInt64Array ? floatsOf(data) : data })),
    parameters,
  )
}

/**
 * From the file's order of parameters to ours, slot after slot. Older files may lack the values that belong to no parameter, or unused slots.
 *
 * @throws ValueError if shapes show that the state is of another model
 */
function inOurOrder(
  { layout }: Optimizer,
  saved: readonly SavedArray[],
  theirs: readonly Parameter[],
  ours: readonly Parameter[],
): readonly SavedArray[] {
  const lists = [layout.slots, layout.slots.filter(({ unused }) => !unused)]
  const ways = [layout.values.length, 1, 0].flatMap((head) => lists.map((slots) => ({ head, slots, places: slotPlaces(slots, theirs) })))
  const way = ways.find(({ head, places }) => saved.length === head + places.length)
  if (!way) return saved // setWeights says how many there must be
  const { head, slots, places } = way
  const wrong = places.findIndex(({ slot, shape }, i) => !slot.unused && !sameShape(saved[head + i], { shape }))
  if (wrong >= 0) {
    const { name, shape } = saved[head + wrong]
    throw new ValueError(`optimizer state "${name}" ${showShape(shape)} does not fit the trainable weights of the model, in their order.`)
  }
  const at = (slot: Slot, w: Parameter): number => places.findIndex((place) => place.slot === slot && place.w === w)
  return [...saved.slice(0, head), ...slotPlaces(slots, ours).map(({ slot, w }) => saved[head + at(slot, w)])]
}

/** Parameters in the file's order of their layers. */
function inFileOrder(model: Model, parameters: readonly Parameter[], layerOrder: readonly string[]): Parameter[] {
  const place = (w: Parameter): number => layerOrder.indexOf(model.layers.find((layer) => layer.weights.includes(w))?.name ?? '')
  return [...parameters].sort((a, b) => place(a) - place(b))
}

const sameShape = ({ shape }: { readonly shape: Shape }, other: { readonly shape: Shape }): boolean =>
  shape.length === other.shape.length && shape.every((n, axis) => n === other.shape[axis])

/** An array in Keras 3's order: a value that belongs to no parameter, or a slot of a parameter. */
type Place = { readonly value: string } | { readonly slot: Slot; readonly w: Parameter; readonly shape: Shape }

/**
 * The order of Keras 3 (keras/src/optimizers 3.16, `build`): the counter; the learning rate if it is a number; running means; sums of gradients; then the slots of
 * the rule, those of each parameter together. AMSGrad's largest values, and the further slots of RMSprop, come at the end, for all parameters. Nadam's product of momenta is the last array; in
 * 3.3 it came before the slots.
 */
function keras3Order(
  { layout }: Optimizer,
  parameters: readonly Parameter[],
  { rate, product }: { rate: boolean; product: 'last' | 'first' },
): Place[] {
  const used = layout.slots.filter(({ unused }) => !unused)
  const apart = (wanted: string): Slot[] => used.filter(({ name }) => name === wanted)
  const last = ['vhat', 'lastChange', 'meanGradient']
  const together = used.filter(({ name }) => !last.includes(name) && !['average', 'gradientAccumulator'].includes(name))
  const ofSlots = [apart('average'), apart('gradientAccumulator'), together, ...last.map(apart)].flatMap((group) =>
    parameters.flatMap((w) => slotPlaces(group, [w]).map(({ slot, shape }): Place => ({ slot, w, shape }))),
  )
  const others = layout.values.slice(1).map((value): Place => ({ value }))
  const head: Place[] = [{ value: 'iterations' }, ...(rate ? [{ value: 'learningRate' }] : [])]
  return product === 'first' ? [...head, ...others, ...ofSlots] : [...head, ...ofSlots, ...others]
}

/**
 * From Keras 3's order of their parameters to slot after slot of ours, with zeros for slots that only Keras 2 saves.
 *
 * @throws ValueError if the arrays are of another optimizer or model
 */
function slotAfterSlot(
  optimizer: Optimizer,
  saved: readonly SavedArray[],
  theirs: readonly Parameter[],
  ours: readonly Parameter[],
): SavedArray[] {
  const scheduled = optimizer.schedule !== undefined
  const ways = [!scheduled, scheduled].flatMap((rate) => (['last', 'first'] as const).map((product) => ({ rate, product })))
  const fits = (places: readonly Place[]): boolean =>
    places.length === saved.length &&
    places.every((place, i) => ('value' in place ? saved[i].shape.length === 0 : sameShape(saved[i], place)))
  const places = ways.map((way) => keras3Order(optimizer, theirs, way)).find(fits)
  if (!places) {
    throw new ValueError(
      `optimizer state: its ${saved.length} arrays do not fit ${optimizer.className} with the ${theirs.length} trainable weights of the model, in their order.`,
    )
  }
  const { values, slots } = optimizer.layout
  const found = (test: (place: Place) => boolean): SavedArray => saved[places.findIndex(test)]
  return [
    ...values.map((value) => found((place) => 'value' in place && place.value === value)),
    ...slotPlaces(slots, ours).map(({ slot, w, shape }): SavedArray => {
      if (!slot.unused) return found((place) => 'slot' in place && place.slot.name === slot.name && place.w === w)
      return { name: slot.name, shape, data: new Float32Array(sizeOf(shape)) }
    }),
  ]
}

/** Whether Keras 3 keeps the rate in the state. It does not with a schedule, and takes `decay` for one. */
export const keepsRate = ({ schedule, decay }: Optimizer): boolean => schedule === undefined && decay === 0

/** From slot after slot to Keras 3's order. */
export function togetherState(optimizer: Optimizer, saved: readonly SavedArray[], parameters: readonly Parameter[]): SavedArray[] {
  const { values, slots } = optimizer.layout
  const ours = slotPlaces(slots, parameters)
  return keras3Order(optimizer, parameters, { rate: keepsRate(optimizer), product: 'last' }).map((place) => {
    if ('slot' in place) {
      return saved[values.length + ours.findIndex(({ slot, w }) => slot.name === place.slot.name && w === place.w)]
    }
    if (place.value === 'learningRate') return { name: 'learning_rate', shape: [], data: Float32Array.of(optimizer.learningRate) }
    return saved[values.indexOf(place.value)]
  })
}
