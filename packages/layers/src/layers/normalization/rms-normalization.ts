/** Root mean square normalisation (Zhang, Sennrich 2019), as today's language models have it. */
import { type Parameter, rmsNorm, type Tensor } from '@cotangent/core'
import { type BatchShape, type BuildContext, type CallContext, Layer, type LayerOptions, requireSize } from '../../layer.js'
import { numberFrom } from '../../option-rows.js'
import type { TableFor, ValuesOf } from '../../option-table.js'
import { ours } from '../../own-classes.js'
import { getInitializer } from '../../weights/initializers.js'
import { axesOf, axisOrAxes } from '../axes.js'
import { asRows } from './rows.js'

/** Options of `rmsNormalization`. */
export interface RMSNormalizationOptions extends LayerOptions {
  /** The axis or axes that share one mean square: −1, the last, by default. */
  axis?: number | readonly number[]
  /** A number, at least 0, added to the mean square under the root; 1e-6 by default. */
  epsilon?: number
}

const rmsNormalizationOptions = {
  axis: axisOrAxes(),
  epsilon: numberFrom({ least: 0 }, 1e-6),
} satisfies TableFor<RMSNormalizationOptions>

/**
 * y = x/√(mean x² + ε)·scale, with the mean of each sample over `axis`.
 *
 * Shape:   any with at least 2 axes → the same
 * Weights: scale, of the sizes of `axis`; it starts as ones
 * Source:  Keras 3, layers/normalization/rms_normalization.py
 *
 * @throws ShapeError if `axis` names no axis of a sample, or one twice
 */
export class RMSNormalization extends Layer implements ValuesOf<typeof rmsNormalizationOptions> {
  override readonly className = ours(RMSNormalization, 'RMSNormalization')
  override readonly supportsMasking = true
  declare readonly axis: number | readonly number[]
  declare readonly epsilon: number
  #scale?: Parameter

  constructor(options: RMSNormalizationOptions = {}) {
    super('RMSNormalization', options, rmsNormalizationOptions)
  }
  static fromConfig(options: RMSNormalizationOptions): RMSNormalization {
    return new RMSNormalization(options)
  }
  protected override makeWeights(inputShape: BatchShape, context: BuildContext): void {
    const shape = axesOf(this, this.axis, inputShape).map((axis) => requireSize(this, inputShape, axis))
    this.#scale = this.addWeight('scale', shape, getInitializer('ones'), context)
  }
  override outputShape(inputShape: BatchShape): BatchShape {
    axesOf(this, this.axis, inputShape)
    return inputShape
  }
  override call(x: Tensor, _context: CallContext): Tensor {
    const scale = this.#scale as Parameter
    const gamma = scale.reshape([scale.size])
    return asRows(x, axesOf(this, this.axis, x.shape), (rows) => rmsNorm(rows, { gamma, epsilon: this.epsilon }))
  }
  protected override detail(): string {
    return `axis ${JSON.stringify(this.axis)}`
  }
}

/**
 * Makes an `RMSNormalization` layer: each sample gets mean square 1 over `axis`, then a learned scale.
 *
 * @example
 * ```ts
 * const model = new Sequential([rmsNormalization({ epsilon: 0, inputShape: [2] })])
 * console.log(await model.apply(tensor([[1, 7]])).array())   // ≈ [[0.2, 1.4]]
 * ```
 */
export const rmsNormalization = (options?: RMSNormalizationOptions): RMSNormalization => new RMSNormalization(options)
