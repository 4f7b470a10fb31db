/** Several cells on top of one another as one cell, and cells made from their configs. */

import { foldKey, type Tensor, ValueError } from '@cotangent/core'
import { describeValue } from '@cotangent/core/arguments'
import type { BatchShape, BuildContext, CallContext, LayerOptions } from '../../../layer.js'
import { ours } from '../../../own-classes.js'
import { classNameOf, type SavedObject, savedForm, unknownName } from '../../../spelling/names.js'
import { type DropoutMasks, RNNCell, type StepResult } from './cell.js'
import { GRUCell } from './gru-cell.js'
import { LSTMCell } from './lstm-cell.js'
import { SimpleRNNCell } from './simple-rnn-cell.js'

/** A class with a static `fromConfig`. */
export interface FromConfig<T> {
  fromConfig(config: never): T
}

/** A cell, or its class name and config. */
export type CellIdentifier = RNNCell | SavedObject

/** The cell that a description names. `custom` holds classes that are not this package's. */
export function cellOf(id: CellIdentifier, custom: Readonly<Record<string, FromConfig<RNNCell>>> = {}): RNNCell {
  if (id instanceof RNNCell) return id
  const known: Record<string, FromConfig<RNNCell>> = { SimpleRNNCell, LSTMCell, GRUCell, StackedRNNCells, ...custom }
  const name = classNameOf('cell', id)
  if (!Object.hasOwn(known, name)) throw unknownName('cell', name, Object.keys(known))
  return known[name].fromConfig((id.config ?? {}) as never)
}

/**
 * Cells on top of one another: at each step, the output of each cell is the input of the next. The states are those of the first cell, then those of the
 * second, and so on.
 *
 * Shape:   [n, in] and all states → [n, outputSize of the last cell]
 * Weights: those of the cells, in order
 * Source:  Keras 2.3.1, layers/recurrent.py
 *
 * @throws ValueError for an empty list, something else than a cell, or a cell given twice
 */
export class StackedRNNCells extends RNNCell {
  override readonly className = ours(StackedRNNCells, 'StackedRNNCells')
  readonly cells: readonly RNNCell[]

  constructor(cells: readonly RNNCell[], options: LayerOptions = {}) {
    super('StackedRNNCells', options, [])
    if (!Array.isArray(cells)) throw new ValueError(`StackedRNNCells: expected a list of cells, got ${describeValue(cells)}.`)
    const wrong = cells.find((cell) => !(cell instanceof RNNCell))
    if (wrong !== undefined || cells.includes(undefined))
      throw new ValueError(`StackedRNNCells: expected cells, such as lstmCell(32), got ${describeValue(wrong)}.`)
    if (cells.length === 0) throw new ValueError('StackedRNNCells: at least one cell is needed.')
    if (new Set(cells).size < cells.length) throw new ValueError('StackedRNNCells: each cell can be there only once.')
    this.cells = cells
  }
  static fromConfig({ cells, ...options }: LayerOptions & { cells: readonly CellIdentifier[] }): StackedRNNCells {
    return new StackedRNNCells(
      cells.map((cell) => cellOf(cell)),
      options,
    )
  }

  get stateSizes(): readonly number[] {
    return this.cells.flatMap((cell) => cell.stateSizes)
  }
  override get outputSize(): number {
    return this.cells[this.cells.length - 1].outputSize
  }

  protected override makeWeights(inputShape: BatchShape, context: BuildContext): void {
    let shape = inputShape
    for (const [i, cell] of this.cells.entries()) {
      cell.build(shape, { ...context, key: foldKey(context.key, i) })
      shape = cell.outputShape(shape)
    }
  }

  override dropoutMasks(x: Tensor, { key, ...context }: CallContext): DropoutMasks {
    const [n, t] = x.shape
    const inner = this.cells.map((cell, i) => {
      // Masks depend on the sizes of the input only, so any values will do.
      const input = i === 0 ? x : x.slice([0, 0, 0], [n, t, 1]).broadcastTo([n, t, this.cells[i - 1].outputSize])
      return cell.dropoutMasks(input, { ...context, key: key && foldKey(key, i) })
    })
    return { inner }
  }

  override step(x: Tensor, states: readonly Tensor[], masks?: DropoutMasks): StepResult {
    let input = x
    let first = 0
    const after = this.cells.flatMap((cell, i) => {
      const { output, states: own } = cell.step(input, states.slice(first, first + cell.stateSizes.length), masks?.inner?.[i])
      input = output
      first += cell.stateSizes.length
      return own
    })
    return { output: input, states: after }
  }

  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), cells: this.cells.map(savedForm) }
  }
}

/**
 * Makes one cell of several, for `rnn`. `rnn([a, b])` does it by itself.
 *
 * @example
 * ```ts
 * const cell = stackedRNNCells([lstmCell(8), gruCell(4)])
 * console.log(cell.stateSizes, cell.outputSize)   // [8, 8, 4] 4
 * ```
 */
export const stackedRNNCells = (cells: readonly RNNCell[], options?: LayerOptions): StackedRNNCells => new StackedRNNCells(cells, options)
