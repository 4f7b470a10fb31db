/**
 * The tables of docs/speed.md, from the runs in `results/`. `npm run bench -- tables` writes them between the marks in the document; a test compares. The text around them
 * stays as it is, and has no figures of a run.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type KeptRow, type KeptRun, readKept } from './kept.js'

export const document = fileURLToPath(new URL('../docs/speed.md', import.meta.url))

const labels: Readonly<Record<string, string>> = {
  mlp: 'A: 784–784–10, batch 200',
  'mlp-rmsprop': 'B: 784–512–512–10, batch 128',
  'mlp-dropout': 'C: 784–128–128–10, batch 128',
  'cnn-light': 'D: Conv 32 5×5 – pool – 128 – 10, batch 200',
  'cnn-full': 'E: Conv 32 5×5 – pool – Conv 48 5×5 – pool – 256 – 84 – 10, batch 64',
  'cnn-adadelta': 'F: Conv 32 3×3 – Conv 64 3×3 – pool – 128 – 10, batch 128',
  'lstm-256': 'G: LSTM 256 over 28 × 28 – 10, batch 128',
  'lstm-512': 'G: LSTM 512, batch 200',
  'imdb-lstm': 'H: Embedding – LSTM 32 over 500 words – 1, batch 128',
  'imdb-simple-rnn': 'H: the same with SimpleRNN 32',
  'imdb-conv1d': 'I: Embedding – Conv1D 32×7 – pool – Conv1D 32×7 – 1, 500 words, batch 128',
  'jena-lstm': 'J: LSTM 32 with dropouts over 240 × 14 – 1, batch 128',
  'jena-bidirectional': 'J: the same, bidirectional',
  gpt: 'L: GPT of 4 blocks, 4 heads, width 128, 64 characters, batch 12',
  small: 'S: 32–32–10, batch 32',
}

const digits = (value: number): string => String(Number(value.toPrecision(3)))
const range = ({ median = 0, min = 0, max = 0 }: KeptRow): string => `${digits(median)} (${digits(min)}–${digits(max)})`
const ratio = (theirs: number | undefined, ours: number | undefined): string => digits((theirs ?? Number.NaN) / (ours ?? Number.NaN))
const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n')

const fastest = (rows: readonly KeptRow[]): KeptRow | undefined =>
  [...rows].sort((a, b) => (a.median ?? Number.POSITIVE_INFINITY) - (b.median ?? Number.POSITIVE_INFINITY))[0]
const inLayers = ({ library }: KeptRow): boolean => library === 'cotangent' || library === 'cotangent-256'
const ofTorch = ({ library }: KeptRow): boolean => library.startsWith('torch')
const major = ({ machine }: KeptRun): string => /\d+/.exec(machine.node)?.[0] ?? machine.node
const machineOf = ({ machine, from }: KeptRun): string => {
  const days = [...new Set(from.map(({ date }) => date.slice(0, 10)))].join(', ')
  const loads = from.flatMap(({ load }) => load)
  return `${machine.cpu}, ${machine.cores} cores, Node ${machine.node.slice(1)}, ${days}, load ${digits(Math.min(...loads))} to ${digits(Math.max(...loads))}`
}

/** The training steps of all Nodes, PyTorch's beside ours. */
function training(): string {
  const runs = readKept('training')
  const rows = Object.entries(labels).map(([name, label]) => [
    label,
    ...runs.flatMap(({ rows }) => {
      const all = rows.filter((row) => row.name === name)
      const [ours, torch] = [fastest(all.filter(inLayers)), fastest(all.filter(ofTorch))]
      if (!ours || !torch) return [ours ? range(ours) : '–', '–']
      const named = torch.library.startsWith('torch 2') ? '' : ` (${/\d+\.\d+/.exec(torch.library)?.[0]})`
      return [range(ours), `${ratio(torch.median, ours.median)}, best ${ratio(torch.best, ours.best)}${named}`]
    }),
  ])
  return [
    ...runs.map((run) => `- ${machineOf(run)}.`),
    '',
    table(['network', ...runs.flatMap((run) => [`Node ${major(run)}: ours`, 'PyTorch ÷ ours'])], rows),
  ].join('\n')
}

function recorded(): string {
  const [run] = readKept('recorded')
  const of = (name: string, library: string): KeptRow | undefined =>
    run.rows.find((row) => row.name === name && row.library === library && row.threads === 1)
  const rows = Object.entries(labels).flatMap(([name, label]) => {
    const [ours, eager] = [of(name, 'cotangent'), of(name, 'cotangent-eager')]
    return ours && eager ? [[label, range(ours), range(eager), ratio(eager.median, ours.median)]] : []
  })
  return `${machineOf(run)}; milliseconds, one thread.\n\n${table(['network', 'recorded', 'every step runs its program', 'ratio'], rows)}`
}

function others(): string {
  const [run] = readKept('others')
  const names = [...new Set(run.rows.map(({ library }) => library))].filter((library) => !library.startsWith('cotangent'))
  const rows = Object.entries(labels).flatMap(([name, label]) => {
    const all = run.rows.filter((row) => row.name === name)
    const ours = all.find(({ library, threads }) => library === 'cotangent' && threads === 2)
    if (!ours) return []
    const cells = names.flatMap((library) => {
      const peer = fastest(all.filter((row) => row.library === library))
      return peer ? [range(peer), ratio(peer.median, ours.median)] : ['–', '–']
    })
    return [[label.replace(/: .*/, name === 'lstm-256' ? ': LSTM 256' : ''), range(ours), ...cells]]
  })
  const head = names.flatMap((name) => [name === 'tfjs-wasm' ? 'tfjs, wasm backend' : name, 'its time ÷ ours'])
  return `${machineOf(run)}; milliseconds.\n\n${table(['network', 'ours, two threads', ...head], rows)}`
}

function memory(): string {
  const [run] = readKept('training')
  const groups: [string, string[]][] = [
    ['A to C', ['mlp', 'mlp-rmsprop', 'mlp-dropout']],
    ['F', ['cnn-adadelta']],
  ]
  const span = (names: string[], which: (row: KeptRow) => boolean): string => {
    const all = run.rows.filter((row) => names.includes(row.name) && row.threads === 1 && which(row)).flatMap(({ rss }) => rss ?? [])
    const [least, most] = [Math.min(...all), Math.max(...all)]
    return least === most ? String(least) : `${least} to ${most}`
  }
  return table(
    ['networks', 'ours', 'PyTorch'],
    groups.map(([title, names]) => [title, span(names, ({ library }) => library === 'cotangent'), span(names, ofTorch)]),
  )
}

const tables = { training, recorded, others, memory }

/** The document with its tables made anew. @throws Error if a mark is missing */
export function withTables(text: string): string {
  return Object.entries(tables).reduce((now, [name, make]) => {
    const marks = new RegExp(`(<!-- ${name}: npm run bench -- tables -->\n)[\\s\\S]*?(\n<!-- end -->)`)
    if (!marks.test(now)) throw new Error(`docs/speed.md has no place for the table "${name}".`)
    return now.replace(marks, (_, open, close) => `${open}\n${make()}\n${close}`)
  }, text)
}

/** Writes the tables into docs/speed.md. */
export function writeTables(): string {
  writeFileSync(document, withTables(readFileSync(document, 'utf8')))
  return document
}
