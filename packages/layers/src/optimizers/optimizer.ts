/**
 * The base of all optimizers: the step over a list of parameters, accumulation and clipping of gradients, running means of the parameters, the learning
 * rate with its decay, and a state that can be saved.
 *
 * A subclass states its rule once, as an update program: a formula over the parameter, its slots, the gradient and some scalars (see rule.ts).
 * For each step it computes the scalars on the host, in float64. Definitions: keras/optimizers.py 2.3.1. The file has just over 300 lines,
 * half of them checks and documentation of one class.
 */
import { applyUpdates, eachStep, Parameter, ShapeError, scope, Tensor, updateProgram, ValueError, zeros } from '@cotangent/core'
import { describeValue, requireBoolean, requireNumber, requireOptions } from '@cotangent/core/arguments'
import { savedForm } from '../spelling/names.js'
import { applyConstraint } from '../weights/constrained.js'
import { clip } from './clipping.js'
import { applyRule, type Rule, type RuleNow } from './rule.js'
import type { LearningRateSchedule } from './schedules.js'
import { type BaseSettings, readLearningRate } from './settings.js'
import { OptimizerState, type SavedState, type SavedValues, type Slot } from './state.js'

export type { Rule } from './rule.js'
export type { SavedState, Slot } from './state.js'

/** sum ← sum + g */
const accumulate = updateProgram('accumulateGradients', { slots: 1, inputs: 1, scalars: 0 }, ([sum], [g]) => [sum.add(g)])
/** a ← m·a + (1−m)·w */
const average = updateProgram('averageWeights', { slots: 1, inputs: 1, scalars: 2 }, ([a], [w], [momentum, rest]) => [
  momentum.mul(a).add(rest.mul(w)),
])

/** Throws unless these are parameters. */
function requireParameters(what: string, parameters: unknown): void {
  if (!Array.isArray(parameters)) throw new ValueError(`${what}: expected a list of parameters, got ${describeValue(parameters)}.`)
  for (let i = 0; i < parameters.length; i++) {
    if (parameters[i] instanceof Parameter) continue
    throw new ValueError(
      `${what}: parameters[${i}] is ${describeValue(parameters[i])}, which cannot be changed. Make it a parameter: new Parameter(x).`,
    )
  }
}

/** Throws unless there is one gradient for each parameter, of the parameter's shape. */
function requireStep(what: string, parameters: readonly Parameter[], grads: readonly Tensor[]): void {
  requireParameters(what, parameters)
  if (!Array.isArray(grads)) throw new ValueError(`${what}: expected a list of gradients, got ${describeValue(grads)}.`)
  if (parameters.length !== grads.length) throw new ValueError(`${what}: ${parameters.length} parameters but ${grads.length} gradients.`)
  if (parameters.length === 0)
    throw new ValueError(`${what}: there are no parameters to change. A model has none before it is built, or if its layers are frozen.`)
  for (let i = 0; i < grads.length; i++) {
    const [w, g]: [Parameter, Tensor] = [parameters[i], grads[i]]
    if (!(g instanceof Tensor)) throw new ValueError(`${what}: gradient ${i}, of "${w.name}", is ${describeValue(g)}, not a tensor.`)
    if (g.rank === w.rank && g.shape.every((n, axis) => n === w.shape[axis])) continue
    throw new ShapeError(`${what}: gradient ${i} is [${g.shape.join(', ')}], its parameter "${w.name}" [${w.shape.join(', ')}].`)
  }
}

/**
 * An optimizer: it changes parameters by their gradients. The state of a parameter is made at its first step.
 *
 * @example
 * ```ts
 * const optimizer = adam({ learningRate: 1e-3 })
 * const { value, grads } = valueAndGrad(parameters, () => loss())
 * optimizer.step(parameters, grads)   // takes the gradients and frees them
 * console.log(optimizer.iterations)   // 1
 * ```
 */
export abstract class Optimizer {
  /** Keras' class name: `Adam`. */
  abstract readonly className: string
  readonly decay: number
  /** λ: each update shrinks the parameters by η·λ of their value, beside their gradients; null if they do not decay. */
  readonly weightDecay: number | null
  /** Texts: parameters with one of them in their name do not decay. */
  readonly excludeFromWeightDecay: readonly string[]
  readonly clipnorm: number | null
  readonly clipvalue: number | null
  readonly globalClipnorm: number | null
  readonly clipScope: 'global' | 'perVariable'
  /** The number of batches whose mean gradient makes one update. */
  readonly gradientAccumulationSteps: number
  readonly useEma: boolean
  readonly emaMomentum: number
  readonly emaOverwriteFrequency: number | null
  readonly variant: 'keras2' | 'keras3'
  /** The number of batches so far: calls of `step`. */
  steps = 0
  #rate: number | LearningRateSchedule
  readonly #state = new OptimizerState(() => this.#allSlots())

  constructor(settings: BaseSettings) {
    this.#rate = settings.learningRate
    this.decay = settings.decay
    this.weightDecay = settings.weightDecay
    this.excludeFromWeightDecay = settings.excludeFromWeightDecay ?? []
    this.clipnorm = settings.clipnorm
    this.clipvalue = settings.clipvalue
    this.globalClipnorm = settings.globalClipnorm
    this.variant = settings.variant
    this.clipScope = settings.clipScope ?? (settings.variant === 'keras3' ? 'perVariable' : 'global')
    this.gradientAccumulationSteps = settings.gradientAccumulationSteps ?? 1
    this.useEma = settings.useEma
    this.emaMomentum = settings.emaMomentum
    this.emaOverwriteFrequency = settings.emaOverwriteFrequency
  }

  /** The number of updates so far. */
  get iterations(): number {
    return Math.floor(this.steps / this.gradientAccumulationSteps)
  }

  /**
   * The rate of the next step. It may be changed between steps. If it follows a schedule, only another schedule may replace that.
   *
   * @throws ValueError if a number is set in place of a schedule
   */
  get learningRate(): number {
    if (typeof this.#rate === 'number') return this.#rate
    const rate = this.#rate.at(this.steps)
    requireNumber(`${this.#rate.className}.at(${this.steps})`, 'the rate', rate, { least: 0 })
    return rate
  }
  set learningRate(rate: number | LearningRateSchedule) {
    if (typeof this.#rate !== 'number' && typeof rate === 'number') {
      throw new ValueError(
        `${this.className}: the learning rate follows ${this.#rate.className} and cannot be set to ${rate}. Give the optimizer a number if ` +
          'callbacks (LearningRateScheduler, ReduceLROnPlateau) are to change it.',
      )
    }
    this.#rate = readLearningRate(this.className, 'learningRate', rate)
  }

  /** The schedule that the rate follows; undefined if the rate is a number. */
  get schedule(): LearningRateSchedule | undefined {
    return typeof this.#rate === 'number' ? undefined : this.#rate
  }

  /** The values kept for each parameter, in the order in which Keras saves them. */
  protected abstract slots(): readonly Slot[]
  /** The options that this optimizer has in addition to the shared ones. */
  protected abstract ownConfig(): Record<string, unknown>
  /** The rule for update t = 1, 2, … at the decayed rate. It is asked for once for each update. */
  protected abstract rule(t: number, rate: number): Rule
  /** Values that belong to no parameter, other than `iterations`, in the order in which Keras saves them. */
  protected extras(): Record<string, number> {
    return {}
  }
  /** Puts these values back; a value is undefined if the saved state does not have it. */
  protected restoreExtras(_values: Record<string, number | undefined>): void {}

  /**
   * Updates the parameters once, and then applies their constraints. Parameters that are not trainable stay as they are.
   *
   * With `gradientAccumulationSteps` n, every n-th call updates; the others add their gradients up. The gradients are freed, unless `keepGrads` is true.
   *
   * @throws ValueError if there are no parameters, or not one gradient for each; then nothing changes and nothing is freed
   * @throws ShapeError if a gradient has another shape than its parameter
   */
  step(parameters: readonly Parameter[], grads: readonly Tensor[], options: { keepGrads?: boolean } = {}): void {
    requireStep(`${this.className}.step`, parameters, grads)
    requireOptions(`${this.className}.step`, options, ['keepGrads'])
    const { keepGrads = false } = options
    requireBoolean(`${this.className}.step`, 'keepGrads', keepGrads)
    try {
      scope(() => {
        const changing = parameters.filter(({ trainable }) => trainable)
        this.build(changing)
        eachStep(
          () => [],
          () => this.#phase(parameters),
        )
        const mean = this.#accumulated(
          changing,
          grads.filter((_, i) => parameters[i].trainable),
        )
        if (mean) this.#update(changing, clip(mean, this))
      })
      eachStep(() => [this.steps++])
    } finally {
      if (!keepGrads) for (const grad of grads) grad.dispose()
    }
  }

  /** Decides on the ops of the next step: a compiled step that was recorded in another phase does not fit. */
  #phase(parameters: readonly Parameter[]): string {
    const n = this.gradientAccumulationSteps
    const every = this.emaOverwriteFrequency
    const overwrites = this.useEma && every !== null && (this.iterations + 1) % every === 0
    const changing = parameters.map(({ trainable }) => (trainable ? '1' : '0')).join('')
    return `${changing} ${(this.steps + 1) % n === 0} ${this.learningRate === 0} ${overwrites}`
  }

  #update(parameters: readonly Parameter[], grads: readonly Tensor[]): void {
    const used = this.slots().filter(({ unused }) => !unused).length
    let now: RuleNow | undefined
    eachStep(() => {
      const rate = this.learningRate / (1 + this.decay * this.iterations)
      now = { rule: this.rule(this.iterations + 1, rate), rate }
      return []
    })
    const targets = parameters.map((w, i) => ({ w, g: grads[i], slots: this.#state.first(w, used) }))
    const decays = (w: Parameter): boolean => !this.excludeFromWeightDecay.some((text) => w.name.includes(text))
    applyRule(() => now as RuleNow, targets, this.weightDecay, decays)
    for (const w of parameters) applyConstraint(w)
    if (this.useEma) this.#average(parameters)
  }

  /** The mean gradients of the batches since the last update; undefined while batches are missing. */
  #accumulated(parameters: readonly Parameter[], grads: readonly Tensor[]): readonly Tensor[] | undefined {
    const n = this.gradientAccumulationSteps
    if (n === 1) return grads
    const sums = parameters.map((w) => this.#state.named(w, 'gradientAccumulator'))
    if ((this.steps + 1) % n !== 0) {
      const targets = sums.map((sum, i) => ({ slots: [sum], inputs: [grads[i]] }))
      applyUpdates(accumulate, targets, [])
      return undefined
    }
    const means = grads.map((g, i) => g.add(sums[i]).div(n))
    for (const sum of sums) sum.assign(zeros(sum.shape, { dtype: sum.dtype, backend: sum.backend }))
    return means
  }

  /** Moves the running means of the parameters. As in Keras 3 they start as the values after the first update. */
  #average(parameters: readonly Parameter[]): void {
    const momentum = (): number => (this.iterations === 0 ? 0 : this.emaMomentum)
    const targets = parameters.map((w) => ({ slots: [this.#state.named(w, 'average')], inputs: [w] }))
    applyUpdates(
      average,
      targets,
      eachStep(() => [momentum(), 1 - momentum()]),
    )
    const every = this.emaOverwriteFrequency
    if (every !== null && (this.iterations + 1) % every === 0) this.finalizeWeights(parameters)
  }

  /** With `useEma`, replaces the parameters by their running means. `fit` calls it at its end. */
  finalizeWeights(parameters: readonly Parameter[]): void {
    requireParameters(`${this.className}.finalizeWeights`, parameters)
    if (!this.useEma) return
    if (this.averagesSwapped) this.swapAverages()
    for (const w of parameters) if (this.#state.has(w)) w.assign(this.#state.named(w, 'average'))
  }

  /** @internal Whether parameters and running means have changed places. */
  averagesSwapped = false
  /** @internal With `useEma`, lets parameters and their running means change places. */
  swapAverages(): void {
    scope(() => {
      for (const w of this.parameters) {
        const average = this.#state.named(w, 'average')
        const before = w.mul(1)
        w.assign(average)
        average.assign(before)
      }
    })
    this.averagesSwapped = !this.averagesSwapped
  }

  /** @internal The parameters that have a state, in the order of their first step. */
  get parameters(): readonly Parameter[] {
    return this.#state.parameters
  }

  /** All values kept for each parameter: those of the rule, then those of accumulation and running means. */
  #allSlots(): readonly Slot[] {
    return [
      ...this.slots(),
      ...(this.gradientAccumulationSteps > 1 ? [{ name: 'gradientAccumulator' }] : []),
      ...(this.useEma ? [{ name: 'average', initial: 'parameter' as const }] : []),
    ]
  }

  /** @internal The parts of a saved state: values that belong to no parameter, then the slots. */
  get layout(): { values: readonly string[]; slots: readonly Slot[] } {
    return { values: ['iterations', ...Object.keys(this.extras())], slots: this.#allSlots() }
  }

  /** Makes the state of parameters that have none yet. `step` calls it. */
  build(parameters: readonly Parameter[]): void {
    requireParameters(`${this.className}.build`, parameters)
    this.#state.build(this.className, parameters)
  }

  /** The options that make an equal optimizer. */
  getConfig(): Record<string, unknown> {
    const { decay, clipnorm, clipvalue, globalClipnorm, clipScope, gradientAccumulationSteps, variant } = this
    const { useEma, emaMomentum, emaOverwriteFrequency, weightDecay, excludeFromWeightDecay } = this
    return {
      learningRate: typeof this.#rate === 'number' ? this.#rate : savedForm(this.#rate),
      decay,
      ...(weightDecay !== null && { weightDecay }),
      ...(excludeFromWeightDecay.length > 0 && { excludeFromWeightDecay }),
      ...this.ownConfig(),
      ...(clipnorm !== null && { clipnorm }),
      ...(clipvalue !== null && { clipvalue }),
      ...(globalClipnorm !== null && { globalClipnorm }),
      ...(gradientAccumulationSteps > 1 && { gradientAccumulationSteps }),
      ...(useEma && { useEma, emaMomentum, emaOverwriteFrequency }),
      ...(variant !== 'keras2' && { variant }),
      ...(clipScope !== (variant === 'keras3' ? 'perVariable' : 'global') && { clipScope }),
    }
  }

  /**
   * The state in the order in which Keras saves it: `iterations` (the number of batches, as in Keras 3), then one slot after the other, each for all
   * parameters in the order of the first step.
   */
  async getWeights(): Promise<SavedState[]> {
    const first = Object.entries({ iterations: this.steps, ...this.extras() }).map(
      ([name, value]): SavedState => ({ name, shape: [], data: Float64Array.of(value) }),
    )
    return [...first, ...(await this.#state.save())]
  }

  /**
   * Puts a saved state back. It also accepts files of older Keras without `iterations`, or without the zeros that some optimizers save for unused slots.
   *
   * @param parameters those that `step` will get
   * @throws ValueError if the state does not fit this optimizer and these parameters; then nothing changes
   */
  setWeights(values: SavedValues, parameters: readonly Parameter[]): void {
    const what = `${this.className}.setWeights`
    requireParameters(what, parameters)
    const isArray = (value: unknown): boolean => typeof value === 'object' && value !== null && 'data' in value
    if (!Array.isArray(values) || !values.every(isArray))
      throw new ValueError(`${what}: expected what getWeights gave, a list of { data, … }, got ${describeValue(values)}.`)
    const { values: names, slots } = this.layout
    const trainable = parameters.filter((w) => w.trainable)
    // With accumulation or running means, a state of older Keras could be mistaken for another arrangement.
    const older = this.slots().length === slots.length
    const { before, restore } = this.#state.fit(this.className, values, trainable, names, older)
    restore()
    this.averagesSwapped = false
    const [iterations, ...others] = before
    this.steps = iterations ?? 0
    this.restoreExtras(Object.fromEntries(names.slice(1).map((name, i) => [name, others[i]])))
  }

  /** Frees the state. The next step starts as if it were the first. */
  dispose(): void {
    this.#state.dispose()
    this.averagesSwapped = false
    this.steps = 0
    this.restoreExtras({})
  }
}
