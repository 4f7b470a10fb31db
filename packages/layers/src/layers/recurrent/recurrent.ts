/** Keras' recurrent layers: a cell of that kind in an RNN. */

import { requireLayerOptions } from '../../layer-options.js'
import { type OptionTable, optionNames } from '../../option-table.js'
import { automaticName } from '../../spelling/automatic-names.js'
import { GRUCell, type GRUCellOptions, gruCellTable } from './cells/gru-cell.js'
import { LSTMCell, type LSTMCellOptions, lstmCellTable } from './cells/lstm-cell.js'
import { SimpleRNNCell } from './cells/simple-rnn-cell.js'
import { type UnitsCell, type UnitsCellOptions, unitsCellOptions } from './cells/units-cell.js'
import { RecurrentLayer, type RNNOptions, rnnOptions } from './rnn.js'

export interface SimpleRNNOptions extends UnitsCellOptions, RNNOptions {}
export interface LSTMOptions extends LSTMCellOptions, RNNOptions {}
export interface GRUOptions extends GRUCellOptions, RNNOptions {}

abstract class UnitsRNN extends RecurrentLayer {
  declare readonly cell: UnitsCell

  /** @param cellOptions the table of the cell's options */
  constructor(className: string, makeCell: (options: object) => UnitsCell, given: RNNOptions, cellOptions: OptionTable) {
    const ofCell = optionNames(cellOptions)
    requireLayerOptions(className, given, [...optionNames(rnnOptions), ...ofCell])
    // The cell's weights are named after the layer: lstm_1/kernel.
    const name = given.name ?? automaticName(className)
    const cell = makeCell({ ...Object.fromEntries(Object.entries(given).filter(([option]) => ofCell.includes(option))), name })
    super(className, cell, { ...given, name }, ofCell)
  }
  get units(): number {
    return this.cell.units
  }
  override getConfig(): Record<string, unknown> {
    return { ...this.layerConfig(), ...this.cell.cellConfig() }
  }
}

/**
 * The simple recurrent network: h = activation(x·W + b + h₋·U).
 *
 * Shape:   [n, t, in] → [n, u], with `returnSequences` [n, t, u]
 * Weights: kernel [in, u], recurrent_kernel [u, u], bias [u]
 */
export class SimpleRNN extends UnitsRNN {
  override readonly className = 'SimpleRNN'

  constructor(units: number, options: SimpleRNNOptions = {}) {
    super('SimpleRNN', (own) => new SimpleRNNCell(units, own), options, unitsCellOptions)
  }
  static fromConfig({ units, ...options }: SimpleRNNOptions & { units: number }): SimpleRNN {
    return new SimpleRNN(units, options)
  }
  override copy(changes: RNNOptions): SimpleRNN {
    return SimpleRNN.fromConfig({ ...(this.getConfig() as unknown as SimpleRNNOptions & { units: number }), ...changes })
  }
}

/**
 * A long short-term memory (Hochreiter & Schmidhuber 1997), gates in the order i, f, c̃, o.
 *
 * Shape:   [n, t, in] → [n, u], with `returnSequences` [n, t, u]
 * Weights: kernel [in, 4u], recurrent_kernel [u, 4u], bias [4u], of which the forget gate's part starts at 1
 */
export class LSTM extends UnitsRNN {
  override readonly className = 'LSTM'

  constructor(units: number, options: LSTMOptions = {}) {
    super('LSTM', (own) => new LSTMCell(units, own), options, lstmCellTable)
  }
  static fromConfig({ units, ...options }: LSTMOptions & { units: number }): LSTM {
    return new LSTM(units, options)
  }
  override copy(changes: RNNOptions): LSTM {
    return LSTM.fromConfig({ ...(this.getConfig() as unknown as LSTMOptions & { units: number }), ...changes })
  }
}

/**
 * A gated recurrent unit (Cho et al. 2014), gates in the order z, r, h.
 *
 * Shape:   [n, t, in] → [n, u], with `returnSequences` [n, t, u]
 * Weights: kernel [in, 3u], recurrent_kernel [u, 3u], bias [3u], with `resetAfter` [2, 3u]
 */
export class GRU extends UnitsRNN {
  override readonly className = 'GRU'

  constructor(units: number, options: GRUOptions = {}) {
    super('GRU', (own) => new GRUCell(units, own), options, gruCellTable)
  }
  static fromConfig({ units, ...options }: GRUOptions & { units: number }): GRU {
    return new GRU(units, options)
  }
  override copy(changes: RNNOptions): GRU {
    return GRU.fromConfig({ ...(this.getConfig() as unknown as GRUOptions & { units: number }), ...changes })
  }
}

/** A layer of simple recurrent units. */
export const simpleRNN = (units: number, options?: SimpleRNNOptions): SimpleRNN => new SimpleRNN(units, options)
/**
 * A layer of long short-term memories.
 *
 * @example
 * ```ts
 * const model = new Sequential([lstm(32, { dropout: 0.2, recurrentDropout: 0.2, inputShape: [null, 14] }), dense(1)])
 * ```
 */
export const lstm = (units: number, options?: LSTMOptions): LSTM => new LSTM(units, options)
/** A layer of gated recurrent units. */
export const gru = (units: number, options?: GRUOptions): GRU => new GRU(units, options)
