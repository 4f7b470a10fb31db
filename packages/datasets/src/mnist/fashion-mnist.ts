/** Fashion-MNIST: 70,000 pictures of clothes in MNIST's layout, 28 × 28 (H. Xiao, K. Rasul, R. Vollgraf, Zalando). */
import { type LoadOptions, readLoadOptions } from '../locating/dataset.js'
import { type ImageDataset, loadImages } from './image-dataset.js'
import { publishedFashionMnist } from './published.js'

/** The names of the ten classes; class c is `labels[c]`. */
export const labels = ['T-shirt/top', 'Trouser', 'Pullover', 'Dress', 'Coat', 'Sandal', 'Shirt', 'Sneaker', 'Bag', 'Ankle boot'] as const

/**
 * Loads Fashion-MNIST, 70,000 pictures of clothes in MNIST's layout, from the first place that has it: `dir`, `COTANGENT_DATA`, the cache,
 * the Debian package `dataset-fashion-mnist`, a download.
 *
 * Source: H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST", 2017 (Zalando); files are checked against published checksums.
 *
 * Shape: xTrain [60000, 28, 28], yTrain [60000], xTest [10000, 28, 28], yTest [10000]; all uint8
 *
 * @throws DatasetError as `mnist.loadData` does.
 * @example
 * ```ts no-run="needs the files of Fashion-MNIST"
 * import { fashionMnist } from '@cotangent/datasets'
 *
 * const { yTrain } = await fashionMnist.loadData()
 * console.log(fashionMnist.labels[yTrain.data[0]])   // Ankle boot
 * ```
 */
export async function loadData(options: LoadOptions = {}): Promise<ImageDataset> {
  return loadImages(publishedFashionMnist, readLoadOptions('fashionMnist.loadData', options))
}
