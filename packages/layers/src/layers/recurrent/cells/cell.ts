/**
 * A recurrent cell is a layer that computes one step of a sequence: from an input and states to an output and new states. `RNN` runs it over the steps,
 * and handles masks, directions and states between batches. A cell of your own defines `stateSizes`, `makeWeights` and `step`.
 */
import { type SequenceOptions, type SequenceResult, scope, type Tensor, zeros } from '@cotangent/core'
import { type BatchShape, type CallContext, Layer } from '../../../layer.js'

/** Factors that drop inputs and states, 0 or 1/(1 − rate). They are drawn once for a batch, and are the same at every step. */
export interface DropoutMasks {
  /** For the input, [n, in] each: one for all gates, or one for each gate. */
  input?: readonly Tensor[]
  /** For the state where it is multiplied by the recurrent kernel, [n, units] each: one for all gates, or one for each. */
  recurrent?: readonly Tensor[]
  /** For the cells inside this one. */
  inner?: readonly (DropoutMasks | undefined)[]
}

/** The output and the new states of one step. */
export interface StepResult {
  /** Shape: [n, outputSize] */
  output: Tensor
  /** As many as `stateSizes`, each [n, size]. */
  states: Tensor[]
}

/**
 * One step of a recurrent network: a cell for `rnn`.
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
 * console.log(layer.apply(input({ shape: [5, 3] })).shape)   // [null, 5, 3]
 * ```
 */
export abstract class RNNCell extends Layer {
  /** The sizes of the states. */
  abstract readonly stateSizes: readonly number[]
  /** How many axes the input of a step has besides the batch. */
  get inputRank(): number {
    return 1
  }
  /** The shapes of the states for inputs of a step, [n, size] unless a cell overrides it. */
  stateShapes([batch]: BatchShape): readonly BatchShape[] {
    return this.stateSizes.map((size) => [batch, size])
  }
  /** Computes one step. Shape: x [n, in], states [n, size] each */
  abstract step(x: Tensor, states: readonly Tensor[], masks?: DropoutMasks): StepResult

  /** The number of output features: the first state's, unless a cell overrides it. */
  get outputSize(): number {
    return this.stateSizes[0]
  }

  /** Draws the dropout masks for a batch x [n, t, in]. By default there are none. */
  dropoutMasks(_x: Tensor, _context: CallContext): DropoutMasks | undefined {
    return undefined
  }

  /** Runs all steps by one op. Undefined if core has no op for the cell with its options. */
  sequence(_x: Tensor, _options: SequenceOptions, _masks: DropoutMasks | undefined): SequenceResult | undefined {
    return undefined
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    return [...inputShape.slice(0, -1), this.outputSize]
  }

  /** One step from states of zeros. */
  override call(x: Tensor, context: CallContext): Tensor {
    return scope(() => {
      const states = this.stateShapes(x.shape).map((shape) => zeros(shape as readonly number[], { dtype: x.dtype, backend: x.backend }))
      return this.step(x, states, this.dropoutMasks(x.expandDims(1), context)).output
    })
  }
}
