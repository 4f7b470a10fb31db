/** Masks steps of sequences by their value. */

import { any, type Tensor, where } from '@cotangent/core'
import { requireNumber } from '@cotangent/core/arguments'
import { type BatchShape, type CallContext, Layer, type LayerOptions } from '../../layer.js'
import type { TableFor, ValuesOf } from '../../option-table.js'
import { ours } from '../../own-classes.js'

/** Options of `masking`. */
export interface MaskingOptions extends LayerOptions {
  /** A step is masked if all its features equal this number; 0 by default. */
  maskValue?: number
}

const maskingOptions = {
  maskValue: {
    read(given, { className, name }): number {
      const value = given ?? 0
      // Infinity can mark steps. NaN cannot, since it equals nothing.
      if (typeof value !== 'number' || Number.isNaN(value)) requireNumber(className, name, value)
      return value as number
    },
  },
} satisfies TableFor<MaskingOptions>

/**
 * Masks the steps whose features all equal `maskValue`, and sets them to 0.
 *
 * Shape:  [n, t, features] → the same, with a mask [n, t]
 * Source: Keras 2.3.1, layers/core.py
 */
export class Masking extends Layer implements ValuesOf<typeof maskingOptions> {
  override readonly className = ours(Masking, 'Masking')
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
 * Makes a `Masking` layer: layers and losses behind it leave out the steps whose features all equal `maskValue`.
 *
 * @example
 * ```ts
 * const model = new Sequential([masking({ maskValue: -1, inputShape: [null, 2] }), lstm(3)])
 * const [short, long] = [tensor([[[1, 2]]]), tensor([[[1, 2], [-1, -1]]])]
 * console.log((await model.apply(long).sub(model.apply(short)).array()).toString())   // 0,0,0
 * ```
 */
export const masking = (options?: MaskingOptions): Masking => new Masking(options)
