/** AdamW (Loshchilov and Hutter 2019): Adam whose weight decay acts on the weight, not on the gradient. Source: Keras 3, optimizers/adamw.py. */
import type { Parameter } from '@cotangent/core'
import type { SpelledOptions } from '../spelling/names.js'
import { Adam, type AdamOptions, adamDefaults, adamProgram } from './adam.js'
import type { Rule } from './optimizer.js'
import { type LearningRate, rateFirst, readSettings } from './settings.js'

/** Options of `adamw`. */
export interface AdamWOptions extends AdamOptions {
  /** λ, at least 0: each update shrinks the weights by η·λ of their value; 0.004 by default. */
  weightDecay?: number
  /** Parameters whose name contains one of these texts do not decay, for example `['bias', 'gamma', 'beta']`. None by default. */
  excludeFromWeightDecay?: readonly string[]
}

const plain = adamProgram('adamw', { amsgrad: false, decays: true })
const ams = adamProgram('adamwAmsgrad', { amsgrad: true, decays: true })

/** w ← w − ηλw, then Adam's step. The decay has the learning rate η itself, without Adam's correction. */
export class AdamW extends Adam {
  override readonly className = 'AdamW'
  readonly weightDecay: number
  readonly excludeFromWeightDecay: readonly string[]

  constructor(options: SpelledOptions<AdamWOptions> = {}) {
    const defaults = { ...adamDefaults, weightDecay: 0.004, excludeFromWeightDecay: [] as readonly string[] }
    const { weightDecay, excludeFromWeightDecay, ...settings } = readSettings('adamw', options, defaults)
    super(settings)
    this.weightDecay = weightDecay
    this.excludeFromWeightDecay = excludeFromWeightDecay
  }

  protected override rule(t: number, rate: number): Rule {
    const usual = super.rule(t, rate)
    const excluded = (w: Parameter): boolean => this.excludeFromWeightDecay.some((text) => w.name.includes(text))
    return {
      program: this.amsgrad ? ams : plain,
      scalars: [...usual.scalars, rate * this.weightDecay],
      except: { of: excluded, rule: usual },
    }
  }

  protected override ownConfig() {
    const { weightDecay, excludeFromWeightDecay } = this
    return { weightDecay, ...super.ownConfig(), ...(excludeFromWeightDecay.length > 0 && { excludeFromWeightDecay }) }
  }
}

/**
 * Makes an `AdamW` optimizer. The learning rate may come first.
 *
 * @example
 * ```ts
 * const w = new Parameter(tensor([1]))
 * adamw(0.1, { weightDecay: 0.5 }).step([w], [tensor([2])])
 * console.log(await w.array())   // ≈ [0.85]
 * ```
 */
export const adamw = (first?: LearningRate | SpelledOptions<AdamWOptions>, options?: SpelledOptions<AdamWOptions>): AdamW =>
  new AdamW(rateFirst('adamw', first, options))
