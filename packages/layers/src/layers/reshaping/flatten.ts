/** Flattens each sample to one axis. */

import type { Tensor } from '@cotangent/core'
import { type BatchShape, type CallContext, Layer, type LayerOptions } from '../../layer.js'
import type { TableFor, ValuesOf } from '../../option-table.js'
import { ours } from '../../own-classes.js'
import type { Spelling } from '../../spelling/names.js'
import { type DataFormat, dataFormatOf, imageDataFormat, moveAxis } from '../data-format.js'

/** Options of `flatten`. */
export interface FlattenOptions extends LayerOptions {
  /** Where the channels are: `channelsLast` or `channelsFirst`; `imageDataFormat()` by default. */
  dataFormat?: Spelling<DataFormat>
}

const flattenOptions = { dataFormat: dataFormatOf(imageDataFormat) } satisfies TableFor<FlattenOptions>

/**
 * Flattens each sample to one axis, row by row. With `channelsFirst`, channels are moved last before; so the weights of a dense layer behind it fit both
 * data formats, as in Keras from 2.2. A mask ends here, as in tf.keras (Keras 2.3 refuses masked inputs); masked values are kept.
 *
 * Shape:  [n, ..rest] → [n, Π rest]
 * Source: Keras 2.3.1, layers/core.py
 */
export class Flatten extends Layer implements ValuesOf<typeof flattenOptions> {
  override readonly className = ours(Flatten, 'Flatten')
  declare readonly dataFormat: DataFormat

  constructor(options: FlattenOptions = {}) {
    super('Flatten', options, flattenOptions)
  }

  static fromConfig(options: FlattenOptions): Flatten {
    return new Flatten(options)
  }

  override outputShape([batch, ...rest]: BatchShape): BatchShape {
    return [batch, rest.reduce<number | null>((product, n) => (product === null || n === null ? null : product * n), 1)]
  }

  override outputMask(): undefined {
    return undefined
  }

  override call(x: Tensor, _context: CallContext): Tensor {
    const ordered = this.dataFormat === 'channelsFirst' && x.rank > 2 ? moveAxis(x, 1, x.rank - 1) : x
    return ordered.reshape([x.shape[0], x.shape.slice(1).reduce((a, b) => a * b, 1)])
  }
}

/**
 * Makes a `Flatten` layer.
 *
 * @example
 * ```ts
 * const model = new Sequential([flatten({ inputShape: [28, 28] })])
 * console.log(model.output.shape)   // [null, 784]
 * ```
 */
export const flatten = (options?: FlattenOptions): Flatten => new Flatten(options)
