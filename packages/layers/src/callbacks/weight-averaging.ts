/** Stochastic weight averaging (Izmailov, Podoprikhin, Garipov, Vetrov, Wilson 2018): the plain mean of the weights of the last epochs. */
import { readOptions, type SpelledOptions } from '../spelling/names.js'
import { whole } from '../spelling/rules.js'
import type { Callback, TrainContext } from './callback.js'

/** Options of `weightAveraging`. */
export interface WeightAveragingOptions {
  /** The first epoch that counts, from 0; 0 by default. */
  startEpoch?: number
  /** Every so many epochs count; 1 by default. */
  period?: number
}

/**
 * At the end of training, puts the mean of the trainable weights at the ends of epochs in their place.
 *
 * Moving averages of batch normalisation stay those of the last epoch, though they are of other weights than the mean: with such layers, give the
 * optimizer a rate of 0 afterwards and train one more epoch, which renews them and changes nothing else.
 */
export class WeightAveraging implements Callback {
  readonly #options: Required<WeightAveragingOptions>
  #context?: TrainContext
  /** Sums in float64, by parameter. */
  #sums: Float64Array[] = []
  #count = 0

  constructor(options: SpelledOptions<WeightAveragingOptions> = {}) {
    this.#options = readOptions<Required<WeightAveragingOptions>>(
      'weightAveraging',
      options,
      { startEpoch: 0, period: 1 },
      { startEpoch: whole({ least: 0 }), period: whole({ least: 1 }) },
      'weightAveraging({ startEpoch: 10 })',
    )
  }

  onTrainBegin(context: TrainContext): void {
    this.#context = context
    this.#sums = []
    this.#count = 0
  }

  async onEpochEnd(epoch: number): Promise<void> {
    const { startEpoch, period } = this.#options
    if (epoch < startEpoch || (epoch - startEpoch) % period !== 0) return
    const { model } = this.#context as TrainContext
    const trainable = new Set(model.trainableWeights)
    const values = await model.getWeights()
    this.#sums = model.weights.map((w, i) => {
      if (!trainable.has(w)) return new Float64Array()
      const sum = this.#sums[i] ?? new Float64Array(w.size)
      return sum.map((s, j) => s + values[i].data[j])
    })
    this.#count++
  }

  async onTrainEnd(): Promise<void> {
    if (this.#count === 0) return
    const { model } = this.#context as TrainContext
    const values = await model.getWeights()
    model.setWeights(
      values.map(({ shape, data }, i) => {
        const sum = this.#sums[i]
        return { shape, data: sum.length === data.length ? data.map((_, j) => sum[j] / this.#count) : data }
      }),
    )
    this.#sums = []
  }
}

/** The mean of the weights of the last epochs. */
export const weightAveraging = (options?: SpelledOptions<WeightAveragingOptions>): WeightAveraging => new WeightAveraging(options)
