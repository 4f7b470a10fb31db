/** Group normalisation (Wu, He 2018). */
import { groupNorm, type Parameter, ShapeError, type Tensor, ValueError } from '@cotangent/core'
import { requireWhole } from '@cotangent/core/arguments'
import { type BatchShape, type BuildContext, type CallContext, Layer, type LayerOptions, requireSize } from '../../layer.js'
import { axisNumber, flag, numberFrom, weightsOf } from '../../option-rows.js'
import type { TableFor } from '../../option-table.js'
import { ours } from '../../own-classes.js'
import type { WeightOptions, WeightSettings } from '../../weights/settings.js'
import { axesOf } from '../axes.js'
import { moveAxis } from '../data-format.js'

/** Options of `groupNormalization`. By default beta starts as `zeros`, gamma as `ones`. */
export interface GroupNormalizationOptions extends LayerOptions, WeightOptions<'beta' | 'gamma'> {
  /** The number of groups, by which the channels must divide; 32 by default. −1 makes each channel a group: instance normalisation. */
  groups?: number
  /** The channel axis: −1, the last, by default; 1 for `channelsFirst`. */
  axis?: number
  /** A number, at least 0, added to the variance under the root; 0.001 by default. */
  epsilon?: number
  /** Whether beta is added; true by default. */
  center?: boolean
  /** Whether the values are multiplied by gamma; true by default. */
  scale?: boolean
}

const groupNormalizationOptions = {
  groups: {
    read(given, { className, name }): number {
      const groups = given ?? 32
      requireWhole(className, name, groups, { least: -1 })
      if (groups === 0) throw new ValueError(`${className}: ${name} must be at least 1, or -1 for one channel a group, got 0.`)
      return groups as number
    },
  },
  axis: axisNumber(-1),
  epsilon: numberFrom({ least: 0 }, 1e-3),
  center: flag(true),
  scale: flag(true),
  settings: weightsOf({ beta: 'zeros', gamma: 'ones' }),
} satisfies TableFor<GroupNormalizationOptions>

/**
 * y = (x − mean)/√(variance + ε)·gamma + beta, with the mean and variance of each sample over all positions and the neighbouring channels of a group. Training and
 * inference do the same.
 *
 * Shape:   any with at least 2 axes → the same
 * Weights: gamma and beta, one number for each channel
 * Source:  Keras 3, layers/normalization/group_normalization.py
 *
 * @throws ShapeError if `axis` is no axis of a sample, or its channels do not divide into the groups
 */
export class GroupNormalization extends Layer {
  override readonly className = ours(GroupNormalization, 'GroupNormalization')
  declare readonly groups: number
  declare readonly axis: number
  declare readonly epsilon: number
  declare protected readonly settings: WeightSettings<'beta' | 'gamma'>
  declare protected readonly center: boolean
  declare protected readonly scale: boolean
  #gamma?: Parameter
  #beta?: Parameter

  constructor(options: GroupNormalizationOptions = {}) {
    super('GroupNormalization', options, groupNormalizationOptions)
  }
  static fromConfig(options: GroupNormalizationOptions): GroupNormalization {
    return new GroupNormalization(options)
  }

  protected override makeWeights(inputShape: BatchShape, context: BuildContext): void {
    const [axis] = axesOf(this, this.axis, inputShape)
    const channels = requireSize(this, inputShape, axis)
    const make = (name: 'beta' | 'gamma'): Parameter => {
      const setting = this.settings.of(name)
      return this.addWeight(name, [channels], setting.initializer, context, setting)
    }
    if (this.scale) this.#gamma = make('gamma')
    if (this.center) this.#beta = make('beta')
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    const [axis] = axesOf(this, this.axis, inputShape)
    const channels = inputShape[axis]
    if (channels !== null && this.groups > 0 && channels % this.groups !== 0)
      throw new ShapeError(`${this.describe()}: the ${channels} channels of axis ${this.axis} do not divide into ${this.groups} groups.`)
    return inputShape
  }

  override call(x: Tensor, _context: CallContext): Tensor {
    this.outputShape(x.shape)
    const [axis] = axesOf(this, this.axis, x.shape)
    const groups = this.groups > 0 ? this.groups : Math.max(1, x.shape[axis])
    const options = { gamma: this.#gamma, beta: this.#beta, epsilon: this.epsilon }
    return moveAxis(groupNorm(moveAxis(x, axis, x.rank - 1), groups, options), x.rank - 1, axis)
  }

  protected override detail(): string {
    return `groups ${this.groups}`
  }
}

/**
 * Makes a `GroupNormalization` layer: each group of channels of a sample gets mean 0 and variance 1, then a learned scale and offset.
 *
 * @example
 * ```ts
 * const model = new Sequential([groupNormalization({ groups: 2, epsilon: 0, inputShape: [4] })])
 * console.log(await model.apply(tensor([[1, 3, 10, 30]])).array())   // ≈ [[-1, 1, -1, 1]]
 * ```
 */
export const groupNormalization = (options?: GroupNormalizationOptions): GroupNormalization => new GroupNormalization(options)
