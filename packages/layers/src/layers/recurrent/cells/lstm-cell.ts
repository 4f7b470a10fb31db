/** One step of a long short-term memory (Hochreiter & Schmidhuber 1997). Source: Keras 2.3.1, layers/recurrent.py. */

import { concat, type GateActivation, lstmSequence, type SequenceOptions, type SequenceResult, type Tensor } from '@cotangent/core'
import type { Activation, ActivationIdentifier } from '../../../activations.js'
import { activationOf, choice, flag } from '../../../option-rows.js'
import { optionNames, type TableFor, type ValuesOf } from '../../../option-table.js'
import { ours } from '../../../own-classes.js'
import { getInitializer } from '../../../weights/initializers.js'
import type { WeightSetting } from '../../../weights/settings.js'
import type { DropoutMasks, StepResult } from './cell.js'
import { isBuiltIn, UnitsCell, type UnitsCellOptions, unitsCellOptions } from './units-cell.js'

/** Options of `LSTMCell`. */
export interface LSTMCellOptions extends UnitsCellOptions {
  /** The activation of the gates; `sigmoid` by default, as from Keras 2.3. Before, Keras had `hardSigmoid`. */
  recurrentActivation?: ActivationIdentifier
  /** Whether the forget gate's bias starts at 1 (Jozefowicz et al. 2015); true by default. */
  unitForgetBias?: boolean
  /** 1: every gate drops its own choice of inputs and states. 2 (default): all gates drop the same ones. */
  implementation?: 1 | 2
}

const own = { recurrentActivation: activationOf('sigmoid'), unitForgetBias: flag(true), implementation: choice<1 | 2>([1, 2], 2) }
/** The table of all options of an LSTM cell. */
export const lstmCellTable = { ...unitsCellOptions, ...own } satisfies TableFor<LSTMCellOptions>

/**
 * Names of the options that an LSTM cell has in addition to those of all cells.
 *
 * @example
 * ```ts
 * console.log(lstmCellOptions)   // ['recurrentActivation', 'unitForgetBias', 'implementation']
 * ```
 */
export const lstmCellOptions: string[] = optionNames(own)

/** The gates, states and step of a long short-term memory. A subclass says how an input and a state are multiplied by the kernels. */
export abstract class GatedMemoryCell extends UnitsCell {
  protected override readonly gates = 4
  declare readonly recurrentActivation: Activation
  declare readonly unitForgetBias: boolean

  get stateSizes(): readonly number[] {
    return [this.units, this.units]
  }

  /** The bias has four parts. With `unitForgetBias` the second one, the forget gate's, starts at 1. */
  protected override biasSetting(setting: WeightSetting): WeightSetting {
    if (!this.unitForgetBias) return setting
    const { units } = this
    const { initializer } = setting
    return {
      ...setting,
      initializer: {
        ...initializer,
        build: (key, _shape, options) =>
          concat([
            initializer.build(key, [units], options),
            getInitializer('ones').build(key, [units], options),
            initializer.build(key, [2 * units], options),
          ]),
      },
    }
  }

  override step(x: Tensor, [h, c]: readonly Tensor[], masks: DropoutMasks = {}): StepResult {
    const ofInput = this.product(x, masks.input, this.kernel)
    const z = (this.bias ? ofInput.add(this.bias) : ofInput).add(this.product(h, masks.recurrent, this.recurrentKernel))
    const [i, f, candidate, o] = [0, 1, 2, 3].map((gate) => this.gate(z, gate))
    const squash = (gate: Tensor): Tensor => this.recurrentActivation.call(gate)
    const next = squash(f)
      .mul(c)
      .add(squash(i).mul(this.activation.call(candidate)))
    const output = squash(o).mul(this.activation.call(next))
    return { output, states: [output, next] }
  }
}

/**
 * c = σ(f)·c₋ + σ(i)·activation(c̃) and h = σ(o)·activation(c). Here i, f, c̃, o are the parts of x·W + b + h₋·U; σ is the recurrent activation;
 * h₋ and c₋ are the states after the step before.
 *
 * Shape:   [n, in] and states h, c [n, u] → [n, u]
 * Weights: kernel [in, 4u], recurrent_kernel [u, 4u], bias [4u]
 */
export class LSTMCell extends GatedMemoryCell implements ValuesOf<typeof lstmCellTable> {
  override readonly className = ours(LSTMCell, 'LSTMCell')

  constructor(units: number, options: LSTMCellOptions = {}) {
    super('LSTMCell', { units }, options, lstmCellTable)
  }
  static fromConfig({ units, ...options }: LSTMCellOptions & { units: number }): LSTMCell {
    return new LSTMCell(units, options)
  }

  protected override hasOp(): boolean {
    return isBuiltIn(this.activation, 'tanh') && isBuiltIn(this.recurrentActivation, 'sigmoid', 'hardSigmoid')
  }
  protected override runOp(x: Tensor, options: SequenceOptions): SequenceResult {
    const recurrentActivation = this.recurrentActivation.name as GateActivation
    return lstmSequence(x, this.kernel, this.recurrentKernel, this.bias, { ...options, recurrentActivation })
  }
}

/**
 * Makes an `LSTMCell` of `units` units, for `rnn`.
 *
 * @example
 * ```ts
 * const model = new Sequential([rnn(lstmCell(8), { inputShape: [5, 3] })])
 * console.log(model.output.shape)   // [null, 8]
 * ```
 */
export const lstmCell = (units: number, options?: LSTMCellOptions): LSTMCell => new LSTMCell(units, options)
