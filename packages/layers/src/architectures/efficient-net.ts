/** EfficientNetB0: MobileNetV2's blocks with squeeze and excitation, scaled. Tan and Le, 2019. Source: Keras 3.16, applications/efficientnet.py. */
import type { SymbolicTensor } from '../graph/symbolic-tensor.js'
import { activation } from '../layers/activation/activation.js'
import { conv2d } from '../layers/convolution/convolution.js'
import { depthwiseConv2d } from '../layers/convolution/separable-convolution.js'
import { dense } from '../layers/core/dense.js'
import { add, multiply } from '../layers/merge/merge.js'
import { globalAveragePooling2d } from '../layers/pooling/global-pooling.js'
import { normalization } from '../layers/preprocessing/normalization.js'
import { rescaling } from '../layers/preprocessing/rescaling.js'
import { dropout } from '../layers/regularization/dropout.js'
import { zeroPadding2d } from '../layers/reshaping/padding.js'
import { reshape } from '../layers/reshaping/reshape.js'
import type { GraphModel } from '../models/graph-model.js'
import { varianceScaling } from '../weights/initializers.js'
import { type ArchitectureOptions, chain, image, last, modelOf, normalized, paddingFor, pooled, readArchitecture } from './common.js'

/** Options of EfficientNet. */
export interface EfficientNetOptions extends ArchitectureOptions {
  /** Whether a layer divides by √deviation of ImageNet's colours, which Keras adds for its weights of ImageNet; false by default. */
  scalesDeviation?: boolean
  /** The rate of dropout before the classifier; 0.2 by default. */
  dropoutRate?: number
  /** The share of blocks that training leaves out, growing with depth up to this; 0.2 by default. */
  dropConnectRate?: number
}

/** A stage: window, blocks, filters, expansion, stride of its first block. */
const stages: readonly (readonly [window: number, blocks: number, filters: number, expansion: number, stride: 1 | 2])[] = [
  [3, 1, 16, 1, 1],
  [3, 2, 24, 6, 2],
  [5, 2, 40, 6, 2],
  [3, 3, 80, 6, 2],
  [5, 3, 112, 6, 1],
  [5, 4, 192, 6, 2],
  [3, 1, 320, 6, 1],
]
const blockCount = stages.reduce((n, [, blocks]) => n + blocks, 0)

/** The standard deviations of ImageNet's colours. */
const deviations = [0.229, 0.224, 0.225]

const kernel = () => varianceScaling({ scale: 2, mode: 'fanOut', distribution: 'truncatedNormal' })
const norm = (name: string) => normalized(name, { axis: 3 })
const silu = (name: string) => activation('silu', { name })
/** A 1 × 1 convolution without bias. */
const conv = (filters: number, name: string) =>
  conv2d(filters, 1, { padding: 'same', useBias: false, kernelInitializer: kernel(), name, ...last })

interface BlockSize {
  readonly name: string
  readonly window: number
  readonly filters: number
  readonly expansion: number
  readonly stride: 1 | 2
  readonly dropRate: number
}

function block(x: SymbolicTensor, { name, window, filters, expansion, stride, dropRate }: BlockSize): SymbolicTensor {
  const width = x.shape[3] as number
  const wide = width * expansion
  const expanded =
    expansion === 1 ? x : chain(x, conv(wide, `${name}expand_conv`), norm(`${name}expand_bn`), silu(`${name}expand_activation`))
  const padded =
    stride === 2 ? zeroPadding2d({ padding: paddingFor(expanded, window), name: `${name}dwconv_pad`, ...last }).apply(expanded) : expanded
  const depthwise = { strides: stride, padding: stride === 2 ? 'valid' : 'same', useBias: false, depthwiseInitializer: kernel() } as const
  const deep = chain(
    padded,
    depthwiseConv2d(window, { ...depthwise, name: `${name}dwconv`, ...last }),
    norm(`${name}bn`),
    silu(`${name}activation`),
  )
  const squeezed = { padding: 'same', kernelInitializer: kernel(), ...last } as const
  const gate = chain(
    deep,
    globalAveragePooling2d({ name: `${name}se_squeeze`, ...last }),
    reshape([1, 1, wide], { name: `${name}se_reshape` }),
    conv2d(Math.max(1, Math.trunc(width * 0.25)), 1, { ...squeezed, activation: 'silu', name: `${name}se_reduce` }),
    conv2d(wide, 1, { ...squeezed, activation: 'sigmoid', name: `${name}se_expand` }),
  )
  const gated = multiply({ name: `${name}se_excite` }).apply([deep, gate])
  const y = chain(gated, conv(filters, `${name}project_conv`), norm(`${name}project_bn`))
  if (stride !== 1 || width !== filters) return y
  const kept = dropRate > 0 ? dropout(dropRate, { noiseShape: [null, 1, 1, 1], name: `${name}drop` }).apply(y) : y
  return add({ name: `${name}add` }).apply([kept, x])
}

/**
 * Makes an EfficientNetB0 with new weights. Layers, names and weights are those of Keras' EfficientNetB0, so that a file of its weights fits, by order and by
 * name. Pixels go from 0 to 255.
 *
 * Shape: [n, height, width, channels] → [n, classes], without the classifier [n, height/32, width/32, 1280]
 *
 * @throws ValueError for a wrong option
 * @example
 * ```ts
 * const net = efficientNetB0({ inputShape: [64, 64, 3], classes: 5, seed: 7 })
 * console.log(net.countParams(), net.output.shape)   // 4055976 [null, 5]
 * ```
 */
export function efficientNetB0(options?: EfficientNetOptions): GraphModel {
  const own = { scalesDeviation: false, dropoutRate: 0.2, dropConnectRate: 0.2 }
  const { inputShape, scalesDeviation, dropoutRate, dropConnectRate, ...read } = readArchitecture('efficientNetB0', options, own)
  const x = image(inputShape)
  const pixels = chain(
    x,
    rescaling(1 / 255, { name: 'rescaling' }),
    normalization({ axis: 3, name: 'normalization' }),
    ...(scalesDeviation
      ? [
          rescaling(
            deviations.map((deviation) => 1 / Math.sqrt(deviation)),
            { name: 'rescaling_1' },
          ),
        ]
      : []),
  )
  let y = chain(
    pixels,
    zeroPadding2d({ padding: paddingFor(pixels, 3), name: 'stem_conv_pad', ...last }),
    conv2d(32, 3, { strides: 2, padding: 'valid', useBias: false, kernelInitializer: kernel(), name: 'stem_conv', ...last }),
    norm('stem_bn'),
    silu('stem_activation'),
  )
  let index = 0
  for (const [i, [window, blocks, filters, expansion, stride]] of stages.entries()) {
    for (let j = 0; j < blocks; j++, index++) {
      const name = `block${i + 1}${String.fromCharCode(97 + j)}_`
      y = block(y, { name, window, filters, expansion, stride: j === 0 ? stride : 1, dropRate: (dropConnectRate * index) / blockCount })
    }
  }
  const features = chain(y, conv(1280, 'top_conv'), norm('top_bn'), silu('top_activation'))
  const top = { kernelInitializer: varianceScaling({ scale: 1 / 3, mode: 'fanOut', distribution: 'uniform' }), name: 'predictions' }
  const outputs = read.includeTop
    ? chain(
        features,
        globalAveragePooling2d({ name: 'avg_pool', ...last }),
        ...(dropoutRate > 0 ? [dropout(dropoutRate, { name: 'top_dropout' })] : []),
        dense(read.classes, { activation: read.classifierActivation, ...top }),
      )
    : pooled(features, read.pooling, { avg: 'avg_pool', max: 'max_pool' })
  return modelOf(x, outputs, 'efficientnetb0', read.modelOptions)
}
