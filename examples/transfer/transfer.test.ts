/** Transfer on small images of bars: halves and amounts are right, frozen convolutions stay as they are, and the comparison is drawn. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expectNoLeaks } from '@cotangent/core'
import { ndarray } from '@cotangent/datasets'
import { expect, test } from 'vitest'
import { quietly } from '../test/quietly.js'
import { readPicture } from '../test/xml.js'
import { digitsFrom, firstOfEach, type Half } from './digits.js'
import { convolutions, digitModel } from './network.js'
import { compare } from './transfer.js'

const sizes = { filters: 2, units: 16 }

/** `Digits` in turn: 0 to 4 are bars that lie at different heights, 5 to 9 stand at different places. The others' pixels are a little grey. */
function bars(count: number) {
  const x = new Uint8Array(count * 784)
  const y = Uint8Array.from({ length: count }, (_, i) => i % 10)
  for (let i = 0; i < x.length; i++) {
    const [digit, row, column] = [y[Math.floor(i / 784)], Math.floor(i / 28) % 28, i % 28]
    const place = digit < 5 ? row : column
    x[i] = Math.floor(place / 5) === digit % 5 ? 255 : (i * 7919) % 40
  }
  return { x: ndarray(x, [count, 28, 28]), y: ndarray(y, [count]) }
}
const { x, y } = bars(120)
const half = (first: number): Half => ({ train: digitsFrom(first, x, y), test: firstOfEach(2, digitsFrom(first, x, y)) })

test('a half has the images of its five digits, counted from 0, with values from 0 to 1', () => {
  const { x: images, y: labels } = digitsFrom(5, x, y)
  expect(images.shape).toEqual([60, 28, 28, 1])
  expect([...labels.data.subarray(0, 7)]).toEqual([0, 1, 2, 3, 4, 0, 1])
  expect([...images.data.subarray(0, 784)]).toEqual(Array.from(x.data.subarray(5 * 784, 6 * 784), (value) => Math.fround(value / 255)))
})

test('the first of each digit', () => {
  const images = { x: ndarray(Float32Array.of(1, 2, 3, 4, 5, 6), [6, 1]), y: ndarray(Uint8Array.of(0, 0, 1, 0, 1, 1), [6]) }
  expect(firstOfEach(2, images)).toEqual({ x: ndarray(Float32Array.of(1, 2, 3, 5), [4, 1]), y: ndarray(Uint8Array.of(0, 0, 1, 1), [4]) })
})

test('frozen convolutions have the same bits after a training that changes the classifier on them', async () => {
  const [low, high] = [half(0), half(5)]
  const found = convolutions(sizes)
  const first = digitModel(found, sizes, 1)
  const begun = (await first.getWeights()).slice(0, 4)
  await first.fit(low.train.x, low.train.y, { verbose: 0 })
  const learned = (await first.getWeights()).slice(0, 4)
  expect(learned).not.toEqual(begun)

  for (const layer of found) layer.trainable = false
  const second = digitModel(found, sizes, 2)
  const before = await second.getWeights()
  await second.fit(high.train.x, high.train.y, { verbose: 0 })
  const after = await second.getWeights()
  expect(after.slice(0, 4)).toEqual(learned)
  for (const [i, { data }] of after.slice(4).entries()) expect(data).not.toEqual(before[4 + i].data)
})

test('the comparison learns in both ways, is printed and drawn, and leaves nothing behind', async () => {
  const out = mkdtempSync(join(tmpdir(), 'transfer-'))
  const halves = { low: half(0), high: half(5), source: 'bars' }
  try {
    await expectNoLeaks(async () => {
      const amounts = [{ each: 4, epochs: 4 }, { epochs: 12 }]
      const { result, printed } = await quietly(() => compare({ seed: 1, out }, { sizes, halves, amounts, epochs: 8 }))
      expect(result.compared.map(({ each }) => each)).toEqual([4, 12])
      // Guessing among five digits is right in a fifth.
      for (const { accuracy } of [result.compared[1].frozen, result.compared[1].fromNothing]) expect(accuracy).toBeGreaterThan(0.5)
      expect(printed).toContain('\n   4 of each')
      expect(printed).toContain('\nall  of each')
    })
    expect(readPicture(join(out, 'transfer.svg'), 10)).toContain('>12<')
  } finally {
    rmSync(out, { recursive: true })
  }
})
