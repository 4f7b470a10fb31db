/** Tiny Shakespeare as it was published: file, size, SHA-256, address. */
import type { PublishedDataset } from '../locating/dataset.js'

export const publishedShakespeare: PublishedDataset = {
  title: 'Tiny Shakespeare',
  folder: 'shakespeare',
  otherFolders: ['tinyshakespeare'],
  files: [
    {
      name: 'input.txt',
      aliases: ['tinyshakespeare.txt'],
      plain: true,
      bytes: 1_115_394,
      sha256: '86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed',
    },
  ],
  addresses: ['https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/'],
}
