/**
 * Numbers on the host, in the forms that people have: typed arrays with a shape, nested arrays, rows that are typed arrays, and what JSON makes of these.
 * Reading gives one typed array and a shape, or an error that names the wrong element.
 */
import { type Backend, type Shape, ShapeError, showShape, sizeOf, Tensor, type TypedArray, tensor, ValueError } from '@cotangent/core'
import { describeValue } from '@cotangent/core/arguments'

/** A typed array with a shape, as @cotangent/datasets has them. */
export interface HostArray {
  readonly shape: Shape
  readonly data: TypedArray
}

/** A host array as a tensor that the caller owns. */
export function fromHost({ shape, data }: HostArray, backend: Backend): Tensor {
  const dtype = data instanceof Float64Array ? 'float64' : data instanceof Int32Array ? 'int32' : 'float32'
  return tensor(data, { shape, dtype, backend }).keep()
}

/** Any typed array of numbers. */
export type NumericArray = TypedArray | Int8Array | Uint8ClampedArray | Int16Array | Uint16Array | Uint32Array

/** Numbers in row-major order with their shape. */
export interface ShapedValues {
  readonly shape: Shape
  readonly data: NumericArray | readonly number[]
}

/** Nested arrays of numbers; the innermost may be typed arrays. */
export type NestedRows = number | boolean | NumericArray | readonly NestedRows[]

/**
 * Samples along the first axis: a tensor; numbers with a shape; nested arrays, whose rows may be typed arrays; or a typed array with one number for each sample.
 */
export type Data = Tensor | ShapedValues | NumericArray | readonly NestedRows[]

/** Whether it is an object { data, shape }. */
export const isShaped = (data: unknown): data is ShapedValues =>
  typeof data === 'object' && data !== null && !(data instanceof Tensor) && 'data' in data && 'shape' in data

/** Whether it is a typed array, BigInts included. */
export const isTyped = (data: unknown): data is NumericArray => ArrayBuffer.isView(data) && !(data instanceof DataView)

/** Whether it is an object with keys: not an array, tensor, Promise or Map. */
export const isRecord = (data: unknown): data is Readonly<Record<string, unknown>> =>
  Object.prototype.toString.call(data) === '[object Object]' && !(data instanceof Tensor)

/**
 * The values and their shape, without a copy if possible.
 *
 * @param what `fit: x`, for messages
 * @throws ValueError or ShapeError that names the first element that is no number or out of place
 */
export function readHost(what: string, data: unknown): HostArray {
  if (isShaped(data)) return readShaped(what, data)
  if (isTyped(data)) return { data: typedValues(what, data), shape: [data.length] }
  if (Array.isArray(data)) return readNested(what, data)
  throw new ValueError(`${what}: expected a tensor, an object { data, shape }, a typed array or nested arrays, got ${describeValue(data)}.`)
}

function readShaped(what: string, { data, shape }: ShapedValues): HostArray {
  const isShape = Array.isArray(shape) && shape.every((n) => Number.isSafeInteger(n) && n >= 0)
  if (!isShape) {
    const got = Array.isArray(shape)
      ? `[${shape.map((n) => (typeof n === 'number' ? n : describeValue(n))).join(', ')}]`
      : describeValue(shape)
    throw new ValueError(`${what}: shape must be a list of whole numbers, at least 0, such as [${lengthOf(data)}, 1], got ${got}.`)
  }
  const values = isTyped(data) ? typedValues(what, data) : readNested(`${what}: data`, fromJson(data) ?? data).data
  if (values.length === sizeOf(shape)) return { data: values, shape }
  const gone = values.length === 0 ? ' A buffer that was transferred to a worker is empty here.' : ''
  throw new ShapeError(`${what}: ${values.length} values do not fill its shape ${showShape(shape)}.${gone}`)
}

const lengthOf = (data: unknown): number | string => (isTyped(data) || Array.isArray(data) ? data.length : 'n')

/** The values of a typed array that went through JSON, which makes an object of it with positions as keys. */
function fromJson(data: unknown): unknown[] | undefined {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return undefined
  const keys = Object.keys(data)
  return keys.length > 0 && keys.every((key, i) => key === String(i)) ? Object.values(data) : undefined
}

function typedValues(what: string, data: NumericArray): TypedArray {
  const { name } = data.constructor
  if (!name.startsWith('Big')) return data as TypedArray
  throw new ValueError(`${what}: expected numbers, got ${describeValue(data)}. Convert it first: Float64Array.from(x, Number).`)
}

const path = (at: readonly number[]): string => at.map((i) => `[${i}]`).join('')

type ValuesClass = new (size: number) => TypedArray

function readNested(what: string, data: unknown): HostArray {
  if (!Array.isArray(data)) throw new ValueError(`${what}: expected numbers, got ${describeValue(data)}.`)
  const shape: number[] = []
  let first: unknown = data
  for (; Array.isArray(first); first = first[0]) shape.push(first.length)
  if (isTyped(first)) shape.push(first.length)
  const Values = requireRegular(what, data, shape)
  const values = new Values(sizeOf(shape))
  fillRows(what, data, values, shape.length)
  return { data: values, shape }
}

/**
 * Throws unless all rows are as long as the first: a shorter row would shift all values after it. Returns the type of the values: that of the rows if all have
 * one type, so that bytes travel as bytes.
 */
function requireRegular(what: string, data: readonly unknown[], shape: readonly number[]): ValuesClass {
  const at: number[] = []
  let values: ValuesClass | undefined
  const visit = (item: unknown, axis: number): void => {
    const isRow = Array.isArray(item) || (isTyped(item) && axis === shape.length - 1)
    if (!isRow) throw new ShapeError(`${what}${path(at)} is ${describeValue(item)}, expected an array of ${shape[axis]}.`)
    const { length } = item as ArrayLike<unknown>
    if (length !== shape[axis]) {
      const items = `${length} ${length === 1 ? 'item' : 'items'}`
      throw new ShapeError(`${what}: nested arrays must be regular: ${path(at)} has ${items}, expected ${shape[axis]} as in the first.`)
    }
    if (axis === shape.length - 1) {
      const own = isTyped(item) ? (typedValues(`${what}${path(at)}`, item).constructor as ValuesClass) : Float64Array
      values = values === undefined || values === own ? own : Float64Array
      return
    }
    for (let i = 0; i < length; i++) {
      at.push(i)
      visit((item as readonly unknown[])[i], axis + 1)
      at.pop()
    }
  }
  visit(data, 0)
  return values ?? Float64Array
}

/** Copies the rows one after the other. */
function fillRows(what: string, data: readonly unknown[], values: TypedArray, rank: number): void {
  const at: number[] = []
  let next = 0
  const visit = (item: readonly unknown[] | NumericArray, axis: number): void => {
    if (isTyped(item)) {
      values.set(item, next)
      next += item.length
      return
    }
    for (let i = 0; i < item.length; i++) {
      const value = item[i]
      if (axis < rank - 1) {
        at.push(i)
        visit(value as readonly unknown[], axis + 1)
        at.pop()
      } else {
        if (typeof value !== 'number' && typeof value !== 'boolean') {
          throw new ValueError(`${what}${path([...at, i])} is ${describeValue(value)}, expected a number.`)
        }
        values[next++] = Number(value)
      }
    }
  }
  visit(data, 0)
}
