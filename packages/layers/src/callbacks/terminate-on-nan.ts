/** Ends a training whose loss is NaN or infinite. Source: Keras 2.3.1, callbacks/callbacks.py. */
import { refuseOptions } from '../spelling/names.js'
import type { Callback, Logs, TrainContext } from './callback.js'

/** Ends training at the batch whose loss is NaN or infinite. It reads the loss after each batch, so `fit` waits for the device there. */
export class TerminateOnNaN implements Callback {
  #context?: TrainContext

  onTrainBegin(context: TrainContext): void {
    this.#context = context
  }

  onBatchEnd(batch: number, { loss }: Logs): void {
    if (Number.isFinite(loss)) return
    const { model, print } = this.#context as TrainContext
    print(`Batch ${batch}: Invalid loss, terminating training`)
    model.stopTraining = true
  }
}

/**
 * Makes a `TerminateOnNaN`.
 *
 * @example
 * ```ts
 * const net = new Sequential([dense(4, { inputShape: [8] })])
 * net.compile({ optimizer: sgd(1e30), loss: 'mse' })
 * const { epoch } = await net.fit(x, y, { epochs: 5, verbose: 0, callbacks: [terminateOnNaN()] })
 * console.log(epoch)   // [0]
 * ```
 */
export function terminateOnNaN(options?: object): TerminateOnNaN {
  refuseOptions('terminateOnNaN', options)
  return new TerminateOnNaN()
}
