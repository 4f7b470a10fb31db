/** Class numbers to rows of zeros with a one, as Keras' `to_categorical`. */
import { describeValue, requireWhole } from './arguments.js'
import { allocate, isTypedArray, type NDArray, requireNDArray, type TypedArray } from './array.js'
import { DatasetError } from './errors.js'

/** Memory is not asked for beyond this many elements (16 GiB): a label that large is a mistake. */
const maxElements = 2 ** 32

const isPlain = (y: readonly number[] | TypedArray | NDArray): y is readonly number[] | TypedArray => Array.isArray(y) || isTypedArray(y)

/** `3` or `[1, 0]`: where a flat position lies in a shape. */
function positionIn(shape: readonly number[], flat: number): string {
  const at: number[] = []
  let rest = flat
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    at.unshift(rest % shape[axis])
    rest = Math.floor(rest / shape[axis])
  }
  return at.join(', ')
}

/**
 * One-hot rows of class numbers, as Keras' `to_categorical`.
 *
 * Without `numClasses` there are as many classes as the largest class number plus one.
 *
 * Shape: [..y] → [..y, numClasses]; a last axis of size 1 is dropped first: [n, 1] → [n, numClasses]
 *
 * @throws DatasetError if a class is not a whole number in 0 … numClasses - 1, with its value and position. (Keras cuts fractions off and
 * lets negative classes count from the end.) Also if there are no classes to count from, or `numClasses` is not a whole number, at least
 * 1.
 * @example
 * ```ts
 * const y = toCategorical([0, 2, 1])   // y.shape = [3, 3]
 * console.log(String(y.data))   // 1,0,0,0,0,1,0,1,0
 * ```
 */
export function toCategorical(y: readonly number[] | TypedArray | NDArray, numClasses?: number): NDArray<Float32Array> {
  if (!isPlain(y)) requireNDArray('toCategorical', 'y', y)
  const { data, shape }: { data: ArrayLike<number>; shape: readonly number[] } = isPlain(y) ? { data: y, shape: [y.length] } : y
  if (numClasses !== undefined) requireWhole('toCategorical', 'numClasses', numClasses, { least: 1 })
  const classes = numClasses ?? countClasses(data)
  for (let i = 0; i < data.length; i++) {
    const value = data[i]
    if (Number.isInteger(value) && value >= 0 && value < classes) continue
    const range = numClasses === undefined ? 'whole numbers ≥ 0' : `whole numbers in 0 … ${classes - 1} (numClasses ${classes})`
    throw new DatasetError(`toCategorical: y[${positionIn(shape, i)}] is ${describeValue(value)}; classes must be ${range}`)
  }
  if (data.length * classes > maxElements) {
    throw new DatasetError(`toCategorical: ${data.length} values × ${classes} classes are more than ${maxElements} elements`)
  }
  const out = allocate('toCategorical', Float32Array, data.length * classes)
  for (let i = 0; i < data.length; i++) out[i * classes + data[i]] = 1
  const kept = shape.length > 1 && shape[shape.length - 1] === 1 ? shape.slice(0, -1) : shape
  return { shape: [...kept, classes], data: out }
}

function countClasses(data: ArrayLike<number>): number {
  if (data.length === 0) throw new DatasetError('toCategorical: y is empty; pass numClasses')
  let largest = 0
  for (let i = 0; i < data.length; i++) if (data[i] > largest) largest = data[i]
  return largest + 1
}
