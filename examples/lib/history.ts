/** A history as the table that Keras' CSVLogger writes. */
import type { History } from '@cotangent/layers'

/** A column for the epoch, from 0, then one for each value in alphabetical order; `NA` where an epoch has none. */
export function historyCsv({ epoch, history }: Pick<History, 'epoch' | 'history'>): string {
  const names = Object.keys(history).sort()
  const rows = epoch.map((number, i) => [number, ...names.map((name) => history[name][i] ?? 'NA')])
  return `${[['epoch', ...names], ...rows].map((row) => row.join(',')).join('\n')}\n`
}
