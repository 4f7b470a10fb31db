/** A penalty on the values that pass. */
import type { Tensor } from '@cotangent/core'
import { type BatchShape, type CallContext, Layer, type LayerOptions } from '../../layer.js'
import { choice, givenNumber } from '../../option-rows.js'
import type { TableFor, ValuesOf } from '../../option-table.js'
import { made, ours } from '../../own-classes.js'
import { L1L2, type Regularizer } from '../../weights/regularizers.js'

/** Options of `activityRegularization`. */
export interface ActivityRegularizationOptions extends LayerOptions {
  /** The factor of Σ|x|, at least 0; 0 by default. */
  l1?: number
  /** The factor of Σx², at least 0; 0 by default. */
  l2?: number
  /** Keras 3, the default, divides the penalty by the number of samples. Keras 2 did not. */
  variant?: 'keras2' | 'keras3'
}

const activityRegularizationOptions = {
  l1: givenNumber({ least: 0 }, 0),
  l2: givenNumber({ least: 0 }, 0),
  variant: {
    ...choice<'keras2' | 'keras3'>(['keras2', 'keras3'], 'keras3'),
    config: (variant: string) => (variant === 'keras3' ? {} : { variant }),
  },
} satisfies TableFor<ActivityRegularizationOptions>

/**
 * y = x; the loss gets (l1·Σ|x| + l2·Σx²)/n, n being the number of samples.
 *
 * Shape:  any → the same
 * Source: Keras 3, layers/regularization/activity_regularization.py
 */
export class ActivityRegularization extends Layer implements ValuesOf<typeof activityRegularizationOptions> {
  override readonly className = ours(ActivityRegularization, 'ActivityRegularization')
  override readonly supportsMasking = true
  override readonly activityRegularizer: Regularizer
  declare readonly l1: number
  declare readonly l2: number
  declare readonly variant: 'keras2' | 'keras3'

  constructor(options: ActivityRegularizationOptions = {}) {
    super('ActivityRegularization', options, activityRegularizationOptions)
    const { l1, l2, variant } = this
    const penalty = new L1L2({ l1, l2 })
    this.activityRegularizer = made({
      className: 'L1L2',
      getConfig: () => penalty.getConfig(),
      call: (x) => (variant === 'keras3' ? penalty.call(x).div(Math.max(1, x.shape[0])) : penalty.call(x)),
    })
  }
  static fromConfig(options: ActivityRegularizationOptions): ActivityRegularization {
    return new ActivityRegularization(options)
  }
  override outputShape(inputShape: BatchShape): BatchShape {
    return inputShape
  }
  override call(x: Tensor, _context: CallContext): Tensor {
    return x
  }
}

/**
 * Makes an `ActivityRegularization`: values pass, and the loss gets a penalty on them.
 *
 * @example
 * ```ts
 * const layer = activityRegularization({ l2: 0.5 })
 * console.log(await layer.activityRegularizer.call(tensor([[1, 2], [3, 0]])).array())   // ≈ 3.5
 * ```
 */
export const activityRegularization = (options?: ActivityRegularizationOptions): ActivityRegularization =>
  new ActivityRegularization(options)
