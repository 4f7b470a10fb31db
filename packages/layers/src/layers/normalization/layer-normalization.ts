/** Layer normalisation (Ba, Kiros, Hinton 2016), as tf.keras and Keras 3 have it. */

import { layerNorm, type Parameter, ShapeError, type Tensor } from '@cotangent/core'
import { requireNumber, requireWhole } from '@cotangent/core/arguments'
import { type BatchShape, type BuildContext, type CallContext, Layer, type LayerOptions, requireSize } from '../../layer.js'
import { readFlag, requireWholeList } from '../../layer-options.js'
import { type WeightOptions, WeightSettings, weightOptionNames } from '../../weights/settings.js'

export interface LayerNormalizationOptions extends LayerOptions, WeightOptions<'beta' | 'gamma'> {
  /** The axis or axes that are normalised together; the last by default. */
  axis?: number | readonly number[]
  /** Added to the variance; 0.001 by default. */
  epsilon?: number
  /** Whether beta is added. */
  center?: boolean
  /** Whether the values are multiplied by gamma. */
  scale?: boolean
}

/**
 * y = (x − mean)/√(variance + ε)·gamma + beta, with mean and variance of each sample by itself over `axis`; the same in training and inference.
 *
 * Shape:   any with at least 2 axes → the same
 * Weights: gamma and beta, of the sizes of `axis`
 */
export class LayerNormalization extends Layer {
  override readonly className = 'LayerNormalization'
  override readonly supportsMasking = true
  readonly axis: number | readonly number[]
  readonly epsilon: number
  readonly #settings: WeightSettings<'beta' | 'gamma'>
  readonly #center: boolean
  readonly #scale: boolean
  #gamma?: Parameter
  #beta?: Parameter

  constructor(options: LayerNormalizationOptions = {}) {
    super('LayerNormalization', options, ['axis', 'epsilon', 'center', 'scale', ...weightOptionNames(['beta', 'gamma'])])
    this.axis = options.axis ?? -1
    this.epsilon = options.epsilon ?? 1e-3
    this.#center = readFlag('LayerNormalization', 'center', options.center, true)
    this.#scale = readFlag('LayerNormalization', 'scale', options.scale, true)
    if (typeof this.axis === 'number') requireWhole('LayerNormalization', 'axis', this.axis)
    else requireWholeList('LayerNormalization', 'axis', this.axis, 'such as [1, 2], or one')
    requireNumber('LayerNormalization', 'epsilon', this.epsilon, { least: 0 })
    this.#settings = new WeightSettings('LayerNormalization', options, { beta: 'zeros', gamma: 'ones' })
  }

  static fromConfig(options: LayerNormalizationOptions): LayerNormalization {
    return new LayerNormalization(options)
  }

  /** The axes, counted from the front and in order. */
  #axesOf(shape: BatchShape): number[] {
    const axes = (typeof this.axis === 'number' ? [this.axis] : this.axis).map((axis) => (axis < 0 ? axis + shape.length : axis))
    const bad = axes.some((axis) => !Number.isInteger(axis) || axis < 1 || axis >= shape.length)
    if (bad || axes.length === 0 || new Set(axes).size !== axes.length) {
      throw new ShapeError(
        `${this.describe()}: axis ${JSON.stringify(this.axis)} must name axes of a sample in [${shape.map((n) => n ?? '?').join(', ')}], each once.`,
      )
    }
    return axes.sort((a, b) => a - b)
  }

  protected override makeWeights(inputShape: BatchShape, context: BuildContext): void {
    const shape = this.#axesOf(inputShape).map((axis) => requireSize(this, inputShape, axis))
    const make = (name: 'beta' | 'gamma'): Parameter => {
      const setting = this.#settings.of(name)
      return this.addWeight(name, shape, setting.initializer, context, setting)
    }
    if (this.#scale) this.#gamma = make('gamma')
    if (this.#center) this.#beta = make('beta')
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    this.#axesOf(inputShape)
    return inputShape
  }

  override call(x: Tensor, _context: CallContext): Tensor {
    const axes = this.#axesOf(x.shape)
    const order = [...x.shape.map((_, i) => i).filter((i) => !axes.includes(i)), ...axes]
    const moved = x.transpose(order)
    const size = axes.reduce((n, axis) => n * x.shape[axis], 1)
    const rows = moved.reshape([x.size / Math.max(1, size), size])
    const [gamma, beta] = [this.#gamma, this.#beta].map((weight) => weight?.reshape([size]))
    const y = layerNorm(rows, { gamma, beta, epsilon: this.epsilon })
    return y.reshape(moved.shape).transpose(order.map((_, i) => order.indexOf(i)))
  }

  override getConfig(): Record<string, unknown> {
    return {
      ...super.getConfig(),
      axis: this.axis,
      epsilon: this.epsilon,
      center: this.#center,
      scale: this.#scale,
      ...this.#settings.getConfig(),
    }
  }
  protected override detail(): string {
    return `axis ${JSON.stringify(this.axis)}`
  }
}

/** Layer normalisation: `layerNormalization({ axis: [1, 2] })`. */
export const layerNormalization = (options?: LayerNormalizationOptions): LayerNormalization => new LayerNormalization(options)
