/** Scaling to length 1. */
import type { Tensor } from '@cotangent/core'
import { type BatchShape, type CallContext, Layer, type LayerOptions } from '../../layer.js'
import type { TableFor, ValuesOf } from '../../option-table.js'
import { ours } from '../../own-classes.js'
import { axesOf, axisOrAxes } from '../axes.js'

/** Options of `unitNormalization`. */
export interface UnitNormalizationOptions extends LayerOptions {
  /** The axis or axes along which the length is 1: −1, the last, by default. */
  axis?: number | readonly number[]
}

const unitNormalizationOptions = { axis: axisOrAxes() } satisfies TableFor<UnitNormalizationOptions>

/**
 * y = x/√max(Σx², 10⁻²⁴), the sum of each sample over `axis`.
 *
 * Shape:  any with at least 2 axes → the same
 * Source: Keras 3, layers/normalization/unit_normalization.py
 *
 * @throws ShapeError if `axis` names no axis of a sample, or one twice
 */
export class UnitNormalization extends Layer implements ValuesOf<typeof unitNormalizationOptions> {
  override readonly className = ours(UnitNormalization, 'UnitNormalization')
  override readonly supportsMasking = true
  declare readonly axis: number | readonly number[]

  constructor(options: UnitNormalizationOptions = {}) {
    super('UnitNormalization', options, unitNormalizationOptions)
  }
  static fromConfig(options: UnitNormalizationOptions): UnitNormalization {
    return new UnitNormalization(options)
  }
  override outputShape(inputShape: BatchShape): BatchShape {
    axesOf(this, this.axis, inputShape)
    return inputShape
  }
  override call(x: Tensor, _context: CallContext): Tensor {
    const axis = axesOf(this, this.axis, x.shape)
    return x.mul(x.square().sum({ axis, keepDims: true }).maximum(1e-24).rsqrt())
  }
}

/**
 * Makes a `UnitNormalization` layer: each vector along `axis` gets length 1.
 *
 * @example
 * ```ts
 * const model = new Sequential([unitNormalization({ inputShape: [2] })])
 * console.log(await model.apply(tensor([[3, 4]])).array())   // ≈ [[0.6, 0.8]]
 * ```
 */
export const unitNormalization = (options?: UnitNormalizationOptions): UnitNormalization => new UnitNormalization(options)
