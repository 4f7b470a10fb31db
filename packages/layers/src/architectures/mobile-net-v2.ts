/** MobileNetV2: inverted residual blocks with depthwise convolutions. Sandler et al., 2018. Source: Keras 3.16, applications/mobilenet_v2.py. */
import type { SymbolicTensor } from '../graph/symbolic-tensor.js'
import { reLU } from '../layers/activation/advanced-activations.js'
import { conv2d } from '../layers/convolution/convolution.js'
import { depthwiseConv2d } from '../layers/convolution/separable-convolution.js'
import { dense } from '../layers/core/dense.js'
import { add } from '../layers/merge/merge.js'
import { globalAveragePooling2d } from '../layers/pooling/global-pooling.js'
import { zeroPadding2d } from '../layers/reshaping/padding.js'
import type { GraphModel } from '../models/graph-model.js'
import { chain, image, inEights, last, modelOf, normalized, paddingFor, pooled, readArchitecture, type WidthOptions } from './common.js'

/** Filters, stride and expansion of each block. */
const blocks: readonly (readonly [filters: number, stride: 1 | 2, expansion: number])[] = [
  [16, 1, 1],
  [24, 2, 6],
  [24, 1, 6],
  [32, 2, 6],
  [32, 1, 6],
  [32, 1, 6],
  [64, 2, 6],
  [64, 1, 6],
  [64, 1, 6],
  [64, 1, 6],
  [96, 1, 6],
  [96, 1, 6],
  [96, 1, 6],
  [160, 2, 6],
  [160, 1, 6],
  [160, 1, 6],
  [320, 1, 6],
]

const norm = (name: string) => normalized(name, { momentum: 0.999 })
const relu6 = (name: string) => reLU({ maxValue: 6, name })
/** A convolution without bias. */
const conv = (filters: number, size: number, name: string, options: { strides?: number; padding?: 'same' | 'valid' } = {}) =>
  conv2d(filters, size, { useBias: false, name, ...last, ...options })

function block(x: SymbolicTensor, index: number, alpha: number): SymbolicTensor {
  const [filters, stride, expansion] = blocks[index]
  const width = x.shape[3] as number
  const out = inEights(Math.trunc(filters * alpha))
  const name = index === 0 ? 'expanded_conv_' : `block_${index}_`
  const wide =
    index === 0
      ? x
      : chain(x, conv(expansion * width, 1, `${name}expand`, { padding: 'same' }), norm(`${name}expand_BN`), relu6(`${name}expand_relu`))
  const padded = stride === 2 ? zeroPadding2d({ padding: paddingFor(wide, 3), name: `${name}pad`, ...last }).apply(wide) : wide
  const y = chain(
    padded,
    depthwiseConv2d(3, { strides: stride, useBias: false, padding: stride === 1 ? 'same' : 'valid', name: `${name}depthwise`, ...last }),
    norm(`${name}depthwise_BN`),
    relu6(`${name}depthwise_relu`),
    conv(out, 1, `${name}project`, { padding: 'same' }),
    norm(`${name}project_BN`),
  )
  return width === out && stride === 1 ? add({ name: `${name}add` }).apply([x, y]) : y
}

/**
 * Makes a MobileNetV2 with new weights. Layers, names and weights are those of Keras' MobileNetV2, so that a file of its weights fits, by order and by name.
 * Pixels go from −1 to 1.
 *
 * Shape: [n, height, width, channels] → [n, classes], without the classifier [n, height/32, width/32, 1280]
 *
 * @throws ValueError for a wrong option
 * @example
 * ```ts
 * const net = mobileNetV2({ inputShape: [64, 64, 3], alpha: 0.35, classes: 5, seed: 7 })
 * console.log(net.countParams(), net.output.shape)   // 416613 [null, 5]
 * ```
 */
export function mobileNetV2(options?: WidthOptions): GraphModel {
  const { inputShape, alpha, includeTop, classes, pooling, classifierActivation, modelOptions } = readArchitecture('mobileNetV2', options, {
    alpha: 1,
  })
  const x = image(inputShape)
  const first = chain(x, conv(inEights(32 * alpha), 3, 'Conv1', { strides: 2, padding: 'same' }), norm('bn_Conv1'), relu6('Conv1_relu'))
  const body = blocks.reduce((y, _, index) => block(y, index, alpha), first)
  const features = chain(body, conv(alpha > 1 ? inEights(1280 * alpha) : 1280, 1, 'Conv_1'), norm('Conv_1_bn'), relu6('out_relu'))
  const y = includeTop
    ? chain(
        features,
        globalAveragePooling2d({ name: 'global_average_pooling2d', ...last }),
        dense(classes, { activation: classifierActivation, name: 'predictions' }),
      )
    : pooled(features, pooling, { avg: 'global_average_pooling2d', max: 'global_max_pooling2d' })
  return modelOf(x, y, `mobilenetv2_${alpha.toFixed(2)}_${inputShape[0] ?? 'None'}`, modelOptions)
}
