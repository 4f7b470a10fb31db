/** The filters of a convolution as images. */
import { ValueError } from '@cotangent/core'
import { requireText } from '@cotangent/core/arguments'
import type { Layer } from '../../layer.js'
import { Conv1D, Conv2D } from '../../layers/convolution/convolution.js'
import type { Model } from '../../models/model.js'
import { readOptions } from '../../spelling/names.js'
import { digits } from '../numbers.js'
import type { ImagesSection } from '../record.js'
import { base64 } from './base64.js'
import { requireCount } from './images.js'
import { requireModel } from './readings.js'

/** Options of `filtersSection`. */
export interface FilterOptions {
  /** The name of the layer; the first convolution by default. */
  layer?: string
  title?: string
  /** How many images are shown at most; 64 by default. */
  most?: number
}

/** All layers of a model, those inside others, too. */
const allLayers = (layers: readonly Layer[]): Layer[] => layers.flatMap((layer) => [layer, ...allLayers(layer.inner)])

function convolutionOf(what: string, model: Model, name: string | undefined): Conv1D | Conv2D {
  const layers = allLayers(model.layers)
  const found = layers.find((layer) => (name === undefined ? isConvolution(layer) : layer.name === name))
  if (found && isConvolution(found)) return found
  const there = layers.filter(isConvolution).map((layer) => layer.name)
  const which = name === undefined ? 'has no convolution' : found ? `: "${name}" is no conv1d or conv2d` : `has no layer "${name}"`
  throw new ValueError(
    `${what}: ${model.name} ${which}. ${there.length > 0 ? `Its convolutions: ${there.join(', ')}.` : 'conv1d and conv2d have filters.'}`,
  )
}

const isConvolution = (layer: Layer): layer is Conv1D | Conv2D => layer instanceof Conv2D || layer instanceof Conv1D

/**
 * The filters of a convolution as images: of the first one, unless another is named. Mid grey is 0, white the largest weight of the layer, black its negative.
 *
 * A filter of one channel is a grey image; one of three channels is a coloured image. With other numbers of channels each channel is an image of its own. A filter
 * of `conv1d` is one image, with a row for each step and a column for each channel.
 *
 * @throws ValueError if there is no such convolution, or a weight is not finite
 * @example
 * ```ts
 * import { conv2d, Sequential } from '@cotangent/layers'
 *
 * const model = new Sequential([conv2d(32, [5, 5], { inputShape: [28, 28, 1] })], { seed: 7 })
 * const { images } = await filtersSection(model)
 * console.log(images.count, images.height, images.width)   // 32 5 5
 * ```
 */
export async function filtersSection(model: Model, options?: FilterOptions): Promise<ImagesSection> {
  const what = 'filtersSection'
  requireModel(what, model)
  const { layer, title, most } = readOptions(
    what,
    options,
    { layer: undefined as string | undefined, title: undefined as string | undefined, most: 64 },
    { layer: requireText, title: requireText, most: requireCount },
  )
  const convolution = convolutionOf(what, model, layer)
  const [kernel] = convolution.weights
  const weights = await kernel.data()
  const [height, width, seen, filters] =
    convolution instanceof Conv2D ? kernel.shape : [kernel.shape[0], kernel.shape[1], 1, kernel.shape[2]]
  let largest = 0
  for (const weight of weights) largest = Math.max(largest, Math.abs(weight))
  if (!weights.every(Number.isFinite))
    throw new ValueError(`${what}: ${convolution.name} has weights that are not finite. The training has diverged.`)

  const channels = seen === 3 ? 3 : 1
  const apart = seen / channels // images of one filter
  const count = Math.min(most, filters * apart)
  const bytes = new Uint8Array(count * height * width * channels)
  for (let i = 0; i < count; i++) {
    const [filter, part] = [Math.floor(i / apart), i % apart]
    for (let pixel = 0; pixel < height * width; pixel++) {
      for (let channel = 0; channel < channels; channel++) {
        const weight = weights[(pixel * seen + part + channel) * filters + filter]
        bytes[(i * height * width + pixel) * channels + channel] = Math.round(127.5 + (largest === 0 ? 0 : (127.5 * weight) / largest))
      }
    }
  }
  const all = filters * apart
  const shown = `${count === all ? `All ${filters} filters` : apart > 1 ? `${count} of ${all} channels of filters` : `${count} of ${filters} filters`}`
  return {
    kind: 'images',
    title: title ?? `Filters of ${convolution.name}`,
    says: `${shown}. Mid grey is 0, white +${digits(largest)}, black −${digits(largest)}: a filter answers strongly where the image is light under its white part and dark under its black part.`,
    images: { count, height, width, channels, bytes: base64(bytes) },
    ...(apart > 1 && { captions: Array.from({ length: count }, (_, i) => `${Math.floor(i / apart)}, channel ${i % apart}`) }),
  }
}
