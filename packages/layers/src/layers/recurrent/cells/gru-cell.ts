/** One step of a gated recurrent unit (Cho et al. 2014). Source: Keras 2.3.1, layers/recurrent.py. */

import { type GateActivation, gruSequence, type SequenceOptions, type SequenceResult, type Tensor } from '@cotangent/core'
import type { Activation, ActivationIdentifier } from '../../../activations.js'
import { activationOf, choice, flag } from '../../../option-rows.js'
import { optionNames, type TableFor, type ValuesOf } from '../../../option-table.js'
import { ours } from '../../../own-classes.js'
import type { DropoutMasks, StepResult } from './cell.js'
import { isBuiltIn, UnitsCell, type UnitsCellOptions, unitsCellOptions } from './units-cell.js'

/** Options of `GRUCell`. */
export interface GRUCellOptions extends UnitsCellOptions {
  /** The activation of the gates; `sigmoid` by default, as from Keras 2.3. Before, Keras had `hardSigmoid`. */
  recurrentActivation?: ActivationIdentifier
  /** Whether the reset gate acts after the recurrent product. False (default) is the form of Keras 2, true that of CuDNN and Keras 3. */
  resetAfter?: boolean
  /** 1: every gate drops its own choice of inputs and states. 2 (default): all gates drop the same ones. */
  implementation?: 1 | 2
}

const own = { recurrentActivation: activationOf('sigmoid'), resetAfter: flag(false), implementation: choice<1 | 2>([1, 2], 2) }
/** The table of all options of a GRU cell. */
export const gruCellTable = { ...unitsCellOptions, ...own } satisfies TableFor<GRUCellOptions>

/**
 * Names of the options that a GRU cell has in addition to those of all cells.
 *
 * @example
 * ```ts
 * console.log(gruCellOptions)   // ['recurrentActivation', 'resetAfter', 'implementation']
 * ```
 */
export const gruCellOptions: string[] = optionNames(own)

/**
 * h = z·h₋ + (1 − z)·h̃. The gates are z, r = recurrentActivation(x·W + b + h₋·U); h₋ is h of the step before.
 * h̃ = activation(x·W_h + b_h + (r·h₋)·U_h), with `resetAfter` activation(x·W_h + b_h + r·(h₋·U_h + b'_h)).
 *
 * Recurrent dropout does not act on h₋ in z·h₋. In Keras 2 with implementation 2 it does, and states grow without bound.
 *
 * Shape:   [n, in] and state [n, u] → [n, u]
 * Weights: kernel [in, 3u], recurrent_kernel [u, 3u], bias [3u]; with `resetAfter` bias [2, 3u]: b and b'
 */
export class GRUCell extends UnitsCell implements ValuesOf<typeof gruCellTable> {
  override readonly className = ours(GRUCell, 'GRUCell')
  protected override readonly gates = 3
  declare readonly recurrentActivation: Activation
  declare readonly resetAfter: boolean

  constructor(units: number, options: GRUCellOptions = {}) {
    super('GRUCell', { units }, options, gruCellTable)
  }
  static fromConfig({ units, ...options }: GRUCellOptions & { units: number }): GRUCell {
    return new GRUCell(units, options)
  }

  get stateSizes(): readonly number[] {
    return [this.units]
  }
  protected override biasShape(): readonly number[] {
    return this.resetAfter ? [2, 3 * this.units] : [3 * this.units]
  }

  override step(x: Tensor, [h]: readonly Tensor[], masks: DropoutMasks = {}): StepResult {
    const { bias, recurrentKernel, units } = this
    const biasRow = (row: number): Tensor | undefined =>
      this.resetAfter ? bias?.slice([row, 0], [1, 3 * units]).reshape([3 * units]) : row === 0 ? bias : undefined
    const plus = (a: Tensor, b: Tensor | undefined): Tensor => (b ? a.add(b) : a)
    const squash = (gate: Tensor): Tensor => this.recurrentActivation.call(gate)
    const ofInput = plus(this.product(x, masks.input, this.kernel), biasRow(0))
    const ofState = plus(this.product(h, masks.recurrent, recurrentKernel), biasRow(1))
    const z = squash(this.gate(ofInput, 0).add(this.gate(ofState, 0)))
    const r = squash(this.gate(ofInput, 1).add(this.gate(ofState, 1)))
    const kept = masks.recurrent ? h.mul(masks.recurrent.at(-1) as Tensor) : h
    const reset = this.resetAfter ? r.mul(this.gate(ofState, 2)) : r.mul(kept).matMul(this.gate(recurrentKernel, 2))
    const candidate = this.activation.call(this.gate(ofInput, 2).add(reset))
    const output = z.mul(h).add(z.neg().add(1).mul(candidate))
    return { output, states: [output] }
  }

  protected override hasOp(): boolean {
    return isBuiltIn(this.activation, 'tanh') && isBuiltIn(this.recurrentActivation, 'sigmoid', 'hardSigmoid')
  }
  protected override runOp(x: Tensor, options: SequenceOptions): SequenceResult {
    const recurrentActivation = this.recurrentActivation.name as GateActivation
    const { resetAfter } = this
    return gruSequence(x, this.kernel, this.recurrentKernel, this.bias, { ...options, recurrentActivation, resetAfter })
  }
}

/**
 * Makes a `GRUCell` of `units` units, for `rnn`.
 *
 * @example
 * ```ts
 * const model = new Sequential([rnn(gruCell(8), { inputShape: [5, 3] })])
 * console.log(model.output.shape)   // [null, 8]
 * ```
 */
export const gruCell = (units: number, options?: GRUCellOptions): GRUCell => new GRUCell(units, options)
