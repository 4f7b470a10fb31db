/**
 * Networks to train, as data: layers in order, and what follows from them (the shape that each layer gets and gives, and its
 * multiplications). The letters are the project's names of the networks.
 */

export interface Row {
  /** Letter or letter and number; `--only` takes it. */
  id: string
  /** What `--only` takes too. */
  name: string
  /** What is computed, for people. */
  title: string
}

export type Activation = 'linear' | 'relu' | 'softmax'
export type Padding = 'valid' | 'same'

/** A layer of a network. Windows are square; those of a convolution slide by 1, those of pooling by their size. */
export type LayerSpec =
  | { type: 'dense'; units: number; activation: Activation }
  | { type: 'dropout'; rate: number }
  | { type: 'conv'; filters: number; size: number; padding: Padding; activation: Activation }
  | { type: 'maxPool'; size: number }
  | { type: 'flatten' }

/** One step: upload a batch, forward, backward, optimizer, read the loss. */
export interface TrainWorkload extends Row {
  kind: 'train'
  /** Of one sample: [features], or [height, width, channels]. */
  inputShape: readonly number[]
  layers: readonly LayerSpec[]
  optimizer: 'adam' | 'rmsprop' | 'adadelta'
  batch: number
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

export const models: readonly TrainWorkload[] = [
  {
    kind: 'train',
    id: 'A',
    name: 'mlp',
    title: '784–784–10, relu and softmax, cross-entropy, Adam',
    inputShape: [784],
    layers: [dense(784), dense(10, 'softmax')],
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
    optimizer: 'adadelta',
    batch: 128,
  },
]

export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1)

/** What a window that slides by 1 makes of a length. */
export const slid = (length: number, size: number, padding: Padding): number => (padding === 'same' ? length : length - size + 1)

/** A layer where it stands: the shapes of one sample before and after it, and of its weights (the bias is as long as their last axis). */
export interface PlacedLayer {
  layer: LayerSpec
  input: readonly number[]
  output: readonly number[]
  kernel?: readonly number[]
  /** Values that meet in one sum, and sums that a value goes into: what Glorot's limit is made of. */
  fans?: readonly [number, number]
}

function place(layer: LayerSpec, input: readonly number[]): PlacedLayer {
  const rank = layer.type === 'dense' ? 1 : layer.type === 'conv' || layer.type === 'maxPool' ? 3 : input.length
  if (input.length !== rank) throw new Error(`A layer of type "${layer.type}" cannot stand on [${input.join(', ')}].`)
  const [height, width, channels] = input
  switch (layer.type) {
    case 'dense':
      return { layer, input, output: [layer.units], kernel: [input[0], layer.units], fans: [input[0], layer.units] }
    case 'dropout':
      return { layer, input, output: input }
    case 'conv': {
      const { filters, size, padding } = layer
      return {
        layer,
        input,
        output: [slid(height, size, padding), slid(width, size, padding), filters],
        kernel: [size, size, channels, filters],
        fans: [size * size * channels, size * size * filters],
      }
    }
    case 'maxPool':
      return { layer, input, output: [Math.floor(height / layer.size), Math.floor(width / layer.size), channels] }
    case 'flatten':
      return { layer, input, output: [sizeOf(input)] }
    default:
      throw new Error(`There is no layer of type "${(layer as { type: string }).type}".`)
  }
}

/** The layers one on the other. @throws Error for a type that is unknown, or that cannot stand where it does. */
export function placed({ inputShape, layers }: Pick<TrainWorkload, 'inputShape' | 'layers'>): PlacedLayer[] {
  let shape = inputShape
  return layers.map((layer) => {
    const found = place(layer, shape)
    shape = found.output
    return found
  })
}

/** How many classes a network tells apart. */
export function classesOf({ name, layers }: Pick<TrainWorkload, 'name' | 'layers'>): number {
  const last = layers.at(-1)
  if (last?.type !== 'dense') throw new Error(`Workload ${name} must end in a dense layer.`)
  return last.units
}

/**
 * Flops of a step: for a dense layer of i inputs and o outputs on b samples 2·b·i·o forward, for a convolution 2·b·oh·ow·kh·kw·c·f; as many for the gradient
 * of the weights, and as many for that of the input, which the first layer does not need.
 */
export function flopsOf(workload: TrainWorkload): number {
  let products = 0
  let flops = 0
  for (const { kernel, output } of placed(workload)) {
    if (!kernel) continue
    const positions = sizeOf(output) / (kernel.at(-1) ?? 1)
    flops += 2 * workload.batch * positions * sizeOf(kernel) * (products++ === 0 ? 2 : 3)
  }
  return flops
}

/** `784–784–10`, `28×28×1–32c5–p2–128–10`: the input, and what has a size of its own. */
export function sizesOf({ inputShape, layers }: TrainWorkload): string {
  const each = layers.flatMap((layer) => {
    if (layer.type === 'dense') return [String(layer.units)]
    if (layer.type === 'conv') return [`${layer.filters}c${layer.size}${layer.padding === 'same' ? 's' : ''}`]
    return layer.type === 'maxPool' ? [`p${layer.size}`] : []
  })
  return [inputShape.join('×'), ...each].join('–')
}
