/** The common part of the functions that differentiate. */
import { requireFunction } from '../arguments.js'
import { GradientError, shapeError, ValueError } from '../errors.js'
import { isFloat } from '../tensor/dtype.js'
import { scope, tensorsIn } from '../tensor/scope.js'
import { sameShape } from '../tensor/shape.js'
import { requireTensor, requireTensors, type Tensor } from '../tensor/tensor.js'
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

/** A tangent that its caller may free: zeros for a value that does not move, a view where it is one of the tangents given. */
export function ownTangent(tangent: Tensor | undefined, value: Tensor, given: readonly Tensor[]): Tensor {
  if (!tangent) return ops.zerosLike(value)
  return given.includes(tangent) ? ops.viewOf(tangent) : tangent
}

/** Throws unless v has a tensor for each argument of f, of its shape. */
export function requireDirection(what: string, f: unknown, xs: readonly Tensor[], v: readonly Tensor[]): void {
  requireFunction(what, 'f', f, `${what}(f, [x], [v])`)
  requireTensors(what, 'xs', xs)
  if (xs.length === 0) throw new ValueError(`${what}: give the arguments of f: ${what}(f, [x], [v]).`)
  requireTensors(what, 'v', v)
  if (v.length < xs.length)
    throw new ValueError(`${what}: v[${v.length}] is missing; v needs one tensor for each of the ${xs.length} arguments.`)
  xs.forEach((x, i) => {
    requireShapeOf(what, `v[${i}]`, v[i], `x[${i}]`, x)
  })
}

export function requireShapeOf(what: string, name: string, tensor: Tensor, otherName: string, other: Tensor): void {
  if (sameShape(tensor.shape, other.shape)) return
  throw shapeError(what, `${name} must have the shape of ${otherName}`, [
    { name, shape: tensor.shape },
    { name: otherName, shape: other.shape },
  ])
}
