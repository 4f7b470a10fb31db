/**
 * Two pieces of work that compute the same, timed in turns. The probe `pressed` runs before and after each pair (quiet.ts says why), so that a busy moment of the
 * machine is seen and meets both.
 */
import { clockFactor, mostPressed, pressed, warmUpMs } from '../probes.js'
import { QUIET } from '../quiet.js'

/** How long to measure: at least some pairs, then until enough of them were quiet. */
export interface Patience {
  turnMs: number
  leastPairs: number
  mostPairs: number
  quietPairs: number
  /** No pair begins after so many milliseconds. */
  mostMs?: number
}
export const PATIENCE: Patience = { turnMs: 5, leastPairs: 60, mostPairs: 400, quietPairs: 30 }

/** Milliseconds of one run of each. */
export interface Pair {
  ours: number
  theirs: number
  /** The slowest of the probes around the pair. */
  pressed: number
}

/** No other program took part of the core while the pair ran. */
export const isQuiet = (pair: Pair): boolean => pair.pressed >= QUIET * mostPressed()

/** Milliseconds of one run, ours and theirs in turns; the one that goes first changes from pair to pair. */
export function timed(
  ours: () => void,
  theirs: () => void,
  { turnMs, leastPairs, mostPairs, quietPairs, mostMs = Number.POSITIVE_INFINITY }: Patience,
): Pair[] {
  const time = (work: () => void, steps: number): number => {
    const start = performance.now()
    for (let i = 0; i < steps; i++) work()
    return (performance.now() - start) / steps
  }
  /** How many runs a turn takes. The second half of the warm-up is timed, not one run: a page's clock may stand still for a millisecond. */
  const stepsOf = (work: () => void): number => {
    const begin = performance.now()
    do {
      work()
      work()
    } while (performance.now() < begin + warmUpMs / 2)
    const half = performance.now()
    const end = Math.max(begin + warmUpMs, half + turnMs / 4)
    let runs = 0
    do {
      work()
      runs++
    } while (performance.now() < end)
    return Math.max(1, Math.round((turnMs * clockFactor * runs) / (performance.now() - half)))
  }
  const [ourSteps, theirSteps] = [stepsOf(ours), stepsOf(theirs)]
  const pairs: Pair[] = []
  let before = pressed()
  const end = performance.now() + mostMs
  while (pairs.length < leastPairs || (pairs.length < mostPairs && pairs.filter(isQuiet).length < quietPairs && performance.now() < end)) {
    const turns = [() => time(ours, ourSteps), () => time(theirs, theirSteps)]
    const oursFirst = pairs.length % 2 === 0
    const first = turns[oursFirst ? 0 : 1]()
    const between = pressed()
    const second = turns[oursFirst ? 1 : 0]()
    const after = pressed()
    pairs.push({ ours: oursFirst ? first : second, theirs: oursFirst ? second : first, pressed: Math.min(before, between, after) })
    before = after
  }
  return pairs
}
