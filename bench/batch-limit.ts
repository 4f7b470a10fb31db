/**
 * Limits the time of a peer's step. Some peers take minutes for a step of a convolutional or recurrent network, and the whole run would wait. So such a row is
 * first tried with few samples. If a step of the whole batch would take longer than STEP_MS, the rounds run a smaller batch, and its time is multiplied
 * up to the whole. The part of a step that does not depend on the batch (the optimizer's) is then counted several times, so the figure is too high rather than too
 * low; it is marked wherever it is shown. A peer that takes longer than LONGEST_MS for one sample is not timed.
 */
import { libraryEntry } from './adapter.js'
import type { Contestant } from './contestant.js'
import type { Workload } from './workloads.js'

/** The longest step that the benchmark waits for. */
export const STEP_MS = 4000

/** The longest step of one sample. A slower peer would hold up the others, and its figure would be an extrapolation from almost nothing. */
export const LONGEST_MS = 20_000

const heavyLayers = new Set(['conv', 'conv1d', 'embedding', 'lstm', 'simpleRnn'])

/** A workload that may take a peer minutes: one with convolutions, recurrent layers or an embedding. */
export type Heavy = Extract<Workload, { batch: number }>
export const isHeavy = (workload: Workload): workload is Heavy =>
  workload.kind === 'conv' ||
  workload.kind === 'gpt' ||
  (workload.kind === 'train' && workload.layers.some(({ type }) => heavyLayers.has(type)))

/** The factor of samples from one trial to the next. */
const GROWTH = 8

/**
 * The largest power of two of samples whose step fits, or the whole batch. The first trial has one sample. If its time says that the whole batch does not fit but
 * more samples would, another trial has more samples: there the fixed part of a step counts for less.
 *
 * @param msOf the time of a step of some samples
 */
export async function batchThatFits(msOf: (samples: number) => Promise<number>, batch: number): Promise<number> {
  for (let samples = 1; ; samples *= GROWTH) {
    const ms = await msOf(samples)
    if ((ms / samples) * batch <= STEP_MS) return batch
    if (ms * GROWTH <= STEP_MS && samples * GROWTH < batch) continue
    return Math.min(batch, 2 ** Math.max(0, Math.floor(Math.log2((STEP_MS * samples) / ms))))
  }
}

/** The workload for a library: with a smaller batch for a peer that would take too long. */
export async function fitted(workload: Workload, contestant: Contestant, seed: number): Promise<Workload> {
  const { peer, compiles } = libraryEntry(contestant.library)
  // PyTorch needs no limit. With more threads than idle cores its smallest steps even take longest.
  if (!isHeavy(workload) || !peer || peer === 'torch') return workload
  const msOf = async (batch: number): Promise<number> => {
    await contestant.prepare({ ...workload, batch }, seed)
    const { ms } = await contestant.run(1)
    const taken = ms > STEP_MS && !compiles ? ms : (await contestant.run(1)).ms // the first step may have compiled
    if (batch === 1 && taken > LONGEST_MS) throw new Error(`a step of 1 sample takes ${Math.round(taken / 1000)} s, too long to be timed`)
    return taken
  }
  return { ...workload, batch: await batchThatFits(msOf, workload.batch) }
}
