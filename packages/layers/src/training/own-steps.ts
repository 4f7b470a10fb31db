/** Steps of the user's: what `trainStep`, `testStep`, `predictStep`, `computeLoss` and `computeMetrics` of a class get, and the check of what they return. */
import { type Key, Tensor, ValueError } from '@cotangent/core'
import { describeValue } from '@cotangent/core/arguments'

/** A batch as a `testStep` of one's own gets it. */
export interface TestBatch {
  /** The first input, and all of them. */
  readonly x: Tensor
  readonly xs: readonly Tensor[]
  /** The targets of the first output, and all of them; the inputs, if `fit` got no targets. */
  readonly y: Tensor
  readonly ys: readonly Tensor[]
  /** For each output the factors of its samples, if there are any. */
  readonly weights: Factors
}

/** A batch as a `trainStep` of one's own gets it. */
export interface TrainBatch extends TestBatch {
  /** The key of this step, for dropout and draws of one's own. */
  readonly key: Key
}

/** The factors of each output's samples, where there are any. */
export type Factors = readonly (Tensor | undefined)[]

/** Beside the predictions, the parts of a loss and of metrics that `apply` gives. */
export interface StepParts {
  /** Scalars that are added to the loss: the list that `apply(x, { losses })` filled. */
  readonly losses?: readonly Tensor[]
  /** For each output the mask of its steps, if it has one: the list that `apply(x, { masks })` filled. */
  readonly masks?: Factors
}

/** A model with parts of a step of the user's. */
export interface WithStep {
  trainStep?(batch: TrainBatch): unknown
  testStep?(batch: TestBatch): unknown
  readonly ownLoss?: boolean
  readonly ownMetrics?: boolean
  computeLoss?(batch: TestBatch, predictions: readonly Tensor[] | Tensor, parts: StepParts): Tensor
  computeMetrics?(batch: TestBatch, predictions: readonly Tensor[] | Tensor, parts: StepParts): Readonly<Record<string, Tensor>>
}

/** A batch as steps of the user's get it. */
export const batchOf = (xs: readonly Tensor[], ys: readonly Tensor[], factors: Factors = []): TestBatch => ({
  x: xs[0],
  xs,
  y: ys[0],
  ys,
  weights: factors,
})

/** The form in which code of the user's gets predictions: those of one output alone, or of all. */
export const oneOrAll = (outputs: readonly Tensor[]): Tensor | readonly Tensor[] => (outputs.length === 1 ? outputs[0] : outputs)

/** Throws unless code of the user's returned a record of scalars. */
export function requireScalars(what: string, values: unknown): Readonly<Record<string, Tensor>> {
  if (typeof values !== 'object' || values === null || typeof (values as { then?: unknown }).then === 'function')
    throw new ValueError(`${what}: must return a record of scalars, such as { loss }, got ${describeValue(values)}.`)
  for (const [name, value] of Object.entries(values)) requireScalar(what, value, `"${name}" must be a scalar tensor`)
  return values as Record<string, Tensor>
}

/** Throws unless code of the user's returned a scalar. */
export function requireScalar(what: string, value: unknown, rule = 'must return a scalar tensor'): Tensor {
  if (value instanceof Tensor && value.rank === 0) return value
  throw new ValueError(`${what}: ${rule}, got ${describeValue(value)}.`)
}
