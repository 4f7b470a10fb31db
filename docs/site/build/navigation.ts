/** The list at the left, in its order; the pages of a section lead from one to the next. A page that is not here is reached by links and by the search. */
import { families } from './families.js'

export interface Section {
  readonly title: string
  /** Sources, or addresses of pages that have none. The title is that of the page if none is given. */
  readonly pages: readonly (string | { readonly page: string; readonly title: string })[]
}

export const navigation: readonly Section[] = [
  {
    title: 'Start',
    pages: [
      { page: 'docs/index.md', title: 'Train a network here' },
      { page: 'README.md', title: 'Use the library' },
      { page: 'docs/recipes.md', title: 'Recipes' },
      { page: 'docs/features.md', title: 'What there is' },
      { page: 'docs/trust.md', title: 'Trust' },
    ],
  },
  {
    title: 'Learn backprop',
    pages: [
      { page: 'docs/explorer.md', title: 'Tape explorer' },
      { page: 'docs/exercises.md', title: 'Write this backward' },
      { page: 'docs/time-machine.md', title: 'Time machine' },
      { page: 'docs/backprop.md', title: 'From a tape to a kernel' },
    ],
  },
  {
    title: 'The book',
    pages: [
      { page: 'docs/book/README.md', title: 'What is in it' },
      'docs/book/01-derivative.md',
      'docs/book/02-chain-rule.md',
      'docs/book/03-tape.md',
      'docs/book/04-vectors.md',
      'docs/book/05-matmul.md',
      'docs/book/06-cross-entropy.md',
      'docs/book/07-optimizers.md',
      'docs/book/08-initialisation.md',
      'docs/book/09-convolution.md',
      'docs/book/10-recurrence.md',
      'docs/book/11-attention.md',
      'docs/book/12-transformer.md',
      'docs/book/13-numbers.md',
      'docs/book/14-memory.md',
    ],
  },
  {
    title: 'Look at the kernels',
    pages: [
      { page: 'docs/lens.md', title: 'Kernel lens' },
      { page: 'docs/your-machine.md', title: 'Your machine' },
      { page: 'docs/speed.md', title: 'Speed beside other libraries' },
      { page: 'packages/core/src/backends/wasm/README.md', title: 'WebAssembly kernels' },
    ],
  },
  {
    title: 'Guides',
    pages: [
      { page: 'packages/core/README.md', title: 'Tensors and derivatives' },
      { page: 'packages/layers/README.md', title: 'Layers and models' },
      { page: 'packages/datasets/README.md', title: 'Datasets' },
      { page: 'packages/layers/src/callbacks/README.md', title: 'Callbacks' },
      { page: 'packages/layers/src/report/README.md', title: 'Reports' },
      { page: 'packages/layers/src/io/README.md', title: 'Model files' },
      { page: 'ARCHITECTURE.md', title: 'Architecture' },
      { page: 'CONTRIBUTING.md', title: 'Contributing' },
    ],
  },
  {
    title: 'Reference',
    pages: [
      { page: 'reference/index.html', title: 'All names' },
      ...families.map(({ id, title }) => ({ page: `reference/${id}.html`, title })),
    ],
  },
  {
    title: 'Examples',
    pages: [
      { page: 'examples/README.md', title: 'How to run them' },
      { page: 'examples/gpt/README.md', title: 'A small GPT' },
      { page: 'examples/transformer-imdb/README.md', title: 'A Transformer on reviews' },
      { page: 'examples/transfer/README.md', title: 'Transfer to other digits' },
      { page: 'examples/augment/README.md', title: 'Clothes changed at random' },
      { page: 'examples/vae/README.md', title: 'Digits in a plane' },
      { page: 'examples/gan/README.md', title: 'Digits that a network draws' },
    ],
  },
  {
    title: 'Results',
    pages: [
      { page: 'docs/results.md', title: 'All results' },
      { page: 'docs/documents/000.md', title: 'Document 000' },
      { page: 'docs/documents/001.md', title: 'Document 001' },
      { page: 'docs/documents/002.md', title: 'Document 002' },
      { page: 'docs/documents/003.md', title: 'Document 003' },
      { page: 'docs/documents/004.md', title: 'Document 004' },
    ],
  },
]
