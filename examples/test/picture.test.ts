/** The picture of the README: a short training can be drawn, and the one in docs/ is complete. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { groupMeans, learnedSvg } from '../lib/learned.js'
import { learn } from '../picture.js'
import { wellFormed } from './xml.js'

test('a short training, drawn', async () => {
  const learned = await learn({ epochs: 2, limit: 1000 })
  // 1000 images are 7 batches of 128 and one of 104. A batch's loss starts near ln 10, the loss of guessing among ten digits, and falls.
  expect([learned.losses.length, learned.batchesPerEpoch]).toEqual([16, 8])
  expect(Math.abs(learned.losses[0] - Math.log(10))).toBeLessThan(0.5)
  expect(Math.max(...learned.losses.slice(-4))).toBeLessThan(learned.losses[0])

  const svg = learnedSvg(learned)
  expect(wellFormed(svg)).toBe(true)
  expect(svg.match(/<image /g)).toHaveLength(15)
  expect(svg.match(/class="wrong">✗ \d, is \d</g)?.length).toBeGreaterThanOrEqual(5)
  expect(svg).toContain('>epoch 2<')
  expect(svg).not.toContain('NaN')
})

test('a shorter last group counts, too', () => expect(groupMeans([1, 3, 5], 2)).toEqual([2, 5]))

test('the one in docs/ is well-formed and dark where the page is', () => {
  const svg = readFileSync(new URL('../../docs/learned.svg', import.meta.url), 'utf8')
  expect(wellFormed(svg)).toBe(true)
  expect(svg).toContain('prefers-color-scheme: dark')
})
