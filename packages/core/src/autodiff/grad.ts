/** Derivatives of functions: `grad`, `valueAndGrad`, `vjp`, `jvp`. Each records a tape, walks it back, and frees everything that it does not return. */
import { requireChoice, requireFunction, requireOptions } from '../arguments.js'
import { GradientError, shapeError, showShape, ValueError } from '../errors.js'
import { isInStep } from '../step-listener.js'
import { scope, tensorsIn } from '../tensor/scope.js'
import { freedBy, Parameter, requireTensor, requireTensors, Tensor } from '../tensor/tensor.js'
import { withLengthOf } from './custom-grad.js'
import { differentiate, ownTangent, requireDirection, requireShapeOf } from './differentiate.js'
import { ops } from './op.js'
import { isRecording } from './recording.js'
import { Tape } from './tape.js'

/** The options of `grad` and `valueAndGrad`. */
export interface GradOptions {
  /** For a source that the result does not depend on: `'error'` (default) throws and says where the path broke, `'zeros'` gives a gradient of zeros. */
  unconnected?: 'error' | 'zeros'
}

const nameOf = (source: Tensor, i: number): string =>
  source instanceof Parameter ? `parameter "${source.name}"` : `argument ${i} (${source.dtype} ${showShape(source.shape)})`

/** The gradient of every source; throws an error that names the sources without one. */
function connected(
  what: string,
  sources: readonly Tensor[],
  grads: readonly (Tensor | undefined)[],
  tape: Tape,
  options: GradOptions,
): Tensor[] {
  const lost = sources.findIndex((_, i) => !grads[i])
  if (lost >= 0 && options.unconnected !== 'zeros') {
    const missing = sources.flatMap((source, i) => (grads[i] ? [] : [nameOf(source, i)]))
    const list = missing.length > 3 ? `${missing.slice(0, 3).join(', ')} and ${missing.length - 3} more` : missing.join(', ')
    throw new GradientError(
      `${what}: the result does not depend on ${list}. ${tape.explainBreak(sources[lost])} ` +
        "Compute the loss from these with differentiable ops, or pass { unconnected: 'zeros' } if this is meant.",
    )
  }
  return sources.map((source, i) => grads[i] ?? ops.zerosLike(source))
}

/** The cotangent 1 of a scalar result; throws for any other result. */
const scalarSeed =
  (what: string) =>
  (value: Tensor): Tensor => {
    requireScalar(what, value)
    return ops.onesLike(value)
  }

function requireScalar(what: string, value: Tensor): void {
  if (value.size === 1) return
  throw shapeError(
    what,
    'the function must return a scalar',
    [{ name: 'result', shape: value.shape }],
    'Reduce it with .mean() or .sum(), or use vjp to choose the weights of its elements.',
  )
}

const requireGradOptions = (what: string, options: GradOptions): void => {
  requireOptions(what, options, ['unconnected'], "{ unconnected: 'zeros' }")
  if (options.unconnected !== undefined) requireChoice(what, 'unconnected', options.unconnected, ['error', 'zeros'])
}

/** @internal The gradient of a scalar function, an array for one argument too. */
export const gradients = (what: string, f: (...xs: Tensor[]) => Tensor, xs: readonly Tensor[], options: GradOptions): Tensor[] =>
  scope(() => {
    const { grads, tape } = differentiate(what, xs, () => f(...xs), scalarSeed(what))
    return connected(what, xs, grads, tape, options)
  })

/**
 * The gradient of a scalar function, as a function of the same arguments. A function of one parameter has one tensor as its gradient; otherwise the gradient is
 * an array with a tensor for each argument. The number of parameters of `(...weights) => …` is not fixed, so it has an array, too.
 *
 * Shape: the gradient by an argument has the shape of the argument
 *
 * @throws ShapeError if f does not return a scalar, GradientError if the result does not depend on an argument.
 * @example
 * ```ts
 * const dx = grad((x: Tensor) => x.square().sum())(tensor([1, 2, 3]))
 * console.log(await dx.array())   // [2, 4, 6]
 * const [da, db] = grad((a: Tensor, b: Tensor) => a.mul(b).sum())(tensor([1, 2]), tensor([3, 4]))
 * console.log(await da.array(), await db.array())   // [3, 4] [1, 2]
 * ```
 */
export function grad<A extends Tensor[]>(
  f: (...xs: A) => Tensor,
  options?: GradOptions,
): A extends [infer _] ? (x: Tensor) => Tensor : (...xs: Tensor[]) => Tensor[]
export function grad(f: (...xs: Tensor[]) => Tensor, options: GradOptions = {}): (...xs: Tensor[]) => Tensor | Tensor[] {
  requireFunction('grad', 'f', f, 'grad((x) => x.square().sum())(x)')
  requireGradOptions('grad', options)
  const gradient = (...xs: Tensor[]): Tensor | Tensor[] => {
    if (xs.length === 0) throw new ValueError('grad: call the gradient with the arguments of f: grad(f)(x).')
    const grads = gradients('grad', f, xs, options)
    return f.length === 1 && xs.length === 1 ? grads[0] : grads
  }
  return withLengthOf(f, gradient)
}

const VALUE_RULE =
  'The value of valueAndGrad lives until the next call with the same first parameter: read it before (await value.item()), or keep() it.'

function requireParameters(parameters: readonly Tensor[]): void {
  requireTensors('valueAndGrad', 'parameters', parameters)
  if (parameters.length > 0) return
  throw new ValueError(
    'valueAndGrad: there are no parameters, so there is nothing to differentiate by. A model has weights once it is built: ' +
      'give its first layer an inputShape, or call it once. Take its weights after that.',
  )
}

/** For the first of a set of parameters: the value that the last call returned. The next call frees it. */
const lastValues = new WeakMap<Tensor, Tensor>()

/** The result of a function given to `valueAndGrad`: its value, and other results under other names. */
interface ValueWithOthers {
  value: Tensor
  /** Not allowed: the gradients are returned under this name. */
  grads?: never
}

/** The scalar in the result of the function. */
function valueIn(result: Tensor | ValueWithOthers): unknown {
  if (typeof result !== 'object' || result === null || !('value' in result)) return result
  if ('grads' in result) throw new ValueError('valueAndGrad: the function returns a field "grads", but this name is for the gradients.')
  return result.value
}

const withoutValue = ({ value: _, ...others }: ValueWithOthers): object => others

/**
 * The value of a scalar function of parameters, and its gradient by each of them. The function may return an object with the scalar as `value` and other
 * results beside it, such as predictions: all are returned beside `grads`.
 *
 * Everything made inside is freed, except the results of the function and `grads`. A training loop needs no scope:
 *
 * - `value` lives until the next call with the same first parameter, unless you `keep()` it.
 * - `grads` live until `optimizer.step(parameters, grads)` takes them, or you dispose them.
 * - Other results are yours. They live to the end of the surrounding scope, or until you dispose them.
 *
 * Shape: the gradient by a parameter has the shape of the parameter
 *
 * @throws ShapeError if the value is not a scalar, GradientError if it does not depend on a parameter.
 * @example
 * ```ts
 * const { value, grads } = valueAndGrad(model.params, () => softmaxCrossEntropy(model.apply(x), y).mean())
 * optimizer.step(model.params, grads)
 *
 * const w = new Parameter(tensor([1, 2]))
 * const step = valueAndGrad([w], () => {
 *   const squares = w.square()
 *   return { value: squares.sum(), squares }
 * })
 * console.log(await step.squares.array(), await step.grads[0].array())   // [1, 4] [2, 4]
 * ```
 */
export function valueAndGrad(parameters: readonly Tensor[], f: () => Tensor, options?: GradOptions): { value: Tensor; grads: Tensor[] }
export function valueAndGrad<R extends ValueWithOthers>(
  parameters: readonly Tensor[],
  f: () => R,
  options?: GradOptions,
): Omit<R, 'grads'> & { grads: Tensor[] }
export function valueAndGrad(
  parameters: readonly Tensor[],
  f: () => Tensor | ValueWithOthers,
  options: GradOptions = {},
): { value: Tensor; grads: Tensor[] } {
  requireParameters(parameters)
  requireFunction('valueAndGrad', 'f', f, 'valueAndGrad(parameters, () => loss)')
  requireGradOptions('valueAndGrad', options)
  const { others, value, grads, fresh } = scope(() => {
    const { result, value, grads, tape } = differentiate('valueAndGrad', parameters, f, scalarSeed('valueAndGrad'), valueIn)
    const others = result instanceof Tensor ? undefined : withoutValue(result)
    return {
      others,
      value,
      grads: connected('valueAndGrad', parameters, grads, tape, options),
      // Only a value that f made may be freed. f may return a parameter or a constant of the caller, or the value under a second name.
      fresh: tape.tracks(value) && !parameters.includes(value) && !(others && tensorsIn(others).has(value)),
    }
  })
  const owner = parameters[0]
  // Inside another derivative, the surrounding tape may need the value; the surrounding scope frees it. So does that of a compiled step.
  if (owner && !isRecording() && !isInStep()) {
    const previous = lastValues.get(owner)
    if (previous && !previous.kept && previous !== value) {
      previous.dispose()
      freedBy.set(previous, VALUE_RULE)
    }
    if (fresh) lastValues.set(owner, value)
    else lastValues.delete(owner)
  }
  return { ...others, value, grads }
}

/**
 * The value of f and the vector–Jacobian product u·J: the cotangents of the arguments if the result has cotangent u.
 *
 * Shape: u has the shape of f(...xs), each gradient that of its argument
 *
 * @throws ShapeError if u does not have the shape of the result.
 * @example
 * ```ts
 * const { value, grads } = vjp((x) => x.square(), [tensor([1, 2])], tensor([1, 10]))   // grads[0] = [2, 40]
 * ```
 */
export function vjp(f: (...xs: Tensor[]) => Tensor, xs: readonly Tensor[], u: Tensor): { value: Tensor; grads: Tensor[] } {
  requireFunction('vjp', 'f', f, 'vjp(f, [x], u)')
  requireTensors('vjp', 'xs', xs)
  if (xs.length === 0) throw new ValueError('vjp: give the arguments of f: vjp(f, [x], u).')
  requireTensor('vjp', 'u', u)
  return scope(() => {
    const { value, grads } = differentiate(
      'vjp',
      xs,
      () => f(...xs),
      (y) => {
        requireShapeOf('vjp', 'u', u, 'f(x)', y)
        return u
      },
    )
    return { value, grads: xs.map((x, i) => grads[i] ?? ops.zerosLike(x)) }
  })
}

/**
 * The value of f and the Jacobian–vector product J·v: the tangent of the result if the arguments move along v.
 *
 * Forward mode: f is recorded once, and tangents are pushed along the tape. That takes the time of two to three calls of f, whatever the number of arguments.
 *
 * Shape: each v[i] has the shape of xs[i], the tangent that of the result
 *
 * @throws ShapeError if a v[i] does not have the shape of its argument.
 * @example
 * ```ts
 * const { tangent } = jvp((x) => x.square(), [tensor([1, 2])], [tensor([1, 10])])   // tangent = [2, 40]
 * ```
 */
export function jvp(f: (...xs: Tensor[]) => Tensor, xs: readonly Tensor[], v: readonly Tensor[]): { value: Tensor; tangent: Tensor } {
  requireDirection('jvp', f, xs, v)
  return scope(() => {
    const tape = new Tape(xs)
    const value = tape.run(() => f(...xs), 'jvp')
    requireTensor('jvp', "the function's result", value)
    const [tangent] = tape.forward([value], xs, v)
    return { value, tangent: ownTangent(tangent, value, v) }
  })
}
