/** Layers of several inputs and one output. */
import type { Tensor } from '@cotangent/core'
import { type BatchShape, type BuildContext, type CallContext, Layer, type LayerOutputs, type ManyContext } from '../../layer.js'

/**
 * A layer that makes one tensor of several. A subclass defines `mergedShape` and `merge`, and `makeMergeWeights` if it has weights.
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
 * console.log(new Difference().apply([input({ shape: [3] }), input({ shape: [3] })]).shape)   // [null, 3]
 * ```
 */
export abstract class MergeLayer extends Layer {
  override readonly supportsMasking = true

  /**
   * The shape of the output.
   *
   * @throws ShapeError if the shapes do not fit
   */
  abstract mergedShape(inputShapes: readonly BatchShape[]): BatchShape
  /** Computes the output from the inputs. */
  abstract merge(xs: readonly Tensor[], context: ManyContext): Tensor

  /** The mask of the output. By default a step counts if it counts in every input that has a mask. */
  mergedMask(_xs: readonly Tensor[], masks: readonly (Tensor | undefined)[]): Tensor | undefined {
    const given = masks.filter((mask) => mask !== undefined)
    return given.length === 0 ? undefined : given.reduce((both, mask) => both.logicalAnd(mask))
  }

  /** Makes the weights with `addWeight`. A layer without weights does not override it. */
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
