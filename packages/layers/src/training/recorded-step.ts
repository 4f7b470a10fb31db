/**
 * Steps of training that are recorded (`compileStep` of core). A step takes the batch, the key, and the running sums of the epoch; it gives the sums after it.
 * So everything that changes from step to step is an argument, a parameter, or a number of the optimizer's.
 */
import { type CompiledStep, compileStep, type Key, type StepArgument, type StepInfo, Tensor } from '@cotangent/core'
import { Layer } from '../layer.js'
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

/** The sums of an epoch after a step, in the order of the arguments; and what the step added on the host. */
interface Sums {
  readonly tensors: readonly Tensor[]
  /** For each metric, the samples that it counted. */
  readonly samples: readonly number[]
  readonly added: readonly string[]
}

/** Steps of a trainer. */
export class RecordedSteps {
  /** A step for each arrangement of arguments. */
  readonly #steps = new Map<string, CompiledStep<readonly StepArgument[], Sums>>()
  #last?: CompiledStep<readonly StepArgument[], Sums>
  readonly #program: (batch: StepBatch, totals: Totals) => void
  readonly #newTotals: () => Totals
  /** Says on what a step depends beside its arguments. */
  readonly #state: () => string

  /**
   * @param program a step: it trains, and adds to the totals
   * @param state says what must be the same for a recorded step to be right
   */
  constructor(program: (batch: StepBatch, totals: Totals) => void, newTotals: () => Totals, state: () => string) {
    this.#program = program
    this.#newTotals = newTotals
    this.#state = state
  }

  /** Trains on a batch, and moves the totals on. */
  run({ xs, ys, factors = [], key }: StepBatch, totals: Totals): void {
    const metrics = totals.metrics.flat()
    const sums = [...totals.losses, ...metrics.map((state) => state.running?.totals), ...totals.added.values()]
    const batch = [...xs, ...ys, ...factors]
    const given = [...batch, ...sums]
    const names = [...totals.added.keys()]
    const arrangement = JSON.stringify([
      xs.length,
      ys.length,
      given.map((tensor) => tensor !== undefined),
      totals.losses.length,
      names,
      this.#state(),
    ])
    let step = this.#steps.get(arrangement)
    if (!step) {
      step = compileStep(this.#stepFor(given, [xs.length, ys.length, factors.length, totals.losses.length], names))
      this.#steps.set(arrangement, step)
    }
    this.#last = step
    const after = step(key, ...given.filter((tensor) => tensor !== undefined))
    const before = sums.filter((tensor) => tensor !== undefined)
    totals.samples += ys[0].shape[0]
    const { length } =
      totals.losses.length > 0 ? totals.losses : after.tensors.slice(0, after.tensors.length - metrics.length - after.added.length)
    totals.losses = after.tensors.slice(0, length).map((sum) => sum.keep())
    for (const [i, { running }] of metrics.entries()) {
      if (!running) continue
      running.totals = after.tensors[length + i].keep()
      running.samples += after.samples[i]
    }
    for (const [i, name] of after.added.entries()) totals.added.set(name, after.tensors[length + metrics.length + i].keep())
    for (const sum of before) sum.dispose()
  }

  /** How the last step ran. */
  get info(): StepInfo {
    return this.#last?.info() ?? { recorded: false, reason: 'there was no step yet' }
  }

  dispose(): void {
    for (const step of this.#steps.values()) step.dispose()
    this.#steps.clear()
  }

  /** The program for one arrangement of arguments. */
  #stepFor(
    given: readonly (Tensor | undefined)[],
    [xs, ys, factors, losses]: readonly number[],
    names: readonly string[],
  ): (...values: readonly StepArgument[]) => Sums {
    const present = given.map((tensor) => tensor !== undefined)
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
      const metrics = totals.metrics.flat()
      // The step frees the sums that it is given once it has added to them: these are views, and the tensors stay the caller's.
      const own = (sum: Tensor | undefined): Tensor | undefined => sum && viewOf(sum)
      totals.losses = take(losses).map(own) as Tensor[]
      for (const { running } of metrics) if (running) running.totals = own(take(1)[0])
      for (const name of names) totals.added.set(name, own(take(1)[0]) as Tensor)
      this.#program(batch, totals)
      return {
        tensors: [...totals.losses, ...metrics.map(({ running }) => running?.totals as Tensor), ...totals.added.values()],
        samples: metrics.map(({ running }) => running?.samples ?? 0),
        added: [...totals.added.keys()],
      }
    }
  }
}

const viewOf = (x: Tensor): Tensor => x.reshape([1, ...x.shape]).reshape(x.shape)

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
    for (const { metric } of metrics)
      if (!(isOurs(metric) || metric.savedForm) || !metric.start().running) return `the metric ${metric.name}`
  }
  return undefined
}

/** Whether the value of a property is an activation, regularizer or constraint that is a function of the user's. */
function isUsers(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || value instanceof Tensor || value instanceof Layer) return false
  const called = value as { call?: unknown; builtIn?: boolean }
  return typeof called.call === 'function' && !called.builtIn && !isOurs(value)
}
