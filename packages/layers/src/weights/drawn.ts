/** Weights that were drawn from a seed of no one's choice, and so may be drawn again from one that was given: as long as nothing changed them. */
import { foldKey, type Key, type Parameter, scope } from '@cotangent/core'
import type { Initializer } from './initializers.js'

/** How such a weight was drawn, and its version then. */
const drawn = new WeakMap<Parameter, { readonly initializer: Initializer; readonly version: number }>()

/** Notes that a weight was drawn from a seed of no one's choice. */
export const noteDrawn = (weight: Parameter, initializer: Initializer): void => {
  drawn.set(weight, { initializer, version: weight.version })
}

const isAsDrawn = (weight: Parameter): boolean => drawn.get(weight)?.version === weight.version

/** Initializers that draw nothing. */
const constant = ['Zeros', 'Ones', 'Constant', 'Identity']

/** Whether any of these weights is still as a seed of no one's choice made it. */
export const anyAsDrawn = (weights: readonly Parameter[]): boolean =>
  weights.some((weight) => isAsDrawn(weight) && !constant.includes(drawn.get(weight)?.initializer.className ?? ''))

/** Draws the weights that are as they were drawn again, each from the key and its place in the list. */
export function drawAgain(weights: readonly Parameter[], key: Key): void {
  for (const [i, weight] of weights.entries()) {
    const how = drawn.get(weight)
    if (!how || !isAsDrawn(weight)) continue
    const { shape, dtype, backend } = weight
    if (!constant.includes(how.initializer.className))
      scope(() => weight.assign(how.initializer.build(foldKey(key, i), shape, { dtype, backend })))
    drawn.delete(weight)
  }
}
