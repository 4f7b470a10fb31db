/** A callback made of functions (keras/callbacks/callbacks.py, LambdaCallback). */
import { requireFunction, requireObject } from '@cotangent/core/arguments'
import { type Rule, readOptions, type SpelledOptions } from '../spelling/names.js'
import { stages as allStages, type Callback } from './callback.js'

const none: Callback = Object.fromEntries(allStages.map((stage) => [stage, undefined]))
const rules = Object.fromEntries(allStages.map((stage) => [stage, requireFunction as Rule]))

/** Functions by stage. A plain object with them is a callback as well; this one knows Keras' names, and refuses those that do not exist. */
export class LambdaCallback implements Callback {
  readonly onTrainBegin?: NonNullable<Callback['onTrainBegin']>
  readonly onEpochBegin?: NonNullable<Callback['onEpochBegin']>
  readonly onBatchBegin?: NonNullable<Callback['onBatchBegin']>
  readonly onBatchEnd?: NonNullable<Callback['onBatchEnd']>
  readonly onEpochEnd?: NonNullable<Callback['onEpochEnd']>
  readonly onTrainEnd?: NonNullable<Callback['onTrainEnd']>

  constructor(stages: SpelledOptions<Callback>) {
    const example = 'lambdaCallback({ onEpochEnd: (epoch, logs) => … })'
    requireObject('lambdaCallback', stages, [], example)
    Object.assign(this, readOptions<Callback>('lambdaCallback', stages, none, rules, example))
  }
}

/** A callback made of functions. */
export const lambdaCallback = (stages: SpelledOptions<Callback>): LambdaCallback => new LambdaCallback(stages)
