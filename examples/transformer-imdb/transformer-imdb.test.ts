/** The Transformer on small reviews: padding changes nothing, it learns, its looks at a review are right, and nothing stays behind. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expectNoLeaks } from '@cotangent/core'
import { ndarray } from '@cotangent/datasets'
import { expect, test } from 'vitest'
import { quietly } from '../test/quietly.js'
import { readPicture } from '../test/xml.js'
import { lookAt } from './attention.js'
import { reviewModel, type Sizes } from './network.js'
import { type Reviews, reviewAt, shortReview } from './reviews.js'
import { trainReviews } from './transformer-imdb.js'

const names = ['', '▸', '?', 'the', 'film', 'is', 'fine', 'dull']
const sizes: Sizes = { words: names.length, length: 8, width: 8, heads: 2, hidden: 8 }
const word = (number: number): string => names[number]

/** Reviews of different lengths, with zeros in front. One with `fine` is good, one with `dull` is bad; the other words say nothing. */
function reviews(count: number): Pick<Reviews, 'x' | 'y'> {
  const x = new Int32Array(count * sizes.length)
  const y = Uint8Array.from({ length: count }, (_, i) => i % 2)
  for (let i = 0; i < count; i++) {
    const words = [1, ...[3, 4, 5, 4, 5].slice(0, 1 + (i % 5))]
    words.splice(1 + (i % words.length), 0, y[i] ? 6 : 7)
    x.set(words, (i + 1) * sizes.length - words.length)
  }
  return { x: ndarray(x, [count, sizes.length]), y: ndarray(y, [count]) }
}
const padded = (...numbers: number[]) =>
  ndarray(Int32Array.of(...new Array<number>(sizes.length - numbers.length).fill(0), ...numbers), [1, 8])

test('padding takes no part: other vectors for "no word" change no verdict, other vectors for a word do', async () => {
  const model = reviewModel(sizes, 1)
  const verdict = async () => [...(await (await model.predict(padded(1, 3, 6))).data())]
  const changed = async (row: number): Promise<number[]> => {
    const weights = await model.getWeights()
    weights[0].data.fill(3, row * sizes.width, (row + 1) * sizes.width)
    model.setWeights(weights)
    return verdict()
  }
  const before = await verdict()
  expect(await changed(0)).toEqual(before)
  expect(await changed(6)).not.toEqual(before)
})

test('the place of a word counts', async () => {
  const model = reviewModel(sizes, 1)
  const [a, b] = [await model.predict(padded(1, 3, 6)), await model.predict(padded(1, 6, 3))]
  expect(await a.array()).not.toEqual(await b.array())
})

test('it learns, looks at the word that decides, draws that, and leaves nothing behind', async () => {
  const out = mkdtempSync(join(tmpdir(), 'reviews-'))
  const { x, y } = reviews(160)
  const test = reviews(20)
  const small: Reviews = { source: 'made up', x, y, xTest: test.x, yTest: test.y, word }
  try {
    await expectNoLeaks(async () => {
      const run = () => trainReviews({ seed: 1, epochs: 10, 'batch-size': 16, out }, { sizes, reviews: small, shown: [4, 6] })
      const { result, printed } = await quietly(run)
      const { accuracy, look } = result
      expect(accuracy.at(-1)).toBe(1)
      expect(look.attention.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 5)
      const decides = look.words.findIndex((name) => name === 'fine' || name === 'dull')
      const strongest = look.effect.indexOf(look.truth ? Math.max(...look.effect) : Math.min(...look.effect))
      expect(strongest).toBe(decides)
      expect(printed).toContain('Test accuracy by epoch: ')
    })
    expect(readPicture(join(out, 'review.svg'), 0)).toMatch(/>(fine|dull)</)
  } finally {
    rmSync(out, { recursive: true })
  }
})

test('a look at an untrained network: shares of attention of real words alone, and the effect of leaving one out', async () => {
  const model = reviewModel(sizes, 2)
  const [numbers] = [padded(1, 3, 4, 6).data]
  const { words, good, attention, effect } = await lookAt(sizes, model, numbers, { truth: 1, word })
  expect(words).toEqual(['▸', 'the', 'film', 'fine'])
  expect(attention.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 5)
  const without = numbers.slice()
  without[6] = 0
  const [, other] = await (await model.predict(ndarray(without, [1, 8]))).data()
  expect(effect[2]).toBeCloseTo(Math.log(good / (1 - good)) - Math.log(other / (1 - other)), 5)
})

test('the review that is shown is the first of its length whose words are all known', () => {
  const xTest = ndarray(Int32Array.of(0, 1, 3, 4, 1, 3, 2, 4, 1, 3, 4, 5, 1, 5, 4, 3), [4, 4])
  expect(shortReview({ xTest }, 3, 3)).toBe(2)
  expect([...reviewAt(xTest, 2)]).toEqual([1, 3, 4, 5])
  expect(() => shortReview({ xTest }, 4, 9)).toThrow('No test review has 4 to 9 words')
})
