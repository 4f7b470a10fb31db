/** A Transformer that tells good film reviews from bad ones: `npm run example -- transformer-imdb`. README.md beside this file says what it shows. */
import { join } from 'node:path'
import { adam, cosineDecay } from '@cotangent/layers'
import type { HeatSection } from '@cotangent/layers/report'
import type { Settings } from '../lib/arguments.js'
import { Clock } from '../lib/clock.js'
import type { Kept, Training } from '../lib/demonstration.js'
import { thousands, withoutPath } from '../lib/experiment.js'
import { writeWhole } from '../lib/files.js'
import { dataHash, weightsHash } from '../lib/hash.js'
import { bestEpoch } from '../lib/history.js'
import { progressOutput } from '../lib/output.js'
import { Recording } from '../lib/recording.js'
import { reviewShows } from '../lib/shown.js'
import { type Look, lookAt, lookSvg, spread } from './attention.js'
import { asInKeras, reviewModel, type Sizes } from './network.js'
import { loadReviews, type Reviews, reviewAt, shortReview } from './reviews.js'

/** Smaller things than those of the example make a test short. */
export interface Scale {
  sizes?: Sizes
  reviews?: Reviews
  /** Words of the review that is looked at. */
  shown?: readonly [least: number, most: number]
}

export interface ReviewResult {
  /** On the test reviews, after each epoch. */
  accuracy: number[]
  look: Look
  kept: Kept
}

export async function trainReviews(
  { seed = 1, epochs = 2, 'batch-size': batchSize = 32, data, out }: Settings = {},
  { sizes = asInKeras, reviews, shown = [40, 70] }: Scale = {},
  recording = new Recording(),
): Promise<ReviewResult> {
  const { source, x, y, xTest, yTest, word } = reviews ?? (await loadReviews(sizes, data))
  const model = reviewModel(sizes, seed)
  try {
    const steps = epochs * Math.ceil(y.shape[0] / batchSize)
    model.compile({
      optimizer: adam(cosineDecay({ initialLearningRate: 0.001, decaySteps: steps })),
      loss: 'sparseCategoricalCrossentropy',
      metrics: ['accuracy'],
    })
    console.log(`${thousands(model.countParams())} parameters, batches of ${batchSize}, seed ${seed}; reviews: ${withoutPath(source)}`)
    const clock = new Clock()
    const fitted = await model.fit(x, y, {
      epochs,
      batchSize,
      validationData: [xTest, yTest],
      callbacks: [clock, ...recording.callbacks],
      output: progressOutput(),
    })
    const { history } = fitted
    const accuracy = history.val_accuracy
    console.log(
      `\nTest accuracy by epoch: ${accuracy.map((value) => value.toFixed(4)).join(', ')}; ${clock.secondsPerEpoch.toFixed(0)} s an epoch`,
    )

    const row = shortReview({ xTest }, ...shown)
    const look = await lookAt(sizes, model, reviewAt(xTest, row), { truth: yTest.data[row], word })
    for (const line of lookLines(look)) console.log(line)
    recording.fact('Data', `${thousands(y.shape[0])} reviews from ${withoutPath(source)}`)
    const words = Array.from({ length: sizes.words }, (_, number) => (number > 3 ? word(number) : undefined))
    const ofWords = [
      oneRow('What the words get of the attention', look.words, look.attention),
      oneRow(effectTitle, look.words, look.effect),
    ]
    await recording.shows(() => ofWords, ...reviewShows(model, xTest, yTest, async () => words))
    const made = `Test review ${row}, seed ${seed}, after ${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}. ▸ stands before every review.`
    const svg = lookSvg(look, made)
    if (out) {
      await writeWhole(join(out, 'review.svg'), svg)
      console.log(`Written: ${join(out, 'review.svg')}`)
    }
    const kept: Kept = {
      result: { metric: 'test accuracy', value: accuracy[accuracy.length - 1] },
      epochs,
      batchSize,
      history,
      best: bestEpoch(fitted),
      secondsPerEpoch: clock.secondsPerEpoch,
      data: {
        name: 'IMDB',
        source: withoutPath(source),
        train: y.shape[0],
        test: yTest.shape[0],
        sha256: dataHash([x.data, y.data, xTest.data, yTest.data]),
      },
      weights: await weightsHash(model.weights),
      sections: ofWords,
      pictures: { 'review.svg': svg },
    }
    return { accuracy, look, kept }
  } finally {
    model.dispose()
  }
}

const effectTitle = 'What each word says: above 0 for a good review'

/** A number for each word of a review. */
const oneRow = (title: string, words: readonly string[], values: readonly number[]): HeatSection => ({
  kind: 'heat',
  title,
  rows: { label: '', names: [''] },
  columns: { label: 'word', names: [...words] },
  values: [values.map((value) => Number(value.toFixed(5)))],
  ...(values.some((value) => value < 0) && { diverging: true }),
})

/** The review, the words that decide most, and the spread of attention. */
function lookLines({ words, good, truth, attention, effect }: Look): string[] {
  const deciding = [...words.keys()].sort((a, b) => Math.abs(effect[b]) - Math.abs(effect[a])).slice(0, 8)
  const signed = (value: number): string => `${value > 0 ? '+' : '−'}${Math.abs(value).toFixed(2)}`
  const [least, most] = spread(attention).map((share) => share.toFixed(2))
  return [
    `\nA ${truth ? 'good' : 'bad'} review, read as ${(100 * good).toFixed(1)} % good:\n${words.slice(1).join(' ')}`,
    `\nWords that change log p(good)/p(bad) most: ${deciding.map((i) => `${words[i]} ${signed(effect[i])}`).join(', ')}`,
    `Attention that a word gets: ${least} to ${most} times an even share`,
  ]
}

export const transformerImdb = {
  id: 'transformer-imdb',
  title: 'A Transformer on the reviews of IMDB; draws a review as it reads it with --out dir',
  model: 'a block of attention over 200 words, 32 numbers each; Adam',
  flags: ['seed', 'epochs', 'batch-size', 'data', 'backend', 'threads', 'out', 'report'],
  run: (settings: Settings, recording?: Recording) => trainReviews(settings, {}, recording),
  quick: async (settings) => trainReviews({ ...settings, epochs: 1 }, { reviews: await loadReviews(asInKeras, settings.data, 256) }),
} satisfies Training
