/**
 * Finds the samples that no other program disturbed. A core's other hyperthread may run another program. While it does, every kernel that loads its operands
 * runs at about 60 %, and a median over all samples says how often that happened. So each process runs its work in samples of some milliseconds, with
 * the probe `pressed` (probes.ts) before and after each.
 *
 * Only the two probes decide whether a sample is quiet, never its own time: a slow sample between two fast probes counts, a fast sample beside a
 * slow probe does not. If its own time decided, every kernel would look fast.
 */
import { type Spread, spread } from './statistics.js'

/** One piece of a round. */
export interface Sample {
  ms: number
  steps: number
  /** GFLOP/s of the slower of the two probes around it; absent if there is no probe (PyTorch). */
  pressed?: number
}

/** The time of a step in quiet samples; without figures if no sample was quiet. */
export interface Quiet extends Partial<Spread> {
  /** The number of quiet samples. */
  count: number
  /** The number of samples with probes. */
  of: number
}

/** How long a sample should take: shorter than another program's visit, longer than the clock's noise. */
export const SAMPLE_MS = 5
/** A moment is quiet if the probe reaches this part of the process's best. */
export const QUIET = 0.9

/** Runs `steps` in pieces of `chunk`, with a probe between each two: it ends one piece and begins the next. */
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

/** Milliseconds a step, over the quiet samples; undefined if there were no probes. `best` is the process's best probe. */
export function quietOf(samples: readonly Sample[], best: number): Quiet | undefined {
  const probed = samples.filter(({ pressed }) => pressed !== undefined)
  const quiet = probed.filter(({ pressed = 0 }) => pressed >= QUIET * best)
  if (probed.length === 0) return undefined
  return { count: quiet.length, of: probed.length, ...(quiet.length > 0 && spread(quiet.map(({ ms, steps }) => ms / steps))) }
}
