/** IMDB: made to order always, the real reviews from COTANGENT_DATA when it is set. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { beforeAll, describe, expect, test } from 'vitest'
import { tempDir } from '../../test/helpers.js'
import { bytesOf } from '../../test/pickles.js'
import { failure, fakeFetch, offline } from '../../test/tiny.js'
import { DatasetError } from '../errors.js'
import { nodeHost } from '../locating/host.js'
import { padSequences } from '../sequence/pad.js'
import { Tokenizer } from '../text/tokenizer.js'
import { getWordIndex, loadData, loadReviews } from './imdb.js'
import { type ImdbDataset, type ImdbOptions, loadImdb } from './load.js'
import type { SequenceOptions } from './sequences.js'

/** A machine with nothing on it but what `env` names. */
const bare = async (env: Record<string, string> = {}) => (await nodeHost({ env, home: await tempDir(), packageRoots: [] })) ?? null

async function fileOf(bytes: Uint8Array): Promise<string> {
  const path = join(await tempDir(), 'some.npz')
  await writeFile(path, bytes)
  return path
}

const plain = ({ xTrain, yTrain, xTest, yTest }: ImdbDataset) => [
  xTrain.map((x) => [...x]),
  [...yTrain.data],
  xTest.map((x) => [...x]),
  [...yTest.data],
]

describe('loadData', () => {
  // Expected: Keras' steps in Python, with NumPy's own generator; but maxlen as said in the doc comment.
  test.each<[SequenceOptions, (number | number[])[][]]>([
    [
      {},
      [
        [[1, 7, 8, 9, 10, 11], [1, 4, 5, 6], [1], [1, 12], [1, 5, 5, 5, 13], [1, 14, 4, 15]],
        [0, 1, 0, 1, 1, 0],
        [
          [1, 6, 7],
          [1, 2, 4, 5],
          [1, 10],
          [1, 8, 8, 8, 8, 8, 8],
        ],
        [0, 1, 0, 1],
      ],
    ],
    [
      { numWords: 8 },
      [
        [[1, 7, 2, 2, 2, 2], [1, 4, 5, 6], [1], [1, 2], [1, 5, 5, 5, 2], [1, 2, 4, 2]],
        [0, 1, 0, 1, 1, 0],
        [
          [1, 6, 7],
          [1, 2, 4, 5],
          [1, 2],
          [1, 2, 2, 2, 2, 2, 2],
        ],
        [0, 1, 0, 1],
      ],
    ],
    [
      { numWords: 9, skipTop: 5 },
      [
        [[2, 7, 8, 2, 2, 2], [2, 2, 5, 6], [2], [2, 2], [2, 5, 5, 5, 2], [2, 2, 2, 2]],
        [0, 1, 0, 1, 1, 0],
        [
          [2, 6, 7],
          [2, 2, 2, 5],
          [2, 2],
          [2, 8, 8, 8, 8, 8, 8],
        ],
        [0, 1, 0, 1],
      ],
    ],
    [
      { maxlen: 4 },
      [
        [[1], [1, 2]],
        [0, 1],
        [
          [1, 6, 7],
          [1, 10],
        ],
        [0, 0],
      ],
    ],
    [
      { startChar: null, oovChar: null, numWords: 8 },
      [
        [[7], [4, 5, 6], [], [], [5, 5, 5], [4]],
        [0, 1, 0, 1, 1, 0],
        [[6, 7], [4, 5], [], []],
        [0, 1, 0, 1],
      ],
    ],
    [
      { seed: 7, indexFrom: 0, oovChar: 0 },
      [
        [[1], [1, 11, 1, 12], [1, 1, 2, 3], [1, 9], [1, 4, 5, 6, 7, 8], [1, 2, 2, 2, 10]],
        [0, 0, 1, 1, 0, 1],
        [
          [1, 7],
          [1, 0, 1, 2],
          [1, 3, 4],
          [1, 5, 5, 5, 5, 5, 5],
        ],
        [0, 1, 0, 1],
      ],
    ],
  ])('%j', async (options, expected) => {
    const path = await fileOf(bytesOf('reviews npz'))
    expect(plain(await loadImdb({ path, verify: false, ...options }, await bare()))).toEqual(expected)
  })

  const load = async (name: string, options: ImdbOptions = {}, change = (bytes: Uint8Array) => bytes) =>
    failure(loadImdb({ path: await fileOf(change(bytesOf(name))), verify: false, ...options }, await bare()))

  test('a pickle that wants to execute something is refused by name', async () => {
    const message = await load('reviews npz with os.system')
    expect(message).toContain('some.npz: x_train.npy: pickle, byte')
    expect(message).toContain('it asks for "posix.system", which is refused')
    expect(existsSync('/tmp/pwned')).toBe(false)
  })
  test('an archive that lacks an array names it', async () => {
    expect(await load('reviews npz without y_test')).toContain('has no y_test.npy (it has x_train.npy, y_train.npy, x_test.npy)')
  })
  test('a truncated archive', async () => {
    expect(await load('reviews npz', {}, (bytes) => bytes.subarray(0, 700))).toContain(
      'no zip archive, or a truncated or damaged one, 700 bytes long',
    )
  })
  test('an archive that is not the published one, but for verify: false', async () => {
    expect(await load('reviews npz', { verify: true })).toMatch(
      /expected the 17464789 or 17464833 bytes of IMDB's imdb\.npz, found \d+ \(truncated\?\)/,
    )
  })
  test('a file that is not there', async () => {
    const path = join(await tempDir(), 'no.npz')
    expect(await failure(loadImdb({ path }, await bare()))).toContain(`${path} cannot be read: ENOENT`)
  })
  test.each<[string, ImdbOptions, string]>([
    ['a maxlen that leaves nothing', { maxlen: 1 }, 'no review is shorter than maxlen = 1, its start included; raise maxlen'],
    ['numWords of a half', { numWords: 0.5 }, 'imdb.loadData: numWords must be a whole number from 1 to 2147483647, got 0.5.'],
    ['a negative skipTop', { skipTop: -1 }, 'skipTop must be a whole number from 0 to 2147483647, got -1.'],
    ['another source', { from: 'csv' as 'npz' }, "from must be 'npz' or 'reviews', got text \"csv\"."],
  ])('refuses %s', async (_, options, message) => expect(await load('reviews npz', options)).toContain(message))

  test('nowhere: what to put where', async () => {
    const host = await bare()
    const message = await failure(loadImdb({ fetch: offline }, host))
    expect(message).toContain(
      `put imdb.npz (packed or unpacked) into ${host?.path(host.cacheRoot, 'imdb')}, or into a directory passed as { dir }`,
    )
    expect(message).toContain('https://storage.googleapis.com/tensorflow/tf-keras-datasets/imdb.npz: fetch failed')
  })

  test('downloads the archive as it is, and keeps nothing that is not it', async () => {
    const fetch = fakeFetch(() => new Response(new Uint8Array(bytesOf('reviews npz'))))
    const host = await bare()
    expect(await failure(loadImdb({ fetch }, host))).toContain('expected the 17464789 or 17464833 bytes')
    expect(fetch.asked).toEqual([
      'https://storage.googleapis.com/tensorflow/tf-keras-datasets/imdb.npz',
      'https://s3.amazonaws.com/text-datasets/imdb.npz',
    ])
    expect(await host?.list(host.path(host.cacheRoot, 'imdb'))).toEqual([])
  })
})

const root = process.env.COTANGENT_DATA
const absent = !root ? ' (COTANGENT_DATA is not set)' : existsSync(join(root, 'imdb/imdb.npz')) ? '' : ' (COTANGENT_DATA has no imdb)'

describe.skipIf(absent)(`the real reviews${absent}`, () => {
  let data: ImdbDataset
  beforeAll(async () => {
    data = await loadData({ numWords: 10000 })
  })

  test("document 002's first and last rows of 20, as printed", () => {
    const corners = (x: readonly Int32Array[]): number[][] => {
      const { shape, data } = padSequences(x, { maxlen: 20 })
      expect(shape).toEqual([25000, 20])
      return [0, 1, 2, 24997, 24998, 24999].map((row) => [0, 1, 2, 17, 18, 19].map((column) => data[row * 20 + column]))
    }
    expect(corners(data.xTrain)).toEqual([
      [65, 16, 38, 19, 178, 32],
      [23, 4, 1690, 16, 145, 95],
      [1352, 13, 191, 7, 129, 113],
      [11, 1818, 7561, 4, 3586, 2],
      [92, 401, 728, 12, 9, 23],
      [764, 40, 4, 204, 131, 9],
    ])
    expect(corners(data.xTest)).toEqual([
      [286, 170, 8, 14, 6, 717],
      [10, 10, 472, 125, 4, 3077],
      [34, 2, 45, 9, 57, 975],
      [226, 20, 272, 21, 846, 5518],
      [55, 117, 212, 2302, 7, 470],
      [19, 14, 20, 34, 2005, 2643],
    ])
    expect(padSequences(data.xTrain, { maxlen: 500 }).shape).toEqual([25000, 500])
    expect(padSequences(data.xTest, { maxlen: 500 }).shape).toEqual([25000, 500])
  })

  test('is as long as Keras says, half good and half bad, in one memory', async () => {
    const { xTrain, yTrain, xTest, yTest } = data
    expect([...xTrain[0].subarray(0, 12)]).toEqual([1, 14, 22, 16, 43, 530, 973, 1622, 1385, 65, 458, 4468])
    expect([xTrain[0].length, xTrain[1].length, xTest[0].length]).toEqual([218, 189, 68])
    const mean = (x: readonly Int32Array[]): number => x.reduce((sum, { length }) => sum + length, 0) / x.length
    expect([mean(xTrain), mean(xTest)]).toEqual([expect.closeTo(238.714, 3), expect.closeTo(230.804, 3)])
    expect(xTrain.reduce((max, { length }) => Math.max(max, length), 0)).toBe(2494)
    expect(yTrain.data.reduce((a, b) => a + b)).toBe(12500)
    expect([...yTest.data.subarray(0, 10)]).toEqual([0, 1, 1, 0, 1, 1, 1, 0, 0, 1])
    expect(new Set(xTrain.map(({ buffer }) => buffer)).size).toBe(1)
    // Four bytes a word, nothing more.
    expect(xTrain[0].buffer.byteLength).toBe(4 * xTrain.reduce((sum, { length }) => sum + length, 0))
    const all = await loadData()
    expect(all.xTrain.reduce((max, x) => x.reduce((a, b) => Math.max(a, b), max), 0)).toBeLessThan(88587)
  })

  test('numbers stand for the words of the review', async () => {
    const words = await getWordIndex()
    expect(words.size).toBe(88584)
    expect([...words.keys()].slice(0, 5)).toEqual(['the', 'and', 'a', 'of', 'to'])
    const byNumber = new Map([...words].map(([word, rank]) => [rank + 3, word]))
    expect(Array.from(data.xTrain[0].subarray(1, 10), (i) => byNumber.get(i)).join(' ')).toBe(
      'this film was just brilliant casting location scenery story',
    )
  })

  test('the same numbers are made from the raw texts', async () => {
    const made = await loadData({ numWords: 10000, from: 'reviews' })
    const digest = ({ xTrain, yTrain, xTest, yTest }: ImdbDataset): string => {
      const hash = createHash('sha256')
      for (const x of [xTrain, xTest]) for (const review of x) hash.update(`${review.length}:`).update(review)
      return hash.update(yTrain.data).update(yTest.data).digest('hex')
    }
    expect(digest(made)).toBe(digest(data))
  })

  test("document 002's texts: sequences of 100, a dictionary of all words", async () => {
    const { texts, labels, names } = await loadReviews()
    expect([names[0], names[12499], names[12500], names[24999]]).toEqual(['neg/0_3.txt', 'neg/9_1.txt', 'pos/0_9.txt', 'pos/9_7.txt'])
    const tokenizer = new Tokenizer({ numWords: 10000 }).fitOnTexts(texts)
    // Known from F. Chollet's book, which reads the same texts: "Found 88582 unique tokens."
    expect(tokenizer.wordIndex.size).toBe(88582)
    expect([...tokenizer.wordIndex.keys()].slice(0, 5)).toEqual(['the', 'and', 'a', 'of', 'to'])
    const x = padSequences(tokenizer.textsToSequences(texts), { maxlen: 100 })
    expect([x.shape, labels.shape]).toEqual([[25000, 100], [25000]])
    expect(x.data.reduce((max, index) => Math.max(max, index), 0)).toBe(9999)
  })

  test('refuses the archive with a byte changed', async () => {
    const dir = await tempDir()
    await writeFile(join(dir, 'imdb.npz'), new Uint8Array(17_464_833))
    await expect(loadData({ dir })).rejects.toThrow(DatasetError)
    await expect(loadData({ dir })).rejects.toThrow(
      "not IMDB's imdb.npz: expected SHA-256 69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f or ",
    )
  })
})
