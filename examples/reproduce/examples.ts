/**
 * The parts of the examples' own pages (`examples/gpt/README.md` and others) that are made from the kept results. Each says plainly if nothing has run yet. The words
 * around the figures must be true for any seed.
 */
import { thousands } from '../lib/experiment.js'
import { amounts } from '../transfer/transfer.js'
import type { Result, Results } from './results.js'
import { busy, code, machineOf, median, medianAndRange, NONE, table } from './tables.js'

/** The pictures of the pages: for each file, the example that draws it and what can be seen with any seed. */
const pictures = [
  ['vae', 'digits', 'A square of 15 by 15 digits, which change smoothly into each other'],
  ['vae', 'codes', 'Thousands of dots in ten colours: each colour lies mostly together, and some lie over each other'],
  ['gan', 'gan', 'Rows of ten made digits, after more and more epochs, and a hundred made at the end'],
  ['transfer', 'transfer', 'Accuracy and processor time of both ways of training, by the number of images of each digit'],
  ['augment', 'augment', 'Clothes as six epochs see them, and the accuracies of both trainings by epoch'],
  ['transformer-imdb', 'review', 'A review twice: how much each word changes the verdict, and how much attention each word gets'],
] as const

export const examplePages = ['gpt', 'transformer-imdb', 'transfer', 'augment', 'vae', 'gan'].map((id) => `examples/${id}/README.md`)

const of = (results: Results, id: string): readonly Result[] => results.get(id) ?? []
const notYet = (...ids: readonly string[]): string => `Not run yet: ${code(`npm run reproduce -- --only ${ids.join()}`)}`
const fixed =
  (digits: number) =>
  (value: number): string =>
    value.toFixed(digits)
const percent = (digits: number) => (value: number) => `${(100 * value).toFixed(digits)} %`
const last = (values: readonly number[] = []): number => values.at(-1) ?? Number.NaN

/** A figure of a run, and how it is written. */
interface Column {
  readonly head: string
  readonly of: (result: Result) => number | undefined
  readonly show: (value: number) => string
}

/** A row for each seed, and their medians below if there are several. */
function seedTable(found: readonly Result[], columns: readonly Column[]): string {
  const cell = (value: number | undefined, show: Column['show']): string => (value === undefined || Number.isNaN(value) ? '' : show(value))
  const rows = found.map((result) => [String(result.seed), ...columns.map(({ of, show }) => cell(of(result), show))])
  const middle = columns.map(({ of, show }) => cell(median(found.flatMap((result) => of(result) ?? [])), show))
  return table(['seed', ...columns.map(({ head }) => head)], found.length > 1 ? [...rows, ['median', ...middle]] : rows)
}

/** `An epoch took 12.1 s (11.9 s – 12.6 s): AMD EPYC, 2 cores, 2 threads, …`. */
function time(found: readonly Result[], what: string, seconds: (result: Result) => number | undefined): string {
  const times = found.flatMap((result) => seconds(result) ?? [])
  if (times.length === 0) return ''
  const show = (value: number): string => (value < 1 ? `${(1000 * value).toFixed(0)} ms` : `${value.toFixed(1)} s`)
  const machines = [...new Set(found.map(machineOf))].join('; ')
  const beside = found.some(busy) ? ' Other programs ran at the same time, so it took longer than it has to.' : ''
  return `${what} took ${medianAndRange(times, show)}: ${machines}.${beside}`
}
const epochTime = (found: readonly Result[], what = 'An epoch'): string => time(found, what, ({ secondsPerEpoch }) => secondsPerEpoch)

/** Parts that stand below each other; empty ones are left out. */
const below = (...parts: readonly string[]): string => parts.filter((part) => part !== '').join('\n\n')

const found =
  (id: string, make: (found: readonly Result[]) => string) =>
  (results: Results): string =>
    of(results, id).length === 0 ? notYet(id) : make(of(results, id))

function gpt(results: Results): string {
  const ids = ['gpt', 'gpt-core'] as const
  const all = ids.map((id) => of(results, id))
  if (all.flat().length === 0) return notYet(...ids)
  const seeds = [...new Set(all.flat().map(({ seed }) => seed))].sort((a, b) => a - b)
  const show = fixed(3)
  const rows = seeds.map((seed) => [
    String(seed),
    ...all.map((runs) => {
      const run = runs.find((each) => each.seed === seed)
      return run ? show(run.result.value) : NONE
    }),
  ])
  const middle = all.map((runs) => (runs.length > 1 ? show(median(runs.map(({ result }) => result.value))) : ''))
  const names = ['A step in layers', 'A step in ops alone']
  return below(
    table(['seed', 'in layers', 'in ops alone'], middle.some((cell) => cell !== '') ? [...rows, ['median', ...middle]] : rows),
    ...all.map((runs, i) => time(runs, names[i], ({ also }) => also?.secondsPerStep)),
  )
}

/** The text that the network of the first seed wrote, as a block of code. */
const written = found('gpt', ([first]) => {
  const text = first.sections?.find((section) => section.kind === 'text' && section.title.startsWith('What it writes'))
  if (text?.kind !== 'text') return `Seed ${first.seed} kept no text.`
  return `After ${thousands(first.also?.steps ?? 0)} steps, with seed ${first.seed}:\n\n\`\`\`text\n${text.text.replaceAll('```', "'''")}\n\`\`\``
})

const reviews = found('transformer-imdb', (runs) => {
  const epochs = runs[0].history?.val_accuracy.length ?? 0
  const columns = Array.from({ length: epochs }, (_, epoch) => ({
    head: `after epoch ${epoch + 1}`,
    of: ({ history }: Result) => history?.val_accuracy[epoch],
    show: fixed(4),
  }))
  return below(seedTable(runs, columns), epochTime(runs))
})

/** The words of the picture's review that change the verdict most, and how even the attention is. */
const words = found('transformer-imdb', ([first]) => {
  const rows = (first.sections ?? []).flatMap((section) => (section.kind === 'heat' ? [section] : []))
  const effect = rows.find(({ title }) => title.startsWith('What each word says'))
  const attention = rows.find(({ title }) => title.startsWith('What the words get'))
  if (!effect || !attention) return `Seed ${first.seed} kept no words.`
  const [values, shares] = [effect, attention].map(({ values: [row] }) => row.map((value) => value ?? 0))
  const strongest = [...values.keys()].sort((a, b) => Math.abs(values[b]) - Math.abs(values[a])).slice(0, 6)
  const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`
  const listed = strongest.map((i) => `${code(effect.columns.names[i])} ${signed(values[i])}`).join(', ')
  const [least, most] = [Math.min(...shares), Math.max(...shares)].map((share) => (share * shares.length).toFixed(2))
  return `With seed ${first.seed} these words change log p(good)/p(bad) most: ${listed}. A word gets from ${least} to ${most} times an even share of the attention.`
})

/** The rows of the table that a run of `transfer` keeps: images of each digit, accuracy and seconds of both ways. */
const transferRows = ({ sections = [] }: Result): readonly (readonly number[])[] =>
  sections.flatMap((section) => (section.kind === 'table' ? section.rows.map((row) => row.map(Number)) : []))

const transfer = found('transfer', (kept) => {
  // A section that failed costs the run its rows.
  const runs = kept.filter((run) => transferRows(run).length === amounts.length)
  if (runs.length === 0) return `${code('transfer')} kept no table.`
  const all = runs.map(transferRows)
  const rows = all[0].map(([each], i) => {
    const { each: asked, epochs } = amounts[i]
    const across = (column: number): number[] => all.map((rows) => rows[i][column])
    const images = asked === undefined ? `all, about ${thousands(each)}` : thousands(each)
    const [frozen, nothing] = [1, 3].map((column) => medianAndRange(across(column), percent(2)))
    const [frozenTime, nothingTime] = [2, 4].map((column) => `${median(across(column)).toFixed(1)} s`)
    return [images, String(epochs), frozen, frozenTime, nothing, nothingTime]
  })
  const head = ['training images of each digit', 'epochs', 'convolutions frozen', 'time', 'from nothing', 'time']
  const low = medianAndRange(
    runs.flatMap(({ also }) => also?.digits0To4 ?? []),
    percent(2),
  )
  const seeds = `${runs.length === 1 ? 'Seed' : 'Seeds'} ${runs.map(({ seed }) => seed).join(', ')}`
  const machines = [...new Set(runs.map(machineOf))].join('; ')
  return below(
    table(head, rows),
    `${seeds}: the median${runs.length > 1 ? ' and the range' : ''}. The first network reads ${low} of the digits 0 to 4 right. Times are processor time, of all threads together: ${machines}.`,
  )
})

const augment = found('augment', (runs) => {
  const names = ['training pictures', 'others', 'test pictures']
  const ways = [
    [
      'as they are',
      ({ also }: Result) => [also?.trainingAccuracyWithoutChanges, also?.accuracyOfOthersWithoutChanges, also?.testAccuracyWithoutChanges],
    ],
    ['changed', ({ history, result }: Result) => [last(history?.accuracy), last(history?.val_accuracy), result.value]],
  ] as const
  const rowsOf = (name: string, seeds: readonly Result[]): string[][] =>
    ways.map(([way, values], i) => {
      const all = seeds.map((result) => values(result).map((value) => value ?? Number.NaN))
      return [i === 0 ? name : '', way, ...names.map((_, column) => median(all.map((row) => row[column])).toFixed(4))]
    })
  const rows = runs.flatMap((result) => rowsOf(String(result.seed), [result]))
  const more = runs.map(({ result, also, data: { test = 0 } }) =>
    Math.round((result.value - (also?.testAccuracyWithoutChanges ?? 0)) * test),
  )
  const gains = more.map((count, i) => `${count < 0 ? '−' : '+'}${thousands(Math.abs(count))} (seed ${runs[i].seed})`).join(', ')
  return below(
    table(['seed', '', ...names], runs.length > 1 ? [...rows, ...rowsOf('median', runs)] : rows),
    `Test pictures that changes gain, of ${thousands(runs[0].data.test ?? 0)}: ${gains}.`,
    epochTime(runs, 'An epoch with changes'),
  )
})

const vae = found('vae', (runs) => {
  const ofHistory = (name: string, at: number) => (result: Result) => result.history?.[name]?.at(at)
  const show = fixed(1)
  return below(
    seedTable(runs, [
      { head: 'loss, first epoch', of: ofHistory('loss', 0), show },
      { head: 'last epoch', of: ofHistory('loss', -1), show },
      { head: 'its reconstruction', of: ofHistory('reconstruction', -1), show },
      { head: 'its KL', of: ofHistory('kl', -1), show },
      { head: 'loss on test digits', of: ({ result }) => result.value, show },
    ]),
    epochTime(runs),
  )
})

const gan = found('gan', (runs) => {
  const at = (name: string, epoch: number) => (result: Result) => result.history?.[name]?.at(epoch)
  return below(
    seedTable(runs, [
      { head: "discriminator's loss, first epoch", of: at('discriminator', 0), show: fixed(3) },
      { head: 'last epoch', of: at('discriminator', -1), show: fixed(3) },
      { head: '`right`, first epoch', of: at('right', 0), show: percent(0) },
      { head: 'last epoch', of: at('right', -1), show: percent(0) },
    ]),
    epochTime(runs),
  )
})

/** How many of the made digits the reader is sure of, and how many of these belong to the rarest and to the commonest class. */
const quality = found('gan', (runs) => {
  const shares = ({ sections = [] }: Result): number[] => {
    const counts = sections.flatMap((section) => (section.kind === 'table' ? section.rows.map(([, made]) => Number(made)) : []))
    const total = counts.reduce((a, b) => a + b, 0)
    return total === 0 ? [] : counts.map((count) => count / total)
  }
  const extreme = (pick: (...values: number[]) => number) => (result: Result) =>
    shares(result).length > 0 ? pick(...shares(result)) : undefined
  return seedTable(runs, [
    { head: 'sure of made digits', of: ({ result }) => result.value, show: percent(1) },
    { head: 'of real test digits', of: ({ also }) => also?.realDigits, show: percent(1) },
    { head: 'the rarest class has', of: extreme(Math.min), show: percent(1) },
    { head: 'the commonest has', of: extreme(Math.max), show: percent(1) },
  ])
})

function picture(results: Results, [id, name, alt]: (typeof pictures)[number]): string {
  const drawn = of(results, id).find((result) => result.pictures?.[`${name}.svg`] !== undefined)
  return drawn
    ? `![${alt}](../results/${id}/${name}.svg)\n\nDrawn by the run of seed ${drawn.seed}.`
    : `The run draws the picture. ${notYet(id)}`
}

/** The parts by their names in the pages. */
export const exampleParts = (results: Results): [name: string, part: string][] => [
  ...pictures.map((each): [string, string] => [`picture ${each[0]} ${each[1]}`, picture(results, each)]),
  ['figures gpt', gpt(results)],
  ['text gpt', written(results)],
  ['figures transformer-imdb', reviews(results)],
  ['words transformer-imdb', words(results)],
  ['figures transfer', transfer(results)],
  ['figures augment', augment(results)],
  ['figures vae', vae(results)],
  ['figures gan', gan(results)],
  ['quality gan', quality(results)],
]
