/** The way of one image through a network: what every layer makes of it. */
import { scope, type Tensor, ValueError } from '@cotangent/core'
import { requireText, requireWhole } from '@cotangent/core/arguments'
import type { Data } from '../../host-data.js'
import type { Layer } from '../../layer.js'
import type { DataFormat } from '../../layers/data-format.js'
import type { Model } from '../../models/model.js'
import { readOptions } from '../../spelling/names.js'
import { digits, shortened } from '../numbers.js'
import type { HeatSection, ImagesSection, Section } from '../record.js'
import { base64 } from './base64.js'
import { requireCount, requireTexts } from './images.js'
import { sampleOf, type Use, usesOf, valuesAt } from './inside.js'
import { onHost, requireModel } from './readings.js'

/** Options of `activationSections`. */
export interface ActivationOptions {
  /** The row of the data that is shown; 0 by default. */
  sample?: number
  /** Channels of a layer that are shown at most; 32 by default. Of large images there are fewer. */
  most?: number
  /** Names of the outputs of the last layer, such as classes. */
  labels?: readonly string[]
  /** The name of the sample, which begins each title: `Test image 0` by default. */
  name?: string
}

/** Layers that only move or pass on values when nothing is trained. */
const passes = /^(Flatten|Reshape|Permute|.*Dropout.*|Gaussian.*|Input.*|ActivityRegularization|Identity)$/
/** Bytes of the images of one layer. */
const BUDGET = 200_000
/** Units of a vector that are shown. */
const UNITS = 512

interface Seen {
  use: Use
  format: DataFormat
}

/** The uses of layers that show something: those that make images or vectors, and do not merely pass them on. */
function seenUses(uses: readonly Use[]): Seen[] {
  let format: DataFormat = 'channelsLast'
  return uses.flatMap((use) => {
    format = (use.layer as Layer & { dataFormat?: DataFormat }).dataFormat ?? format
    const [{ shape }] = use.outputs
    if (passes.test(use.layer.className) || (shape.length !== 4 && shape.length !== 2)) return []
    return [{ use, format }]
  })
}

/**
 * The way of one image through a convolutional network: for every layer an image of each of its channels, and for vectors a row of their values. Layers that only pass
 * values on, such as `flatten` and `dropout`, are left out.
 *
 * Shape: x [n, …] as the model takes it
 *
 * @throws ValueError for a model of several inputs, a sample that is not there, or values that are not finite; ShapeError if x does not fit the model
 * @example
 * ```ts
 * import { conv2d, dense, flatten, maxPooling2d, Sequential } from '@cotangent/layers'
 *
 * const layers = [conv2d(8, 3, { activation: 'relu', inputShape: [28, 28, 1] }), maxPooling2d(), flatten(), dense(10, { activation: 'softmax' })]
 * const model = new Sequential(layers, { seed: 7 })
 * const sections = await activationSections(model, { data: new Uint8Array(784), shape: [1, 28, 28, 1] })
 * console.log(sections.map(({ kind }) => kind))   // ['images', 'images', 'heat']
 * ```
 */
export async function activationSections(model: Model, x: Data, options?: ActivationOptions): Promise<Section[]> {
  const what = 'activationSections'
  requireModel(what, model)
  const {
    sample,
    most,
    labels,
    name = `Test image ${sample}`,
  } = readOptions(
    what,
    options,
    { sample: 0, most: 32, labels: undefined as readonly string[] | undefined, name: undefined as string | undefined },
    {
      sample: (of, option, value) => requireWhole(of, option, value, { least: 0 }),
      most: requireCount,
      labels: requireTexts,
      name: requireText,
    },
  )
  const seen = seenUses(usesOf(what, model))
  const values = scope(() =>
    valuesAt(
      model,
      sampleOf(what, model, x, sample),
      seen.map(({ use }) => use.outputs[0]),
    ).values.map((value) => value.keep()),
  )
  try {
    const sections: Section[] = []
    for (const [i, { use, format }] of seen.entries()) {
      const last = i === seen.length - 1
      sections.push(
        values[i].rank === 4
          ? await channelsOf(what, use, values[i], { format, most, name })
          : await rowOf(what, use, values[i], name, last ? labels : undefined),
      )
    }
    return sections
  } finally {
    for (const value of values) value.dispose()
  }
}

async function finiteValues(what: string, { layer }: Use, x: Tensor): Promise<ArrayLike<number>> {
  const { data } = await onHost(x)
  if (data.every(Number.isFinite)) return data
  throw new ValueError(`${what}: ${layer.name} gives values that are not finite. The training has diverged, or the sample has NaN.`)
}

/** The channels of [1, h, w, c] or [1, c, h, w] as images. */
async function channelsOf(
  what: string,
  use: Use,
  x: Tensor,
  { format, most, name }: { format: DataFormat; most: number; name: string },
): Promise<ImagesSection> {
  const values = await finiteValues(what, use, x)
  const first = format === 'channelsFirst'
  const [height, width, channels] = first ? [x.shape[2], x.shape[3], x.shape[1]] : x.shape.slice(1)
  const count = Math.min(channels, most, Math.max(1, Math.floor(BUDGET / (height * width))))
  let [low, high] = [0, 0]
  for (let i = 0; i < values.length; i++) [low, high] = [Math.min(low, values[i]), Math.max(high, values[i])]
  // Where nothing is below 0, as after relu, black is 0; otherwise mid grey is.
  const largest = Math.max(high, -low)
  const byte = (value: number): number =>
    Math.round(largest === 0 ? 0 : low < 0 ? 127.5 + (127.5 * value) / largest : (255 * value) / largest)
  const bytes = new Uint8Array(count * height * width)
  for (let channel = 0; channel < count; channel++) {
    for (let pixel = 0; pixel < height * width; pixel++) {
      bytes[channel * height * width + pixel] = byte(values[first ? channel * height * width + pixel : pixel * channels + channel])
    }
  }
  const shown = count === channels ? `${channels === 1 ? 'The channel' : `All ${channels} channels`}` : `${count} of ${channels} channels`
  const scale = low < 0 ? `mid grey is 0, white ${digits(largest)}, black −${digits(largest)}` : `black is 0, white ${digits(largest)}`
  return {
    kind: 'images',
    title: `${name} after ${use.layer.name}`,
    says: `${shown}, ${height} × ${width} each: ${scale}.`,
    images: { count, height, width, channels: 1, bytes: base64(bytes) },
  }
}

/** The values of [1, n] as a heat map of one row. */
async function rowOf(what: string, use: Use, x: Tensor, name: string, labels: readonly string[] | undefined): Promise<HeatSection> {
  const values = await finiteValues(what, use, x)
  const count = Math.min(UNITS, values.length)
  if (labels && labels.length !== values.length)
    throw new ValueError(
      `${what}: ${labels.length} labels for the ${values.length} outputs of ${use.layer.name}. Give one for each, or none.`,
    )
  const row = Array.from({ length: count }, (_, i) => shortened(values[i]))
  return {
    kind: 'heat',
    title: `${name} after ${use.layer.name}`,
    ...(count < values.length && { says: `The first ${count} of ${values.length} units.` }),
    rows: { label: '', names: [''] },
    columns: { label: labels ? 'class' : 'unit', names: labels?.slice(0, count) ?? row.map((_, i) => String(i)) },
    values: [row],
    ...(row.some((value) => value < 0) && { diverging: true }),
  }
}
