/** Values times a factor, plus a number. */
import { type Tensor, tensor, ValueError } from '@cotangent/core'
import { describeValue } from '@cotangent/core/arguments'
import { type BatchShape, type CallContext, Layer, type LayerOptions } from '../../layer.js'
import { type Option, positional, type TableFor, type ValuesOf } from '../../option-table.js'
import { ours } from '../../own-classes.js'

/** A number, or one for each position of the last axis. */
export type NumberOrList = number | readonly number[]

/** Options of `rescaling`. */
export interface RescalingOptions extends LayerOptions {
  /** A number that is added, or one for each channel; 0 by default. */
  offset?: NumberOrList
}

/** A finite number or a list of them. */
const numberOrList = (usual?: number): Option<NumberOrList> => ({
  read(given, { className, name }) {
    const value = given ?? usual
    const list = Array.isArray(value) ? value : [value]
    if (list.length > 0 && list.every((item) => typeof item === 'number' && Number.isFinite(item))) return value as NumberOrList
    throw new ValueError(`${className}: ${name} must be a number or a list of numbers, one for each channel, got ${describeValue(value)}.`)
  },
})

const rescalingOptions = {
  scale: positional(numberOrList()),
  offset: numberOrList(0),
} satisfies TableFor<RescalingOptions & { scale: NumberOrList }>

/**
 * y = x·scale + offset
 *
 * Shape:  any → the same
 * Source: Keras 3.16, layers/preprocessing/rescaling.py
 */
export class Rescaling extends Layer implements ValuesOf<typeof rescalingOptions> {
  override readonly className = ours(Rescaling, 'Rescaling')
  override readonly supportsMasking = true
  declare readonly scale: NumberOrList
  declare readonly offset: NumberOrList

  constructor(scale: NumberOrList, options: RescalingOptions = {}) {
    super('Rescaling', options, rescalingOptions, { scale })
  }
  static fromConfig({ scale, ...options }: RescalingOptions & { scale: NumberOrList }): Rescaling {
    return new Rescaling(scale, options)
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    return inputShape
  }
  override call(x: Tensor, _context: CallContext): Tensor {
    const like = (value: NumberOrList): Tensor =>
      tensor(typeof value === 'number' ? value : [...value], { dtype: x.dtype, backend: x.backend })
    return x.mul(like(this.scale)).add(like(this.offset))
  }
}

/**
 * Makes a `Rescaling` layer, such as `rescaling(1 / 255)` for images of bytes, or `rescaling(1 / 127.5, { offset: -1 })` for values from −1 to 1.
 *
 * @example
 * ```ts
 * const model = new Sequential([rescaling(2, { offset: 1, inputShape: [2] })])
 * console.log((await model.apply(tensor([[1, 3]])).array()).toString())   // 3,7
 * ```
 */
export const rescaling = (scale: NumberOrList, options?: RescalingOptions): Rescaling => new Rescaling(scale, options)
