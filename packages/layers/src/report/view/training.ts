/** The plots of a training: learning curves, learning rate, seconds, gradient norms. They stay in the page while new epochs come in. */
import type { TrainingRecord } from '../record.js'
import { CurveControls } from './controls.js'
import { type Curve, drawCurves, legendFor } from './curves.js'
import { h } from './dom.js'
import { type Figure, figure } from './figure.js'
import { drawGrid } from './grid.js'
import type { Table } from './save.js'
import type { Stage } from './stage.js'
import { bestOf, counted, duration, num } from './text.js'
import { along, styleOf } from './theme.js'

/** More layers than this are drawn as a heat map. */
const MOST_LINES = 8

const last = (values: readonly (number | null)[] | undefined): number | null => values?.findLast((value) => value !== null) ?? null

/** The names to draw: each with the name of its validation, if it has one. */
const metricsOf = ({ history }: TrainingRecord): string[] => [...new Set(Object.keys(history).map((name) => name.replace(/^val_/, '')))]

export class TrainingPlots {
  readonly element: HTMLElement
  readonly #stage: Stage
  readonly #cards = h('div', { class: 'cards' })
  readonly #figures = new Map<string, Figure>()
  readonly #empty = h('p', { class: 'says' }, 'No epoch is done yet.')
  #training: TrainingRecord = { planned: 0, epochs: [], history: {}, learningRate: [], seconds: [] }
  readonly #controls = new CurveControls(() => this.#redraw())

  constructor(stage: Stage) {
    this.#stage = stage
    this.element = h('section', {}, h('h2', {}, 'Training'), this.#controls.element, this.#empty, this.#cards)
  }

  #redraw(): void {
    for (const { redraw } of this.#figures.values()) redraw()
  }

  update(training: TrainingRecord): void {
    this.#training = training
    this.#empty.hidden = training.epochs.length > 0
    const wanted = new Map<string, () => Figure>()
    if (training.epochs.length > 0) {
      for (const name of metricsOf(training)) wanted.set(`metric ${name}`, () => this.#metric(name))
      wanted.set('rate', () =>
        this.#single('Learning rate', 'The rate of the last step of each epoch.', 'learning rate', (t) => t.learningRate),
      )
      wanted.set('seconds', () => this.#single('Seconds an epoch', 'With the validation.', 'seconds', (t) => t.seconds))
      if (training.gradientNorms && Object.keys(training.gradientNorms).length > 0) wanted.set('gradients', () => this.#gradients())
    }
    // Another training in the same place may have other figures.
    for (const [key, { element }] of this.#figures) {
      if (wanted.has(key)) continue
      this.#stage.forget(element)
      element.remove()
      this.#figures.delete(key)
    }
    for (const [key, make] of wanted) this.#figure(key, make)
    this.#redraw()
  }

  #figure(key: string, make: () => Figure): void {
    if (this.#figures.has(key)) return
    const made = make()
    this.#figures.set(key, made)
    this.#cards.append(made.element)
  }

  get #epochs(): number[] {
    return this.#training.epochs.map((epoch) => epoch + 1)
  }

  #table(columns: readonly (readonly [name: string, values: readonly (number | null)[]])[]): Table {
    return {
      columns: ['epoch', ...columns.map(([name]) => name)],
      rows: this.#epochs.map((epoch, i) => [epoch, ...columns.map(([, values]) => values[i] ?? null)]),
    }
  }

  #metric(name: string): Figure {
    const curves = (): Curve[] => {
      const { history } = this.#training
      const names = [name, `val_${name}`].filter((each) => Object.hasOwn(history, each))
      const { series } = this.#stage.theme
      return names.map((each) => {
        const isValidation = each !== name
        return {
          name: isValidation ? 'validation' : 'training',
          color: series[isValidation ? 1 : 0],
          dash: isValidation ? '7 4' : '',
          values: history[each],
        }
      })
    }
    const wide = /loss$/.test(name) && metricsOf(this.#training).length === 1
    return figure(this.#stage, {
      title: name,
      wide,
      sentence: () => {
        const { history } = this.#training
        const validation = `val_${name}`
        const best = bestOf(validation, history[validation] ?? [])
        return (
          `${name} after ${counted(this.#epochs.length, 'epoch')}: ${num(last(history[name]))} in training` +
          (history[validation] ? `, ${num(last(history[validation]))} in validation` : '') +
          (best ? `; best in validation ${num(best.value)} in epoch ${this.#epochs[best.at]}.` : '.')
        )
      },
      draw: (width) => {
        const drawn = curves()
        return {
          plot: drawCurves({
            width,
            theme: this.#stage.theme,
            x: { label: 'epoch', values: this.#epochs, whole: true },
            y: { label: name, log: this.#controls.log },
            curves: drawn,
            smoothing: this.#controls.smoothing,
          }),
          legend: legendFor(drawn),
        }
      },
      table: () => this.#table(curves().map(({ name: kind, values }) => [kind, values])),
    })
  }

  #single(title: string, says: string, label: string, pick: (training: TrainingRecord) => readonly (number | null)[]): Figure {
    return figure(this.#stage, {
      title,
      says,
      sentence: () => {
        const values = pick(this.#training)
        const first = values.find((value) => value !== null) ?? null
        const text = (value: number | null): string => (label === 'seconds' && value !== null ? duration(value) : num(value))
        return `${title}: ${text(first)} in the first of ${counted(values.length, 'epoch')}, ${text(last(values))} in the last.`
      },
      draw: (width) => {
        const [color] = this.#stage.theme.series
        return {
          plot: drawCurves({
            width,
            height: 190,
            theme: this.#stage.theme,
            x: { label: 'epoch', values: this.#epochs, whole: true },
            y: { label, log: this.#controls.log },
            curves: [{ name: title, color, dash: '', values: pick(this.#training) }],
          }),
        }
      },
      table: () => this.#table([[label, pick(this.#training)]]),
    })
  }

  #gradients(): Figure {
    const norms = (): [string, (number | null)[]][] => Object.entries(this.#training.gradientNorms ?? {})
    const many = norms().length > MOST_LINES
    const curves = (): Curve[] => norms().map(([name, values], i) => ({ name, values, ...styleOf(this.#stage.theme, i) }))
    return figure(this.#stage, {
      title: 'Gradient norms by layer',
      says: 'The L2 norm of the gradients of each layer’s weights, on the last batch of each epoch. Layers that lie far below the others hardly learn.',
      wide: true,
      sentence: () => {
        const at = norms()
          .map(([name, values]) => ({ name, value: last(values) }))
          .filter((entry): entry is { name: string; value: number } => entry.value !== null)
          .sort((a, b) => a.value - b.value)
        if (at.length === 0) return 'Gradient norms by layer: none was measured.'
        const [small, large] = [at[0], at[at.length - 1]]
        return `Gradient norms of ${counted(at.length, 'layer')} after ${counted(this.#epochs.length, 'epoch')}: from ${num(small.value)} (${small.name}) to ${num(large.value)} (${large.name}).`
      },
      draw: (width) => {
        const { theme } = this.#stage
        if (!many) {
          const drawn = curves()
          return {
            plot: drawCurves({
              width,
              theme,
              x: { label: 'epoch', values: this.#epochs, whole: true },
              y: { label: 'norm', log: true },
              curves: drawn,
              smoothing: this.#controls.smoothing,
            }),
            legend: legendFor(drawn),
          }
        }
        const logs = norms().map(([, values]) => values.map((value) => (value !== null && value > 0 ? Math.log10(value) : null)))
        const known = logs.flat().filter((value) => value !== null)
        const low = known.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)
        const high = known.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
        return drawGrid({
          width,
          theme,
          rows: { label: '', names: norms().map(([name]) => name) },
          columns: { label: 'epoch', names: this.#epochs.map(String) },
          values: logs,
          color: (value) => along(theme.ramp, 0.1 + (0.9 * (value - low)) / Math.max(1e-9, high - low)),
          tip: (row, column) => `${norms()[row][0]}, epoch ${this.#epochs[column]}: ${num(norms()[row][1][column])}`,
        })
      },
      table: () => this.#table(norms()),
    })
  }
}
