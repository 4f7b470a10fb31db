/**
 * Converts weights of older Keras, other backends and CuDNN to the arrangement of Keras 2.3 on TensorFlow. Source: preprocess_weights_for_loading in
 * keras/engine/saving.py 2.2.4.
 */
import { sizeOf } from '@cotangent/core'
import type { Layer } from '../layer.js'
import { Conv1D, GRU, LSTM } from '../layers/index.js'
import { SpatialLayer } from '../layers/spatial-layer.js'
import { Model } from '../models/model.js'
import type { H5Data } from './h5-tree.js'
import { byNames, weightsInFile } from './inner-weights.js'
import type { Origin } from './origin.js'
import type { SavedArray, SavedLayer } from './saved-weights.js'

const convolution = /^(Conv1D|Conv2D|Conv3D|Conv2DTranspose|SeparableConv2D|DepthwiseConv2D)$/

/** An array whose element at each position is taken from another position of `array`. */
function rearranged(array: SavedArray, shape: readonly number[], source: (index: readonly number[]) => readonly number[]): SavedArray {
  const strides = array.shape.map((_, axis) => sizeOf(array.shape.slice(axis + 1)))
  const data = array.data.slice() as H5Data
  const index = shape.map(() => 0)
  for (let i = 0; i < data.length; i++) {
    const from = source(index).reduce((sum, n, axis) => sum + n * strides[axis], 0)
    data[i] = array.data[from]
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis] === shape[axis]; axis--) index[axis] = 0
  }
  return { ...array, shape, data }
}

/** Arrays put together along the last axis. */
function beside(arrays: readonly SavedArray[]): SavedArray {
  const widths = arrays.map(({ shape }) => shape[shape.length - 1] ?? 1)
  const [first] = arrays
  const rows = first.data.length / widths[0]
  const width = widths.reduce((a, b) => a + b, 0)
  const data = new Float32Array(rows * width)
  let column = 0
  for (const [i, array] of arrays.entries()) {
    for (let row = 0; row < rows; row++) {
      for (let j = 0; j < widths[i]; j++) data[row * width + column + j] = Number(array.data[row * widths[i] + j])
    }
    column += widths[i]
  }
  return { name: first.name, shape: [...first.shape.slice(0, -1), width], data }
}

/** The arrays of a layer, and of layers inside it, as Keras 2.3 on TensorFlow has them. */
export function modernized(layer: Layer, saved: SavedLayer, origin: Origin): SavedLayer {
  return { ...saved, weights: modernizedArrays(layer, saved.weights, origin) }
}

function modernizedArrays(layer: Layer, saved: readonly SavedArray[], origin: Origin): readonly SavedArray[] {
  if (layer instanceof Model) return ofModel(layer, saved, origin)
  if (layer.className === 'TimeDistributed') return modernizedArrays(layer.inner[0], saved, origin)
  if (layer.className === 'Bidirectional') {
    const half = saved.length / 2
    return layer.inner.flatMap((inner, i) => modernizedArrays(inner, saved.slice(i * half, (i + 1) * half), origin))
  }
  let weights = saved
  if (origin.family === 'keras1') weights = ofKeras1(layer, weights)
  const ofTheano = (origin.family === 'keras1' || origin.family === 'keras2') && origin.backend === 'theano'
  if (ofTheano && convolution.test(layer.className)) weights = weights.map(turned)
  return ofCuDNN(layer, weights)
}

/** Theano convolves where TensorFlow correlates, so the kernel's window is reversed. */
const turned = (array: SavedArray): SavedArray =>
  array.shape.length < 3
    ? array
    : rearranged(array, array.shape, (index) => index.map((n, axis) => (axis < array.shape.length - 2 ? array.shape[axis] - 1 - n : n)))

/**
 * The arrays of a model inside a model. In the order of `weightsInFile`, trainable weights come first, so the weights of one layer may be apart. Each run of
 * weights of one layer is converted by itself.
 */
function ofModel(model: Model, saved: readonly SavedArray[], origin: Origin): readonly SavedArray[] {
  const named = byNames(model, saved)
  const layers = layersInside(model)
  const runs: { layer: Layer; count: number }[] = []
  for (const { weight } of weightsInFile(model)) {
    const layer = layers.find(({ weights }) => weights.includes(weight)) as Layer
    const run = runs.at(-1)
    if (run?.layer === layer) run.count++
    else runs.push({ layer, count: 1 })
  }
  const arraysOf = ({ layer, count }: { layer: Layer; count: number }): number =>
    origin.family === 'keras1' && !named ? count * matricesApart(layer) : count
  const apart = runs.reduce((n, run) => n + arraysOf(run), 0) === saved.length
  let at = 0
  return runs.flatMap((run) => {
    const count = apart ? arraysOf(run) : run.count
    at += count
    return modernizedArrays(run.layer, (named ?? saved).slice(at - count, at), origin)
  })
}

/** The layers that are no models, those of models inside included. */
const layersInside = (model: Model): Layer[] => model.layers.flatMap((layer) => (layer instanceof Model ? layersInside(layer) : [layer]))

/** The gates of recurrent layers in the order of Keras 1: i, c, f, o for an LSTM. */
const gatesOfKeras1: ReadonlyMap<string, readonly number[]> = new Map([
  ['LSTM', [0, 2, 1, 3]],
  ['GRU', [0, 1, 2]],
])

/** The number of Keras 1's arrays that make one of ours. */
function matricesApart(layer: Layer): number {
  const inside = layer.className === 'Bidirectional' || layer.className === 'TimeDistributed' ? layer.inner[0] : layer
  return gatesOfKeras1.get(inside.className)?.length ?? 1
}

/** Keras 1 had one matrix for each gate. With `dim_ordering` `th`, convolutions had Theano's order of axes. */
function ofKeras1(layer: Layer, weights: readonly SavedArray[]): readonly SavedArray[] {
  const gates = gatesOfKeras1.get(layer.className)
  if (gates && weights.length === 3 * gates.length) return [0, 1, 2].map((part) => beside(gates.map((gate) => weights[3 * gate + part])))
  const [kernel, ...rest] = weights
  if (kernel?.shape.length !== 4) return weights
  const [a, b, c, d] = kernel.shape
  if (layer instanceof Conv1D) {
    const theano = a === layer.filters && c === layer.kernelSize[0] && d === 1 && !(a === c && b === 1)
    if (theano) return [rearranged(kernel, [c, b, a], ([k, from, to]) => [to, from, k, 0]), ...rest]
    return [{ ...kernel, shape: [a, c, d] }, ...rest] // [k, 1, in, out]
  }
  const first = layer instanceof SpatialLayer && layer.dataFormat === 'channelsFirst'
  if (layer.className === 'Conv2D' && first) return [rearranged(kernel, [c, d, b, a], ([y, x, from, to]) => [to, from, y, x]), ...rest]
  if (layer.className === 'Conv2DTranspose') {
    const swapped = first
      ? rearranged(kernel, [c, d, a, b], ([y, x, to, from]) => [to, from, y, x])
      : rearranged(kernel, [a, b, d, c], ([y, x, to, from]) => [y, x, from, to])
    return [swapped, ...rest]
  }
  return weights
}

/**
 * The CuDNN layers of Keras 2 kept each gate's matrices transposed, and the kernel's elements in another order. They had two biases, for input and state, which an
 * LSTM only adds.
 */
function ofCuDNN(layer: Layer, weights: readonly SavedArray[]): readonly SavedArray[] {
  if (weights.length !== 3 || !(layer instanceof LSTM || layer instanceof GRU)) return weights
  const [kernel, recurrent, biases] = weights
  const { units } = layer
  const gates = layer instanceof LSTM ? 4 : 3
  if (biases.shape.length !== 1 || biases.shape[0] !== 2 * gates * units) return weights
  const [inputs] = kernel.shape
  const gate = (column: number): number => column - (column % units)
  const shapes = [kernel, recurrent].map(({ shape }) => shape)
  return [
    rearranged(kernel, shapes[0], ([i, column]) => {
      const n = i + (column % units) * inputs
      return [Math.floor(n / units), gate(column) + (n % units)]
    }),
    rearranged(recurrent, shapes[1], ([i, column]) => [column % units, gate(column) + i]),
    layer instanceof GRU
      ? { ...biases, shape: [2, gates * units] }
      : {
          ...biases,
          shape: [gates * units],
          data: Float32Array.from({ length: gates * units }, (_, i) => Number(biases.data[i]) + Number(biases.data[i + gates * units])),
        },
  ]
}
