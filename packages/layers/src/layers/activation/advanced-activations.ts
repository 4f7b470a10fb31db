/** Activations with options or weights, as layers. Each works element by element. Source: Keras 2.3.1, layers/advanced_activations.py. */
import { type Parameter, ShapeError, type Tensor, ValueError } from '@cotangent/core'
import { requireNumber } from '@cotangent/core/arguments'
import { elu as exponentialLinear, relu } from '../../activations.js'
import { type BatchShape, type BuildContext, type CallContext, Layer, type LayerOptions, requireSize } from '../../layer.js'
import { requireWholeList } from '../../layer-options.js'
import { givenNumber, weightsOf } from '../../option-rows.js'
import type { Option, TableFor, ValuesOf } from '../../option-table.js'
import { ours } from '../../own-classes.js'
import type { WeightOptions, WeightSettings } from '../../weights/settings.js'

abstract class Elementwise extends Layer {
  override outputShape(inputShape: BatchShape): BatchShape {
    return inputShape
  }
}

/** Options of `reLU`. */
export interface ReLUOptions extends LayerOptions {
  /** The largest value of the output, at least 0; none by default. 6 gives ReLU6. */
  maxValue?: number | null
  /** The slope below the threshold, at least 0; 0 by default. */
  negativeSlope?: number
  /** The input, at least 0, from which on the output is x; 0 by default. */
  threshold?: number
}

const reluOptions = {
  maxValue: {
    read(given, { className, name }): number | null {
      if (given === null || given === undefined) return null
      requireNumber(className, name, given, { least: 0 })
      return given as number
    },
  },
  negativeSlope: givenNumber({ least: 0 }, 0),
  threshold: givenNumber({ least: 0 }, 0),
} satisfies TableFor<ReLUOptions>

/**
 * y = min(x, maxValue) for x ≥ threshold, negativeSlope·(x − threshold) below.
 *
 * Shape: any → the same
 */
export class ReLU extends Elementwise implements ValuesOf<typeof reluOptions> {
  override readonly className = ours(ReLU, 'ReLU')
  override readonly supportsMasking = true
  declare readonly maxValue: number | null
  declare readonly negativeSlope: number
  declare readonly threshold: number

  constructor(options: ReLUOptions = {}) {
    super('ReLU', options, reluOptions)
  }
  static fromConfig(options: ReLUOptions): ReLU {
    return new ReLU(options)
  }
  override call(x: Tensor, _context: CallContext): Tensor {
    const { maxValue, negativeSlope: alpha, threshold } = this
    return relu(x, { maxValue, alpha, threshold })
  }
}

/** Options of `leakyReLU`. */
export interface LeakyReLUOptions extends LayerOptions {
  /** The slope below 0; 0.3 by default. */
  alpha?: number
  /** The same by its name in Keras 3. */
  negativeSlope?: number
}

const slope = givenNumber({}, 0.3)
const leakyReLUOptions = {
  alpha: {
    names: ['alpha', 'negativeSlope'],
    read(given, place): number {
      const { negativeSlope } = place.options
      if (given !== undefined && negativeSlope !== undefined)
        throw new ValueError('LeakyReLU: alpha and negativeSlope are two names of one slope. Give one of them.')
      return given === undefined ? slope.read(negativeSlope, { ...place, name: 'negativeSlope' }) : slope.read(given, place)
    },
  } as Option<number>,
}

/**
 * y = x for x ≥ 0, alpha·x below (Maas, Hannun, Ng 2013).
 *
 * Shape: any → the same
 */
export class LeakyReLU extends Elementwise implements ValuesOf<typeof leakyReLUOptions> {
  override readonly className = ours(LeakyReLU, 'LeakyReLU')
  override readonly supportsMasking = true
  declare readonly alpha: number

  constructor(options: LeakyReLUOptions = {}) {
    super('LeakyReLU', options, leakyReLUOptions)
  }
  static fromConfig(options: LeakyReLUOptions): LeakyReLU {
    return new LeakyReLU(options)
  }
  override call(x: Tensor, _context: CallContext): Tensor {
    return relu(x, { alpha: this.alpha })
  }
}

/** Options of `elu`. */
export interface ELUOptions extends LayerOptions {
  /** The output tends to −alpha for x → −∞; 1 by default. */
  alpha?: number
}

const eluOptions = { alpha: givenNumber({}, 1) } satisfies TableFor<ELUOptions>

/**
 * y = x for x ≥ 0, alpha·(eˣ − 1) below (Clevert, Unterthiner, Hochreiter 2016).
 *
 * Shape: any → the same
 */
export class ELU extends Elementwise implements ValuesOf<typeof eluOptions> {
  override readonly className = ours(ELU, 'ELU')
  override readonly supportsMasking = true
  declare readonly alpha: number

  constructor(options: ELUOptions = {}) {
    super('ELU', options, eluOptions)
  }
  static fromConfig(options: ELUOptions): ELU {
    return new ELU(options)
  }
  override call(x: Tensor, _context: CallContext): Tensor {
    return exponentialLinear(x, this.alpha)
  }
}

/** Options of `thresholdedReLU`. */
export interface ThresholdedReLUOptions extends LayerOptions {
  /** The input, at least 0, above which the output is x; 1 by default. */
  theta?: number
}

const thresholdedReLUOptions = { theta: givenNumber({ least: 0 }, 1) } satisfies TableFor<ThresholdedReLUOptions>

/**
 * y = x for x > theta, 0 elsewhere (Konda, Memisevic, Krueger 2015).
 *
 * Shape: any → the same
 */
export class ThresholdedReLU extends Elementwise implements ValuesOf<typeof thresholdedReLUOptions> {
  override readonly className = ours(ThresholdedReLU, 'ThresholdedReLU')
  override readonly supportsMasking = true
  declare readonly theta: number

  constructor(options: ThresholdedReLUOptions = {}) {
    super('ThresholdedReLU', options, thresholdedReLUOptions)
  }
  static fromConfig(options: ThresholdedReLUOptions): ThresholdedReLU {
    return new ThresholdedReLU(options)
  }
  override call(x: Tensor, _context: CallContext): Tensor {
    return relu(x, { threshold: this.theta })
  }
}

/** Options of `PReLU`. The slopes start at 0 unless `alphaInitializer` says otherwise. */
export interface PReLUOptions extends LayerOptions, WeightOptions<'alpha'> {
  /**
   * Axes of a sample along which all cells share one slope. The first axis is 1: [1, 2] gives an image one slope for each channel. None by default.
   */
  sharedAxes?: readonly number[]
}

const preluOptions = {
  sharedAxes: {
    read(given, { className, name }): readonly number[] {
      const axes = given ?? []
      requireWholeList(className, name, axes as readonly number[], 'such as [1, 2]', 1)
      return axes as readonly number[]
    },
  },
  settings: weightsOf({ alpha: 'zeros' }),
} satisfies TableFor<PReLUOptions>

/**
 * y = x for x ≥ 0, alpha·x below, with learned slopes alpha (He et al. 2015).
 *
 * Shape:   any → the same
 * Weights: alpha, of the shape of a sample, 1 along `sharedAxes`
 *
 * @throws ShapeError if a sample has no such axis as `sharedAxes` names
 */
export class PReLU extends Elementwise implements ValuesOf<typeof preluOptions> {
  override readonly className = ours(PReLU, 'PReLU')
  override readonly supportsMasking = true
  declare readonly sharedAxes: readonly number[]
  declare protected readonly settings: WeightSettings<'alpha'>
  #alpha?: Parameter

  constructor(options: PReLUOptions = {}) {
    super('PReLU', options, preluOptions)
  }
  static fromConfig(options: PReLUOptions): PReLU {
    return new PReLU(options)
  }
  protected override makeWeights(inputShape: BatchShape, context: BuildContext): void {
    const bad = this.sharedAxes.find((axis) => !Number.isInteger(axis) || axis < 1 || axis >= inputShape.length)
    if (bad !== undefined) {
      throw new ShapeError(
        `${this.describe()}: sharedAxes has ${bad}, but axes of a sample are numbered from 1 to ${inputShape.length - 1} here.`,
      )
    }
    const shape = inputShape.slice(1).map((_, i) => (this.sharedAxes.includes(i + 1) ? 1 : requireSize(this, inputShape, i + 1)))
    const alpha = this.settings.of('alpha')
    this.#alpha = this.addWeight('alpha', shape, alpha.initializer, context, alpha)
  }
  override call(x: Tensor, _context: CallContext): Tensor {
    return relu(x).sub(relu(x.neg()).mul(this.#alpha as Parameter))
  }
}

/**
 * Makes a `ReLU`, which may have an upper limit, a slope and a threshold.
 *
 * @example
 * ```ts
 * const model = new Sequential([reLU({ maxValue: 6, inputShape: [3] })])
 * console.log(await model.apply(tensor([[-1, 2, 8]])).array())   // [[0, 2, 6]]
 * ```
 */
export const reLU = (options?: ReLUOptions): ReLU => new ReLU(options)
/**
 * Makes a `LeakyReLU`: relu with a slope below 0.
 *
 * @example
 * ```ts
 * const model = new Sequential([leakyReLU({ alpha: 0.5, inputShape: [2] })])
 * console.log(await model.apply(tensor([[-2, 3]])).array())   // [[-1, 3]]
 * ```
 */
export const leakyReLU = (options?: LeakyReLUOptions): LeakyReLU => new LeakyReLU(options)
/**
 * Makes an `ELU`, the exponential linear unit.
 *
 * @example
 * ```ts
 * const model = new Sequential([elu({ inputShape: [2] })])
 * console.log(await model.apply(tensor([[-1, 3]])).array())   // ≈ [[-0.632, 3]]
 * ```
 */
export const elu = (options?: ELUOptions): ELU => new ELU(options)
/**
 * Makes a `ThresholdedReLU`: relu that lets only values above theta pass.
 *
 * @example
 * ```ts
 * const model = new Sequential([thresholdedReLU({ theta: 0.5, inputShape: [3] })])
 * console.log(await model.apply(tensor([[-1, 0.25, 2]])).array())   // [[0, 0, 2]]
 * ```
 */
export const thresholdedReLU = (options?: ThresholdedReLUOptions): ThresholdedReLU => new ThresholdedReLU(options)
/**
 * Makes a `PReLU`: relu with a learned slope below 0.
 *
 * @example
 * ```ts
 * const model = new Sequential([prelu({ sharedAxes: [1, 2], inputShape: [28, 28, 8] })])
 * console.log(model.weights[0].shape)   // [1, 1, 8]
 * ```
 */
export const prelu = (options?: PReLUOptions): PReLU => new PReLU(options)
