/** Two looks into a trained network, at one review: how much its words are looked at, and how the verdict changes without each of them. */
import { ndarray } from '@cotangent/datasets'
import type { Model } from '@cotangent/layers'
import { svgPage, text } from '../lib/svg.js'
import { type Sizes, seeingModel } from './network.js'

export interface Look {
  words: readonly string[]
  /** p(good) of the whole review. */
  good: number
  truth: number
  /** For each word, the mean share of attention that the words give it, over words and heads. Their sum is 1. */
  attention: readonly number[]
  /** For each word, log p(good)/p(bad) of the review minus that of the review without it: above 0 the word speaks for it. */
  effect: readonly number[]
}

const odds = (good: number): number => Math.log(good / (1 - good))

/** @param numbers of the words of a review, [length] */
export async function lookAt(
  sizes: Sizes,
  trained: Model,
  numbers: Int32Array,
  { truth, word }: { truth: number; word(number: number): string },
): Promise<Look> {
  const places = [...numbers.keys()].filter((place) => numbers[place] !== 0)
  const seeing = await seeingModel(sizes, trained)
  const [verdict, scores] = await seeing.predictAll(ndarray(numbers, [1, numbers.length]))
  const mean = scores.mean({ axis: 1 }) // [1, t, t]: from each word, to each word
  const received = await mean.data()
  const [, good] = await verdict.data()
  for (const each of [verdict, scores, mean]) each.dispose()
  seeing.dispose()

  // A row for each word, with 0 in its place: the mask then leaves it out.
  const rows = new Int32Array(places.length * numbers.length)
  for (const [i, place] of places.entries()) {
    rows.set(numbers, i * numbers.length)
    rows[i * numbers.length + place] = 0
  }
  const without = await trained.predict(ndarray(rows, [places.length, numbers.length]))
  const values = await without.data()
  without.dispose()
  return {
    words: places.map((place) => word(numbers[place])),
    good,
    truth,
    attention: places.map((to) => places.reduce((sum, from) => sum + received[from * numbers.length + to], 0) / places.length),
    effect: places.map((_, i) => odds(good) - odds(values[2 * i + 1])),
  }
}

const WIDTH = 860
const LINE = 26
/** The width of a letter, in a wide font. */
const LETTER = 7.83

const rules = `
.word { font: 13px ui-monospace, SFMono-Regular, Menlo, monospace; fill: var(--ink) }
.seen { fill: var(--curve) }
.for { fill: var(--right) }
.against { fill: var(--wrong) }`

/** The words in lines, each on a tile that is the stronger the greater its value is; `most` is the strongest. */
function tiles(words: readonly string[], values: readonly number[], most: number, top: number, kind: (value: number) => string) {
  const body: string[] = []
  let [x, y] = [24, top]
  for (const [i, word] of words.entries()) {
    const width = Math.ceil([...word].length * LETTER) + 8
    if (x + width > WIDTH - 24) [x, y] = [24, y + LINE]
    const opacity = ((0.85 * Math.abs(values[i])) / most).toFixed(2)
    body.push(`<rect class="${kind(values[i])}" x="${x}" y="${y - 16}" width="${width}" height="22" rx="4" fill-opacity="${opacity}"/>`)
    body.push(text(x + 4, y, word, ' class="word"'))
    x += width + 2
  }
  return { body, bottom: y }
}

/** The least and the greatest of some shares, each divided by an even share. */
export function spread(shares: readonly number[]): [least: number, most: number] {
  return [shares.length * Math.min(...shares), shares.length * Math.max(...shares)]
}

/** The picture as an SVG document. */
export function lookSvg({ words, good, truth, attention, effect }: Look, made: string): string {
  const title = `A ${truth ? 'good' : 'bad'} review from the test data. The network says: ${(100 * good).toFixed(1)} % good`
  const strongest = Math.max(...effect.map(Math.abs))
  const speaking = tiles(words, effect, strongest, 84, (value) => (value > 0 ? 'for' : 'against'))
  const heading = speaking.bottom + 44
  const [least, most] = spread(attention).map((share) => share.toFixed(2))
  // A tile of half the strength is an even share.
  const seen = tiles(words, attention, 2 / words.length, heading + 28, () => 'seen')
  const height = seen.bottom + 46
  const body = [
    text(24, 28, title, ' class="title"'),
    text(24, 56, 'How the verdict changes without a word: a green word speaks for the film, a red one against it'),
    ...speaking.body,
    text(24, heading, `How much attention a word gets from all words: ${least} to ${most} times an even share`),
    ...seen.body,
    text(24, height - 14, made),
  ]
  return svgPage([WIDTH, height], title, body, rules)
}
