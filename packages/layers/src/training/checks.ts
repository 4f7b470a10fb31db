/** Checks of data before a model sees them. Every message says what was expected. */
import {
  addContext,
  type Backend,
  type DType,
  type Shape,
  ShapeError,
  sizeOf,
  type Tensor,
  type TypedArray,
  tensor,
  ValueError,
} from '@cotangent/core'
import { isRecord, isShaped } from '../host-data.js'
import type { BatchShape } from '../layer.js'
import type { ModelData } from './data.js'
import type { Port, Trainable } from './trainable.js'

const show = (shape: BatchShape): string => `[${shape.map((n) => n ?? '?').join(', ')}]`

/** Whether a shape fits a pattern, in which null stands for any size. */
const fits = (shape: Shape, pattern: BatchShape): boolean =>
  shape.length === pattern.length && pattern.every((n, i) => n === null || n === shape[i])

/** Throws unless there is one tensor for each input, with a batch axis and the input's sizes. */
export function requireInputs(model: Trainable, xs: readonly Tensor[]): void {
  const { inputPorts } = model
  if (xs.length !== inputPorts.length) {
    const names = inputPorts.map((port) => port.name).join(', ')
    throw new ValueError(`${model.name}: takes ${inputPorts.length} inputs (${names}), got ${xs.length}.`)
  }
  for (const [i, { name, shape }] of inputPorts.entries()) {
    if (fits(xs[i].shape, shape)) continue
    const which = inputPorts.length > 1 ? ` "${name}"` : ''
    throw new ShapeError(
      `${model.name}: the input${which} ${show(xs[i].shape)} does not fit ${show(shape)}.${batchHint(xs[i].shape, shape)}`,
    )
  }
}

/** Throws unless shapes fit the inputs, as far as they are known: a model is applied to them as a layer. */
export function requireInputShapes(model: Trainable, shapes: readonly BatchShape[]): void {
  const { inputPorts } = model
  if (shapes.length !== inputPorts.length)
    throw new ValueError(`${model.describe()}: takes ${inputPorts.length} input${inputPorts.length > 1 ? 's' : ''}, got ${shapes.length}.`)
  for (const [i, { name, shape }] of inputPorts.entries()) {
    const given = shapes[i]
    if (given.length === shape.length && shape.every((n, axis) => n === null || given[axis] === null || given[axis] === n)) continue
    throw new ShapeError(`${model.describe()}: its input "${name}" is ${show(shape)}, got ${show(given)}.`)
  }
}

/** Throws unless the shape of one sample fits an input. */
export function requireSample(model: Trainable, what: string, sample: Shape, { name, shape: expected }: Port): void {
  if (fits(sample, expected.slice(1))) return
  const got: BatchShape = [null, ...sample]
  const which = model.inputPorts.length > 1 ? ` for "${name}"` : ''
  throw new ShapeError(
    `${what}: the data have shape ${show(got)}, but the model "${model.name}" takes ${show(expected)}${which}.${got.length < expected.length ? batchHint(got, expected) : reshapeHint(sample, expected)}`,
  )
}

function batchHint(shape: BatchShape, expected: BatchShape): string {
  if (shape.length !== expected.length - 1) return ''
  const counts = shape.length > 1 && fits(shape.slice(1) as Shape, expected.slice(2))
  const other = counts ? ` Or does the first layer's inputShape count the samples? It is the shape of one: ${show(expected.slice(2))}.` : ''
  return ` A batch axis is missing: for one sample use x.expandDims(0), or wrap it in an array: [x].${other}`
}

function reshapeHint(sample: Shape, expected: BatchShape): string {
  const sizes = expected.slice(1)
  const same = sizes.every((n) => n !== null) && sizeOf(sample) === sizeOf(sizes as number[])
  return same
    ? ` A sample has as many elements: reshape the data to ${show([-1, ...(sizes as number[])])}, or add a reshape or flatten layer first.`
    : ''
}

/** A new host array for floats of a dtype. */
export const hostFloats = (dtype: DType, size: number): Float32Array | Float64Array =>
  dtype === 'float64' ? new Float64Array(size) : new Float32Array(size)

/** Host values as a tensor. */
export const fromValues = (values: TypedArray, shape: Shape, dtype: DType, backend: Backend): Tensor =>
  tensor(values, { shape, dtype, backend })

/** Does a step of the work; its errors say where they happened. */
export function within<Result>(where: string, step: () => Result): Result {
  try {
    return step()
  } catch (error) {
    throw addContext(error, where)
  }
}

/** Throws unless a number is whole and at least `least`. */
export function requireSteps(what: string, value: number, least: number): void {
  if (!Number.isInteger(value) || value < least) throw new ValueError(`${what} must be a whole number, at least ${least}, got ${value}.`)
}

/**
 * Targets and options of `fit(x, y, options)` or of `fit(batches, options)`, which has no targets. Anything that can be neither counts as targets, so that the
 * error is about targets.
 */
export function readArguments<Options extends object>(
  model: Trainable,
  second: ModelData | Options | undefined,
  third: Options | undefined,
): { y: ModelData | undefined; options: Options | undefined } {
  const isOptions = third === undefined && (second === undefined || (isRecord(second) && !isTargets(model, second)))
  return isOptions ? { y: undefined, options: second as Options | undefined } : { y: second as ModelData | undefined, options: third }
}

/** Whether an object is a host array, or a record by names of outputs. */
function isTargets(model: Trainable, object: object): boolean {
  return isShaped(object) || (model.built && Object.keys(object).some((key) => model.outputPorts.some(({ name }) => name === key)))
}
