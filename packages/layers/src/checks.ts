/** What data must fulfil before a model sees them; every message says what was expected. */
import {
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
import { type Data, identityOrder, type ModelData, rowsOf } from './data.js'
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
  return shape.length === expected.length - 1
    ? ' A batch axis is missing: for one sample use x.expandDims(0), or wrap it in an array: [x].'
    : ''
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
export function assignAll(weights: readonly Parameter[], values: readonly Data[]): void {
  if (values.length !== weights.length) throw new ValueError(`setWeights: the model has ${weights.length} weights, got ${values.length}.`)
  scope(() => {
    const fresh = values.map((value, i) => newWeight(`setWeights: value ${i} ("${weights[i].name}")`, value, weights[i]))
    weights.forEach((weight, i) => {
      weight.assign(fresh[i])
    })
  })
}

/** A weight's new value, with its shape checked. */
export function newWeight(what: string, value: Data, weight: Tensor): Tensor {
  const shape = value instanceof Tensor || 'shape' in value ? value.shape : undefined
  if (shape && !fits(shape, weight.shape)) throw new ShapeError(`${what}: has shape ${show(shape)}, the weight ${show(weight.shape)}.`)
  if (weight.rank === 0) return tensor((value as { data: TypedArray }).data, { shape: [], dtype: weight.dtype, backend: weight.backend })
  const rows = rowsOf(what, value, weight.backend)
  const fresh = rows.take(identityOrder(rows.count), 0, rows.count, weight.dtype)
  if (!fits(fresh.shape, weight.shape)) throw new ShapeError(`${what}: has shape ${show(fresh.shape)}, the weight ${show(weight.shape)}.`)
  return fresh
}

/** Throws unless a number is whole and from `least`. */
export function requireWhole(what: string, value: number, least: number): void {
  if (!Number.isInteger(value) || value < least) throw new ValueError(`${what} must be a whole number from ${least}, got ${value}.`)
}

/** Targets and options of `fit(x, y, options)`, or of `fit(batches, options)`, which has no targets. */
export function readArguments<Options extends object>(
  model: Model,
  second: ModelData | Options | undefined,
  third: Options | undefined,
): { y: ModelData | undefined; options: Options } {
  const isData = second instanceof Tensor || Array.isArray(second) || (typeof second === 'object' && isTargets(model, second))
  if (isData || third !== undefined) return { y: second as ModelData, options: third ?? ({} as Options) }
  return { y: undefined, options: (second as Options | undefined) ?? ({} as Options) }
}

/** Whether an object is a host array, or a record by names of outputs. */
function isTargets(model: Model, object: object): boolean {
  if ('data' in object && 'shape' in object) return true
  const keys = Object.keys(object)
  return keys.length > 0 && model.built && keys.some((key) => model.outputPorts.some(({ name }) => name === key))
}
