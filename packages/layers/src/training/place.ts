/** The place of a training, which a callback may save and go on from. */
import { ValueError } from '@cotangent/core'
import type { TrainPlace } from '../callbacks/callback.js'
import { loadTotals, saveTotals, type Totals } from './totals.js'
import type { Compilable } from './trainer.js'

/** The epoch and batch that come next, and what else the rest of a training depends on. */
export class Place {
  epoch: number
  batch = 0
  /** Samples or steps of the epoch that are done, for the progress line. */
  done = 0
  readonly #model: Compilable
  /** The epoch of the first batch that this process gets from its source. */
  readonly #first: number
  /** The place to go on from, until its epoch begins. */
  #resumed?: TrainPlace
  /** The epochs before it. */
  #passed = 0
  #totals?: Totals
  /** The rate before callbacks set that of the epoch. */
  #rateBefore?: number
  #validated = false

  constructor(model: Compilable, initialEpoch: number) {
    this.#model = model
    this.#first = initialEpoch
    this.epoch = initialEpoch
  }

  async save(): Promise<TrainPlace> {
    const { epoch, batch, done } = this
    const trainer = this.#model.trainer()
    const { optimizer, ownSteps } = trainer
    const begun = this.#totals && batch > 0 ? await saveTotals(this.#totals) : { numbers: {}, arrays: {} }
    const rates: Record<string, number> = optimizer.schedule
      ? {}
      : { rate: optimizer.learningRate, rateBefore: this.#rateBefore ?? optimizer.learningRate }
    return { numbers: { ...begun.numbers, ...rates, epoch, batch, done, seed: this.#model.seed, ownSteps }, arrays: begun.arrays }
  }

  resume(place: TrainPlace): void {
    const { epoch, batch, done, seed, ownSteps } = place.numbers
    for (const n of [epoch, batch, done, seed, ownSteps])
      if (!Number.isSafeInteger(n) || n < 0) throw new ValueError('fit: resume: expected what place() gave.')
    Object.assign(this, { epoch, batch, done })
    this.#model.drawAs(seed)
    this.#model.trainer().ownSteps = ownSteps
    this.#resumed = place
    this.#passed = Math.max(0, epoch - this.#first)
  }

  /** Begins an epoch. Where it was begun before, its sums are put back, and the rate that callbacks had set by then. */
  async begin(epoch: number, totals: Totals, tell: () => Promise<void>): Promise<void> {
    const { optimizer } = this.#model.trainer()
    const place = this.#resumed
    this.#resumed = undefined
    this.epoch = epoch
    if (!place) [this.batch, this.done] = [0, 0]
    const { rate, rateBefore } = place?.numbers ?? {}
    if (rateBefore !== undefined && !optimizer.schedule) optimizer.learningRate = rateBefore
    this.#rateBefore = optimizer.schedule ? undefined : optimizer.learningRate
    this.#totals = totals
    await tell()
    if (!place || this.batch === 0) return
    loadTotals(totals, place, this.#model.backend)
    if (rate !== undefined && !optimizer.schedule) optimizer.learningRate = rate
  }

  /** The epochs that a source has to pass before its first batch; 0 from the second call on. */
  passed(): number {
    const passed = this.#passed
    this.#passed = 0
    return passed
  }

  /** The validations that were done before this process went on; 0 from its second one on. */
  validations(epoch: number, every: number): number {
    if (this.#validated) return 0
    this.#validated = true
    let passed = 0
    for (let e = this.#first; e < epoch; e++) if ((e + 1) % every === 0) passed++
    return passed
  }

  /** A batch is done. */
  next(done: number): void {
    this.batch++
    this.done = done
  }

  /** The epoch is done, and validated. */
  end(): void {
    this.epoch++
    this.batch = 0
    this.done = 0
    this.#totals = undefined
    this.#rateBefore = undefined
  }
}
