/** Sets the learning rate of each epoch by a function. Source: Keras 2.3.1, callbacks/callbacks.py. */
import { ValueError } from '@cotangent/core'
import { describeValue, requireFunction } from '@cotangent/core/arguments'
import { readOptions, type SpelledOptions } from '../spelling/names.js'
import { floatText } from '../spelling/python-text.js'
import { saysSo } from '../spelling/rules.js'
import type { Callback, Logs, TrainContext } from './callback.js'
import { epochText } from './monitor.js'
import { requireSettable } from './reduce-lr-on-plateau.js'

/** Options of `learningRateScheduler`. */
export interface LearningRateSchedulerOptions {
  /** 1 prints the rate of each epoch; 0 (default) does not. */
  verbose?: 0 | 1
}

/**
 * Sets the learning rate at the start of each epoch, and logs it as `lr`. For a rate that changes with every batch, give the optimizer a schedule instead.
 *
 * @throws ValueError in `fit` if the optimizer's rate follows a schedule, or the function returns no number, at least 0
 * @example
 * ```ts
 * const halving = learningRateScheduler((epoch, rate) => (epoch < 1 ? rate : rate / 2))
 * const { history } = await model.fit(x, y, { epochs: 3, verbose: 0, callbacks: [halving] })
 * console.log(history.lr)   // [0.01, 0.005, 0.0025]
 * ```
 */
export class LearningRateScheduler implements Callback {
  readonly #schedule: (epoch: number, rate: number) => number
  readonly #options: Required<LearningRateSchedulerOptions>
  #context?: TrainContext

  /** @param schedule a function of the epoch, counted from 0, and the present rate */
  constructor(schedule: (epoch: number, rate: number) => number, options: SpelledOptions<LearningRateSchedulerOptions> = {}) {
    requireFunction('learningRateScheduler', 'schedule', schedule, 'learningRateScheduler((epoch, rate) => …)')
    this.#schedule = schedule
    this.#options = readOptions<Required<LearningRateSchedulerOptions>>(
      'learningRateScheduler',
      options,
      { verbose: 0 },
      { verbose: saysSo },
    )
  }

  onTrainBegin(context: TrainContext): void {
    this.#context = context
    requireSettable('learningRateScheduler', context)
  }

  onEpochBegin(epoch: number): void {
    const { model, print } = this.#context as TrainContext
    const rate = this.#schedule(epoch, model.optimizer.learningRate)
    if (!(typeof rate === 'number' && rate >= 0)) {
      throw new ValueError(
        `learningRateScheduler: for epoch ${epoch} the function gave ${describeValue(rate)}; a rate is a number, at least 0.`,
      )
    }
    model.optimizer.learningRate = rate
    if (this.#options.verbose > 0) print(`\n${epochText(epoch)}: LearningRateScheduler setting learning rate to ${floatText(rate)}.`)
  }

  onEpochEnd(_epoch: number, logs: Logs): void {
    logs.lr = (this.#context as TrainContext).model.optimizer.learningRate
  }
}

/**
 * Makes a `LearningRateScheduler`.
 *
 * @param schedule a function of the epoch, counted from 0, and the present rate
 * @example
 * ```ts
 * const steps = learningRateScheduler((epoch) => [0.1, 0.01][epoch])
 * const { history } = await model.fit(x, y, { epochs: 2, verbose: 0, callbacks: [steps] })
 * console.log(history.lr)   // [0.1, 0.01]
 * ```
 */
export const learningRateScheduler = (
  schedule: (epoch: number, rate: number) => number,
  options?: SpelledOptions<LearningRateSchedulerOptions>,
): LearningRateScheduler => new LearningRateScheduler(schedule, options)
