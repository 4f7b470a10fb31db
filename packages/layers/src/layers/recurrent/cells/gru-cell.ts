/** One step of a gated recurrent unit. */

import { type GateActivation, gruSequence, type SequenceOptions, type SequenceResult, type Tensor } from '@cotangent/core'
import type { Activation, ActivationIdentifier } from '../../../activations.js'
import { activationOf, choice, flag } from '../../../option-rows.js'
import { optionNames, type TableFor, type ValuesOf } from '../../../option-table.js'
import type { DropoutMasks, StepResult } from './cell.js'
import { isBuiltIn, UnitsCell, type UnitsCellOptions, unitsCellOptions } from './units-cell.js'

export interface GRUCellOptions extends UnitsCellOptions {
  /** Of the gates; `sigmoid` by default, as from Keras 2.3; before, it was `hardSigmoid`. */
  recurrentActivation?: ActivationIdentifier
  /** Whether the reset gate acts after the recurrent product; false by default, as in Keras 2. True is CuDNN's and Keras 3's form. */
  resetAfter?: boolean
  /** 1: every gate drops inputs and states of its own; 2 (default): all drop the same. */
  implementation?: 1 | 2
}

const own = { recurrentActivation: activationOf('sigmoid'), resetAfter: flag(false), implementation: choice<1 | 2>([1, 2], 2) }
export const gruCellTable = { ...unitsCellOptions, ...own } satisfies TableFor<GRUCellOptions>

/** Names of the options that a GRU cell has beside those of all cells. */
export const gruCellOptions: string[] = optionNames(own)

/**
 * h = z·h₋ + (1 − z)·h̃ with gates z and r of x·W + b + h₋·U, and h̃ = act(x·W_h + b_h + (r·h₋)·U_h), or with `resetAfter`
 * act(x·W_h + b_h + r·(h₋·U_h + b'_h)).
 *
 * What recurrent dropout drops of h₋ does not enter z·h₋. In Keras 2 it does with implementation 2, where states grow without bound.
 *
 * Weights: kernel [in, 3u], recurrent_kernel [u, 3u], bias [3u], with `resetAfter` [2, 3u]: input, recurrent
 */
export class GRUCell extends UnitsCell implements ValuesOf<typeof gruCellTable> {
  override readonly className = 'GRUCell'
  protected override readonly gates = 3
  declare readonly recurrentActivation: Activation
  declare readonly resetAfter: boolean

  constructor(units: number, options: GRUCellOptions = {}) {
    super('GRUCell', units, options, gruCellTable)
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

/** A cell of a gated recurrent unit, for `rnn`. */
export const gruCell = (units: number, options?: GRUCellOptions): GRUCell => new GRUCell(units, options)
