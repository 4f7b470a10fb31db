/** GloVe: lines made to order always, the real vectors from COTANGENT_DATA when it is set. */
import { existsSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { gzip, tempDir } from '../../test/helpers.js'
import { failure } from '../../test/tiny.js'
import { ndarray } from '../array.js'
import { DatasetError } from '../errors.js'
import { eachLine } from '../formats/lines.js'
import { getWordIndex, loadReviews } from '../imdb/imdb.js'
import { nodeHost } from '../locating/host.js'
import { Tokenizer } from '../text/tokenizer.js'
import { embeddingMatrix, loadVectors, readVectors } from './glove.js'
import { type GloveOptions, loadVectorsOn } from './load.js'

const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)

/** A stream in parts of a size, so that lines are cut anywhere. */
function parts(content: Uint8Array<ArrayBuffer>, size: number): ReadableStream<Uint8Array> {
  let at = 0
  return new ReadableStream({
    pull(controller) {
      if (at >= content.length) return controller.close()
      controller.enqueue(content.slice(at, at + size))
      at += size
    },
  })
}

describe('eachLine', () => {
  test.each([1, 2, 3, 5, 100])('in parts of %i bytes', async (size) => {
    const lines: string[] = []
    await eachLine(parts(bytes('a\nbé\r\n\nlast'), size), (line, number) => lines.push(`${number} ${new TextDecoder().decode(line)}`))
    expect(lines).toEqual(['1 a', '2 bé', '3 ', '4 last'])
  })
  test('a line without end is an error before it fills the memory', async () => {
    const endless = new ReadableStream<Uint8Array>({ pull: (controller) => controller.enqueue(new Uint8Array(1 << 16)) })
    await expect(eachLine(endless, () => {}, 'x.txt')).rejects.toThrow('x.txt: line 1 is longer than 1048576 bytes: is it a text file?')
  })
  test('nothing after the last end, and nothing of nothing', async () => {
    let count = 0
    for (const text of ['a\n', '']) await eachLine(parts(bytes(text), 9), () => count++)
    expect(count).toBe(1)
  })
})

const three = 'the 0.1 -2 3e-1\ncafé 4 5 6\nthe 7 7 7\n'

describe('readVectors', () => {
  test('all words, the first vector of each', async () => {
    const { rows, vectors, lines } = await readVectors(parts(bytes(three), 4), { dim: 3 })
    expect([...rows]).toEqual([
      ['the', 0],
      ['café', 1],
    ])
    expect(vectors).toEqual({ shape: [2, 3], data: Float32Array.of(0.1, -2, 0.3, 4, 5, 6) })
    expect(lines).toBe(3)
  })
  test('only the words asked for; numbers of others are not looked at', async () => {
    const { rows, vectors } = await readVectors(parts(bytes(`odd x y z\n${three}`), 7), { dim: 3, words: ['café', 'tea'] })
    expect([...rows]).toEqual([['café', 0]])
    expect([...vectors.data]).toEqual([4, 5, 6])
  })
  test('more words than there was room for', async () => {
    const many = Array.from({ length: 3000 }, (_, i) => `w${i} ${i} ${-i}`).join('\n')
    const { rows, vectors } = await readVectors(parts(bytes(many), 1000), { dim: 2 })
    expect([rows.size, vectors.shape, vectors.data[2 * 2999]]).toEqual([3000, [3000, 2], 2999])
  })
  test.each<[string, string, string]>([
    ['a line too short', `${three}tea 1 2\n`, 'x.txt: line 4 ("tea"): expected 3 numbers after the word, found 2'],
    ['a line too long', `tea 1 2 3 4\n${three}`, 'x.txt: line 1 ("tea"): expected 3 numbers after the word, found 4'],
    ['an empty line', 'the 1 2 3\n\n', 'x.txt: line 2 (""): expected 3 numbers after the word, found 0'],
    [
      'a header',
      `2 3\n${three}`,
      'x.txt: line 1 ("2"): expected 3 numbers after the word, found 1 (the header of a word2vec file? remove that line)',
    ],
    ['what is no number', 'the 1 2 3\ntea 1 b 3', 'x.txt: line 2 ("tea"): "b" is not a number'],
    ['two blanks', 'the 1  3', 'x.txt: line 1 ("the"): "" is not a number'],
    ['no lines', '', 'x.txt: the file is empty'],
  ])('refuses %s', async (_, text, message) => {
    expect(await failure(readVectors(parts(bytes(text), 6), { dim: 3, name: 'x.txt' }))).toBe(message)
  })
})

describe('loadVectors', () => {
  const load = async (options: GloveOptions, env = {}) =>
    loadVectorsOn(options, await nodeHost({ env, home: await tempDir(), packageRoots: [] }))

  test('packed and unpacked, from a path and from the places', async () => {
    const dir = await tempDir()
    await writeFile(join(dir, 'glove.6B.3d.txt.gz'), gzip(bytes(three)))
    await writeFile(join(dir, 'other.txt'), three)
    for (const options of [{ dir }, { path: join(dir, 'other.txt') }]) {
      expect((await load({ dim: 3, ...options })).vectors.shape).toEqual([2, 3])
    }
    expect((await load({ dim: 3 }, { COTANGENT_DATA: dir })).source).toBe(join(dir, 'glove.6B.3d.txt.gz'))
  })
  test('truncated gzip data, a wrong line inside gzip data', async () => {
    const dir = await tempDir()
    const path = join(dir, 'glove.6B.3d.txt.gz')
    await writeFile(path, gzip(bytes(three)).subarray(0, 30))
    expect(await failure(load({ dir, dim: 3 }))).toContain(`${path}: cannot be read, or truncated or damaged gzip data`)
    await writeFile(path, gzip(bytes(`${three}tea 1\n`.repeat(50000))))
    expect(await failure(load({ dir, dim: 3 }))).toContain(`${path}: line 4 ("tea"): expected 3 numbers`)
  })
  test('nowhere: what to put where', async () => {
    const message = await failure(load({ dim: 50 }))
    expect(message).toMatch(/^GloVe is not on this machine: download glove\.6B\.zip \(822 MB\) from .*unpack glove\.6B\.50d\.txt/)
    expect(await failure(load({ path: '/nowhere/x.txt' }))).toContain('/nowhere/x.txt is no file')
    expect(await failure(load({ dim: 0 }))).toContain('glove.loadVectors: dim must be a whole number from 1 to 65536, got 0.')
  })
})

test('a whole word index in the place of its words is an error, not an empty table', async () => {
  const { wordIndex } = new Tokenizer().fitOnTexts(['the cat'])
  const run = readVectors(new Blob(['the 1 2 3\n']).stream(), { dim: 3, words: wordIndex as unknown as Iterable<string> })
  expect(await failure(run)).toBe(
    'glove.readVectors: words must be a list of words, but holds an array of 2. Of a Tokenizer, pass wordIndex.keys().',
  )
  expect(await failure(readVectors(new Response('a 1') as unknown as ReadableStream<Uint8Array>))).toMatch(
    /got a Response\. Pass its body\.$/,
  )
})

test.each([
  ['1e39', 'x.txt: line 2 ("tea"): "1e39" is beyond float32'],
  ['-1e39', '"-1e39" is beyond float32'],
  ['0x10', '"0x10" is not a number'],
  ['Infinity', '"Infinity" is not a number'],
])('the number %s', async (number, message) => {
  const text = `the 1 2 3.4e38\ntea 1 2 ${number}\n`
  expect(await failure(readVectors(new Blob([text]).stream(), { dim: 3, name: 'x.txt' }))).toContain(message)
})

describe('embeddingMatrix', () => {
  const words = {
    rows: new Map([
      ['cat', 0],
      ['dog', 1],
    ]),
    vectors: ndarray(Float32Array.of(1, 2, 3, 4), [2, 2]),
  }
  const index = new Map([
    ['the', 1],
    ['dog', 2],
    ['cat', 3],
  ])

  test('rows by index, zeros for the rest, what is missing by name', () => {
    expect(embeddingMatrix(index, words)).toEqual({
      matrix: { shape: [4, 2], data: Float32Array.of(0, 0, 0, 0, 3, 4, 1, 2) },
      found: 2,
      missing: ['the'],
    })
    expect(embeddingMatrix(index, words, { numWords: 3 }).matrix.data).toEqual(Float32Array.of(0, 0, 0, 0, 3, 4))
    expect(embeddingMatrix(index, words, { numWords: 6 }).matrix.shape).toEqual([6, 2])
  })
  test.each<[string, () => unknown, string]>([
    ['another dim', () => embeddingMatrix(index, words, { dim: 3 }), 'dim is 3, but the vectors have 2 numbers each'],
    [
      'no words',
      () => embeddingMatrix(index, words, { numWords: 0 }),
      'glove.embeddingMatrix: numWords must be a whole number, at least 1, got 0.',
    ],
    ['an index that is none', () => embeddingMatrix(new Map([['a', 0.5]]), words, { numWords: 3 }), 'the index of "a" is 0.5'],
  ])('refuses %s', (_, run, message) => {
    expect(run).toThrow(DatasetError)
    expect(run).toThrow(message)
  })
})

const root = process.env.COTANGENT_DATA
const absent = !root ? ' (COTANGENT_DATA is not set)' : existsSync(join(root, 'glove')) ? '' : ' (COTANGENT_DATA has no glove)'

/** `embedding_matrix[1]` as document 002 prints it. */
const printed = `-0.038194   -0.24487001  0.72812003 -0.39961001  0.083172    0.043953
 -0.39140999  0.3344     -0.57545     0.087459    0.28786999 -0.06731
  0.30906001 -0.26383999 -0.13231    -0.20757     0.33395001 -0.33848
 -0.31742999 -0.48335999  0.1464     -0.37303999  0.34577     0.052041
  0.44946    -0.46970999  0.02628    -0.54154998 -0.15518001 -0.14106999
 -0.039722    0.28277001  0.14393     0.23464    -0.31020999  0.086173
  0.20397     0.52623999  0.17163999 -0.082378   -0.71787    -0.41531
  0.20334999 -0.12763     0.41367     0.55186999  0.57907999 -0.33476999
 -0.36559001 -0.54856998 -0.062892    0.26583999  0.30204999  0.99774998
 -0.80480999 -3.0243001   0.01254    -0.36941999  2.21670008  0.72201002
 -0.24978     0.92136002  0.034514    0.46744999  1.10790002 -0.19358
 -0.074575    0.23353    -0.052062   -0.22044     0.057162   -0.15806
 -0.30798    -0.41624999  0.37972     0.15006    -0.53211999 -0.20550001
 -1.25259995  0.071624    0.70564997  0.49744001 -0.42063001  0.26148
 -1.53799999 -0.30223    -0.073438   -0.28312001  0.37103999 -0.25217
  0.016215   -0.017099   -0.38984001  0.87423998 -0.72569001 -0.51058
 -0.52028    -0.1459      0.82779998  0.27061999`

describe.skipIf(absent)(`the real vectors${absent}`, () => {
  test("document 002's embedding_matrix[1], as printed", async () => {
    const { texts } = await loadReviews()
    const { wordIndex } = new Tokenizer({ numWords: 10000 }).fitOnTexts(texts)
    const vectors = await loadVectors({ words: wordIndex.keys() })
    expect(vectors.lines).toBe(18879)
    const { matrix, found, missing } = embeddingMatrix(wordIndex, vectors, { numWords: 10000 })
    expect(matrix.shape).toEqual([10000, 100])
    // NumPy prints eight digits, without zeros at the end.
    expect(Array.from(matrix.data.subarray(100, 200), (x) => String(Number(x.toFixed(8))))).toEqual(
      printed
        .trim()
        .split(/\s+/)
        .map((x) => String(Number(x))),
    )
    expect(found + missing.length).toBe(9999)
    expect(found).toBeGreaterThan(9600)
  })

  test("covers the words of IMDB's own index that its list says", async () => {
    const ranks = [...(await getWordIndex())].filter(([, rank]) => rank <= 10000)
    const vectors = await loadVectors({ words: ranks.map(([word]) => word) })
    const { found, missing } = embeddingMatrix(new Map(ranks), vectors, { numWords: 10001 })
    expect(found).toBe(9682)
    const listed = JSON.parse(readFileSync(join(root!, 'glove/imdb_top10000_missing_from_subset.json'), 'utf8')) as unknown
    expect(missing).toHaveLength(318)
    expect(JSON.stringify(listed)).toContain(JSON.stringify(missing[0]).slice(1, -1))
  })
})
