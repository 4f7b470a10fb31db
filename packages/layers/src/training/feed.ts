/** Where the batches of an epoch come from: arrays that are cut and shuffled here, or iterables that give batches as they are. */
import { foldKey, type Key, permutation, ShapeError, type Tensor, ValueError } from '@cotangent/core'
import type { Model } from '../models/model.js'
import { BatchCursor, type BatchData, type BatchSource, isOneShot } from './batch-source.js'
import { requireSample, requireWhole, within } from './checks.js'
import { asColumn, dataByName, identityOrder, type ModelData, type Rows, rowsOf } from './data.js'
import type { Use } from './model-use.js'
import { type Weighting, weightRows } from './sample-weights.js'
import { LateLabels, requireLabels, requireSamples, requireWholeValues } from './value-checks.js'

/** One batch; its tensors are made when asked for, in the scope of whoever asks. */
export interface Batch {
  size: number
  /** One for each input. */
  x(): Tensor[]
  /** One for each output. */
  y(): Tensor[]
  /** Factors of the samples' losses for each output that has any, [n] or [n, t]. */
  weights?: () => (Tensor | undefined)[]
}

export interface Feed {
  /** Batches in an epoch, where that is known. */
  readonly steps: number | undefined
  /** Samples in an epoch, where that is known: then progress counts samples, else steps. */
  readonly samples: number | undefined
  /** Called once before the first epoch. */
  prepare(): Promise<void>
  epoch(epoch: number): Iterable<Batch> | AsyncIterable<Batch>
  /** Called at the end, however it comes. */
  close(): Promise<void>
}

/** Samples with their targets: rows for each input, each output, and where there are any factors for each output. */
export interface Part {
  count: number
  xs: readonly Rows[]
  ys: readonly Rows[]
  weights?: readonly (Rows | undefined)[]
}

/** `fit: x`, or where there are several `fit: x "image"`. */
const label = (what: string, names: readonly string[], i: number): string => (names.length > 1 ? `${what} "${names[i]}"` : what)

/**
 * Rows of the data of each input, with the model built for them.
 *
 * @param wait whether to wait for values that only a device has, to look at them
 */
export async function inputRows(model: Model, what: string, x: ModelData, wait = true): Promise<Rows[]> {
  const ports = (): readonly string[] => (model.built ? model.inputPorts.map((port) => port.name) : ['x'])
  const data = dataByName(what, 'input', ports(), x)
  let rows = data.map((one, i) => rowsOf(label(what, ports(), i), one, model.backend))
  // an empty list says nothing of the shape of a sample
  for (const [i, { count, sampleShape }] of rows.entries()) if (sampleShape.length === 0) requireSamples(label(what, ports(), i), count)
  // As in Keras, plain numbers are samples of one number.
  if (!model.built) rows = rows.map((one) => (one.sampleShape.length === 0 ? asColumn(one) : one))
  if (!model.built) model.build([null, ...rows[0].sampleShape])
  for (const [i, port] of model.inputPorts.entries()) {
    if (rows[i].sampleShape.length === 0 && port.shape.length === 2 && port.shape[1] === 1) rows[i] = asColumn(rows[i])
    requireSample(model, label(what, ports(), i), rows[i].sampleShape, port)
    requireCount(label(what, ports(), i), rows[i], rows[0].count, label('x', ports(), 0))
    await requireWholeValues(label(what, ports(), i), data[i], rows[i], port, wait)
  }
  return rows
}

/**
 * Rows of x and y that a model takes, with the factors of their losses.
 *
 * @param late where there are batches after batches: gets the labels that only a device has, so that no step waits for them
 */
export async function partOf(
  model: Model,
  what: string,
  [x, y]: readonly [x: ModelData, y: ModelData],
  weighting: Weighting = {},
  late?: LateLabels,
): Promise<Part> {
  const xs = await inputRows(model, `${what}x`, x, late === undefined)
  const [{ count }] = xs
  requireSamples(`${what}x`, count)
  const compiled = model.compiled()
  const { outputs } = compiled
  const ports = outputs.map(({ index }) => model.outputPorts[index])
  const names = ports.map((port) => port.name)
  const targets = dataByName(`${what}y`, 'output', names, y).map((data, i) => {
    const rows = rowsOf(label(`${what}y`, names, i), data, model.backend)
    requireCount(label(`${what}y`, names, i), rows, count, 'x')
    return { data, rows }
  })
  for (const [i, { data, rows }] of targets.entries()) {
    const classes = ports[i].shape.at(-1)
    if (outputs[i].loss.sparse && typeof classes === 'number') await requireLabels(label(`${what}y`, names, i), data, rows, classes, late)
  }
  const ys = targets.map(({ rows }) => rows)
  const weighted = weighting.sampleWeight !== undefined || weighting.classWeight !== undefined
  const weights = weighted ? await weightRows(what, ports, targets, weighting, model.backend) : undefined
  // Batches of iterables are tried by their own step; there, an error of the loss comes at the first one.
  if (late === undefined) for (const [i, rows] of ys.entries()) within(`in ${what}y`, () => compiled.tryTargets(i, rows.sampleShape))
  return { count, xs, ys, weights }
}

function requireCount(what: string, rows: Rows, count: number, beside: string): void {
  if (rows.count !== count) throw new ShapeError(`${what}: has ${rows.count} samples, but ${beside} has ${count}.`)
}

/** Samples begin to end of a part. */
export const slicePart = ({ xs, ys, weights }: Part, begin: number, end: number): Part => ({
  count: end - begin,
  xs: xs.map((rows) => rows.slice(begin, end)),
  ys: ys.map((rows) => rows.slice(begin, end)),
  weights: weights?.map((rows) => rows?.slice(begin, end)),
})

/** Samples order[begin..end) of a part as a batch. */
export function batchOf({ inputPorts, dtype }: Model, { xs, ys, weights }: Part, order: Int32Array, begin: number, end: number): Batch {
  return {
    size: end - begin,
    x: () => xs.map((rows, i) => rows.take(order, begin, end, inputPorts[i].dtype)),
    y: () => ys.map((rows) => rows.take(order, begin, end, dtype)),
    ...(weights && { weights: () => weights.map((rows) => rows?.take(order, begin, end, dtype)) }),
  }
}

/** Arrays, in batches, in the order that `order` says for each epoch. */
export class ArrayFeed implements Feed {
  readonly steps: number
  readonly samples: number
  readonly #model: Model
  readonly #part: Part
  readonly #batchSize: number
  readonly #order: (epoch: number) => Int32Array

  constructor(model: Model, part: Part, batchSize: number, order: (epoch: number) => Int32Array = () => identityOrder(part.count)) {
    this.#model = model
    this.#part = part
    this.#batchSize = batchSize
    this.#order = order
    this.samples = part.count
    this.steps = Math.ceil(part.count / batchSize)
  }
  async prepare(): Promise<void> {}
  async close(): Promise<void> {}

  *epoch(epoch: number): Generator<Batch> {
    const order = this.#order(epoch)
    for (let begin = 0; begin < this.samples; begin += this.#batchSize) {
      yield batchOf(this.#model, this.#part, order, begin, Math.min(this.samples, begin + this.#batchSize))
    }
  }
}

/** The order of samples in an epoch. */
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

/** The order of every epoch, each by its own key. */
export const shuffledOrders =
  (count: number, batchSize: number, shuffle: boolean | 'batch', key: Key) =>
  (epoch: number): Int32Array =>
    epochOrder(count, batchSize, shuffle, foldKey(key, epoch))

/** Does work on batches and closes their feeds behind it; an error of the work is what is told, whatever closing does. */
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

export interface SourceOptions {
  steps: number | undefined
  /** What the option for steps is called. */
  stepsOption: string
  /** Begin each epoch at the start, where that is possible, with `steps` too. */
  restart: boolean
  classWeight?: Weighting['classWeight']
  /** Look at the first batch before any is used, so that what is wrong with it is told before training. */
  ahead?: boolean
  /** What asks for the batches, and waits while the source makes one. */
  use?: Use
}

/**
 * An iterable of batches, of which one at a time is held.
 *
 * Without `steps` an epoch is one pass, from the start. With them an epoch is so many batches: of a generator, which can be gone through once, the next
 * ones; likewise in training of what can be gone through again, which then starts anew where it ends.
 */
export class SourceFeed implements Feed {
  readonly samples = undefined
  readonly steps: number | undefined
  readonly #model: Model
  readonly #what: string
  readonly #cursor: BatchCursor
  readonly #options: SourceOptions
  readonly #labels = new LateLabels()

  constructor(model: Model, what: string, source: BatchSource, options: SourceOptions) {
    const { steps, stepsOption } = options
    if (steps !== undefined) requireWhole(`${what}: ${stepsOption}`, steps, 1)
    if (steps === undefined && isOneShot(source)) {
      throw new ValueError(
        `${what}: a generator may have no end, and can be gone through only once. Say with ${stepsOption} how many batches to take from it, or pass ` +
          'an object that starts anew each time: { *[Symbol.iterator]() { … } }.',
      )
    }
    this.#model = model
    this.#what = what
    this.#options = options
    this.#cursor = new BatchCursor(what, source, options.use)
    this.steps = steps ?? (Array.isArray(source) ? source.length : undefined)
  }

  /** Builds the model for the first batch, if it is not; with `ahead` looks at that batch, which stays the first. */
  async prepare(): Promise<void> {
    const { ahead } = this.#options
    if (this.#model.built && !ahead) return
    const first = await this.#cursor.peek()
    if (!first && ahead) throw this.#noBatches()
    if (!first) return
    const where = 'the first batch'
    if (!ahead) return void (await inputRows(this.#model, `${this.#what}: x of ${where}`, first[0], false))
    await this.#batch(first, where)
    this.#labels.dispose() // they are counted when their turn comes
  }

  #noBatches(): ValueError {
    return new ValueError(`${this.#what}: the iterable gave no batches.`)
  }

  async *epoch(epoch: number): AsyncGenerator<Batch> {
    const { steps, stepsOption, restart } = this.#options
    if ((steps === undefined || restart) && !this.#cursor.oneShot) await this.#cursor.restart()
    for (let step = 0; steps === undefined || step < steps; step++) {
      const where = `batch ${step + 1}${this.#what === 'evaluate' ? '' : ` of epoch ${epoch + 1}`}`
      let next = await this.#cursor.next(where)
      if (!next && step > 0 && steps === undefined) break
      if (!next && !this.#cursor.oneShot && !this.#cursor.fresh) {
        await this.#cursor.restart()
        next = await this.#cursor.next(where)
      }
      if (!next) {
        const { taken } = this.#cursor
        if (taken === 0) throw this.#noBatches()
        throw new ValueError(
          steps === undefined
            ? `${this.#what}: the iterable gave ${taken} batches and then none for ${where}: it must start anew each time it is iterated.`
            : `${this.#what}: the iterable ended after ${taken} batches, before ${where}; ${stepsOption} is ${steps}. ` +
                `Let it go on for ever (while (true) { … }), or take a smaller ${stepsOption}.`,
        )
      }
      yield await this.#batch(next, where)
    }
    await this.#labels.check(`${this.#what}: epoch ${epoch + 1}`)
  }

  async #batch([x, y, sampleWeight]: BatchData, where: string): Promise<Batch> {
    const what = `${this.#what}: ${where}: `
    const part = await partOf(this.#model, what, [x, y], { sampleWeight, classWeight: this.#options.classWeight }, this.#labels)
    return batchOf(this.#model, part, identityOrder(part.count), 0, part.count)
  }

  close(): Promise<void> {
    this.#labels.dispose()
    return this.#cursor.close()
  }
}
