/** One step of the simple recurrent network. Source: Keras 2.3.1, layers/recurrent.py. */
import { type SequenceOptions, type SequenceResult, simpleRnnSequence, type Tensor } from '@cotangent/core'
import { fixed, type TableFor } from '../../../option-table.js'
import { ours } from '../../../own-classes.js'
import type { DropoutMasks, StepResult } from './cell.js'
import { isBuiltIn, UnitsCell, type UnitsCellOptions, unitsCellOptions } from './units-cell.js'

/** `implementation` is no option here: with one gate, both ways to drop are the same. */
const simpleRNNCellOptions = { ...unitsCellOptions, implementation: fixed<1 | 2>(2) } satisfies TableFor<UnitsCellOptions>

/**
 * h = activation(x·W + b + h₋·U), where h₋ is h of the step before.
 *
 * Shape:   [n, in] and state [n, u] → [n, u]
 * Weights: kernel [in, u], recurrent_kernel [u, u], bias [u]
 */
export class SimpleRNNCell extends UnitsCell {
  override readonly className = ours(SimpleRNNCell, 'SimpleRNNCell')
  protected override readonly gates = 1

  constructor(units: number, options: UnitsCellOptions = {}) {
    super('SimpleRNNCell', { units }, options, simpleRNNCellOptions)
  }
  static fromConfig({ units, ...options }: UnitsCellOptions & { units: number }): SimpleRNNCell {
    return new SimpleRNNCell(units, options)
  }

  get stateSizes(): readonly number[] {
    return [this.units]
  }

  override step(x: Tensor, [h]: readonly Tensor[], masks: DropoutMasks = {}): StepResult {
    const ofInput = this.product(x, masks.input, this.kernel)
    const z = (this.bias ? ofInput.add(this.bias) : ofInput).add(this.product(h, masks.recurrent, this.recurrentKernel))
    const output = this.activation.call(z)
    return { output, states: [output] }
  }

  protected override hasOp(): boolean {
    return isBuiltIn(this.activation, 'tanh')
  }
  protected override runOp(x: Tensor, options: SequenceOptions): SequenceResult {
    return simpleRnnSequence(x, this.kernel, this.recurrentKernel, this.bias, options)
  }
}

/**
 * Makes a `SimpleRNNCell` of `units` units, for `rnn`.
 *
 * @example
 * ```ts
 * const model = new Sequential([rnn(simpleRNNCell(8), { inputShape: [5, 3] })])
 * console.log(model.output.shape)   // [null, 8]
 * ```
 */
export const simpleRNNCell = (units: number, options?: UnitsCellOptions): SimpleRNNCell => new SimpleRNNCell(units, options)
