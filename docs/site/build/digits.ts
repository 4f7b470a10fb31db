/**
 * Real digits for the pages: every fifth of MNIST's, so that the share of neat writers is that of the whole. The files are as MNIST's own, IDX packed with gzip; they
 * are named .bin, so that no server unpacks them on the way.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { mnist, type NDArray } from '@cotangent/datasets'
import { out } from './places.js'

/** The content of data/digits.json. */
export type DigitsNote = { readonly train: number; readonly test: number; readonly bytes: number } | { readonly missing: string }

const EVERY = 5

/** Every fifth sample as an IDX file of bytes: two zeros, the type uint8, the number of axes, the sizes, the elements. */
function everyFifth({ shape, data }: NDArray): Buffer {
  const size = data.length / shape[0]
  const count = Math.floor(shape[0] / EVERY)
  const header = Buffer.alloc(4 + 4 * shape.length)
  header.set([0, 0, 8, shape.length])
  ;[count, ...shape.slice(1)].forEach((n, axis) => {
    header.writeUInt32BE(n, 4 + 4 * axis)
  })
  const rows = Array.from({ length: count }, (_, i) => (data as Uint8Array).subarray(i * EVERY * size, (i * EVERY + 1) * size))
  return Buffer.concat([header, ...rows])
}

/** Writes data/digits-*.bin and data/digits.json. Without data the site is built all the same; digits.json then says why, and the pages say so. */
export async function digits(): Promise<void> {
  const folder = join(out, 'data')
  mkdirSync(folder, { recursive: true })
  const note = (content: DigitsNote): void => writeFileSync(join(folder, 'digits.json'), JSON.stringify(content))
  try {
    const { xTrain, yTrain, xTest, yTest } = await mnist.loadData()
    const files = { 'train-images': xTrain, 'train-labels': yTrain, 'test-images': xTest, 'test-labels': yTest }
    let bytes = 0
    for (const [name, array] of Object.entries(files)) {
      const packed = gzipSync(everyFifth(array), { level: 9 })
      bytes += packed.length
      writeFileSync(join(folder, `digits-${name}.bin`), packed)
    }
    note({ train: Math.floor(xTrain.shape[0] / EVERY), test: Math.floor(xTest.shape[0] / EVERY), bytes })
  } catch (error) {
    console.warn(`The site has no digits, and its pages will say so: ${(error as Error).message}`)
    note({ missing: 'This site was built where MNIST was not at hand.' })
  }
}
