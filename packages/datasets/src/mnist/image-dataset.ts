/** Images and labels in MNIST's layout: two IDX files for training, two for the test. */
import type { NDArray } from '../array.js'
import { DatasetError } from '../errors.js'
import { parseIdx } from '../formats/idx.js'
import type { LoadOptions } from '../locating/dataset.js'
import { type Host, nodeHost } from '../locating/host.js'
import { locate } from '../locating/source.js'
import type { PublishedImages } from './published.js'

/** Images and their classes, as stored: bytes 0 … 255 and class numbers. */
export interface ImageDataset {
  /** [samples, height, width] */
  xTrain: NDArray<Uint8Array>
  /** [samples] */
  yTrain: NDArray<Uint8Array>
  /** [samples, height, width] */
  xTest: NDArray<Uint8Array>
  /** [samples] */
  yTest: NDArray<Uint8Array>
  /** The place that the data came from, in words. */
  source: string
}

const isBytes = (array: NDArray): array is NDArray<Uint8Array> => array.data instanceof Uint8Array

function parseBytes(bytes: Uint8Array, rank: number, name: string): NDArray<Uint8Array> {
  const array = parseIdx(bytes, name)
  if (!isBytes(array) || array.shape.length !== rank) {
    const type = array.data.constructor.name.replace('Array', '').toLowerCase()
    throw new DatasetError(`${name}: expected uint8 with ${rank} axes, found ${type} of shape [${array.shape.join(', ')}]`)
  }
  return array
}

/** Finds the four files of a dataset and reads them. `host` stands in for this machine in tests; null is a browser. */
export async function loadImages(published: PublishedImages, options: LoadOptions, host?: Host | null): Promise<ImageDataset> {
  const { files, source } = await locate(published, options, host === undefined ? await nodeHost() : (host ?? undefined))
  const [xTrain, yTrain, xTest, yTest] = published.files.map(({ name }, index) => {
    const bytes = files.get(name)
    if (!bytes) throw new DatasetError(`${published.title}: ${name} was not read`)
    return parseBytes(bytes, index % 2 === 0 ? 3 : 1, `${source}: ${name}`)
  })
  for (const [x, y, part] of [
    [xTrain, yTrain, 'training'],
    [xTest, yTest, 'test'],
  ] as const) {
    if (x.shape[0] !== y.shape[0]) {
      throw new DatasetError(`${source}: ${x.shape[0]} ${part} images, but ${y.shape[0]} labels`)
    }
  }
  return { xTrain, yTrain, xTest, yTest, source }
}
