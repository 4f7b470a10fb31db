/** Which words an embedding puts close to each other. */
import { ShapeError, showShape, ValueError } from '@cotangent/core'
import { describeValue, requireText } from '@cotangent/core/arguments'
import { type HostArray, readHost } from '../../host-data.js'
import { Embedding } from '../../layers/core/embedding.js'
import { readOptions } from '../../spelling/names.js'
import type { TableSection } from '../record.js'
import { type HostData, requireCount } from './images.js'
import { onHost } from './readings.js'

/** Options of `neighboursSection`. */
export interface NeighbourOptions {
  title?: string
  /** A sentence or two: how to read it. */
  says?: string
  /** Neighbours of a word; 5 by default. */
  count?: number
  /** Only words with a number below this are neighbours: the frequent ones, where the numbers say so. All by default. */
  among?: number
}

/**
 * The nearest words of an embedding, by the cosine of the angle between their vectors: 1 is the same direction, 0 a right angle.
 *
 * Shape: vectors [words, dimensions], or an embedding layer
 *
 * @param words the word of each number; undefined or empty where a number is no word
 * @param asked the words whose neighbours are looked for
 * @throws ValueError for a word that is not there, or words that are not as many as the vectors; ShapeError for vectors of another shape
 * @example
 * ```ts
 * const vectors = [[1, 0], [0.8, 0.6], [0, 1], [-1, 0]]
 * const { rows } = await neighboursSection(vectors, ['good', 'fine', 'long', 'bad'], ['good'], { count: 2 })
 * console.log(rows)   // [['good', 'fine 0.80', 'long 0.00']]
 * ```
 */
export async function neighboursSection(
  vectors: HostData | Embedding,
  words: readonly (string | undefined)[],
  asked: readonly string[],
  options?: NeighbourOptions,
): Promise<TableSection> {
  const what = 'neighboursSection'
  const { title, says, count, among } = readOptions(
    what,
    options,
    { title: 'Nearest words', says: undefined as string | undefined, count: 5, among: undefined as number | undefined },
    { says: requireText, count: requireCount, among: requireCount },
  )
  const table = await tableOf(what, vectors)
  const [size, wide] = table.shape
  if (!Array.isArray(words) || words.length > size)
    throw new ValueError(`${what}: words must be a list of at most ${size}, one for each vector, got ${describeValue(words)}.`)
  if (!Array.isArray(asked) || asked.length === 0)
    throw new ValueError(`${what}: say whose neighbours are asked for: a list of words, got ${describeValue(asked)}.`)
  const numbers = asked.map((word) => {
    const number = word ? words.indexOf(word) : -1
    if (number < 0) throw new ValueError(`${what}: ${describeValue(word)} is none of the ${words.length} words.`)
    return number
  })
  const candidates = Array.from({ length: Math.min(among ?? size, words.length) }, (_, number) => number).filter((number) => words[number])
  const length = (number: number): number => {
    let sum = 0
    for (let d = 0; d < wide; d++) sum += table.data[number * wide + d] ** 2
    return Math.sqrt(sum)
  }
  const lengths = new Map([...candidates, ...numbers].map((number) => [number, length(number)]))
  const cosine = (a: number, b: number): number => {
    let sum = 0
    for (let d = 0; d < wide; d++) sum += table.data[a * wide + d] * table.data[b * wide + d]
    const both = (lengths.get(a) as number) * (lengths.get(b) as number)
    return both > 0 ? sum / both : 0
  }
  const nearest = (number: number): string[] =>
    candidates
      .filter((other) => other !== number)
      .map((other) => ({ other, near: cosine(number, other) }))
      .sort((a, b) => b.near - a.near || a.other - b.other)
      .slice(0, count)
      .map(({ other, near }) => `${words[other]} ${near.toFixed(2)}`)
  const rows = numbers.map((number) => [words[number] as string, ...nearest(number)])
  const most = Math.max(...rows.map((row) => row.length))
  return {
    kind: 'table',
    title,
    says: says ?? `The nearest of ${candidates.length} words by the cosine of their vectors: 1 is the same direction, 0 a right angle.`,
    columns: ['word', ...Array.from({ length: most - 1 }, (_, i) => (i === 0 ? 'nearest' : String(i + 1)))],
    rows: rows.map((row) => [...row, ...new Array<null>(most - row.length).fill(null)]),
  }
}

async function tableOf(what: string, vectors: unknown): Promise<HostArray> {
  if (vectors instanceof Embedding) {
    const [table] = vectors.weights
    if (!table) throw new ValueError(`${what}: ${vectors.name} has no weights yet. Build the model first: model.build([null, …]).`)
    return requireFinite(what, await onHost(table))
  }
  const table = readHost(`${what}: vectors`, vectors)
  if (table.shape.length !== 2) throw new ShapeError(`${what}: vectors must be [words, dimensions], got ${showShape(table.shape)}.`)
  return requireFinite(what, table)
}

function requireFinite(what: string, table: HostArray): HostArray {
  const at = table.data.findIndex((value: number) => !Number.isFinite(value))
  if (at < 0) return table
  throw new ValueError(`${what}: the vector of word ${Math.floor(at / table.shape[1])} is not finite. The training has diverged.`)
}
