/** Operations on each element for itself, beyond those that are methods of tensors. */
import {
  acos,
  asin,
  atan,
  atan2,
  cosh,
  cumProd,
  type DType,
  erf,
  hypot,
  isFinite as isFinite_,
  isNaN as isNaN_,
  log,
  logAddExp,
  median,
  mulNoNaN,
  oneHot,
  onesLike,
  pow,
  sinh,
  type Tensor,
  where,
  zerosLike,
} from '@cotangent/core'
import { requireChoice, requireNumber } from '@cotangent/core/arguments'
import { count, numberFrom } from '../../option-rows.js'
import { axes, axis, binary, type Kind, move, optional, reduction, required, same, type Values } from './kind.js'
import { broadcast, widened } from './shapes.js'

const dtypes = ['float32', 'float64', 'int32', 'bool'] as const
const requireDType = (what: string, name: string, value: unknown): void => requireChoice(what, name, value as DType, dtypes)

/** A function of each element that is no method of tensors. */
const each = (className: string, apply: (x: Tensor, options: Values) => Tensor, more: Partial<Kind> = {}): Kind => ({
  className,
  module: 'numpy',
  operands: 1,
  options: {},
  shape: same,
  run: ([x], values) => apply(x, values),
  ...more,
})
const both = (className: string, apply: (a: Tensor, b: Tensor) => Tensor): Kind => ({
  ...binary('', className),
  run: ([a, b]) => apply(a, b),
})
/** Zeros, ones or another number in the shape of a tensor. */
const like = (className: string, make: (x: Tensor) => Tensor): Kind =>
  each(className, (x, { dtype }) => (dtype ? make(x).cast(dtype) : make(x)), { options: { dtype: optional<DType>(requireDType) } })

const largest = 3.4028234663852886e38

export const elements = {
  asin: each('Arcsin', (x) => asin(x)),
  acos: each('Arccos', (x) => acos(x)),
  atan: each('Arctan', (x) => atan(x)),
  sinh: each('Sinh', (x) => sinh(x)),
  cosh: each('Cosh', (x) => cosh(x)),
  // ±ln(a + √(a² + 1)) of a = |x|, in forms that keep the digits of small numbers and do not overflow for large ones. The sign of 0 is 1, so that the derivative there is 1.
  asinh: each('Arcsinh', (x) => {
    const sign = where(x.less(0), -1, onesLike(x))
    const a = x.mul(sign)
    return a
      .add(a.mul(a.div(hypot(a, onesLike(a)).add(1))))
      .log1p()
      .mul(sign)
  }),
  acosh: each('Arccosh', (x) => {
    const above = x.sub(1)
    return above.add(above.sqrt().mul(x.add(1).sqrt())).log1p()
  }),
  atanh: each('Arctanh', (x) => x.log1p().sub(x.neg().log1p()).mul(0.5)),
  exp2: each('Exp2', (x) => pow(2, x)),
  log2: each('Log2', (x) => log(x).mul(Math.LOG2E)),
  log10: each('Log10', (x) => log(x).mul(Math.LOG10E)),
  erfc: each('Erfc', (x) => erf(x).neg().add(1), { module: 'math' }),
  trunc: each('Trunc', (x) => x.sign().mul(x.abs().floor())),
  cbrt: each('Cbrt', (x) => x.sign().mul(x.abs().pow(1 / 3))),
  deg2rad: each('Deg2rad', (x) => x.mul(Math.PI / 180)),
  rad2deg: each('Rad2deg', (x) => x.mul(180 / Math.PI)),
  isNaN: each('Isnan', (x) => isNaN_(x), { dtype: 'bool' }),
  isFinite: each('Isfinite', (x) => isFinite_(x), { dtype: 'bool' }),
  isInf: each('Isinf', (x) => isFinite_(x).logicalNot().logicalAnd(isNaN_(x).logicalNot()), { dtype: 'bool' }),
  nanToNum: each(
    'NanToNum',
    (x, { nan, posinf, neginf }) => where(isNaN_(x), nan, where(x.greater(largest), posinf, where(x.less(-largest), neginf, x))),
    {
      options: { nan: numberFrom({}, 0), posinf: numberFrom({}, largest), neginf: numberFrom({}, -largest) },
    },
  ),
  copy: each('Copy', (x) => x),
  atan2: both('Arctan2', (a, b) => atan2(a, b)),
  logAddExp: both('Logaddexp', logAddExp),
  hypot: both('Hypot', hypot),
  // 0 where b is 0, whatever a is.
  divNoNaN: both('DivideNoNan', (a, b) => mulNoNaN(a.div(where(b.equal(0), 1, b)), b.notEqual(0).cast(b.dtype))),
  clip: move({
    className: 'Clip',
    options: { min: required<number>(requireNumber), max: required<number>(requireNumber) },
    words: { min: 'x_min', max: 'x_max' },
    shape: same,
    run: ([x], { min, max }) => x.clip(min, max),
  }),
  cast: {
    ...move({
      className: 'Cast',
      options: { dtype: required<DType>(requireDType) },
      shape: same,
      run: ([x], { dtype }) => x.cast(dtype),
    }),
    module: 'core',
  },
  zerosLike: like('ZerosLike', (x) => zerosLike(x)),
  onesLike: like('OnesLike', (x) => onesLike(x)),
  fullLike: {
    ...like('FullLike', (x) => x),
    operands: 2,
    run: ([x, value], { dtype }) => where(onesLike(x).cast('bool'), value, x).cast(dtype ?? x.dtype),
  },
  cumProd: each('Cumprod', (x, { axis }) => cumProd(x, { axis }), { options: { axis: axis() }, extra: { dtype: null } }),
  median: { ...reduction('', 'Median'), run: ([x], { axis, keepDims }) => median(x, { axis: axis ?? x.shape.map((_, i) => i), keepDims }) },
  ptp: {
    ...reduction('', 'Ptp'),
    run: ([x], { axis, keepDims }) => {
      const at = { axis: axis ?? x.shape.map((_, i) => i), keepDims }
      return x.max(at).sub(x.min(at))
    },
  },
  countNonzero: {
    ...reduction('', 'CountNonzero', undefined, 'int32'),
    options: { axis: axes() },
    run: ([x], { axis }) =>
      x
        .notEqual(0)
        .cast('int32')
        .sum({ axis: axis ?? x.shape.map((_, i) => i) }),
  },
  oneHot: {
    ...move({
      className: 'OneHot',
      options: { depth: count(), axis: axis(-1), dtype: optional<DType>(requireDType) },
      words: { depth: 'num_classes' },
      extra: { sparse: false },
      shape: ([x], { axis, depth }) => widened(x, axis, depth),
      run: ([x], { depth, axis, dtype }) => oneHot(x.cast('int32'), depth, { axis, ...(dtype && { dtype }) }),
    }),
    module: 'nn',
    dtype: 'float32',
  },
  where: {
    ...move({
      className: 'Where',
      options: {},
      shape: ([condition, a, b]) => broadcast(condition, broadcast(a, b)),
      run: ([condition, a, b]) => where(condition.cast('bool'), a, b),
    }),
    operands: 3,
  },
} satisfies Readonly<Record<string, Kind>>
