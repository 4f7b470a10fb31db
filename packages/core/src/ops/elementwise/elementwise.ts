/**
 * Elementwise functions of one tensor. A function is a row of a table: `tanh`, say, is its name, its derivative in words and in code, and the range
 * that its test values are drawn from. The backend's `map` kernel of the same name computes it.
 *
 * Derivatives: Abramowitz & Stegun, "Handbook of Mathematical Functions" (1964), chapters 4 and 7.
 *
 * The file is long because every function has a comment of its own; the code is a row each.
 */
import { defineOp } from '../../autodiff/dispatch.js'
import type { Ops, Sample, SampleInput } from '../../autodiff/op.js'
import type { MapKernel } from '../../backends/backend.js'
import { type DType, isFloat, requireDType } from '../../tensor/dtype.js'
import type { Shape } from '../../tensor/shape.js'
import { requireTensor, type Tensor } from '../../tensor/tensor.js'
import { requireNoMore } from '../requirements.js'

/** A function of one tensor that keeps its shape, such as `tanh`. */
export type Unary = <S extends Shape>(x: Tensor<S>) => Tensor<S>

interface UnaryRow {
  /** dX in terms of dY, x, and y = f(x). */
  rule?: string
  vjp: ((dY: Tensor, x: Tensor, y: Tensor, ops: Ops) => Tensor) | string
  /** The range of test values; by default both signs, away from 0. */
  domain?: Pick<SampleInput, 'low' | 'high'>
  /** Whether the function also takes int32. */
  integers?: boolean
  /** The dtype of the output; by default that of the input. */
  dtype?: DType
}

const shapes: Shape[] = [[], [1], [7], [3, 5], [0, 4], [130, 127]]

function unary(name: MapKernel, { rule, vjp, domain = {}, integers, dtype }: UnaryRow): Unary {
  const samples: Sample<object>[] = shapes.map((shape) => ({ inputs: [{ shape, ...domain }] }))
  if (integers) samples.push({ inputs: [{ shape: [9], dtype: 'int32', low: -9, high: 9 }] })
  const allowed: DType[] = integers ? ['float32', 'float64', 'int32'] : ['float32', 'float64']
  const call = defineOp({
    name,
    rule: rule ?? '(none)',
    shape: ([x]) => {
      requireDType(name, 'x', x.dtype, allowed)
      return { shape: x.shape, dtype: dtype ?? x.dtype }
    },
    forward: (k, out, [x]) => k.map(out, x, name),
    vjp: typeof vjp === 'string' ? vjp : ({ dY, y }, [x], ops) => [() => vjp(dY, x, y, ops)],
    // The Jacobian is diagonal, so it is its own transpose.
    jvp: typeof vjp === 'string' ? undefined : ({ y }, [x], ops) => [(v) => vjp(v, x, y, ops)],
    samples,
  })
  return ((x: Tensor, ...more: unknown[]) => {
    if (more.length > 0) requireNoMore(name, x, more, 'one tensor')
    requireTensor(name, 'x', x)
    return call([x], {})
  }) as Unary
}

const steps = 'it is piecewise constant, so its derivative is zero wherever it exists.'

/**
 * −x.
 * Shape: any → the same. Gradient: dX = −dY.
 * @throws DTypeError unless x is float32, float64 or int32.
 * @example
 * ```ts
 * neg(tensor([1, -2])) // [-1, 2]
 * ```
 */
export const neg: Unary = unary('neg', { rule: 'dX = −dY', vjp: (dY, _x, _y, ops) => ops.neg(dY), integers: true })
/**
 * The absolute value |x|. Its derivative at 0 is 0.
 * Shape: any → the same. Gradient: dX = dY·sign(x).
 * @throws DTypeError unless x is float32, float64 or int32.
 * @example
 * ```ts
 * abs(tensor([-3, 2])) // [3, 2]
 * ```
 */
export const abs: Unary = unary('abs', { rule: 'dX = dY·sign(x)', vjp: (dY, x, _y, ops) => ops.mul(dY, ops.sign(x)), integers: true })
/**
 * The sign of x: −1, 0 or 1.
 * Shape: any → the same. Gradient: none, it is piecewise constant.
 * @throws DTypeError unless x is float32, float64 or int32.
 * @example
 * ```ts
 * sign(tensor([-3, 0, 2])) // [-1, 0, 1]
 * ```
 */
export const sign: Unary = unary('sign', { vjp: steps, integers: true })
/**
 * x².
 * Shape: any → the same. Gradient: dX = dY·2x.
 * @throws DTypeError unless x is float32, float64 or int32.
 * @example
 * ```ts
 * square(tensor([-3, 2])) // [9, 4]
 * ```
 */
export const square: Unary = unary('square', { rule: 'dX = dY·2x', vjp: (dY, x, _y, ops) => ops.mul(dY, ops.mul(x, 2)), integers: true })
/**
 * The rectifier max(x, 0). Its derivative at 0 is 0.
 * Shape: any → the same. Gradient: dX = dY where y > 0.
 * @throws DTypeError unless x is float32, float64 or int32.
 * @example
 * ```ts
 * relu(tensor([-1, 2])) // [0, 2]
 * ```
 */
export const relu: Unary = unary('relu', { rule: 'dX = dY where y > 0', vjp: (dY, _x, y, ops) => ops.gate(dY, y), integers: true })
/**
 * The square root √x; NaN below 0.
 * Shape: any → the same. Gradient: dX = dY / 2y.
 * @throws DTypeError unless x is float32 or float64.
 * @example
 * ```ts
 * sqrt(tensor([4, 9])) // [2, 3]
 * ```
 */
export const sqrt: Unary = unary('sqrt', {
  rule: 'dX = dY / 2y',
  vjp: (dY, _x, y, ops) => ops.div(dY, ops.mul(y, 2)),
  domain: { low: 0.2, high: 3 },
})
/**
 * 1/√x; ∞ at 0, NaN below 0.
 * Shape: any → the same. Gradient: dX = −dY·y³/2.
 * @throws DTypeError unless x is float32 or float64.
 * @example
 * ```ts
 * rsqrt(tensor([4, 0.25])) // [0.5, 2]
 * ```
 */
export const rsqrt: Unary = unary('rsqrt', {
  rule: 'dX = −dY·y³/2',
  vjp: (dY, _x, y, ops) => ops.mul(dY, ops.mul(ops.mul(y, ops.square(y)), -0.5)),
  domain: { low: 0.2, high: 3 },
})
/**
 * 1/x; ±∞ at ±0.
 * Shape: any → the same. Gradient: dX = −dY·y².
 * @throws DTypeError unless x is float32 or float64.
 * @example
 * ```ts
 * reciprocal(tensor([4, -0.5])) // [0.25, -2]
 * ```
 */
export const reciprocal: Unary = unary('reciprocal', {
  rule: 'dX = −dY·y²',
  vjp: (dY, _x, y, ops) => ops.mul(dY, ops.neg(ops.square(y))),
})
/**
 * The exponential eˣ.
 * Shape: any → the same. Gradient: dX = dY·y.
 * @throws DTypeError unless x is float32 or float64.
 * @example
 * ```ts
 * exp(tensor([0, 1])) // ≈ [1, 2.71828]
 * ```
 */
export const exp: Unary = unary('exp', { rule: 'dX = dY·y', vjp: (dY, _x, y, ops) => ops.mul(dY, y) })
/**
 * eˣ − 1, accurate near 0, where `exp(x).sub(1)` loses digits.
 * Shape: any → the same. Gradient: dX = dY·(y + 1).
 * @throws DTypeError unless x is float32 or float64.
 * @example
 * ```ts
 * expm1(tensor([0, 1])) // ≈ [0, 1.71828]
 * ```
 */
export const expm1: Unary = unary('expm1', { rule: 'dX = dY·(y + 1)', vjp: (dY, _x, y, ops) => ops.mul(dY, ops.add(y, 1)) })
/**
 * The natural logarithm ln x; −∞ at 0, NaN below 0.
 * Shape: any → the same. Gradient: dX = dY / x.
 * @throws DTypeError unless x is float32 or float64.
 * @example
 * ```ts
 * log(tensor([1, 10])) // ≈ [0, 2.30259]
 * ```
 */
export const log: Unary = unary('log', { rule: 'dX = dY / x', vjp: (dY, x, _y, ops) => ops.div(dY, x), domain: { low: 0.2, high: 3 } })
/**
 * ln(1 + x), accurate near 0, where `log(x.add(1))` loses digits.
 * Shape: any → the same. Gradient: dX = dY / (1 + x).
 * @throws DTypeError unless x is float32 or float64.
 * @example
 * ```ts
 * log1p(tensor([0, 1])) // ≈ [0, 0.69315]
 * ```
 */
export const log1p: Unary = unary('log1p', {
  rule: 'dX = dY / (1 + x)',
  vjp: (dY, x, _y, ops) => ops.div(dY, ops.add(x, 1)),
  domain: { low: -0.7, high: 3 },
})
/**
 * The sine of x in radians.
 * Shape: any → the same. Gradient: dX = dY·cos x.
 * @throws DTypeError unless x is float32 or float64.
 * @example
 * ```ts
 * sin(tensor([0, 1])) // ≈ [0, 0.84147]
 * ```
 */
export const sin: Unary = unary('sin', { rule: 'dX = dY·cos x', vjp: (dY, x, _y, ops) => ops.mul(dY, ops.cos(x)) })
/**
 * The cosine of x in radians.
 * Shape: any → the same. Gradient: dX = −dY·sin x.
 * @throws DTypeError unless x is float32 or float64.
 * @example
 * ```ts
 * cos(tensor([0, 1])) // ≈ [1, 0.5403]
 * ```
 */
export const cos: Unary = unary('cos', { rule: 'dX = −dY·sin x', vjp: (dY, x, _y, ops) => ops.mul(dY, ops.neg(ops.sin(x))) })
/**
 * The tangent of x in radians.
 * Shape: any → the same. Gradient: dX = dY·(1 + y²).
 * @throws DTypeError unless x is float32 or float64.
 * @example
 * ```ts
 * tan(tensor([0, 1])) // ≈ [0, 1.55741]
 * ```
 */
export const tan: Unary = unary('tan', {
  rule: 'dX = dY·(1 + y²)',
  vjp: (dY, _x, y, ops) => ops.mul(dY, ops.add(ops.square(y), 1)),
  domain: { low: -1.2, high: 1.2 },
})
/**
 * The arcsine of x, from −π/2 to π/2; NaN outside [−1, 1].
 * Shape: any → the same. Gradient: dX = dY / √(1 − x²).
 * @throws DTypeError unless x is float32 or float64.
 * @example
 * ```ts
 * asin(tensor([0, 1])) // ≈ [0, 1.5708]
 * ```
 */
export const asin: Unary = unary('asin', {
  rule: 'dX = dY / √(1 − x²)',
  vjp: (dY, x, _y, ops) => ops.mul(dY, ops.rsqrt(ops.sub(1, ops.square(x)))),
  domain: { low: -0.8, high: 0.8 },
})
/**
 * The arccosine of x, from 0 to π; NaN outside [−1, 1].
 * Shape: any → the same. Gradient: dX = −dY / √(1 − x²).
 * @throws DTypeError unless x is float32 or float64.
 * @example
 * ```ts
 * acos(tensor([0, 1])) // ≈ [1.5708, 0]
 * ```
 */
export const acos: Unary = unary('acos', {
  rule: 'dX = −dY / √(1 − x²)',
  vjp: (dY, x, _y, ops) => ops.mul(dY, ops.neg(ops.rsqrt(ops.sub(1, ops.square(x))))),
  domain: { low: -0.8, high: 0.8 },
})
/**
 * The arctangent of x, from −π/2 to π/2.
 * Shape: any → the same. Gradient: dX = dY / (1 + x²).
 * @throws DTypeError unless x is float32 or float64.
 * @example
 * ```ts
 * atan(tensor([0, 1])) // ≈ [0, 0.7854]
 * ```
 */
export const atan: Unary = unary('atan', {
  rule: 'dX = dY / (1 + x²)',
  vjp: (dY, x, _y, ops) => ops.div(dY, ops.add(ops.square(x), 1)),
})
/**
 * The hyperbolic sine (eˣ − e⁻ˣ)/2.
 * Shape: any → the same. Gradient: dX = dY·cosh x.
 * @throws DTypeError unless x is float32 or float64.
 * @example
 * ```ts
 * sinh(tensor([0, 1])) // ≈ [0, 1.1752]
 * ```
 */
export const sinh: Unary = unary('sinh', { rule: 'dX = dY·cosh x', vjp: (dY, x, _y, ops) => ops.mul(dY, ops.cosh(x)) })
/**
 * The hyperbolic cosine (eˣ + e⁻ˣ)/2.
 * Shape: any → the same. Gradient: dX = dY·sinh x.
 * @throws DTypeError unless x is float32 or float64.
 * @example
 * ```ts
 * cosh(tensor([0, 1])) // ≈ [1, 1.54308]
 * ```
 */
export const cosh: Unary = unary('cosh', { rule: 'dX = dY·sinh x', vjp: (dY, x, _y, ops) => ops.mul(dY, ops.sinh(x)) })
/**
 * The hyperbolic tangent (eˣ − e⁻ˣ)/(eˣ + e⁻ˣ), from −1 to 1.
 * Shape: any → the same. Gradient: dX = dY·(1 − y²).
 * @throws DTypeError unless x is float32 or float64.
 * @example
 * ```ts
 * tanh(tensor([0, 1])) // ≈ [0, 0.76159]
 * ```
 */
export const tanh: Unary = unary('tanh', { rule: 'dX = dY·(1 − y²)', vjp: (dY, _x, y, ops) => ops.mul(dY, ops.sub(1, ops.square(y))) })
/**
 * The logistic function 1/(1 + e⁻ˣ), from 0 to 1.
 * Shape: any → the same. Gradient: dX = dY·y·(1 − y).
 * @throws DTypeError unless x is float32 or float64.
 * @example
 * ```ts
 * sigmoid(tensor([0, 2])) // ≈ [0.5, 0.8808]
 * ```
 */
export const sigmoid: Unary = unary('sigmoid', {
  rule: 'dX = dY·y·(1 − y)',
  vjp: (dY, _x, y, ops) => ops.mul(dY, ops.mul(y, ops.sub(1, y))),
})
/**
 * ln(1 + eˣ), a smooth `relu`; large x do not overflow.
 * Shape: any → the same. Gradient: dX = dY·sigmoid(x).
 * @throws DTypeError unless x is float32 or float64.
 * @example
 * ```ts
 * softplus(tensor([0, 100])) // ≈ [0.69315, 100]
 * ```
 */
export const softplus: Unary = unary('softplus', { rule: 'dX = dY·sigmoid(x)', vjp: (dY, x, _y, ops) => ops.mul(dY, ops.sigmoid(x)) })
/**
 * The error function 2/√π ∫₀ˣ e^(−t²) dt, from −1 to 1.
 * Shape: any → the same. Gradient: dX = dY·2/√π·e^(−x²).
 * @throws DTypeError unless x is float32 or float64.
 * @example
 * ```ts
 * erf(tensor([0, 1])) // ≈ [0, 0.8427]
 * ```
 */
export const erf: Unary = unary('erf', {
  rule: 'dX = dY·2/√π·e^(−x²)',
  vjp: (dY, x, _y, ops) => ops.mul(dY, ops.mul(ops.exp(ops.neg(ops.square(x))), 2 / Math.sqrt(Math.PI))),
})
/**
 * The largest whole number that is not above x.
 * Shape: any → the same. Gradient: none, it is piecewise constant.
 * @throws DTypeError unless x is float32 or float64.
 * @example
 * ```ts
 * floor(tensor([1.5, -1.5])) // [1, -2]
 * ```
 */
export const floor: Unary = unary('floor', { vjp: steps })
/**
 * The smallest whole number that is not below x.
 * Shape: any → the same. Gradient: none, it is piecewise constant.
 * @throws DTypeError unless x is float32 or float64.
 * @example
 * ```ts
 * ceil(tensor([1.5, -1.5])) // [2, -1]
 * ```
 */
export const ceil: Unary = unary('ceil', { vjp: steps })
/**
 * The nearest whole number. Halves go to the even one, as in NumPy.
 * Shape: any → the same. Gradient: none, it is piecewise constant.
 * @throws DTypeError unless x is float32 or float64.
 * @example
 * ```ts
 * round(tensor([0.5, 1.5, 2.5])) // [0, 2, 2]
 * ```
 */
export const round: Unary = unary('round', { vjp: steps })
/**
 * Whether x is NaN, as bool.
 * Shape: any → the same. Gradient: none, it is piecewise constant.
 * @throws DTypeError unless x is float32 or float64.
 * @example
 * ```ts
 * isNaN(tensor([1, NaN])) // [0, 1]
 * ```
 */
export const isNaN: Unary = unary('isNaN', { vjp: steps, dtype: 'bool' })
/**
 * Whether x is neither infinite nor NaN, as bool.
 * Shape: any → the same. Gradient: none, it is piecewise constant.
 * @throws DTypeError unless x is float32 or float64.
 * @example
 * ```ts
 * isFinite(tensor([1, Infinity, NaN])) // [1, 0, 0]
 * ```
 */
export const isFinite: Unary = unary('isFinite', { vjp: steps, dtype: 'bool' })

const callNot = defineOp({
  name: 'logicalNot',
  rule: '(none)',
  shape: ([x]) => {
    requireDType('logicalNot', 'x', x.dtype, ['bool'])
    return x
  },
  forward: (k, out, [x]) => k.map(out, x, 'logicalNot'),
  vjp: 'truth values have no derivative.',
  samples: shapes.map((shape) => ({ inputs: [{ shape, dtype: 'bool' as const }] })),
})
/**
 * Not x: true where x is false.
 * Shape: any → the same. Gradient: none, truth values have no derivative.
 * @throws DTypeError unless x is bool.
 * @example
 * ```ts
 * logicalNot(tensor([true, false])) // [0, 1]
 * ```
 */
export const logicalNot: Unary = (x) => {
  requireTensor('logicalNot', 'x', x)
  return callNot([x], {}) as typeof x
}

const callCast = defineOp<{ dtype: DType }>({
  name: 'cast',
  rule: 'dX = cast(dY)',
  shape: ([x], { dtype }) => ({ shape: x.shape, dtype }),
  forward: (k, out, [x]) => k.map(out, x, 'cast'),
  vjp: ({ dY }, [x], ops) => [isFloat(x.dtype) ? () => ops.cast(dY, x.dtype) : null],
  linear: true, // between floats
  samples: [
    ...shapes.map((shape) => ({
      inputs: [shape],
      options: { dtype: 'float32' as const },
      skipGradient: 'rounding to float32 swallows the step of a central difference',
    })),
    ...(['int32', 'uint8', 'bool'] as const).flatMap((dtype) => [
      { inputs: [{ shape: [11], low: -300, high: 300 }], options: { dtype } },
      { inputs: [{ shape: [11], dtype, low: 0, high: 2 }], options: { dtype: 'float32' as const } },
      { inputs: [{ shape: [2, 5], dtype, low: 0, high: 99 }], options: { dtype: 'int32' as const } },
    ]),
  ],
})
/**
 * The same values in another dtype. A float becomes an integer by truncation towards zero; uint8 saturates; NaN becomes 0; bool is x ≠ 0.
 *
 * Shape:    any → the same
 * Gradient: dX = cast(dY), where x and the result are floats; otherwise none
 *
 * @throws DTypeError if there is no such dtype, BackendError if the backend does not have it.
 * @example
 * ```ts
 * cast(tensor([1.7, -1.7, 300]), 'uint8') // [1, 0, 255]
 * ```
 */
export function cast<S extends Shape>(x: Tensor<S>, dtype: DType): Tensor<S> {
  requireTensor('cast', 'x', x)
  return (x.dtype === dtype ? x : callCast([x], { dtype })) as Tensor<S>
}
