/** Values to mean 0 and variance 1, by the statistics of data that were seen before. */
import { maximum, type Parameter, ShapeError, sizeOf, sqrt, type Tensor, tensor, ValueError } from '@cotangent/core'
import { describeValue } from '@cotangent/core/arguments'
import { readHost } from '../../host-data.js'
import { type BatchShape, type BuildContext, type CallContext, Layer, type LayerOptions, requireSize } from '../../layer.js'
import { flag } from '../../option-rows.js'
import type { Option, TableFor, ValuesOf } from '../../option-table.js'
import { ours } from '../../own-classes.js'
import { getInitializer } from '../../weights/initializers.js'
import { type AdaptData, hostBatches } from './adapt-data.js'

/** A number for all, one for each position of the axes, or nested lists. */
export type Statistic = number | readonly Statistic[]

/** Options of `normalization`. */
export interface NormalizationOptions extends LayerOptions {
  /** The axes whose positions have a mean and a variance each: −1, the last, by default; null has one for all values. */
  axis?: number | readonly number[] | null
  /** The mean, if it is known; otherwise `adapt` finds it. It goes with `variance`. */
  mean?: Statistic
  variance?: Statistic
  /** Whether the layer goes the way back, from mean 0 and variance 1; false by default. */
  invert?: boolean
}

const statistic: Option<Statistic | undefined> = {
  read(given, { className, name, options }) {
    const other = name === 'mean' ? 'variance' : 'mean'
    if ((given ?? undefined) === undefined) return undefined
    if ((options[other] ?? undefined) === undefined) {
      throw new ValueError(`${className}: ${name} goes with ${other}. Give both, or none and call adapt(data).`)
    }
    if (typeof given === 'number' ? Number.isFinite(given) : Array.isArray(given)) return given as Statistic
    throw new ValueError(`${className}: ${name} must be a number or a list of numbers, got ${describeValue(given)}.`)
  },
}

const normalizationOptions = {
  axis: {
    read(given, { className, name }): readonly number[] {
      const axes = given === undefined ? [-1] : given === null ? [] : Array.isArray(given) ? given : [given]
      if (axes.every((axis) => Number.isSafeInteger(axis))) return axes
      throw new ValueError(`${className}: ${name} must be one or more axes or null, got ${describeValue(given)}.`)
    },
  },
  mean: statistic,
  variance: statistic,
  invert: flag(false),
} satisfies TableFor<NormalizationOptions>

/** Mean and variance of the samples so far, for each position of the axes that are kept. */
interface Statistics {
  readonly shape: readonly number[]
  mean: Float64Array
  /** Sum of squared distances from the mean. */
  squares: Float64Array
  count: number
}

/**
 * y = (x − mean)/max(√variance, 1e-7), and back with `invert`.
 *
 * Mean and variance are those of the data that `adapt` saw, or are given. Training does not change them.
 *
 * Shape:   any → the same
 * Weights: mean, variance, of the sizes of `axis`; count, a scalar that Keras writes, too; none are trainable, and there are none if the statistics are given
 * Source:  Keras 3.16, layers/preprocessing/normalization.py; merging of batches: Chan, Golub, LeVeque 1979
 *
 * @throws ShapeError if an axis is no axis of a sample, or the data of `adapt` have other sizes
 */
export class Normalization extends Layer implements ValuesOf<typeof normalizationOptions> {
  override readonly className = ours(Normalization, 'Normalization')
  override readonly supportsMasking = true
  /** The axes whose positions have a mean and a variance each. */
  declare readonly axis: readonly number[]
  declare readonly mean?: Statistic
  declare readonly variance?: Statistic
  declare readonly invert: boolean
  #weights?: { mean: Parameter; variance: Parameter }
  /** Of data seen before the layer was built. */
  #adapted?: Statistics

  constructor(options: NormalizationOptions = {}) {
    super('Normalization', options, normalizationOptions)
  }
  static fromConfig(options: NormalizationOptions): Normalization {
    return new Normalization(options)
  }

  /** The kept axes, counted from the front and in order. */
  #axesOf(shape: BatchShape): number[] {
    const axes = this.axis.map((axis) => (axis < 0 ? axis + shape.length : axis))
    if (axes.some((axis) => axis < 1 || axis >= shape.length) || new Set(axes).size !== axes.length) {
      throw new ShapeError(
        `${this.describe()}: axis ${JSON.stringify(this.axis)} must name axes of a sample in [${shape.map((n) => n ?? '?').join(', ')}], each once.`,
      )
    }
    return axes.sort((a, b) => a - b)
  }

  protected override makeWeights(inputShape: BatchShape, context: BuildContext): void {
    const axes = this.#axesOf(inputShape)
    if (this.mean !== undefined) return
    const shape = axes.map((axis) => requireSize(this, inputShape, axis))
    const make = (name: string, size: readonly number[], initial: 'zeros' | 'ones'): Parameter =>
      this.addWeight(name, size, getInitializer(initial), context, { trainable: false })
    this.#weights = { mean: make('mean', shape, 'zeros'), variance: make('variance', shape, 'ones') }
    make('count', [], 'zeros')
    if (this.#adapted) this.#assign(this.#adapted)
    this.#adapted = undefined
  }

  /**
   * Takes mean and variance from data, in place of those before. The layer may be built already or not.
   *
   * @throws ValueError if the statistics were given as options, or there are no samples; ShapeError if the data do not fit.
   * @example
   * ```ts
   * const scaled = normalization()
   * await scaled.adapt([[0, 10], [2, 30]])
   * const model = new Sequential([scaled, dense(1)])
   * console.log((await scaled.getWeights().catch(() => [])).length)   // 0
   * model.build([null, 2])
   * console.log(String((await scaled.getWeights())[0].data))   // 1,20
   * ```
   */
  async adapt(data: AdaptData): Promise<void> {
    const what = `${this.className}.adapt: data`
    if (this.mean !== undefined) throw new ValueError(`${this.describe()}: mean and variance were given, so it cannot be adapted.`)
    let all: Statistics | undefined
    for await (const { shape, data: values } of hostBatches(what, data)) {
      if (shape[0] === 0) continue
      const axes = this.#axesOf(shape)
      const batch = statisticsOf(values, shape, axes)
      if (all && all.shape.join() !== batch.shape.join()) {
        throw new ShapeError(
          `${what}: batches have the sizes [${all.shape.join(', ')}] and [${batch.shape.join(', ')}] on axis ${JSON.stringify(this.axis)}.`,
        )
      }
      all = all ? merged(all, batch) : batch
    }
    if (!all) throw new ValueError(`${what}: there are no samples.`)
    if (this.#weights) this.#assign(all)
    else this.#adapted = all
  }

  #assign({ shape, mean, squares, count }: Statistics): void {
    const { mean: to, variance } = this.#weights as { mean: Parameter; variance: Parameter }
    if (shape.join() !== to.shape.join()) {
      throw new ShapeError(
        `${this.describe()}: was adapted to data with the sizes [${shape.join(', ')}] on axis ${JSON.stringify(this.axis)}, but its input has [${to.shape.join(', ')}].`,
      )
    }
    const assign = (weight: Parameter, data: Float64Array): void =>
      weight.assign(tensor(data, { shape, dtype: weight.dtype, backend: weight.backend }))
    assign(to, mean)
    assign(
      variance,
      squares.map((sum) => sum / count),
    )
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    this.#axesOf(inputShape)
    return inputShape
  }

  override call(x: Tensor, _context: CallContext): Tensor {
    const axes = this.#axesOf(x.shape)
    const broadcast = x.shape.map((n, axis) => (axes.includes(axis) ? n : 1))
    const [mean, variance] = (['mean', 'variance'] as const).map((name): Tensor => {
      const weight = this.#weights?.[name]
      if (weight) return weight.reshape(broadcast)
      const value = this[name] as Statistic
      const { data, shape } = typeof value === 'number' ? { data: [value], shape: [] } : readHost(`${this.className}: ${name}`, value)
      const given = tensor(Float64Array.from(data), { shape, dtype: x.dtype, backend: x.backend })
      if (given.size === 1) return given.reshape([])
      if (given.size === sizeOf(broadcast)) return given.reshape(broadcast)
      throw new ShapeError(
        `${this.describe()}: ${name} has ${given.size} numbers, but axis ${JSON.stringify(this.axis)} of the input has ${sizeOf(broadcast)} positions.`,
      )
    })
    const deviation = maximum(sqrt(variance), 1e-7)
    return this.invert ? x.mul(deviation).add(mean) : x.sub(mean).div(deviation)
  }
}

/** The statistics of one batch, in two passes. */
function statisticsOf(values: ArrayLike<number>, shape: readonly number[], axes: readonly number[]): Statistics {
  const kept = axes.map((axis) => shape[axis])
  const cells = sizeOf(kept)
  // The place of a value among the kept ones, by its place in the batch.
  const steps = shape.map((_, axis) => (axes.includes(axis) ? sizeOf(kept.slice(axes.indexOf(axis) + 1)) : 0))
  const place = new Int32Array(values.length)
  let repeat = values.length
  for (const [axis, size] of shape.entries()) {
    repeat = size === 0 ? 0 : repeat / size
    if (steps[axis] > 0) for (let i = 0; i < values.length; i++) place[i] += (Math.floor(i / repeat) % size) * steps[axis]
  }
  const count = cells === 0 ? 0 : values.length / cells
  const mean = new Float64Array(cells)
  const squares = new Float64Array(cells)
  for (let i = 0; i < values.length; i++) mean[place[i]] += values[i] / count
  for (let i = 0; i < values.length; i++) squares[place[i]] += (values[i] - mean[place[i]]) ** 2
  return { shape: kept, mean, squares, count }
}

/** Of two sets together: mean = (n·a + m·b)/(n + m), squares = A + B + (b − a)²·n·m/(n + m). */
function merged(a: Statistics, b: Statistics): Statistics {
  const count = a.count + b.count
  const mean = a.mean.map((value, i) => (value * a.count + b.mean[i] * b.count) / count)
  const squares = a.squares.map((sum, i) => sum + b.squares[i] + ((b.mean[i] - a.mean[i]) ** 2 * a.count * b.count) / count)
  return { shape: a.shape, mean, squares, count }
}

/**
 * Makes a `Normalization` layer: (x − mean)/√variance, with the statistics of the data that `adapt` sees.
 *
 * @example
 * ```ts
 * const model = new Sequential([normalization({ mean: [1, 20], variance: [1, 100], inputShape: [2] })])
 * console.log((await model.apply(tensor([[0, 10], [2, 30]])).array()).toString())   // -1,-1,1,1
 * ```
 */
export const normalization = (options?: NormalizationOptions): Normalization => new Normalization(options)
