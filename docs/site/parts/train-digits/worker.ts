/** Trains the network of the front page, reads digits with it while it learns, and looks up what it misread. */
import { scope, tensor, useBackend } from '@cotangent/core'
import type { Sequential } from '@cotangent/layers'
import { type Digits, inked, loadDigits, PIXELS, SIDE } from '../shared/digits.js'
import { serve, type Tell } from '../shared/serve.js'
import { digitReader } from './network.js'

const CLASSES = 10
const EPOCHS = 5
const BATCH = 64
/** Milliseconds from one look at the test digits to the next; and looks take at most this share of the time. */
const LOOK = 300
const SHARE = 0.25
/** Milliseconds from one line of progress to the next. */
const LINE = 80

export interface Batch {
  readonly kind: 'batch'
  /** Digits that it learned from so far, and in all. */
  readonly seen: number
  readonly all: number
  readonly epoch: number
  readonly epochs: number
  /** The mean over the epoch so far. */
  readonly loss: number
  /** Since the click. */
  readonly seconds: number
}

export interface Look {
  readonly kind: 'look'
  /** counts[10·truth + read] of all test digits. */
  readonly counts: readonly number[]
  readonly right: number
  readonly count: number
  readonly seen: number
  /** The weights of the first layer: [5, 5, 1, 8]. */
  readonly filters: Float32Array
}

/** A digit of the test set, and what the network reads now. */
export interface ReadDigit {
  readonly index: number
  readonly image: Uint8Array
  readonly truth: number
  readonly probabilities?: readonly number[]
}

export type Progress = { readonly kind: 'data'; readonly share: number } | Batch | Look

let digits: Promise<{ train: Digits; test: Digits; x: Float32Array; xTest: Float32Array }> | undefined
let model: Sequential | undefined
/** Probabilities of each test digit at the last look, [n, 10]. */
let said: Float32Array | undefined

function load(onLoaded: (share: number) => void): NonNullable<typeof digits> {
  digits ??= loadDigits(onLoaded).then(
    ({ train, test }) => ({ train, test, x: inked(train), xTest: inked(test) }),
    (error) => {
      digits = undefined // the next click tries again
      throw error
    },
  )
  return digits
}

const best = (values: ArrayLike<number>, at = 0): number => {
  let most = 0
  for (let c = 1; c < CLASSES; c++) if (values[at + c] > values[at + most]) most = c
  return most
}
const rowOf = (values: Float32Array, i: number): number[] => Array.from(values.subarray(i * CLASSES, (i + 1) * CLASSES))

export const functions = {
  /** Trains a new network. All that it draws comes from the seed. */
  async train(seed: number, tell?: Tell): Promise<{ right: number; count: number; seconds: number }> {
    const begun = performance.now()
    const seconds = (): number => (performance.now() - begun) / 1000
    const { train, test, x, xTest } = await load((share) => tell?.({ kind: 'data', share } satisfies Progress))
    await useBackend('wasm')
    model?.dispose()
    const reader = digitReader(seed)
    model = reader
    let seen = 0
    const look = async (): Promise<Look> => {
      const outputs = await reader.predict({ data: xTest, shape: [test.count, SIDE, SIDE, 1] }, { batchSize: 250 })
      said = (await outputs.data()) as Float32Array
      outputs.dispose()
      const counts = new Array<number>(CLASSES * CLASSES).fill(0)
      for (let i = 0; i < test.count; i++) counts[CLASSES * test.labels[i] + best(said, CLASSES * i)]++
      const [filters] = await reader.getWeights()
      const right = counts.reduce((sum, n, cell) => (cell % (CLASSES + 1) === 0 ? sum + n : sum), 0)
      return { kind: 'look', counts, right, count: test.count, seen, filters: filters.data as Float32Array }
    }
    let next = 0
    let told = 0
    let epoch = 0
    await reader.fit({ data: x, shape: [train.count, SIDE, SIDE, 1] }, train.labels, {
      epochs: EPOCHS,
      batchSize: BATCH,
      verbose: 0,
      callbacks: [
        {
          onEpochBegin: (e) => {
            epoch = e
          },
          async onBatchEnd(batch, { loss }) {
            seen = epoch * train.count + Math.min((batch + 1) * BATCH, train.count)
            const now = performance.now()
            if (now - told > LINE) {
              const all = EPOCHS * train.count
              tell?.({ kind: 'batch', seen, all, epoch: epoch + 1, epochs: EPOCHS, loss, seconds: seconds() } satisfies Progress)
              told = now
            }
            if (now > next) {
              tell?.(await look())
              const end = performance.now()
              next = end + Math.max(LOOK, (end - now) / SHARE)
            }
          },
        },
      ],
    })
    const last = await look()
    tell?.(last)
    return { right: last.right, count: last.count, seconds: seconds() }
  },

  /** The ten probabilities of a digit, [28, 28] from 0 to 1; undefined while there is no network. */
  async read(pixels: Float32Array): Promise<readonly number[] | undefined> {
    if (!model?.built) return undefined
    const reader = model
    const outputs = scope(() => reader.apply(tensor(pixels, { shape: [1, SIDE, SIDE, 1] })))
    const probabilities = Array.from(await outputs.data())
    outputs.dispose()
    return probabilities
  },

  /** Ten digits of the test set, one of each class; another `turn` gives others. */
  async examples(turn: number): Promise<ReadDigit[]> {
    const { test } = await load(() => {})
    return Array.from({ length: CLASSES }, (_, truth) => {
      const all = Array.from(test.labels.keys()).filter((i) => test.labels[i] === truth)
      return digit(test, all[(7 * turn) % all.length])
    })
  },

  /** The probabilities that the network gives now to digits of the test set. */
  reads(indices: readonly number[]): (number | undefined)[] {
    return indices.map((i) => said && best(said, CLASSES * i))
  },

  /** Test digits of one class that were read as another, those of which it is most sure first. */
  async cell(truth: number, read: number, most: number): Promise<ReadDigit[]> {
    const { test } = await load(() => {})
    const values = said
    if (!values) return []
    return Array.from(test.labels.keys())
      .filter((i) => test.labels[i] === truth && best(values, CLASSES * i) === read)
      .sort((a, b) => values[CLASSES * b + read] - values[CLASSES * a + read] || a - b)
      .slice(0, most)
      .map((i) => digit(test, i))
  },
}

const digit = ({ images, labels }: Digits, index: number): ReadDigit => ({
  index,
  truth: labels[index],
  image: images.slice(index * PIXELS, (index + 1) * PIXELS),
  ...(said && { probabilities: rowOf(said, index) }),
})

serve(functions)
