/** Spectral normalisation of a layer's kernel (Miyato et al. 2018). */
import { type Parameter, scope, stopGradient, type Tensor, ValueError, where } from '@cotangent/core'
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
import { count } from '../../option-rows.js'
import type { TableFor, ValuesOf } from '../../option-table.js'
import { ours } from '../../own-classes.js'
import { type SavedObject, savedForm } from '../../spelling/names.js'
import { truncatedNormal } from '../../weights/initializers.js'
import * as plain from '../plain.js'
import { layerOf } from '../saved-layer.js'

/** Options of `spectralNormalization`. */
export interface SpectralNormalizationOptions extends LayerOptions {
  /** The number of steps of the power iteration in each call, at least 1; 1 by default. */
  powerIterations?: number
}

const spectralNormalizationOptions = { powerIterations: count(1) } satisfies TableFor<SpectralNormalizationOptions>

const unit = (x: Tensor): Tensor => x.mul(x.square().sum().maximum(1e-24).rsqrt())

/**
 * Before each call in training, divides the kernel of a layer by its largest singular value σ, which a power iteration estimates: v = u·Wᵀ/‖·‖, u = v·W/‖·‖,
 * σ = v·W·uᵀ. The kernel itself changes, so inference uses the divided one. A frozen layer and a kernel of zeros stay as they are.
 *
 * Shape:   that of the layer
 * Weights: those of the layer, then vector_u [1, out], which is not trainable
 * Source:  Keras 3, layers/normalization/spectral_normalization.py
 *
 * @throws ValueError for a layer without a kernel or a table of embeddings
 */
export class SpectralNormalization extends Layer implements ValuesOf<typeof spectralNormalizationOptions> {
  override readonly className = ours(SpectralNormalization, 'SpectralNormalization')
  override readonly supportsMasking: boolean
  readonly layer: Layer
  declare readonly powerIterations: number
  #kernel?: Parameter
  #u?: Parameter

  constructor(layer: Layer, options: SpectralNormalizationOptions = {}) {
    if (!(layer instanceof Layer))
      throw new ValueError(`SpectralNormalization: expected a layer, such as conv2d(8, 3), got ${describeValue(layer)}.`)
    super('SpectralNormalization', options, spectralNormalizationOptions)
    this.layer = layer
    this.supportsMasking = layer.supportsMasking
  }
  /** @param custom classes of layers that are not this package's, by name */
  static fromConfig(
    { layer, ...options }: SpectralNormalizationOptions & { layer: Layer | SavedObject },
    custom: Readonly<Record<string, unknown>> = {},
  ): SpectralNormalization {
    return new SpectralNormalization(layerOf('SpectralNormalization', layer, { ...plain, ...custom }), options)
  }

  /** @internal */
  override indexCount(input: number): number | undefined {
    return this.layer.indexCount(input)
  }
  protected override get givesItsKey(): boolean {
    return true
  }
  override outputShape(inputShape: BatchShape): BatchShape {
    return this.layer.outputShapes([inputShape])[0]
  }

  protected override makeWeights(inputShape: BatchShape, context: BuildContext): void {
    this.layer.build(inputShape, context)
    this.#kernel = this.layer.weights.find(({ name }) => /\/(kernel|embeddings)$/.test(name))
    if (!this.#kernel) throw new ValueError(`${this.describe()}: ${this.layer.describe()} has no kernel and no embeddings to normalise.`)
    const width = this.#kernel.shape[this.#kernel.rank - 1]
    this.#u = this.addWeight('vector_u', [1, width], truncatedNormal({ stddev: 0.02 }), context, { trainable: false })
  }

  /** @internal The weight that is divided. */
  get kernel(): Parameter | undefined {
    return this.#kernel
  }

  #divide(): void {
    const [kernel, vector] = [this.#kernel as Parameter, this.#u as Parameter]
    scope(() => {
      // The views of the kernel are gone before it changes: a recorded step changes memory that nothing else has.
      const [divided, next] = scope(() => {
        const w = stopGradient(kernel).reshape([-1, kernel.shape[kernel.rank - 1]]) // [rows, out]
        let [u, v]: Tensor[] = [vector, vector]
        for (let i = 0; i < this.powerIterations; i++) {
          v = unit(u.matMul(w.transpose()))
          u = unit(v.matMul(w))
        }
        const sigma = v.matMul(w).mul(u).sum()
        const isZero = w.abs().max().equal(0)
        return [stopGradient(kernel).div(where(isZero, 1, sigma)), where(isZero, vector, u)]
      })
      kernel.assign(divided)
      vector.assign(next)
    })
  }

  override call(x: Tensor, { mask, ...context }: CallContext): Tensor {
    return this.callAll([x], { ...context, masks: [mask] }).outputs[0]
  }
  override callAll(xs: readonly Tensor[], context: ManyContext): LayerOutputs {
    if (context.training && !context.frozen && this.layer.trainable) this.#divide()
    return callLayer(this.layer, [], [this.only(xs)], context)
  }

  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), layer: savedForm(this.layer) }
  }
  protected override detail(): string {
    return `of ${this.layer.className}`
  }
}

/**
 * Makes a `SpectralNormalization` of a layer, as discriminators of GANs have it.
 *
 * @example
 * ```ts
 * const model = new Sequential([spectralNormalization(conv2d(8, 3), { inputShape: [28, 28, 1] })])
 * console.log(model.output.shape)   // [null, 26, 26, 8]
 * ```
 */
export const spectralNormalization = (layer: Layer, options?: SpectralNormalizationOptions): SpectralNormalization =>
  new SpectralNormalization(layer, options)
