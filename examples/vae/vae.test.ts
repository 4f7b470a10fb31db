/** The autoencoder: its loss by hand, where its codes come from, and a short training with its files. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expectNoLeaks, type Key, key, normal, scope, type Tensor, tensor } from '@cotangent/core'
import { Sequential } from '@cotangent/layers'
import { loadModel } from '@cotangent/layers/node'
import { describe, expect, test, vi } from 'vitest'
import { wellFormed } from '../test/xml.js'
import { createVae, reconstruction, Sampling } from './network.js'
import { apart, codesSvg, gridOfCodes, rangeOf } from './picture.js'
import { trainVae } from './vae.js'

const codes = tensor([
  [1, -2, 0, 0.5],
  [0, 0.5, -1, 0],
])

describe('the loss', () => {
  const sampling = new Sequential([new Sampling({ inputShape: [4] })])

  test('KL of two codes, by hand', async () => {
    const far = (mean: number, logVariance: number): number => (mean ** 2 + Math.exp(logVariance) - logVariance - 1) / 2
    const byHand = (far(1, 0) + far(-2, 0.5) + far(0, -1) + far(0.5, 0)) / 2
    const losses: Tensor[] = []
    sampling.apply(codes, { losses })
    expect(losses).toHaveLength(1)
    expect(await losses[0].item()).toBeCloseTo(byHand, 5)
  })

  test('−log p of images, by hand', async () => {
    const [image, p] = [tensor([1, 0, 0.25, 1], { shape: [2, 2, 1, 1] }), tensor([0.9, 0.2, 0.5, 1], { shape: [2, 2, 1, 1] })]
    const [first, second] = await reconstruction(image, p).data()
    expect(first).toBeCloseTo(-Math.log(0.9) - Math.log(0.8), 5)
    expect(second).toBeCloseTo(-Math.log(0.5), 5) // a certain pixel that is right costs nothing
  })

  test('a code is drawn in training, by the key, and otherwise the mean', async () => {
    const values = async (context?: { training: boolean; key: Key }) => [...(await sampling.apply(codes, context).data())]
    expect(await values()).toEqual([1, -2, 0, 0.5])
    const drawn = await values({ training: true, key: key(3) })
    expect(drawn).toEqual(await values({ training: true, key: key(3) }))
    expect(drawn).not.toEqual(await values({ training: true, key: key(4) }))
    // Over many draws the mean is the mean, and the deviation exp(½·log variance).
    const many = tensor(
      new Float32Array(4000 * 4).map((_, i) => [1, -2, 0, 0.5][i % 4]),
      { shape: [4000, 4] },
    )
    const second = scope(() => sampling.apply(many, { training: true, key: key(5) }).slice([0, 1], [4000, 1]))
    const data = [...(await second.data())]
    const mean = data.reduce((a, b) => a + b) / 4000
    expect(mean).toBeCloseTo(-2, 1)
    expect(Math.sqrt(data.reduce((sum, z) => sum + (z - mean) ** 2, 0) / 4000)).toBeCloseTo(Math.exp(0.25), 1)
  })
})

test('a step changes every weight, and the loss is its two parts', async () => {
  const { vae, encoder, decoder } = createVae({ channels: [4, 4], seed: 1, learningRate: 1e-3 })
  expect([encoder.outputShape([null, 28, 28, 1]), decoder.outputShape([null, 2])]).toEqual([
    [null, 4],
    [null, 28, 28, 1],
  ])
  const before = await vae.getWeights()
  const x = normal(key(1), [8, 28, 28, 1]).sigmoid()
  const { history } = await vae.fit(x, x, { epochs: 1, batchSize: 8, verbose: 0 })
  expect(history.loss[0]).toBeCloseTo(history.reconstruction[0] + history.kl[0], 2)
  const after = await vae.getWeights()
  for (const [i, { name, data }] of after.entries()) expect(data, name).not.toEqual(before[i].data)
  vae.dispose()
})

test('the figures: codes in rows from the top, dots in their classes', () => {
  expect([
    ...gridOfCodes(3, [
      [-2, 2],
      [0, 4],
    ]),
  ]).toEqual([-2, 4, 0, 4, 2, 4, -2, 2, 0, 2, 2, 2, -2, 0, 0, 0, 2, 0])
  expect(rangeOf(Float32Array.of(5, 0, -10, 1, 3, 2, 90, 3, 4, 4), 0.2)).toEqual([
    [3, 5],
    [1, 3],
  ])
  const svg = codesSvg(Float32Array.of(0, 0, 4, -4, -4, 4), [3, 5, 3])
  expect(wellFormed(svg)).toBe(true)
  expect(svg).toContain('<path stroke="var(--d3)" d="M351 347h0M44 40h0"/>') // the middle, and above at the left
  expect(svg).toContain('<path stroke="var(--d5)" d="M658 654h0"/>') // below at the right
})

test('names that lie over each other are moved apart, others stay', () => {
  const far = (points: readonly (readonly [number, number])[]): number =>
    Math.min(...points.flatMap(([x, y], i) => points.slice(0, i).map(([u, v]) => Math.hypot(x - u, y - v))))
  const moved = apart(
    [
      [100, 100],
      [100, 100],
      [103, 101],
      [300, 50],
    ],
    26,
  )
  expect(far(moved)).toBeGreaterThan(24) // they are rounded
  expect(moved[3]).toEqual([300, 50])
  for (const [x, y] of moved.slice(0, 3)) expect(Math.hypot(x - 100, y - 100)).toBeLessThan(30)
})

test('a short training: the same for the same seed, writes its files, leaves nothing behind', async () => {
  const out = mkdtempSync(join(tmpdir(), 'vae-'))
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined)
  const write = vi.spyOn(process.stdout, 'write').mockImplementation(() => true)
  const settings = { seed: 3, epochs: 3, 'batch-size': 32, limit: 128, lr: 3e-3 }
  const scale = { channels: [4, 8] as const, test: 20 }
  try {
    await expectNoLeaks(async () => {
      const first = await trainVae({ ...settings, out }, scale)
      expect(first.history.loss.at(-1)).toBeLessThan(first.history.loss[0])
      expect(first.testBound).toBeGreaterThan(100)
      expect(readdirSync(out).sort()).toEqual(['codes.svg', 'digits.svg', 'vae.keras'])
      for (const name of ['codes', 'digits'] as const) {
        expect(readFileSync(join(out, `${name}.svg`), 'utf8')).toBe(first[name])
        expect(wellFormed(first[name])).toBe(true)
      }
      const read = await loadModel(join(out, 'vae.keras'), { compile: false })
      expect(read.layers.map(({ className }) => className)).toEqual(['Sequential', 'Sampling', 'Sequential'])
      read.dispose()
      const again = await trainVae(settings, scale)
      expect([again.testBound, again.digits, again.codes]).toEqual([first.testBound, first.digits, first.codes])
    })
  } finally {
    for (const spy of [log, write]) spy.mockRestore()
    rmSync(out, { recursive: true })
  }
})
