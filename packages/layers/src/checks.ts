/** What data must fulfil before a model sees them; every message says what was expected. */
import {
  addContext,
  type Backend,
  type DType,
  type Parameter,
  type Shape,
  ShapeError,
  scope,
  sizeOf,
  Tensor,
  type TypedArray,
  tensor,
  ValueError,
} from '@cotangent/core'
import { describeValue } from '@cotangent/core/arguments'
import type { Data, ModelData } from './data.js'
import { isRecord, isShaped, readHost } from './host-data.js'
import type { BatchShape } from './layer.js'
import type { Model, Port } from './model.js'

const show = (shape: BatchShape): string => `[${shape.map((n) => n ?? '?').join(', ')}]`

/** Whether a shape fits a pattern with open sizes. */
const fits = (shape: Shape, pattern: BatchShape): boolean =>
  shape.length === pattern.length && pattern.every((n, i) => n === null || n === shape[i])

/** Tensors fed to a model must be as many as its inputs, and have the batch axis and the sizes of them. */
export function requireInputs(model: Model, xs: readonly Tensor[]): void {
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

/** Shapes that a model is applied to as a layer must fit its inputs, as far as they are known. */
export function requireInputShapes(model: Model, shapes: readonly BatchShape[]): void {
  const { inputPorts } = model
  if (shapes.length !== inputPorts.length)
    throw new ValueError(`${model.describe()}: takes ${inputPorts.length} input${inputPorts.length > 1 ? 's' : ''}, got ${shapes.length}.`)
  for (const [i, { name, shape }] of inputPorts.entries()) {
    const given = shapes[i]
    if (given.length === shape.length && shape.every((n, axis) => n === null || given[axis] === null || given[axis] === n)) continue
    throw new ShapeError(`${model.describe()}: its input "${name}" is ${show(shape)}, got ${show(given)}.`)
  }
}

/** The same for the data of one input, by the shape of one sample. */
export function requireSample(model: Model, what: string, sample: Shape, { name, shape: expected }: Port): void {
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

/** A host array for floats of a dtype. */
export const hostFloats = (dtype: DType, size: number): Float32Array | Float64Array =>
  dtype === 'float64' ? new Float64Array(size) : new Float32Array(size)

/** Host values as a tensor that no scope owns. */
export const fromValues = (values: TypedArray, shape: Shape, dtype: DType, backend: Backend): Tensor =>
  tensor(values, { shape, dtype, backend })

/** Replaces all weights; nothing changes unless all fit. */
export function assignAll(weights: readonly Parameter[], values: readonly WeightValue[]): void {
  if (!Array.isArray(values)) {
    throw new ValueError(
      `setWeights: expected a list of values, one for each of the ${weights.length} weights, got ${describeValue(values)}.`,
    )
  }
  if (values.length !== weights.length) throw new ValueError(`setWeights: the model has ${weights.length} weights, got ${values.length}.`)
  scope(() => {
    const fresh = values.map((value, i) => newWeight(`setWeights: value ${i} ("${weights[i].name}")`, value, weights[i]))
    weights.forEach((weight, i) => {
      weight.assign(fresh[i])
    })
  })
}

/** What a weight may be given: data of its shape, a number for one that is a scalar. */
export type WeightValue = Data | number

/**
 * A weight's new value, with its shape checked: a copy in the current scope.
 *
 * @param what `setWeights: value 0 ("dense/kernel")`, for messages
 */
export function newWeight(what: string, value: WeightValue, weight: Tensor): Tensor {
  const requireFit = (shape: Shape): void => {
    if (!fits(shape, weight.shape)) throw new ShapeError(`${what}: has shape ${show(shape)}, the weight ${show(weight.shape)}.`)
  }
  const { dtype, backend } = weight
  if (value instanceof Tensor) {
    value.requireLive(what)
    requireFit(value.shape)
    if (value.backend !== backend) {
      throw new ValueError(`${what}: is on ${value.backend.name}, the weight on ${backend.name}. Move it: await value.to(backend).`)
    }
    // Neither a cast nor a reshape need copy; picking the only row does.
    return value
      .expandDims(0)
      .gather(tensor(Int32Array.of(0), { backend }))
      .cast(dtype)
      .reshape(value.shape)
  }
  const { data, shape } = typeof value === 'number' ? { data: Float64Array.of(value), shape: [] } : readHost(what, value)
  requireFit(shape)
  return fromValues(data, shape, dtype, backend)
}

/** Does a step of the work; its errors say where it was. */
export function within<Result>(where: string, step: () => Result): Result {
  try {
    return step()
  } catch (error) {
    throw addContext(error, where)
  }
}

/** Throws unless a number is whole and from `least`. */
export function requireWhole(what: string, value: number, least: number): void {
  if (!Number.isInteger(value) || value < least) throw new ValueError(`${what} must be a whole number from ${least}, got ${value}.`)
}

/**
 * Targets and options of `fit(x, y, options)`, or of `fit(batches, options)`, which has no targets. What can be neither counts as targets, so that
 * these are what the error is about.
 */
export function readArguments<Options extends object>(
  model: Model,
  second: ModelData | Options | undefined,
  third: Options | undefined,
): { y: ModelData | undefined; options: Options | undefined } {
  const isOptions = third === undefined && (second === undefined || (isRecord(second) && !isTargets(model, second)))
  return isOptions ? { y: undefined, options: second as Options | undefined } : { y: second as ModelData | undefined, options: third }
}

/** Whether an object is a host array, or a record by names of outputs. */
function isTargets(model: Model, object: object): boolean {
  return isShaped(object) || (model.built && Object.keys(object).some((key) => model.outputPorts.some(({ name }) => name === key)))
}
