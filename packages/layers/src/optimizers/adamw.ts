/** AdamW: Adam with weight decay beside the gradient, not in it (Loshchilov and Hutter 2019). */
import type { Parameter } from '@cotangent/core'
import type { SpelledOptions } from '../spelling/names.js'
import { Adam, type AdamOptions, adamDefaults, adamProgram } from './adam.js'
import type { Rule } from './optimizer.js'
import { type LearningRate, rateFirst, readSettings } from './settings.js'

/** Options of `adamw`. */
export interface AdamWOptions extends AdamOptions {
  /** λ, 0.004 by default. */
  weightDecay?: number
  /** Parameters whose names contain one of these texts do not decay: `['bias', 'gamma', 'beta']`. None by default. */
  excludeFromWeightDecay?: readonly string[]
}

const plain = adamProgram('adamw', { amsgrad: false, decays: true })
const ams = adamProgram('adamwAmsgrad', { amsgrad: true, decays: true })

/** Adam's step after w ← w − ηλw, with the learning rate η itself. */
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

/** Adam with decoupled weight decay. */
export const adamw = (first?: LearningRate | SpelledOptions<AdamWOptions>, options?: SpelledOptions<AdamWOptions>): AdamW =>
  new AdamW(rateFirst('adamw', first, options))
