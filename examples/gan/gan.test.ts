/** The GAN: both losses by hand, both networks learn, and a short training with its files. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expectNoLeaks, foldKey, key, normal, type Tensor } from '@cotangent/core'
import { dense, flatten, Sequential } from '@cotangent/layers'
import { loadModel } from '@cotangent/layers/node'
import { describe, expect, test, vi } from 'vitest'
import { wellFormed } from '../test/xml.js'
import { trainGan } from './gan.js'
import { Gan, NOISE } from './network.js'
import { qualityOf, spread } from './quality.js'

const sizes = { generator: 8, discriminator: 8 }
const create = (): Gan => new Gan(sizes, { seed: 1, learningRate: 2e-4, steps: 1000 })
const images = normal(key(2), [6, 28, 28, 1]).tanh()
const stepKey = key(9)
const step = (gan: Gan) => gan.trainStep({ x: images, xs: [images], y: images, ys: [images], weights: [], key: stepKey })

/** The mean of log(1 + exp(sign·l)). */
async function cost(logits: Tensor, sign: number): Promise<number> {
  const values = [...(await logits.data())]
  return values.reduce((sum, l) => sum + Math.log1p(Math.exp(sign * l)), 0) / values.length
}

describe('a step', () => {
  test('the losses, by hand', async () => {
    const [gan, twin] = [create(), create()]
    const values = step(gan)
    const makes = (draw: number): Tensor => twin.generator.apply(normal(foldKey(stepKey, draw), [6, NOISE]), { training: true })
    const first = (await cost(twin.apply(images), -1)) + (await cost(twin.apply(makes(0)), 1))
    expect(await values.discriminator.item()).toBeCloseTo(first / 2, 5)
    // The generator learns from the discriminator as it is after its step.
    expect(await values.generator.item()).toBeCloseTo(await cost(gan.apply(makes(1)), -1), 5)
  })

  test('changes every weight of both networks', async () => {
    const gan = create()
    const both = async () => [...(await gan.getWeights()), ...(await gan.generator.getWeights())]
    const before = await both()
    step(gan)
    for (const [i, { name, data }] of (await both()).entries()) expect(data, name).not.toEqual(before[i].data)
    expect([gan.optimizer.iterations, gan.generatorOptimizer.iterations]).toEqual([1, 1])
  })

  test('the generator makes images with ink between −1 and 1', async () => {
    const made = create().generator.apply(normal(key(1), [3, NOISE]))
    expect(made.shape).toEqual([3, 28, 28, 1])
    for (const value of await made.data()) expect(Math.abs(value)).toBeLessThanOrEqual(1)
  })
})

test('quality counts only the images that the reader is sure of', async () => {
  // Each pixel of a row has the weight of one class: 9 ones there make it sure, one does not.
  const reader = new Sequential([flatten({ inputShape: [28, 28, 1] }), dense(10, { activation: 'softmax' })])
  const kernel = new Float32Array(784 * 10)
  for (let pixel = 0; pixel < 280; pixel++) kernel[pixel * 10 + Math.floor(pixel / 28)] = 1
  reader.setWeights([
    { data: kernel, shape: [784, 10] },
    { data: new Float32Array(10), shape: [10] },
  ])
  const data = new Float32Array(4 * 784)
  const ink = (image: number, row: number, count: number): void => void data.fill(1, image * 784 + row * 28, image * 784 + row * 28 + count)
  ink(0, 3, 9)
  ink(1, 3, 12)
  ink(2, 7, 9)
  ink(3, 7, 1)
  const quality = await qualityOf(reader, { data, shape: [4, 28, 28, 1] })
  expect(quality).toEqual({ sure: 0.75, classes: [0, 0, 0, 2, 0, 0, 0, 1, 0, 0] })
  expect(spread(quality)).toContain('3 66.7 %, 4 0.0 %')
})

test('a short training: the same for the same seed, writes its files, leaves nothing behind', async () => {
  const out = mkdtempSync(join(tmpdir(), 'gan-'))
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined)
  const write = vi.spyOn(process.stdout, 'write').mockImplementation(() => true)
  const settings = { seed: 3, epochs: 2, 'batch-size': 16, limit: 48 }
  const scale = { sizes, made: 20, test: 20 }
  try {
    await expectNoLeaks(async () => {
      const first = await trainGan({ ...settings, out }, scale)
      expect(Object.keys(first.history)).toEqual(['discriminator', 'generator', 'right'])
      expect(first.history.discriminator.every((loss) => loss > 0 && loss < 2)).toBe(true)
      expect(readdirSync(out).sort()).toEqual(['gan.svg', 'generator.keras'])
      expect(readFileSync(join(out, 'gan.svg'), 'utf8')).toBe(first.svg)
      expect(wellFormed(first.svg)).toBe(true)
      expect([...first.svg.matchAll(/>epoch (\d)</g)].map(([, epoch]) => epoch)).toEqual(['1', '2'])
      const read = await loadModel(join(out, 'generator.keras'))
      expect(read.inputPorts[0].shape).toEqual([null, NOISE])
      read.dispose()
      const again = await trainGan(settings, scale)
      expect([again.svg, again.quality]).toEqual([first.svg, first.quality])
    })
  } finally {
    for (const spy of [log, write]) spy.mockRestore()
    rmSync(out, { recursive: true })
  }
})
