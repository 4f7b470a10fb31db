/** Memory for time: a part of a computation whose values are not kept for the walk backwards. */
import { requireFunction } from '../arguments.js'
import { requireTensor, requireTensors, type Tensor } from '../tensor/tensor.js'
import { withLengthOf } from './custom-grad.js'
import type { OpDefinition } from './op.js'
import { recomputing, runUnseen } from './recompute.js'
import { recordOp } from './recording.js'
import { runAgain } from './replay.js'

/**
 * The same function, but a tape keeps only its arguments and its result. The walk backwards runs it again and so has its values for as long as it needs
 * them: less memory, for the time of one more forward pass. Derivatives pass to arguments and to tensors that f closes over, such as weights; of any order.
 *
 * f runs several times, so it must give the same each time: draw random numbers from keys that are made outside.
 *
 * @example
 * ```ts
 * const block = checkpoint((x: Tensor) => x.tanh().mul(2).tanh())
 * const dx = grad((x: Tensor) => block(block(x)).sum())(tensor([0.5]))   // no tanh is kept
 * ```
 */
export function checkpoint<A extends Tensor[]>(f: (...xs: A) => Tensor): (...xs: A) => Tensor {
  requireFunction('checkpoint', 'f', f, 'checkpoint((x) => x.tanh())')
  const apply = (...xs: A): Tensor => {
    requireTensors('checkpoint', 'the arguments', xs)
    const again = (): Tensor => {
      const y = f(...xs)
      requireTensor('checkpoint', "the function's result", y)
      return y
    }
    const { y, moving, inputs } = runUnseen(xs, again)
    const derivatives = recomputing(() => ({ sources: moving, run: again }))
    const call: OpDefinition['call'] = (given) => runAgain('checkpoint', given, inputs, again)
    const op: OpDefinition = { name: 'checkpoint', rule: '(computed again)', samples: [], ...derivatives, call }
    recordOp(op, inputs, y, {})
    return y
  }
  return withLengthOf(f, apply)
}
