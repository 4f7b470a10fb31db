/**
 * Host arrays: a shape and a typed array in row-major order. A dataset has this form before it becomes a tensor.
 *
 * Nothing here touches a backend. `slice` and `reshape` are views of the same memory, everything else copies.
 */
import { describeValue, requireNumber, requireWhole } from './arguments.js'
import { DatasetError, reasonOf } from './errors.js'

/** The typed arrays whose elements are numbers. */
export type TypedArray =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array

/** A typed array with a shape: `data.length` is the product of `shape`, the last axis varies fastest. */
export interface NDArray<T extends TypedArray = TypedArray> {
  readonly shape: readonly number[]
  readonly data: T
}

/** Number of elements of a shape; 1 for the shape of a scalar, `[]`. */
export const sizeOf = (shape: readonly number[]): number => (shape.includes(0) ? 0 : shape.reduce((a, b) => a * b, 1))

/** True for a typed array whose elements are numbers. */
export const isTypedArray = (value: unknown): value is TypedArray =>
  ArrayBuffer.isView(value) && typedArrays.has((value as { [Symbol.toStringTag]?: string })[Symbol.toStringTag] ?? '')

/** By name, so that those of other realms are known, too, and those of 64-bit integers and half precision are not. */
const typedArrays: ReadonlySet<string> = new Set(
  'Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array Float32Array Float64Array'.split(' '),
)

const isShape = (shape: unknown, least = 0): shape is readonly number[] =>
  Array.isArray(shape) && shape.every((size) => Number.isSafeInteger(size) && size >= least)

/** @param least 0, or -1 where one size may follow from the others */
function requireShape(what: string, shape: unknown, least: 0 | -1 = 0): void {
  if (isShape(shape, least)) return
  const found = Array.isArray(shape)
    ? `[${shape.map((size) => (typeof size === 'number' ? size : describeValue(size))).join(', ')}]`
    : describeValue(shape)
  throw new DatasetError(`${what}: shape must be a list of whole numbers, at least ${least}, got ${found}.`)
}

/** Throws unless `value` is an array of this package, whose data fill its shape. */
export function requireNDArray(what: string, name: string, value: unknown): void {
  const { shape, data } = (value ?? {}) as Partial<NDArray>
  if (typeof value !== 'object' || !isTypedArray(data) || !isShape(shape)) {
    const found =
      value && typeof value === 'object' && 'data' in value
        ? `shape ${describeValue(shape)}, data ${describeValue(data)}`
        : describeValue(value)
    throw new DatasetError(`${what}: ${name} must be { shape, data } with a typed array, got ${found}. Write ndarray(data, shape).`)
  }
  if (sizeOf(shape) === data.length) return
  throw new DatasetError(`${what}: ${name} has the shape [${shape.join(', ')}], which is not that of ${data.length} values.`)
}

/**
 * New memory whose size comes from arguments.
 *
 * @throws DatasetError for more elements than an array can have, or than there is memory for.
 */
export function allocate<T extends TypedArray>(what: string, type: new (length: number) => T, length: number): T {
  try {
    return new type(length)
  } catch (error) {
    throw new DatasetError(`${what}: there is no memory for ${length} elements (${reasonOf(error)}).`, { cause: error })
  }
}

/**
 * Gives a typed array a shape; the memory is shared.
 *
 * @throws DatasetError if the data are no typed array of numbers, or the shape is not made of whole numbers or has another number of
 * elements.
 * @example
 * ```ts
 * const a = ndarray(new Float32Array([1, 2, 3, 4]), [2, 2])   // a.shape = [2, 2]
 * ```
 */
export function ndarray<T extends TypedArray>(data: T, shape: readonly number[]): NDArray<T> {
  if (!isTypedArray(data)) throw new DatasetError(`ndarray: data must be a typed array of numbers, got ${describeValue(data)}.`)
  requireShape('ndarray', shape)
  if (sizeOf(shape) !== data.length) {
    throw new DatasetError(`ndarray: the shape [${shape.join(', ')}] has ${sizeOf(shape)} elements, the data have ${data.length}`)
  }
  return { shape: [...shape], data }
}

/**
 * Items `begin … end - 1` of the leading axis, as a view of the same memory.
 *
 * Positions are those of `Array.prototype.slice`: negative ones count from the end, and positions outside are cut to the array.
 *
 * Shape: [n, ..rest] → [end - begin, ..rest]
 *
 * @throws DatasetError if the array has no axes.
 * @example
 * ```ts
 * const x = ndarray(new Uint8Array(6), [3, 2])
 * slice(x, 1).shape   // [2, 2]
 * slice(x, -1).shape   // [1, 2]
 * ```
 */
export function slice<T extends TypedArray>(array: NDArray<T>, begin: number, end?: number): NDArray<T> {
  requireNDArray('slice', 'array', array)
  requireWhole('slice', 'begin', begin)
  if (end !== undefined) requireWhole('slice', 'end', end)
  const [count, ...rest] = array.shape
  if (count === undefined) throw new DatasetError('slice: the array has no axes (shape [])')
  const clamp = (at: number): number => (at < 0 ? Math.max(0, count + at) : Math.min(at, count))
  const from = clamp(begin)
  const to = Math.max(from, clamp(end ?? count))
  const stride = sizeOf(rest)
  return { shape: [to - from, ...rest], data: array.data.subarray(from * stride, to * stride) as T }
}

/**
 * The same elements in another shape, as a view of the same memory.
 *
 * Shape: [..] → `shape`, where one size may be -1 and follows from the others.
 *
 * @throws DatasetError if the shape has another number of elements, or more than one -1.
 * @example
 * ```ts
 * const images = ndarray(new Uint8Array(2 * 28 * 28), [2, 28, 28])
 * reshape(images, [-1, 784]).shape   // [2, 784]
 * ```
 */
export function reshape<T extends TypedArray>(array: NDArray<T>, shape: readonly number[]): NDArray<T> {
  requireNDArray('reshape', 'array', array)
  requireShape('reshape', shape, -1)
  const open = shape.indexOf(-1)
  const size = array.data.length / sizeOf(shape.filter((_, axis) => axis !== open))
  const sizes = open < 0 ? [...shape] : shape.with(open, size)
  if (!isShape(sizes) || sizeOf(sizes) !== array.data.length) {
    throw new DatasetError(
      `reshape: ${array.data.length} elements (shape [${array.shape.join(', ')}]) do not fill the shape [${shape.join(', ')}]`,
    )
  }
  return { shape: sizes, data: array.data }
}

/**
 * A float32 copy with every element divided by `divisor`. 255 brings the bytes of an image into 0 … 1; 1 only converts.
 *
 * Has the same bits as NumPy's `x.astype('float32') / 255`.
 *
 * Shape: [..] → the same
 *
 * @throws DatasetError if the divisor is 0 or no number.
 * @example
 * ```ts
 * const { data } = normalize(ndarray(new Uint8Array([0, 51, 255]), [3]))
 * console.log([...data])   // ≈ [0, 0.2, 1]
 * ```
 */
export function normalize(array: NDArray, divisor = 255): NDArray<Float32Array> {
  requireNDArray('normalize', 'array', array)
  requireNumber('normalize', 'divisor', divisor)
  if (divisor === 0) throw new DatasetError('normalize: divisor must be a number other than 0, got 0.')
  const { data, shape } = array
  const out = new Float32Array(data.length)
  for (let i = 0; i < out.length; i++) out[i] = Math.fround(data[i]) / divisor
  return { shape, data: out }
}
