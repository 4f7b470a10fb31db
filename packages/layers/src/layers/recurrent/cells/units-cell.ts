/** The base of Keras' three cells: a kernel, a recurrent kernel and a bias for each gate; dropout. */

import {
  bernoulli,
  concat,
  foldKey,
  type Parameter,
  type SequenceOptions,
  type SequenceResult,
  type Shape,
  type Tensor,
  ValueError,
} from '@cotangent/core'
import type { Activation, ActivationIdentifier } from '../../../activations.js'
import { type BatchShape, type BuildContext, type CallContext, type LayerOptions, requireSize } from '../../../layer.js'
import { activationOf, count, dropRate, flag, weightsOf } from '../../../option-rows.js'
import { type OptionTable, positional, type TableFor, type ValuesOf } from '../../../option-table.js'
import type { WeightOptions, WeightSetting, WeightSettings } from '../../../weights/settings.js'
import { type DropoutMasks, RNNCell } from './cell.js'

/** Options of Keras' three cells. By default the kernel starts as `glorotUniform`, the recurrent kernel as `orthogonal`, the bias as `zeros`. */
export interface UnitsCellOptions extends LayerOptions, WeightOptions<'kernel' | 'recurrent' | 'bias'> {
  /** The activation of the new values, by name or as a function; `tanh` by default. */
  activation?: ActivationIdentifier
  /** Whether a bias is added; true by default. */
  useBias?: boolean
  /** The share of the inputs that training drops, from 0 to 1; 0 by default. Every step drops the same ones. */
  dropout?: number
  /**
   * The share of the states that training drops where they are multiplied by the recurrent kernel, from 0 to 1; 0 by default. Every step drops the same
   * ones.
   */
  recurrentDropout?: number
}

/** The options of these cells. A layer of such a cell takes them, too. */
export const unitsCellOptions = {
  units: positional(count()),
  activation: activationOf('tanh'),
  useBias: flag(true),
  settings: weightsOf({ kernel: 'glorotUniform', recurrent: 'orthogonal', bias: 'zeros' }),
  dropout: dropRate(0),
  recurrentDropout: dropRate(0),
} satisfies TableFor<UnitsCellOptions>

/** A cell with gates: a kernel for the input, a kernel for the state, and a bias. */
export abstract class UnitsCell extends RNNCell implements ValuesOf<typeof unitsCellOptions> {
  declare readonly units: number
  declare readonly activation: Activation
  declare readonly useBias: boolean
  declare readonly dropout: number
  declare readonly recurrentDropout: number
  /** The number of gates: the kernels are `gates` times as wide as `units`. */
  protected abstract readonly gates: number
  /** 1: every gate drops its own choice of inputs and states. 2: all gates drop the same ones. */
  declare readonly implementation: 1 | 2
  declare protected readonly settings: WeightSettings<'kernel' | 'recurrent' | 'bias'>
  #kernel?: Parameter
  #recurrentKernel?: Parameter
  #bias?: Parameter

  /** @param args arguments before the options: `units`, or what the table makes it of */
  constructor(className: string, args: object, options: UnitsCellOptions, own: OptionTable) {
    super(className, options, own, args)
  }

  get kernel(): Parameter {
    return this.#kernel as Parameter
  }
  get recurrentKernel(): Parameter {
    return this.#recurrentKernel as Parameter
  }
  get bias(): Parameter | undefined {
    return this.#bias
  }

  protected biasShape(): readonly number[] {
    return [this.gates * this.units]
  }
  /** How the bias starts. A cell overrides it to set a part of the bias apart. */
  protected biasSetting(setting: WeightSetting): WeightSetting {
    return setting
  }

  /** The shapes of kernel and recurrent kernel, without their last axis, that of all gates. */
  protected kernelShapes(inputShape: BatchShape): readonly [kernel: readonly number[], recurrent: readonly number[]] {
    return [[requireSize(this, inputShape, -1)], [this.units]]
  }
  protected override makeWeights(inputShape: BatchShape, context: BuildContext): void {
    const [kernelShape, recurrentShape] = this.kernelShapes(inputShape)
    const width = this.gates * this.units
    const [kernel, recurrent, bias] = [
      this.settings.of('kernel'),
      this.settings.of('recurrent'),
      this.biasSetting(this.settings.of('bias')),
    ]
    this.#kernel = this.addWeight('kernel', [...kernelShape, width], kernel.initializer, context, kernel)
    this.#recurrentKernel = this.addWeight('recurrent_kernel', [...recurrentShape, width], recurrent.initializer, context, recurrent)
    if (this.useBias) this.#bias = this.addWeight('bias', this.biasShape(), bias.initializer, context, bias)
  }

  override dropoutMasks(x: Tensor, { training, key }: CallContext): DropoutMasks | undefined {
    if (!training) return undefined
    const draw = (rate: number, shape: BatchShape, purpose: number): Tensor[] | undefined => {
      // As in Keras, a rate of 1 drops nothing.
      if (rate === 0 || rate === 1) return undefined
      if (!key) throw new ValueError(`${this.className}: training with dropout needs a key. Pass { training: true, key } to apply.`)
      const count = this.implementation === 1 ? this.gates : 1
      return Array.from({ length: count }, (_, gate) => {
        const own = foldKey(foldKey(key, purpose), gate)
        return bernoulli(own, shape as Shape, 1 - rate, { dtype: x.dtype, backend: x.backend }).mul(1 / (1 - rate))
      })
    }
    const step = [x.shape[0], ...x.shape.slice(2)]
    return { input: draw(this.dropout, step, 0), recurrent: draw(this.recurrentDropout, this.stateShapes(step)[0], 1) }
  }

  /** v·W for all gates, [n, g·u]. Masks drop elements of v: one mask for all gates, or one for each. */
  protected product(v: Tensor, masks: readonly Tensor[] | undefined, weight: Tensor): Tensor {
    const ofState = weight === this.recurrentKernel
    if (!masks) return this.times(v, weight, ofState)
    if (masks.length === 1) return this.times(v.mul(masks[0]), weight, ofState)
    return concat(
      masks.map((mask, gate) => this.times(v.mul(mask), this.gate(weight, gate), ofState)),
      -1,
    )
  }

  /** v·W, of an input or a state. */
  protected times(v: Tensor, weight: Tensor, _ofState: boolean): Tensor {
    return v.matMul(weight)
  }

  /** The part of one gate: of the last axis. */
  protected gate(weight: Tensor, gate: number): Tensor {
    const before = weight.shape.slice(0, -1)
    return weight.slice([...before.map(() => 0), gate * this.units], [...before, this.units])
  }

  /** Whether core's op for this kind of cell can compute it with its options, dropout left aside. */
  protected abstract hasOp(): boolean
  /** Runs all steps by that op. */
  protected abstract runOp(x: Tensor, options: SequenceOptions): SequenceResult

  override sequence(x: Tensor, options: SequenceOptions, masks: DropoutMasks | undefined): SequenceResult | undefined {
    const { input, recurrent } = masks ?? {}
    if (!this.hasOp() || (input?.length ?? 1) > 1 || (recurrent?.length ?? 1) > 1) return undefined
    return this.runOp(input ? x.mul(input[0].expandDims(1)) : x, { ...options, recurrentDropout: recurrent?.[0] })
  }

  /** The options of the cell without name and the like. A layer of the cell has them in its config. */
  cellConfig(): Record<string, unknown> {
    return this.ownConfig()
  }
  protected override detail(): string {
    return `units ${this.units}`
  }
}

/** Whether an activation is this package's own, and has one of the names. */
export const isBuiltIn = (activation: Activation, ...names: string[]): boolean =>
  activation.builtIn === true && names.includes(activation.name)
