/**
 * Which samples of a round were taken in a quiet moment. A core's other hyperthread may belong to somebody else, and while it computes every
 * kernel that loads what it computes with runs at about 60 %: a median over everything then says how often the neighbour was there. So
 * each process samples its work in pieces of some milliseconds and runs the probe `pressed` (probes.ts) before and after each.
 *
 * Whether a sample counts as quiet follows from the two probes alone, never from its own time: a slow sample between two fast probes stays in,
 * a fast one beside a slow probe stays out. Choosing by the time itself would find a kernel fast whatever it is.
 */
import { type Spread, spread } from './statistics.js'

/** One piece of a round. */
export interface Sample {
  ms: number
  steps: number
  /** GFLOP/s of the slower of the two probes around it; absent where there is no probe (PyTorch). */
  pressed?: number
}

/** Time of a step in quiet samples; without figures where none was quiet. */
export interface Quiet extends Partial<Spread> {
  /** Quiet samples. */
  count: number
  /** All samples with probes. */
  of: number
}

/** How long a sample should take: shorter than a neighbour's visit, longer than the clock's noise. */
export const SAMPLE_MS = 5
/** The part of the process's best probe from which a moment is quiet. */
export const QUIET = 0.9

/** Runs `steps` in pieces of `chunk`, each between two probes: one's "after" is the next one's "before". */
export async function sampled(
  steps: number,
  chunk: number,
  work: (steps: number) => Promise<number>,
  probe: () => number,
): Promise<Sample[]> {
  const samples: Sample[] = []
  let before = probe()
  for (let left = steps; left > 0; left -= chunk) {
    const count = Math.min(chunk, left)
    const ms = await work(count)
    const after = probe()
    samples.push({ ms, steps: count, pressed: Math.min(before, after) })
    before = after
  }
  return samples
}

/** Milliseconds a step over the quiet samples; undefined where nothing was probed. `best` is the process's best probe. */
export function quietOf(samples: readonly Sample[], best: number): Quiet | undefined {
  const probed = samples.filter(({ pressed }) => pressed !== undefined)
  const quiet = probed.filter(({ pressed = 0 }) => pressed >= QUIET * best)
  if (probed.length === 0) return undefined
  return { count: quiet.length, of: probed.length, ...(quiet.length > 0 && spread(quiet.map(({ ms, steps }) => ms / steps))) }
}
