/** Several runs on one page: curves over each other, facts that differ, final figures. */
import type { Comparison } from '../comparison-record.js'
import type { RunRecord } from '../record.js'
import { CurveControls } from './controls.js'
import { type Curve, drawCurves, legendFor } from './curves.js'
import { h } from './dom.js'
import { type Figure, figure, tableOf } from './figure.js'
import { finalFigures } from './run-view.js'
import { save, type Table } from './save.js'
import type { Stage } from './stage.js'
import { counted, duration, fileName, moment, num } from './text.js'
import { styleOf } from './theme.js'

/** Names of the runs; equal titles get their number. */
const namesOf = (runs: readonly RunRecord[]): string[] => {
  const count = (title: string): number => runs.filter((run) => run.title === title).length
  return runs.map(({ title }, i) => (count(title) > 1 ? `${title} (${i + 1})` : title))
}

/** The facts of a run, in the order to show. */
function factsOf({ facts, network, training, state, why, started, seconds }: RunRecord): Map<string, string> {
  const { optimizer, loss, layers = [] } = network ?? {}
  return new Map([
    ['State', why ? `${state}: ${why}` : state],
    ['Began', moment(started)],
    ['Duration', duration(seconds)],
    ['Epochs', `${training.epochs.length} of ${training.planned}`],
    ...facts.map(({ name, value }): [string, string] => [name, value]),
    ['Optimizer', optimizer?.name ?? ''],
    ...Object.entries(optimizer?.settings ?? {}).map(([name, value]): [string, string] => [`Optimizer: ${name}`, value]),
    ['Loss', loss ?? ''],
    ['Layers', layers.map(({ type, outputShape }) => `${type} ${outputShape}`).join(', ')],
  ])
}

/** The facts in which the runs differ, a column for each run. */
export function differences(runs: readonly RunRecord[]): Table {
  const all = runs.map(factsOf)
  const names = [...new Set(all.flatMap((facts) => [...facts.keys()]))]
  return {
    columns: ['fact', ...namesOf(runs)],
    rows: names
      .map((name) => [name, ...all.map((facts) => facts.get(name) ?? '')])
      .filter(([, first, ...others]) => others.some((value) => value !== first)),
  }
}

/** Last and best values, a row for each run. */
export function finals(runs: readonly RunRecord[]): Table {
  const figures = [...new Set(runs.flatMap((run) => Object.keys(run.training.history)))]
  const rows = runs.map((run) => new Map(finalFigures(run).rows.map((row) => [String(row[0]), row])))
  return {
    columns: ['run', ...figures.flatMap((name) => [`${name}, last`, `${name}, best`, 'in epoch'])],
    rows: namesOf(runs).map((name, i) => [
      name,
      ...figures.flatMap((each) => (rows[i].get(each) ?? []).slice(1).concat([null, null, null]).slice(0, 3)),
    ]),
  }
}

export function compareView(stage: Stage, comparison: Comparison): void {
  const { title, runs } = comparison
  stage.title = title
  const names = namesOf(runs)
  const metrics = [...new Set(runs.flatMap((run) => Object.keys(run.training.history)))]
  const controls = new CurveControls(() => {
    for (const each of figures) each.redraw()
  })
  const figures: Figure[] = metrics.map((name) => {
    const having = runs.flatMap((run, i) => (Object.hasOwn(run.training.history, name) ? [i] : []))
    const longest = Math.max(1, ...runs.map(({ training }) => 1 + Math.max(-1, ...training.epochs)))
    const epochs = Array.from({ length: longest }, (_, i) => i + 1)
    /** The values of a run at all epochs: null where it has none. */
    const valuesOf = ({ training }: RunRecord): (number | null)[] => {
      const values: (number | null)[] = new Array(longest).fill(null)
      for (const [i, epoch] of training.epochs.entries()) values[epoch] = training.history[name][i]
      return values
    }
    const curves = (): Curve[] =>
      having.map((i) => ({ name: names[i], end: String(i + 1), values: valuesOf(runs[i]), ...styleOf(stage.theme, i) }))
    return figure(stage, {
      title: name,
      wide: metrics.length === 1,
      sentence: () =>
        `${name} of ${counted(having.length, 'run')} over the epochs; last values: ${having
          .slice(0, 8)
          .map((i) => `${names[i]} ${num(runs[i].training.history[name].findLast((value) => value !== null) ?? null)}`)
          .join(', ')}.`,
      draw: (width) => ({
        plot: drawCurves({
          width,
          height: 290,
          theme: stage.theme,
          x: { label: 'epoch', values: epochs, whole: true },
          y: { label: name, log: controls.log },
          curves: curves(),
          smoothing: controls.smoothing,
        }),
        legend: legendFor(curves()),
      }),
      table: () => {
        const drawn = curves()
        return {
          columns: ['epoch', ...drawn.map((curve) => curve.name)],
          rows: epochs.map((epoch, i) => [epoch, ...drawn.map(({ values }) => values[i])]),
        }
      },
    })
  })
  const differ = differences(runs)
  stage.root.append(
    h(
      'div',
      { class: 'inside' },
      h(
        'header',
        {},
        h('div', {}, h('h1', {}, title), h('p', { class: 'meta' }, counted(runs.length, 'run'))),
        h(
          'div',
          { class: 'buttons' },
          h('button', { type: 'button', click: () => stage.switchTheme() }, 'Light or dark'),
          h(
            'button',
            {
              type: 'button',
              click: () => save(`${fileName(title)}.json`, new Blob([JSON.stringify(comparison, null, 1)], { type: 'application/json' })),
            },
            'Save the records (JSON)',
          ),
        ),
      ),
      h('h2', {}, 'Final figures'),
      h('div', { class: 'card finals' }, tableOf(stage, 'Final figures', finals(runs), true)),
      h('h2', {}, 'Curves'),
      controls.element,
      h(
        'div',
        { class: 'cards' },
        figures.map(({ element }) => element),
      ),
      h('h2', {}, 'Facts that differ'),
      h(
        'div',
        { class: 'card differ' },
        differ.rows.length > 0 ? tableOf(stage, 'Facts that differ', differ, true) : h('p', {}, 'The runs differ in no fact.'),
      ),
    ),
  )
}
