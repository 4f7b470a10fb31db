/** Long short-term memories of sequences of pictures. Source: Keras 3.16, layers/rnn/conv_lstm1d.py, conv_lstm2d.py and conv_lstm3d.py. */

import { ours } from '../../own-classes.js'
import type { DataFormat } from '../data-format.js'
import type { PerAxis, Rank } from '../spatial-layer.js'
import { ConvLSTMCell, type ConvLSTMCellOptions, convLSTMCellTable } from './cells/conv-lstm-cell.js'
import { CellLayer } from './recurrent.js'
import type { RNNOptions } from './rnn.js'

/** Options of `ConvLSTM1D`, `ConvLSTM2D` and `ConvLSTM3D`: those of the cell and those of every recurrent layer. */
export interface ConvLSTMOptions extends ConvLSTMCellOptions, RNNOptions {}

/** The arguments before the options. */
interface ConvLSTMArguments {
  filters: number
  kernelSize: PerAxis
}

abstract class ConvLSTM extends CellLayer {
  declare readonly cell: ConvLSTMCell

  constructor(className: string, rank: Rank, { filters, kernelSize }: ConvLSTMArguments, options: ConvLSTMOptions) {
    super(className, (own) => new ConvLSTMCell(className, rank, filters, kernelSize, own), options, convLSTMCellTable(rank))
  }
  get filters(): number {
    return this.cell.filters
  }
  get dataFormat(): DataFormat {
    return this.cell.dataFormat
  }
  protected override detail(): string {
    return `filters ${this.filters}`
  }
}

/**
 * A long short-term memory of sequences of images: an LSTM with convolutions in the place of products (Shi et al. 2015). The input's convolution has strides,
 * padding and dilation; that of the state keeps the size. The gates stand in the order i, f, c̃, o.
 *
 * Shape:   [n, t, h, w, c] → [n, oh, ow, filters], with `returnSequences` [n, t, oh, ow, filters]; sizes as in `Conv2D`
 * Weights: kernel [kh, kw, c, 4·filters], recurrent_kernel [kh, kw, filters, 4·filters], bias [4·filters]; the forget gate's part of the bias starts at 1
 *
 * @throws ShapeError if the input has not five axes, or the window is larger than an image
 */
export class ConvLSTM2D extends ConvLSTM {
  override readonly className = ours(ConvLSTM2D, 'ConvLSTM2D')
  constructor(filters: number, kernelSize: PerAxis, options: ConvLSTMOptions = {}) {
    super('ConvLSTM2D', 2, { filters, kernelSize }, options)
  }
  static fromConfig({ filters, kernelSize, ...options }: ConvLSTMOptions & ConvLSTMArguments): ConvLSTM2D {
    return new ConvLSTM2D(filters, kernelSize, options)
  }
  override copy(changes: RNNOptions): ConvLSTM2D {
    return ConvLSTM2D.fromConfig({ ...(this.getConfig() as unknown as ConvLSTMOptions & ConvLSTMArguments), ...changes })
  }
}

/**
 * The same for sequences of rows: [n, t, length, c]. `ConvLSTM2D` has the formula.
 *
 * Shape:   [n, t, l, c] → [n, ol, filters], with `returnSequences` [n, t, ol, filters]; sizes as in `Conv1D`
 * Weights: kernel [k, c, 4·filters], recurrent_kernel [k, filters, 4·filters], bias [4·filters]
 *
 * @throws ShapeError if the input has not four axes, or the window is larger than a row
 */
export class ConvLSTM1D extends ConvLSTM {
  override readonly className = ours(ConvLSTM1D, 'ConvLSTM1D')
  constructor(filters: number, kernelSize: PerAxis, options: ConvLSTMOptions = {}) {
    super('ConvLSTM1D', 1, { filters, kernelSize }, options)
  }
  static fromConfig({ filters, kernelSize, ...options }: ConvLSTMOptions & ConvLSTMArguments): ConvLSTM1D {
    return new ConvLSTM1D(filters, kernelSize, options)
  }
  override copy(changes: RNNOptions): ConvLSTM1D {
    return ConvLSTM1D.fromConfig({ ...(this.getConfig() as unknown as ConvLSTMOptions & ConvLSTMArguments), ...changes })
  }
}

/**
 * The same for sequences of volumes: [n, t, depth, h, w, c]. `ConvLSTM2D` has the formula.
 *
 * Shape:   [n, t, d, h, w, c] → [n, od, oh, ow, filters], with `returnSequences` [n, t, od, oh, ow, filters]; sizes as in `Conv3D`
 * Weights: kernel [kd, kh, kw, c, 4·filters], recurrent_kernel [kd, kh, kw, filters, 4·filters], bias [4·filters]
 *
 * @throws ShapeError if the input has not six axes, or the window is larger than a volume
 */
export class ConvLSTM3D extends ConvLSTM {
  override readonly className = ours(ConvLSTM3D, 'ConvLSTM3D')
  constructor(filters: number, kernelSize: PerAxis, options: ConvLSTMOptions = {}) {
    super('ConvLSTM3D', 3, { filters, kernelSize }, options)
  }
  static fromConfig({ filters, kernelSize, ...options }: ConvLSTMOptions & ConvLSTMArguments): ConvLSTM3D {
    return new ConvLSTM3D(filters, kernelSize, options)
  }
  override copy(changes: RNNOptions): ConvLSTM3D {
    return ConvLSTM3D.fromConfig({ ...(this.getConfig() as unknown as ConvLSTMOptions & ConvLSTMArguments), ...changes })
  }
}

/**
 * Makes a `ConvLSTM2D` with `filters` filters; `kernelSize` is a number or [height, width].
 *
 * @example
 * ```ts
 * const radar = new Sequential([convLSTM2d(8, 3, { padding: 'same', returnSequences: true, inputShape: [10, 16, 16, 1] })])
 * console.log(radar.output.shape)   // [null, 10, 16, 16, 8]
 * ```
 */
export const convLSTM2d = (filters: number, kernelSize: PerAxis, options?: ConvLSTMOptions): ConvLSTM2D =>
  new ConvLSTM2D(filters, kernelSize, options)

/**
 * Makes a `ConvLSTM1D` with `filters` filters of `kernelSize` cells.
 *
 * @example
 * ```ts
 * const rows = new Sequential([convLSTM1d(4, 3, { inputShape: [10, 16, 2] })])
 * console.log(rows.output.shape)   // [null, 14, 4]
 * ```
 */
export const convLSTM1d = (filters: number, kernelSize: PerAxis, options?: ConvLSTMOptions): ConvLSTM1D =>
  new ConvLSTM1D(filters, kernelSize, options)

/**
 * Makes a `ConvLSTM3D` with `filters` filters; `kernelSize` is a number or [depth, height, width].
 *
 * @example
 * ```ts
 * const scans = new Sequential([convLSTM3d(2, 3, { padding: 'same', inputShape: [5, 4, 8, 8, 1] })])
 * console.log(scans.output.shape)   // [null, 4, 8, 8, 2]
 * ```
 */
export const convLSTM3d = (filters: number, kernelSize: PerAxis, options?: ConvLSTMOptions): ConvLSTM3D =>
  new ConvLSTM3D(filters, kernelSize, options)
