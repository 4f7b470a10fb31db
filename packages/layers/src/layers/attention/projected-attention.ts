/** Attention of several heads: query, key and value are projected, each head attends, and a last projection joins the heads. */
import {
  affine,
  attentionWeights,
  matMul,
  type Parameter,
  ShapeError,
  scaledDotProductAttention,
  sigmoid,
  type Tensor,
  ValueError,
} from '@cotangent/core'
import { type BatchShape, type BuildContext, type ManyContext, requireSize } from '../../layer.js'
import { countOrNone, flag, weightsOf } from '../../option-rows.js'
import type { TableFor } from '../../option-table.js'
import type { WeightOptions, WeightSettings } from '../../weights/settings.js'
import { AttentionLayer, type AttentionLayerOptions, attentionLayerOptions, requireValues, windowMask } from './attention-layer.js'
import { Places, weightedMeans } from './places.js'

/** Options of attention with projections. Those for kernel and bias count for all of them; initializers are `glorotUniform` and `zeros` by default. */
export interface ProjectedAttentionOptions extends AttentionLayerOptions, WeightOptions<'kernel' | 'bias'> {
  /** Whether the projections add a bias; true by default. */
  useBias?: boolean
  /** Multiply what each head finds by the sigmoid of one more projection of the query. False by default. */
  useGate?: boolean
  /** Let step i of the query see only the steps less than this many away from i; all by default. */
  slidingWindow?: number
}

/** The rows of these options. */
export const projectedAttentionOptions = {
  useBias: flag(true),
  useGate: flag(false),
  slidingWindow: countOrNone(),
  ...attentionLayerOptions,
  settings: weightsOf({ kernel: 'glorotUniform', bias: 'zeros' }),
} satisfies TableFor<ProjectedAttentionOptions>

/** The heads of a layer, and the features in each of them. */
export interface HeadSizes {
  readonly query: number
  /** Heads of keys and values. Each serves as many neighbouring heads of the query. */
  readonly value: number
  readonly keyDim: number
  readonly valueDim: number
}

type Projection = 'query' | 'key' | 'gate' | 'value' | 'attention_output'
type Weights = { readonly kernel: Parameter; readonly bias?: Parameter }

/** The base of `MultiHeadAttention` and `GroupQueryAttention`. */
export abstract class ProjectedAttention extends AttentionLayer {
  declare readonly useBias: boolean
  declare readonly useGate: boolean
  declare readonly slidingWindow?: number
  declare protected readonly settings: WeightSettings<'kernel' | 'bias'>
  readonly #weights: Partial<Record<Projection, Weights>> = {}

  protected abstract get heads(): HeadSizes
  /** The features of the output for those of the query. */
  protected outputFeatures(features: number | null): readonly (number | null)[] {
    return [features]
  }
  /** The axes along which the query attends, for inputs of so many axes. The others between batch and features are part of the batch. */
  protected axesFor(rank: number): readonly number[] {
    return Array.from({ length: rank - 2 }, (_, i) => i + 1)
  }

  override mergedShape(inputShapes: readonly BatchShape[]): BatchShape {
    const [query, value, key = value, mask] = inputShapes
    requireValues(this, inputShapes.length === 4 ? [query, value, key] : inputShapes, ' or [query, value, key, mask]')
    const rank = query.length
    if (rank < 3 || value.length !== rank) {
      const shown = inputShapes.map((shape) => `[${shape.map((n) => n ?? '?').join(', ')}]`).join(', ')
      throw new ShapeError(
        `${this.describe()}: inputs must be sequences [batch, steps, features], or have more axes of steps, got ${shown}.`,
      )
    }
    const axes = this.axesFor(rank)
    if (mask) this.#requireMask(query, value, mask)
    const apart = query.findIndex(
      (n, axis) => axis > 0 && axis < rank - 1 && !axes.includes(axis) && n !== null && value[axis] !== null && value[axis] !== n,
    )
    if (apart > 0)
      throw new ShapeError(`${this.describe()}: there is no attention along axis ${apart}, so query and value need one size there.`)
    if (axes.length > 1 && (this.useCausalMask || this.slidingWindow !== undefined))
      throw new ValueError(`${this.describe()}: useCausalMask and slidingWindow need one axis of attention, got ${axes.length}.`)
    return [...query.slice(0, -1), ...this.outputFeatures(query[rank - 1])]
  }
  #requireMask(query: BatchShape, value: BatchShape, mask: BatchShape): void {
    const axes = this.axesFor(query.length)
    const wanted = [...axes.map((axis) => query[axis]), ...axes.map((axis) => value[axis])]
    const last = mask.slice(-wanted.length)
    const fits = mask.length > wanted.length && mask.length <= this.scoresShape([query, value]).length
    if (fits && wanted.every((n, i) => n === null || last[i] === null || last[i] === 1 || last[i] === n)) return
    const show = (shape: BatchShape): string => shape.map((n) => n ?? '?').join(', ')
    throw new ShapeError(
      `${this.describe()}: the fourth input is a mask of pairs of steps [batch, ${show(wanted)}], perhaps with an axis of heads, got [${show(mask)}].`,
    )
  }
  protected override scoresShape([query, value]: readonly BatchShape[]): BatchShape {
    const axes = this.axesFor(query.length)
    const others = query.slice(1, -1).filter((_, i) => !axes.includes(i + 1))
    return [query[0], ...others, this.heads.query, ...axes.map((axis) => query[axis]), ...axes.map((axis) => value[axis])]
  }

  protected override makeMergeWeights([query, value, key = value]: readonly BatchShape[], context: BuildContext): void {
    const { query: heads, value: groups, keyDim, valueDim } = this.heads
    const features = requireSize(this, query, -1)
    const output = this.outputFeatures(features) as number[]
    const add = (name: Projection, shape: readonly number[], biasShape: readonly number[]): void => {
      const [kernel, bias] = [this.settings.of('kernel'), this.settings.of('bias')]
      this.#weights[name] = {
        kernel: this.addWeight(`${name}/kernel`, shape, kernel.initializer, context, kernel),
        bias: this.useBias ? this.addWeight(`${name}/bias`, biasShape, bias.initializer, context, bias) : undefined,
      }
    }
    const addHeads = (name: Projection, inputs: number, ...sizes: readonly number[]): void => add(name, [inputs, ...sizes], sizes)
    addHeads('query', features, heads, keyDim)
    addHeads('key', requireSize(this, key, -1), groups, keyDim)
    if (this.useGate) addHeads('gate', features, heads, valueDim)
    addHeads('value', requireSize(this, value, -1), groups, valueDim)
    add('attention_output', [heads, valueDim, ...output], output)
  }

  /** x·W + b over the last axis of x, for a kernel of `inputs` rows. Shape: [.., in] → [.., out] */
  #project(name: Projection, x: Tensor, inputs: number): Tensor {
    const { kernel, bias } = this.#weights[name] as Weights
    const flat = kernel.reshape([inputs, kernel.size / inputs])
    return bias ? affine(x, flat, bias.reshape([bias.size])) : matMul(x, flat)
  }

  /** A projection, divided into heads. Shape: [.., in] → [.., heads, size] */
  #heads(name: Projection, x: Tensor): Tensor {
    const shape = this.#weights[name]?.kernel.shape as readonly number[]
    return this.#project(name, x, shape[0]).reshape([...x.shape.slice(0, -1), ...shape.slice(1)])
  }

  protected override attend(xs: readonly Tensor[], context: ManyContext): readonly [Tensor, Tensor?] {
    const [query, value, key = value] = xs
    const places = new Places(this.axesFor(query.rank), query.shape, value.shape)
    const [q, k, v] = [
      places.toRows(this.#heads('query', query)),
      places.toRows(this.#heads('key', key)),
      places.toRows(this.#heads('value', value)),
    ] // [b, t, heads, size] each
    const options = { mask: this.#open(places, xs, context.masks), causal: this.useCausalMask }
    const weights = this.returnAttentionScores || this.drops(context) ? attentionWeights(q, k, options) : undefined
    const rows = weights ? weightedMeans(this.dropped(weights, context), v) : scaledDotProductAttention(q, k, v, options)
    const found = places.fromRows(rows) // [n, …, heads, valueDim]
    const gated = this.useGate ? found.mul(sigmoid(this.#heads('gate', query))) : found
    const [before, [heads, size]] = [query.shape.slice(0, -1), gated.shape.slice(-2)]
    const y = this.#project('attention_output', gated.reshape([...before, heads * size]), heads * size)
    const outputs = this.outputFeatures(query.shape[query.rank - 1]) as readonly number[]
    return [outputs.length === 1 ? y : y.reshape([...before, ...outputs]), weights && places.scores(weights)]
  }

  /** Which scores count, by all masks but the causal one. Shape: broadcasts to [b, heads, t, s] */
  #open(places: Places, [query, , , given]: readonly Tensor[], [ofQuery, ofValue, ofKey]: ManyContext['masks']): Tensor | undefined {
    if ((ofQuery || ofValue || ofKey) && !places.alongSteps) {
      throw new ValueError(
        `${this.describe()}: an input has a mask of its steps, axis 1, so attention must be along axis 1 alone. For other axes give a mask as fourth input: [query, value, key, mask].`,
      )
    }
    const near = this.slidingWindow === undefined ? undefined : windowMask(...places.steps, this.slidingWindow, query)
    const attentionMask = given?.dtype === 'bool' ? given : given?.notEqual(0)
    return places.open([ofQuery?.expandDims(2), ofValue?.expandDims(1), ofKey?.expandDims(1), near, attentionMask])
  }
}
