/** Functions with a derivative that the caller writes. */
import { describeValue, requireFunction } from '../arguments.js'
import { ValueError } from '../errors.js'
import { scope } from '../tensor/scope.js'
import { requireTensor, requireTensors, Tensor } from '../tensor/tensor.js'
import { type OpDefinition, ops, type Vjp } from './op.js'
import { isTracked, recordOp, withoutRecording } from './recording.js'
import { transposed } from './transpose.js'

/**
 * Gives `made` the `length` of `like`. `grad` returns one tensor for a function of one parameter; so `grad(grad(f))` works only if `grad(f)` says how many
 * parameters f has.
 */
export function withLengthOf<F extends object>(like: { readonly length: number }, made: F): F {
  return Object.defineProperty(made, 'length', { value: like.length })
}

/**
 * A function with a derivative that you write. Tapes do not see inside `forward`.
 *
 * `backward` gets dY, the cotangent of the result y. It returns a cotangent for each argument, or null for none. Make it of public ops if the derivative
 * is to be differentiated again.
 *
 * @throws ValueError at the walk back if `backward` does not return one tensor or null for each argument.
 * @example
 * ```ts
 * // The identity, with its gradient clipped to [−1, 1].
 * const clipped = customGrad((x) => x, ({ dY }) => [clip(dY, -1, 1)])
 * grad((x) => clipped(x).mul(5).sum())(tensor([3])) // [1]
 * ```
 */
export function customGrad<A extends Tensor[]>(
  forward: (...xs: A) => Tensor,
  backward: (at: { dY: Tensor; y: Tensor }, xs: readonly Tensor[]) => readonly (Tensor | null)[],
  name = 'customGrad',
): A extends [infer _] ? (x: Tensor) => Tensor : (...xs: Tensor[]) => Tensor {
  const example = 'customGrad((x) => y, ({ dY }, [x]) => [dX])'
  requireFunction('customGrad', 'forward', forward, example)
  requireFunction('customGrad', 'backward', backward, example)
  if (typeof name !== 'string') throw new ValueError(`customGrad: name must be text, got ${describeValue(name)}.`)
  const vjp: Vjp<object> = ({ dY, y }, inputs) => {
    let grads: readonly (Tensor | null)[] | undefined
    const all = (): readonly (Tensor | null)[] => {
      if (grads) return grads
      grads = backward({ dY, y }, inputs)
      if (Array.isArray(grads) && grads.length === inputs.length && grads.every((g) => g === null || g instanceof Tensor)) return grads
      const expected = `an array with a tensor or null for each of the ${inputs.length} arguments`
      throw new ValueError(`${name}: backward must return ${expected}, got ${describeValue(grads)}.`)
    }
    return inputs.map((input, i) => () => all()[i] ?? ops.zerosLike(input))
  }
  const op: OpDefinition = {
    name,
    rule: '(given by customGrad)',
    samples: [],
    vjp,
    jvp: transposed(vjp),
    call: (inputs) => apply(...inputs),
  }
  const apply = (...xs: Tensor[]): Tensor => {
    requireTensors(name, 'its arguments', xs)
    const result = withoutRecording(() => scope(() => forward(...(xs as A))))
    requireTensor(name, 'the result of forward', result)
    // If forward returned its argument, or another tensor that a tape tracks, the record needs a new tensor as its output.
    const y = xs.includes(result) || isTracked(result) ? withoutRecording(() => ops.viewOf(result)) : result
    recordOp(op, xs, y, {})
    return y
  }
  return withLengthOf(forward, apply) as ReturnType<typeof customGrad<A>>
}
