/** Batch normalisation (Ioffe & Szegedy 2015), with the moving averages of Keras 2.3.1, layers/normalization.py. */

import { applyUpdate, batchNorm, moments, type Parameter, ShapeError, type Tensor, updateProgram, where } from '@cotangent/core'
import { type BatchShape, type BuildContext, type CallContext, Layer, type LayerOptions, requireSize } from '../../layer.js'
import { axisNumber, choice, flag, numberFrom, weightsOf } from '../../option-rows.js'
import type { TableFor } from '../../option-table.js'
import { ours } from '../../own-classes.js'
import { type WeightOptions, type WeightSettings, weightOptionNames } from '../../weights/settings.js'
import { moveAxis } from '../data-format.js'

/** Options of `batchNormalization`. By default beta and the moving mean start as `zeros`, gamma and the moving variance as `ones`. */
export interface BatchNormalizationOptions
  extends LayerOptions,
    WeightOptions<'beta' | 'gamma'>,
    Pick<WeightOptions<'movingMean' | 'movingVariance'>, 'movingMeanInitializer' | 'movingVarianceInitializer'> {
  /** The channel axis, which has one mean and one variance for each position: −1, the last, by default; 1 for `channelsFirst`. */
  axis?: number
  /** The share of a moving average that stays at each batch, from 0 to 1; 0.99 by default. */
  momentum?: number
  /** A number, at least 0, added to the variance under the root; 0.001 by default. */
  epsilon?: number
  /** Whether beta is added; true by default. */
  center?: boolean
  /** Whether the values are multiplied by gamma; true by default. */
  scale?: boolean
  /**
   * Three things differ between Keras' versions. `keras2` (default): the moving variance takes the batch's variance times n/(n − 1 − ε), and a frozen
   * layer still normalises with the batch's statistics in training. `keras3`: the moving variance takes the variance as it is, and a frozen layer
   * normalises with the moving averages. A layer in a frozen model is frozen. Under a mask of steps, `keras3` takes the statistics of the steps that count alone.
   */
  variant?: 'keras2' | 'keras3'
}

type Weight = 'beta' | 'gamma' | 'movingMean' | 'movingVariance'

const batchNormalizationOptions = {
  axis: axisNumber(-1),
  momentum: numberFrom({ least: 0, most: 1 }, 0.99),
  epsilon: numberFrom({ least: 0 }, 1e-3),
  center: flag(true),
  scale: flag(true),
  variant: {
    ...choice<'keras2' | 'keras3'>(['keras2', 'keras3'], 'keras2'),
    config: (variant: string) => (variant === 'keras2' ? {} : { variant }),
  },
  // The moving averages have an initializer, but no regularizer and no constraint.
  settings: {
    ...weightsOf<Weight>({ beta: 'zeros', gamma: 'ones', movingMean: 'zeros', movingVariance: 'ones' }),
    names: [...weightOptionNames(['beta', 'gamma']), 'movingMeanInitializer', 'movingVarianceInitializer'],
    config: (value: WeightSettings<Weight>) => {
      const { movingMeanRegularizer, movingMeanConstraint, movingVarianceRegularizer, movingVarianceConstraint, ...config } =
        value.getConfig()
      return config
    },
  },
} satisfies TableFor<BatchNormalizationOptions>

/** average ← average·keep + statistic·take */
const movingAverage = updateProgram('movingAverage', { slots: 1, inputs: 1, scalars: 2 }, ([average], [statistic], [keep, take]) => [
  average.mul(keep).add(statistic.mul(take)),
])

/** Mean and variance of each channel. */
function momentsOf(columns: Tensor): [Tensor, Tensor] {
  const both = moments(columns)
  const row = (i: number): Tensor => both.slice([i, 0], [1]).reshape([columns.shape[columns.rank - 1]])
  return [row(0), row(1)]
}

/** The same over the positions that a mask of the first axes lets through. */
function maskedMoments(columns: Tensor, mask: Tensor): [Tensor, Tensor] {
  const counts = mask.reshape([...mask.shape, ...columns.shape.slice(mask.rank).map(() => 1)]) // [n, t, .., 1]
  const axis = columns.shape.slice(0, -1).map((_, i) => i)
  const each = columns.shape.slice(mask.rank, -1).reduce((product, n) => product * n, 1)
  const count = mask.cast(columns.dtype).sum().mul(each).maximum(1)
  // Selected, not multiplied by 0: a masked step may hold NaN.
  const kept = where(counts, columns, 0)
  const mean = kept.sum({ axis }).div(count)
  return [mean, where(counts, kept.sub(mean), 0).square().sum({ axis }).div(count)]
}

/**
 * y = (x − mean)/√(variance + ε)·gamma + beta, for each position of `axis`.
 *
 * In training, mean and variance are those of the batch, and the moving averages take a part of them. In inference, the moving averages are used. While
 * the layer is frozen (`trainable: false` on it, or on a model or layer around it), its averages stay as they are.
 *
 * Shape:   any with at least 2 axes → the same
 * Weights: gamma, beta, moving_mean, moving_variance, each [c]; the moving averages are not trainable
 *
 * @throws ShapeError if `axis` is no axis of a sample
 */
export class BatchNormalization extends Layer {
  override readonly className = ours(BatchNormalization, 'BatchNormalization')
  override readonly supportsMasking = true
  declare readonly axis: number
  declare readonly momentum: number
  declare readonly epsilon: number
  declare readonly variant: 'keras2' | 'keras3'
  declare protected readonly settings: WeightSettings<Weight>
  declare protected readonly center: boolean
  declare protected readonly scale: boolean
  #gamma?: Parameter
  #beta?: Parameter
  #movingMean?: Parameter
  #movingVariance?: Parameter

  constructor(options: BatchNormalizationOptions = {}) {
    super('BatchNormalization', options, batchNormalizationOptions)
  }

  static fromConfig(options: BatchNormalizationOptions): BatchNormalization {
    return new BatchNormalization(options)
  }

  #axisOf(shape: BatchShape): number {
    const axis = this.axis < 0 ? this.axis + shape.length : this.axis
    if (!Number.isInteger(axis) || axis < 1 || axis >= shape.length) {
      throw new ShapeError(
        `${this.describe()}: axis ${this.axis} is no axis of a sample in [${shape.map((n) => n ?? '?').join(', ')}]. ` +
          'Use -1 for channels last, 1 for channels first.',
      )
    }
    return axis
  }

  protected override makeWeights(inputShape: BatchShape, context: BuildContext): void {
    const channels = requireSize(this, inputShape, this.#axisOf(inputShape))
    const make = (name: string, key: Weight, trainable: boolean): Parameter => {
      const setting = this.settings.of(key)
      return this.addWeight(name, [channels], setting.initializer, context, { ...setting, trainable })
    }
    if (this.scale) this.#gamma = make('gamma', 'gamma', true)
    if (this.center) this.#beta = make('beta', 'beta', true)
    this.#movingMean = make('moving_mean', 'movingMean', false)
    this.#movingVariance = make('moving_variance', 'movingVariance', false)
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    this.#axisOf(inputShape)
    return inputShape
  }

  override call(x: Tensor, { training, frozen = !this.trainable, mask }: CallContext): Tensor {
    const axis = this.#axisOf(x.shape)
    const columns = moveAxis(x, axis, x.rank - 1) // [.., c]
    const ofBatch = training && (!frozen || this.variant === 'keras2')
    const [mean, variance] = ofBatch
      ? this.#batchStatistics(columns, frozen, this.variant === 'keras3' && axis !== 1 ? mask : undefined)
      : [this.#movingMean as Parameter, this.#movingVariance as Parameter]
    const y = batchNorm(columns, mean, variance, { gamma: this.#gamma, beta: this.#beta, epsilon: this.epsilon })
    return moveAxis(y, x.rank - 1, axis)
  }

  /** Mean and variance of the batch, or of what a mask lets through. Unless the layer is frozen, they move the averages. */
  #batchStatistics(columns: Tensor, frozen: boolean, mask: Tensor | undefined): [Tensor, Tensor] {
    const channels = columns.shape[columns.rank - 1]
    const [mean, variance] = mask ? maskedMoments(columns, mask) : momentsOf(columns)
    if (!frozen) {
      const take = 1 - this.momentum
      const count = columns.size / channels
      // A single value has variance 0; its factor n/(n − 1 − ε) must not be negative or infinite.
      const unbiased = this.variant === 'keras2' && count > 1 + this.epsilon ? count / (count - 1 - this.epsilon) : 1
      applyUpdate(movingAverage, [this.#movingMean as Parameter], [mean], [this.momentum, take])
      applyUpdate(movingAverage, [this.#movingVariance as Parameter], [variance], [this.momentum, take * unbiased])
    }
    return [mean, variance]
  }

  protected override detail(): string {
    return `axis ${this.axis}`
  }
}

/**
 * Makes a `BatchNormalization` layer: each channel gets mean 0 and variance 1, then a learned scale and offset.
 *
 * @example
 * ```ts
 * const block = new Sequential([conv2d(32, 3, { useBias: false, inputShape: [28, 28, 1] }), batchNormalization(), activation('relu')])
 * console.log(block.weights.slice(1).map((weight) => weight.shape[0]))   // [32, 32, 32, 32]
 * ```
 */
export const batchNormalization = (options?: BatchNormalizationOptions): BatchNormalization => new BatchNormalization(options)
