/**
 * Writes the logs of every epoch as a line of a table. A sink takes the lines; node/callbacks.ts binds it to a file. Source: Keras 2.3.1,
 * callbacks/callbacks.py.
 */
import { ValueError } from '@cotangent/core'
import { describeValue } from '@cotangent/core/arguments'
import { readOptions, type SpelledOptions } from '../spelling/names.js'
import { floatText } from '../spelling/python-text.js'
import type { Callback, Logs, TrainContext } from './callback.js'

/** The destination of lines of text. */
export interface TextSink {
  /** Empties the destination, unless `append` is true. Returns its first line, '' if it has none. */
  begin(append: boolean): string | Promise<string>
  /** Adds text at the end. */
  write(text: string): void | Promise<void>
}

/** Throws unless the sink has functions `begin` and `write`. */
export function requireSink(what: string, sink: unknown): void {
  const { begin, write } = Object(sink) as { begin?: unknown; write?: unknown }
  if (typeof begin === 'function' && typeof write === 'function') return
  throw new ValueError(
    `${what}: the sink must be an object with functions begin and write, got ${describeValue(sink)}. For files there is ${what} of @cotangent/layers/node.`,
  )
}

/** Options of `CSVLogger`, in addition to its sink. */
export interface CSVLoggerOptions {
  /** The character between two fields; ',' by default. It cannot be a digit, a point, a quote or a line end. */
  separator?: string
  /** Keep the lines that are there and add to them, for a training that is resumed. False by default. */
  append?: boolean
}

/**
 * Writes a line for each epoch: its number, counted from 0, and the logs in the order of their names. A value that an epoch does not have is `NA`. Numbers
 * are written so that reading gives the same number.
 *
 * @throws ValueError for another separator than one character, or at the first epoch if the columns do not fit the lines that are there
 * @example
 * ```ts
 * const lines: string[] = []
 * const logger = new CSVLogger({ begin: () => '', write: (line) => void lines.push(line) })
 * await model.fit(x, y, { epochs: 2, verbose: 0, callbacks: [logger] })
 * console.log(lines.length, lines[0].trim())   // 3 epoch,accuracy,loss
 * ```
 */
export class CSVLogger implements Callback {
  readonly #sink: TextSink
  readonly #options: Required<CSVLoggerOptions>
  #metrics: readonly string[] = []
  #header = ''
  /** The columns, known from the first epoch on. */
  #keys?: readonly string[]

  constructor(sink: TextSink, options: SpelledOptions<CSVLoggerOptions> = {}) {
    requireSink('csvLogger', sink)
    this.#sink = sink
    this.#options = readOptions<Required<CSVLoggerOptions>>(
      'csvLogger',
      options,
      { separator: ',', append: false },
      {},
      "csvLogger('log.csv', { append: true })",
    )
    const { separator } = this.#options
    if (separator.length !== 1 || /[\r\n"\d.]/.test(separator)) {
      throw new ValueError(`csvLogger: the separator must be one character, and no digit, point, quote or line end, got "${separator}".`)
    }
  }

  async onTrainBegin({ metrics }: TrainContext): Promise<void> {
    this.#metrics = metrics
    this.#keys = undefined
    this.#header = (await this.#sink.begin(this.#options.append)).replace(/[\r\n]+$/, '')
  }

  async onEpochEnd(epoch: number, logs: Logs): Promise<void> {
    const keys = this.#keys ?? (await this.#begin(logs))
    await this.#line([String(epoch), ...keys.map((key) => (Object.hasOwn(logs, key) ? floatText(logs[key]) : 'NA'))])
  }

  /** Fixes the columns, and writes their names unless they are there. */
  async #begin(logs: Logs): Promise<readonly string[]> {
    // Validation has its columns even if the first epoch is not validated.
    const keys = [...new Set([...Object.keys(logs), ...this.#metrics])].sort()
    const header = ['epoch', ...keys]
    if (this.#header === '') await this.#line(header)
    else if (this.#header !== this.#row(header)) {
      throw new ValueError(
        `csvLogger: the lines to append would have the columns ${header.join(', ')}, but the file begins with "${this.#header}". Write to another file, or without append.`,
      )
    }
    this.#keys = keys
    return keys
  }

  /** A line as Python's csv writes it: a field with the separator or a quote in it is quoted. */
  #row(fields: readonly string[]): string {
    const { separator } = this.#options
    const quoted = (field: string): string =>
      field.includes(separator) || field.includes('"') ? `"${field.replaceAll('"', '""')}"` : field
    return fields.map(quoted).join(separator)
  }

  async #line(fields: readonly string[]): Promise<void> {
    await this.#sink.write(`${this.#row(fields)}\r\n`)
  }
}
