/** The logs of every epoch as lines of a table (keras/callbacks/callbacks.py 2.3.1, CSVLogger). Where the lines go is the caller's business. */
import { ValueError } from '@cotangent/core'
import { describeValue } from '@cotangent/core/arguments'
import { readOptions, type SpelledOptions } from '../spelling/names.js'
import { floatText } from '../spelling/python-text.js'
import type { Callback, Logs, TrainContext } from './callback.js'

/** Where lines go. */
export interface TextSink {
  /** Empties it, or with `append` leaves what it has. Gives its first line, '' if it has none. */
  begin(append: boolean): string | Promise<string>
  write(text: string): void | Promise<void>
}

/** Throws unless there is a place to write to. */
export function requireSink(what: string, sink: unknown): void {
  const { begin, write } = Object(sink) as { begin?: unknown; write?: unknown }
  if (typeof begin === 'function' && typeof write === 'function') return
  throw new ValueError(
    `${what}: the sink must be an object with functions begin and write, got ${describeValue(sink)}. For files there is ${what} of @cotangent/layers/node.`,
  )
}

/** Options of `CSVLogger`, beside its sink. */
export interface CSVLoggerOptions {
  /** ',' by default. */
  separator?: string
  /** Go on behind the lines that are there, for a training that is resumed. */
  append?: boolean
}

/**
 * A line for each epoch: its number, from 0, and the logs in the order of their names; `NA` for a value that an epoch does not have. Numbers
 * are written so that they are read back as they were.
 */
export class CSVLogger implements Callback {
  readonly #sink: TextSink
  readonly #options: Required<CSVLoggerOptions>
  #metrics: readonly string[] = []
  #header = ''
  /** The columns; known with the first epoch. */
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
      throw new ValueError(`csvLogger: the separator must be one character that numbers and lines are not made of, got "${separator}".`)
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

  /** Settles the columns, and writes their names unless they are there already. */
  async #begin(logs: Logs): Promise<readonly string[]> {
    // Values of validation have a column even if the first epoch is not validated.
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

  /** As Python's csv writes it: what holds the separator or a quote is quoted. */
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
