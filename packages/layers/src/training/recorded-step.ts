/**
 * Steps of training that are recorded (`compileStep` of core). A step takes the batch, the key, and the running sums of the epoch; it gives the sums after it.
 * So everything that changes from step to step is an argument, a parameter, or a number of the optimizer's.
 */
import { type CompiledStep, compileStep, type Key, type StepArgument, type StepInfo, Tensor, viewOf } from '@cotangent/core'
import { Layer } from '../layer.js'
import type { RunningSums } from '../metrics/state.js'
import { isOurs } from '../own-classes.js'
import type { CompiledOutput } from './compile-options.js'
import type { Totals } from './totals.js'
import type { Part } from './trainable.js'

/** A batch, as a step of the trainer takes it. */
export interface StepBatch {
  readonly xs: readonly Tensor[]
  readonly ys: readonly Tensor[]
  readonly factors?: readonly (Tensor | undefined)[]
  readonly key: Key
}

/** The sums of an epoch after a step; and for each metric, the samples that the step counted on the host. */
interface Sums {
  readonly losses: readonly Tensor[]
  readonly metrics: readonly Tensor[]
  readonly added: Readonly<Record<string, Tensor>>
  readonly samples: readonly number[]
}

/** Arrangements of arguments that are kept: with and without sums, factors, and frozen layers. */
const MOST_ARRANGEMENTS = 16

/** Which arguments a step has, and on what it depends beside them. */
interface Arrangement {
  readonly counts: readonly number[]
  readonly present: readonly boolean[]
  readonly names: readonly string[]
  readonly state: readonly unknown[]
  readonly step: CompiledStep<readonly StepArgument[], Sums>
}

/** Whether two lists have the same items. */
const sameItems = (a: readonly unknown[], b: readonly unknown[]): boolean => {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** Steps of a trainer. */
export class RecordedSteps {
  readonly #arrangements: Arrangement[] = []
  #last?: CompiledStep<readonly StepArgument[], Sums>
  readonly #program: (batch: StepBatch, totals: Totals) => void
  readonly #newTotals: () => Totals
  /** Says on what a step depends beside its arguments. */
  readonly #state: () => readonly unknown[]

  /**
   * @param program a step: it trains, and adds to the totals
   * @param state says what must be the same for a recorded step to be right
   */
  constructor(program: (batch: StepBatch, totals: Totals) => void, newTotals: () => Totals, state: () => readonly unknown[]) {
    this.#program = program
    this.#newTotals = newTotals
    this.#state = state
  }

  /** Trains on a batch, and moves the totals on. */
  run({ xs, ys, factors = [], key }: StepBatch, totals: Totals): void {
    const metrics = runningIn(totals)
    const sums = [...totals.losses, ...metrics.map((running) => running.totals), ...totals.added.values()]
    const given = [...xs, ...ys, ...factors, ...sums]
    const present = given.map((tensor) => tensor !== undefined)
    const counts = [xs.length, ys.length, factors.length, totals.losses.length]
    const { step } = this.#arrangement(counts, present, [...totals.added.keys()])
    this.#last = step
    const after = step(key, ...given.filter((tensor) => tensor !== undefined))
    totals.samples += ys[0].shape[0]
    totals.losses = after.losses.map((sum) => sum.keep())
    for (let i = 0; i < metrics.length; i++) {
      metrics[i].totals = after.metrics[i].keep()
      metrics[i].samples += after.samples[i]
    }
    for (const name in after.added) totals.added.set(name, after.added[name].keep())
    for (const sum of sums) sum?.dispose()
  }

  /** The arrangement of these arguments, as it is known or new. */
  #arrangement(counts: readonly number[], present: readonly boolean[], names: readonly string[]): Arrangement {
    const all = this.#arrangements
    const state = this.#state()
    for (const known of all)
      if (
        sameItems(known.counts, counts) &&
        sameItems(known.present, present) &&
        sameItems(known.names, names) &&
        sameItems(known.state, state)
      )
        return known
    if (all.length >= MOST_ARRANGEMENTS) this.dispose()
    const made = { counts, present, names, state, step: compileStep(this.#stepFor(present, counts, names)) }
    all.push(made)
    return made
  }

  /** How the last step ran. */
  get info(): StepInfo {
    return this.#last?.info() ?? { recorded: false, reason: 'there was no step yet' }
  }

  dispose(): void {
    for (const { step } of this.#arrangements) step.dispose()
    this.#arrangements.length = 0
  }

  /** The program for one arrangement of arguments. */
  #stepFor(
    present: readonly boolean[],
    [xs, ys, factors, losses]: readonly number[],
    names: readonly string[],
  ): (...values: readonly StepArgument[]) => Sums {
    return (key, ...values) => {
      let at = 0
      const all = present.map((is) => (is ? (values[at++] as Tensor) : undefined))
      const take = (count: number): (Tensor | undefined)[] => all.splice(0, count)
      const batch: StepBatch = {
        key: key as Key,
        xs: take(xs) as Tensor[],
        ys: take(ys) as Tensor[],
        factors: factors > 0 ? take(factors) : undefined,
      }
      const totals = this.#newTotals()
      const metrics = runningIn(totals)
      // The step frees the sums that it is given once it has added to them: these are views, and the tensors stay the caller's.
      const own = (sum: Tensor | undefined): Tensor | undefined => sum && viewOf(sum)
      totals.losses = take(losses).map(own) as Tensor[]
      for (const running of metrics) running.totals = own(take(1)[0])
      for (const name of names) totals.added.set(name, own(take(1)[0]) as Tensor)
      this.#program(batch, totals)
      return {
        losses: totals.losses,
        metrics: metrics.map((running) => running.totals as Tensor),
        added: Object.fromEntries(totals.added),
        samples: metrics.map(({ samples }) => samples),
      }
    }
  }
}

/** The sums of all metrics: `unknownMetric` sees to it that each has them. */
const runningIn = (totals: Totals): RunningSums[] => totals.metrics.flat().map(({ running }) => running as RunningSums)

/** The first metric that remembers more than sums of ours, which a recorded step can carry on; undefined if there is none. */
export const unknownMetric = (outputs: readonly CompiledOutput[]): string | undefined =>
  outputs.flatMap(({ metrics }) => metrics).find(({ metric }) => !metric.start().running)?.metric.name

/** The first part of a training that is the user's code, in words; undefined if all are of this package. */
export function userCodeIn(model: Part, parts: readonly Part[], outputs: readonly CompiledOutput[], optimizer: object): string | undefined {
  for (const part of [model, ...parts]) {
    if (!isOurs(part)) return `the layer ${(part as { name?: string }).name}`
    const own = Object.entries(part).find(([, value]) => isUsers(value))
    if (own) return `${own[0]} of the layer ${(part as { name?: string }).name}`
  }
  if (!isOurs(optimizer)) return 'the optimizer'
  for (const { loss, metrics } of outputs) {
    if (loss.options === undefined) return `the loss ${loss.name}`
    const own = metrics.find(({ metric }) => !isOurs(metric) && !metric.savedForm)
    if (own) return `the metric ${own.metric.name}`
  }
  return undefined
}

/** Whether the value of a property is an activation, regularizer or constraint that is a function of the user's. */
function isUsers(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || value instanceof Tensor || value instanceof Layer) return false
  const called = value as { call?: unknown; builtIn?: boolean }
  return typeof called.call === 'function' && !called.builtIn && !isOurs(value)
}
