/** Batches from iterables, sync or async: taken one by one, with messages that say which one failed. */
import { CotangentError, Tensor, ValueError } from '@cotangent/core'
import { describeValue } from '@cotangent/core/arguments'
import type { ModelData } from './data.js'
import { paused, type Use } from './model-use.js'

/** What an iterable gives: inputs, targets, and factors of the samples' losses. Tensors stay whose they are. */
export type BatchData = readonly [x: ModelData, y: ModelData, sampleWeight?: ModelData]

/**
 * Batches, one after another: an array, a generator, or anything else that can be iterated.
 *
 * @example
 * ```ts
 * function* windows() {
 *   for (let i = 0; ; i = (i + 16) % 64) yield [x.slice([i, 0], [16, 8]), y.slice([i, 0], [16, 4])] as const
 * }
 * await model.fit(windows(), { stepsPerEpoch: 4, epochs: 2 })
 * ```
 */
export type BatchSource = Iterable<BatchData> | AsyncIterable<BatchData>

type AnyIterator = Iterator<BatchData> | AsyncIterator<BatchData>

/** Whether a value can be iterated. */
export const isSource = (value: unknown): value is BatchSource =>
  typeof value === 'object' && value !== null && !(value instanceof Tensor) && (Symbol.iterator in value || Symbol.asyncIterator in value)

const iteratorOf = (source: BatchSource): AnyIterator =>
  Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : (source as Iterable<BatchData>)[Symbol.iterator]()

/** Whether it is its own iterator, as a generator is: it can be gone through once. */
export const isOneShot = (source: BatchSource): boolean => 'next' in source && typeof source.next === 'function'

/** A place in a source. */
export class BatchCursor {
  readonly oneShot: boolean
  /** Batches taken in all. */
  taken = 0
  /** Whether nothing was taken since the start. */
  fresh = true
  readonly #what: string
  readonly #source: BatchSource
  readonly #use?: Use
  #iterator?: AnyIterator
  #peeked?: IteratorResult<BatchData>

  /** @param use what asks for the batches, and waits while the source makes one */
  constructor(what: string, source: BatchSource, use?: Use) {
    this.#what = what
    this.#use = use
    this.#source = source
    this.oneShot = isOneShot(source)
  }

  /** The next batch, which stays there. */
  async peek(): Promise<BatchData | undefined> {
    this.#peeked ??= await this.#advance('the first batch')
    return this.#peeked.done ? undefined : this.#read(this.#peeked.value, 'the first batch')
  }

  /** The next batch; undefined at the end. */
  async next(where: string): Promise<BatchData | undefined> {
    const result = this.#peeked ?? (await this.#advance(where))
    this.#peeked = undefined
    if (result.done) return undefined
    this.taken++
    this.fresh = false
    return this.#read(result.value, where)
  }

  async #advance(where: string): Promise<IteratorResult<BatchData>> {
    try {
      const result: unknown = await paused(this.#use, () => {
        this.#iterator ??= iteratorOf(this.#source)
        return this.#iterator.next()
      })
      if (typeof result === 'object' && result !== null) return result as IteratorResult<BatchData>
      throw new ValueError(`next() gave ${describeValue(result)}, expected { value, done }`)
    } catch (error) {
      this.#iterator = undefined // it is over: nobody may ask it again, nor close it
      throw this.#failed(`at ${where}`, error)
    }
  }

  #failed(when: string, error: unknown): CotangentError {
    const message = error instanceof Error ? error.message : String(error)
    return new CotangentError(`${this.#what}: the iterable failed ${when}: ${message}`, { cause: error })
  }

  #read(value: unknown, where: string): BatchData {
    if (Array.isArray(value) && (value.length === 2 || value.length === 3)) return value as unknown as BatchData
    throw new ValueError(`${this.#what}: ${where}: expected [x, y] or [x, y, sampleWeight], the iterable gave ${describeValue(value)}.`)
  }

  /** Goes back to the start; nothing happens there. */
  async restart(): Promise<void> {
    if (this.fresh) return
    await this.close()
    this.#peeked = undefined
    this.fresh = true
  }

  /** Tells an iterator made here that nobody will ask again; a generator that was given stays open, for a next call. */
  async close(): Promise<void> {
    if (this.oneShot) return
    const iterator = this.#iterator
    this.#iterator = undefined
    try {
      await paused(this.#use, () => iterator?.return?.())
    } catch (error) {
      throw this.#failed('when it was closed', error)
    }
  }
}
