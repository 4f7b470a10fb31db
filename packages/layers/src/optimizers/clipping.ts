/** Clipping of gradients: by the norm of all together, by the norm of each, or by value. */
import { div, type Tensor, where } from '@cotangent/core'

/** An optimizer's limits. A limit of null or 0 clips nothing. */
export interface Clipping {
  readonly clipnorm: number | null
  readonly globalClipnorm: number | null
  readonly clipvalue: number | null
  /** Whether `clipnorm` limits the norm of all gradients together or of each. */
  readonly clipScope: 'global' | 'perVariable'
}

/** Scales gradients to norm c where their norm is at least c, then limits each value to ±clipvalue. */
export function clip(grads: readonly Tensor[], { clipnorm, globalClipnorm, clipvalue, clipScope }: Clipping): readonly Tensor[] {
  const limit = globalClipnorm ?? clipnorm
  const together = globalClipnorm !== null || clipScope === 'global'
  let clipped = grads
  if (limit !== null && limit > 0 && grads.length > 0) {
    const factor = (squares: readonly Tensor[]): Tensor => {
      const norm = squares.reduce((a, b) => a.add(b)).sqrt()
      return where(norm.greaterEqual(limit), div(limit, norm), 1)
    }
    const squares = grads.map((g) => g.square().sum())
    const factors = together ? Array<Tensor>(grads.length).fill(factor(squares)) : squares.map((s) => factor([s]))
    clipped = grads.map((g, i) => g.mul(factors[i]))
  }
  return clipvalue !== null && clipvalue > 0 ? clipped.map((g) => g.clip(-clipvalue, clipvalue)) : clipped
}
