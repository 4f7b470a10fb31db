/** Windows of a long row of tokens, each with the same window one token later: the batches that a language model trains on. */
import { type Checks, describeValue, readOptions, whole } from '../arguments.js'
import { allocate, isTypedArray, type NDArray, ndarray } from '../array.js'
import { DatasetError } from '../errors.js'
import { foldKey, type RandomKey, requireKey, wholesBelow } from '../keyed.js'
import type { SpelledOptions } from '../spelling.js'
import { missing } from './windows.js'

/** Windows of tokens, and for each of their tokens the one that follows. */
export type TokenBatch = readonly [x: NDArray<Int32Array>, y: NDArray<Int32Array>]

export interface TokenWindowsOptions {
  /** Tokens in a window. */
  length: number
  /** 32 by default. */
  batchSize?: number
  /** With a key of core's, windows stand at random places, with replacement; without one they follow each other and do not overlap. */
  key?: RandomKey
  /** Batches in a pass; without end by default if there is a key, otherwise one pass over the text. */
  batches?: number
}

const checks: Checks<TokenWindowsOptions> = {
  length: whole({ least: 1 }),
  batchSize: whole({ least: 1 }),
  key: requireKey,
  batches: whole({ least: 1 }),
}

/** Batches of windows. Every pass over it gives the same ones. */
export interface TokenWindows extends Iterable<TokenBatch> {
  /** Number of batches with as many windows as follow each other in the text: the steps of an epoch. */
  readonly batchesPerCycle: number
  /**
   * Batch number `step` of a pass. With a key it depends on nothing else, so a training may go on at any step.
   *
   * @throws DatasetError if the step is no whole number, or there is no such batch.
   */
  at(step: number): TokenBatch
}

/** Whole numbers that fit into 32 bits, as a copy if they are none yet. */
function tokensOf(what: string, tokens: unknown): Int32Array {
  if (tokens instanceof Int32Array) return tokens
  if (!Array.isArray(tokens) && !isTypedArray(tokens)) {
    throw new DatasetError(`${what}: tokens must be a list or typed array of whole numbers, got ${describeValue(tokens)}.`)
  }
  const out = allocate(what, Int32Array, tokens.length)
  for (let i = 0; i < out.length; i++) {
    out[i] = tokens[i]
    if (out[i] !== tokens[i]) throw new DatasetError(`${what}: tokens[${i}] is ${describeValue(tokens[i])}; tokens are whole numbers.`)
  }
  return out
}

/**
 * Windows of a row of tokens in batches, each with the tokens that follow: y is x one place later.
 *
 * With a `key`, batch b stands at `randomInteger(foldKey(key, b), [batchSize], 0, tokens - length)`, as nanoGPT draws its batches: the same
 * key gives the same batches on every machine. Without one, windows follow each other; the last batch may be smaller, and tokens that fill
 * no window are left out.
 *
 * Shape: tokens [n] → batches x [batchSize, length], y [batchSize, length], int32
 *
 * @throws DatasetError if the tokens are no whole numbers of 32 bits or fewer than length + 1, or an option does not exist or is not what it
 * must be.
 * @example
 * ```ts
 * const batches = tokenWindows([0, 1, 2, 3, 4, 5, 6], { length: 3, batchSize: 2 })
 * const [[x, y]] = batches
 * console.log(String(x.data), String(y.data))   // 0,1,2,3,4,5 1,2,3,4,5,6
 * ```
 */
export function tokenWindows(tokens: ArrayLike<number>, options: SpelledOptions<TokenWindowsOptions>): TokenWindows {
  const what = 'tokenWindows'
  const all = tokensOf(what, tokens)
  const { length, batchSize = 32, key, batches } = readOptions(what, options, checks)
  if (length === undefined) throw missing(what, 'length')
  const places = all.length - length
  if (places < 1)
    throw new DatasetError(`${what}: windows of ${length} tokens and the one behind them need ${length + 1} tokens, got ${all.length}.`)
  const windows = Math.floor((all.length - 1) / length)
  const batchesPerCycle = Math.ceil(windows / batchSize)
  const end = key ? (batches ?? Number.POSITIVE_INFINITY) : Math.min(batches ?? batchesPerCycle, batchesPerCycle)

  const starts = (step: number): Int32Array => {
    if (key) return wholesBelow(foldKey(key, step), batchSize, places)
    const first = step * batchSize
    return Int32Array.from({ length: Math.min(batchSize, windows - first) }, (_, i) => (first + i) * length)
  }

  const at = (step: number): TokenBatch => {
    if (!(Number.isSafeInteger(step) && step >= 0 && step < Math.min(end, 2 ** 32))) {
      const last = Number.isFinite(end) ? ` to ${end - 1}` : ''
      throw new DatasetError(`${what}: there is no batch ${describeValue(step)}; batches are numbered from 0${last}.`)
    }
    const from = starts(step)
    const [x, y] = [0, 1].map((later) => {
      const out = allocate(what, Int32Array, from.length * length)
      from.forEach((start, i) => {
        out.set(all.subarray(start + later, start + later + length), i * length)
      })
      return ndarray(out, [from.length, length])
    })
    return [x, y]
  }
  return {
    batchesPerCycle,
    at,
    *[Symbol.iterator]() {
      for (let step = 0; step < end; step++) yield at(step)
    },
  }
}
