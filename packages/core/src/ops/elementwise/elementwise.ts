/**
 * Elementwise functions of one tensor. Each row is a name, its derivative in words, the derivative in code, and where its test
 * values come from. Values: the kernel of the same name.
 *
 * Shape: any → the same. Derivatives from Abramowitz & Stegun, chapters 4 and 7.
 */

import { defineOp } from '../../autodiff/dispatch.js'
import type { Ops, Sample, SampleInput } from '../../autodiff/op.js'
import type { MapKernel } from '../../backends/backend.js'
import { type DType, isFloat, requireDType } from '../../tensor/dtype.js'
import type { Shape } from '../../tensor/shape.js'
import { requireTensor, type Tensor } from '../../tensor/tensor.js'
import { requireNoMore } from '../requirements.js'

/** A function of one tensor that keeps its shape. */
export type Unary = <S extends Shape>(x: Tensor<S>) => Tensor<S>

interface UnaryRow {
  /** dX in terms of dY, x, and y = f(x). */
  rule?: string
  vjp: ((dY: Tensor, x: Tensor, y: Tensor, ops: Ops) => Tensor) | string
  /** Where test values are drawn from; both signs and away from 0 unless given. */
  domain?: Pick<SampleInput, 'low' | 'high'>
  /** Whether int32 will do too. */
  integers?: boolean
  /** Output dtype, if not the input's. */
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
    samples,
  })
  return ((x: Tensor, ...more: unknown[]) => {
    if (more.length > 0) requireNoMore(name, x, more, 'one tensor')
    requireTensor(name, 'x', x)
    return call([x], {})
  }) as Unary
}

const steps = 'it is piecewise constant, so its derivative is zero wherever it exists.'

/** −x */
export const neg: Unary = unary('neg', { rule: 'dX = −dY', vjp: (dY, _x, _y, ops) => ops.neg(dY), integers: true })
/** |x|; the derivative at 0 is 0. */
export const abs: Unary = unary('abs', { rule: 'dX = dY·sign(x)', vjp: (dY, x, _y, ops) => ops.mul(dY, ops.sign(x)), integers: true })
/** −1, 0 or 1. */
export const sign: Unary = unary('sign', { vjp: steps, integers: true })
/** x² */
export const square: Unary = unary('square', { rule: 'dX = dY·2x', vjp: (dY, x, _y, ops) => ops.mul(dY, ops.mul(x, 2)), integers: true })
/** max(x, 0); the derivative at 0 is 0. */
export const relu: Unary = unary('relu', { rule: 'dX = dY where y > 0', vjp: (dY, _x, y, ops) => ops.gate(dY, y), integers: true })
/** √x; NaN below 0. */
export const sqrt: Unary = unary('sqrt', {
  rule: 'dX = dY / 2y',
  vjp: (dY, _x, y, ops) => ops.div(dY, ops.mul(y, 2)),
  domain: { low: 0.2, high: 3 },
})
/** 1/√x */
export const rsqrt: Unary = unary('rsqrt', {
  rule: 'dX = −dY·y³/2',
  vjp: (dY, _x, y, ops) => ops.mul(dY, ops.mul(ops.mul(y, ops.square(y)), -0.5)),
  domain: { low: 0.2, high: 3 },
})
/** 1/x */
export const reciprocal: Unary = unary('reciprocal', {
  rule: 'dX = −dY·y²',
  vjp: (dY, _x, y, ops) => ops.mul(dY, ops.neg(ops.square(y))),
})
/** eˣ */
export const exp: Unary = unary('exp', { rule: 'dX = dY·y', vjp: (dY, _x, y, ops) => ops.mul(dY, y) })
/** eˣ − 1, accurate near 0. */
export const expm1: Unary = unary('expm1', { rule: 'dX = dY·(y + 1)', vjp: (dY, _x, y, ops) => ops.mul(dY, ops.add(y, 1)) })
/** ln x; −∞ at 0, NaN below. */
export const log: Unary = unary('log', { rule: 'dX = dY / x', vjp: (dY, x, _y, ops) => ops.div(dY, x), domain: { low: 0.2, high: 3 } })
/** ln(1 + x), accurate near 0. */
export const log1p: Unary = unary('log1p', {
  rule: 'dX = dY / (1 + x)',
  vjp: (dY, x, _y, ops) => ops.div(dY, ops.add(x, 1)),
  domain: { low: -0.7, high: 3 },
})
/** sin x, x in radians. */
export const sin: Unary = unary('sin', { rule: 'dX = dY·cos x', vjp: (dY, x, _y, ops) => ops.mul(dY, ops.cos(x)) })
/** cos x, x in radians. */
export const cos: Unary = unary('cos', { rule: 'dX = −dY·sin x', vjp: (dY, x, _y, ops) => ops.mul(dY, ops.neg(ops.sin(x))) })
/** tan x, x in radians. */
export const tan: Unary = unary('tan', {
  rule: 'dX = dY·(1 + y²)',
  vjp: (dY, _x, y, ops) => ops.mul(dY, ops.add(ops.square(y), 1)),
  domain: { low: -1.2, high: 1.2 },
})
/** arcsin x, in radians; NaN outside [−1, 1]. */
export const asin: Unary = unary('asin', {
  rule: 'dX = dY / √(1 − x²)',
  vjp: (dY, x, _y, ops) => ops.mul(dY, ops.rsqrt(ops.sub(1, ops.square(x)))),
  domain: { low: -0.8, high: 0.8 },
})
/** arccos x, in radians; NaN outside [−1, 1]. */
export const acos: Unary = unary('acos', {
  rule: 'dX = −dY / √(1 − x²)',
  vjp: (dY, x, _y, ops) => ops.mul(dY, ops.neg(ops.rsqrt(ops.sub(1, ops.square(x))))),
  domain: { low: -0.8, high: 0.8 },
})
/** arctan x, in radians. */
export const atan: Unary = unary('atan', {
  rule: 'dX = dY / (1 + x²)',
  vjp: (dY, x, _y, ops) => ops.div(dY, ops.add(ops.square(x), 1)),
})
/** (eˣ − e⁻ˣ)/2 */
export const sinh: Unary = unary('sinh', { rule: 'dX = dY·cosh x', vjp: (dY, x, _y, ops) => ops.mul(dY, ops.cosh(x)) })
/** (eˣ + e⁻ˣ)/2 */
export const cosh: Unary = unary('cosh', { rule: 'dX = dY·sinh x', vjp: (dY, x, _y, ops) => ops.mul(dY, ops.sinh(x)) })
/** (eˣ − e⁻ˣ)/(eˣ + e⁻ˣ) */
export const tanh: Unary = unary('tanh', { rule: 'dX = dY·(1 − y²)', vjp: (dY, _x, y, ops) => ops.mul(dY, ops.sub(1, ops.square(y))) })
/** 1/(1 + e⁻ˣ) */
export const sigmoid: Unary = unary('sigmoid', {
  rule: 'dX = dY·y·(1 − y)',
  vjp: (dY, _x, y, ops) => ops.mul(dY, ops.mul(y, ops.sub(1, y))),
})
/** ln(1 + eˣ), without overflow. */
export const softplus: Unary = unary('softplus', { rule: 'dX = dY·sigmoid(x)', vjp: (dY, x, _y, ops) => ops.mul(dY, ops.sigmoid(x)) })
/** The error function 2/√π ∫₀ˣ e^(−t²) dt. */
export const erf: Unary = unary('erf', {
  rule: 'dX = dY·2/√π·e^(−x²)',
  vjp: (dY, x, _y, ops) => ops.mul(dY, ops.mul(ops.exp(ops.neg(ops.square(x))), 2 / Math.sqrt(Math.PI))),
})
/** The largest whole number not above x. */
export const floor: Unary = unary('floor', { vjp: steps })
/** The smallest whole number not below x. */
export const ceil: Unary = unary('ceil', { vjp: steps })
/** The nearest whole number, halves to even. */
export const round: Unary = unary('round', { vjp: steps })
/** Whether x is not a number, as bool. */
export const isNaN: Unary = unary('isNaN', { vjp: steps, dtype: 'bool' })
/** Whether x is neither infinite nor NaN, as bool. */
export const isFinite: Unary = unary('isFinite', { vjp: steps, dtype: 'bool' })

const callNot = defineOp({
  name: 'logicalNot',
  rule: '(none)',
  shape: ([x]) => {
    requireDType('logicalNot', 'x', x.dtype, ['bool'])
    return x
  },
  forward: (k, out, [x]) => k.map(out, x, 'logicalNot'),
  vjp: steps,
  samples: shapes.map((shape) => ({ inputs: [{ shape, dtype: 'bool' as const }] })),
})
/** Not x, for bool. */
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
 * The same values in another dtype. Floats become integers by truncation towards zero, uint8 saturates, NaN becomes 0, and bool is x ≠ 0.
 * Gradients pass between floating dtypes only.
 */
export function cast<S extends Shape>(x: Tensor<S>, dtype: DType): Tensor<S> {
  requireTensor('cast', 'x', x)
  return (x.dtype === dtype ? x : callCast([x], { dtype })) as Tensor<S>
}
