/**
 * Elementwise functions of two tensors, broadcast by NumPy's rule: [4, 3] and [3] give [4, 3]. A number may stand on either side. Two dtypes meet in
 * the wider one.
 *
 * Where an input was repeated, its cotangent is summed over the repeated axes (`sumTo`).
 *
 * The file is long because every function has a comment of its own; the code is a row each.
 */
import { defineOp } from '../../autodiff/dispatch.js'
import type { Ops, Sample, SampleInput } from '../../autodiff/op.js'
import { sample } from '../../autodiff/samples.js'
import type { ZipKernel } from '../../backends/backend.js'
import { type DType, defaultFloat, isFloat, promote, requireDType } from '../../tensor/dtype.js'
import { broadcastShapes, type Shape } from '../../tensor/shape.js'
import type { BroadcastShape, CheckBroadcast } from '../../tensor/static-shape.js'
import type { Tensor } from '../../tensor/tensor.js'
import { requireNoMore } from '../requirements.js'
import { cast } from './elementwise.js'
import { callWith, toTensor } from './operands.js'

/** A function of two tensors, or of a tensor and a number, such as `add`. */
export interface Binary {
  <S extends Shape>(a: Tensor<S>, b: number): Tensor<S>
  <S extends Shape>(a: number, b: Tensor<S>): Tensor<S>
  /** For a side typed `Tensor | number`. Two tensors do not match here, because this overload does not check that they broadcast. */
  <A extends Tensor | number, B extends Tensor | number>(
    a: A,
    b: B & (Either<A> extends true ? unknown : Either<B> extends true ? unknown : never),
  ): Tensor
  <A extends Tensor, B extends Tensor>(a: A, b: B & CheckBroadcast<A['shape'], B['shape']>): Tensor<BroadcastShape<A['shape'], B['shape']>>
}

/** True for `Tensor | number`. */
type Either<T> = [T] extends [number] ? false : [number] extends [T] ? true : false

interface BinaryRow {
  rule?: string
  /** Cotangents of a and b before they are summed to their shapes. */
  vjp:
    | readonly [
        (dY: Tensor, a: Tensor, b: Tensor, y: Tensor, ops: Ops) => Tensor,
        (dY: Tensor, a: Tensor, b: Tensor, y: Tensor, ops: Ops) => Tensor,
      ]
    | string
  /** The dtypes allowed. Under 'float', int32 is cast to float32. */
  operands?: 'any' | 'number' | 'float' | 'bool'
  /** The dtype of the output; by default that of the operands. */
  dtype?: DType
  /** The ranges of test values of a and b. */
  domain?: readonly [Pick<SampleInput, 'low' | 'high'>, Pick<SampleInput, 'low' | 'high'>]
}

function binary(name: ZipKernel, { rule, vjp, operands = 'number', dtype, domain = [{}, {}] }: BinaryRow): Binary {
  const allowed: DType[] =
    operands === 'bool'
      ? ['bool']
      : operands === 'float'
        ? ['float32', 'float64']
        : operands === 'any'
          ? ['float32', 'float64', 'int32', 'uint8', 'bool']
          : ['float32', 'float64', 'int32']
  const call = defineOp({
    name,
    rule: rule ?? '(none)',
    shape: ([a, b]) => {
      requireDType(name, 'a', a.dtype, allowed)
      requireDType(name, 'b', b.dtype, allowed)
      return { shape: broadcastShapes(name, a.shape, b.shape), dtype: dtype ?? a.dtype }
    },
    forward: (k, out, [a, b]) => k.zip(out, a, b, name),
    vjp:
      typeof vjp === 'string'
        ? vjp
        : ({ dY, y }, [a, b], ops) => [
            () => ops.sumTo(vjp[0](dY, a, b, y, ops), a.shape),
            () => ops.sumTo(vjp[1](dY, a, b, y, ops), b.shape),
          ],
    // For operands of the output's shape both Jacobians are diagonal, so each is its own transpose.
    jvp:
      typeof vjp === 'string'
        ? undefined
        : ({ y }, [a, b], ops) => [
            (v) => vjp[0](ops.broadcastTo(v, y.shape), a, b, y, ops),
            (v) => vjp[1](ops.broadcastTo(v, y.shape), a, b, y, ops),
          ],
    samples: binarySamples(operands, domain),
  })

  return ((x: Tensor | number, z: Tensor | number, ...more: unknown[]) => {
    if (more.length > 0) requireNoMore(name, z, more, 'two operands')
    const left = toTensor(name, x, z)
    const right = toTensor(name, z, x)
    let a = left
    let b = right
    if (a.dtype !== b.dtype || (operands === 'float' && !isFloat(a.dtype))) {
      let common = promote(a.dtype, b.dtype)
      if (operands === 'float' && common === 'int32') common = defaultFloat(left.backend)
      a = cast(a, common)
      b = cast(b, common)
    }
    if (a === x && b === z) return call([a, b], {})
    const temporaries = [left, right, a, b].filter((t) => t !== x && t !== z)
    return callWith([a, b], temporaries, (both) => call(both, {}))
  }) as Binary
}

const comparison = { vjp: 'a comparison is piecewise constant.', operands: 'any', dtype: 'bool' } as const
const logic = { vjp: 'truth values have no derivative.', operands: 'bool', dtype: 'bool' } as const
const positive = { low: 0.3, high: 2.5 }

/**
 * a + b.
 * Shape: a, b → broadcast. Gradient: dA = dY, dB = dY.
 * @throws ShapeError if the shapes do not broadcast, DTypeError if both are uint8 or bool.
 * @example
 * ```ts
 * add(tensor([[1, 2], [3, 4]]), tensor([10, 20])) // [[11, 22], [13, 24]]
 * ```
 */
export const add: Binary = binary('add', { rule: 'dA = dY, dB = dY', vjp: [(dY) => dY, (dY) => dY] })
/**
 * a − b.
 * Shape: a, b → broadcast. Gradient: dA = dY, dB = −dY.
 * @throws ShapeError if the shapes do not broadcast, DTypeError if both are uint8 or bool.
 * @example
 * ```ts
 * sub(tensor([5, 7]), 2) // [3, 5]
 * ```
 */
export const sub: Binary = binary('sub', { rule: 'dA = dY, dB = −dY', vjp: [(dY) => dY, (dY, _a, _b, _y, ops) => ops.neg(dY)] })
/**
 * a·b, element by element; `matMul` is the matrix product.
 * Shape: a, b → broadcast. Gradient: dA = dY·b, dB = dY·a.
 * @throws ShapeError if the shapes do not broadcast, DTypeError if both are uint8 or bool.
 * @example
 * ```ts
 * mul(tensor([1, 2]), tensor([3, 4])) // [3, 8]
 * ```
 */
export const mul: Binary = binary('mul', {
  rule: 'dA = dY·b, dB = dY·a',
  vjp: [(dY, _a, b, _y, ops) => ops.mul(dY, b), (dY, a, _b, _y, ops) => ops.mul(dY, a)],
})
/**
 * a / b. Integers are divided as float32.
 * Shape: a, b → broadcast. Gradient: dA = dY/b, dB = −dY·y/b.
 * @throws ShapeError if the shapes do not broadcast, DTypeError if both are uint8 or bool.
 * @example
 * ```ts
 * div(tensor([1, 6]), tensor([2, 4])) // [0.5, 1.5]
 * ```
 */
export const div: Binary = binary('div', {
  rule: 'dA = dY/b, dB = −dY·y/b',
  vjp: [(dY, _a, b, _y, ops) => ops.div(dY, b), (dY, _a, b, y, ops) => ops.neg(ops.div(ops.mul(dY, y), b))],
  operands: 'float',
  domain: [{}, positive],
})
/**
 * a·b, but 0 where b is 0, even if a is infinite or NaN (TensorFlow's `multiply_no_nan`). So a weight of 0 leaves a bad value out.
 * Shape: a, b → broadcast. Gradient: dA = dY·b, dB = dY·a, but 0 where b or dY is 0.
 * @throws ShapeError if the shapes do not broadcast, DTypeError if both are uint8 or bool.
 * @example
 * ```ts
 * mulNoNaN(tensor([Infinity, 2]), tensor([0, 3])) // [0, 6]
 * ```
 */
export const mulNoNaN: Binary = binary('mulNoNaN', {
  rule: 'dA = dY·b, dB = dY·a, 0 where b or dY is 0',
  vjp: [(dY, _a, b, _y, ops) => ops.mulNoNaN(dY, b), (dY, a, _b, _y, ops) => ops.mulNoNaN(a, dY)],
  operands: 'float',
})
/**
 * a to the power b. A negative base gives NaN unless b is whole. As in IEEE 754, a⁰ and 1ᵇ are 1 even beside NaN, and (−1)^±∞ is 1.
 * The derivative by b is 0 where a ≤ 0.
 * Shape: a, b → broadcast. Gradient: dA = dY·b·aᵇ⁻¹, dB = dY·y·ln a.
 * @throws ShapeError if the shapes do not broadcast, DTypeError if both are uint8 or bool.
 * @example
 * ```ts
 * pow(tensor([2, 3]), tensor([3, 2])) // ≈ [8.000, 9.000]
 * ```
 */
export const pow: Binary = binary('pow', {
  rule: 'dA = dY·b·aᵇ⁻¹, dB = dY·y·ln a',
  vjp: [
    // At a = 0 the power aᵇ⁻¹ may be infinite. It does not count where b is 0, or where no cotangent arrives.
    (dY, a, b, _y, ops) => ops.mulNoNaN(ops.mulNoNaN(ops.pow(a, ops.sub(b, 1)), b), dY),
    (dY, a, _b, y, ops) => ops.mul(dY, ops.mul(y, ops.log(ops.where(ops.greater(a, 0), a, 1)))),
  ],
  operands: 'float',
  domain: [positive, { low: -2, high: 3 }],
})
/**
 * The angle of the point (b, a), in radians from −π to π.
 * Shape: a, b → broadcast. Gradient: dA = dY·b/(a² + b²), dB = −dY·a/(a² + b²).
 * @throws ShapeError if the shapes do not broadcast, DTypeError if both are uint8 or bool.
 * @example
 * ```ts
 * atan2(tensor([1, 1]), tensor([1, -1])) // ≈ [0.7854, 2.3562]
 * ```
 */
export const atan2: Binary = binary('atan2', {
  rule: 'dA = dY·b/(a²+b²), dB = −dY·a/(a²+b²)',
  vjp: [
    (dY, a, b, _y, ops) => ops.mul(dY, ops.div(b, ops.add(ops.square(a), ops.square(b)))),
    (dY, a, b, _y, ops) => ops.neg(ops.mul(dY, ops.div(a, ops.add(ops.square(a), ops.square(b))))),
  ],
  operands: 'float',
})
/**
 * a where b > 0, elsewhere 0. The derivative of `relu` is made of it.
 * Shape: a, b → broadcast. Gradient: dA = dY where b > 0, dB = 0.
 * @throws ShapeError if the shapes do not broadcast, DTypeError if both are uint8 or bool.
 * @example
 * ```ts
 * gate(tensor([5, 6]), tensor([-1, 2])) // [0, 6]
 * ```
 */
export const gate: Binary = binary('gate', {
  rule: 'dA = dY where b > 0',
  vjp: [(dY, _a, b, _y, ops) => ops.gate(dY, b), (_dY, _a, _b, y, ops) => ops.zerosLike(y)],
  operands: 'float',
})
/**
 * The larger of a and b; NaN if one of them is. Where they are equal, the cotangent goes to a.
 * Shape: a, b → broadcast. Gradient: dA = dY where a ≥ b, dB = dY where a < b.
 * @throws ShapeError if the shapes do not broadcast, DTypeError if both are uint8 or bool.
 * @example
 * ```ts
 * maximum(tensor([1, 4]), tensor([3, 2])) // [3, 4]
 * ```
 */
export const maximum: Binary = binary('maximum', {
  rule: 'dA = dY where a ≥ b, dB = dY where a < b',
  vjp: [(dY, a, b, _y, ops) => ops.where(ops.greaterEqual(a, b), dY, 0), (dY, a, b, _y, ops) => ops.where(ops.less(a, b), dY, 0)],
})
/**
 * The smaller of a and b; NaN if one of them is. Where they are equal, the cotangent goes to a.
 * Shape: a, b → broadcast. Gradient: dA = dY where a ≤ b, dB = dY where a > b.
 * @throws ShapeError if the shapes do not broadcast, DTypeError if both are uint8 or bool.
 * @example
 * ```ts
 * minimum(tensor([1, 4]), tensor([3, 2])) // [1, 2]
 * ```
 */
export const minimum: Binary = binary('minimum', {
  rule: 'dA = dY where a ≤ b, dB = dY where a > b',
  vjp: [(dY, a, b, _y, ops) => ops.where(ops.lessEqual(a, b), dY, 0), (dY, a, b, _y, ops) => ops.where(ops.greater(a, b), dY, 0)],
})
/**
 * The remainder a − b·⌊a/b⌋ with the sign of b, exact, as in Python and NumPy. mod(1, ∞) is 1, mod(−1, ∞) is ∞; NaN for b = 0.
 * Shape: a, b → broadcast. Gradient: dA = dY, dB = −dY·⌊a/b⌋.
 * @throws ShapeError if the shapes do not broadcast, DTypeError if both are uint8 or bool.
 * @example
 * ```ts
 * mod(tensor([5, -5]), 3) // [2, 1]
 * ```
 */
export const mod: Binary = binary('mod', {
  rule: 'dA = dY, dB = −dY·⌊a/b⌋',
  vjp: [(dY) => dY, (dY, a, b, _y, ops) => ops.neg(ops.mul(dY, ops.floorDiv(a, b)))],
  domain: [
    { low: -5.9, high: 5.9 },
    { low: 1.1, high: 1.35 },
  ],
})
/**
 * ⌊a/b⌋, as in Python and NumPy. −1 by ∞ gives −1; ∞ by a number gives NaN; division by 0 gives ±∞, and 0 for int32.
 * Shape: a, b → broadcast. Gradient: none, it is piecewise constant.
 * @throws ShapeError if the shapes do not broadcast, DTypeError if both are uint8 or bool.
 * @example
 * ```ts
 * floorDiv(tensor([5, -5]), 3) // [1, -2]
 * ```
 */
export const floorDiv: Binary = binary('floorDiv', {
  vjp: 'it is piecewise constant.',
  domain: [
    { low: -5.9, high: 5.9 },
    { low: 1.1, high: 1.35 },
  ],
})

/**
 * Whether a = b, as bool.
 * Shape: a, b → broadcast. Gradient: none, a comparison is piecewise constant.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * ```ts
 * equal(tensor([1, 2]), tensor([1, 3])) // [1, 0]
 * ```
 */
export const equal: Binary = binary('equal', comparison)
/**
 * Whether a ≠ b, as bool.
 * Shape: a, b → broadcast. Gradient: none, a comparison is piecewise constant.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * ```ts
 * notEqual(tensor([1, 2]), tensor([1, 3])) // [0, 1]
 * ```
 */
export const notEqual: Binary = binary('notEqual', comparison)
/**
 * Whether a < b, as bool.
 * Shape: a, b → broadcast. Gradient: none, a comparison is piecewise constant.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * ```ts
 * less(tensor([1, 2, 3]), 2) // [1, 0, 0]
 * ```
 */
export const less: Binary = binary('less', comparison)
/**
 * Whether a ≤ b, as bool.
 * Shape: a, b → broadcast. Gradient: none, a comparison is piecewise constant.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * ```ts
 * lessEqual(tensor([1, 2, 3]), 2) // [1, 1, 0]
 * ```
 */
export const lessEqual: Binary = binary('lessEqual', comparison)
/**
 * Whether a > b, as bool.
 * Shape: a, b → broadcast. Gradient: none, a comparison is piecewise constant.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * ```ts
 * greater(tensor([1, 2, 3]), 2) // [0, 0, 1]
 * ```
 */
export const greater: Binary = binary('greater', comparison)
/**
 * Whether a ≥ b, as bool.
 * Shape: a, b → broadcast. Gradient: none, a comparison is piecewise constant.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * ```ts
 * greaterEqual(tensor([1, 2, 3]), 2) // [0, 1, 1]
 * ```
 */
export const greaterEqual: Binary = binary('greaterEqual', comparison)
/**
 * Whether a and b are true.
 * Shape: a, b → broadcast. Gradient: none, truth values have no derivative.
 * @throws ShapeError if the shapes do not broadcast, DTypeError unless both are bool.
 * @example
 * ```ts
 * logicalAnd(tensor([true, true]), tensor([true, false])) // [1, 0]
 * ```
 */
export const logicalAnd: Binary = binary('logicalAnd', logic)
/**
 * Whether a or b is true, or both.
 * Shape: a, b → broadcast. Gradient: none, truth values have no derivative.
 * @throws ShapeError if the shapes do not broadcast, DTypeError unless both are bool.
 * @example
 * ```ts
 * logicalOr(tensor([true, false]), tensor([false, false])) // [1, 0]
 * ```
 */
export const logicalOr: Binary = binary('logicalOr', logic)
/**
 * Whether exactly one of a and b is true.
 * Shape: a, b → broadcast. Gradient: none, truth values have no derivative.
 * @throws ShapeError if the shapes do not broadcast, DTypeError unless both are bool.
 * @example
 * ```ts
 * logicalXor(tensor([true, true]), tensor([true, false])) // [0, 1]
 * ```
 */
export const logicalXor: Binary = binary('logicalXor', logic)

function binarySamples(operands: BinaryRow['operands'], [ofA, ofB]: NonNullable<BinaryRow['domain']>): Sample<object>[] {
  const dtype = operands === 'bool' ? 'bool' : 'float32'
  const pair = (a: Shape, b: Shape): Sample<object> => sample({ shape: a, dtype, ...ofA }, { shape: b, dtype, ...ofB })
  const whole = (shape: Shape): SampleInput => ({ shape, dtype: 'int32', low: -4, high: 5 })
  return [
    pair([], []),
    pair([5], []),
    pair([3, 1], [1, 4]),
    pair([2, 3, 5], [3, 5]),
    pair([7, 6], [7, 1]),
    pair([0, 3], [3]),
    pair([129, 67], [67]),
    pair([1], [2, 3]),
    pair([4, 1, 3], [2, 1]),
    pair([37, 41], [37, 41]),
    ...(operands === 'any' || operands === 'number' ? [sample(whole([3, 4]), whole([4]))] : []),
  ]
}
