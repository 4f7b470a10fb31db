/** Shared by all layers of attention: their inputs, masks of their scores, and the weights as a second output. */
import { arange, ShapeError, softmax, type Tensor, ValueError, where } from '@cotangent/core'
import type { BatchShape, Layer, LayerOptions, LayerOutputs, ManyContext } from '../../layer.js'
import { dropRate, flag } from '../../option-rows.js'
import type { OptionTable, TableFor, ValuesOf } from '../../option-table.js'
import { MergeLayer } from '../merge/merge-layer.js'
import { drop } from '../regularization/drop.js'

/** Options of every layer of attention. In Keras the last two are arguments of the call. */
export interface AttentionLayerOptions extends LayerOptions {
  /** The share of the attention weights that training drops, from 0 to 1; 0 by default. */
  dropout?: number
  /** Let step i of the query see only the steps up to i of the values. False by default. */
  useCausalMask?: boolean
  /** Give the attention weights as a second output: `const [y, scores] = layer.applyAll(xs)`. False by default. */
  returnAttentionScores?: boolean
}

/** The rows of these options. */
export const attentionLayerOptions = {
  dropout: dropRate(0),
  useCausalMask: flag(false),
  returnAttentionScores: flag(false),
} satisfies TableFor<AttentionLayerOptions>

/** A layer that takes [query, value] or [query, value, key], and makes weighted means of the values. The mask of the query is the mask of the output. */
export abstract class AttentionLayer extends MergeLayer implements ValuesOf<typeof attentionLayerOptions> {
  override readonly outputCount: number
  declare readonly dropout: number
  declare readonly useCausalMask: boolean
  declare readonly returnAttentionScores: boolean

  constructor(className: string, options: AttentionLayerOptions, table: OptionTable, args: object = {}) {
    super(className, options, table, args)
    this.outputCount = this.returnAttentionScores ? 2 : 1
  }

  /** The output, and the attention weights if `returnAttentionScores` asks for them. */
  protected abstract attend(xs: readonly Tensor[], context: ManyContext): readonly [output: Tensor, scores?: Tensor]
  /** The shape of the attention weights. */
  protected abstract scoresShape(inputShapes: readonly BatchShape[]): BatchShape

  override merge(xs: readonly Tensor[], context: ManyContext): Tensor {
    return this.attend(xs, context)[0]
  }
  override mergedMask(_xs: readonly Tensor[], [query]: readonly (Tensor | undefined)[]): Tensor | undefined {
    return query
  }
  override outputShapes(inputShapes: readonly BatchShape[]): BatchShape[] {
    const shape = this.mergedShape(inputShapes)
    return this.returnAttentionScores ? [shape, this.scoresShape(inputShapes)] : [shape]
  }
  override callAll(xs: readonly Tensor[], context: ManyContext): LayerOutputs {
    const [output, scores] = this.attend(xs, context)
    const mask = this.mergedMask(xs, context.masks)
    return this.returnAttentionScores && scores
      ? { outputs: [output, scores], masks: [mask, undefined] }
      : { outputs: [output], masks: [mask] }
  }

  /** Whether some weights are dropped in this call. */
  protected drops({ training }: ManyContext): boolean {
    return training && this.dropout > 0
  }
  /** The weights, in training without those that are dropped. */
  protected dropped(weights: Tensor, context: ManyContext): Tensor {
    return this.drops(context) ? drop(this.className, weights, this.dropout, context.key) : weights
  }
}

const show = (shapes: readonly BatchShape[]): string => shapes.map((shape) => `[${shape.map((n) => n ?? '?').join(', ')}]`).join(', ')

/** Throws unless there are two or three inputs, and as many values as keys. A layer may take more: `orElse`. */
export function requireValues(layer: Layer, shapes: readonly BatchShape[], orElse = ''): void {
  if (shapes.length < 2 || shapes.length > 3)
    throw new ValueError(`${layer.describe()}: takes [query, value] or [query, value, key]${orElse}, got ${shapes.length} inputs.`)
  const [, value, key = value] = shapes
  const between = value.slice(1, -1)
  if (value.length === key.length && between.every((n, i) => n === null || key[i + 1] === null || key[i + 1] === n)) return
  const counts = (shape: BatchShape): string => shape.slice(1, -1).join('×')
  throw new ShapeError(
    `${layer.describe()}: there must be a value for every key, got ${counts(value)} values and ${counts(key)} keys in ${show(shapes)}.`,
  )
}

/** Throws unless the inputs are sequences that fit. */
export function requireSequences(layer: Layer, shapes: readonly BatchShape[]): void {
  if (shapes.length >= 2 && shapes.some((shape) => shape.length !== 3))
    throw new ShapeError(`${layer.describe()}: inputs must be sequences [batch, steps, features], got ${show(shapes)}.`)
  requireValues(layer, shapes)
}

/** True where all given masks are; undefined if there is none. */
export function allOf(masks: readonly (Tensor | undefined)[]): Tensor | undefined {
  const given = masks.filter((mask) => mask !== undefined)
  return given.length === 0 ? undefined : given.reduce((both, mask) => both.logicalAnd(mask))
}

/** softmax over the last axis, where closed scores are the least float32. So a row of nothing else has equal weights. */
export const openSoftmax = (scores: Tensor, open: Tensor | undefined): Tensor =>
  softmax(open ? where(open, scores, -3.4028234663852886e38) : scores)

/** i and j of all pairs of a query's and a key's step, as [queries, 1] and [keys]. */
function pairs(queries: number, keys: number, { backend }: Tensor): [Tensor, Tensor] {
  const steps = (n: number): Tensor => arange(0, n, 1, { dtype: 'int32', backend })
  return [steps(queries).expandDims(1), steps(keys)]
}

/** True where j ≤ i. Shape: [queries, keys] */
export function causalMask(queries: number, keys: number, like: Tensor): Tensor {
  const [i, j] = pairs(queries, keys, like)
  return i.greaterEqual(j)
}

/** True where |i − j| < width. Shape: [queries, keys] */
export function windowMask(queries: number, keys: number, width: number, like: Tensor): Tensor {
  const [i, j] = pairs(queries, keys, like)
  return i.sub(j).abs().less(width)
}
