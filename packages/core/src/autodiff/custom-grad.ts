/** Functions with derivatives of their own. */
import { describeValue, requireFunction } from '../arguments.js'
import { ValueError } from '../errors.js'
import { scope } from '../tensor/scope.js'
import { requireTensor, requireTensors, Tensor } from '../tensor/tensor.js'
import { type OpDefinition, ops } from './op.js'
import { isTracked, recordOp, withoutRecording } from './recording.js'

/** A function said to have as many parameters as another: grad gives one tensor for a function of one parameter, a gradient itself included. */
export function withLengthOf<F extends object>(like: { readonly length: number }, made: F): F {
  return Object.defineProperty(made, 'length', { value: like.length })
}

/**
 * A function with a derivative of your own. `forward` runs unseen by tapes; `backward` gets the cotangent of the result and gives one
 * for each argument (null for none), made of public ops if it is to be differentiated again.
 *
 * @example
 * ```ts
 * // The identity, with its gradient clipped to [−1, 1].
 * const clipped = customGrad((x) => x, ({ dY }) => [clip(dY, -1, 1)])
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
  const op: OpDefinition = {
    name,
    rule: '(given by customGrad)',
    samples: [],
    vjp: ({ dY, y }, inputs) => {
      let grads: readonly (Tensor | null)[] | undefined
      const all = (): readonly (Tensor | null)[] => {
        if (grads) return grads
        grads = backward({ dY, y }, inputs)
        if (Array.isArray(grads) && grads.length === inputs.length && grads.every((g) => g === null || g instanceof Tensor)) return grads
        const expected = `an array with a tensor or null for each of the ${inputs.length} arguments`
        throw new ValueError(`${name}: backward must return ${expected}, got ${describeValue(grads)}.`)
      }
      return inputs.map((input, i) => () => all()[i] ?? ops.zerosLike(input))
    },
    call: (inputs) => apply(...inputs),
  }
  const apply = (...xs: Tensor[]): Tensor => {
    requireTensors(name, 'its arguments', xs)
    const result = withoutRecording(() => scope(() => forward(...(xs as A))))
    requireTensor(name, 'the result of forward', result)
    // A result that tapes know already (forward returned its argument) needs a record, and so a tensor, of its own.
    const y = xs.includes(result) || isTracked(result) ? withoutRecording(() => ops.viewOf(result)) : result
    recordOp(op, xs, y, {})
    return y
  }
  return withLengthOf(forward, apply) as ReturnType<typeof customGrad<A>>
}
