/** Derivatives as tables: `jacobian` and `hessian`; and a Hessian times a vector, without the table. */
import { requireFunction } from '../arguments.js'
import { GradientError, ValueError } from '../errors.js'
import { isFloat } from '../tensor/dtype.js'
import { scope } from '../tensor/scope.js'
import { requireTensor, requireTensors, type Tensor } from '../tensor/tensor.js'
import { withLengthOf } from './custom-grad.js'
import { ownTangent, requireDirection } from './differentiate.js'
import { gradients } from './grad.js'
import { ops } from './op.js'
import { Tape } from './tape.js'

/**
 * All partial derivatives of a function of one or more tensors, as a function of the same arguments: one tensor for a function of one parameter, else an
 * array with one for each argument. An argument that has no influence gets zeros.
 *
 * Shape: f [..x] → [..y] gives [..y, ..x]: element [i, j] is ∂yᵢ/∂xⱼ
 * Cost:  f once, and a walk over its tape for each element of y (backwards) or of the arguments (forwards), whichever are fewer
 *
 * @throws GradientError if an argument is no float.
 * @example
 * ```ts
 * const polar = (x: Tensor) => stack([x.slice([0], [1]).cos(), x.slice([0], [1]).sin()]).mul(x.slice([1])).flatten()
 * console.log(await jacobian(polar)(tensor([0, 2])).array())   // [[0, 1], [2, 0]]
 * ```
 */
export function jacobian<A extends Tensor[]>(
  f: (...xs: A) => Tensor,
): A extends [infer _] ? (x: Tensor) => Tensor : (...xs: Tensor[]) => Tensor[]
export function jacobian(f: (...xs: Tensor[]) => Tensor): (...xs: Tensor[]) => Tensor | Tensor[] {
  requireFunction('jacobian', 'f', f, 'jacobian((x) => x.square())(x)')
  return withLengthOf(f, (...xs: Tensor[]) => {
    const tables = tablesOf('jacobian', f, xs)
    return f.length === 1 && xs.length === 1 ? tables[0] : tables
  })
}

/**
 * All second derivatives of a scalar function, as a function of the same arguments: one tensor for a function of one parameter, else `blocks[i][j]`, the
 * derivative by argument i and then by argument j.
 *
 * Shape: x [..x] → [..x, ..x]; blocks[i][j] is [..xᵢ, ..xⱼ]
 * Cost:  a gradient, and a walk over its tape for each element of the arguments; `hvp` needs one walk
 *
 * @throws ShapeError if f does not return a scalar, GradientError if the result does not depend on an argument.
 * @example
 * ```ts
 * const h = hessian((x: Tensor) => x.square().mul(x).sum())(tensor([1, 2]))
 * console.log(await h.array())   // [[6, 0], [0, 12]]
 * ```
 */
export function hessian<A extends Tensor[]>(
  f: (...xs: A) => Tensor,
): A extends [infer _] ? (x: Tensor) => Tensor : (...xs: Tensor[]) => Tensor[][]
export function hessian(f: (...xs: Tensor[]) => Tensor): (...xs: Tensor[]) => Tensor | Tensor[][] {
  requireFunction('hessian', 'f', f, 'hessian((x) => x.square().sum())(x)')
  return withLengthOf(f, (...xs: Tensor[]) => {
    const blocks = scope(() => xs.map((_, i) => tablesOf('hessian', () => gradients('hessian', f, xs, {})[i], xs)))
    return f.length === 1 && xs.length === 1 ? blocks[0][0] : blocks
  })
}

/**
 * The gradient of a scalar function, and its change when the arguments move along v: the product H·v of the Hessian with v, without the Hessian. Forward
 * over reverse: the gradient is recorded, and tangents are pushed along its tape.
 *
 * Shape: `grads[i]` and `products[i]` have the shape of argument i
 * Cost:  about three gradients, in time and in memory
 *
 * @example
 * ```ts
 * const cubes = (x: Tensor) => x.square().mul(x).sum()
 * const { grads, products } = hvp(cubes, [tensor([1, 2])], [tensor([1, 10])])   // grads[0] = [3, 12], products[0] = [6, 120]
 * ```
 */
export function hvp(f: (...xs: Tensor[]) => Tensor, xs: readonly Tensor[], v: readonly Tensor[]): { grads: Tensor[]; products: Tensor[] } {
  requireDirection('hvp', f, xs, v)
  return scope(() => {
    const tape = new Tape(xs)
    const grads = tape.run(() => gradients('hvp', f, xs, {}), 'hvp')
    const tangents = tape.forward(grads, xs, v)
    return { grads, products: grads.map((g, i) => ownTangent(tangents[i], g, v)) }
  })
}

/** For each argument the table [..y, ..x]. */
function tablesOf(what: string, f: (...xs: Tensor[]) => Tensor, xs: readonly Tensor[]): Tensor[] {
  if (xs.length === 0) throw new ValueError(`${what}: call it with the arguments of f: ${what}(f)(x).`)
  requireTensors(what, 'the arguments', xs)
  for (const { dtype } of xs)
    if (!isFloat(dtype)) throw new GradientError(`${what}: cannot differentiate with respect to a tensor of ${dtype}. Cast it to float32.`)
  return scope(() => {
    const tape = new Tape(xs)
    const y = tape.run(() => f(...xs), what)
    requireTensor(what, "the function's result", y)
    const columns = xs.reduce((n, x) => n + x.size, 0)
    if (!tape.tracks(y) || y.size * columns === 0) return xs.map((x) => nothing(y, x))
    return columns < y.size ? byColumns(tape, y, xs) : byRows(tape, y, xs)
  })
}

/** Backwards: the cotangent 1 at element i of y gives ∂yᵢ/∂x, a row. */
function byRows(tape: Tape, y: Tensor, xs: readonly Tensor[]): Tensor[] {
  const rows = eachUnit(y, (unit) => tape.backward(y, unit, xs).map((row, i) => row ?? ops.zerosLike(xs[i])))
  return xs.map((x, i) => ops.reshape(ops.stack(rows.map((row) => row[i])), [...y.shape, ...x.shape]))
}

/** Forwards: the tangent 1 at element j of x gives ∂y/∂xⱼ, a column. */
function byColumns(tape: Tape, y: Tensor, xs: readonly Tensor[]): Tensor[] {
  return xs.map((x) => {
    if (x.size === 0) return nothing(y, x)
    const columns = eachUnit(x, (unit) => tape.forward([y], [x], [unit])[0] ?? ops.zerosLike(y))
    return ops.reshape(ops.stack(columns, -1), [...y.shape, ...x.shape])
  })
}

/** The results of `f` for each tensor like `x` that is 1 at one element and 0 elsewhere, in order. Its other tensors are freed at once. */
const eachUnit = <R>({ size, shape, dtype, backend }: Tensor, f: (unit: Tensor) => R): R[] =>
  Array.from({ length: size }, (_, i) =>
    scope(() =>
      f(
        ops.tensor(
          Float64Array.from({ length: size }, (_, j) => (i === j ? 1 : 0)),
          { shape, dtype, backend },
        ),
      ),
    ),
  )

const nothing = (y: Tensor, { shape, dtype, backend }: Tensor): Tensor => ops.zeros([...y.shape, ...shape], { dtype, backend })
