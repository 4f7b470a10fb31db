/** An op that ends the path of derivatives. */
import { defineOp } from '../../autodiff/dispatch.js'
import type { Sample } from '../../autodiff/op.js'
import { sample } from '../../autodiff/samples.js'
import type { Shape } from '../../tensor/shape.js'
import { requireTensor, type Tensor } from '../../tensor/tensor.js'

const call = defineOp({
  name: 'stopGradient',
  rule: '(none)',
  shape: ([x]) => x,
  forward: 'view',
  vjp: 'stopGradient ends the derivative on purpose.',
  samples: stopGradientSamples(),
})
/**
 * x as a constant: the same values without a copy, through which no derivative passes.
 *
 * Shape:    any → the same
 * Gradient: none, that is its purpose
 *
 * @example
 * ```ts
 * grad((x) => x.mul(stopGradient(x)).sum())(tensor([3])) // [3]
 * ```
 */
export function stopGradient<S extends Shape>(x: Tensor<S>): Tensor<S> {
  requireTensor('stopGradient', 'x', x)
  return call([x], {}) as Tensor<S>
}

function stopGradientSamples(): Sample<object>[] {
  return [sample([2, 3])]
}
