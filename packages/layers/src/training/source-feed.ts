/** A feed of batches from an iterable, taken one by one. Its messages say which batch failed. */
import { CotangentError, ValueError } from '@cotangent/core'
import { describeValue } from '@cotangent/core/arguments'
import { type BatchData, type BatchIterator, type BatchSource, isOneShot, iteratorOf } from './batch-source.js'
import { requireSteps } from './checks.js'
import { countingTo } from './data.js'
import { type Batch, batchOf, type Feed, inputRows, samplesOf } from './feed.js'
import { paused, type Use } from './model-use.js'
import type { Weighting } from './sample-weights.js'
import type { Compilable } from './trainer.js'
import { LateLabels } from './value-checks.js'

/** Options of a `SourceFeed`. */
export interface SourceOptions {
  /** Batches in an epoch; undefined: one pass of the iterable. */
  steps: number | undefined
  /** The name of the option that `steps` comes from. */
  stepsOption: string
  /** Start each epoch at the beginning if that is possible, also with `steps`. */
  restart: boolean
  classWeight?: Weighting['classWeight']
  /** Check the first batch before training, so that its errors come early. */
  ahead?: boolean
  /** The use that asks for batches. It waits while the source makes one. */
  use?: Use
}

/**
 * Batches from an iterable. One batch at a time is held.
 *
 * Without `steps`, an epoch is one pass from the start. With `steps`, an epoch takes the next `steps` batches. A generator is consumed once; other iterables
 * restart when they end.
 */
export class SourceFeed implements Feed {
  readonly samples = undefined
  readonly steps: number | undefined
  readonly #model: Compilable
  readonly #what: string
  readonly #cursor: BatchCursor
  readonly #options: SourceOptions
  readonly #labels = new LateLabels()

  constructor(model: Compilable, what: string, source: BatchSource, options: SourceOptions) {
    const { steps, stepsOption } = options
    if (steps !== undefined) requireSteps(`${what}: ${stepsOption}`, steps, 1)
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

  /** Builds the model for the first batch, if it is not built. With `ahead`, it checks that batch. The batch is used again by the first epoch. */
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

  async *epoch(epoch: number, from = 0, passed = 0): AsyncGenerator<Batch> {
    const { steps, stepsOption, restart } = this.#options
    const anew = (steps === undefined || restart) && !this.#cursor.oneShot
    if (anew) await this.#cursor.restart()
    for (let left = from + (anew ? 0 : passed * (steps ?? 0)); left > 0; left--) await this.#next('a batch before the place to go on from')
    for (let step = from; steps === undefined || step < steps; step++) {
      const where = `batch ${step + 1}${this.#what === 'evaluate' ? '' : ` of epoch ${epoch + 1}`}`
      const next = steps === undefined && step > 0 ? await this.#cursor.next(where) : await this.#next(where)
      if (!next && step > 0 && steps === undefined) break
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

  /** Takes a batch. A source that has ended starts anew if it can. */
  async #next(where: string): Promise<BatchData | undefined> {
    const next = await this.#cursor.next(where)
    if (next || this.#cursor.oneShot || this.#cursor.fresh) return next
    await this.#cursor.restart()
    return this.#cursor.next(where)
  }

  async #batch([x, y, sampleWeight]: BatchData, where: string): Promise<Batch> {
    const what = `${this.#what}: ${where}: `
    const samples = await samplesOf(this.#model, what, [x, y], { sampleWeight, classWeight: this.#options.classWeight }, this.#labels)
    return batchOf(this.#model, samples, countingTo(samples.count), 0, samples.count)
  }

  close(): Promise<void> {
    this.#labels.dispose()
    return this.#cursor.close()
  }
}

/** A position in a source. */
class BatchCursor {
  readonly oneShot: boolean
  /** The number of batches taken so far. */
  taken = 0
  /** Whether nothing was taken since the start. */
  fresh = true
  readonly #what: string
  readonly #source: BatchSource
  readonly #use?: Use
  #iterator?: BatchIterator
  #peeked?: IteratorResult<BatchData>

  /** @param use the use that asks for batches, and waits while the source makes one */
  constructor(what: string, source: BatchSource, use?: Use) {
    this.#what = what
    this.#use = use
    this.#source = source
    this.oneShot = isOneShot(source)
  }

  /** The next batch, without taking it. */
  async peek(): Promise<BatchData | undefined> {
    this.#peeked ??= await this.#advance('the first batch')
    return this.#peeked.done ? undefined : this.#read(this.#peeked.value, 'the first batch')
  }

  /** Takes the next batch; undefined at the end. */
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
      this.#iterator = undefined // a failed iterator must be neither asked again nor closed
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

  /** Goes back to the start, unless it is there. */
  async restart(): Promise<void> {
    if (this.fresh) return
    await this.close()
    this.#peeked = undefined
    this.fresh = true
  }

  /** Ends an iterator that was made here. A generator that the user gave stays open for a later call. */
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
