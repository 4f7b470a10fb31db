/** Leaving out steps of sequences by their value. */

import { any, type Tensor, where } from '@cotangent/core'
import { requireNumber } from '@cotangent/core/arguments'
import { type BatchShape, type CallContext, Layer, type LayerOptions } from '../../layer.js'
import type { TableFor, ValuesOf } from '../../option-table.js'

export interface MaskingOptions extends LayerOptions {
  /** A step all of whose features are this does not count; 0 by default. */
  maskValue?: number
}

const maskingOptions = {
  maskValue: {
    read(given, { className, name }): number {
      const value = given ?? 0
      // An infinite value marks steps as well as another; of NaN no step is one.
      if (typeof value !== 'number' || Number.isNaN(value)) requireNumber(className, name, value)
      return value as number
    },
  },
} satisfies TableFor<MaskingOptions>

/**
 * Masks the steps all of whose features are `maskValue`, and sets them to 0.
 *
 * Shape: [n, t, features] → the same, with a mask [n, t]
 */
export class Masking extends Layer implements ValuesOf<typeof maskingOptions> {
  override readonly className = 'Masking'
  override readonly supportsMasking = true
  declare readonly maskValue: number

  constructor(options: MaskingOptions = {}) {
    super('Masking', options, maskingOptions)
  }
  static fromConfig(options: MaskingOptions): Masking {
    return new Masking(options)
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    return inputShape
  }
  override outputMask(x: Tensor): Tensor | undefined {
    return any(x.notEqual(this.maskValue), { axis: -1 })
  }
  override call(x: Tensor, _context: CallContext): Tensor {
    return where(any(x.notEqual(this.maskValue), { axis: -1, keepDims: true }), x, 0)
  }
}

/**
 * Leaves out steps all of whose features are `maskValue`.
 *
 * @example
 * ```ts
 * const model = new Sequential([masking({ maskValue: -1, inputShape: [null, 4] }), gru(8)])
 * ```
 */
export const masking = (options?: MaskingOptions): Masking => new Masking(options)
