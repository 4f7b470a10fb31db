/** GloVe's text files: where they are, and reading one line by line. */
import { type Check, type Checks, describeValue, quoted, readOptions, requireIterable, requireText, whole } from '../arguments.js'
import { allocate, type NDArray, ndarray } from '../array.js'
import { DatasetError, reasonOf } from '../errors.js'
import { eachLine } from '../formats/lines.js'
import { type Host, nodeHost } from '../locating/host.js'

export interface GloveOptions {
  /** The file itself, packed with gzip or not, in place of the places that are searched. */
  path?: string
  /** Directory with the file, or with a folder `glove` that holds it. No other place is then tried. */
  dir?: string
  /** Numbers in a vector, which chooses the file `glove.6B.<dim>d.txt`; 100 by default. */
  dim?: number
  /** Only these words; all by default. A Tokenizer's `wordIndex.keys()` will do. */
  words?: Iterable<string>
}

/** Published vectors have at most 300 numbers. */
export const requireDim = whole({ least: 1, most: 2 ** 16 })

export const requireWords: Check = (what, name, value) => requireIterable(what, name, value, 'a list of words')

const checks: Checks<GloveOptions> = { path: requireText, dir: requireText, dim: requireDim, words: requireWords }

/**
 * The words that are wanted; undefined for all.
 *
 * @throws DatasetError if an item is no text. (A Tokenizer's `wordIndex` itself is a list of pairs, and no word of the file would be among them.)
 */
export function wantedOf(what: string, words: Iterable<string> | undefined): ReadonlySet<string> | undefined {
  if (words === undefined) return undefined
  const wanted = new Set(words)
  for (const word of wanted) {
    if (typeof word === 'string') continue
    throw new DatasetError(
      `${what}: words must be a list of words, but holds ${describeValue(word)}. Of a Tokenizer, pass wordIndex.keys().`,
    )
  }
  return wanted
}

/** Vectors of words. */
export interface WordVectors {
  /** Row of each word, in the order of the file. */
  readonly rows: ReadonlyMap<string, number>
  /** [words, dim] */
  readonly vectors: NDArray<Float32Array>
  /** Lines in the file. */
  readonly lines: number
  /** The place that they came from, in words. */
  readonly source: string
}

const space = 0x20

/** Vectors that grow as lines are read. */
class Rows {
  #data: Float32Array
  readonly rows = new Map<string, number>()
  readonly dim: number

  constructor(dim: number, words: number) {
    this.dim = dim
    this.#data = allocate('glove', Float32Array, dim * Math.max(1, words))
  }

  add(word: string, numbers: Uint8Array): void {
    const row = this.rows.size
    if ((row + 1) * this.dim > this.#data.length) {
      const larger = new Float32Array(this.#data.length * 2)
      larger.set(this.#data)
      this.#data = larger
    }
    const text = ascii.decode(numbers)
    const parts = text.split(' ')
    // Number() knows more than decimals: 0x10 and Infinity.
    const decimal = !/[^\d .eE+-]/.test(text)
    for (let i = 0; i < this.dim; i++) {
      const part = parts[i]
      const number = Math.fround(Number(part))
      if (!Number.isFinite(number) || part === '' || !(decimal || /^[\d.eE+-]+$/.test(part))) {
        const problem = Number.isFinite(Number(part)) && decimal && part !== '' ? 'is beyond float32' : 'is not a number'
        throw new DatasetError(`("${word}"): ${quoted(part)} ${problem}`)
      }
      this.#data[row * this.dim + i] = number
    }
    this.rows.set(word, row)
  }

  vectors(): NDArray<Float32Array> {
    return ndarray(this.#data.slice(0, this.rows.size * this.dim), [this.rows.size, this.dim])
  }
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })
const ascii = new TextDecoder('latin1')

/**
 * Reads vectors from a stream of lines. A word that comes twice keeps its first vector.
 *
 * @throws DatasetError if a line has more or fewer numbers than `dim`, a wanted line has anything but numbers, or there are no lines; with the number of the line.
 */
export async function readVectors(
  stream: ReadableStream<Uint8Array>,
  where: string,
  dim: number,
  wanted?: ReadonlySet<string>,
): Promise<{ rows: Map<string, number>; vectors: NDArray<Float32Array>; lines: number }> {
  const rows = new Rows(dim, wanted?.size ?? 1024)
  let lines = 0
  await eachLine(
    stream,
    (line, number) => {
      lines = number
      const end = line.indexOf(space)
      const word = utf8.decode(end < 0 ? line : line.subarray(0, end))
      let numbers = 0
      // One number after each blank; GloVe has no others.
      for (let i = Math.max(end, 0); i < line.length; i++) if (line[i] === space) numbers++
      if (numbers !== dim) {
        const guess = numbers === 1 ? ' (the header of a word2vec file? remove that line)' : ''
        throw new DatasetError(
          `${where}: line ${number} ("${word.slice(0, 40)}"): expected ${dim} numbers after the word, found ${numbers}${guess}`,
        )
      }
      if ((wanted && !wanted.has(word)) || rows.rows.has(word)) return
      try {
        rows.add(word, line.subarray(end + 1))
      } catch (error) {
        throw error instanceof DatasetError ? new DatasetError(`${where}: line ${number} ${error.message}`) : error
      }
    },
    where,
  )
  if (lines === 0) throw new DatasetError(`${where}: the file is empty`)
  return { rows: rows.rows, vectors: rows.vectors(), lines }
}

/** The file's bytes, unpacked on the way if it is packed. */
function open(host: Host, path: string): ReadableStream<Uint8Array> {
  const stream = host.stream(path)
  return path.endsWith('.gz')
    ? stream.pipeThrough(new DecompressionStream('gzip') as unknown as TransformStream<Uint8Array, Uint8Array>)
    : stream
}

async function find(host: Host, options: GloveOptions, dim: number): Promise<string> {
  const { path, dir } = options
  if (path !== undefined) {
    const at = host.path(path)
    if (await host.isFile(at)) return at
    throw new DatasetError(`GloVe: ${at} is no file; pass the path of glove.6B.${dim}d.txt or another file of lines "word n1 … n${dim}"`)
  }
  const data = host.variable('COTANGENT_DATA')
  const given = dir === undefined ? [...(data === undefined ? [] : [data]), host.cacheRoot] : [dir]
  const folders = given.flatMap((at) => [host.path(at, 'glove'), host.path(at)])
  const name = `glove.6B.${dim}d`
  for (const folder of folders) {
    for (const file of [`${name}.txt`, `${name}.txt.gz`]) {
      const at = host.path(folder, file)
      if (await host.isFile(at)) return at
    }
    // A part of it that has the words of IMDB.
    const part = host.path(folder, `${name}.imdb20k.txt.gz`)
    if (await host.isFile(part)) return part
  }
  const where = dir === undefined ? host.path(host.cacheRoot, 'glove') : host.path(dir)
  throw new DatasetError(
    `GloVe is not on this machine: download glove.6B.zip (822 MB) from https://nlp.stanford.edu/projects/glove/, unpack ${name}.txt ` +
      `(packed with gzip or not) into ${where}, or into a directory passed as { dir } or named by COTANGENT_DATA, or pass its { path }.` +
      `\nTried:${folders.map((folder) => `\n  - ${folder}`).join('')}`,
  )
}

/** `glove.loadVectors`; `on` stands in for this machine in tests, null is a browser. */
export async function loadVectorsOn(given: GloveOptions, on?: Host | null): Promise<WordVectors> {
  const what = 'glove.loadVectors'
  const options = readOptions(what, given, checks)
  const { dim = 100 } = options
  const words = wantedOf(what, options.words)
  const host = on === undefined ? await nodeHost() : on
  if (!host) throw new DatasetError('GloVe: a page has no files; pass the body of a response to glove.readVectors')
  const path = await find(host, options, dim)
  try {
    return { ...(await readVectors(open(host, path), path, dim, words)), source: path }
  } catch (error) {
    if (error instanceof DatasetError) throw error
    throw new DatasetError(`${path}: cannot be read, or truncated or damaged gzip data (${reasonOf(error)})`, { cause: error })
  }
}
