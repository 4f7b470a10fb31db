/** Layers of several inputs and one output. */
import type { Tensor } from '@cotangent/core'
import { type BatchShape, type BuildContext, type CallContext, Layer, type LayerOutputs, type ManyContext } from '../../layer.js'

/**
 * A layer that makes one tensor of several. A class of your own says `mergedShape` and `merge`, and if it has weights `makeMergeWeights`.
 *
 * @example
 * ```ts
 * class Difference extends MergeLayer {
 *   readonly className = 'Difference'
 *   constructor(options: LayerOptions = {}) {
 *     super('Difference', options, [])
 *   }
 *   mergedShape([a]: readonly BatchShape[]) {
 *     return a
 *   }
 *   merge([a, b]: readonly Tensor[]) {
 *     return a.sub(b).abs()
 *   }
 * }
 * ```
 */
export abstract class MergeLayer extends Layer {
  override readonly supportsMasking = true

  /** The shape of the output; throws a ShapeError when the shapes do not fit. */
  abstract mergedShape(inputShapes: readonly BatchShape[]): BatchShape
  /** The layer as a function. */
  abstract merge(xs: readonly Tensor[], context: ManyContext): Tensor

  /** The mask of the output: by default what all masks of the inputs let through. */
  mergedMask(_xs: readonly Tensor[], masks: readonly (Tensor | undefined)[]): Tensor | undefined {
    const given = masks.filter((mask) => mask !== undefined)
    return given.length === 0 ? undefined : given.reduce((both, mask) => both.logicalAnd(mask))
  }

  /** Makes the weights with `addWeight`; layers without any need not override it. */
  protected makeMergeWeights(_inputShapes: readonly BatchShape[], _context: BuildContext): void {}

  protected override get needsBuilding(): boolean {
    return this.makeMergeWeights !== MergeLayer.prototype.makeMergeWeights
  }
  override outputShape(inputShape: BatchShape): BatchShape {
    return this.mergedShape([inputShape])
  }
  override outputShapes(inputShapes: readonly BatchShape[]): BatchShape[] {
    return [this.mergedShape(inputShapes)]
  }
  protected override makeAllWeights(inputShapes: readonly BatchShape[], context: BuildContext): void {
    this.makeMergeWeights(inputShapes, context)
  }
  override call(x: Tensor, { mask, ...context }: CallContext): Tensor {
    return this.merge([x], { ...context, masks: [mask] })
  }
  override callAll(xs: readonly Tensor[], context: ManyContext): LayerOutputs {
    return { outputs: [this.merge(xs, context)], masks: [this.mergedMask(xs, context.masks)] }
  }
}
