/** The parts of the pages that are made from the kept results, as Markdown. Nothing here is typed by hand but the words around the figures. */
import { thousands } from '../lib/experiment.js'
import { type Planned, planned } from './plan.js'
import type { Result, Results } from './results.js'

export const NONE = 'not run yet'

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
}

/** A figure as its metric is written: errors in per cent, accuracies as fractions. */
export const figure = (metric: string, value: number): string =>
  metric.endsWith('%') ? `${value.toFixed(2)} %` : value.toFixed(Math.abs(value) < 10 ? 4 : 2)

/** `1.85 % (1.71 % – 1.87 %)`; of a single value the value alone. */
export const medianAndRange = (values: readonly number[], show: (value: number) => string): string =>
  values.length === 1 ? show(values[0]) : `${show(median(values))} (${show(Math.min(...values))} – ${show(Math.max(...values))})`

const seedsOf = (results: readonly Result[]): string => {
  const seeds = results.map(({ seed }) => seed)
  return seeds.length === 1 ? `seed ${seeds[0]}` : `${seeds.length} seeds`
}

/** `1.85 % (1.71 % – 1.87 %)`, or one figure of one seed. */
export function ours(results: readonly Result[]): string {
  if (results.length === 0) return NONE
  const { metric } = results[0].result
  const values = results.map(({ result }) => result.value)
  const show = (value: number): string => figure(metric, value)
  return values.length === 1 ? `${show(values[0])} (${seedsOf(results)})` : medianAndRange(values, show)
}

export interface Verdict {
  kind: 'none' | 'inside' | 'outside'
  /** For the table; empty if nothing can be said. */
  says: string
}

/**
 * How our results stand to the document's. Its band is its figure ± the range of our seeds, the distance from the least to the greatest. Ours is inside if the median is.
 *
 * Without two seeds there is no range; with other data than the document's there is nothing to compare.
 */
export function verdictOf({ reported }: Planned, results: readonly Result[]): Verdict {
  if (reported?.value === undefined || results.length === 0) return { kind: 'none', says: '' }
  if (results.some(({ data }) => data.departures)) return { kind: 'none', says: 'other data' }
  if (results.length === 1) return { kind: 'none', says: 'one seed' }
  const values = results.map(({ result }) => result.value)
  const [range, away] = [Math.max(...values) - Math.min(...values), Math.abs(median(values) - reported.value)]
  // Both figures are decimal fractions, which are rounded in binary.
  const kind = away <= range + 1e-9 ? 'inside' : 'outside'
  return { kind, says: kind }
}

const row = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`

export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n')

export const code = (id: string): string => `\`${id}\``
const of = (results: Results, { id }: Planned): readonly Result[] => results.get(id) ?? []
const inDocument = (document: string | undefined): Planned[] => planned.filter((plan) => plan.document === document)

/** The document's figure; in the table without its name, which the row has. */
function documents({ reported }: Planned): string {
  if (!reported) return ''
  return reported.value === undefined ? 'none' : figure(reported.metric, reported.value)
}

/** `val_acc 0.8894 in epoch 4` of the first seed. */
function best(results: readonly Result[]): string {
  const found = results[0]?.best
  if (!found || results[0].epochs < 2) return ''
  return `${found.epoch + 1} of ${results[0].epochs}: ${found.value.toFixed(4)}`
}

/** The table of one document: the figures side by side. */
export function documentTable(document: string, results: Results): string {
  const rows = inDocument(document).map((plan) => {
    const found = of(results, plan)
    return [
      code(plan.id),
      plan.model,
      plan.reported?.metric.replace(' %', '') ?? '',
      documents(plan),
      ours(found),
      verdictOf(plan, found).says,
      best(found),
    ]
  })
  return table(['id', 'network', 'figure', 'the document', 'ours: median (range)', 'in its band', 'best epoch of the first seed'], rows)
}

/** The table of the programs that belong to no document. */
export function ownTable(results: Results): string {
  const rows = inDocument(undefined).map((plan) => {
    const found = of(results, plan)
    return [code(plan.id), plan.model, found[0]?.result.metric ?? '', ours(found)]
  })
  return table(['id', 'network', 'figure', 'ours: median (range)'], rows)
}

/** Remarks on one experiment: why its result is outside the band, other data, and what the runs say of themselves. */
function remarksOn(plan: Planned, found: readonly Result[]): string[] {
  if (found.length === 0) return []
  const { kind, says } = verdictOf(plan, found)
  const departures = found[0].data.departures ?? []
  const asks = kind === 'outside' || says === 'one seed'
  return [
    ...(plan.reported?.remark ? [`the document's figure – ${plan.reported.remark}.`] : []),
    ...(departures.length > 0 ? [`data – ${departures.join('; ')}.`] : []),
    ...(asks && plan.why !== undefined ? [plan.why] : kind === 'outside' ? ['Outside the band. We know no reason.'] : []),
    ...found.flatMap(({ seed, remark }) => (remark === undefined ? [] : [`seed ${seed}: ${remark}`])),
    ...others(found[0]),
  ]
}

/** `testAccuracy` → `test accuracy`. */
const words = (name: string): string => name.replace(/[A-Z]|\d+/g, (part) => ` ${part.toLowerCase()}`)

/** The other figures of a run. The weather has a table for them. */
const others = ({ also, seed }: Result): string[] =>
  also && !('naive' in also)
    ? [
        `other figures of seed ${seed}: ${Object.entries(also)
          .map(([name, value]) => `${words(name)} ${Number(value.toFixed(4))}`)
          .join(', ')}.`,
      ]
    : []

/** The remarks on the experiments of a document. Those that are the same for several stand once. */
export function remarks(document: string | undefined, results: Results): string {
  const about = new Map<string, string[]>()
  for (const plan of inDocument(document))
    for (const line of remarksOn(plan, of(results, plan))) about.set(line, [...(about.get(line) ?? []), code(plan.id)])
  return [...about].map(([line, ids]) => `- ${ids.join(', ')}: ${line}`).join('\n')
}

/** The forecasts beside the naive one, and on the batch that the document's figure is of: medians of the seeds. */
export function weatherTable(results: Results): string {
  const rows = planned.flatMap((plan) => {
    const found = of(results, plan).filter(({ also }) => also && 'naive' in also)
    if (found.length === 0) return []
    const middle = (name: string, digits: number): string => median(found.map(({ also }) => also?.[name] ?? Number.NaN)).toFixed(digits)
    const value = median(found.map(({ result }) => result.value)).toFixed(4)
    const cells = [value, middle('degreesCelsius', 2), middle('naive', 4), middle('naiveDegreesCelsius', 2), middle('ofLastBatch', 4)]
    return [[code(plan.id), ...cells, documents(plan)]]
  })
  const head = [
    'id',
    'ours, over all windows',
    '°C',
    'naive forecast',
    '°C',
    "ours, over the document's batch",
    'the document, over that batch',
  ]
  return rows.length === 0 ? NONE : table(head, rows)
}

export const machineOf = ({ machine: { cpu, cores, threads, platform }, versions: { node } }: Result): string =>
  `${cpu}, ${cores} cores, ${threads} ${threads === 1 ? 'thread' : 'threads'}, ${platform}, Node ${node.replace('v', '')}`

/** The machines of all results, in the order of the table. A row names its machine by a letter. */
function machinesOf(results: Results): string[] {
  return [...new Set(planned.flatMap((plan) => of(results, plan).map(machineOf)))]
}
const letter = (index: number): string => String.fromCharCode(65 + index)

function dataOf({ data: { name, train, validation, test, departures } }: Result): string {
  const held = [
    ...(validation === undefined ? [] : [`${thousands(validation)} to validate`]),
    ...(test === undefined ? [] : [`${thousands(test)} to test`]),
  ]
  return `${name}${departures ? " (not the document's)" : ''}: ${[`${thousands(train)} to train`, ...held].join(', ')}`
}

/** Whether other programs wanted the cores, too: a run that has them for itself keeps all of them busy, and no more. */
export const busy = ({ machine: { load, cores } }: Result): boolean => load > cores + 1

/** How each result was made: data, epochs, time, machine, and the hash of the weights for the first seed. */
export function runTable(results: Results): string {
  const machines = machinesOf(results)
  const rows = planned.map((plan) => {
    const found = of(results, plan)
    if (found.length === 0) return [code(plan.id), NONE, '', '', '', '']
    const times = found.flatMap(({ secondsPerEpoch }) => secondsPerEpoch ?? [])
    const steps = found.flatMap(({ also }) => also?.secondsPerStep ?? [])
    const time =
      steps.length > 0
        ? `${(1000 * median(steps)).toFixed(0)} ms a step`
        : times.length === 0
          ? `${median(found.map(({ seconds }) => seconds)).toFixed(0)} s in all`
          : `${median(times).toFixed(1)} s`
    const where = [...new Set(found.map((result) => letter(machines.indexOf(machineOf(result)))))].join(', ')
    return [
      code(plan.id),
      dataOf(found[0]),
      found[0].also?.steps === undefined ? String(found[0].epochs) : `${thousands(found[0].also.steps)} steps`,
      `${time}${found.some(busy) ? ', busy' : ''}`,
      where,
      code(found[0].weights.slice(0, 12)),
    ]
  })
  return table(['id', 'data', 'epochs', 'an epoch', 'on', 'weights of the first seed'], rows)
}

export const machineList = (results: Results): string =>
  machinesOf(results)
    .map((machine, i) => `- ${letter(i)}: ${machine}`)
    .join('\n') || `- ${NONE}`

/** The whole hashes, with the command that trains again. */
export function hashTable(results: Results): string {
  const rows = planned.flatMap((plan) =>
    of(results, plan)
      .slice(0, 1)
      .map(({ weights, command, data: { sha256 = '' } }) => [code(command), code(weights), sha256 === '' ? '' : code(sha256.slice(0, 12))]),
  )
  return rows.length === 0 ? NONE : table(['command', 'SHA-256 of the final weights', 'of the data'], rows)
}

/** `24 of 31 programs have results, 70 runs.` */
export function counts(results: Results): string {
  const all = planned.map((plan) => of(results, plan).length)
  return `${all.filter((count) => count > 0).length} of ${all.length} programs have results; ${all.reduce((a, b) => a + b, 0)} runs are kept.`
}

/** Experiments whose result is outside the band, without a reason in plan.ts. */
export const unexplained = (results: Results): string[] =>
  planned.filter((plan) => verdictOf(plan, of(results, plan)).kind === 'outside' && plan.why === undefined).map(({ id }) => id)
