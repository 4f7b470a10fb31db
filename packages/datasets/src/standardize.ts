/** Columns brought to mean 0 and standard deviation 1, as tutorials do it by hand. */
import { readOptions, requireWhole, whole } from './arguments.js'
import { type NDArray, ndarray, requireNDArray } from './array.js'
import { DatasetError } from './errors.js'

export interface Standardized {
  /** [rows, columns] */
  data: NDArray<Float32Array>
  /** The mean that was subtracted from each column. */
  mean: Float64Array
  /** The standard deviation that each column was divided by. */
  std: Float64Array
}

/**
 * Brings each column to mean 0 and standard deviation 1, as measured over its first `rows` rows.
 *
 * The standard deviation is the population's, as NumPy's `std`; sums are in float64. To bring a prediction back into units, compute `· std
 * + mean`.
 *
 * Shape: [rows, columns] → [rows, columns], float32
 *
 * @throws DatasetError if the data have another shape, `rows` is not a whole number in 1 … rows of the data, or a column is constant or
 * not finite over those rows.
 * @example
 * ```ts
 * const { data, mean } = standardize(ndarray(Float64Array.of(1, 10, 3, 30, 5, 50), [3, 2]), { rows: 2 })
 * console.log([...mean])   // [2, 20]
 * console.log([...data.data])   // [-1, -1, 1, 1, 3, 3]
 * ```
 */
export function standardize(array: NDArray, options: { rows?: number } = {}): Standardized {
  const what = 'standardize'
  requireNDArray(what, 'data', array)
  const [count, width] = array.shape
  if (array.shape.length !== 2) {
    throw new DatasetError(`${what}: expected data of shape [rows, columns], found [${array.shape.join(', ')}]`)
  }
  const { rows = count } = readOptions(what, options, { rows: whole({}) })
  requireWhole(what, 'rows', rows, { least: 1, most: count })
  const { data } = array
  const mean = new Float64Array(width)
  const std = new Float64Array(width)
  for (let i = 0; i < rows * width; i++) mean[i % width] += data[i]
  for (let column = 0; column < width; column++) mean[column] /= rows
  for (let i = 0; i < rows * width; i++) std[i % width] += (data[i] - mean[i % width]) ** 2
  for (let column = 0; column < width; column++) {
    std[column] = Math.sqrt(std[column] / rows)
    if (std[column] > 0 && Number.isFinite(std[column])) continue
    throw new DatasetError(
      `standardize: column ${column} has the standard deviation ${std[column]} over the first ${rows} rows, and cannot be divided by it`,
    )
  }
  const out = new Float32Array(data.length)
  for (let i = 0; i < out.length; i++) out[i] = (data[i] - mean[i % width]) / std[i % width]
  return { data: ndarray(out, [count, width]), mean, std }
}
