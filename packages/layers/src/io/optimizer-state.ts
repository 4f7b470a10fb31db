/**
 * The state of optimizers in files. Every version of Keras has other names but the same order: `iterations` and the like first, then the slots, one after the
 * other for all parameters. From tf.keras 2.11 on, and in Keras 3, most slots of one parameter stand together.
 */
import { type Parameter, showShape, ValueError } from '@cotangent/core'
import type { Model } from '../models/model.js'
import type { Optimizer } from '../optimizers/index.js'
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
  const slots = together ? slotAfterSlot(optimizer, saved, theirs) : saved
  const head = together ? optimizer.layout.values.length : slots.findIndex(({ shape }) => shape.length > 0)
  if (!together) requireShapes(slots, theirs)
  const ordered = slots.map((_, i) => {
    if (head < 0 || i < head) return slots[i]
    const position = (i - head) % parameters.length
    return slots[i - position + theirs.indexOf(parameters[position])]
  })
  optimizer.setWeights(
    ordered.map(({ data }) => ({ data: data instanceof BigInt64Array ? floatsOf(data) : data })),
    parameters,
  )
}

/** Parameters in the file's order of their layers. */
function inFileOrder(model: Model, parameters: readonly Parameter[], layerOrder: readonly string[]): Parameter[] {
  const place = (w: Parameter): number => layerOrder.indexOf(model.layers.find((layer) => layer.weights.includes(w))?.name ?? '')
  return [...parameters].sort((a, b) => place(a) - place(b))
}

/** Throws if shapes show that the state is of another model. In slot order, the last arrays belong to the last parameters. */
function requireShapes(saved: readonly SavedArray[], parameters: readonly Parameter[]): void {
  const arrays = saved.filter(({ shape }) => shape.length > 0 && !(shape.length === 1 && shape[0] === 1))
  const targets = parameters.filter((w) => !(w.rank === 1 && w.size === 1) && w.rank > 0)
  if (arrays.length === 0) return
  const wrong = arrays.findIndex((array, i) => !targets[i % targets.length] || !sameShape(array, targets[i % targets.length]))
  if (wrong < 0 && arrays.length % targets.length === 0) return
  const { name, shape } = arrays[Math.max(0, wrong)]
  throw new ValueError(`optimizer state "${name}" ${showShape(shape)} does not fit the trainable weights of the model, in their order.`)
}

const sameShape = ({ shape }: SavedArray, w: Parameter): boolean => shape.length === w.rank && shape.every((n, axis) => n === w.shape[axis])

/** An array in Keras 3's order: a value that belongs to no parameter, or a slot of a parameter. */
type Place = { readonly value: string } | { readonly slot: number; readonly parameter: number }

/**
 * The order of Keras 3 (keras/src/optimizers 3.16, `build`): the counter; the learning rate if it is a number; running means; sums of gradients; then the slots of
 * the rule, those of each parameter together. AMSGrad's largest values come at the end, for all parameters. Nadam's product of momenta is the last array; in
 * 3.3 it came before the slots.
 */
function keras3Order(optimizer: Optimizer, parameters: number, { rate, product }: { rate: boolean; product: 'last' | 'first' }): Place[] {
  const { values, slots } = optimizer.layout
  const groups: number[][] = []
  const together: number[] = []
  for (const [slot, { name, unused }] of slots.entries()) {
    if (unused) continue
    if (name === 'average') groups.unshift([slot])
    else if (name === 'gradientAccumulator') groups.push([slot])
    else if (name !== 'vhat') together.push(slot)
  }
  const last = slots.flatMap(({ name, unused }, slot) => (name === 'vhat' && !unused ? [[slot]] : []))
  const ofSlots = [...groups, ...(together.length > 0 ? [together] : []), ...last].flatMap((group) =>
    Array.from({ length: parameters }, (_, parameter) => group.map((slot): Place => ({ slot, parameter }))).flat(),
  )
  const others = values.slice(1).map((value): Place => ({ value }))
  const head: Place[] = [{ value: 'iterations' }, ...(rate ? [{ value: 'learningRate' }] : [])]
  return product === 'first' ? [...head, ...others, ...ofSlots] : [...head, ...ofSlots, ...others]
}

/**
 * From Keras 3's order to slot after slot, with zeros for slots that only Keras 2 saves. @throws ValueError if the arrays are of another optimizer or model
 */
function slotAfterSlot(optimizer: Optimizer, saved: readonly SavedArray[], parameters: readonly Parameter[]): SavedArray[] {
  const scheduled = optimizer.schedule !== undefined
  const ways = [!scheduled, scheduled].flatMap((rate) => (['last', 'first'] as const).map((product) => ({ rate, product })))
  const fits = (places: readonly Place[]): boolean =>
    places.length === saved.length &&
    places.every((place, i) => ('value' in place ? saved[i].shape.length === 0 : sameShape(saved[i], parameters[place.parameter])))
  const places = ways.map((way) => keras3Order(optimizer, parameters.length, way)).find(fits)
  if (!places) {
    throw new ValueError(
      `optimizer state: its ${saved.length} arrays do not fit ${optimizer.className} with the ${parameters.length} trainable weights of the model, in their order.`,
    )
  }
  const { values, slots } = optimizer.layout
  const found = (test: (place: Place) => boolean): SavedArray => saved[places.findIndex(test)]
  return [
    ...values.map((value) => found((place) => 'value' in place && place.value === value)),
    ...slots.flatMap(({ name, unused }, slot) =>
      parameters.map((w, parameter): SavedArray => {
        if (!unused) return found((place) => 'slot' in place && place.slot === slot && place.parameter === parameter)
        const shape = unused === 'single' ? [1] : w.shape
        return { name, shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) }
      }),
    ),
  ]
}

/** Whether Keras 3 keeps the rate in the state. It does not with a schedule, and takes `decay` for one. */
export const keepsRate = ({ schedule, decay }: Optimizer): boolean => schedule === undefined && decay === 0

/** From slot after slot to Keras 3's order. */
export function togetherState(optimizer: Optimizer, saved: readonly SavedArray[], parameters: number): SavedArray[] {
  const { values } = optimizer.layout
  return keras3Order(optimizer, parameters, { rate: keepsRate(optimizer), product: 'last' }).map((place) => {
    if ('slot' in place) return saved[values.length + place.slot * parameters + place.parameter]
    if (place.value === 'learningRate') return { name: 'learning_rate', shape: [], data: Float32Array.of(optimizer.learningRate) }
    return saved[values.indexOf(place.value)]
  })
}
