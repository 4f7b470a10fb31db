/** A layer applied to every step of a sequence. */
import { ShapeError, type Tensor, ValueError } from '@cotangent/core'
import { type BatchShape, type BuildContext, type CallContext, Layer, type LayerOptions } from '../layer.js'
import { type SavedObject, savedForm } from '../names.js'
import * as plain from './plain.js'
import { layerOf } from './saved-layer.js'

/**
 * One layer, with one set of weights, at every step: steps count as samples of their own.
 *
 * Shape: [n, t, ..in] → [n, t, ..out]
 */
export class TimeDistributed extends Layer {
  override readonly className = 'TimeDistributed'
  override readonly supportsMasking = true
  readonly layer: Layer

  constructor(layer: Layer, options: LayerOptions = {}) {
    if (!(layer instanceof Layer))
      throw new ValueError(`TimeDistributed: expected a layer, such as dense(10), got ${layer === null ? 'null' : typeof layer}.`)
    super('TimeDistributed', options, [])
    this.layer = layer
  }
  /** @param custom classes of layers that are not this package's, by name */
  static fromConfig(
    { layer, ...options }: LayerOptions & { layer: Layer | SavedObject },
    custom: Readonly<Record<string, unknown>> = {},
  ): TimeDistributed {
    return new TimeDistributed(layerOf('TimeDistributed', layer, { ...plain, ...custom }), options)
  }

  /** @internal */
  override indexCount(input: number): number | undefined {
    return this.layer.indexCount(input)
  }
  override get inner(): readonly Layer[] {
    return [this.layer]
  }

  #stepShape(inputShape: BatchShape): BatchShape {
    if (inputShape.length < 3) {
      throw new ShapeError(
        `${this.describe()}: the input must have at least three axes [batch, steps, …], got [${inputShape.map((n) => n ?? '?').join(', ')}].`,
      )
    }
    return [null, ...inputShape.slice(2)]
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    const step = this.layer.outputShape(this.#stepShape(inputShape))
    return [inputShape[0], inputShape[1], ...step.slice(1)]
  }

  protected override makeWeights(inputShape: BatchShape, context: BuildContext): void {
    this.layer.build(this.#stepShape(inputShape), context)
  }

  override call(x: Tensor, { training, key }: CallContext): Tensor {
    const [n, t, ...rest] = x.shape
    const y = this.layer.call(x.reshape([n * t, ...rest]), { training, key }) // [n·t, ..out]
    return y.reshape([n, t, ...y.shape.slice(1)])
  }

  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), layer: savedForm(this.layer) }
  }
  protected override detail(): string {
    return `of ${this.layer.className}`
  }
}

/**
 * A layer applied to every step of a sequence.
 *
 * @example
 * ```ts
 * const model = new Sequential([lstm(8, { returnSequences: true, inputShape: [5, 3] }), timeDistributed(dense(10, { activation: 'softmax' }))])
 * ```
 */
export const timeDistributed = (layer: Layer, options?: LayerOptions): TimeDistributed => new TimeDistributed(layer, options)
