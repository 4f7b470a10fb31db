/** Tests and predicts with the running means of the weights. Source: Keras 3.16, callbacks/swap_ema_weights.py, which forgets to take the exchange back after `predict`. */
import { ValueError } from '@cotangent/core'
import { readOptions, type SpelledOptions } from '../spelling/names.js'
import type { Callback, TestContext, TrainContext, TrainedModel } from './callback.js'

/** Options of `swapEMAWeights`. */
export interface SwapEMAWeightsOptions {
  /** Exchange them also at the end of each epoch, until the next begins, so that callbacks after this one see the means: a checkpoint, for example. False by default. */
  swapOnEpoch?: boolean
}

/**
 * Lets the weights and their running means change places while the model is tested or predicts. The optimizer must keep such means: `useEma`.
 *
 * Before the first step there are no means yet, and nothing is exchanged.
 */
export class SwapEMAWeights implements Callback {
  readonly #swapOnEpoch: boolean
  #model?: TrainedModel
  /** Whether the present test began with an exchange, which its end takes back. */
  #ofTest = false

  constructor(options: SpelledOptions<SwapEMAWeightsOptions> = {}) {
    const defaults = { swapOnEpoch: false }
    this.#swapOnEpoch = readOptions<Required<SwapEMAWeightsOptions>>(
      'swapEMAWeights',
      options,
      defaults,
      {},
      'swapEMAWeights({ swapOnEpoch: true })',
    ).swapOnEpoch
  }

  #require(model: TrainedModel): void {
    this.#model = model
    if (model.optimizer.useEma) return
    throw new ValueError(
      `swapEMAWeights: the optimizer ${model.optimizer.className} keeps no means of the weights. Give it useEma: adam({ useEma: true }).`,
    )
  }

  /** Puts the means, or the weights, in their place. @returns whether they were not there */
  #put(means: boolean): boolean {
    const { optimizer } = this.#model as TrainedModel
    const swaps = optimizer.averagesSwapped !== means
    if (swaps) optimizer.swapAverages()
    return swaps
  }

  onTrainBegin({ model }: TrainContext): void {
    this.#require(model)
    this.#put(false) // a training that failed may have left the means there
  }
  onEpochBegin(): void {
    this.#put(false)
  }
  onEpochEnd(): void {
    if (this.#swapOnEpoch) this.#put(true)
  }
  onTestBegin({ model }: TestContext): void {
    this.#require(model)
    this.#ofTest = this.#put(true)
  }
  onTestEnd(): void {
    if (this.#ofTest) this.#put(false)
    this.#ofTest = false
  }
  onPredictBegin(context: TestContext): void {
    this.onTestBegin(context)
  }
  onPredictEnd(): void {
    this.onTestEnd()
  }
}

/**
 * Makes a `SwapEMAWeights`: validation, `evaluate` and `predict` use the running means of the weights.
 *
 * @throws ValueError for an unknown option, and in `fit` for an optimizer without `useEma`
 * @example
 * ```ts
 * const net = new Sequential([dense(1, { inputShape: [2] })])
 * net.compile({ optimizer: sgd({ useEma: true }), loss: 'mse' })
 * const swap = swapEMAWeights()
 * await net.fit([[1, 2], [3, 4]], [[1], [2]], { epochs: 3, validationSplit: 0.5, verbose: 0, callbacks: [swap] })
 * console.log((await net.evaluate([[1, 2]], [[1]], { callbacks: [swap] })).length)   // 1
 * ```
 */
export const swapEMAWeights = (options?: SpelledOptions<SwapEMAWeightsOptions>): SwapEMAWeights => new SwapEMAWeights(options)
