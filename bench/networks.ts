/** The networks to train, as data: their layers in order. placed.ts derives shapes and costs from them. The letters are the project's names for the networks. */

export interface Row {
  /** A letter, or a letter and a number; `--only` accepts it. */
  id: string
  /** A name, which `--only` accepts, too. */
  name: string
  /** A description for people. */
  title: string
}

export type Activation = 'linear' | 'relu' | 'sigmoid' | 'softmax'
export type Padding = 'valid' | 'same'

/** Dropout masks are drawn once a step and are the same at all times of a sequence. `recurrentDropout` drops parts of the state. */
export interface LstmSpec {
  type: 'lstm'
  units: number
  dropout: number
  recurrentDropout: number
  /** A second LSTM reads the sequence from its end; the states of both stand side by side. */
  bidirectional: boolean
}

/**
 * A layer of a network. Windows are square. A convolution's window moves by 1, a pooling's by its size. A recurrent layer returns its
 * last state.
 */
export type LayerSpec =
  | { type: 'dense'; units: number; activation: Activation }
  | { type: 'dropout'; rate: number }
  | { type: 'conv'; filters: number; size: number; padding: Padding; activation: Activation }
  | { type: 'maxPool'; size: number }
  | { type: 'flatten' }
  /** Turns numbers from 0 to vocabulary − 1 into vectors; always the first layer. */
  | { type: 'embedding'; vocabulary: number; size: number }
  | LstmSpec
  | { type: 'simpleRnn'; units: number }
  | { type: 'conv1d'; filters: number; size: number; activation: Activation }
  | { type: 'maxPool1d'; size: number }
  | { type: 'globalMaxPool1d' }

export type LossName = 'categoricalCrossentropy' | 'binaryCrossentropy' | 'meanAbsoluteError'

/** A network to train. One step: upload a batch, forward, backward, optimizer, read the loss. */
export interface TrainWorkload extends Row {
  kind: 'train'
  /** The shape of a sample: [features], [height, width, channels], [steps, channels], or [length] of whole numbers for an embedding. */
  inputShape: readonly number[]
  layers: readonly LayerSpec[]
  loss: LossName
  optimizer: 'adam' | 'rmsprop' | 'adadelta'
  batch: number
  /** All weights but biases start at this number instead of random ones. Then all libraries compute the same, dropout aside. */
  constantWeights?: number
}

const dense = (units: number, activation: Activation = 'relu'): LayerSpec => ({ type: 'dense', units, activation })
const dropout = (rate: number): LayerSpec => ({ type: 'dropout', rate })
const conv = (filters: number, size: number, padding: Padding = 'valid'): LayerSpec => ({
  type: 'conv',
  filters,
  size,
  padding,
  activation: 'relu',
})
const maxPool: LayerSpec = { type: 'maxPool', size: 2 }
const flatten: LayerSpec = { type: 'flatten' }
const lstm = (units: number, options: Partial<LstmSpec> = {}): LstmSpec => ({
  type: 'lstm',
  units,
  dropout: 0,
  recurrentDropout: 0,
  bidirectional: false,
  ...options,
})
const simpleRnn = (units: number): LayerSpec => ({ type: 'simpleRnn', units })
const embedding = (size: number): LayerSpec => ({ type: 'embedding', vocabulary: 10_000, size })
const conv1d = (filters: number, size: number): LayerSpec => ({ type: 'conv1d', filters, size, activation: 'relu' })

/** LSTMs that read an image row by row. */
const overRows = (id: string, units: number, optimizer: 'adam' | 'rmsprop', batch: number): TrainWorkload => ({
  kind: 'train',
  id,
  name: `lstm-${units}`,
  title: `28×28, LSTM ${units}, 10, softmax, cross-entropy, ${optimizer === 'adam' ? 'Adam' : 'RMSprop'}`,
  inputShape: [28, 28],
  layers: [lstm(units), dense(10, 'softmax')],
  loss: 'categoricalCrossentropy',
  optimizer,
  batch,
})

/** Networks that tell two kinds of texts of 500 words apart. */
const ofWords = (id: string, name: string, title: string, layers: readonly LayerSpec[]): TrainWorkload => ({
  kind: 'train',
  id,
  name,
  title: `500 words, ${title}, 1, sigmoid, binary cross-entropy, RMSprop`,
  inputShape: [500],
  layers: [...layers, dense(1, 'sigmoid')],
  loss: 'binaryCrossentropy',
  optimizer: 'rmsprop',
  batch: 128,
})

/** Networks that predict one quantity from a series of 240 measurements of 14 quantities. */
const ofMeasurements = (id: string, name: string, bidirectional: boolean): TrainWorkload => ({
  kind: 'train',
  id,
  name,
  title: `240×14, ${bidirectional ? 'bidirectional ' : ''}LSTM 32, dropout .2, recurrent dropout .2, 1, mean absolute error, RMSprop`,
  inputShape: [240, 14],
  layers: [lstm(32, { dropout: 0.2, recurrentDropout: 0.2, bidirectional }), dense(1, 'linear')],
  loss: 'meanAbsoluteError',
  optimizer: 'rmsprop',
  batch: 128,
})

export const models: readonly TrainWorkload[] = [
  {
    kind: 'train',
    id: 'A',
    name: 'mlp',
    title: '784–784–10, relu and softmax, cross-entropy, Adam',
    inputShape: [784],
    layers: [dense(784), dense(10, 'softmax')],
    loss: 'categoricalCrossentropy',
    optimizer: 'adam',
    batch: 200,
  },
  {
    kind: 'train',
    id: 'B',
    name: 'mlp-rmsprop',
    title: '784–512–512–10, relu and softmax, dropout .2 twice, cross-entropy, RMSprop',
    inputShape: [784],
    layers: [dense(512), dropout(0.2), dense(512), dropout(0.2), dense(10, 'softmax')],
    loss: 'categoricalCrossentropy',
    optimizer: 'rmsprop',
    batch: 128,
  },
  {
    kind: 'train',
    id: 'C',
    name: 'mlp-dropout',
    title: '784–128–128–10, relu and softmax, dropout .3 twice, cross-entropy, Adam',
    inputShape: [784],
    layers: [dense(128), dropout(0.3), dense(128), dropout(0.3), dense(10, 'softmax')],
    loss: 'categoricalCrossentropy',
    optimizer: 'adam',
    batch: 128,
  },
  {
    kind: 'train',
    id: 'D',
    name: 'cnn-light',
    title: '28×28×1, conv 32 5×5, pool 2, dropout .2, 128, 10, relu and softmax, cross-entropy, Adam',
    inputShape: [28, 28, 1],
    layers: [conv(32, 5), maxPool, dropout(0.2), flatten, dense(128), dense(10, 'softmax')],
    loss: 'categoricalCrossentropy',
    optimizer: 'adam',
    batch: 200,
  },
  {
    kind: 'train',
    id: 'E',
    name: 'cnn-full',
    title: '28×28×1, conv 32 5×5 same, pool 2, conv 48 5×5, pool 2, 256, 84, 10, relu and softmax, cross-entropy, Adam',
    inputShape: [28, 28, 1],
    layers: [conv(32, 5, 'same'), maxPool, conv(48, 5), maxPool, flatten, dense(256), dense(84), dense(10, 'softmax')],
    loss: 'categoricalCrossentropy',
    optimizer: 'adam',
    batch: 64,
  },
  {
    kind: 'train',
    id: 'F',
    name: 'cnn-adadelta',
    title: '28×28×1, conv 32 3×3, conv 64 3×3, pool 2, dropout .25, 128, dropout .5, 10, relu and softmax, cross-entropy, Adadelta',
    inputShape: [28, 28, 1],
    layers: [conv(32, 3), conv(64, 3), maxPool, dropout(0.25), flatten, dense(128), dropout(0.5), dense(10, 'softmax')],
    loss: 'categoricalCrossentropy',
    optimizer: 'adadelta',
    batch: 128,
  },
  overRows('G256', 256, 'adam', 128),
  overRows('G512', 512, 'rmsprop', 200),
  ofWords('HL', 'imdb-lstm', 'embedding of 10,000 words in 32, LSTM 32', [embedding(32), lstm(32)]),
  ofWords('HR', 'imdb-simple-rnn', 'embedding of 10,000 words in 32, simple RNN 32', [embedding(32), simpleRnn(32)]),
  ofWords('I', 'imdb-conv1d', 'embedding of 10,000 words in 128, conv 32 7, pool 5, conv 32 7, global maximum', [
    embedding(128),
    conv1d(32, 7),
    { type: 'maxPool1d', size: 5 },
    conv1d(32, 7),
    { type: 'globalMaxPool1d' },
  ]),
  ofMeasurements('J', 'jena-lstm', false),
  ofMeasurements('JB', 'jena-bidirectional', true),
  {
    kind: 'train',
    id: 'S',
    name: 'small',
    title: '32–32–10, relu and softmax, cross-entropy, Adam',
    inputShape: [32],
    layers: [dense(32), dense(10, 'softmax')],
    loss: 'categoricalCrossentropy',
    optimizer: 'adam',
    batch: 32,
  },
]
