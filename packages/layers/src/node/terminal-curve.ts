/// <reference types="node" />
/**
 * Curves in the terminal, below the progress bar. The characters of Braille are eight dots each, so a line of text is four lines of dots. The packages that draw curves of text
 * have one point a character, no gaps and no second curve that can be told apart without colours; this is less code than using one.
 */
import type { Callback, Logs, TrainContext, TrainOutput } from '../callbacks/callback.js'
import { readOptions, type SpelledOptions } from '../spelling/names.js'
import { oneOf, whole } from '../spelling/rules.js'

/** Options of `terminalCurve`. */
export interface TerminalCurveOptions {
  /** The name of the values to draw, with those of validation beside them; `'loss'` by default. */
  metric?: string
  /** Lines of text for the curve, at least 2; 8 by default. */
  height?: number
  /** The axis: `'linear'` (default) or `'log'`. */
  scale?: 'linear' | 'log'
}

type Values = readonly (number | null)[]

/** The dot of a cell of Braille at a row and a column: Unicode numbers them down the left column first, the lowest row last. */
const DOTS = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
]

/** The character of a cell's dots. */
const cell = (bits: number): string => (bits === 0 ? ' ' : String.fromCharCode(0x2800 + bits))

/** `0.0213`, in at most seven characters. */
const short = (value: number): string => {
  const text = Math.abs(value) >= 1e-3 && Math.abs(value) < 1e6 ? String(Number(value.toPrecision(3))) : value.toExponential(1)
  return text.replace('e+', 'e')
}

/**
 * The lines of a drawing: the first series as a line, the second as every other dot of one.
 *
 * @param columns the width of the terminal
 */
export function curveLines(
  series: readonly { name: string; values: Values }[],
  columns: number,
  height: number,
  log = false,
  colors = false,
): string[] {
  const fits = (value: number | null): value is number => value !== null && Number.isFinite(value) && (!log || value > 0)
  const on = (value: number): number => (log ? Math.log10(value) : value)
  const known = series.flatMap(({ values }) => values.filter(fits).map(on))
  const count = Math.max(0, ...series.map(({ values }) => values.length))
  if (known.length === 0 || columns < 24) return []
  const high = known.reduce((a, b) => Math.max(a, b))
  const low = known.reduce((a, b) => Math.min(a, b))
  const back = (value: number): string => short(log ? 10 ** value : value)
  const margin = Math.max(back(high).length, back(low).length)
  const width = Math.min(columns - margin - 3, 100)
  const [across, down] = [2 * width, 4 * height]
  const cells = Array.from({ length: height }, () => new Uint8Array(width))
  const owner = Array.from({ length: height }, () => new Uint8Array(width))
  const dot = (x: number, y: number, s: number): void => {
    const [row, column] = [y >> 2, x >> 1]
    cells[row][column] |= DOTS[y & 3][x & 1]
    owner[row][column] = s + 1
  }
  const xOf = (i: number): number => (count === 1 ? 0 : Math.round((i / (count - 1)) * (across - 1)))
  const yOf = (value: number): number => (high === low ? down >> 1 : Math.round(((high - on(value)) / (high - low)) * (down - 1)))
  for (const [s, { values }] of [...series.entries()].reverse()) {
    let before: [x: number, y: number] | undefined
    for (const [i, value] of values.entries()) {
      if (!fits(value)) {
        before = undefined
        continue
      }
      const [x, y]: [number, number] = [xOf(i), yOf(value)]
      const [x0, y0] = before ?? [x, y]
      const steps = Math.max(1, Math.abs(x - x0), Math.abs(y - y0))
      for (let k = before ? 1 : 0; k <= steps; k++) {
        const [at, over] = [Math.round(x0 + ((x - x0) * k) / steps), Math.round(y0 + ((y - y0) * k) / steps)]
        // The second series is dotted: its dots stand two on, two off along x, or along y where it is steep.
        if (s === 0 || ((Math.abs(x - x0) >= Math.abs(y - y0) ? at : over) & 3) < 2 || k === steps) dot(at, over, s)
      }
      before = [x, y]
    }
  }
  const paint = (text: string, s: number): string => (colors && s > 0 ? `\x1b[${s === 1 ? 36 : 33}m${text}\x1b[39m` : text)
  const lines = cells.map((row, r) => {
    const label = r === 0 ? back(high) : r === height - 1 ? back(low) : ''
    let drawn = ''
    for (let c = 0; c < width; ) {
      const begin = c
      do c++
      while (c < width && owner[r][c] === owner[r][begin])
      drawn += paint(Array.from(row.subarray(begin, c), cell).join(''), owner[r][begin])
    }
    return `${label.padStart(margin)} ┤${drawn}`.trimEnd()
  })
  const names = series.map(({ name, values }, s) => {
    const last = values.findLast(fits)
    return paint(`${s === 0 ? '──' : '╌╌'} ${name}${last === undefined ? '' : ` ${short(last)}`}`, s + 1)
  })
  return [...lines, `${' '.repeat(margin + 1)}└ ${names.join('   ')}   epochs 1 to ${count}`]
}

/** Lines that stand below the cursor: each text that is written goes above them. */
class Below implements TrainOutput {
  readonly isTerminal = true
  readonly #output: TrainOutput
  readonly #columns: () => number
  #lines: readonly string[] = []
  /** Characters since the last line end: where the cursor stands. */
  #column = 0

  constructor(output: TrainOutput, columns: () => number) {
    this.#output = output
    this.#columns = columns
  }

  write(text: string): void {
    for (const part of text.split(/([\n\r\b])/)) {
      if (part === '\n' || part === '\r') this.#column = 0
      else if (part === '\b') this.#column = Math.max(0, this.#column - 1)
      else this.#column += part.length
    }
    // Erases what stands below, writes, and draws it again below; then the cursor goes back up.
    this.#output.write(`\x1b[J${text}${this.#drawn()}`)
  }

  #drawn(): string {
    if (this.#lines.length === 0) return ''
    const at = this.#column % Math.max(1, this.#columns())
    return `\n${this.#lines.join('\n')}\x1b[${this.#lines.length}A\r${at > 0 ? `\x1b[${at}C` : ''}`
  }

  show(lines: readonly string[]): void {
    this.#lines = lines
    this.write('')
  }

  /** Leaves the lines where they are, with the cursor below them. */
  end(): void {
    if (this.#lines.length === 0) return
    const lines = this.#lines
    this.#lines = []
    this.write(`${this.#column > 0 ? '\n' : ''}${lines.join('\n')}\n`)
  }
}

/** The width of the terminal; 80 where that is not known. */
const terminalColumns = (): number => process.stdout.columns || 80
/** Its lines, less those of the progress bar. */
const terminalRows = (): number => Math.max(2, (process.stdout.rows || 24) - 5)

/** Draws curves in the terminal. It is the callback that `terminalCurve` makes. */
class TerminalCurve implements Callback {
  readonly #options: Required<TerminalCurveOptions>
  #below?: Below
  #values = new Map<string, (number | null)[]>()

  constructor(options: Required<TerminalCurveOptions>) {
    this.#options = options
  }

  onTrainBegin({ metrics, wrapOutput }: TrainContext): void {
    const { metric } = this.#options
    this.#below = undefined
    this.#values = new Map([metric, `val_${metric}`].filter((name) => metrics.includes(name)).map((name) => [name, []]))
    wrapOutput((output) => {
      if (!output.isTerminal) return output
      this.#below = new Below(output, terminalColumns)
      return this.#below
    })
  }

  onEpochEnd(_epoch: number, logs: Logs): void {
    if (!this.#below) return
    for (const [name, values] of this.#values) values.push(Number.isFinite(logs[name]) ? logs[name] : null)
    const series = Array.from(this.#values, ([name, values]) => ({ name, values }))
    const { height, scale } = this.#options
    this.#below.show(curveLines(series, terminalColumns(), Math.min(height, terminalRows()), scale === 'log', !process.env.NO_COLOR))
  }

  onTrainEnd(): void {
    this.#below?.end()
  }

  onTrainError(): void {
    this.#below?.end()
  }
}

/**
 * Makes a callback that draws a curve below the progress bar and redraws it after each epoch: the loss as a line, that of validation dotted. It draws nothing where the output of
 * `fit` is no terminal, such as a pipe or a file. `NO_COLOR` in the environment turns colours off.
 *
 * @throws ValueError for an unknown option, or one out of its range
 * @example
 * ```ts
 * await model.fit(x, y, { epochs: 3, validationSplit: 0.25, callbacks: [terminalCurve({ metric: 'accuracy' })] })
 * ```
 */
export function terminalCurve(options?: SpelledOptions<TerminalCurveOptions>): Callback {
  return new TerminalCurve(
    readOptions<Required<TerminalCurveOptions>>(
      'terminalCurve',
      options,
      { metric: 'loss', height: 8, scale: 'linear' },
      { height: whole({ least: 2 }), scale: oneOf('linear', 'log') },
      "terminalCurve({ metric: 'loss' })",
    ),
  )
}
