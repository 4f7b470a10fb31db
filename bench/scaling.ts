/**
 * A cap on the time of a peer's step. Some peers take minutes for a step of a convolutional or recurrent network, and a run would stand still for them. So a
 * peer's rows of that kind are tried with few samples first; where a step of the whole batch would take longer than STEP_MS by that, the
 * rounds run a batch that fits, and times are multiplied up to the whole one. What a step costs however small its batch (the optimizer's part) is
 * then counted several times: such a figure is too high rather than too low. It is marked wherever it is shown. A peer that takes longer than LONGEST_MS
 * for one sample is not timed.
 */
import { libraryEntry } from './adapter.js'
import type { Contestant } from './contestant.js'
import type { Workload } from './workloads.js'

/** The longest step that is waited for. */
export const STEP_MS = 4000

/** The longest step of one sample: whoever takes longer would be multiplied from next to nothing, and keep the others waiting for it. */
export const LONGEST_MS = 20_000

const heavyLayers = new Set(['conv', 'conv1d', 'embedding', 'lstm', 'simpleRnn'])

/** A workload that may take minutes: one with convolutions, recurrent layers or an embedding. */
export type Heavy = Extract<Workload, { batch: number }>
export const isHeavy = (workload: Workload): workload is Heavy =>
  workload.kind === 'conv' || (workload.kind === 'train' && workload.layers.some(({ type }) => heavyLayers.has(type)))

/** Between one trial and the next, samples grow by this. */
const GROWTH = 8

/**
 * The largest power of two of samples whose step fits, or the whole batch if that does. The first trial has one sample; while by it the whole
 * batch would not fit, but more samples would, there is another with more, for which the fixed part of a step says less.
 *
 * @param msOf the time of a step of so many samples
 */
export async function batchThatFits(msOf: (samples: number) => Promise<number>, batch: number): Promise<number> {
  for (let samples = 1; ; samples *= GROWTH) {
    const ms = await msOf(samples)
    if ((ms / samples) * batch <= STEP_MS) return batch
    if (ms * GROWTH <= STEP_MS && samples * GROWTH < batch) continue
    return Math.min(batch, 2 ** Math.max(0, Math.floor(Math.log2((STEP_MS * samples) / ms))))
  }
}

/** The workload as a library is given it: with a smaller batch for a peer that would take too long. */
export async function fitted(workload: Workload, contestant: Contestant, seed: number): Promise<Workload> {
  const { peer, compiles } = libraryEntry(contestant.library)
  // PyTorch needs no cap, and with more threads than idle cores its smallest steps take longest.
  if (!isHeavy(workload) || !peer || peer === 'torch') return workload
  const msOf = async (batch: number): Promise<number> => {
    await contestant.prepare({ ...workload, batch }, seed)
    const { ms } = await contestant.run(1)
    const taken = ms > STEP_MS && !compiles ? ms : (await contestant.run(1)).ms // the first may have compiled
    if (batch === 1 && taken > LONGEST_MS) throw new Error(`a step of 1 sample takes ${Math.round(taken / 1000)} s, too long to be timed`)
    return taken
  }
  return { ...workload, batch: await batchThatFits(msOf, workload.batch) }
}
