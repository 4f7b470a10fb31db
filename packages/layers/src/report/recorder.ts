/** The callback that keeps the record of a run. What is done with the record (a file, a page) is the business of the function it is given. */
import { ValueError } from '@cotangent/core'
import { describeValue } from '@cotangent/core/arguments'
import type { Callback, Logs, TrainContext, TrainedModel } from '../callbacks/callback.js'
import { now } from '../platform.js'
import { type Rule, readOptions, type SpelledOptions } from '../spelling/names.js'
import { listOf } from '../spelling/rules.js'
import { checkFact, checkSection } from './check-record.js'
import { GradientNorms } from './gradient-norms.js'
import { networkOf } from './network-record.js'
import { finite, grouped } from './numbers.js'
import { type Fact, RECORD_VERSION, type RunRecord, type Section } from './record.js'

/** Sections of a record, or a function that makes them of the model at the end of the training. */
export type SectionsOption = readonly Section[] | ((model: TrainedModel) => readonly Section[] | Promise<readonly Section[]>)

/** Options of what keeps a record. */
export interface RecordOptions {
  /** A line that names the run; the model's name by default. */
  title?: string
  /** Rows for the list of facts: data, seed, what was tried. They stand before those that are known anyway. */
  facts?: readonly Fact[]
  /** Sentences that a reader of the result should know. */
  remarks?: readonly string[]
  /** Sections, or a function that makes them of the model at the end of the training; none by default. */
  sections?: SectionsOption
  /** Whether to measure the gradients of each layer, on the last batch of each epoch; true by default. */
  gradientNorms?: boolean
}

/**
 * Told of each new state of the record. It may be async; `fit` waits for it.
 *
 * @param mayWait whether this state may be left out, since a later one follows
 */
export type RecordSink = (record: RunRecord, mayWait: boolean) => void | Promise<void>

const checked =
  (check: (value: unknown, at: string) => void): Rule =>
  (what, name, value) => {
    try {
      check(value, name)
    } catch (error) {
      throw new ValueError(`${what}: ${(error as Error).message}.`)
    }
  }
const texts: Rule = listOf((what, name, value) => {
  if (typeof value !== 'string') throw new ValueError(`${what}: ${name} must be a text, got ${describeValue(value)}.`)
})
const sectionsRule: Rule = (what, name, value) => {
  if (typeof value !== 'function') listOf(checked(checkSection))(what, name, value)
}

/** Values of the options where none are given. */
export const recordDefaults: Required<RecordOptions> = { title: '', facts: [], remarks: [], sections: [], gradientNorms: true }
/** Checks of the options. */
export const recordRules = { facts: listOf(checked(checkFact)), remarks: texts, sections: sectionsRule }

/** An error in a line, for the record. */
const errorText = (error: unknown): string => (error instanceof Error ? error.message : String(error)).split('\n')[0]

/** Keeps the record of a training. It is the callback that `recordRun`, `report` and `reportInto` make. */
export class RunRecorder implements Callback {
  /** The record as it is now. You may add facts and sections to it, also after `fit`. */
  record: RunRecord
  readonly #options: Required<RecordOptions>
  readonly #own: readonly Fact[]
  readonly #sink: RecordSink
  #model?: TrainedModel
  #norms?: GradientNorms
  #began = 0
  #epochBegan = 0

  /** @param own facts of the place where it runs, such as the machine */
  constructor(options: Required<RecordOptions>, sink: RecordSink = () => {}, own: readonly Fact[] = []) {
    this.#options = options
    this.#sink = sink
    this.#own = own
    this.record = this.#fresh()
  }

  #fresh(): RunRecord {
    const { title, facts, remarks, sections } = this.#options
    return {
      format: 'cotangent-run',
      version: RECORD_VERSION,
      title,
      state: 'running',
      started: new Date().toISOString(),
      seconds: 0,
      facts: [...facts],
      remarks: [...remarks],
      training: { planned: 0, epochs: [], history: {}, learningRate: [], seconds: [] },
      sections: Array.isArray(sections) ? [...sections] : [],
    }
  }

  /** Hands the record on as it is now: call it after you changed it. */
  async save(): Promise<void> {
    await this.#sink(this.record, false)
  }

  async onTrainBegin(context: TrainContext): Promise<void> {
    const { model, epochs } = context
    this.#model = model
    this.record = this.#fresh()
    this.#began = now()
    const { record } = this
    record.title ||= model.name
    record.network = networkOf(model)
    record.training.planned = epochs
    const known = new Set(record.facts.map(({ name }) => name.toLowerCase()))
    for (const fact of [...planOf(context), ...this.#own]) if (!known.has(fact.name.toLowerCase())) record.facts.push(fact)
    this.#norms = this.#options.gradientNorms ? new GradientNorms(context) : undefined
    await this.#tell()
  }

  onEpochBegin(): void {
    this.#epochBegan = now()
  }

  async onEpochEnd(epoch: number, logs: Logs): Promise<void> {
    const { training } = this.record
    const seconds = (now() - this.#epochBegan) / 1000
    const before = training.epochs.length
    const norms = await this.#norms?.read()
    training.epochs.push(epoch)
    training.seconds.push(seconds)
    training.learningRate.push(finite((this.#model as TrainedModel).optimizer.learningRate))
    add(training.history, logs, before)
    if (norms && (training.gradientNorms || Object.keys(norms).length > 0)) {
      training.gradientNorms ??= {}
      add(training.gradientNorms, norms, before)
    }
    await this.#tell(true)
  }

  async onTrainEnd(): Promise<void> {
    const { record } = this
    const { epochs, planned } = record.training
    const model = this.#model as TrainedModel
    record.seconds = (now() - this.#began) / 1000
    const last = epochs.at(-1) ?? planned - 1
    const early = model.stopTraining && last + 1 < planned
    if (early) record.why = `A callback ended the training after epoch ${last + 1} of ${planned}.`
    const { sections } = this.#options
    if (typeof sections === 'function') {
      const made = await sections(model)
      sectionsRule('the sections of a report', 'the result', made)
      record.sections.push(...made)
    }
    record.state = early ? 'stopped' : 'finished'
    await this.#sink(record, false)
    this.#free()
  }

  async onTrainError(error: unknown): Promise<void> {
    // Another callback may have thrown before this one was told of the training, or after its end.
    if (!this.#model) return
    this.record.state = 'stopped'
    this.record.why = `The training failed: ${errorText(error)}`
    this.#free()
    await this.#tell()
  }

  #free(): void {
    this.#norms?.dispose()
    this.#norms = undefined
    this.#model = undefined
  }

  async #tell(mayWait = false): Promise<void> {
    this.record.seconds = (now() - this.#began) / 1000
    await this.#sink(this.record, mayWait)
  }
}

/** Facts of the plan of a training. */
function planOf({ model, epochs, steps, samples }: TrainContext): Fact[] {
  const facts: [string, number | string | undefined][] = [
    ['Samples', samples],
    ['Batches in an epoch', steps],
    ['Epochs planned', epochs],
    ['Parameters', model.countParams()],
    ['Seed', model.seed],
    ['Backend', `${model.backend.name}, ${model.dtype}`],
  ]
  return facts.flatMap(([name, value]) =>
    value === undefined ? [] : [{ name, value: typeof value === 'number' && name !== 'Seed' ? grouped(value) : String(value) }],
  )
}

/** Adds a value to each list; names that are new, or miss this time, get null where they have none. */
function add(lists: Record<string, (number | null)[]>, values: Readonly<Record<string, number>>, before: number): void {
  for (const name of new Set([...Object.keys(lists), ...Object.keys(values)])) {
    if (!Object.hasOwn(lists, name)) {
      const fresh: (number | null)[] = new Array(before).fill(null)
      // A name such as __proto__ is a name like others here.
      Object.defineProperty(lists, name, { value: fresh, enumerable: true, writable: true, configurable: true })
    }
    lists[name].push(Object.hasOwn(values, name) ? finite(values[name]) : null)
  }
}

/**
 * Makes a callback that keeps the record of a training, and writes nothing. `report` of `@cotangent/layers/node` writes a page of it, `reportInto` fills an element of a
 * page.
 *
 * @throws ValueError for an unknown option, or a fact or section that no view can draw
 * @example
 * ```ts
 * const run = recordRun({ title: 'first try', facts: [{ name: 'Data', value: 'random' }] })
 * await model.fit(x, y, { epochs: 2, verbose: 0, callbacks: [run] })
 * console.log(run.record.state, run.record.training.history.loss.length)   // finished 2
 * ```
 */
export function recordRun(options?: SpelledOptions<RecordOptions>): RunRecorder {
  return new RunRecorder(readOptions('recordRun', options, recordDefaults, recordRules, "recordRun({ title: 'first try' })"))
}
