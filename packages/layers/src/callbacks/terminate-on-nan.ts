/** Ends a training whose loss is no number any more (keras/callbacks/callbacks.py 2.3.1, TerminateOnNaN). */
import { refuseOptions } from '../spelling/names.js'
import type { Callback, Logs, TrainContext } from './callback.js'

/** Ends training at the batch whose loss is NaN or infinite. It reads the loss after each batch, which costs a wait on the device. */
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

/** Ends training at the batch whose loss is NaN or infinite. */
export function terminateOnNaN(options?: object): TerminateOnNaN {
  refuseOptions('terminateOnNaN', options)
  return new TerminateOnNaN()
}
