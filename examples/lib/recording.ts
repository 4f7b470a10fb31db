/**
 * The record of a run, for `--report`, `--json` and `npm run reproduce`. An experiment says what there is to see of it (`shows`); nothing of that is computed unless somebody
 * asked for it.
 */
import { join } from 'node:path'
import type { Callback, Logs } from '@cotangent/layers'
import { report } from '@cotangent/layers/node'
import { type Fact, type RunRecord, type RunRecorder, recordRun, type Section } from '@cotangent/layers/report'
import type { Environment } from './environment.js'
import { writeWhole } from './files.js'

/** Makes sections. It runs after the training, and only if a record is wanted. */
export type MakeSections = () => Section | readonly Section[] | Promise<Section | readonly Section[]>

/** The file of `--report` without a value: in `--out` if there is one. */
export const reportFile = (id: string, given: string, out?: string): string =>
  given !== '' ? given : out === undefined ? join('out', `${id}.html`) : join(out, 'report.html')

/** A number that JSON has, or null. */
const finite = (value: number | undefined): number | null => (value !== undefined && Number.isFinite(value) ? value : null)

/** Takes what a run tells of itself. */
export class Recording {
  /** Give these to `fit`: they note what happens in each epoch. None without `--report`. */
  readonly callbacks: readonly Callback[]
  /** None if nobody wants a record: then all of this does nothing. */
  readonly #run?: RunRecorder
  readonly #file?: string
  readonly #sections: Section[] = []
  readonly #facts: Fact[] = []
  readonly #remarks: string[] = []
  #begun = performance.now()

  /**
   * @param wanted.file of `--report`: a page, which follows the training, or JSON if its name ends in `.json`
   * @param wanted.figures whether sections are made without a file, too
   */
  constructor(title = '', wanted: { file?: string; figures?: boolean } = {}) {
    const { file, figures } = wanted
    this.#file = file
    if (file !== undefined && !file.endsWith('.json')) this.#run = report({ file, title })
    else if (file !== undefined || figures) this.#run = recordRun({ title })
    // A training begins its record anew; what was shown before it belongs to it, too.
    const earlier: Callback = { onTrainBegin: () => void this.#run?.record.sections.push(...this.#sections) }
    this.callbacks = this.#run && file !== undefined ? [this.#run, earlier] : []
  }

  /** For a training loop of one's own: a stretch of steps begins, as an epoch does. */
  stretchBegins(): void {
    this.#begun = performance.now()
  }
  /** … and ends, with these values. Each must have the same ones. */
  async stretchEnds(logs: Logs, learningRate?: number): Promise<void> {
    if (!this.#run || this.#file === undefined) return
    const { training } = this.#run.record
    const seconds = (performance.now() - this.#begun) / 1000
    training.epochs.push(training.epochs.length)
    for (const [name, value] of Object.entries(logs)) {
      training.history[name] ??= []
      training.history[name].push(finite(value))
    }
    training.learningRate.push(finite(learningRate))
    training.seconds.push(seconds)
    training.planned = Math.max(training.planned, training.epochs.length)
    this.#run.record.seconds += seconds
    await this.#run.save()
  }

  /** For a loop, since `stretchBegins`, of which only the values after some epochs are known: their numbers, and a list of each value. */
  curve(epochs: readonly number[], history: Readonly<Record<string, readonly number[]>>, learningRate: number): void {
    if (!this.#run) return
    const { record } = this.#run
    const finished = Object.fromEntries(Object.entries(history).map(([name, values]) => [name, values.map(finite)]))
    const each = <Value>(value: Value): Value[] => epochs.map(() => value)
    const planned = 1 + Math.max(-1, ...epochs)
    record.seconds = (performance.now() - this.#begun) / 1000
    const seconds = each(record.seconds / Math.max(1, planned))
    record.training = { planned, epochs: [...epochs], history: finished, learningRate: each(learningRate), seconds }
  }

  /** A row of the list of facts. */
  fact(name: string, value: string | number): void {
    this.#facts.push({ name, value: String(value) })
  }
  /** A sentence that a reader of the result should know. */
  remark(text: string): void {
    this.#remarks.push(text)
  }

  /** Shows something of the run: the functions are called if a record is wanted. One that fails costs its section, and never the result of the training. */
  async shows(...makers: readonly MakeSections[]): Promise<void> {
    if (!this.#run) return
    for (const make of makers) {
      try {
        this.#sections.push(...[await make()].flat())
      } catch (error) {
        this.remark(`A section is missing: ${(error as Error).message}`)
      }
    }
  }

  /** Completes the record and writes the file of `--report`. Returns undefined if no record is wanted. */
  async finish(): Promise<RunRecord | undefined> {
    if (!this.#run) return undefined
    const { record } = this.#run
    const own = new Set(this.#facts.map(({ name }) => name.toLowerCase()))
    record.facts = [...this.#facts, ...record.facts.filter(({ name }) => !own.has(name.toLowerCase()))]
    record.remarks.push(...this.#remarks)
    record.sections = this.#sections
    if (record.state === 'running') record.state = 'finished'
    if (this.#file?.endsWith('.json')) await writeWhole(this.#file, `${JSON.stringify(record)}\n`)
    else if (this.#file !== undefined) await this.#run.save()
    if (this.#file !== undefined) console.log(`Report: ${this.#file}`)
    return record
  }
}

/** The machine and the program, as rows of the list of facts. */
export function addEnvironment(recording: Recording, environment: Environment): void {
  const { cotangent, node, platform, cpu, cores, load, fusedMultiplyAdd, peakMemoryBytes } = environment
  recording.fact('Cotangent', cotangent)
  recording.fact('Node', node)
  recording.fact('Machine', `${cpu}, ${cores} ${cores === 1 ? 'core' : 'cores'}, ${platform}; load ${load}`)
  recording.fact('Multiply and add', fusedMultiplyAdd ? 'rounded once' : 'rounded twice')
  recording.fact('Peak memory', `${Math.round(peakMemoryBytes / 2 ** 20)} MiB`)
}

/** The sections that are figures: without samples, images, maps and curves, which are large. For results that are kept. */
export const figuresOf = ({ sections }: RunRecord): Section[] =>
  sections.flatMap((section): Section[] => {
    if (section.kind === 'table' || section.kind === 'text') return [section]
    if (section.kind !== 'confusion') return []
    const { kind, title, says, labels, counts } = section
    return [{ kind, title, says, labels, counts }]
  })
