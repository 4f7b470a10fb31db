/** Applies a layer to every step of a sequence. */
import { any, ShapeError, type Tensor, ValueError } from '@cotangent/core'
import { describeValue } from '@cotangent/core/arguments'
import { callLayer } from '../../call-layer.js'
import {
  type BatchShape,
  type BuildContext,
  type CallContext,
  Layer,
  type LayerOptions,
  type LayerOutputs,
  type ManyContext,
} from '../../layer.js'
import { ours } from '../../own-classes.js'
import { type SavedObject, savedForm } from '../../spelling/names.js'
import * as plain from '../plain.js'
import { layerOf } from '../saved-layer.js'

/**
 * Applies one layer, with one set of weights, to every step: each step is a sample for the layer.
 *
 * A mask [n, t] is passed on, and the layer does not see it. A mask [n, t, k] of steps inside steps, as of words in sentences, goes to the layer. Then
 * the output's mask is the one that the layer returns. If it returns none, the mask is [n, t]: a step counts if any step inside it does.
 *
 * Shape:  [n, t, ..in] → [n, t, ..out]
 * Source: Keras 2.3.1, layers/wrappers.py
 *
 * @throws ShapeError if the input has fewer than three axes
 */
export class TimeDistributed extends Layer {
  override readonly className = ours(TimeDistributed, 'TimeDistributed')
  override readonly supportsMasking = true
  readonly layer: Layer

  constructor(layer: Layer, options: LayerOptions = {}) {
    if (!(layer instanceof Layer))
      throw new ValueError(`TimeDistributed: expected a layer, such as dense(10), got ${describeValue(layer)}.`)
    super('TimeDistributed', options, [])
    if (layer.outputCount !== 1)
      throw new ValueError(`TimeDistributed: ${layer.describe()} has ${layer.outputCount} outputs; a layer with one is needed.`)
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
  protected override get givesItsKey(): boolean {
    return true
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
    const [step] = this.layer.outputShapes([this.#stepShape(inputShape)])
    return [inputShape[0], inputShape[1], ...step.slice(1)]
  }

  protected override makeWeights(inputShape: BatchShape, context: BuildContext): void {
    this.layer.build(this.#stepShape(inputShape), context)
  }

  override call(x: Tensor, { mask, ...context }: CallContext): Tensor {
    return this.callAll([x], { ...context, masks: [mask] }).outputs[0]
  }

  override callAll(xs: readonly Tensor[], { masks: [mask], ...context }: ManyContext): LayerOutputs {
    const x = this.only(xs)
    const [n, t, ...rest] = x.shape
    const steps = mask && mask.rank > 2 ? mask.reshape([n * t, ...mask.shape.slice(2)]) : undefined
    const { outputs, masks } = callLayer(this.layer, [], [x.reshape([n * t, ...rest])], { ...context, masks: [steps] })
    const [y, made] = [outputs[0], masks[0]] // [n·t, ..out] and [n·t, ..]
    return { outputs: [y.reshape([n, t, ...y.shape.slice(1)])], masks: [this.#outputMask(mask, made, [n, t])] }
  }

  #outputMask(given: Tensor | undefined, made: Tensor | undefined, [n, t]: readonly number[]): Tensor | undefined {
    if (made) {
      const own = made.reshape([n, t, ...made.shape.slice(1)])
      return given?.rank === 2 ? own.logicalAnd(given.reshape([n, t, ...made.shape.slice(1).map(() => 1)])) : own
    }
    return given && given.rank > 2 ? any(given, { axis: given.shape.map((_, axis) => axis).slice(2) }) : given
  }

  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), layer: savedForm(this.layer) }
  }
  protected override detail(): string {
    return `of ${this.layer.className}`
  }
}

/**
 * Makes a `TimeDistributed` of a layer.
 *
 * @example
 * ```ts
 * const model = new Sequential([lstm(8, { returnSequences: true, inputShape: [5, 3] }), timeDistributed(dense(10))])
 * console.log(model.output.shape)   // [null, 5, 10]
 * ```
 */
export const timeDistributed = (layer: Layer, options?: LayerOptions): TimeDistributed => new TimeDistributed(layer, options)
