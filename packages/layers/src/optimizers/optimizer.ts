/**
 * What all optimizers share: the step over a list of parameters, gradient clipping, learning-rate decay, and state that can be saved.
 *
 * A subclass states its rule once, as an update program (a formula over the parameter, its slots, the gradient and scalars; see
 * core/update.ts), and gives for each step the scalars, computed in float64 on the host. Definitions: keras/optimizers.py 2.3.1.
 */
import {
  applyUpdates,
  div,
  full,
  Parameter,
  type Shape,
  scope,
  type Tensor,
  type TypedArray,
  tensor,
  type UpdateProgram,
  ValueError,
  where,
} from '@cotangent/core'
import { applyConstraint } from '../constrained.js'
import { readOptions } from '../names.js'

/** Options that every optimizer takes. */
export interface OptimizerOptions {
  learningRate?: number
  /** Keras' older name of `learningRate`. */
  lr?: number
  /** The rate of step i (from 0) is learningRate / (1 + decay·i). */
  decay?: number
  /** Gradients are scaled down to this norm when theirs reaches it. */
  clipnorm?: number | null
  /** Gradients are limited to ± this, after `clipnorm`. */
  clipvalue?: number | null
  /** Whose norm `clipnorm` means: that of all gradients together (Keras 2), or of each by itself (Keras 3). */
  clipScope?: 'global' | 'perVariable' | null
  /** Defaults and formulas of Keras 2.3, or of Keras 3 where they differ. */
  variant?: 'keras2' | 'keras3'
}

/** One array of a saved optimizer state. */
export interface SavedState {
  name: string
  shape: Shape
  data: TypedArray
}

/** A value the rule keeps for each parameter. */
export interface Slot {
  name: string
  /** Its first value; 0 if left out. */
  initial?: number
  /** Keras saves zeros for it although the rule, as configured, keeps no such value: of the parameter's shape, or one number. */
  unused?: 'shape' | 'single'
}

export type BaseSettings = Required<OptimizerOptions>

/** The options of an optimizer over its defaults: those of Keras 3 where that variant is asked for. */
export function readSettings<Own extends object>(
  what: string,
  options: object,
  keras2: Own & { learningRate: number },
  keras3: Partial<Own & { learningRate: number }> = {},
): Own & BaseSettings {
  const { variant = 'keras2' } = options as OptimizerOptions
  if (variant !== 'keras2' && variant !== 'keras3') throw new ValueError(`${what}: variant must be 'keras2' or 'keras3', got '${variant}'.`)
  const settings = readOptions<Own & BaseSettings>(what, options, {
    lr: Number.NaN,
    decay: 0,
    clipnorm: null,
    clipvalue: null,
    clipScope: null,
    variant,
    ...keras2,
    ...(variant === 'keras3' ? keras3 : {}),
  } as Own & BaseSettings)
  if (!Number.isNaN(settings.lr)) settings.learningRate = settings.lr
  if (!(settings.learningRate >= 0)) throw new ValueError(`${what}: learningRate must be a number from 0, got ${settings.learningRate}.`)
  return settings
}

/**
 * An optimizer. Its state appears with the first step, for each parameter.
 *
 * @example
 * ```ts
 * const optimizer = adam({ learningRate: 1e-3 })
 * const { value, grads } = valueAndGrad(parameters, () => loss())
 * optimizer.step(parameters, grads)   // takes the gradients and frees them
 * ```
 */
export abstract class Optimizer {
  /** Keras' class name: `Adam`. */
  abstract readonly className: string
  /** May be changed between steps. */
  learningRate: number
  readonly decay: number
  readonly clipnorm: number | null
  readonly clipvalue: number | null
  readonly clipScope: 'global' | 'perVariable'
  readonly variant: 'keras2' | 'keras3'
  /** Steps done. */
  iterations = 0
  readonly #state = new Map<Parameter, Parameter[]>()

  constructor(settings: BaseSettings) {
    this.learningRate = settings.learningRate
    this.decay = settings.decay
    this.clipnorm = settings.clipnorm
    this.clipvalue = settings.clipvalue
    this.variant = settings.variant
    this.clipScope = settings.clipScope ?? (settings.variant === 'keras3' ? 'perVariable' : 'global')
  }

  /** What is kept for each parameter, in the order in which Keras saves it. */
  protected abstract slots(): readonly Slot[]
  /** The options beyond the shared ones. */
  protected abstract ownConfig(): Record<string, unknown>
  /**
   * The rule, and its scalars for step t = 1, 2, … with the decayed rate. Called once a step. The program's slots are the parameter and then the
   * used slots; its input is the gradient.
   */
  protected abstract rule(t: number, rate: number): { program: UpdateProgram; scalars: readonly number[] }
  /** Values beside `iterations` that belong to no parameter, in the order in which Keras saves them. */
  protected extras(): Record<string, number> {
    return {}
  }
  /** Puts them back; undefined where a saved state does not have them. */
  protected restoreExtras(_values: Record<string, number | undefined>): void {}

  /**
   * One update of the parameters, and then the constraints of those that carry one; those that are not trainable stay as they are. The gradients are taken over and freed, unless `keepGrads` is set.
   *
   * @throws ValueError if there is not one gradient for each parameter.
   */
  step(parameters: readonly Parameter[], grads: readonly Tensor[], { keepGrads = false }: { keepGrads?: boolean } = {}): void {
    if (parameters.length !== grads.length) {
      throw new ValueError(`${this.className}.step: ${parameters.length} parameters but ${grads.length} gradients.`)
    }
    try {
      scope(() => {
        const changing = parameters.filter(({ trainable }) => trainable)
        const clipped = this.#clip(grads.filter((_, i) => parameters[i].trainable))
        this.build(changing)
        const { program, scalars } = this.rule(this.iterations + 1, this.learningRate / (1 + this.decay * this.iterations))
        const targets = changing.map((w, i) => ({ slots: [w, ...(this.#state.get(w) as Parameter[])], inputs: [clipped[i]] }))
        applyUpdates(program, targets, scalars)
        for (const w of changing) applyConstraint(w)
      })
      this.iterations++
    } finally {
      if (!keepGrads) for (const grad of grads) grad.dispose()
    }
  }

  /** Makes the state of parameters that have none yet; `step` does so by itself. */
  build(parameters: readonly Parameter[]): void {
    const slots = this.slots().filter(({ unused }) => !unused)
    for (const w of parameters) {
      if (this.#state.has(w)) continue
      const { shape, dtype, backend } = w
      this.#state.set(
        w,
        slots.map(
          ({ name, initial = 0 }) =>
            new Parameter(full(shape, initial, { dtype, backend }), { name: `${this.className}/${w.name}/${name}`, trainable: false }),
        ),
      )
    }
  }

  /** g·c/‖g‖ where ‖g‖ ≥ c = clipnorm, then limited to ±clipvalue. */
  #clip(grads: readonly Tensor[]): readonly Tensor[] {
    const { clipnorm: limit, clipvalue } = this
    let clipped = grads
    if (limit !== null && limit > 0 && grads.length > 0) {
      const factor = (squares: readonly Tensor[]): Tensor => {
        const norm = squares.reduce((a, b) => a.add(b)).sqrt()
        return where(norm.greaterEqual(limit), div(limit, norm), 1)
      }
      const squares = grads.map((g) => g.square().sum())
      const factors = this.clipScope === 'global' ? Array<Tensor>(grads.length).fill(factor(squares)) : squares.map((s) => factor([s]))
      clipped = grads.map((g, i) => g.mul(factors[i]))
    }
    return clipvalue !== null && clipvalue > 0 ? clipped.map((g) => g.clip(-clipvalue, clipvalue)) : clipped
  }

  /** The options that make an equal optimizer, in Keras' words. */
  getConfig(): Record<string, unknown> {
    const { learningRate, decay, clipnorm, clipvalue, clipScope, variant } = this
    return {
      learningRate,
      decay,
      ...this.ownConfig(),
      ...(clipnorm !== null && { clipnorm }),
      ...(clipvalue !== null && { clipvalue }),
      ...(variant !== 'keras2' && { variant }),
      ...(clipScope !== (variant === 'keras3' ? 'perVariable' : 'global') && { clipScope }),
    }
  }

  /**
   * The state, in the order in which Keras saves it: iterations, then one slot after the other, each for all parameters in the order of the
   * first step.
   */
  async getWeights(): Promise<SavedState[]> {
    const saved = Object.entries({ iterations: this.iterations, ...this.extras() }).map(
      ([name, value]): SavedState => ({ name, shape: [], data: Float64Array.of(value) }),
    )
    let used = 0
    for (const { name, unused } of this.slots()) {
      const at = unused ? -1 : used++
      let i = 0
      for (const [w, state] of this.#state) {
        const shape = unused === 'single' ? [1] : w.shape
        const data = at >= 0 ? await state[at].data() : new Float32Array(unused === 'single' ? 1 : w.size)
        saved.push({ name: `${name}_${i++}`, shape, data })
      }
    }
    return saved
  }

  /**
   * Puts a saved state back. Older Keras files without `iterations`, or without the zeros that some optimizers save for nothing, will do too.
   *
   * @param parameters what `step` will be called with
   * @throws ValueError if the state is not of this optimizer and these parameters; then nothing changes.
   */
  setWeights(values: readonly { readonly data: ArrayLike<number> }[], parameters: readonly Parameter[]): void {
    const trainable = parameters.filter((w) => w.trainable)
    const slots = this.slots()
    const names = ['iterations', ...Object.keys(this.extras())]
    const layouts = [names.length, 1, 0].flatMap((before) =>
      [slots, slots.filter(({ unused }) => !unused)].map((list) => ({ list, before })),
    )
    const kept = layouts.find(({ list, before }) => values.length === before + list.length * trainable.length)
    const wrong = (problem: string): ValueError => new ValueError(`${this.className}.setWeights: ${problem}`)
    if (!kept) {
      const expected = names.length + slots.length * trainable.length
      throw wrong(
        `${values.length} arrays do not fit ${trainable.length} parameters, which need ${expected} (${[...names, ...slots.map(({ name }) => `${name} …`)].join(', ')}).`,
      )
    }
    const filled = kept.list.flatMap(({ name, unused }, s) =>
      unused ? [] : trainable.map((w, i) => ({ w, name, data: values[kept.before + s * trainable.length + i].data })),
    )
    for (const { w, name, data } of filled) {
      if (data.length !== w.size) throw wrong(`"${name}" of parameter "${w.name}" has ${data.length} values, not ${w.size}.`)
    }
    this.dispose()
    this.build(trainable)
    scope(() => {
      filled.forEach(({ w, data }, n) => {
        const state = this.#state.get(w) as Parameter[]
        const slot = state[Math.floor(n / trainable.length)]
        slot.assign(tensor(Float64Array.from(data), { shape: slot.shape, dtype: slot.dtype, backend: slot.backend }))
      })
    })
    const [iterations, ...others] = values.slice(0, kept.before).map(({ data }) => Number(data[0]))
    this.iterations = iterations ?? 0
    this.restoreExtras(Object.fromEntries(names.slice(1).map((name, i) => [name, others[i]])))
  }

  /** Frees the state; the next step starts anew. */
  dispose(): void {
    for (const slots of this.#state.values()) for (const slot of slots) slot.dispose()
    this.#state.clear()
    this.iterations = 0
    this.restoreExtras({})
  }
}
