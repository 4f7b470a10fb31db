/** The linear stack of layers: Keras' front door. */
import { foldKey, type Key, ShapeError, type Tensor, ValueError } from '@cotangent/core'
import { CompileError } from './errors.js'
import { type BatchShape, Layer } from './layer.js'
import { Model, type ModelOptions } from './model.js'

const noLayers = (model: string): string => `${model}: the model has no layers. Add some: model.add(dense(10, …)).`

/**
 * A model whose layers follow one another. It is built (gets its weights) as soon as the first layer has an `inputShape`, else at the
 * first data it sees.
 *
 * @example
 * ```ts
 * const model = new Sequential([dense(128, { activation: 'relu', inputShape: [784] }), dropout(0.3), dense(10, { activation: 'softmax' })], { seed: 7 })
 * ```
 */
export class Sequential extends Model {
  readonly #layers: Layer[] = []
  #inputShape?: BatchShape
  /** Output shape of each layer, once known. */
  readonly #shapes: BatchShape[] = []

  constructor(layers: readonly Layer[] = [], options: ModelOptions = {}) {
    super('Sequential', options)
    for (const layer of layers) this.add(layer)
  }

  override get layers(): readonly Layer[] {
    return this.#layers
  }
  override get built(): boolean {
    return this.#inputShape !== undefined && this.#shapes.length === this.#layers.length && this.#layers.length > 0
  }
  override get outputLayer(): Layer {
    const last = this.#layers.at(-1)
    if (!last) throw new CompileError(noLayers(this.name))
    return last
  }

  /** Appends a layer. */
  add(layer: Layer): void {
    if (!(layer instanceof Layer)) throw new ValueError(`${this.name}.add: expected a layer, such as dense(10), got ${typeof layer}.`)
    if (this.#layers.includes(layer)) throw new ValueError(`${this.name}.add: ${layer.describe()} is in the model already.`)
    if (this.#layers.some((other) => other.name === layer.name))
      throw new ValueError(`${this.name}.add: there is already a layer named "${layer.name}".`)
    if (layer.outputs !== 1) {
      throw new ValueError(
        `${this.name}.add: ${layer.describe()} has several outputs, and layers in a Sequential have one. Leave returnState out and mergeMode not null, or call the layer's own run(x, …).`,
      )
    }
    this.#layers.push(layer)
    try {
      if (!this.#inputShape && this.#layers.length === 1 && layer.batchInputShape) this.build(layer.batchInputShape)
      else if (this.#inputShape) this.#buildFrom(this.#layers.length - 1)
    } catch (error) {
      this.#layers.pop()
      throw error
    }
  }

  /** Removes the last layer. */
  pop(): void {
    if (this.#layers.length === 0) throw new ValueError(`${this.name}.pop: there are no layers.`)
    this.#layers.pop()
    this.#shapes.length = Math.min(this.#shapes.length, this.#layers.length)
  }

  override build(inputShape?: BatchShape): void {
    if (this.built) return
    const shape = inputShape ?? this.#layers[0]?.batchInputShape
    if (this.#layers.length === 0) throw new CompileError(noLayers(this.name))
    if (!shape) throw new CompileError(`${this.name}.build: the input shape is not known. Pass it, e.g. build([null, 784]).`)
    const before = this.#inputShape
    this.#inputShape = shape
    try {
      this.#buildFrom(this.#shapes.length)
    } catch (error) {
      this.#inputShape = before
      throw error
    }
  }

  #buildFrom(first: number): void {
    for (let i = first; i < this.#layers.length; i++) {
      const layer = this.#layers[i]
      const input = this.#shapes[i - 1] ?? (this.#inputShape as BatchShape)
      const output = layer.outputShape(input)
      layer.build(input, { key: foldKey(this.keyFor('weights'), i), dtype: this.dtype, backend: this.backend })
      this.#shapes[i] = output
    }
  }

  override outputShapeOf(): BatchShape {
    return this.#shapes.at(-1) ?? []
  }
  override inputShapeOf(): BatchShape {
    if (!this.#inputShape) throw new ShapeError(`${this.name}: the input shape is not known yet.`)
    return [null, ...this.#inputShape.slice(1)]
  }

  protected override forward(
    x: Tensor,
    context: { training: boolean; key?: Key },
    logits: boolean,
    penalties: Tensor[],
  ): { output: Tensor; mask?: Tensor } {
    return this.#layers.reduce<{ output: Tensor; mask?: Tensor }>(
      ({ output: input, mask }, layer, i) => {
        const passed = this.callLayer(layer, i, input, { ...context, mask }, logits && i === this.#layers.length - 1)
        if (layer.activityRegularizer) penalties.push(layer.activityRegularizer.call(passed.output))
        return passed
      },
      { output: x },
    )
  }

  protected override layerRows(): { name: string; className: string; outputShape: BatchShape; params: number }[] {
    return this.#layers.map((layer, i) => ({
      name: layer.name,
      className: layer.className,
      outputShape: [null, ...this.#shapes[i].slice(1)],
      params: layer.weights.reduce((n, w) => n + w.size, 0),
    }))
  }
}
