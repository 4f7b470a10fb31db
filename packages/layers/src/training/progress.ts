/**
 * The progress lines of Keras, character for character. `progressLine` formats a line; `ProgressBar` decides when and how to redraw. Style '2.3' is that of Keras
 * 2.0.9 to 2.3.1, '2.0.8' that of earlier versions. Source: keras/utils/generic_utils.py, Progbar.
 */
import { ValueError } from '@cotangent/core'
import { describeValue, requireFunction, requireNumber, requireObject, requireOptions } from '@cotangent/core/arguments'
import { now as hostNow } from '../platform.js'
import { fixed, scientific } from '../spelling/python-text.js'

/** The version of Keras whose lines to print. */
export type ProgressStyle = '2.3' | '2.0.8'

/** 0: nothing. 1: a bar, redrawn. 2: one line at the end. */
export type Verbosity = 0 | 1 | 2

/** The content of a line. */
export interface ProgressLine {
  /** Units done: samples, or steps of an iterable. */
  current: number
  /** Units in all; null if unknown. */
  target: number | null
  elapsedSeconds: number
  /** Names and values, in order. Text is shown as it is. */
  values: readonly (readonly [name: string, value: number | string])[]
  style?: ProgressStyle
  verbose?: Verbosity
}

const WIDTH = 30

/** `0.2821`, or `4.2000e-04` for small values. With verbosity 2 Keras does not take the absolute value, so negative values count as small there. */
function show(value: number | string, verbose: Verbosity): string {
  if (typeof value === 'string') return value
  return (verbose === 1 ? Math.abs(value) : value) > 1e-3 ? fixed(value, 4) : scientific(value, 4)
}

const two = (n: number): string => String(n).padStart(2, '0')

/** Seconds left: `12s`, `3:29`, `1:02:03`. */
function eta(seconds: number, style: ProgressStyle): string {
  const s = Math.floor(seconds)
  if (style === '2.0.8' || seconds <= 60) return `${s}s`
  if (seconds <= 3600) return `${Math.floor(s / 60)}:${two(s % 60)}`
  return `${Math.floor(s / 3600)}:${two(Math.floor((s % 3600) / 60))}:${two(s % 60)}`
}

/** ` 34us/step` */
function perUnit(seconds: number): string {
  if (seconds >= 1) return ` ${fixed(seconds, 0)}s/step`
  return seconds >= 1e-3 ? ` ${fixed(seconds * 1e3, 0)}ms/step` : ` ${fixed(seconds * 1e6, 0)}us/step`
}

function bar(current: number, target: number | null): string {
  if (target === null) return `${String(current).padStart(7)}/Unknown`
  const filled = Math.floor((WIDTH * current) / target)
  const head = filled > 0 ? '='.repeat(filled - 1) + (current < target ? '>' : '=') : ''
  return `${String(current).padStart(String(target).length)}/${target} [${head}${'.'.repeat(WIDTH - filled)}]`
}

/**
 * One line, without the characters that precede a redraw and without the newline at the end.
 *
 * @throws ValueError for values that are no list, or a negative count
 * @example
 * ```ts
 * progressLine({ current: 3, target: 3, elapsedSeconds: 7.6, values: [['loss', 12.5]] })
 * // '3/3 [==============================] - 8s 3s/step - loss: 12.5000'
 * ```
 */
export function progressLine(line: ProgressLine): string {
  requireObject('progressLine', line, [], 'progressLine({ current: 3, target: 3, elapsedSeconds: 7.6, values: [] })')
  requireOptions('progressLine', line, ['current', 'target', 'elapsedSeconds', 'values', 'style', 'verbose'])
  const { current, target, elapsedSeconds, values, style = '2.3', verbose = 1 } = line
  requireNumber('progressLine', 'current', current, { least: 0 })
  if (target !== null) requireNumber('progressLine', 'target', target, { least: 0 })
  requireNumber('progressLine', 'elapsedSeconds', elapsedSeconds)
  if (!Array.isArray(values)) throw new ValueError(`progressLine: values must be a list of [name, value], got ${describeValue(values)}.`)
  const shown = values.map(([name, value]) => ` - ${name}: ${show(value, verbose)}`).join('')
  const seconds = style === '2.3' ? `${fixed(elapsedSeconds, 0)}s` : `${Math.floor(elapsedSeconds)}s`
  if (verbose === 2) return (style === '2.3' ? ` - ${seconds}` : seconds) + shown
  const each = current > 0 ? elapsedSeconds / current : 0
  const unfinished = target !== null && current < target
  const time = unfinished ? `ETA: ${eta(each * (target - current), style)}` : seconds + (style === '2.3' ? perUnit(each) : '')
  return `${bar(current, target)} - ${time}${shown}`
}

/** Options of a `ProgressBar`. */
export interface ProgressBarOptions {
  /** Units in all; null if unknown. Required. */
  target: number | null
  /** 0: nothing; 1 (default): a bar, redrawn; 2: one line at the end. */
  verbose?: Verbosity
  /** '2.3' (default) or '2.0.8'. */
  style?: ProgressStyle
  /** Prints text. Required. */
  write(text: string): void
  /** True: the line is redrawn in place. False (default): every redraw is a new line. */
  isTerminal?: boolean
  /** The least time between two redraws, in seconds; 0.05 by default. */
  intervalSeconds?: number
  /** A clock in milliseconds, for tests; the host's by default. */
  now?(): number
}

/**
 * A progress bar. Its time starts when it is made.
 *
 * @throws ValueError for an unknown option, or without `write`
 * @example
 * ```ts
 * const lines: string[] = []
 * const bar = new ProgressBar({ target: 60000, verbose: 2, write: (text) => void lines.push(text) })
 * bar.update(60000, [['loss', 0.5]])
 * console.log(lines.join('').includes('loss: 0.5000'))   // true
 * ```
 */
export class ProgressBar {
  readonly #options: Required<ProgressBarOptions>
  readonly #start: number
  #last = Number.NEGATIVE_INFINITY
  #width = 0

  constructor(options: ProgressBarOptions) {
    const example = 'new ProgressBar({ target: 100, write: (text) => … })'
    requireObject('ProgressBar', options, [], example)
    requireOptions('ProgressBar', options, ['target', 'verbose', 'style', 'write', 'isTerminal', 'intervalSeconds', 'now'])
    requireFunction('ProgressBar', 'write', options.write, example)
    if (options.target !== null) requireNumber('ProgressBar', 'target', options.target, { least: 0 })
    this.#options = {
      verbose: 1,
      style: '2.3',
      isTerminal: false,
      intervalSeconds: 0.05,
      now: hostNow,
      ...Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
    } as Required<ProgressBarOptions>
    this.#start = this.#options.now()
  }

  /** Whether `update` would redraw an unfinished bar now. Ask before fetching values, if that is slow. */
  due(): boolean {
    const { verbose, now, intervalSeconds } = this.#options
    return verbose === 1 && now() - this.#last >= intervalSeconds * 1000
  }

  /** Draws the last line. If the target was unknown, it is `total` now. */
  finish(total: number, values: ProgressLine['values']): void {
    this.#draw(total, total, values)
  }

  /** Draws, if a redraw is due or the target is reached. */
  update(current: number, values: ProgressLine['values']): void {
    this.#draw(current, this.#options.target, values)
  }

  #draw(current: number, target: number | null, values: ProgressLine['values']): void {
    const { verbose, style, write, isTerminal, now } = this.#options
    const finished = target !== null && current >= target
    if (verbose === 0 || (!finished && !this.due())) return
    const line = progressLine({ current, target, elapsedSeconds: (now() - this.#start) / 1000, values, style, verbose })
    this.#last = now()
    if (verbose === 2) {
      write(`${line}\n`)
      return
    }
    const before = isTerminal ? `${'\b'.repeat(this.#width)}\r` : '\n'
    // Blanks cover the rest of a longer line before.
    write(before + line.padEnd(this.#width) + (finished ? '\n' : ''))
    this.#width = line.length
  }
}
