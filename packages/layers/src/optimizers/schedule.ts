/** The contract of a learning-rate schedule, and the reading of its options. */
import { ValueError } from '@cotangent/core'
import { requireBoolean, requireNumber } from '@cotangent/core/arguments'
import { type Rule, readOptions } from '../spelling/names.js'
import { fromZero, listOf, number, orNull } from '../spelling/rules.js'

/**
 * A learning rate that depends on the step. Extend it for a schedule of your own.
 *
 * @example
 * ```ts
 * const schedule = exponentialDecay({ initialLearningRate: 0.1, decaySteps: 1000, decayRate: 0.5 })
 * const optimizer = sgd({ learningRate: schedule })
 * console.log(optimizer.learningRate, schedule.at(1000))   // 0.1 0.05
 * ```
 */
export abstract class LearningRateSchedule {
  /** Keras' class name: `ExponentialDecay`. */
  abstract readonly className: string
  /** The rate of a step; the first step is 0. */
  abstract at(step: number): number
  /** The options that make an equal schedule. */
  abstract getConfig(): Record<string, unknown>
}

const rules: Readonly<Record<string, Rule>> = {
  initialLearningRate: fromZero,
  decaySteps: number({ above: 0 }),
  firstDecaySteps: number({ above: 0 }),
  tMul: number({ least: 1 }),
  mMul: fromZero,
  decayRate: fromZero,
  staircase: requireBoolean,
  endLearningRate: fromZero,
  power: number({}),
  cycle: requireBoolean,
  boundaries: listOf(fromZero),
  values: listOf(fromZero),
  alpha: fromZero,
  warmupTarget: orNull(fromZero),
  warmupSteps: fromZero,
}

/** @internal The given options over the defaults; options without one must be given. */
export function readSchedule<Options extends object>(
  what: string,
  given: object,
  required: readonly (keyof Options & string)[],
  rest: object,
): Options {
  const blank = Object.fromEntries(required.map((name) => [name, undefined]))
  const example = `${what}({ ${required.join(', ')} })`
  const options = readOptions<object>(what, given ?? {}, { ...blank, ...rest }, rules, example) as Options
  for (const name of required) {
    if (options[name] === undefined) throw new ValueError(`${what}: ${name} is missing. It needs ${required.join(', ')}: ${example}.`)
  }
  return options
}

/** @internal Throws unless a step is a number, at least 0. */
export const requireStep = (what: string, step: number): void => requireNumber(`${what}.at`, 'step', step, { least: 0 })
