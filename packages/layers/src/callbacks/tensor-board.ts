/** Writes curves for TensorBoard. A sink takes the bytes; node/callbacks.ts binds it to files. Source: tf.keras 2, callbacks.py, TensorBoard. */
import { ValueError } from '@cotangent/core'
import { describeValue } from '@cotangent/core/arguments'
import { type Rule, readOptions, type SpelledOptions } from '../spelling/names.js'
import type { Callback, Logs, TrainContext } from './callback.js'
import { requireSink } from './csv-logger.js'
import { scalarsEvent, versionEvent } from './event-file.js'

/** The destination of two event files, one for training and one for validation. */
export interface EventSink {
  /** Begins a new file, before the first bytes of a run. */
  begin(run: 'train' | 'validation'): void | Promise<void>
  /** Adds bytes at the end. */
  write(run: 'train' | 'validation', bytes: Uint8Array): void | Promise<void>
}

/** Options of `TensorBoard`, in addition to its sink. */
export interface TensorBoardOptions {
  /**
   * When to write in addition to the end of each epoch: 'epoch' (default) never, 'batch' after every batch, a number after that many batches. Then `fit` waits
   * for the device after every batch.
   */
  updateFreq?: 'epoch' | 'batch' | number
}

/** The check of `updateFreq`. */
const freq: Rule = (what, name, value) => {
  if (value === 'epoch' || value === 'batch' || (Number.isSafeInteger(value) && (value as number) >= 1)) return
  throw new ValueError(`${what}: ${name} must be 'epoch', 'batch' or a whole number of batches, got ${describeValue(value)}.`)
}

/**
 * Writes scalars for TensorBoard, under the tags of tf.keras 2. Over epochs, counted from 0: `epoch_loss`, `epoch_accuracy` and so on in the runs `train` and
 * `validation`, so that one chart shows both curves, and `epoch_learning_rate`. Over batches, as the optimizer counts them: `batch_loss` and so on.
 *
 * @throws ValueError for another updateFreq than 'epoch', 'batch' or a whole number, at least 1
 * @example
 * ```ts
 * const runs: string[] = []
 * const board = new TensorBoard({ begin: (run) => void runs.push(run), write: () => undefined })
 * await model.fit(x, y, { validationSplit: 0.5, verbose: 0, callbacks: [board] })
 * console.log(runs)   // ['train', 'validation']
 * ```
 */
export class TensorBoard implements Callback {
  readonly onBatchEnd?: (batch: number, logs: Logs) => Promise<void>
  readonly #sink: EventSink
  readonly #begun = new Set<string>()
  #context?: TrainContext

  constructor(sink: EventSink, options: SpelledOptions<TensorBoardOptions> = {}) {
    requireSink('tensorBoard', sink)
    const example = "tensorBoard('logs', { updateFreq: 'batch' })"
    const { updateFreq } = readOptions<Required<TensorBoardOptions>>(
      'tensorBoard',
      options,
      { updateFreq: 'epoch' },
      { updateFreq: freq },
      example,
    )
    this.#sink = sink
    if (updateFreq === 'epoch') return
    const every = updateFreq === 'batch' ? 1 : updateFreq
    this.onBatchEnd = async (_batch, logs) => {
      const { steps } = (this.#context as TrainContext).model.optimizer
      if (steps % every === 0) await this.#write('train', 'batch_', steps, logs)
    }
  }

  onTrainBegin(context: TrainContext): void {
    this.#context = context
    this.#begun.clear()
  }

  async onEpochEnd(epoch: number, logs: Logs): Promise<void> {
    const { learningRate } = (this.#context as TrainContext).model.optimizer
    const names = Object.keys(logs)
    const pick = (chosen: readonly string[], from: number): Logs => Object.fromEntries(chosen.map((name) => [name.slice(from), logs[name]]))
    const validation = names.filter((name) => name.startsWith('val_'))
    const training = names.filter((name) => !validation.includes(name))
    await this.#write('train', 'epoch_', epoch, { ...pick(training, 0), learning_rate: learningRate })
    if (validation.length > 0) await this.#write('validation', 'epoch_', epoch, pick(validation, 'val_'.length))
  }

  async #write(run: 'train' | 'validation', prefix: string, step: number, values: Logs): Promise<void> {
    const wallTime = Date.now() / 1000
    if (!this.#begun.has(run)) {
      this.#begun.add(run)
      await this.#sink.begin(run)
      await this.#sink.write(run, versionEvent(wallTime))
    }
    const tagged = Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name, value]))
    await this.#sink.write(run, scalarsEvent(wallTime, step, tagged))
  }
}
