/** AdamW (Loshchilov and Hutter 2019): Adam whose weight decay acts on the weight, not on the gradient. Source: Keras 3, optimizers/adamw.py. */

import { ours } from '../own-classes.js'
import type { SpelledOptions } from '../spelling/names.js'
import { Adam, type AdamOptions, adamDefaults } from './adam.js'
import { type LearningRate, rateFirst, readSettings } from './settings.js'

/** Options of `adamw`: those of `adam`, where `weightDecay` is 0.004 by default. */
export type AdamWOptions = AdamOptions

/** w ← w − ηλw, then Adam's step. The decay has the learning rate η itself, without Adam's correction. */
export class AdamW extends Adam {
  override readonly className = ours(AdamW, 'AdamW')

  constructor(options: SpelledOptions<AdamWOptions> = {}) {
    super(readSettings('adamw', options, { ...adamDefaults, weightDecay: 0.004 }))
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
