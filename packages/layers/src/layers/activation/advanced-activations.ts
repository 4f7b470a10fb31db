/** Activations with parameters of their own, as layers. Shape of all: any → the same. */
import { type Parameter, ShapeError, softmax as softmaxOfLast, type Tensor } from '@cotangent/core'
import { type NumberRange, requireNumber, requireWhole } from '@cotangent/core/arguments'
import { elu as exponentialLinear, relu } from '../../activations.js'
import {
  type BatchShape,
  type BuildContext,
  type CallContext,
  type FinalActivation,
  Layer,
  type LayerOptions,
  requireSize,
} from '../../layer.js'
import { requireWholeList } from '../../layer-options.js'
import { type WeightOptions, WeightSettings, weightOptionNames } from '../../weights/settings.js'
import { moveAxis } from '../data-format.js'

abstract class Elementwise extends Layer {
  override outputShape(inputShape: BatchShape): BatchShape {
    return inputShape
  }
}

/** A number, or what it is if it is left out. */
function readNumber(className: string, option: string, value: number | undefined, usual: number, range: NumberRange = {}): number {
  if (value === undefined) return usual
  requireNumber(className, option, value, range)
  return value
}

export interface ReLUOptions extends LayerOptions {
  /** The largest value there is; none by default. 6 gives ReLU6. */
  maxValue?: number | null
  /** The slope below the threshold; 0 by default. */
  negativeSlope?: number
  /** Where the function begins; 0 by default. */
  threshold?: number
}

/** min(x, maxValue) above the threshold, negativeSlope·(x − threshold) elsewhere. */
export class ReLU extends Elementwise {
  override readonly className = 'ReLU'
  override readonly supportsMasking = true
  readonly maxValue: number | null
  readonly negativeSlope: number
  readonly threshold: number

  constructor(options: ReLUOptions = {}) {
    super('ReLU', options, ['maxValue', 'negativeSlope', 'threshold'])
    const { maxValue, negativeSlope, threshold } = options
    this.maxValue = maxValue === null || maxValue === undefined ? null : readNumber('ReLU', 'maxValue', maxValue, 0, { least: 0 })
    this.negativeSlope = readNumber('ReLU', 'negativeSlope', negativeSlope, 0, { least: 0 })
    this.threshold = readNumber('ReLU', 'threshold', threshold, 0, { least: 0 })
  }
  static fromConfig(options: ReLUOptions): ReLU {
    return new ReLU(options)
  }
  override call(x: Tensor, _context: CallContext): Tensor {
    const { maxValue, negativeSlope: alpha, threshold } = this
    return relu(x, { maxValue, alpha, threshold })
  }
  override getConfig(): Record<string, unknown> {
    const { maxValue, negativeSlope, threshold } = this
    return { ...super.getConfig(), maxValue, negativeSlope, threshold }
  }
}

export interface LeakyReLUOptions extends LayerOptions {
  /** The slope below 0; 0.3 by default. */
  alpha?: number
}

/** x above 0, alpha·x below (Maas, Hannun, Ng 2013). */
export class LeakyReLU extends Elementwise {
  override readonly className = 'LeakyReLU'
  override readonly supportsMasking = true
  readonly alpha: number

  constructor(options: LeakyReLUOptions = {}) {
    super('LeakyReLU', options, ['alpha'])
    this.alpha = readNumber('LeakyReLU', 'alpha', options.alpha, 0.3)
  }
  static fromConfig(options: LeakyReLUOptions): LeakyReLU {
    return new LeakyReLU(options)
  }
  override call(x: Tensor, _context: CallContext): Tensor {
    return relu(x, { alpha: this.alpha })
  }
  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), alpha: this.alpha }
  }
}

export interface ELUOptions extends LayerOptions {
  /** Minus the limit far below 0; 1 by default. */
  alpha?: number
}

/** x above 0, alpha·(eˣ − 1) below (Clevert, Unterthiner, Hochreiter 2016). */
export class ELU extends Elementwise {
  override readonly className = 'ELU'
  override readonly supportsMasking = true
  readonly alpha: number

  constructor(options: ELUOptions = {}) {
    super('ELU', options, ['alpha'])
    this.alpha = readNumber('ELU', 'alpha', options.alpha, 1)
  }
  static fromConfig(options: ELUOptions): ELU {
    return new ELU(options)
  }
  override call(x: Tensor, _context: CallContext): Tensor {
    return exponentialLinear(x, this.alpha)
  }
  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), alpha: this.alpha }
  }
}

export interface ThresholdedReLUOptions extends LayerOptions {
  /** Where the function begins; 1 by default. */
  theta?: number
}

/** x above theta, 0 elsewhere (Konda, Memisevic, Krueger 2015). */
export class ThresholdedReLU extends Elementwise {
  override readonly className = 'ThresholdedReLU'
  override readonly supportsMasking = true
  readonly theta: number

  constructor(options: ThresholdedReLUOptions = {}) {
    super('ThresholdedReLU', options, ['theta'])
    this.theta = readNumber('ThresholdedReLU', 'theta', options.theta, 1, { least: 0 })
  }
  static fromConfig(options: ThresholdedReLUOptions): ThresholdedReLU {
    return new ThresholdedReLU(options)
  }
  override call(x: Tensor, _context: CallContext): Tensor {
    return relu(x, { threshold: this.theta })
  }
  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), theta: this.theta }
  }
}

/** The slopes start at 0. */
export interface PReLUOptions extends LayerOptions, WeightOptions<'alpha'> {
  /** Axes along which the slopes are the same, counted from 1: [1, 2] gives an image one slope a channel. */
  sharedAxes?: readonly number[]
}

/**
 * x above 0, alpha·x below, with slopes that are learned (He et al. 2015).
 *
 * Weights: alpha, of the shape of a sample, 1 along `sharedAxes`
 */
export class PReLU extends Elementwise {
  override readonly className = 'PReLU'
  override readonly supportsMasking = true
  readonly sharedAxes: readonly number[]
  readonly #settings: WeightSettings<'alpha'>
  #alpha?: Parameter

  constructor(options: PReLUOptions = {}) {
    super('PReLU', options, ['sharedAxes', ...weightOptionNames(['alpha'])])
    this.sharedAxes = options.sharedAxes ?? []
    requireWholeList('PReLU', 'sharedAxes', this.sharedAxes, 'such as [1, 2]', 1)
    this.#settings = new WeightSettings('PReLU', options, { alpha: 'zeros' })
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
    const alpha = this.#settings.of('alpha')
    this.#alpha = this.addWeight('alpha', shape, alpha.initializer, context, alpha)
  }
  override call(x: Tensor, _context: CallContext): Tensor {
    return relu(x).sub(relu(x.neg()).mul(this.#alpha as Parameter))
  }
  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), sharedAxes: this.sharedAxes, ...this.#settings.getConfig() }
  }
}

export interface SoftmaxOptions extends LayerOptions {
  /** The axis whose values add up to 1; the last by default. */
  axis?: number
}

/** eˣ / Σ eˣ over an axis. */
export class Softmax extends Elementwise {
  override readonly className = 'Softmax'
  override readonly supportsMasking = true
  readonly axis: number

  constructor(options: SoftmaxOptions = {}) {
    super('Softmax', options, ['axis'])
    this.axis = options.axis ?? -1
    requireWhole('Softmax', 'axis', this.axis)
  }
  override get finalActivation(): FinalActivation {
    return this.axis === -1 ? 'softmax' : undefined
  }
  static fromConfig(options: SoftmaxOptions): Softmax {
    return new Softmax(options)
  }
  override outputShape(inputShape: BatchShape): BatchShape {
    const axis = this.axis < 0 ? this.axis + inputShape.length : this.axis
    if (Number.isInteger(axis) && axis >= 1 && axis < inputShape.length) return inputShape
    throw new ShapeError(
      `${this.describe()}: axis ${this.axis} is no axis of a sample in [${inputShape.map((n) => n ?? '?').join(', ')}], whose first is the batch.`,
    )
  }
  override call(x: Tensor, _context: CallContext): Tensor {
    this.outputShape(x.shape)
    const axis = this.axis < 0 ? this.axis + x.rank : this.axis
    return moveAxis(softmaxOfLast(moveAxis(x, axis, x.rank - 1)), x.rank - 1, axis)
  }
  override logits(x: Tensor, _context: CallContext): Tensor {
    return x
  }
  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), axis: this.axis }
  }
}

/** ReLU, limited or with a slope: `reLU({ maxValue: 6 })`. */
export const reLU = (options?: ReLUOptions): ReLU => new ReLU(options)
/** ReLU with a slope below 0: `leakyReLU({ alpha: 0.1 })`. */
export const leakyReLU = (options?: LeakyReLUOptions): LeakyReLU => new LeakyReLU(options)
/** The exponential linear unit: `elu()`. */
export const elu = (options?: ELUOptions): ELU => new ELU(options)
/** ReLU that begins at theta: `thresholdedReLU({ theta: 0.5 })`. */
export const thresholdedReLU = (options?: ThresholdedReLUOptions): ThresholdedReLU => new ThresholdedReLU(options)
/** ReLU with learned slopes: `prelu({ sharedAxes: [1, 2] })`. */
export const prelu = (options?: PReLUOptions): PReLU => new PReLU(options)
/** Softmax as a layer: `softmax()`. */
export const softmax = (options?: SoftmaxOptions): Softmax => new Softmax(options)
