/** Where the batches of an epoch come from: arrays that are cut and shuffled here, or iterables that give batches as they are. */
import { type DType, foldKey, type Key, permutation, ShapeError, type Tensor, ValueError } from '@cotangent/core'
import { BatchCursor, type BatchSource, isOneShot } from './batch-source.js'
import { requireWhole, targetRows } from './checks.js'
import { type Data, identityOrder, type Rows, rowsOf } from './data.js'
import type { Model } from './model.js'

/** One batch; its tensors are made when asked for, in the scope of whoever asks. */
export interface Batch {
  size: number
  x(): Tensor
  y(): Tensor
  /** Factors of the samples' losses, [n]. */
  weights?: () => Tensor
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

/** Inputs and targets, one for each. */
export interface Part {
  x: Rows
  y: Rows
}

/** Rows of x and y that a model takes. */
export function partOf(model: Model, what: string, x: Data, y: Data): Part {
  const inputs = model.inputRows(`${what}x`, x)
  return { x: inputs, y: targetRows(model, `${what}y`, y, inputs.count) }
}

/** Arrays, in batches, in the order that `order` says for each epoch. */
export class ArrayFeed implements Feed {
  readonly steps: number
  readonly samples: number
  readonly #part: Part
  readonly #batchSize: number
  readonly #dtype: DType
  readonly #order: (epoch: number) => Int32Array

  constructor(part: Part, batchSize: number, dtype: DType, order: (epoch: number) => Int32Array = () => identityOrder(part.x.count)) {
    this.#part = part
    this.#batchSize = batchSize
    this.#dtype = dtype
    this.#order = order
    this.samples = part.x.count
    this.steps = Math.ceil(part.x.count / batchSize)
  }
  async prepare(): Promise<void> {}
  async close(): Promise<void> {}

  *epoch(epoch: number): Generator<Batch> {
    const order = this.#order(epoch)
    const { x, y } = this.#part
    for (let begin = 0; begin < this.samples; begin += this.#batchSize) {
      const end = Math.min(this.samples, begin + this.#batchSize)
      yield { size: end - begin, x: () => x.take(order, begin, end, this.#dtype), y: () => y.take(order, begin, end, this.#dtype) }
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
  readonly #options: { steps: number | undefined; stepsOption: string; restart: boolean }

  /** @param options.restart begin each epoch at the start, where that is possible, with `steps` too */
  constructor(
    model: Model,
    what: string,
    source: BatchSource,
    options: { steps: number | undefined; stepsOption: string; restart: boolean },
  ) {
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
    this.#cursor = new BatchCursor(what, source)
    this.steps = steps ?? (Array.isArray(source) ? source.length : undefined)
  }

  /** Builds the model for the first batch, if it is not. */
  async prepare(): Promise<void> {
    if (this.#model.built) return
    const first = await this.#cursor.peek()
    if (first) this.#model.inputRows(`${this.#what}: x of the first batch`, first[0])
  }

  async *epoch(epoch: number): AsyncGenerator<Batch> {
    const { steps, stepsOption, restart } = this.#options
    if ((steps === undefined || restart) && !this.#cursor.oneShot) await this.#cursor.restart()
    for (let step = 0; steps === undefined || step < steps; step++) {
      const where = `batch ${step + 1}${this.#what === 'evaluate' ? '' : ` of epoch ${epoch + 1}`}`
      let next = await this.#cursor.next(where)
      if (!next && step > 0 && steps === undefined) return
      if (!next && !this.#cursor.oneShot && !this.#cursor.fresh) {
        await this.#cursor.restart()
        next = await this.#cursor.next(where)
      }
      if (!next) {
        const { taken } = this.#cursor
        throw new ValueError(
          taken === 0
            ? `${this.#what}: the iterable gave no batches.`
            : steps === undefined
              ? `${this.#what}: the iterable gave ${taken} batches and then none for ${where}: it must start anew each time it is iterated.`
              : `${this.#what}: the iterable ended after ${taken} batches, before ${where}; ${stepsOption} is ${steps}. ` +
                `Let it go on for ever (while (true) { … }), or take a smaller ${stepsOption}.`,
        )
      }
      yield this.#batch(next, where)
    }
  }

  #batch([x, y, weights]: readonly [x: Data, y: Data, weights?: Data], where: string): Batch {
    const what = `${this.#what}: ${where}: `
    const part = partOf(this.#model, what, x, y)
    const { count } = part.x
    if (count === 0) throw new ShapeError(`${what}there are no samples.`)
    const { dtype, backend } = this.#model
    const order = identityOrder(count)
    const factors = weights === undefined ? undefined : rowsOf(`${what}sampleWeight`, weights, backend)
    if (factors && (factors.count !== count || factors.sampleShape.length > 0)) {
      throw new ShapeError(
        `${what}sampleWeight has shape [${[factors.count, ...factors.sampleShape].join(', ')}], expected one number a sample, [${count}].`,
      )
    }
    return {
      size: count,
      x: () => part.x.take(order, 0, count, dtype),
      y: () => part.y.take(order, 0, count, dtype),
      ...(factors && { weights: () => factors.take(order, 0, count, dtype) }),
    }
  }

  close(): Promise<void> {
    return this.#cursor.close()
  }
}
