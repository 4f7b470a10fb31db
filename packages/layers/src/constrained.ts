/** Which weights carry a constraint. It is kept beside the weights, so that every optimizer finds it: in `fit` and in loops of one's own. */
import { type Parameter, ShapeError, sizeOf } from '@cotangent/core'
import type { Constraint } from './constraints.js'

const constraints = new WeakMap<Parameter, Constraint>()

/** From now on the optimizer applies the constraint to the weight after each of its steps. */
export function constrain(weight: Parameter, constraint: Constraint): void {
  constraints.set(weight, constraint)
}

/** Applies the weight's constraint, if it has one. Call it in a scope. */
export function applyConstraint(weight: Parameter): void {
  const constraint = constraints.get(weight)
  if (!constraint) return
  const value = constraint.call(weight)
  if (value.shape.length !== weight.shape.length || sizeOf(value.shape) !== weight.size) {
    throw new ShapeError(
      `${constraint.className}: made [${value.shape.join(', ')}] of the weight "${weight.name}", which is [${weight.shape.join(', ')}].`,
    )
  }
  if (value !== weight) weight.assign(value)
}
