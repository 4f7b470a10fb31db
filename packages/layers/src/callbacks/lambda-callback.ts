/** A callback made of functions (keras/callbacks/callbacks.py, LambdaCallback). */
import { ValueError } from '@cotangent/core'
import { readOptions, type SpelledOptions } from '../names.js'
import type { Callback } from './callback.js'

const none: Record<keyof Callback, undefined> = {
  onTrainBegin: undefined,
  onEpochBegin: undefined,
  onBatchBegin: undefined,
  onBatchEnd: undefined,
  onEpochEnd: undefined,
  onTrainEnd: undefined,
}

/** Functions by stage. A plain object with them is a callback as well; this one knows Keras' names, and refuses those that do not exist. */
export class LambdaCallback implements Callback {
  readonly onTrainBegin?: Callback['onTrainBegin']
  readonly onEpochBegin?: Callback['onEpochBegin']
  readonly onBatchBegin?: Callback['onBatchBegin']
  readonly onBatchEnd?: Callback['onBatchEnd']
  readonly onEpochEnd?: Callback['onEpochEnd']
  readonly onTrainEnd?: Callback['onTrainEnd']

  constructor(stages: SpelledOptions<Callback>) {
    for (const [stage, call] of Object.entries(readOptions<Callback>('lambdaCallback', stages, none))) {
      if (call !== undefined && typeof call !== 'function')
        throw new ValueError(`lambdaCallback: ${stage} must be a function, got ${typeof call}.`)
      this[stage as keyof Callback] = call
    }
  }
}

/** A callback made of functions. */
export const lambdaCallback = (stages: SpelledOptions<Callback>): LambdaCallback => new LambdaCallback(stages)
