/**
 * The functions that training spends its time in (exp, log, tanh, sigmoid …), as emitters on four floats at once.
 *
 * An emitter gets a vector in a local and returns the expression of its result. map, zip, softmax and update programs share
 * them. There are no branches but one in `log`: special values either pass through the arithmetic unharmed or are corrected by a
 * mask. With relaxed SIMD the polynomials use fused multiply-add; without it, the bits are the same in every engine.
 *
 * Largest errors found over two million float32 (units in the last place): exp 0.97, log 0.75, sigmoid 2.1, softplus 2.5,
 * tanh 4.2 (1.3 without relaxed SIMD), erf 1.0 (1.2 without).
 */
import type { FunctionBuilder, Local } from './assembler.js'
import { f32x4, i32x4, type Vector, v128 } from './instructions.js'

/** Emits f(x) for four floats. */
export type Emit1 = (f: FunctionBuilder, x: Local<'v128'>) => Vector

/** c[0]·xⁿ + … + c[n] by Horner's rule. */
export function polynomial(f: FunctionBuilder, x: Local<'v128'>, coefficients: readonly number[]): Vector {
  let sum: Vector = f.splat(coefficients[0])
  for (let i = 1; i < coefficients.length; i++) sum = f.madd(sum, x, f.splat(coefficients[i]))
  return sum
}

/**
 * The same polynomial by Estrin's scheme: neighbouring terms are joined in pairs, and the pairs in pairs. It takes a few operations more, but only log₂ n of them wait
 * for each other.
 */
export function pairedPolynomial(f: FunctionBuilder, x: Local<'v128'>, coefficients: readonly number[]): Vector {
  const join = (terms: readonly Vector[], power: Local<'v128'>): Vector => {
    if (terms.length === 1) return terms[0]
    const joined: Vector[] = []
    for (let i = 0; i < terms.length; i += 2) joined.push(i + 1 < terms.length ? f.let(f.madd(terms[i + 1], power, terms[i])) : terms[i])
    return joined.length === 1 ? joined[0] : join(joined, f.let(f32x4.mul(power, power)))
  }
  return join(coefficients.map((c) => f.splat(c)).reverse(), x)
}

/** Adding 1.5·2²³ to a float below 2²² rounds it to a whole number. The low bits of the sum are that number. */
export const ROUND = 12582912
const ROUND_BITS = 0x4b400000

/** ln 2 = LN2_HIGH + LN2_LOW. LN2_HIGH has few bits, so k·LN2_HIGH is exact for every exponent k. */
const LN2_HIGH = 0.693359375
const LN2_LOW = -2.1219444e-4

/**
 * eˣ = 2ᵏ·eʳ with k = round(x / ln 2) and r = x − k·ln 2, |r| ≤ ln 2 / 2. eʳ is the polynomial of Cephes' `expf`.
 *
 * The result is multiplied by 2ᵏ in two halves. So it overflows to infinity, and goes down through the subnormals, correctly.
 */
export const exp: Emit1 = (f, x) => {
  const t = f.let(f32x4.pmin(f32x4.pmax(x, f.splat(-104)), f.splat(89))) // if the left operand is NaN, pmin and pmax return it
  const { y, shifted } = expParts(f, t)
  const exponent = wholePart(f, shifted)
  const half = f.let(i32x4.shrS(exponent, 1))
  return f32x4.mul(f32x4.mul(y, powerOfTwo(f, half)), powerOfTwo(f, i32x4.sub(exponent, half)))
}

/** eˣ for x from −87 to 88, where the result is a normal number: the bits of `exp`. */
export const expNormal: Emit1 = (f, x) => {
  const { y, shifted } = expParts(f, x)
  const exponent = wholePart(f, shifted)
  return f32x4.mul(y, powerOfTwo(f, exponent))
}

/**
 * eˣ for x ≤ 0 or NaN: the bits of `exp`. 2ᵏ is 2ᵏ⁺⁶⁴ times the constant 2⁻⁶⁴, and only the second product rounds. The low bits of `shifted` are k, and its
 * other bits leave the register when the exponent moves to its field.
 */
const expOfNegative: Emit1 = (f, x) => {
  const { y, shifted } = expParts(f, f.let(f32x4.pmax(x, f.splat(-104))))
  const power = i32x4.shl(i32x4.add(shifted, f.splatInt(127 + 64)), 23)
  return f32x4.mul(f32x4.mul(y, power), f.splat(2 ** -64))
}

/** eʳ, and k plus ROUND as a float. */
function expParts(f: FunctionBuilder, t: Local<'v128'>): { y: Vector; shifted: Local<'v128'> } {
  const shifted = f.let(f.madd(t, f.splat(Math.LOG2E), f.splat(ROUND)))
  const k = f.let(f32x4.sub(shifted, f.splat(ROUND)))
  const r = f.let(f.madd(k, f.splat(-LN2_LOW), f.madd(k, f.splat(-LN2_HIGH), t)))
  const p = polynomial(f, r, [1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1])
  const y = f32x4.add(f.madd(p, f32x4.mul(r, r), r), f.splat(1))
  return { y, shifted }
}

/** The whole number k in a float k + ROUND. */
const wholePart = (f: FunctionBuilder, shifted: Local<'v128'>): Local<'v128'> => f.let(i32x4.sub(shifted, f.splatInt(ROUND_BITS)))

/** 2ᵏ for integers k from −126 to 127: k goes straight into the exponent field. */
const powerOfTwo = (f: FunctionBuilder, k: Vector): Vector => i32x4.shl(i32x4.add(k, f.splatInt(127)), 23)

/** The largest float below √½, as bits. */
const ROOT_HALF_BITS = 0x3f3504f3

/**
 * ln x = e·ln 2 + ln m with x = 2ᵉ·m and m between √½ and √2. ln m is the polynomial of Cephes' `logf`. x must be positive and normal;
 * with `scale`, x was multiplied by 2^`scale` before. Subtracting the bits of √½ leaves e in the exponent field.
 */
function logOfNormal(f: FunctionBuilder, x: Local<'v128'>, scale?: Vector): Vector {
  const whole = f.let(i32x4.shrS(i32x4.sub(x, f.splatInt(ROOT_HALF_BITS)), 23))
  const m = f.let(f32x4.sub(i32x4.sub(x, i32x4.shl(whole, 23)), f.splat(1)))
  const e = f.let(f32x4.convertI32x4S(scale ? i32x4.add(whole, scale) : whole))
  const square = f.let(f32x4.mul(m, m))
  const p = polynomial(
    f,
    m,
    [
      7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1, 2.0000714765e-1,
      -2.4999993993e-1, 3.3333331174e-1,
    ],
  )
  const y = f.madd(e, f.splat(LN2_LOW), f32x4.mul(f32x4.mul(p, m), square))
  const tail = f.madd(f.splat(-0.5), square, y)
  return f.madd(e, f.splat(LN2_HIGH), f32x4.add(m, tail))
}

/**
 * ln x. If one of the four numbers is not positive and normal, all four take a longer way that gives the same bits to ordinary numbers: it scales
 * subnormals up first, returns −∞ for zero, NaN for negative numbers, and infinity and NaN as they are.
 */
export const log: Emit1 = (f, x) => {
  const value = f.let(logOfNormal(f, x))
  const special = v128.or(i32x4.ltS(x, f.splatInt(0x00800000)), i32x4.gtS(x, f.splatInt(0x7f7fffff)))
  f.if(v128.anyTrue(special), () => {
    const tiny = f.let(f32x4.lt(x, f.splat(2 ** -126)))
    const scaled = f.let(v128.bitselect(f32x4.mul(x, f.splat(2 ** 23)), x, tiny))
    const all = logOfNormal(f, scaled, v128.and(tiny, f.splatInt(-23)))
    const finite = f.let(v128.bitselect(all, x, f32x4.lt(f32x4.abs(x), f.splat(Infinity)))) // ∞ and NaN are results already; −∞ goes on to become NaN
    const signed = f.let(v128.bitselect(f.splat(NaN), finite, f32x4.lt(x, f.splat(0))))
    f.set(value, v128.bitselect(f.splat(-Infinity), signed, f32x4.eq(x, f.splat(0))))
  })
  return value
}

/** Below this tanh x is x. Squares of neighbouring float32 differ, rounded too, so comparing squares is the same and needs no absolute value. */
const TANH_NEAR = Math.fround(4e-4)

/**
 * tanh x as an odd rational function of degree 13/6, the one Eigen uses (`generic_fast_tanh_float`). Below 4·10⁻⁴ the result
 * is x itself, which is closer.
 *
 * The function is accurate to float32 up to 9.1, where tanh rounds to 1; beyond, it rises above 1. So its argument is limited
 * to 10 (where it is four units too large) and its value to 1: large arguments give exactly ±1.
 */
const tanhRational: Emit1 = (f, x) => {
  const t = f.let(f32x4.pmin(f32x4.pmax(x, f.splat(-10)), f.splat(10)))
  const square = f.let(f32x4.mul(t, t))
  const p = polynomial(
    f,
    square,
    [
      -2.76076847742355e-16, 2.00018790482477e-13, -8.60467152213735e-11, 5.12229709037114e-8, 1.48572235717979e-5, 6.37261928875436e-4,
      4.89352455891786e-3,
    ],
  )
  const q = polynomial(f, square, [1.19825839466702e-6, 1.18534705686654e-4, 2.268434632439e-3, 4.89352518554385e-3])
  const ratio = f32x4.div(f32x4.mul(t, p), q)
  const bounded = f32x4.pmin(f32x4.pmax(ratio, f.splat(-1)), f.splat(1))
  return v128.bitselect(x, bounded, f32x4.lt(square, f.splat(TANH_NEAR * TANH_NEAR)))
}

/** tanh |x| = 1 − 2/(e^2|x| + 1), with the sign of x. Below 0.625 an odd polynomial (Cephes' `tanhf`). */
const tanhExponential: Emit1 = (f, x) => {
  const magnitude = f.let(f32x4.abs(x))
  const e = exp(f, f.let(f32x4.add(magnitude, magnitude)))
  const far = f32x4.sub(f.splat(1), f32x4.div(f.splat(2), f32x4.add(e, f.splat(1))))
  const square = f.let(f32x4.mul(x, x))
  const p = polynomial(f, square, [-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1])
  const near = f.madd(f32x4.mul(p, square), magnitude, magnitude)
  return v128.bitselect(x, v128.bitselect(near, far, f32x4.lt(magnitude, f.splat(0.625))), f.splat(-0))
}

/** tanh x. The rational function needs fused multiply-add to keep its rounding errors small; without it, the slower, more exact form is used. */
export const tanh: Emit1 = (f, x) => (f.relaxed ? tanhRational(f, x) : tanhExponential(f, x))

/** 1 / (1 + e⁻ˣ) = s / (1 + e) with e = e^−|x| and s = 1 (x ≥ 0) or e (x < 0). Nothing overflows. */
export const sigmoid: Emit1 = (f, x) => {
  const magnitude = f.let(v128.or(x, f.splat(-0)))
  const e = f.let(expOfNegative(f, magnitude))
  const numerator = f32x4.pmax(e, v128.and(f32x4.ge(x, f.splat(0)), f.splat(1))) // e is at most 1; NaN stays
  return f32x4.div(numerator, f32x4.add(e, f.splat(1)))
}

/**
 * ln(1 + eˣ) = max(x, 0) + ln(1 + e) with e = e^−|x|. ln(1 + e) = 2·artanh(e / (2 + e)), by its series: the argument is at
 * most ⅓, so eight terms are enough.
 */
export const softplus: Emit1 = (f, x) => {
  const magnitude = f.let(f32x4.neg(f32x4.abs(x)))
  const e = f.let(expOfNegative(f, magnitude))
  const s = f.let(f32x4.div(e, f32x4.add(e, f.splat(2))))
  const square = f.let(f32x4.mul(s, s))
  const series = polynomial(f, square, [2 / 15, 2 / 13, 2 / 11, 2 / 9, 2 / 7, 2 / 5, 2 / 3])
  const logarithm = f.madd(f32x4.mul(series, square), s, f32x4.add(s, s))
  return f32x4.add(f32x4.pmax(x, f.splat(0)), logarithm)
}

/** Below this erf x is x + x·P(x²), from here on ±(1 − e^−Q(|x|)). */
const ERF_FAR = 0.92
/**
 * P(s) ≈ erf(√s)/√s − 1 and Q(a) ≈ −ln(1 − erf a), which from a = 4 on is 1 − erf = 0 to float32. Both are our own fit: the largest relative error of erf, made
 * small by weighted least squares whose weights follow the errors (Lawson 1961).
 */
const ERF_NEAR_SERIES = [
  8.382431406062096e-5, -8.145609172061086e-4, 5.201287101954222e-3, -2.6859501376748085e-2, 1.1283697187900543e-1, -3.7612634897232056e-1,
  1.2837916612625122e-1,
]
const ERF_FAR_SERIES = [
  5.223674293119984e-7, 1.4304941942100413e-5, -3.966709191445261e-4, 4.053384996950626e-3, -2.4895086884498596e-2, 1.0801180452108383e-1,
  6.335435509681702e-1, 1.1294341087341309, -1.603966229595244e-4,
]

/** erf x = 2/√π ∫₀ˣ e^−t² dt */
export const erf: Emit1 = (f, x) => {
  const square = f.let(f32x4.mul(x, x))
  const near = f.let(f.madd(pairedPolynomial(f, square, ERF_NEAR_SERIES), x, x))
  const magnitude = f.let(f32x4.abs(x))
  const bounded = f.let(f32x4.pmin(magnitude, f.splat(4)))
  const e = expNormal(f, f.let(f32x4.neg(pairedPolynomial(f, bounded, ERF_FAR_SERIES))))
  const far = v128.bitselect(x, f32x4.sub(f.splat(1), e), f.splat(-0))
  return v128.bitselect(far, near, f32x4.ge(magnitude, f.splat(ERF_FAR)))
}

/** ±1 with x's sign; ±0 and NaN stay. */
export const sign: Emit1 = (f, x) => {
  const one = v128.or(v128.and(x, f.splat(-0)), f.splat(1))
  return v128.bitselect(one, x, f32x4.gt(f32x4.abs(x), f.splat(0)))
}

/** A mask (all ones or zero) as bool elements, 1 or 0. */
export const truth = (mask: Vector): Vector => i32x4.shrU(mask, 31)
