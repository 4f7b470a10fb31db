/**
 * MobileNetV3: MobileNetV2's blocks with squeeze and excitation and hardSilu, found by search. Howard et al., 2019. Source: Keras 3.16,
 * applications/mobilenet_v3.py.
 */
import { operation } from '../graph/operations/operation.js'
import type { SymbolicTensor } from '../graph/symbolic-tensor.js'
import type { Layer } from '../layer.js'
import { activation } from '../layers/activation/activation.js'
import { reLU } from '../layers/activation/advanced-activations.js'
import { conv2d } from '../layers/convolution/convolution.js'
import { depthwiseConv2d } from '../layers/convolution/separable-convolution.js'
import { add, multiply } from '../layers/merge/merge.js'
import { globalAveragePooling2d } from '../layers/pooling/global-pooling.js'
import { rescaling } from '../layers/preprocessing/rescaling.js'
import { dropout } from '../layers/regularization/dropout.js'
import { flatten } from '../layers/reshaping/flatten.js'
import { zeroPadding2d } from '../layers/reshaping/padding.js'
import type { GraphModel } from '../models/graph-model.js'
import {
  chain,
  image,
  inEights,
  keras3Names,
  last,
  modelOf,
  normalized,
  paddingFor,
  pooled,
  readArchitecture,
  type WidthOptions,
} from './common.js'

/** Options of MobileNetV3. */
export interface MobileNetV3Options extends WidthOptions {
  /** Whether windows are 3 × 3, without squeeze and excitation and hardSilu; false by default. */
  minimalistic?: boolean
  /** The rate of dropout before the classifier; 0.2 by default. */
  dropoutRate?: number
  /** Whether pixels from 0 to 255 are scaled to −1 to 1 in the model; true by default. */
  includePreprocessing?: boolean
}

/** A block: expansion, filters, window (0: 5 × 5, or 3 × 3 if minimalistic), stride, squeeze and excitation, hardSilu. */
type Block = readonly [expansion: number, filters: number, window: 0 | 3, stride: 1 | 2, squeezes: boolean, hard: boolean]

interface Size {
  readonly name: string
  readonly blocks: readonly Block[]
  /** Filters before the classifier. */
  readonly last: number
}

const small: Size = {
  name: 'MobileNetV3Small',
  last: 1024,
  blocks: [
    [1, 16, 3, 2, true, false],
    [72 / 16, 24, 3, 2, false, false],
    [88 / 24, 24, 3, 1, false, false],
    [4, 40, 0, 2, true, true],
    [6, 40, 0, 1, true, true],
    [6, 40, 0, 1, true, true],
    [3, 48, 0, 1, true, true],
    [3, 48, 0, 1, true, true],
    [6, 96, 0, 2, true, true],
    [6, 96, 0, 1, true, true],
    [6, 96, 0, 1, true, true],
  ],
}
const large: Size = {
  name: 'MobileNetV3Large',
  last: 1280,
  blocks: [
    [1, 16, 3, 1, false, false],
    [4, 24, 3, 2, false, false],
    [3, 24, 3, 1, false, false],
    [3, 40, 0, 2, true, false],
    [3, 40, 0, 1, true, false],
    [3, 40, 0, 1, true, false],
    [6, 80, 3, 2, false, true],
    [2.5, 80, 3, 1, false, true],
    [2.3, 80, 3, 1, false, true],
    [2.3, 80, 3, 1, false, true],
    [6, 112, 3, 1, true, true],
    [6, 112, 3, 1, true, true],
    [6, 160, 0, 2, true, true],
    [6, 160, 0, 1, true, true],
    [6, 160, 0, 1, true, true],
  ],
}

const norm = (name: string) => normalized(name, { momentum: 0.999 })
const conv = (filters: number, name: string, useBias = false) => conv2d(filters, 1, { padding: 'same', useBias, name, ...last })

function mobileNetV3(what: string, size: Size, options: MobileNetV3Options | undefined): GraphModel {
  const own = { alpha: 1, minimalistic: false, dropoutRate: 0.2, includePreprocessing: true }
  const { inputShape, alpha, minimalistic, dropoutRate, includePreprocessing, ...read } = readArchitecture(what, options, own, true)
  const name = keras3Names()
  const relu = (): Layer => reLU({ name: name('re_lu') })
  const hard = (): Layer => (minimalistic ? relu() : activation('hardSilu', { name: name('activation') }))

  /** min(max(x + 3, 0), 6)/6 for each channel, times the image. */
  const squeezed = (x: SymbolicTensor, filters: number, at: string): SymbolicTensor => {
    const gate = chain(
      x,
      globalAveragePooling2d({ keepdims: true, name: `${at}avg_pool`, ...last }),
      conv(inEights(filters * 0.25), `${at}conv`, true),
      reLU({ name: `${at}relu` }),
      conv(filters, `${at}conv_1`, true),
      operation('add', { constants: { 1: 3 }, name: name('add') }),
      reLU({ maxValue: 6, name: name('re_lu') }),
      operation('mul', { constants: { 1: 1 / 6 }, name: name('multiply') }),
    )
    return multiply({ name: `${at}mul` }).apply([x, gate])
  }

  const block = (x: SymbolicTensor, [expansion, filters, given, stride, squeezes, isHard]: Block, index: number): SymbolicTensor => {
    const at = index === 0 ? 'expanded_conv_' : `expanded_conv_${index}_`
    const width = x.shape[3] as number
    const wide = inEights(width * expansion)
    const out = inEights(filters * alpha)
    const window = given || (minimalistic ? 3 : 5)
    const act = isHard ? hard : relu
    const expanded = index === 0 ? x : chain(x, conv(wide, `${at}expand`), norm(`${at}expand_bn`), act())
    const padded =
      stride === 2
        ? zeroPadding2d({ padding: paddingFor(expanded, window), name: `${at}depthwise_pad`, ...last }).apply(expanded)
        : expanded
    const padding = stride === 1 ? 'same' : 'valid'
    const deep = chain(
      padded,
      depthwiseConv2d(window, { strides: stride, padding, useBias: false, name: `${at}depthwise`, ...last }),
      norm(`${at}depthwise_bn`),
      act(),
    )
    const gated = squeezes && !minimalistic ? squeezed(deep, wide, `${at}squeeze_excite_`) : deep
    const y = chain(gated, conv(out, `${at}project`), norm(`${at}project_bn`))
    return stride === 1 && width === out ? add({ name: `${at}add` }).apply([x, y]) : y
  }

  const x = image(inputShape)
  const scaled = includePreprocessing ? rescaling(1 / 127.5, { offset: -1, name: 'rescaling' }).apply(x) : x
  const stem = conv2d(16, 3, { strides: 2, padding: 'same', useBias: false, name: 'conv', ...last })
  const body = size.blocks.reduce(block, chain(scaled, stem, norm('conv_bn'), hard()))
  const features = chain(body, conv(inEights((body.shape[3] as number) * 6), 'conv_1'), norm('conv_1_bn'), hard())
  const y = read.includeTop
    ? chain(
        features,
        globalAveragePooling2d({ keepdims: true, name: name('global_average_pooling2d'), ...last }),
        conv(alpha > 1 ? inEights(size.last * alpha) : size.last, 'conv_2', true),
        hard(),
        ...(dropoutRate > 0 ? [dropout(dropoutRate, { name: 'dropout' })] : []),
        conv(read.classes, 'logits', true),
        flatten({ name: 'flatten', ...last }),
        activation(read.classifierActivation, { name: 'predictions' }),
      )
    : pooled(features, read.pooling, { avg: 'avg_pool', max: 'max_pool' })
  return modelOf(x, y, size.name, read.modelOptions)
}

/**
 * Makes the small MobileNetV3 with new weights. Layers, names and weights are those of Keras' MobileNetV3Small, so that a file of its weights fits. Pixels go from
 * 0 to 255; images may have any size.
 *
 * Shape: [n, height, width, channels] → [n, classes]
 *
 * @throws ValueError for a wrong option
 * @example
 * ```ts
 * const net = mobileNetV3Small({ alpha: 0.75, classes: 5, seed: 7 })
 * console.log(net.countParams(), net.output.shape)   // 1031677 [null, 5]
 * ```
 */
export const mobileNetV3Small = (options?: MobileNetV3Options): GraphModel => mobileNetV3('mobileNetV3Small', small, options)

/**
 * Makes the large MobileNetV3 with new weights. Layers, names and weights are those of Keras' MobileNetV3Large, so that a file of its weights fits. Pixels go from
 * 0 to 255; images may have any size.
 *
 * Shape: [n, height, width, channels] → [n, classes]
 *
 * @throws ValueError for a wrong option
 * @example
 * ```ts
 * const net = mobileNetV3Large({ alpha: 0.75, classes: 5, seed: 7 })
 * console.log(net.countParams(), net.output.shape)   // 2738021 [null, 5]
 * ```
 */
export const mobileNetV3Large = (options?: MobileNetV3Options): GraphModel => mobileNetV3('mobileNetV3Large', large, options)
