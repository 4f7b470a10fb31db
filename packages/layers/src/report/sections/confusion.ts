/** The mistakes of a classifier: the confusion matrix that opens them, and those of which it was most sure. */
import { ShapeError, ValueError } from '@cotangent/core'
import { describeValue, requireText } from '@cotangent/core/arguments'
import { readOptions } from '../../spelling/names.js'
import { grouped } from '../numbers.js'
import type { ConfusionSection, Sample, SamplesSection } from '../record.js'
import { type HostData, type ImageOptions, imageDefaults, imageRules, readImages, requireCount, sheetOf } from './images.js'
import type { Readings } from './readings.js'

/** Options of `confusionSection` and `wrongSection`. */
export interface MistakeOptions extends ImageOptions {
  title?: string
  /** A sentence or two: how to read it. */
  says?: string
  /** The images of all samples, [n, height, width] or [n, height, width, 1 or 3]: those of the shown ones are kept. */
  images?: HostData
  /** The text of a sample, where samples are texts. */
  text?: (row: number) => string
  /** How many mistakes are kept; 200 for the matrix, 24 for `wrongSection`. */
  most?: number
}

/** Options of `confusionSection`. */
export interface ConfusionOptions extends MistakeOptions {
  /** How many mistakes are kept of each cell of the matrix; 5 by default. */
  perCell?: number
}

const defaults = {
  ...imageDefaults,
  says: undefined as string | undefined,
  images: undefined as HostData | undefined,
  text: undefined as MistakeOptions['text'],
}
const rules = {
  ...imageRules,
  says: requireText,
  most: requireCount,
  perCell: requireCount,
  text(what: string, name: string, value: unknown): void {
    if (typeof value !== 'function')
      throw new ValueError(`${what}: ${name} must be a function of a sample's row, got ${describeValue(value)}.`)
  },
}

function requireReadings(what: string, read: unknown): asserts read is Readings {
  const { labels, truth, predicted, confidence } = (read ?? {}) as Partial<Readings>
  const count = truth?.length
  if (Array.isArray(labels) && count !== undefined && predicted?.length === count && confidence?.length === count) return
  throw new ValueError(`${what}: expected what readings(model, x, y) gives, got ${describeValue(read)}.`)
}

/** The rows of the mistakes, the most confident first. */
const mistakes = ({ truth, predicted, confidence }: Readings): number[] =>
  [...truth.keys()].filter((row) => truth[row] !== predicted[row]).sort((a, b) => confidence[b] - confidence[a] || a - b)

/** Four digits tell one probability from the next, and a record stays small. */
const rounded = (value: number): number => Math.round(value * 1e4) / 1e4

function samplesOf(
  what: string,
  { truth, predicted, confidence }: Readings,
  rows: readonly number[],
  { images, text, ...how }: ImageOptions & Pick<MistakeOptions, 'images' | 'text'>,
): { samples: Sample[]; images?: SamplesSection['images'] } {
  const all = images === undefined ? undefined : readImages(`${what}: images`, images, how)
  if (all && all.count !== truth.length)
    throw new ShapeError(`${what}: there are ${all.count} images for ${truth.length} samples. Give the images of the data that were read.`)
  const samples = rows.map((index, image) => ({
    index,
    truth: truth[index],
    predicted: predicted[index],
    confidence: rounded(confidence[index]),
    ...(all && { image }),
    ...(text && { text: text(index) }),
  }))
  return { samples, ...(all && rows.length > 0 && { images: sheetOf(`${what}: images`, all, rows, how) }) }
}

/**
 * The confusion matrix of a classifier, with misread samples: of each cell the most confident ones.
 *
 * Shape: images [n, height, width] or [n, height, width, 1 or 3], bytes or numbers of 0 … 1
 *
 * @throws ShapeError if the images do not fit; ValueError for a value that is out of their range
 * @example
 * ```ts
 * import { confusionSection, readingsOf } from '@cotangent/layers/report'
 *
 * const read = readingsOf([[0.9, 0.1], [0.3, 0.7], [0.6, 0.4]], [0, 1, 1], { labels: ['cat', 'dog'] })
 * const { counts, samples } = confusionSection(read)
 * console.log(counts)    // [[1, 0], [1, 1]]
 * console.log(samples)   // [{ index: 2, truth: 1, predicted: 0, confidence: 0.6 }]
 * ```
 */
export function confusionSection(read: Readings, options?: ConfusionOptions): ConfusionSection {
  const what = 'confusionSection'
  requireReadings(what, read)
  const { title, says, most, perCell, ...how } = readOptions(
    what,
    options,
    { ...defaults, title: 'Confusion matrix', most: 200, perCell: 5 },
    rules,
  )
  const { labels, truth, predicted } = read
  const counts = labels.map(() => labels.map(() => 0))
  for (let row = 0; row < truth.length; row++) counts[truth[row]][predicted[row]]++
  // First the surest of every cell, then the second of every cell, and so on: so that a limit takes some of each.
  const seen = labels.map(() => labels.map(() => 0))
  const ranked = mistakes(read)
    .map((row) => ({ row, rank: seen[truth[row]][predicted[row]]++ }))
    .filter(({ rank }) => rank < perCell)
  const rows = ranked
    .sort((a, b) => a.rank - b.rank)
    .slice(0, most)
    .map(({ row }) => row)
    .sort((a, b) => read.confidence[b] - read.confidence[a] || a - b)
  const right = labels.reduce((sum, _, c) => sum + counts[c][c], 0)
  return {
    kind: 'confusion',
    title,
    says:
      says ?? `Rows are the true classes, columns what the network took them for. ${grouped(right)} of ${grouped(truth.length)} are right.`,
    labels: [...labels],
    counts,
    ...samplesOf(what, read, rows, how),
  }
}

/**
 * The mistakes of which a classifier was most sure. Often they show data that are hard to read, or wrongly labelled.
 *
 * @throws ShapeError if the images do not fit; ValueError for a value that is out of their range
 * @example
 * ```ts
 * import { readingsOf, wrongSection } from '@cotangent/layers/report'
 *
 * const read = readingsOf([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]], [1, 0, 1])
 * console.log(wrongSection(read, { most: 2 }).samples.map(({ index }) => index))   // [0, 1]
 * ```
 */
export function wrongSection(read: Readings, options?: MistakeOptions): SamplesSection {
  const what = 'wrongSection'
  requireReadings(what, read)
  const { title, says, most, ...how } = readOptions(what, options, { ...defaults, title: 'Most confidently wrong', most: 24 }, rules)
  const all = mistakes(read)
  const rows = all.slice(0, most)
  const count = all.length === 1 ? 'It misread one sample' : `It misread ${grouped(all.length)} samples`
  return {
    kind: 'samples',
    title,
    says: says ?? `${count} of ${grouped(read.truth.length)}.${rows.length > 1 ? ' The one of which it was most sure comes first.' : ''}`,
    labels: [...read.labels],
    ...samplesOf(what, read, rows, how),
  }
}
