/**
 * A rule of an optimizer, and what runs it. A rule is a formula for each element (an update program of core), or a function where one element's change
 * depends on others: norms, factors, products of matrices.
 */
import { applyUpdates, eachStep, type Parameter, type Tensor, type UpdateProgram, updateProgram } from '@cotangent/core'

/** A parameter with its gradient and the slots that the rule uses. */
export interface Target {
  readonly w: Parameter
  readonly g: Tensor
  readonly slots: readonly Parameter[]
}

/** A formula for each element. The slots of its program are the parameter and then the slots in use; its input is the gradient. */
interface Formula {
  readonly program: UpdateProgram
  readonly scalars: readonly number[]
}

/** Changes a parameter and its slots by ops; for rules that are no formula for each element. */
interface Change {
  /** The lists of numbers of a parameter's change that differ from step to step. */
  numbers(w: Parameter): readonly (readonly number[])[]
  /** @param numbers lists as `numbers` gives them: for `applyUpdate`, or `numberOfStep` */
  change(target: Target, numbers: readonly (readonly number[])[]): void
}

/** A rule at its rate. Each step has its own. */
export interface RuleNow {
  readonly rule: Rule
  /** The rate of the weights' decay. */
  readonly rate: number
}

/** The rule of one step. */
export type Rule = (Formula | Change) & {
  /** Parameters that follow another rule. */
  readonly except?: { of(w: Parameter): boolean; rule: Rule }
  /** λ for the parameters of this rule, if it is not that of the optimizer. */
  readonly weightDecay?: number | null
}

/** w ← w − rate·u */
export const descent = updateProgram('descend', { slots: 1, inputs: 1, scalars: 1 }, ([w], [u], [rate]) => [w.sub(rate.mul(u))])

/** w ← w − ηλ·w */
const decay = updateProgram('decayWeights', { slots: 1, inputs: 0, scalars: 1 }, ([w], _, [share]) => [w.sub(share.mul(w))])

const decaying = new WeakMap<UpdateProgram, UpdateProgram>()
/** The same program with w − share·w in the place of w; `share` is a further scalar, the last. The decay costs no pass over memory of its own. */
function withDecay(program: UpdateProgram, scalar: number): UpdateProgram {
  const known = decaying.get(program)
  if (known) return known
  const shifted = program.steps.map(({ kernel, arguments: values }) => ({
    kernel,
    arguments: values.map((value) =>
      'step' in value ? { step: value.step + 2 } : 'slot' in value && value.slot === 0 ? { step: 1 } : value,
    ),
  }))
  const [first, second] = decay.steps.map(({ kernel, arguments: values }) => ({
    kernel,
    arguments: values.map((value) => ('scalar' in value ? { scalar } : value)),
  }))
  const whole = { name: `${program.name} with decay`, steps: [first, second, ...shifted], results: program.results.map((step) => step + 2) }
  decaying.set(program, whole)
  return whole
}

/**
 * Runs a rule. Parameters that decay are first shrunk by rate·λ.
 *
 * @param now the rule of the step that runs. In a compiled step it is asked again in each step, for the numbers of that step
 * @param weightDecay λ; null for no decay
 * @param decays whether a parameter decays
 */
export function applyRule(
  now: () => RuleNow,
  targets: readonly Target[],
  weightDecay: number | null,
  decays: (w: Parameter) => boolean,
): void {
  const { rule } = now()
  const { except } = rule
  const own = except ? targets.filter(({ w }) => !except.of(w)) : targets
  const share = (): number => now().rate * ((rule.weightDecay === undefined ? weightDecay : rule.weightDecay) ?? 0)
  const shrinking = share() === 0 ? [] : own.filter(({ w }) => decays(w))
  const others = shrinking.length === 0 ? own : own.filter((target) => !shrinking.includes(target))
  const places = (list: readonly Target[]) => list.map(({ w, g, slots }) => ({ slots: [w, ...slots], inputs: [g] }))
  if ('program' in rule) {
    const { program, scalars } = rule
    const numbers = (): readonly number[] => (now().rule as Formula).scalars
    if (shrinking.length > 0)
      applyUpdates(
        withDecay(program, scalars.length),
        places(shrinking),
        eachStep(() => [...numbers(), share()]),
      )
    if (others.length > 0) applyUpdates(program, places(others), eachStep(numbers))
  } else {
    const [weights, inputs]: [Parameter[], Tensor[]] = [shrinking.map(({ w }) => w), []]
    applyUpdates(
      decay,
      weights.map((w) => ({ slots: [w], inputs })),
      eachStep(() => [share()]),
    )
    for (const target of own) {
      const lists = (): readonly (readonly number[])[] => (now().rule as Change).numbers(target.w)
      rule.change(
        target,
        lists().map((_, i) => eachStep(() => lists()[i])),
      )
    }
  }
  if (except) {
    const others = targets.filter(({ w }) => except.of(w))
    applyRule(() => ({ rule: (now().rule.except as typeof except).rule, rate: now().rate }), others, weightDecay, decays)
  }
}
