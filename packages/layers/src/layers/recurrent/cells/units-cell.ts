/** What Keras' cells have in common: units, kernel, recurrent kernel and bias for some gates, dropout. */

import {
  bernoulli,
  concat,
  foldKey,
  type Parameter,
  type SequenceOptions,
  type SequenceResult,
  type Tensor,
  ValueError,
} from '@cotangent/core'
import type { Activation, ActivationIdentifier } from '../../../activations.js'
import { type BatchShape, type BuildContext, type CallContext, type LayerOptions, requireSize } from '../../../layer.js'
import { activationOf, count, dropRate, flag, weightsOf } from '../../../option-rows.js'
import { type OptionTable, positional, type TableFor, type ValuesOf } from '../../../option-table.js'
import type { WeightOptions, WeightSetting, WeightSettings } from '../../../weights/settings.js'
import { type DropoutMasks, RNNCell } from './cell.js'

/** The kernel's initializer is `glorotUniform` by default, the recurrent kernel's `orthogonal`, the bias's `zeros`. */
export interface UnitsCellOptions extends LayerOptions, WeightOptions<'kernel' | 'recurrent' | 'bias'> {
  /** `tanh` by default. */
  activation?: ActivationIdentifier
  useBias?: boolean
  /** Share of the inputs that is dropped in training; the same ones at every step. */
  dropout?: number
  /** Share of the states that is dropped, where they meet the recurrent kernel; the same ones at every step. */
  recurrentDropout?: number
}

/** The options of these cells, which a layer of such a cell takes, too. */
export const unitsCellOptions = {
  units: positional(count()),
  activation: activationOf('tanh'),
  useBias: flag(true),
  settings: weightsOf({ kernel: 'glorotUniform', recurrent: 'orthogonal', bias: 'zeros' }),
  dropout: dropRate(0),
  recurrentDropout: dropRate(0),
} satisfies TableFor<UnitsCellOptions>

export abstract class UnitsCell extends RNNCell implements ValuesOf<typeof unitsCellOptions> {
  declare readonly units: number
  declare readonly activation: Activation
  declare readonly useBias: boolean
  declare readonly dropout: number
  declare readonly recurrentDropout: number
  /** How many gates there are: the kernels are that many times as wide as `units`. */
  protected abstract readonly gates: number
  /** 1: every gate drops inputs and states of its own; 2: all drop the same. */
  declare readonly implementation: 1 | 2
  declare protected readonly settings: WeightSettings<'kernel' | 'recurrent' | 'bias'>
  #kernel?: Parameter
  #recurrentKernel?: Parameter
  #bias?: Parameter

  constructor(className: string, units: number, options: UnitsCellOptions, own: OptionTable) {
    super(className, options, own, { units })
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
  /** How the bias starts, for cells that set a part of it apart. */
  protected biasSetting(setting: WeightSetting): WeightSetting {
    return setting
  }

  protected override makeWeights(inputShape: BatchShape, context: BuildContext): void {
    const inputs = requireSize(this, inputShape, -1)
    const width = this.gates * this.units
    const [kernel, recurrent, bias] = [
      this.settings.of('kernel'),
      this.settings.of('recurrent'),
      this.biasSetting(this.settings.of('bias')),
    ]
    this.#kernel = this.addWeight('kernel', [inputs, width], kernel.initializer, context, kernel)
    this.#recurrentKernel = this.addWeight('recurrent_kernel', [this.units, width], recurrent.initializer, context, recurrent)
    if (this.useBias) this.#bias = this.addWeight('bias', this.biasShape(), bias.initializer, context, bias)
  }

  override dropoutMasks(x: Tensor, { training, key }: CallContext): DropoutMasks | undefined {
    if (!training) return undefined
    const draw = (rate: number, size: number, purpose: number): Tensor[] | undefined => {
      // As in Keras, a rate of 1 drops nothing.
      if (rate === 0 || rate === 1) return undefined
      if (!key) throw new ValueError(`${this.className}: training with dropout needs a key. Pass { training: true, key } to apply.`)
      const count = this.implementation === 1 ? this.gates : 1
      return Array.from({ length: count }, (_, gate) => {
        const own = foldKey(foldKey(key, purpose), gate)
        return bernoulli(own, [x.shape[0], size], 1 - rate, { dtype: x.dtype, backend: x.backend }).mul(1 / (1 - rate))
      })
    }
    return { input: draw(this.dropout, x.shape[2], 0), recurrent: draw(this.recurrentDropout, this.units, 1) }
  }

  /** v·W for all gates, [n, g·u], with what is dropped of v: the same for all gates, or each its own. */
  protected product(v: Tensor, masks: readonly Tensor[] | undefined, weight: Tensor): Tensor {
    if (!masks) return v.matMul(weight)
    if (masks.length === 1) return v.mul(masks[0]).matMul(weight)
    return concat(
      masks.map((mask, gate) => v.mul(mask).matMul(this.gate(weight, gate))),
      -1,
    )
  }

  /** The columns of one gate. */
  protected gate(weight: Tensor, gate: number): Tensor {
    return weight.slice([0, gate * this.units], [weight.shape[0], this.units])
  }

  /** Whether the op of this kind of cell computes what is set, but for dropout. */
  protected abstract hasOp(): boolean
  /** All steps by that op. */
  protected abstract runOp(x: Tensor, options: SequenceOptions): SequenceResult

  override sequence(x: Tensor, options: SequenceOptions, masks: DropoutMasks | undefined): SequenceResult | undefined {
    const { input, recurrent } = masks ?? {}
    if (!this.hasOp() || (input?.length ?? 1) > 1 || (recurrent?.length ?? 1) > 1) return undefined
    return this.runOp(input ? x.mul(input[0].expandDims(1)) : x, { ...options, recurrentDropout: recurrent?.[0] })
  }

  /** The options of the cell alone, without name and the like: a layer of the cell has them, too. */
  cellConfig(): Record<string, unknown> {
    return this.ownConfig()
  }
  protected override detail(): string {
    return `units ${this.units}`
  }
}

/** Whether an activation is the one of that name here. */
export const isBuiltIn = (activation: Activation, ...names: string[]): boolean =>
  activation.builtIn === true && names.includes(activation.name)
