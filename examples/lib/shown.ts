/** Views of a trained network, by its layers and by the data it reads. They are made when `context.shows` calls them. */
import type { NDArray } from '@cotangent/datasets'
import { Bidirectional, Conv1D, Conv2D, Embedding, LSTM, type Model } from '@cotangent/layers'
import {
  activationSections,
  confusionSection,
  filtersSection,
  gateSections,
  imagesSection,
  neighboursSection,
  type ReadingOptions,
  type Readings,
  readings,
  wrongSection,
} from '@cotangent/layers/report'
import type { MakeSections } from './recording.js'

type Bytes = NDArray<Uint8Array>
/** [n, 28, 28] or [n, 28, 28, 1], bytes or numbers of 0 … 1. */
type Pictures = Bytes | NDArray<Float32Array>
type Samples = NDArray<Float32Array> | NDArray<Int32Array>

/** Reads once, for all who ask. */
function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined
  return () => {
    made ??= make()
    return made
  }
}

const batchSize = 500

/** Whether the first layers see images. */
const seesImages = (model: Model): boolean => model.layers.some((layer) => layer instanceof Conv2D)

interface Looked {
  labels?: readonly string[]
  /** The name of a step of the sample. */
  step?: (step: number) => string
  /** The word for a step. */
  steps?: string
  /** The name of the sample. */
  name?: string
}

/** Looks inside, at the first sample of x: the first filters, what each layer makes of an image, the gates of an LSTM. What the network has. */
export function looksInside(model: Model, x: Samples, { labels, step, steps, name }: Looked = {}): MakeSections[] {
  const has = (...classes: readonly (typeof Conv1D | typeof Conv2D | typeof LSTM | typeof Bidirectional)[]): boolean =>
    model.layers.some((layer) => classes.some((one) => layer instanceof one))
  return [
    ...(has(Conv2D, Conv1D) ? [() => filtersSection(model)] : []),
    ...(seesImages(model) ? [() => activationSections(model, x, { labels, name })] : []),
    ...(has(LSTM, Bidirectional) ? [() => gateSections(model, x, { step, steps })] : []),
  ]
}

const digits = Array.from({ length: 10 }, (_, digit) => String(digit))

/**
 * A classifier of images: its confusion matrix, its surest mistakes, and a look inside.
 *
 * @param x the test images as the network takes them
 * @param images the same for the eye
 */
export function classifierShows(
  model: Model,
  x: Samples,
  images: Pictures,
  truth: Bytes,
  labels: readonly string[] = digits,
): MakeSections[] {
  const read = once(() => readings(model, x, truth, { labels, batchSize }))
  const looks = looksInside(model, x, { labels, steps: 'row of the image' })
  const first = {
    title: `Test image 0, a ${labels[truth.data[0]]}`,
    says: 'What follows is its way through the network.',
    most: 1,
    ink: true,
  }
  return [
    async () => confusionSection(await read(), { images, ink: true }),
    async () => wrongSection(await read(), { images, ink: true }),
    ...(looks.length > 0 ? [() => imagesSection(images, first)] : []),
    ...looks,
  ]
}

/** The word of each number; undefined where a number is no word. */
type Words = readonly (string | undefined)[]

/** Words whose neighbours are looked for. */
const asked = ['good', 'great', 'bad', 'awful', 'boring', 'funny', 'actor', 'two']
/** Words that may be neighbours. Rare ones hardly change from their random start. */
const AMONG = 2000
/** Words of a review that are shown. */
const LAST = 60

/** The last words of a row of numbers, without its padding. */
function lastWords({ data, shape }: NDArray<Int32Array>, row: number, words: Words): string {
  const numbers = data.subarray(row * shape[1], (row + 1) * shape[1])
  return [...numbers]
    .filter((number) => number !== 0)
    .slice(-LAST)
    .map((number) => words[number] ?? '?')
    .join(' ')
}

/**
 * A reader of reviews: how it confuses good and bad ones, its surest mistakes as texts, the nearest words of its embedding, and a look inside.
 *
 * @param x reviews that it did not learn from, as numbers of words
 */
export function reviewShows(
  model: Model,
  x: NDArray<Int32Array>,
  truth: Bytes,
  loadWords: () => Promise<Words>,
  outputs?: ReadingOptions['outputs'],
): MakeSections[] {
  const read = once((): Promise<Readings> => readings(model, x, truth, { labels: ['bad', 'good'], outputs, batchSize }))
  const words = once(loadWords)
  const wordAt = async (): Promise<(step: number) => string> => {
    const all = await words()
    return (step) => all[x.data[step]] ?? (x.data[step] === 0 ? '·' : '?')
  }
  const text = async () => {
    const all = await words()
    return (row: number): string => lastWords(x, row, all)
  }
  const embedding = model.layers.find((layer) => layer instanceof Embedding)
  return [
    async () => confusionSection(await read(), { perCell: 4, text: await text() }),
    async () => wrongSection(await read(), { most: 8, text: await text() }),
    async () => {
      if (!embedding) return []
      const all = await words()
      return neighboursSection(
        embedding,
        all,
        asked.filter((word) => all.includes(word)),
        { among: Math.min(AMONG, all.length) },
      )
    },
    ...(model.layers.some((layer) => layer instanceof LSTM)
      ? [async () => gateSections(model, x, { step: await wordAt(), steps: 'word' })]
      : []),
  ]
}
