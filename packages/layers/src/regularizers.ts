/**
 * Regularizers: penalties on weights, added to the loss (keras/regularizers.py 2.3.1). A penalty is not divided by the batch size, and
 * L2 has no factor ½.
 */
import { full, type Tensor, ValueError } from '@cotangent/core'
import { classNameOf, lookUp, readOptions, type SavedObject, type SpelledOptions, type Spelling } from './names.js'

/** A penalty: a scalar made of a weight. */
export interface Regularizer {
  /** Keras' class name, for saved models. */
  readonly className: string
  getConfig(): Record<string, unknown>
  call(w: Tensor): Tensor
}

/** l1·Σ|w| + l2·Σw² */
export class L1L2 implements Regularizer {
  readonly className = 'L1L2'
  readonly l1: number
  readonly l2: number

  constructor(options: SpelledOptions<{ l1?: number; l2?: number }> = {}) {
    const { l1, l2 } = readOptions('l1L2', options, { l1: 0, l2: 0 })
    for (const [name, rate] of Object.entries({ l1, l2 })) {
      if (!(rate >= 0)) throw new ValueError(`regularizer: ${name} must be a number from 0, got ${rate}.`)
    }
    this.l1 = l1
    this.l2 = l2
  }

  getConfig(): Record<string, unknown> {
    return { l1: this.l1, l2: this.l2 }
  }

  call(w: Tensor): Tensor {
    const terms = [...(this.l1 ? [w.abs().sum().mul(this.l1)] : []), ...(this.l2 ? [w.square().sum().mul(this.l2)] : [])]
    return terms.length > 0 ? terms.reduce((a, b) => a.add(b)) : full([], 0, { dtype: w.dtype, backend: w.backend })
  }
}

/** rate·Σ|w| */
export const l1 = (rate = 0.01): Regularizer => new L1L2({ l1: rate })
/** rate·Σw² */
export const l2 = (rate = 0.01): Regularizer => new L1L2({ l2: rate })
/**
 * Both penalties.
 *
 * @example
 * ```ts
 * dense(16, { kernelRegularizer: l1L2({ l1: 1e-5, l2: 1e-4 }) })
 * ```
 */
export const l1L2 = ({ l1 = 0.01, l2 = 0.01 }: { l1?: number; l2?: number } = {}): Regularizer => new L1L2({ l1, l2 })

const table = { l1, l2, l1L2 } satisfies Record<string, () => Regularizer>

/** Names of the regularizers. */
export type RegularizerName = keyof typeof table
/** How a regularizer may be given: by name, as an object, as what a saved model holds, or as a function of the weight. */
export type RegularizerIdentifier = Spelling<RegularizerName> | Regularizer | SavedObject | ((w: Tensor) => Tensor)

/**
 * A regularizer by name (with rate 0.01), object, config or function; nothing means none.
 *
 * @throws ValueError for an unknown name.
 */
export function getRegularizer(id: RegularizerIdentifier | null | undefined): Regularizer | undefined {
  if (id === null || id === undefined) return undefined
  if (typeof id === 'function') return { className: id.name || 'regularizer', getConfig: () => ({}), call: (w) => id(w) }
  if (typeof id !== 'object') return lookUp<() => Regularizer>('regularizer', id, table)()
  if ('call' in id) return id
  return new (lookUp('regularizer', classNameOf('regularizer', id), { L1L2, L1: L1L2, L2: L1L2 }))(id.config)
}
