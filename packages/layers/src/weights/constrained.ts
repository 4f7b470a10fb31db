/** Keeps the constraint of each weight beside the weight. So every optimizer finds it, in `fit` and in training loops of your own. */
import { type Parameter, ShapeError, Tensor, ValueError } from '@cotangent/core'
import { describeValue } from '@cotangent/core/arguments'
import type { Constraint } from './constraints.js'

const constraints = new WeakMap<Parameter, Constraint>()

/** Sets the constraint of a weight. Optimizers apply it after each of their steps. */
export function constrain(weight: Parameter, constraint: Constraint): void {
  constraints.set(weight, constraint)
}

/**
 * Applies the weight's constraint, if it has one. Call it in a scope.
 *
 * @throws ShapeError if the constraint returns another shape
 */
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
