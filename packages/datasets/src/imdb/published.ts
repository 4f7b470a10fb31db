/** The text datasets as they were published: files, sizes, SHA-256, addresses. */
import type { PublishedDataset } from '../locating/dataset.js'

const addresses = ['https://storage.googleapis.com/tensorflow/tf-keras-datasets/', 'https://s3.amazonaws.com/text-datasets/']

/** Keras' archive of IMDB as numbers. */
export const publishedImdb: PublishedDataset = {
  title: 'IMDB',
  folder: 'imdb',
  files: [
    {
      name: 'imdb.npz',
      plain: true,
      // The archive that Keras downloads.
      bytes: 17_464_789,
      sha256: '69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f',
      others: [
        // The same sequences and labels, rebuilt from the raw reviews.
        { bytes: 17_464_833, sha256: '3774faa72af3cbb2d0bed5c64a59e31900f82ac7eefd64a01d17cc8b280a1584' },
      ],
    },
  ],
  addresses,
}

/** The words that IMDB's numbers stand for. */
export const publishedImdbWords: PublishedDataset = {
  title: "IMDB's word index",
  folder: 'imdb',
  files: [
    {
      name: 'imdb_word_index.json',
      plain: true,
      bytes: 1_641_221,
      sha256: '027313fe9a320280f3bf0fac5baf58c4a683cf39a7ed9c3d3d3912bde4284cf6',
    },
  ],
  addresses,
}
