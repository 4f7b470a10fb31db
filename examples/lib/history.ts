/** Two readings of a history: its best epoch, and the table that Keras' CSVLogger writes. */
import type { History } from '@cotangent/layers'

/** One column for the epoch, from 0, then one for each value in alphabetical order; `NA` if an epoch has no value. */
export function historyCsv({ epoch, history }: Pick<History, 'epoch' | 'history'>): string {
  const names = Object.keys(history).sort()
  const rows = epoch.map((number, i) => [number, ...names.map((name) => history[name][i] ?? 'NA')])
  return `${[['epoch', ...names], ...rows].map((row) => row.join(',')).join('\n')}\n`
}

export interface BestEpoch {
  /** Counted from 0. */
  epoch: number
  /** `val_acc`, or `val_loss` if accuracy was not measured. */
  name: string
  value: number
}

/** The epoch with the highest accuracy on the validation data, or the lowest loss; undefined without such data. */
export function bestEpoch({ epoch, history }: Pick<History, 'epoch' | 'history'>): BestEpoch | undefined {
  const name = ['val_acc', 'val_accuracy', 'val_loss'].find((candidate) => candidate in history)
  if (name === undefined) return undefined
  const sign = name === 'val_loss' ? -1 : 1
  let best: BestEpoch | undefined
  history[name].forEach((value, i) => {
    if (Number.isFinite(value) && (best === undefined || sign * value > sign * best.value)) best = { epoch: epoch[i], name, value }
  })
  return best
}
