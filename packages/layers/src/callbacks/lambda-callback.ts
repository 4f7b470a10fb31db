/** A callback made of functions. Source: Keras 2.3.1, callbacks/callbacks.py. */
import { requireFunction, requireObject } from '@cotangent/core/arguments'
import { type Rule, readOptions, type SpelledOptions } from '../spelling/names.js'
import { stages as allStages, type Callback } from './callback.js'

const none: Callback = Object.fromEntries(allStages.map((stage) => [stage, undefined]))
const rules = Object.fromEntries(allStages.map((stage) => [stage, requireFunction as Rule]))

/**
 * Functions by stage. A plain object with such functions is a callback, too. This class also accepts Keras' spelling, and refuses stages that do not exist.
 */
export class LambdaCallback implements Callback {
  readonly onTrainBegin?: NonNullable<Callback['onTrainBegin']>
  readonly onEpochBegin?: NonNullable<Callback['onEpochBegin']>
  readonly onBatchBegin?: NonNullable<Callback['onBatchBegin']>
  readonly onBatchEnd?: NonNullable<Callback['onBatchEnd']>
  readonly onEpochEnd?: NonNullable<Callback['onEpochEnd']>
  readonly onTrainEnd?: NonNullable<Callback['onTrainEnd']>
  readonly onTrainError?: NonNullable<Callback['onTrainError']>
  readonly onTrainBatchBegin?: NonNullable<Callback['onTrainBatchBegin']>
  readonly onTrainBatchEnd?: NonNullable<Callback['onTrainBatchEnd']>
  readonly onTestBegin?: NonNullable<Callback['onTestBegin']>
  readonly onTestBatchBegin?: NonNullable<Callback['onTestBatchBegin']>
  readonly onTestBatchEnd?: NonNullable<Callback['onTestBatchEnd']>
  readonly onTestEnd?: NonNullable<Callback['onTestEnd']>
  readonly onPredictBegin?: NonNullable<Callback['onPredictBegin']>
  readonly onPredictBatchBegin?: NonNullable<Callback['onPredictBatchBegin']>
  readonly onPredictBatchEnd?: NonNullable<Callback['onPredictBatchEnd']>
  readonly onPredictEnd?: NonNullable<Callback['onPredictEnd']>

  constructor(stages: SpelledOptions<Callback>) {
    const example = 'lambdaCallback({ onEpochEnd: (epoch, logs) => … })'
    requireObject('lambdaCallback', stages, [], example)
    Object.assign(this, readOptions<Callback>('lambdaCallback', stages, none, rules, example))
  }
}

/**
 * Makes a `LambdaCallback`.
 *
 * @throws ValueError for a stage that does not exist, or something that is no function
 * @example
 * ```ts
 * const epochs: number[] = []
 * await model.fit(x, y, { epochs: 2, verbose: 0, callbacks: [lambdaCallback({ on_epoch_end: (epoch) => void epochs.push(epoch) })] })
 * console.log(epochs)   // [0, 1]
 * ```
 */
export const lambdaCallback = (stages: SpelledOptions<Callback>): LambdaCallback => new LambdaCallback(stages)
