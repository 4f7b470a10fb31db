/** Keras' recurrent layers: `SimpleRNN`, `LSTM` and `GRU`, each a cell run by an RNN. Source: Keras 2.3.1, layers/recurrent.py. */

import { requireCount, requireLayerOptions } from '../../layer-options.js'
import { type OptionTable, optionNames } from '../../option-table.js'
import { ours } from '../../own-classes.js'
import { automaticName } from '../../spelling/automatic-names.js'
import { GRUCell, type GRUCellOptions, gruCellTable } from './cells/gru-cell.js'
import { LSTMCell, type LSTMCellOptions, lstmCellTable } from './cells/lstm-cell.js'
import { SimpleRNNCell } from './cells/simple-rnn-cell.js'
import { type UnitsCell, type UnitsCellOptions, unitsCellOptions } from './cells/units-cell.js'
import { RecurrentLayer, type RNNOptions, rnnOptions } from './rnn.js'

/** Options of `SimpleRNN`: those of its cell and those of every recurrent layer. */
export interface SimpleRNNOptions extends UnitsCellOptions, RNNOptions {}
/** Options of `LSTM`: those of its cell and those of every recurrent layer. */
export interface LSTMOptions extends LSTMCellOptions, RNNOptions {}
/** Options of `GRU`: those of its cell and those of every recurrent layer. */
export interface GRUOptions extends GRUCellOptions, RNNOptions {}

/** A layer that has the options of its cell. */
export abstract class CellLayer extends RecurrentLayer {
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
  override getConfig(): Record<string, unknown> {
    return { ...this.layerConfig(), ...this.cell.cellConfig() }
  }
}

abstract class UnitsRNN extends CellLayer {
  constructor(className: string, units: number, makeCell: (options: object) => UnitsCell, given: RNNOptions, cellOptions: OptionTable) {
    requireCount(className, 'units', units) // here, so that the message names the layer and not its cell
    super(className, makeCell, given, cellOptions)
  }
  get units(): number {
    return this.cell.units
  }
}

/**
 * The simple recurrent network: h = activation(x·W + b + h₋·U), where h₋ is h of the step before.
 *
 * Shape:   [n, t, in] → [n, u], with `returnSequences` [n, t, u]
 * Weights: kernel [in, u], recurrent_kernel [u, u], bias [u]
 *
 * @throws ShapeError if the input is no [batch, steps, features] with at least one step
 */
export class SimpleRNN extends UnitsRNN {
  override readonly className = ours(SimpleRNN, 'SimpleRNN')

  constructor(units: number, options: SimpleRNNOptions = {}) {
    super('SimpleRNN', units, (own) => new SimpleRNNCell(units, own), options, unitsCellOptions)
  }
  static fromConfig({ units, ...options }: SimpleRNNOptions & { units: number }): SimpleRNN {
    return new SimpleRNN(units, options)
  }
  override copy(changes: RNNOptions): SimpleRNN {
    return SimpleRNN.fromConfig({ ...(this.getConfig() as unknown as SimpleRNNOptions & { units: number }), ...changes })
  }
}

/**
 * A long short-term memory (Hochreiter & Schmidhuber 1997). `LSTMCell` has the formula; the gates stand in the order i, f, c̃, o.
 *
 * Shape:   [n, t, in] → [n, u], with `returnSequences` [n, t, u]
 * Weights: kernel [in, 4u], recurrent_kernel [u, 4u], bias [4u]; the forget gate's part of the bias starts at 1
 *
 * @throws ShapeError if the input is no [batch, steps, features] with at least one step
 */
export class LSTM extends UnitsRNN {
  override readonly className = ours(LSTM, 'LSTM')

  constructor(units: number, options: LSTMOptions = {}) {
    super('LSTM', units, (own) => new LSTMCell(units, own), options, lstmCellTable)
  }
  static fromConfig({ units, ...options }: LSTMOptions & { units: number }): LSTM {
    return new LSTM(units, options)
  }
  override copy(changes: RNNOptions): LSTM {
    return LSTM.fromConfig({ ...(this.getConfig() as unknown as LSTMOptions & { units: number }), ...changes })
  }
}

/**
 * A gated recurrent unit (Cho et al. 2014). `GRUCell` has the formula; the gates stand in the order z, r, h.
 *
 * Shape:   [n, t, in] → [n, u], with `returnSequences` [n, t, u]
 * Weights: kernel [in, 3u], recurrent_kernel [u, 3u], bias [3u], with `resetAfter` [2, 3u]
 *
 * @throws ShapeError if the input is no [batch, steps, features] with at least one step
 */
export class GRU extends UnitsRNN {
  override readonly className = ours(GRU, 'GRU')

  constructor(units: number, options: GRUOptions = {}) {
    super('GRU', units, (own) => new GRUCell(units, own), options, gruCellTable)
  }
  static fromConfig({ units, ...options }: GRUOptions & { units: number }): GRU {
    return new GRU(units, options)
  }
  override copy(changes: RNNOptions): GRU {
    return GRU.fromConfig({ ...(this.getConfig() as unknown as GRUOptions & { units: number }), ...changes })
  }
}

/**
 * Makes a `SimpleRNN` of `units` units.
 *
 * @example
 * ```ts
 * const model = new Sequential([simpleRNN(8, { returnSequences: true, inputShape: [5, 3] })])
 * console.log(model.output.shape)   // [null, 5, 8]
 * ```
 */
export const simpleRNN = (units: number, options?: SimpleRNNOptions): SimpleRNN => new SimpleRNN(units, options)
/**
 * Makes an `LSTM` of `units` units.
 *
 * @example
 * ```ts
 * const model = new Sequential([lstm(32, { dropout: 0.2, recurrentDropout: 0.2, inputShape: [null, 14] }), dense(1)])
 * console.log(model.countParams())   // 6049
 * ```
 */
export const lstm = (units: number, options?: LSTMOptions): LSTM => new LSTM(units, options)
/**
 * Makes a `GRU` of `units` units.
 *
 * @example
 * ```ts
 * const model = new Sequential([gru(32, { inputShape: [null, 14] })])
 * console.log(model.output.shape, model.countParams())   // [null, 32] 4512
 * ```
 */
export const gru = (units: number, options?: GRUOptions): GRU => new GRU(units, options)
