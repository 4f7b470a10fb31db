/** A feed gives the batches of an epoch. Arrays are cut and shuffled here. `source-feed.ts` takes batches from iterables as they are. */
import { foldKey, type Key, permutation, ShapeError, type Tensor } from '@cotangent/core'
import { numbersForTexts } from '../text/text-inputs.js'
import { requireSample, within } from './checks.js'
import { asColumn, dataByName, identityOrder, type ModelData, type Rows, rowsOf } from './data.js'
import { type Weighting, weightRows } from './sample-weights.js'
import type { Trainable } from './trainable.js'
import type { Compilable } from './trainer.js'
import { type LateLabels, requireLabels, requireSamples, requireWholeValues } from './value-checks.js'

/** One batch. Its tensors are made when they are asked for, in the scope of the caller. */
export interface Batch {
  size: number
  /** One tensor for each input. */
  x(): Tensor[]
  /** One tensor for each output. */
  y(): Tensor[]
  /** For each output, factors of the samples' losses, [n] or [n, t]; undefined if it has none. */
  weights?: () => (Tensor | undefined)[]
}

/** Gives the batches of each epoch. */
export interface Feed {
  /** Batches in an epoch; undefined if that is not known. */
  readonly steps: number | undefined
  /** Samples in an epoch; undefined if that is not known. Then progress counts steps. */
  readonly samples: number | undefined
  /** Called once before the first epoch. */
  prepare(): Promise<void>
  /**
   * @param from the first batch of it, counted from 0
   * @param passed the number of epochs before it that were gone through elsewhere: a source that goes on from epoch to epoch is moved to its place
   */
  epoch(epoch: number, from?: number, passed?: number): Iterable<Batch> | AsyncIterable<Batch>
  /** Called at the end, also after an error. */
  close(): Promise<void>
}

/** Samples with their targets: rows for each input and each output, and perhaps factors for each output. */
export interface Samples {
  count: number
  xs: readonly Rows[]
  ys: readonly Rows[]
  weights?: readonly (Rows | undefined)[]
}

/** `fit: x`, or `fit: x "image"` if there are several. */
const label = (what: string, names: readonly string[], i: number): string => (names.length > 1 ? `${what} "${names[i]}"` : what)

/**
 * Rows of the data of each input. It builds the model for them if needed.
 *
 * @param wait whether to wait for values that only a device has, in order to check them
 */
export async function inputRows(model: Trainable, what: string, given: ModelData, wait = true): Promise<Rows[]> {
  const x = model.built ? numbersForTexts(model, given) : given
  const ports = (): readonly string[] => (model.built ? model.inputPorts.map((port) => port.name) : ['x'])
  const data = dataByName(what, 'input', ports(), x)
  let rows = data.map((one, i) => rowsOf(label(what, ports(), i), one, model.backend))
  // An empty list does not say the shape of a sample.
  for (const [i, { count, sampleShape }] of rows.entries()) if (sampleShape.length === 0) requireSamples(label(what, ports(), i), count)
  // As in Keras, plain numbers are samples with one number each.
  if (!model.built) rows = rows.map((one) => (one.sampleShape.length === 0 ? asColumn(one) : one))
  if (!model.built) model.build([null, ...rows[0].sampleShape])
  for (const [i, port] of model.inputPorts.entries()) {
    if (rows[i].sampleShape.length === 0 && port.shape.length === 2 && port.shape[1] === 1) rows[i] = asColumn(rows[i])
    requireSample(model, label(what, ports(), i), rows[i].sampleShape, port)
    requireSameCount(label(what, ports(), i), rows[i], rows[0].count, label('x', ports(), 0))
    await requireWholeValues(label(what, ports(), i), data[i], rows[i], port, wait)
  }
  return rows
}

/**
 * Rows of x and y that a model takes, with the factors of their losses. For a step of the user's y may be missing, and is x.
 *
 * @param late for batches from an iterable: collects the labels that only a device has, so that no step waits for them
 */
export async function samplesOf(
  model: Compilable,
  what: string,
  [x, y]: readonly [x: ModelData, y: ModelData | undefined],
  weighting: Weighting = {},
  late?: LateLabels,
): Promise<Samples> {
  const xs = await inputRows(model, `${what}x`, x, late === undefined)
  const [{ count }] = xs
  requireSamples(`${what}x`, count)
  const trainer = model.trainer()
  if (y === undefined && model.trainStep) return { count, xs, ys: xs }
  const { outputs } = trainer
  // Where no output has a loss, the targets are for a step of the user's, in whatever shape they have.
  const ports = outputs.length > 0 ? outputs.map(({ index }) => model.outputPorts[index]) : [{ name: 'y', shape: [null] }]
  const names = ports.map((port) => port.name)
  const targets = dataByName(`${what}y`, 'output', names, y as ModelData).map((data, i) => {
    const rows = rowsOf(label(`${what}y`, names, i), data, model.backend)
    requireSameCount(label(`${what}y`, names, i), rows, count, 'x')
    return { data, rows }
  })
  for (const [i, { data, rows }] of targets.entries()) {
    const classes = ports[i].shape.at(-1)
    const { sparse, ignored } = outputs[i]?.loss ?? {}
    if (sparse && typeof classes === 'number') await requireLabels(label(`${what}y`, names, i), data, rows, classes, late, ignored)
  }
  const ys = targets.map(({ rows }) => rows)
  const weighted = weighting.sampleWeight !== undefined || weighting.classWeight !== undefined
  const weights = weighted ? await weightRows(what, ports, targets, weighting, model.backend) : undefined
  // The loss is tried on the shape of the targets. For batches of iterables, the first step itself does that.
  if (late === undefined) for (const [i, rows] of ys.entries()) within(`in ${what}y`, () => trainer.tryTargets(i, rows.sampleShape))
  return { count, xs, ys, weights }
}

function requireSameCount(what: string, rows: Rows, count: number, beside: string): void {
  if (rows.count !== count) throw new ShapeError(`${what}: has ${rows.count} samples, but ${beside} has ${count}.`)
}

/** Samples begin to end. */
export function sliceSamples({ xs, ys, weights }: Samples, begin: number, end: number): Samples {
  const cut = (rows: Rows): Rows => rows.slice(begin, end)
  const inputs = xs.map(cut)
  return { count: end - begin, xs: inputs, ys: ys === xs ? inputs : ys.map(cut), weights: weights?.map((rows) => rows && cut(rows)) }
}

/** Samples order[begin..end) as a batch. */
export function batchOf(
  { inputPorts, dtype }: Trainable,
  { xs, ys, weights }: Samples,
  order: Int32Array,
  begin: number,
  end: number,
): Batch {
  const x = (): Tensor[] => xs.map((rows, i) => rows.take(order, begin, end, inputPorts[i].dtype))
  return {
    size: end - begin,
    x,
    y: ys === xs ? x : () => ys.map((rows) => rows.take(order, begin, end, dtype)),
    ...(weights && { weights: () => weights.map((rows) => rows?.take(order, begin, end, dtype)) }),
  }
}

/** Batches cut from arrays. `order` gives the order of samples in each epoch. */
export class ArrayFeed implements Feed {
  readonly steps: number
  readonly samples: number
  readonly #model: Trainable
  readonly #samples: Samples
  readonly #batchSize: number
  readonly #order: (epoch: number) => Int32Array

  constructor(
    model: Trainable,
    samples: Samples,
    batchSize: number,
    order: (epoch: number) => Int32Array = () => identityOrder(samples.count),
  ) {
    this.#model = model
    this.#samples = samples
    this.#batchSize = batchSize
    this.#order = order
    this.samples = samples.count
    this.steps = Math.ceil(samples.count / batchSize)
  }
  async prepare(): Promise<void> {}
  async close(): Promise<void> {}

  *epoch(epoch: number, from = 0): Generator<Batch> {
    const order = this.#order(epoch)
    for (let begin = from * this.#batchSize; begin < this.samples; begin += this.#batchSize) {
      yield batchOf(this.#model, this.#samples, order, begin, Math.min(this.samples, begin + this.#batchSize))
    }
  }
}

/** The order of samples in an epoch. 'batch' shuffles whole batches. */
export function epochOrder(count: number, batchSize: number, shuffle: boolean | 'batch', epochKey: Key): Int32Array {
  if (!shuffle) return identityOrder(count)
  if (shuffle === true) return permutation(epochKey, count)
  const whole = Math.floor(count / batchSize)
  const order = identityOrder(count)
  permutation(epochKey, whole).forEach((from, to) => {
    for (let i = 0; i < batchSize; i++) order[to * batchSize + i] = from * batchSize + i
  })
  return order
}

/** The order of every epoch, each by its own key. The key is asked for at each epoch, since a training that is resumed has that of the first. */
export const shuffledOrders =
  (count: number, batchSize: number, shuffle: boolean | 'batch', key: () => Key) =>
  (epoch: number): Int32Array =>
    epochOrder(count, batchSize, shuffle, foldKey(key(), epoch))

/** Does work on batches, then closes their feeds. If the work fails, its error is thrown, whatever closing does. */
export async function withFeeds<Result>(feeds: readonly (Feed | undefined)[], work: () => Promise<Result>): Promise<Result> {
  const closed = async (): Promise<PromiseRejectedResult | undefined> => {
    const results = await Promise.allSettled(feeds.map((feed) => feed?.close()))
    return results.find((result) => result.status === 'rejected')
  }
  let result: Result
  try {
    result = await work()
  } catch (error) {
    await closed()
    throw error
  }
  const failed = await closed()
  if (failed) throw failed.reason
  return result
}
