/**
 * Layer normalisation (Ba, Kiros, Hinton 2016), as in tf.keras and Keras 3, layers/normalization/layer_normalization.py. Keras 2.3 has no such layer.
 */

import { layerNorm, type Parameter, type Tensor } from '@cotangent/core'
import { type BatchShape, type BuildContext, type CallContext, Layer, type LayerOptions, requireSize } from '../../layer.js'
import { flag, numberFrom, weightsOf } from '../../option-rows.js'
import type { TableFor } from '../../option-table.js'
import { ours } from '../../own-classes.js'
import type { WeightOptions, WeightSettings } from '../../weights/settings.js'
import { axesOf, axisOrAxes } from '../axes.js'
import { asRows } from './rows.js'

/** Options of `layerNormalization`. By default beta starts as `zeros`, gamma as `ones`. */
export interface LayerNormalizationOptions extends LayerOptions, WeightOptions<'beta' | 'gamma'> {
  /** The axis or axes that share one mean and one variance: −1, the last, by default. */
  axis?: number | readonly number[]
  /** A number, at least 0, added to the variance under the root; 0.001 by default. */
  epsilon?: number
  /** Whether beta is added; true by default. */
  center?: boolean
  /** Whether the values are multiplied by gamma; true by default. */
  scale?: boolean
}

const layerNormalizationOptions = {
  axis: axisOrAxes(),
  epsilon: numberFrom({ least: 0 }, 1e-3),
  center: flag(true),
  scale: flag(true),
  settings: weightsOf({ beta: 'zeros', gamma: 'ones' }),
} satisfies TableFor<LayerNormalizationOptions>

/**
 * y = (x − mean)/√(variance + ε)·gamma + beta, with the mean and variance of each sample over `axis`. Training and inference do the same.
 *
 * Shape:   any with at least 2 axes → the same
 * Weights: gamma and beta, both of the sizes of `axis`
 *
 * @throws ShapeError if `axis` names no axis of a sample, or one twice
 */
export class LayerNormalization extends Layer {
  override readonly className = ours(LayerNormalization, 'LayerNormalization')
  override readonly supportsMasking = true
  declare readonly axis: number | readonly number[]
  declare readonly epsilon: number
  declare protected readonly settings: WeightSettings<'beta' | 'gamma'>
  declare protected readonly center: boolean
  declare protected readonly scale: boolean
  #gamma?: Parameter
  #beta?: Parameter

  constructor(options: LayerNormalizationOptions = {}) {
    super('LayerNormalization', options, layerNormalizationOptions)
  }

  static fromConfig(options: LayerNormalizationOptions): LayerNormalization {
    return new LayerNormalization(options)
  }

  protected override makeWeights(inputShape: BatchShape, context: BuildContext): void {
    const shape = axesOf(this, this.axis, inputShape).map((axis) => requireSize(this, inputShape, axis))
    const make = (name: 'beta' | 'gamma'): Parameter => {
      const setting = this.settings.of(name)
      return this.addWeight(name, shape, setting.initializer, context, setting)
    }
    if (this.scale) this.#gamma = make('gamma')
    if (this.center) this.#beta = make('beta')
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    axesOf(this, this.axis, inputShape)
    return inputShape
  }

  override call(x: Tensor, _context: CallContext): Tensor {
    const axes = axesOf(this, this.axis, x.shape)
    const [gamma, beta] = [this.#gamma, this.#beta].map((weight) => weight?.reshape([weight.size]))
    return asRows(x, axes, (rows) => layerNorm(rows, { gamma, beta, epsilon: this.epsilon }))
  }

  protected override detail(): string {
    return `axis ${JSON.stringify(this.axis)}`
  }
}

/**
 * Makes a `LayerNormalization` layer: each sample gets mean 0 and variance 1 over `axis`, then a learned scale and offset.
 *
 * @example
 * ```ts
 * const model = new Sequential([layerNormalization({ epsilon: 0, inputShape: [2] })])
 * console.log(await model.apply(tensor([[1, 3]])).array())   // ≈ [[-1, 1]]
 * ```
 */
export const layerNormalization = (options?: LayerNormalizationOptions): LayerNormalization => new LayerNormalization(options)
