/**
 * Merging the bytes of one piece: the pair of lowest rank first, everywhere from left to right, until no pair has a rank.
 *
 * Neighbours are a linked list, and pairs wait in a heap by rank and place, so n bytes take n log n steps, also for a piece that is a whole
 * file. A pair in the heap that was merged away is passed over.
 */
import { Heap } from './heap.js'

/** The two ids of a pair as one number; ids are below 2^26. */
export const pairKey = (left: number, right: number): number => left * 2 ** 26 + right

/** A merge: how early it was learned, and the token that it makes. */
export interface Merge {
  readonly rank: number
  readonly id: number
}

/** Merges `ids` in place; gives how many are left. */
export function mergePairs(ids: Int32Array, merges: ReadonlyMap<number, Merge>): number {
  const count = ids.length
  const next = Int32Array.from(ids, (_, i) => i + 1)
  const before = Int32Array.from(ids, (_, i) => i - 1)
  /** Pairs as (rank, place); the place is that of the left one. */
  const waiting = new Heap((a: Waiting, b: Waiting) => a.merge.rank - b.merge.rank || a.at - b.at)
  const look = (at: number): void => {
    if (at < 0 || next[at] >= count) return
    const left = ids[at]
    const right = ids[next[at]]
    const merge = merges.get(pairKey(left, right))
    if (merge) waiting.push({ merge, at, left, right })
  }
  for (let i = 0; i + 1 < count; i++) look(i)
  for (let top = waiting.pop(); top; top = waiting.pop()) {
    const { at, left, right, merge } = top
    // A place that was merged away holds -1.
    if (ids[at] !== left || next[at] >= count || ids[next[at]] !== right) continue
    const gone = next[at]
    ids[at] = merge.id
    ids[gone] = -1
    next[at] = next[gone]
    if (next[at] < count) before[next[at]] = at
    look(before[at])
    look(at)
  }
  let kept = 0
  for (let i = 0; i < count; i++) if (ids[i] !== -1) ids[kept++] = ids[i]
  return kept
}

interface Waiting {
  readonly merge: Merge
  readonly at: number
  readonly left: number
  readonly right: number
}
