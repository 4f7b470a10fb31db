/** Numbers to the bins that they lie in. */
import { digitize, type Tensor, tensor, ValueError } from '@cotangent/core'
import { describeValue } from '@cotangent/core/arguments'
import { CompileError } from '../../errors.js'
import { type BatchShape, type CallContext, Layer, type LayerOptions } from '../../layer.js'
import { choice, numberFrom } from '../../option-rows.js'
import { type Option, positional, type TableFor } from '../../option-table.js'
import { ours } from '../../own-classes.js'
import { type AdaptData, hostBatches } from './adapt-data.js'
import { type EncodingMode, encoded, encodedShape } from './encoded.js'
import { boundariesOf, emptySummary, mergeSummaries, summarize } from './quantiles.js'

/** Options of `discretization`. */
export interface DiscretizationOptions extends LayerOptions {
  /** How exact `adapt` is, from 0 to 1: it keeps about 1/epsilon values; 0.01 by default. */
  epsilon?: number
  /** `int` (default): the number of the bin. Otherwise rows of zeros and ones, or counts, as `categoryEncoding` makes them. */
  outputMode?: 'int' | EncodingMode
}

/** A number of bins, or the numbers between them in rising order. */
export type Bins = number | readonly number[]

const bins: Option<Bins> = {
  read(given, { className, name }) {
    if (typeof given === 'number' && Number.isSafeInteger(given) && given > 0) return given
    const isList = Array.isArray(given) && given.length > 0
    if (isList && given.every((value, i) => typeof value === 'number' && (i === 0 || given[i - 1] < value))) return [...given]
    throw new ValueError(
      `${className}: ${name} must be a number of bins, or the numbers between them in rising order, got ${describeValue(given)}.`,
    )
  },
  config: () => ({}),
}

const discretizationOptions = {
  bins: positional(bins),
  epsilon: numberFrom({ above: 0, most: 1 }, 0.01),
  outputMode: choice<'int' | EncodingMode>(['int', 'one_hot', 'multi_hot', 'count'], 'int'),
} satisfies TableFor<DiscretizationOptions & { bins: Bins }>

/**
 * The number of the bin that a value lies in: the number of boundaries that are not above it.
 *
 * Boundaries are given, or `adapt` takes them from data. They are part of the config, not weights.
 *
 * Shape:  any → the same, int32; with another `outputMode` as `categoryEncoding`
 * Source: Keras 3.16, layers/preprocessing/discretization.py
 *
 * @throws CompileError if it has no boundaries yet
 */
export class Discretization extends Layer {
  override readonly className = ours(Discretization, 'Discretization')
  /** As it was made: a number of bins, or the numbers between them. */
  declare readonly bins: Bins
  declare readonly epsilon: number
  declare readonly outputMode: 'int' | EncodingMode
  #boundaries?: readonly number[]

  constructor(bins: Bins, options: DiscretizationOptions = {}) {
    super('Discretization', options, discretizationOptions, { bins })
    if (typeof this.bins !== 'number') this.#boundaries = this.bins
  }
  static fromConfig({
    binBoundaries,
    numBins,
    ...options
  }: DiscretizationOptions & { binBoundaries?: readonly number[]; numBins?: number }): Discretization {
    const layer = new Discretization((numBins ?? binBoundaries) as Bins, options)
    if (binBoundaries !== undefined) {
      layer.#boundaries = bins.read(binBoundaries, {
        className: 'Discretization',
        name: 'binBoundaries',
        options: {},
        before: {},
      }) as readonly number[]
    }
    return layer
  }

  /** The numbers between the bins; undefined as long as there are none. */
  get binBoundaries(): readonly number[] | undefined {
    return this.#boundaries
  }

  protected override ownConfig(): Record<string, unknown> {
    const { binBoundaries } = this
    return { ...super.ownConfig(), ...(binBoundaries && { binBoundaries }), ...(typeof this.bins === 'number' && { numBins: this.bins }) }
  }

  /**
   * Takes the boundaries from data, in place of those before: `numBins` bins with about as many values in each.
   *
   * @throws ValueError if the boundaries were given, or there are fewer values than bins.
   * @example
   * ```ts
   * const bins = discretization(4)
   * await bins.adapt([0, 1, 2, 3, 4, 5, 6, 7])
   * console.log(bins.binBoundaries)   // [1, 3, 5]
   * ```
   */
  async adapt(data: AdaptData): Promise<void> {
    const { bins: numBins, epsilon } = this
    if (typeof numBins !== 'number')
      throw new ValueError(`${this.describe()}: its boundaries were given, so it cannot be adapted. Give a number of bins.`)
    let summary = emptySummary
    for await (const { data: values } of hostBatches(`${this.className}.adapt: data`, data)) {
      summary = mergeSummaries(summarize(values, epsilon), summary, epsilon)
    }
    const boundaries = boundariesOf(summary, numBins)
    if (summary.values.length < numBins) {
      throw new ValueError(`${this.className}.adapt: data: there are ${summary.values.length} values for ${numBins} bins.`)
    }
    this.#boundaries = boundaries
    this.revision++
  }

  get #bins(): number {
    return this.binBoundaries ? this.binBoundaries.length + 1 : (this.bins as number)
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    return this.outputMode === 'int' ? inputShape : encodedShape(inputShape, this.#bins, this.outputMode)
  }

  override call(x: Tensor, _context: CallContext): Tensor {
    if (!this.binBoundaries) throw new CompileError(`${this.describe()}: has no boundaries yet. Call adapt(data) first.`)
    const values = x.dtype.startsWith('float') ? x : x.cast('float32')
    const index = digitize(values, tensor([...this.binBoundaries], { dtype: values.dtype, backend: x.backend }))
    return this.outputMode === 'int' ? index : encoded(index, this.#bins, this.outputMode)
  }

  protected override detail(): string {
    return `${this.#bins} bins`
  }
}

/**
 * Makes a `Discretization` layer: numbers to the bins that they lie in. `discretization([0, 1])` has three bins, below 0, from 0 to below 1, and from 1 on;
 * `discretization(10)` has ten, once `adapt` has seen data.
 *
 * @example
 * ```ts
 * const model = new Sequential([discretization([0, 1], { inputShape: [3] })])
 * console.log((await model.apply(tensor([[-5, 0.5, 1]])).array()).toString())   // 0,1,2
 * ```
 */
export const discretization = (bins: Bins, options?: DiscretizationOptions): Discretization => new Discretization(bins, options)
