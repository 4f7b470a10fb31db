/**
 * Element types, and the rules for mixing them.
 *
 * float32 is the default. float64 exists on the reference backend alone, which may have it as its default; gradient checks need it. uint8 is for storing images and for casting from:
 * arithmetic on two uint8 tensors is an error, because it would wrap around without a word.
 */
import { describeValue, nearest } from '../arguments.js'
import { DTypeError } from '../errors.js'

/** The type of a tensor's elements. float64 exists on the reference backend alone. */
export type DType = 'float64' | 'float32' | 'int32' | 'uint8' | 'bool'

/** The typed array that holds elements on the host. A bool is a byte, 0 or 1. */
export type TypedArray = Float64Array | Float32Array | Int32Array | Uint8Array

const constructors = {
  float64: Float64Array,
  float32: Float32Array,
  int32: Int32Array,
  uint8: Uint8Array,
  bool: Uint8Array,
} as const

/** The order of promotion: a mix of two dtypes gives the later one. */
const rank: Record<DType, number> = { bool: 0, uint8: 1, int32: 2, float32: 3, float64: 4 }

const names = Object.keys(constructors) as DType[]

/** Throws unless the value is the name of a dtype. */
export function requireKnownDType(what: string, dtype: unknown): asserts dtype is DType {
  if ((names as unknown[]).includes(dtype)) return
  const common = names.slice(1)
  const kind = typeof dtype === 'string' ? dtype.replace(/\d+$/, '') : '' // int64 → int
  const near = kind && (common.find((name) => name.replace(/\d+$/, '') === kind) ?? nearest(dtype as string, common))
  throw new DTypeError(
    `${what}: there is no dtype ${typeof dtype === 'string' ? `"${dtype}"` : describeValue(dtype)}.${near ? ` Did you mean "${near}"?` : ''} There are ${common.join(', ')}, and float64 on the reference backend.`,
  )
}

/** Whether elements are real numbers. Only these have gradients. */
export const isFloat = (dtype: DType): boolean => dtype === 'float32' || dtype === 'float64'

/** How many bytes an element takes on the host. */
export const bytesPerElement = (dtype: DType): number => constructors[dtype].BYTES_PER_ELEMENT

/** A host array of zeros for the dtype. */
export const hostArray = (dtype: DType, size: number): TypedArray => new constructors[dtype](size)

/** Whether values are in the array type of the dtype. */
export const isHostArray = (values: unknown, dtype: DType): values is TypedArray => values instanceof constructors[dtype]

/** The dtype that `a op b` computes in: the wider of the two. */
export function promote(a: DType, b: DType): DType {
  return rank[a] >= rank[b] ? a : b
}

/** Properties of new tensors on a backend. */
interface Place {
  readonly defaultDType?: DType
}

/** The dtype of new floats on a backend where none is asked for: float32, unless the backend says otherwise. */
export const defaultFloat = ({ defaultDType = 'float32' }: Place): DType => defaultDType

/** The dtype in which an op on floats computes: a float as it is, whole numbers as the backend's default. */
export const floatOf = (dtype: DType, backend: Place): DType => (isFloat(dtype) ? dtype : defaultFloat(backend))

/** The dtype of a JavaScript number beside a tensor: the tensor's own if it holds the value, else int32 or the backend's default. */
export function dtypeBeside(value: number, dtype: DType, backend: Place): DType {
  if (isFloat(dtype)) return dtype
  return Number.isInteger(value) && Math.abs(value) < 2 ** 31 ? 'int32' : defaultFloat(backend)
}

/** Throws a DTypeError unless `dtype` is one of `allowed`. */
export function requireDType(op: string, argument: string, dtype: DType, allowed: readonly DType[]): void {
  if (allowed.includes(dtype)) return
  const cast = allowed.includes('float32') ? 'float32' : allowed[0]
  throw new DTypeError(`${op}: ${argument} is ${dtype}, but only ${allowed.join(', ')} will do. Cast it first: x.cast('${cast}').`)
}

/** Converts host values to the dtype, as `cast` does: floats are cut off towards zero, uint8 saturates, NaN becomes 0. */
export function convert(values: ArrayLike<number>, dtype: DType): TypedArray {
  const out = hostArray(dtype, values.length)
  if (isFloat(dtype)) for (let i = 0; i < out.length; i++) out[i] = values[i]
  else for (let i = 0; i < out.length; i++) out[i] = castValue(values[i], dtype)
  return out
}

/** Converts one value, as `cast` does. */
export function castValue(value: number, dtype: DType): number {
  switch (dtype) {
    case 'float64':
      return value
    case 'float32':
      return Math.fround(value)
    case 'bool':
      return value !== 0 ? 1 : 0
    case 'uint8':
      return Math.min(255, Math.max(0, Math.trunc(value))) || 0
    case 'int32':
      return Math.min(2 ** 31 - 1, Math.max(-(2 ** 31), Math.trunc(value))) || 0
  }
}
