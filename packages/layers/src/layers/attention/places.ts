/** The axes of an attention: from any number of axes to the [batch, steps, heads, size] of core's ops, and back. */
import { matMul, type Tensor } from '@cotangent/core'
import { allOf } from './attention-layer.js'

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1)

/** Attention along some axes of inputs [n, …, features]. The other axes between batch and features become part of the batch. */
export class Places {
  readonly #axes: readonly number[]
  readonly #others: readonly number[]
  readonly #query: readonly number[]
  readonly #value: readonly number[]

  constructor(axes: readonly number[], queryShape: readonly number[], valueShape: readonly number[]) {
    this.#axes = axes
    this.#others = queryShape.map((_, axis) => axis).filter((axis) => axis > 0 && axis < queryShape.length - 1 && !axes.includes(axis))
    this.#query = queryShape
    this.#value = valueShape
  }

  #sizes(axes: readonly number[], of = this.#query): number[] {
    return axes.map((axis) => of[axis])
  }
  /** Whether it is along the steps, axis 1, alone. */
  get alongSteps(): boolean {
    return this.#axes.length === 1 && this.#axes[0] === 1
  }
  /** How many steps the query has, and how many the keys have. */
  get steps(): [queries: number, keys: number] {
    return [product(this.#sizes(this.#axes)), product(this.#sizes(this.#axes, this.#value))]
  }
  get #order(): number[] {
    const rank = this.#query.length
    return [0, ...this.#others, ...this.#axes, rank - 1, rank]
  }
  /** Shape: [n, …, heads, size] → [b, t, heads, size] */
  toRows(x: Tensor): Tensor {
    const [heads, size] = x.shape.slice(-2)
    const batch = product([x.shape[0], ...this.#others.map((axis) => x.shape[axis])])
    const moved = this.#others.length === 0 ? x : x.transpose(this.#order)
    return moved.reshape([batch, product(this.#axes.map((axis) => x.shape[axis])), heads, size])
  }
  /** The way back, for the sizes of the query. Shape: [b, t, heads, size] → [n, …, heads, size] */
  fromRows(y: Tensor): Tensor {
    const order = this.#order
    const moved = [this.#query[0], ...this.#sizes(this.#others), ...this.#sizes(this.#axes), ...y.shape.slice(2)]
    return this.#others.length === 0 ? y.reshape(moved) : y.reshape(moved).transpose(order.map((_, axis) => order.indexOf(axis)))
  }
  #scoresShape(heads: number): number[] {
    return [this.#query[0], ...this.#sizes(this.#others), heads, ...this.#sizes(this.#axes), ...this.#sizes(this.#axes, this.#value)]
  }
  /** Shape: [b, heads, t, s] → [n, other axes, heads, axes of the query, axes of the keys] */
  scores(weights: Tensor): Tensor {
    return weights.reshape(this.#scoresShape(weights.shape[1]))
  }
  /** All masks as one. As in Keras, a mask of fewer axes than the scores lacks those before the axes of attention. Shape: → [b or 1, heads or 1, t, s] */
  open(masks: readonly (Tensor | undefined)[]): Tensor | undefined {
    const full = this.#scoresShape(1)
    const last = 2 * this.#axes.length
    const all = allOf(
      masks.map((mask) => {
        const missing = full.length - (mask?.rank ?? 0)
        return mask?.reshape([...mask.shape.slice(0, -last), ...new Array<number>(missing).fill(1), ...mask.shape.slice(-last)])
      }),
    )
    if (!all || full.length === 4) return all
    const heads = all.shape[full.length - last - 1]
    const [n, ...rest] = this.#scoresShape(heads)
    return all.broadcastTo([n, ...rest]).reshape([product([n, ...this.#sizes(this.#others)]), heads, ...this.steps])
  }
}

/** The weighted means of values that heads of the query may share. Shape: [b, heads, t, s], [b, s, groups, size] → [b, t, heads, size] */
export function weightedMeans(weights: Tensor, values: Tensor): Tensor {
  const [b, heads, t, s] = weights.shape
  const [, , groups, size] = values.shape
  const means = matMul(weights.reshape([b, groups, (heads / groups) * t, s]), values.transpose([0, 2, 1, 3]))
  return means.reshape([b, heads, t, size]).transpose([0, 2, 1, 3])
}
