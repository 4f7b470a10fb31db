/** Dropout: a random draw chooses elements that become 0. */
import { requireNumber } from '../../arguments.js'
import { defineComposed } from '../../autodiff/dispatch.js'
import type { Sample } from '../../autodiff/op.js'
import { type Key, requireKey } from '../../random.js'
import { scope } from '../../tensor/scope.js'
import type { Shape } from '../../tensor/shape.js'
import type { Tensor } from '../../tensor/tensor.js'
import { bernoulli } from '../create.js'
import { requireFloats } from '../requirements.js'

/** x·(mask·factor). Only the mask is kept for the walk backwards, a byte for each element. */
const maskedScale: (inputs: readonly Tensor[], options: { factor: number }) => Tensor = defineComposed<{ factor: number }>({
  name: 'maskedScale',
  compose: ([x, mask], { factor }, ops) => ops.mul(x, ops.mul(ops.cast(mask, x.dtype), factor)),
  fused: {
    mixed: true,
    kernel: 'maskedScale',
    rule: 'dX = dY·(mask·factor)',
    shape: ([x]) => x,
    forward: (fused, out, [x, mask], { factor }) => fused.maskedScale(out, x, mask, factor),
    vjp: ({ dY, options }, [, mask]) => [() => maskedScale([dY, mask], options), null],
  },
  samples: maskSamples(),
})

/**
 * Sets elements to 0 with probability `rate` and multiplies the others by 1/(1 − rate), so that the expected value stays. The same key drops the same elements:
 * those where `bernoulli(key, x.shape, 1 − rate)` is 0.
 *
 * Shape:    any → the same
 * Gradient: dX = dY/(1 − rate) where an element was kept, else 0
 * Source:   Srivastava et al., "Dropout", JMLR 2014
 *
 * @throws DTypeError unless x is a float, ValueError unless 0 ≤ rate < 1 and the key is one
 * @example
 * ```ts
 * dropout(key(7), tensor([1, 2, 3]), 0) // [1, 2, 3]
 * ```
 */
export function dropout<S extends Shape>(key: Key, x: Tensor<S>, rate: number): Tensor<S> {
  requireKey('dropout', key)
  requireFloats('dropout', 'x', x)
  requireNumber('dropout', 'rate', rate, { least: 0, below: 1 })
  const { shape, backend } = x
  return scope(() =>
    maskedScale([x, bernoulli(key, shape, 1 - rate, { dtype: 'uint8', backend })], { factor: 1 / (1 - rate) }),
  ) as Tensor<S>
}

function maskSamples(): Sample<{ factor: number }>[] {
  const shapes: Shape[] = [[2, 3], [], [7], [0, 3], [5, 1, 23], [67, 130]]
  return shapes.map((shape, i) => ({ inputs: [shape, { shape, dtype: 'uint8', low: 0, high: 2 }], options: { factor: 1 + i / 3 } }))
}
