/** Flattening a sample to one axis. */

import type { Tensor } from '@cotangent/core'
import { type BatchShape, type CallContext, Layer, type LayerOptions } from '../../layer.js'
import type { TableFor, ValuesOf } from '../../option-table.js'
import type { Spelling } from '../../spelling/names.js'
import { type DataFormat, dataFormatOf, imageDataFormat, moveAxis } from '../data-format.js'

export interface FlattenOptions extends LayerOptions {
  /** `imageDataFormat()` by default. */
  dataFormat?: Spelling<DataFormat>
}

const flattenOptions = { dataFormat: dataFormatOf(imageDataFormat) } satisfies TableFor<FlattenOptions>

/**
 * All axes but the first on one. With `channelsFirst` the channels are moved last before, so that the weights of a dense layer behind
 * it fit both data formats (Keras from 2.2). A mask ends here, as in tf.keras (Keras 2.3 refuses it): what is masked is among the values.
 *
 * Shape: [n, ..rest] → [n, Π rest], row-major
 */
export class Flatten extends Layer implements ValuesOf<typeof flattenOptions> {
  override readonly className = 'Flatten'
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

/** Flattens each sample to one axis. */
export const flatten = (options?: FlattenOptions): Flatten => new Flatten(options)
