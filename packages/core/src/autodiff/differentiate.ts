/** The common part of `grad`, `valueAndGrad`, `vjp` and `gradCheck`. */
import { GradientError } from '../errors.js'
import { isFloat } from '../tensor/dtype.js'
import { scope, tensorsIn } from '../tensor/scope.js'
import { requireTensor, type Tensor } from '../tensor/tensor.js'
import { ops } from './op.js'
import { Tape } from './tape.js'

/**
 * The value of f and the cotangents of `sources`: records f, checks its value, and walks back from `seedOf(value)`.
 *
 * `valueIn` picks the value out of the result of f. Everything that f returns survives, also the parts that `valueIn` does not pick.
 */
export function differentiate<R = Tensor>(
  what: string,
  sources: readonly Tensor[],
  f: () => R,
  seedOf: (value: Tensor) => Tensor,
  valueIn: (result: R) => unknown = (result) => result,
): { result: R; value: Tensor; grads: (Tensor | undefined)[]; tape: Tape } {
  for (const source of sources) {
    requireTensor(what, 'an argument', source)
    source.requireLive(what)
    if (!isFloat(source.dtype))
      throw new GradientError(`${what}: cannot differentiate with respect to a tensor of ${source.dtype}. Cast it to float32.`)
  }
  return scope(() => {
    const tape = new Tape(sources)
    const result = tape.run(f, what)
    const value = valueIn(result)
    requireTensor(what, "the function's result", value)
    const seed = seedOf(value)
    const grads = tape.tracks(value) ? tape.backward(value, seed, sources) : sources.map(() => undefined)
    // A rule such as dA = dB = dY gives one tensor to several sources. Each source gets its own view, so that disposing one leaves the others.
    const taken = new Set<Tensor>(result === value ? [value, seed] : [value, seed, ...tensorsIn(result)])
    const own = grads.map((grad) => {
      const mine = grad && taken.has(grad) ? ops.viewOf(grad) : grad
      if (mine) taken.add(mine)
      return mine
    })
    return { result, value, grads: own, tape }
  })
}
