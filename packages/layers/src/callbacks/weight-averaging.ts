/** Stochastic weight averaging (Izmailov, Podoprikhin, Garipov, Vetrov, Wilson 2018): the plain mean of the weights of the last epochs. */
import { readOptions, type SpelledOptions } from '../spelling/names.js'
import { whole } from '../spelling/rules.js'
import type { Callback, TrainContext } from './callback.js'

/** Options of `weightAveraging`. */
export interface WeightAveragingOptions {
  /** The first epoch whose weights count, counted from 0; 0 by default. */
  startEpoch?: number
  /** The number of epochs from one that counts to the next, at least 1; 1 by default. */
  period?: number
}

/**
 * At the end of training, replaces the trainable weights by their mean over the ends of epochs.
 *
 * The moving averages of batch normalisation stay those of the last epoch, and so do not fit the mean weights. With such layers, set the optimizer's rate to 0
 * afterwards and train one more epoch: it renews the moving averages and changes nothing else.
 */
export class WeightAveraging implements Callback {
  readonly #options: Required<WeightAveragingOptions>
  #context?: TrainContext
  /** Sums in float64, for each parameter. */
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

/**
 * Makes a `WeightAveraging`.
 *
 * @throws ValueError for an unknown option or one out of range
 * @example
 * ```ts
 * const ends: number[] = []
 * const note = { onEpochEnd: async () => void ends.push((await model.getWeights())[0].data[0]) }
 * await model.fit(x, y, { epochs: 2, verbose: 0, callbacks: [note, weightAveraging()] })
 * const mean = (await model.getWeights())[0].data[0]
 * console.log(Math.abs(mean - (ends[0] + ends[1]) / 2) < 1e-6)   // true
 * ```
 */
export const weightAveraging = (options?: SpelledOptions<WeightAveragingOptions>): WeightAveraging => new WeightAveraging(options)
