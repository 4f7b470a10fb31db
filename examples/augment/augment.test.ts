/** Changed clothes on a small scale: each epoch sees other pictures, inference sees them as they are, and both trainings are drawn. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expectNoLeaks } from '@cotangent/core'
import { ndarray } from '@cotangent/datasets'
import { expect, test } from 'vitest'
import type { Images } from '../lib/images.js'
import { quietly } from '../test/quietly.js'
import { readPicture } from '../test/xml.js'
import { seen, trainBoth } from './augment.js'
import { changes, clothesModel } from './network.js'

const sizes = { filters: [2, 2], units: 8 } as const

/** Squares whose brightness is their kind, off the middle. */
function squares(count: number): Images {
  const x = new Float32Array(count * 784)
  const y = Uint8Array.from({ length: count }, (_, i) => i % 10)
  for (let i = 0; i < count; i++)
    for (let row = 6; row < 16; row++) x.fill((y[i] + 1) / 10, i * 784 + row * 28 + 8, i * 784 + row * 28 + 18)
  return { x: ndarray(x, [count, 28, 28, 1]), y: ndarray(y, [count]) }
}

test('training sees another picture each time, with the same seed the same ones; brightness and most of the ink stay', async () => {
  const pictures = squares(10)
  const values = await seen(pictures, 9, 4, 1)
  const parts = Array.from({ length: 4 }, (_, i) => values.subarray(i * 784, (i + 1) * 784))
  const ink = (picture: Float32Array): number => picture.reduce((sum, value) => sum + value, 0)
  for (const [i, part] of parts.entries()) {
    expect(Math.max(...part)).toBeCloseTo(1, 5)
    expect(Math.min(...part)).toBe(0)
    // A square of 10 × 10 that is zoomed by at most a twentieth.
    expect(ink(part)).toBeGreaterThan(88)
    expect(ink(part)).toBeLessThan(113)
    for (const other of parts.slice(i + 1)) expect(part).not.toEqual(other)
  }
  expect(await seen(pictures, 9, 4, 1)).toEqual(values)
  expect(await seen(pictures, 9, 4, 2)).not.toEqual(values)
})

test('in inference the pictures are as they are', async () => {
  const [plain, changed] = [clothesModel([], sizes, { seed: 1, steps: 1 }), clothesModel(changes(), sizes, { seed: 2, steps: 1 })]
  changed.setWeights(await plain.getWeights())
  const { x } = squares(3)
  expect(await (await changed.predict(x)).array()).toEqual(await (await plain.predict(x)).array())
})

test('both trainings are measured, printed and drawn, and leave nothing behind', async () => {
  const out = mkdtempSync(join(tmpdir(), 'augment-'))
  const clothes = { source: 'squares', train: squares(40), watched: squares(10), test: squares(20) }
  try {
    await expectNoLeaks(async () => {
      const { result, printed } = await quietly(() => trainBoth({ seed: 1, epochs: 3, out }, { sizes, clothes }))
      for (const { training, watched, test } of [result.plain, result.changed]) {
        expect([training.length, watched.length]).toEqual([3, 3])
        expect(test).toBeLessThanOrEqual(1)
      }
      expect(result.changed.training).not.toEqual(result.plain.training)
      expect(printed).toMatch(/Of 20 test pictures \d+ (more|fewer) are right with changes\./)
    })
    expect(readPicture(join(out, 'augment.svg'), 28)).toContain('2,000 clothes, 3 epochs')
  } finally {
    rmSync(out, { recursive: true })
  }
})
