/** ResNet50: residual blocks. He et al., 2015. Source: Keras 3.16, applications/resnet.py. */
import type { SymbolicTensor } from '../graph/symbolic-tensor.js'
import { activation } from '../layers/activation/activation.js'
import { conv2d } from '../layers/convolution/convolution.js'
import { dense } from '../layers/core/dense.js'
import { add } from '../layers/merge/merge.js'
import { globalAveragePooling2d } from '../layers/pooling/global-pooling.js'
import { maxPooling2d } from '../layers/pooling/pooling.js'
import { zeroPadding2d } from '../layers/reshaping/padding.js'
import type { GraphModel } from '../models/graph-model.js'
import { type ArchitectureOptions, chain, image, last, modelOf, normalized, pooled, readArchitecture } from './common.js'

/** Filters, blocks and first stride of each stage. */
const stages: readonly (readonly [filters: number, blocks: number, stride: 1 | 2])[] = [
  [64, 3, 1],
  [128, 4, 2],
  [256, 6, 2],
  [512, 3, 2],
]

const norm = (name: string) => normalized(name, { axis: 3, epsilon: 1.001e-5 })
const relu = (name: string) => activation('relu', { name })
const conv = (filters: number, size: number, name: string, options: { strides?: number; padding?: 'same' } = {}) =>
  conv2d(filters, size, { name, ...last, ...options })

function block(x: SymbolicTensor, filters: number, strides: number, isFirst: boolean, name: string): SymbolicTensor {
  const shortcut = isFirst ? chain(x, conv(4 * filters, 1, `${name}_0_conv`, { strides }), norm(`${name}_0_bn`)) : x
  const y = chain(
    x,
    conv(filters, 1, `${name}_1_conv`, { strides }),
    norm(`${name}_1_bn`),
    relu(`${name}_1_relu`),
    conv(filters, 3, `${name}_2_conv`, { padding: 'same' }),
    norm(`${name}_2_bn`),
    relu(`${name}_2_relu`),
    conv(4 * filters, 1, `${name}_3_conv`),
    norm(`${name}_3_bn`),
  )
  return relu(`${name}_out`).apply(add({ name: `${name}_add` }).apply([shortcut, y]))
}

/**
 * Makes a ResNet50 with new weights. Layers, names and weights are those of Keras' ResNet50, so that a file of its weights fits, by order and by name. Keras'
 * weights of ImageNet take pixels in the order blue, green, red, less 103.939, 116.779 and 123.68.
 *
 * Shape: [n, height, width, channels] → [n, classes], without the classifier [n, height/32, width/32, 2048]
 *
 * @throws ValueError for a wrong option
 * @example
 * ```ts
 * const features = resNet50({ inputShape: [32, 32, 3], includeTop: false, pooling: 'avg', seed: 7 })
 * console.log(features.countParams(), features.output.shape)   // 23587712 [null, 2048]
 * ```
 */
export function resNet50(options?: ArchitectureOptions): GraphModel {
  const { inputShape, includeTop, classes, pooling, classifierActivation, modelOptions } = readArchitecture('resNet50', options, {})
  const x = image(inputShape)
  const border = (n: number, name: string) => zeroPadding2d({ padding: [n, n], name, ...last })
  const first = chain(x, border(3, 'conv1_pad'), conv(64, 7, 'conv1_conv', { strides: 2 }), norm('conv1_bn'), relu('conv1_relu'))
  let y = chain(first, border(1, 'pool1_pad'), maxPooling2d({ poolSize: 3, strides: 2, name: 'pool1_pool', ...last }))
  for (const [i, [filters, blocks, stride]] of stages.entries()) {
    for (let j = 0; j < blocks; j++) y = block(y, filters, j === 0 ? stride : 1, j === 0, `conv${i + 2}_block${j + 1}`)
  }
  const outputs = includeTop
    ? chain(
        y,
        globalAveragePooling2d({ name: 'avg_pool', ...last }),
        dense(classes, { activation: classifierActivation, name: 'predictions' }),
      )
    : pooled(y, pooling, { avg: 'avg_pool', max: 'max_pool' })
  return modelOf(x, outputs, 'resnet50', modelOptions)
}
