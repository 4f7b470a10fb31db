/** The pages of the reference: a name belongs to the first family whose pattern its source file has. */

export interface Family {
  readonly id: string
  readonly title: string
  /** The sentence below the title. */
  readonly text: string
  readonly files: RegExp
}

export const families: readonly Family[] = [
  {
    id: 'tensors',
    title: 'Tensors',
    text: 'Making tensors, reading them, and who frees their memory.',
    files: /^packages\/core\/src\/(tensor\/|ops\/create|inspect|ops\/requirements)/,
  },
  {
    id: 'derivatives',
    title: 'Derivatives',
    text: 'The tape, gradients, Jacobians, and ops of your own.',
    files: /^packages\/core\/src\/autodiff\//,
  },
  {
    id: 'elementwise',
    title: 'Elementwise ops',
    text: 'Ops that treat each element alone, and activations.',
    files: /^packages\/core\/src\/ops\/(elementwise|activation)\//,
  },
  {
    id: 'shapes',
    title: 'Shapes and indices',
    text: 'Ops that move elements: reshape, slice, gather, sort.',
    files: /^packages\/core\/src\/ops\/(shape|indexing|sort|placed)/,
  },
  {
    id: 'reductions',
    title: 'Sums, means, normalisation',
    text: 'Ops that reduce axes, run along one, or normalise.',
    files: /^packages\/core\/src\/ops\/(reduce|cumulative)/,
  },
  {
    id: 'products',
    title: 'Products, linear algebra, transforms',
    text: 'Matrix products, einsum, decompositions, Fourier transforms, attention.',
    files: /^packages\/core\/src\/ops\/(product|linalg|fourier|attention)/,
  },
  {
    id: 'windows',
    title: 'Convolution, pooling, images',
    text: 'Ops over windows of images and sequences.',
    files: /^packages\/core\/src\/ops\/(windows|image)/,
  },
  {
    id: 'recurrent-ops',
    title: 'Recurrent ops',
    text: 'Whole sequences of LSTM, GRU and simple cells as one op.',
    files: /^packages\/core\/src\/ops\/recurrent/,
  },
  {
    id: 'random',
    title: 'Random numbers',
    text: 'Draws from keys: the same key gives the same numbers.',
    files: /^packages\/core\/src\/(random|ops\/random)/,
  },
  {
    id: 'engine',
    title: 'Backends and steps',
    text: 'Where kernels run, recorded steps, updates, settings, errors.',
    files: /^packages\/core\/src\//,
  },
  {
    id: 'models',
    title: 'Models',
    text: 'Sequential models, graphs of layers, known architectures.',
    files: /^packages\/layers\/src\/(models|graph|architectures)\//,
  },
  {
    id: 'training',
    title: 'Training',
    text: 'compile, fit, evaluate, predict, and what they take.',
    files: /^packages\/layers\/src\/training\//,
  },
  {
    id: 'layers-core',
    title: 'Layers: dense, shapes, merging',
    text: 'The layers of every network.',
    files: /^packages\/layers\/src\/layers\/(core|merge|reshaping|activation)\//,
  },
  {
    id: 'layers-windows',
    title: 'Layers: convolution, pooling, images',
    text: 'Layers over images and sequences.',
    files: /^packages\/layers\/src\/layers\/(convolution|pooling|images)\//,
  },
  {
    id: 'layers-recurrent',
    title: 'Layers: recurrence',
    text: 'LSTM, GRU, simple cells, and what wraps them.',
    files: /^packages\/layers\/src\/layers\/(recurrent|wrappers)\//,
  },
  {
    id: 'layers-more',
    title: 'Layers: attention, normalisation, and more',
    text: 'Attention, normalisation, noise, preprocessing.',
    files: /^packages\/layers\/src\/(layers\/|layer|activations|call-layer|inside|own-classes|activated)/,
  },
  { id: 'losses', title: 'Losses', text: 'What training makes small.', files: /^packages\/layers\/src\/losses/ },
  { id: 'metrics', title: 'Metrics', text: 'What is measured beside the loss.', files: /^packages\/layers\/src\/metrics/ },
  {
    id: 'optimizers',
    title: 'Optimizers and schedules',
    text: 'How weights follow gradients, and at which rate.',
    files: /^packages\/layers\/src\/optimizers/,
  },
  {
    id: 'weights',
    title: 'Initializers, regularizers, constraints',
    text: 'How weights begin, and what holds them.',
    files: /^packages\/layers\/src\/weights/,
  },
  {
    id: 'callbacks',
    title: 'Callbacks',
    text: 'What happens between batches and epochs.',
    files: /^packages\/layers\/src\/(callbacks|node\/(callbacks|backup))/,
  },
  {
    id: 'reports',
    title: 'Reports',
    text: 'The record of a run, and the page that shows it.',
    files: /^packages\/layers\/src\/(report|node\/(report|terminal-curve))/,
  },
  {
    id: 'files',
    title: 'Model files',
    text: 'Saving and loading, in the formats of Keras, TensorFlow.js and safetensors.',
    files: /^packages\/layers\/src\/(io|node)/,
  },
  { id: 'text', title: 'Text', text: 'Vocabularies: from texts to numbers and back.', files: /^packages\/layers\/src\/text/ },
  {
    id: 'layers-other',
    title: 'Names and options',
    text: 'Types that several parts of the layers package share.',
    files: /^packages\/layers\/src\//,
  },
  {
    id: 'datasets',
    title: 'Datasets',
    text: 'MNIST, IMDB, GloVe, Jena, Shakespeare, and preparing data.',
    files: /^packages\/datasets\/src\//,
  },
  { id: 'others', title: 'Other names', text: 'Types of other packages.', files: /./ },
]

export const familyOf = (file: string): Family => families.find(({ files }) => files.test(file)) as Family
