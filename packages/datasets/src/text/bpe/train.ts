/**
 * Learning merges from texts (Sennrich, Haddow, Birch, "Neural machine translation of rare words with subword units", ACL 2016, on bytes).
 *
 * Different pieces are kept once, with their number. A merge changes only the pieces that its pair is in. Only pairs with the newest token
 * can become more frequent, so a pair in the heap whose number fell is put back when it comes up.
 */
import { characters } from './alphabet.js'
import { Heap } from './heap.js'
import { pairKey } from './merging.js'
import { type PatternName, piecesOf } from './patterns.js'

interface Piece {
  ids: number[]
  readonly count: number
}

interface Pair {
  readonly left: number
  readonly right: number
  readonly count: number
}

const encoder = new TextEncoder()

/** The pairs to merge, in their order; fewer than `most` if none is left that occurs `minCount` times. The k-th makes the id 256 + k. */
export function learnMerges(
  what: string,
  texts: Iterable<string>,
  pattern: PatternName,
  most: number,
  minCount: number,
): [number, number][] {
  const counts = new Map<string, number>()
  for (const text of texts) for (const piece of piecesOf(what, text, pattern)) counts.set(piece, (counts.get(piece) ?? 0) + 1)
  const pieces: Piece[] = Array.from(counts, ([text, count]) => ({ ids: [...encoder.encode(text)], count }))

  const pairCounts = new Map<number, number>()
  const places = new Map<number, number[]>()
  const waiting = new Heap((a: Pair, b: Pair) => b.count - a.count || a.left - b.left || a.right - b.right)
  /** Adds the pairs of a piece to the numbers, or takes them away. */
  const tally = ({ ids, count }: Piece, sign: 1 | -1): void => {
    for (let i = 0; i + 1 < ids.length; i++) {
      const key = pairKey(ids[i], ids[i + 1])
      pairCounts.set(key, (pairCounts.get(key) ?? 0) + sign * count)
    }
  }
  /** Notes where pairs are that have one of the ids `from` onwards. */
  const note = ({ ids }: Piece, index: number, from: number, into: Map<number, Pair>): void => {
    for (let i = 0; i + 1 < ids.length; i++) {
      const [left, right] = [ids[i], ids[i + 1]]
      if (left < from && right < from) continue
      const key = pairKey(left, right)
      const list = places.get(key)
      if (list === undefined) places.set(key, [index])
      else if (list.at(-1) !== index) list.push(index)
      into.set(key, { left, right, count: 0 })
    }
  }
  const enqueue = (pairs: Map<number, Pair>): void => {
    for (const [key, { left, right }] of pairs) waiting.push({ left, right, count: pairCounts.get(key)! })
  }

  const first = new Map<number, Pair>()
  pieces.forEach((piece, index) => {
    tally(piece, 1)
    note(piece, index, 0, first)
  })
  enqueue(first)

  const merges: [number, number][] = []
  while (merges.length < most) {
    const pair = waiting.pop()
    if (!pair) break
    const { left, right, count } = pair
    const key = pairKey(left, right)
    const now = pairCounts.get(key)!
    if (now !== count) {
      if (now >= minCount) waiting.push({ left, right, count: now })
      continue
    }
    if (count < minCount) break
    const id = characters.length + merges.length
    merges.push([left, right])
    const made = new Map<number, Pair>()
    for (const index of places.get(key)!) {
      const piece = pieces[index]
      const merged = mergedIds(piece.ids, left, right, id)
      if (merged.length === piece.ids.length) continue
      tally(piece, -1)
      piece.ids = merged
      tally(piece, 1)
      note(piece, index, id, made)
    }
    places.delete(key)
    enqueue(made)
  }
  return merges
}

function mergedIds(ids: readonly number[], left: number, right: number, id: number): number[] {
  const out: number[] = []
  for (let i = 0; i < ids.length; i++) {
    if (ids[i] === left && ids[i + 1] === right) {
      out.push(id)
      i++
    } else out.push(ids[i])
  }
  return out
}
