/** Which weights carry a constraint. It is kept beside the weights, so that every optimizer finds it: in `fit` and in loops of one's own. */
import { type Parameter, ShapeError, Tensor, ValueError } from '@cotangent/core'
import { describeValue } from '@cotangent/core/arguments'
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
  const value: unknown = constraint.call(weight)
  if (!(value instanceof Tensor))
    throw new ValueError(`constraint "${constraint.className}": must return a tensor, got ${describeValue(value)}.`)
  if (value.rank !== weight.rank || value.shape.some((n: number, axis: number) => n !== weight.shape[axis])) {
    throw new ShapeError(
      `${constraint.className}: made [${value.shape.join(', ')}] of the weight "${weight.name}", which is [${weight.shape.join(', ')}].`,
    )
  }
  if (value !== weight) weight.assign(value)
}
