/** The running sums of an epoch: on the device while it runs, and on the host for a training that goes on later. */
import { type Backend, stopGradient, type Tensor } from '@cotangent/core'
import { fromHost, type HostArray } from '../host-data.js'
import type { MetricState } from '../metrics/index.js'

/** Running sums of an epoch, on the device. */
export interface Totals {
  samples: number
  /** Σ of the batches' losses times their samples; where there are several outputs, followed by those of each output. */
  losses: Tensor[]
  /** For each output, in the order of its metrics. */
  metrics: MetricState[][]
  /** Σ of scalars that layers add or a `trainStep` of the user's gives, times the samples, by name. */
  added: Map<string, Tensor>
  /** Set once `computeMetrics` of a step of the user's added to the metrics. */
  measured?: boolean
}

/** A sum that is kept, and one value more. */
export function plus(before: Tensor | undefined, value: Tensor): Tensor {
  const sum = (before ? before.add(value) : value).keep()
  before?.dispose()
  return sum
}

/** Adds scalars to the sums, each as often as the batch has samples. */
export function addScalars(values: Readonly<Record<string, Tensor>>, samples: number, { added }: Totals): void {
  for (const [name, value] of Object.entries(values)) added.set(name, plus(added.get(name), stopGradient(value).mul(samples)))
}

/** Frees running sums. */
export function releaseTotals(totals: Totals): void {
  for (const sum of totals.losses) sum.dispose()
  totals.losses = []
  for (const state of totals.metrics.flat()) state.dispose()
  for (const sum of totals.added.values()) sum.dispose()
  totals.added.clear()
}

/** Sums on the host, by names that say where each belongs. */
export interface SavedTotals {
  readonly numbers: Readonly<Record<string, number>>
  readonly arrays: Readonly<Record<string, HostArray>>
}

/** Copies running sums to the host. */
export async function saveTotals(totals: Totals): Promise<SavedTotals> {
  const numbers: Record<string, number> = { samples: totals.samples }
  const arrays: Record<string, HostArray> = {}
  const put = async (name: string, { shape, data }: { shape: readonly number[]; data: HostArray['data'] }): Promise<void> => {
    arrays[name] = { shape: [...shape], data }
  }
  for (const [i, sum] of totals.losses.entries()) await put(`loss/${i}`, { shape: sum.shape, data: await sum.data() })
  for (const [name, sum] of totals.added) await put(`added/${name}`, { shape: sum.shape, data: await sum.data() })
  for (const [i, state] of totals.metrics.flat().entries()) {
    const saved = await state.save?.()
    if (!saved) continue
    await put(`metric/${i}`, saved)
    numbers[`metric/${i}`] = saved.samples
  }
  return { numbers, arrays }
}

/** Puts saved sums into running sums that have none yet. */
export function loadTotals(totals: Totals, { numbers, arrays }: SavedTotals, backend: Backend): void {
  totals.samples = numbers.samples
  const metrics = totals.metrics.flat()
  for (const [name, array] of Object.entries(arrays)) {
    const key = name.slice(name.indexOf('/') + 1)
    if (name.startsWith('loss/')) totals.losses[Number(key)] = fromHost(array, backend)
    else if (name.startsWith('added/')) totals.added.set(key, fromHost(array, backend))
    else if (name.startsWith('metric/')) metrics[Number(key)]?.load?.({ ...array, samples: numbers[name] }, backend)
  }
}
