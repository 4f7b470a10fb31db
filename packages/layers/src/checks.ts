/** What data must fulfil before a model sees them; every message says what was expected. */
import { type Backend, type DType, type Shape, ShapeError, sizeOf, Tensor, type TypedArray, tensor, ValueError } from '@cotangent/core'
import { type Data, identityOrder, type Rows, rowsOf } from './data.js'
import type { BatchShape } from './layer.js'
import { checkLabels } from './losses.js'
import type { Model } from './model.js'

const show = (shape: BatchShape): string => `[${shape.map((n) => n ?? '?').join(', ')}]`

/** Whether a shape fits a pattern with open sizes. */
const fits = (shape: Shape, pattern: BatchShape): boolean =>
  shape.length === pattern.length && pattern.every((n, i) => n === null || n === shape[i])

/** A tensor fed to a model must have the batch axis and the sizes of its input. */
export function requireInput(model: Model, x: Tensor): void {
  const expected = model.inputShapeOf()
  if (fits(x.shape, expected)) return
  throw new ShapeError(`${model.name}: the input ${show(x.shape)} does not fit ${show(expected)}.${batchHint(x.shape, expected)}`)
}

/** The same for data, by the shape of one sample. */
export function requireSample(model: Model, what: string, sample: Shape): void {
  const expected = model.inputShapeOf()
  if (fits(sample, expected.slice(1))) return
  const got: BatchShape = [null, ...sample]
  throw new ShapeError(
    `${what}: the data have shape ${show(got)}, but the model "${model.name}" takes ${show(expected)}.${got.length < expected.length ? batchHint(got, expected) : reshapeHint(sample, expected)}`,
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

/** Rows of targets, as many as there are inputs; class numbers are checked here, on the host, before a device sees them. */
export function targetRows(model: Model, what: string, y: Data, count: number): Rows {
  const rows = rowsOf(what, y, model.backend)
  if (rows.count !== count) throw new ShapeError(`${what}: has ${rows.count} samples, but x has ${count}.`)
  const { loss } = model.compiled()
  const classes = model.outputShapeOf().at(-1)
  if (loss.sparse && rows.host && typeof classes === 'number') checkLabels(rows.host, classes)
  return rows
}

/** A host array for floats of a dtype. */
export const hostFloats = (dtype: DType, size: number): Float32Array | Float64Array =>
  dtype === 'float64' ? new Float64Array(size) : new Float32Array(size)

/** Host values as a tensor that no scope owns. */
export const fromValues = (values: TypedArray, shape: Shape, dtype: DType, backend: Backend): Tensor =>
  tensor(values, { shape, dtype, backend })

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
  second: Data | Options | undefined,
  third: Options | undefined,
): { y: Data | undefined; options: Options } {
  const isData = second instanceof Tensor || Array.isArray(second) || (typeof second === 'object' && 'data' in second && 'shape' in second)
  if (isData || third !== undefined) return { y: second as Data, options: third ?? ({} as Options) }
  return { y: undefined, options: (second as Options | undefined) ?? ({} as Options) }
}
