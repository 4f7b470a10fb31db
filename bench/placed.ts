/** Derived from a network's layers: the shapes before and after each, its weights, the flops of a step, and a short text of its sizes. */
import type { LayerSpec, Padding, TrainWorkload } from './networks.js'

export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1)

/** The length after a window of some size has moved over it by steps of 1. */
export const slid = (length: number, size: number, padding: Padding): number => (padding === 'same' ? length : length - size + 1)

/** A layer in its place: the shape of one sample before and after it, and the shapes of its weights. (The bias is as long as their last axis.) */
export interface PlacedLayer {
  layer: LayerSpec
  input: readonly number[]
  output: readonly number[]
  /** A bidirectional layer has two of these. */
  kernel?: readonly number[]
  /** The weights of the last state, in a recurrent layer. Gates are in the order i, f, c̃, o. */
  recurrent?: readonly number[]
}

/** The limit of Glorot's uniform distribution, √(6 / (fan in + fan out)) (Glorot and Bengio, 2010). */
export function glorotLimit(shape: readonly number[]): number {
  const window = sizeOf(shape.slice(0, -2))
  return Math.sqrt(6 / (window * (shape[shape.length - 2] + shape[shape.length - 1])))
}

/** The limit of the uniform distribution for embeddings. */
export const EMBEDDING_LIMIT = 0.05

/** How many axes a sample must have for a layer; any number if the layer is not here. */
const rankOf: Partial<Record<LayerSpec['type'], number>> = {
  dense: 1,
  embedding: 1,
  conv: 3,
  maxPool: 3,
  lstm: 2,
  simpleRnn: 2,
  conv1d: 2,
  maxPool1d: 2,
  globalMaxPool1d: 2,
}

function place(layer: LayerSpec, input: readonly number[]): PlacedLayer {
  if (input.length !== (rankOf[layer.type] ?? input.length)) {
    throw new Error(`A layer of type "${layer.type}" cannot stand on [${input.join(', ')}].`)
  }
  const [length, width, depth] = input
  switch (layer.type) {
    case 'dense':
      return { layer, input, output: [layer.units], kernel: [length, layer.units] }
    case 'dropout':
      return { layer, input, output: input }
    case 'conv': {
      const { filters, size, padding } = layer
      return {
        layer,
        input,
        output: [slid(length, size, padding), slid(width, size, padding), filters],
        kernel: [size, size, depth, filters],
      }
    }
    case 'maxPool':
      return { layer, input, output: [Math.floor(length / layer.size), Math.floor(width / layer.size), depth] }
    case 'flatten':
      return { layer, input, output: [sizeOf(input)] }
    case 'embedding':
      return { layer, input, output: [length, layer.size] }
    case 'lstm': {
      const { units, bidirectional } = layer
      return { layer, input, output: [bidirectional ? 2 * units : units], kernel: [width, 4 * units], recurrent: [units, 4 * units] }
    }
    case 'simpleRnn':
      return { layer, input, output: [layer.units], kernel: [width, layer.units], recurrent: [layer.units, layer.units] }
    case 'conv1d': {
      const { filters, size } = layer
      return { layer, input, output: [slid(length, size, 'valid'), filters], kernel: [size, width, filters] }
    }
    case 'maxPool1d':
      return { layer, input, output: [Math.floor(length / layer.size), width] }
    case 'globalMaxPool1d':
      return { layer, input, output: [width] }
    default:
      throw new Error(`There is no layer of type "${(layer as { type: string }).type}".`)
  }
}

/** The layers in their places. @throws Error for an unknown type, or a layer that cannot stand in its place. */
export function placed({ inputShape, layers }: Pick<TrainWorkload, 'inputShape' | 'layers'>): PlacedLayer[] {
  let shape = inputShape
  return layers.map((layer, i) => {
    if (layer.type === 'embedding' && i > 0) throw new Error('A layer of type "embedding" can only be the first.')
    const found = place(layer, shape)
    shape = found.output
    return found
  })
}

/** How many numbers a network gives: the number of classes, or 1. */
export function outputsOf({ name, layers }: Pick<TrainWorkload, 'name' | 'layers'>): number {
  const last = layers.at(-1)
  if (last?.type !== 'dense') throw new Error(`Workload ${name} must end in a dense layer.`)
  return last.units
}

/** The size of a network's vocabulary; undefined if it has no embedding. */
export function vocabularyOf({ layers: [first] }: Pick<TrainWorkload, 'layers'>): number | undefined {
  return first?.type === 'embedding' ? first.vocabulary : undefined
}

/**
 * The flops of a step, for b samples. Forward: a dense layer of i inputs and o outputs takes 2·b·i·o, a convolution 2·b·oh·ow·kh·kw·c·f, a recurrent layer of t
 * steps and g gates 2·b·t·g·u·(i + u) in each direction. The gradient of the weights takes as many again, and so does the gradient of the input, which the first
 * layer does not need. An embedding has no products.
 */
export function flopsOf(workload: TrainWorkload): number {
  let first = true
  let flops = 0
  for (const { layer, kernel, recurrent, input, output } of placed(workload)) {
    if (kernel) {
      const positions = recurrent ? input[0] : sizeOf(output) / (kernel.at(-1) ?? 1)
      const directions = layer.type === 'lstm' && layer.bidirectional ? 2 : 1
      const products = sizeOf(kernel) * (first ? 2 : 3) + (recurrent ? 3 * sizeOf(recurrent) : 0)
      flops += 2 * workload.batch * positions * directions * products
    }
    if (kernel || layer.type === 'embedding') first = false
  }
  return flops
}

function sizeInWords(layer: LayerSpec): string | undefined {
  switch (layer.type) {
    case 'dense':
      return String(layer.units)
    case 'conv':
      return `${layer.filters}c${layer.size}${layer.padding === 'same' ? 's' : ''}`
    case 'conv1d':
      return `${layer.filters}c${layer.size}`
    case 'maxPool':
    case 'maxPool1d':
      return `p${layer.size}`
    case 'globalMaxPool1d':
      return 'gp'
    case 'embedding':
      return `${layer.vocabulary}e${layer.size}`
    case 'lstm':
      return `${layer.bidirectional ? 'bi' : ''}lstm${layer.units}`
    case 'simpleRnn':
      return `rnn${layer.units}`
    default:
      return undefined
  }
}

/** `784–784–10`, `28×28×1–32c5–p2–128–10`, `500–10000e32–lstm32–1`: the input, then every layer that has a size. */
export const sizesOf = ({ inputShape, layers }: TrainWorkload): string =>
  [inputShape.join('×'), ...layers.flatMap((layer) => sizeInWords(layer) ?? [])].join('–')
