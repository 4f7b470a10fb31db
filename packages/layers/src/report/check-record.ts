/** Reads the record of a run that comes from a file or from elsewhere, and checks that a view can draw it. */
import { ValueError } from '@cotangent/core'
import { describeValue } from '@cotangent/core/arguments'
import { type Fact, type ImageSheet, RECORD_VERSION, type RunRecord, type Section } from './record.js'

/** Checks a value; `at` is its place in the record, such as `training.history.loss`. Throws what is wrong. */
type Check = (value: unknown, at: string) => void

const wrong = (at: string, what: string, value: unknown): never => {
  throw new ValueError(`${at} must be ${what}, got ${describeValue(value)}`)
}
const text: Check = (value, at) => void (typeof value === 'string' || wrong(at, 'a text', value))
const bool: Check = (value, at) => void (typeof value === 'boolean' || wrong(at, 'true or false', value))
const number: Check = (value, at) => void (Number.isFinite(value) || wrong(at, 'a finite number', value))
const count: Check = (value, at) =>
  void ((Number.isSafeInteger(value) && (value as number) >= 0) || wrong(at, 'a whole number, at least 0', value))
const object: Check = (value, at) =>
  void ((typeof value === 'object' && value !== null && !Array.isArray(value)) || wrong(at, 'an object', value))
const oneOf =
  (...choices: readonly unknown[]): Check =>
  (value, at) =>
    void (choices.includes(value) || wrong(at, choices.map((choice) => JSON.stringify(choice)).join(' or '), value))
const maybe =
  (check: Check): Check =>
  (value, at) =>
    value === undefined || check(value, at)
const orNull =
  (check: Check): Check =>
  (value, at) =>
    value === null || check(value, at)
const cell: Check = (value, at) => void (value === null || typeof value === 'string' || number(value, at))
/** A list, of a length if that is known. */
const list =
  (check: Check, length?: number): Check =>
  (value, at) => {
    if (!Array.isArray(value)) return wrong(at, 'a list', value)
    if (length !== undefined && value.length !== length) wrong(at, `a list of ${length}`, value)
    for (let i = 0; i < value.length; i++) check(value[i], `${at}[${i}]`)
  }
const entries =
  (check: Check): Check =>
  (value, at) => {
    object(value, at)
    for (const [name, part] of Object.entries(value as object)) check(part, `${at}.${name}`)
  }
/** An object with these members. Others are let through: a later writer may have more to say. */
const shape =
  (members: Record<string, Check>): Check =>
  (value, at) => {
    object(value, at)
    for (const [name, check] of Object.entries(members)) check((value as Record<string, unknown>)[name], at === '' ? name : `${at}.${name}`)
  }

const sheet: Check = (value, at) => {
  shape({ count, height: count, width: count, channels: oneOf(1, 3), bytes: text, ink: maybe(bool) })(value, at)
  const { count: n, height, width, channels, bytes } = value as ImageSheet
  // Four characters of base64 are three bytes.
  const held = Math.floor((bytes.replace(/=+$/, '').length * 3) / 4)
  if (held !== n * height * width * channels)
    throw new ValueError(
      `${at}.bytes holds ${held} bytes, but ${n} images of ${height}×${width}×${channels} have ${n * height * width * channels}`,
    )
}
const sample: Check = shape({ index: count, truth: count, predicted: count, confidence: number, image: maybe(count), text: maybe(text) })
const names = shape({ label: text, names: list(text) })

const kinds: Record<Section['kind'], (section: never) => Check> = {
  confusion: ({ labels }: { labels: unknown[] }) =>
    shape({
      labels: list(text),
      counts: list(list(number, labels?.length), labels?.length),
      samples: maybe(list(sample)),
      images: maybe(sheet),
    }),
  samples: () => shape({ labels: list(text), samples: list(sample), images: maybe(sheet) }),
  images: () => shape({ images: sheet, columns: maybe(count), captions: maybe(list(text)) }),
  lines: ({ x }: { x?: { values?: unknown[] } }) =>
    shape({
      x: shape({ label: text, values: list(number), unit: maybe(text) }),
      y: shape({ label: text, unit: maybe(text), log: maybe(bool) }),
      series: list(shape({ name: text, values: list(orNull(number), x?.values?.length) })),
    }),
  heat: ({ rows, columns }: { rows?: { names?: unknown[] }; columns?: { names?: unknown[] } }) =>
    shape({
      rows: names,
      columns: names,
      values: list(list(orNull(number), columns?.names?.length), rows?.names?.length),
      diverging: maybe(bool),
    }),
  table: ({ columns }: { columns?: unknown[] }) => shape({ columns: list(text), rows: list(list(cell, columns?.length)) }),
  text: () => shape({ text }),
}

/** Throws what is wrong with a section. One of a kind that is not known passes; a view says that it cannot draw it. */
export const checkSection: Check = (value, at) => {
  shape({ kind: text, title: text, says: maybe(text) })(value, at)
  const { kind } = value as Section
  if (Object.hasOwn(kinds, kind)) kinds[kind](value as never)(value, at)
}

/** Throws what is wrong with a fact. */
export const checkFact: Check = shape({ name: text, value: text } satisfies Record<keyof Fact, Check>)

const training =
  (epochs: number): Check =>
  (value, at) => {
    const series = list(orNull(number), epochs)
    shape({
      planned: count,
      epochs: list(count),
      history: entries(series),
      learningRate: series,
      seconds: series,
      gradientNorms: maybe(entries(series)),
    })(value, at)
  }

const layer = shape({ name: text, type: text, outputShape: text, parameters: count, trainable: bool, from: list(text) })
const network = shape({
  summary: text,
  layers: list(layer),
  optimizer: maybe(shape({ name: text, settings: entries(text) })),
  loss: maybe(text),
  metrics: list(text),
})

/**
 * Checks a record.
 *
 * @param what the function that the user called
 * @param from where it comes from, for messages: `"a.html"`
 * @throws ValueError that names the part and what is wrong with it
 */
export function checkRecord(what: string, value: unknown, from = 'the record'): RunRecord {
  const { format, version } = Object(value) as Partial<RunRecord>
  if (format !== 'cotangent-run')
    throw new ValueError(`${what}: ${from} is no record of a run: its "format" must be "cotangent-run", got ${describeValue(format)}.`)
  if (version !== RECORD_VERSION)
    throw new ValueError(
      `${what}: ${from} has version ${describeValue(version)} of the format, and this release reads version ${RECORD_VERSION}. ` +
        'Open it with the release that wrote it, or train again.',
    )
  const epochs = (Object((value as RunRecord).training) as Partial<RunRecord['training']>).epochs?.length ?? 0
  try {
    shape({
      title: text,
      state: oneOf('running', 'finished', 'stopped'),
      why: maybe(text),
      started: text,
      seconds: number,
      facts: list(checkFact),
      remarks: list(text),
      network: maybe(network),
      training: training(epochs),
      sections: list(checkSection),
    })(value, '')
  } catch (error) {
    if (!(error instanceof ValueError)) throw error
    throw new ValueError(`${what}: ${from} is damaged: ${error.message}.`)
  }
  return value as RunRecord
}

/** The tag that holds the record in a report. */
export const RECORD_TAG = '<script type="application/json" id="record">'

/**
 * Reads the record of a run: from a report (its HTML), from JSON, or from the value that JSON held.
 *
 * @throws ValueError for anything else, another version, or damage; it says which part
 * @example
 * ```ts
 * import { recordRun } from '@cotangent/layers/report'
 *
 * const run = recordRun({ title: 'first try' })
 * await model.fit(x, y, { epochs: 2, verbose: 0, callbacks: [run] })
 * console.log(readRecord(JSON.stringify(run.record)).training.epochs)   // [0, 1]
 * ```
 */
export function readRecord(source: unknown): RunRecord {
  return readRecordOf('readRecord', source, 'the record')
}

/** `readRecord` for the function `what`. */
export function readRecordOf(what: string, source: unknown, from: string): RunRecord {
  if (typeof source !== 'string') return checkRecord(what, source, from)
  const begin = source.indexOf(RECORD_TAG)
  const isPage = /^\s*</.test(source)
  if (isPage && begin < 0) throw new ValueError(`${what}: ${from} is a page without a record. Give a file that report() wrote, or JSON.`)
  const json = isPage ? source.slice(begin + RECORD_TAG.length, source.indexOf('</script', begin)) : source
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (error) {
    throw new ValueError(`${what}: ${from} holds no JSON: ${(error as Error).message}.`)
  }
  return checkRecord(what, value, from)
}
