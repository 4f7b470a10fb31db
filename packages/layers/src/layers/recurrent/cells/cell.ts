/**
 * What a recurrent cell is: a layer that does one step of a sequence, from an input and states to an output and new states. `RNN` runs it over
 * the steps, and sees to masks, directions and states between batches; a cell of your own needs `stateSizes`, `makeWeights` and `step`.
 */
import { type SequenceOptions, type SequenceResult, scope, type Tensor, zeros } from '@cotangent/core'
import { type BatchShape, type CallContext, Layer } from '../../../layer.js'

/** Factors that drop inputs and states, 0 or 1/(1 − rate): drawn once for a batch, the same at every step. */
export interface DropoutMasks {
  /** Of the input, [n, in] each: one for all gates, or one a gate. */
  input?: readonly Tensor[]
  /** Of the state where it meets the recurrent kernel, [n, units] each. */
  recurrent?: readonly Tensor[]
  /** Of the cells inside. */
  inner?: readonly (DropoutMasks | undefined)[]
}

/** What a step gives. */
export interface StepResult {
  /** [n, outputSize] */
  output: Tensor
  /** As many as `stateSizes`, [n, size] each. */
  states: Tensor[]
}

/**
 * One step of a recurrent network.
 *
 * @example
 * ```ts
 * class Decay extends RNNCell {
 *   readonly className = 'Decay'
 *   readonly stateSizes = [3]
 *   constructor(options = {}) {
 *     super('Decay', options, [])
 *   }
 *   step(x: Tensor, [h]: readonly Tensor[]) {
 *     const next = h.mul(0.9).add(x)
 *     return { output: next, states: [next] }
 *   }
 * }
 * const layer = rnn(new Decay(), { returnSequences: true })
 * ```
 */
export abstract class RNNCell extends Layer {
  /** The sizes of the states. */
  abstract readonly stateSizes: readonly number[]
  /** One step. Shape: x [n, in], states [n, size] each */
  abstract step(x: Tensor, states: readonly Tensor[], masks?: DropoutMasks): StepResult

  /** The size of the output; that of the first state unless a cell says otherwise. */
  get outputSize(): number {
    return this.stateSizes[0]
  }

  /** Draws what is dropped, for a batch x [n, t, in]; nothing by default. */
  dropoutMasks(_x: Tensor, _context: CallContext): DropoutMasks | undefined {
    return undefined
  }

  /** All steps by one op, where there is an op for the cell as it is set; else undefined. */
  sequence(_x: Tensor, _options: SequenceOptions, _masks: DropoutMasks | undefined): SequenceResult | undefined {
    return undefined
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    return [...inputShape.slice(0, -1), this.outputSize]
  }

  /** One step from states of zeros. */
  override call(x: Tensor, context: CallContext): Tensor {
    return scope(() => {
      const states = this.stateSizes.map((size) => zeros([x.shape[0], size], { dtype: x.dtype, backend: x.backend }))
      return this.step(x, states, this.dropoutMasks(x.expandDims(1), context)).output
    })
  }
}
