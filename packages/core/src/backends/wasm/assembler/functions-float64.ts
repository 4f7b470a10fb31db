/**
 * The less common functions (sin, pow, mod …), computed in float64 and rounded once. float64 has 29 more bits than float32, so
 * plain series are accurate to the last place of a float32, and the bits are the same in every engine.
 *
 * Emitters work on two doubles. `wide` runs an emitter on both halves of four floats.
 *
 * The file is longer than 300 lines because the functions share their series, their argument reduction and small helpers.
 */
import type { FunctionBuilder, Local } from './assembler.js'
import type { Emit1 } from './functions-float32.js'
import { f32x4, f64x2, i32x4, i64x2, shuffle32, type Vector, v128 } from './instructions.js'

/** Emits f(x) for two doubles. */
type Emit64 = (f: FunctionBuilder, x: Local<'v128'>) => Vector
type Emit64Pair = (f: FunctionBuilder, x: Local<'v128'>, y: Local<'v128'>) => Vector

/** Lanes 0 and 1 of four floats, or 2 and 3, as doubles. */
const half = (x: Local<'v128'>, upper: boolean): Vector => f64x2.promoteLowF32x4(upper ? shuffle32(x, x, [2, 3, 2, 3]) : x)

/** Four floats from two pairs of doubles. */
const joinHalves = (low: Vector, high: Vector): Vector => shuffle32(f32x4.demoteF64x2Zero(low), f32x4.demoteF64x2Zero(high), [0, 1, 4, 5])

/** Makes a function of four floats from a function of two doubles. */
export const wide =
  (emit: Emit64): Emit1 =>
  (f, x) => {
    const low = f.let(emit(f, f.let(half(x, false))))
    return joinHalves(low, emit(f, f.let(half(x, true))))
  }

/** The same for a function of two arguments. */
export const widePair =
  (emit: Emit64Pair) =>
  (f: FunctionBuilder, x: Local<'v128'>, y: Local<'v128'>): Vector => {
    const low = f.let(emit(f, f.let(half(x, false)), f.let(half(y, false))))
    return joinHalves(low, emit(f, f.let(half(x, true)), f.let(half(y, true))))
  }

/** Wraps an odd function so that ±0 gives ±0. */
export const odd =
  (emit: Emit1): Emit1 =>
  (f, x) =>
    v128.bitselect(x, emit(f, x), f32x4.eq(x, f.splat(0)))

function polynomial64(f: FunctionBuilder, x: Local<'v128'>, coefficients: readonly number[]): Vector {
  let sum: Vector = f.splat64(coefficients[0])
  for (let i = 1; i < coefficients.length; i++) sum = f64x2.add(f64x2.mul(sum, x), f.splat64(coefficients[i]))
  return sum
}

function factorial(n: number): number {
  let product = 1
  for (let i = 2; i <= n; i++) product *= i
  return product
}

/** 1/n!, from n = 11 down to 1: the series of eʳ − 1 in r. */
const EXP_SERIES = [11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1].map((n) => 1 / factorial(n))
/** (−1)ⁿ/(2n+1)!: the series of sin r / r in r². */
const SIN_SERIES = [6, 5, 4, 3, 2, 1, 0].map((n) => (-1) ** n / factorial(2 * n + 1))
/** (−1)ⁿ/(2n)!: the series of cos r in r². */
const COS_SERIES = [7, 6, 5, 4, 3, 2, 1, 0].map((n) => (-1) ** n / factorial(2 * n))
/** (−1)ⁿ/(2n+1): the series of arctan r / r in r². */
const ATAN_SERIES = Array.from({ length: 14 }, (_, n) => (-1) ** n / (2 * n + 1)).reverse()
/** 2/(2n+1): the series of 2·artanh s / s in s². */
const LOG_SERIES = Array.from({ length: 9 }, (_, n) => 2 / (2 * n + 1)).reverse()

/** ln 2 and π/2 as sums of parts. The product of a part with a small whole number is exact (fdlibm's e_exp.c and e_rem_pio2.c). */
const LN2_HIGH = 0.6931471803691238
const LN2_LOW = 1.9082149292705877e-10
const HALF_PI_1 = 1.5707963267341256
const HALF_PI_2 = 6.077100506303966e-11
const HALF_PI_3 = 2.0222662487959506e-21

/** p = eʳ − 1 and the scale 2ᵏ, so that eˣ = 2ᵏ·(1 + p). |x| must be at most 700. */
function expParts(f: FunctionBuilder, x: Local<'v128'>): { p: Local<'v128'>; scale: Local<'v128'> } {
  const k = f.let(f64x2.nearest(f64x2.mul(x, f.splat64(Math.LOG2E))))
  const r = f.let(f64x2.sub(f64x2.sub(x, f64x2.mul(k, f.splat64(LN2_HIGH))), f64x2.mul(k, f.splat64(LN2_LOW))))
  const p = f.let(f64x2.mul(polynomial64(f, r, EXP_SERIES), r))
  const exponent = i64x2.extendLowI32x4S(i32x4.truncSatF64x2SZero(k))
  const scale = f.let(i64x2.shl(i64x2.add(exponent, f.splatLong(1023n)), 52))
  return { p, scale }
}

/** x limited to ±700: 2ᵏ stays an ordinary double, and rounding to float32 gives 0 or ∞ all the same. NaN stays. */
const clamp = (f: FunctionBuilder, x: Vector): Local<'v128'> => f.let(f64x2.pmin(f64x2.pmax(x, f.splat64(-700)), f.splat64(700)))

const exp64 = (f: FunctionBuilder, x: Vector): Vector => {
  const { p, scale } = expParts(f, clamp(f, x))
  return f64x2.add(f64x2.mul(p, scale), scale)
}

const expm1_64 = (f: FunctionBuilder, x: Vector): Vector => {
  const { p, scale } = expParts(f, clamp(f, x))
  return f64x2.add(f64x2.mul(p, scale), f64x2.sub(scale, f.splat64(1)))
}

/** ln x = e·ln 2 + 2·artanh((m − 1)/(m + 1)) with x = 2ᵉ·m. x came from a float32, so as a double it is never subnormal. */
const log64 = (f: FunctionBuilder, x: Local<'v128'>): Vector => {
  const mantissa = f.let(v128.or(v128.and(x, f.splatLong(0xfffffffffffffn)), f.splat64(1)))
  const high = f.let(f64x2.gt(mantissa, f.splat64(Math.SQRT2)))
  const m = f.let(v128.bitselect(f64x2.mul(mantissa, f.splat64(0.5)), mantissa, high))
  const exponent = f.let(i64x2.sub(i64x2.sub(i64x2.shrU(x, 52), f.splatLong(1023n)), high))
  const e = f.let(f64x2.convertLowI32x4S(shuffle32(exponent, exponent, [0, 2, 0, 2])))
  const s = f.let(f64x2.div(f64x2.sub(m, f.splat64(1)), f64x2.add(m, f.splat64(1))))
  const square = f.let(f64x2.mul(s, s))
  const fraction = f64x2.mul(polynomial64(f, square, LOG_SERIES), s)
  const value = f64x2.add(f64x2.add(fraction, f64x2.mul(e, f.splat64(LN2_LOW))), f64x2.mul(e, f.splat64(LN2_HIGH)))
  const finite = v128.bitselect(value, x, f64x2.lt(x, f.splat64(Infinity)))
  const signed = v128.bitselect(f.splat64(NaN), finite, f64x2.lt(x, f.splat64(0)))
  return v128.bitselect(f.splat64(-Infinity), signed, f64x2.eq(x, f.splat64(0)))
}

/** ln(1 + x) = ln u + (x − (u − 1))/u with u = 1 + x rounded (the correction of Hewlett-Packard's calculators, as in fdlibm's s_log1p.c). */
const log1p64: Emit64 = (f, x) => {
  const u = f.let(f64x2.add(x, f.splat64(1)))
  const correction = f64x2.div(f64x2.sub(x, f64x2.sub(u, f.splat64(1))), u)
  const logarithm = f.let(log64(f, u))
  // For u = 0 and u = ∞ the correction is NaN; ln u alone is right there.
  const ordinary = v128.and(f64x2.gt(u, f.splat64(0)), f64x2.lt(u, f.splat64(Infinity)))
  return f64x2.add(logarithm, v128.and(correction, ordinary))
}

/** Up to this angle n·HALF_PI_1 and n·HALF_PI_2 are exact: n has at most 20 bits, the parts 33. */
const CODY_WAITE_LIMIT = 2 ** 20

/** 2/π in eight pieces of 28 bits, 228 bits in all: each a whole number with its power of two. The first bit of the first piece counts ½. */
const TWO_OVER_PI = [0xa2f9836, 0xe4e4415, 0x29fc275, 0x7d1f534, 0xddc0db6, 0x295993c, 0x439041f, 0xe5163ab].map(
  (bits, i) => bits * 2 ** (-28 * (i + 1)),
)

/** An angle as n quarter turns and a rest: x = n·π/2 + r. */
interface Turned {
  n: Local<'v128'>
  r: Local<'v128'>
}

/** For angles up to CODY_WAITE_LIMIT: subtracts n times each part of π/2 (Cody and Waite). */
function nearTurns(f: FunctionBuilder, x: Local<'v128'>): Turned {
  const n = f.let(f64x2.nearest(f64x2.mul(x, f.splat64(2 / Math.PI))))
  const first = f64x2.sub(x, f64x2.mul(n, f.splat64(HALF_PI_1)))
  const second = f64x2.sub(first, f64x2.mul(n, f.splat64(HALF_PI_2)))
  return { n, r: f.let(f64x2.sub(second, f64x2.mul(n, f.splat64(HALF_PI_3)))) }
}

/**
 * For every float32, by the method of Payne and Hanek ("Radian reduction for trigonometric functions", 1983). The product of x with each piece of 2/π is
 * exact. Of its whole part only the value modulo 4 matters, so it goes into n; its fraction is added up. A sum is inexact only while it is so large that
 * later pieces cannot cancel it, so r keeps all its digits.
 */
function farTurns(f: FunctionBuilder, x: Local<'v128'>): Turned {
  // The constants are made here, not hoisted: this code runs rarely, and they must not occupy registers of the loop around it.
  const modulo4 = (whole: Local<'v128'>): Vector =>
    f64x2.sub(whole, f64x2.mul(f64x2.floor(f64x2.mul(whole, f64x2.const(0.25))), f64x2.const(4)))
  const turns = f.let(f64x2.const(0))
  const fractions = TWO_OVER_PI.map((piece) => {
    const product = f.let(f64x2.mul(x, f64x2.const(piece)))
    const whole = f.let(f64x2.nearest(product))
    f.set(turns, f64x2.add(turns, modulo4(whole)))
    return f.let(f64x2.sub(product, whole))
  })
  const add = (sum: Vector, next: Vector): Vector => f64x2.add(sum, next)
  const more = f.let(f64x2.nearest(fractions.reduce<Vector>(add, f64x2.const(0))))
  const r = f64x2.mul(fractions.reduce<Vector>(add, f64x2.neg(more)), f64x2.const(Math.PI / 2))
  return { n: f.let(f64x2.add(turns, more)), r: f.let(r) }
}

/** sin r and cos r, and n modulo 4. An angle of NaN or ±∞ gives NaN. */
function turned(f: FunctionBuilder, { n, r }: Turned): { sin: Local<'v128'>; cos: Local<'v128'>; quarter: Local<'v128'> } {
  const square = f.let(f64x2.mul(r, r))
  const sin = f.let(f64x2.mul(polynomial64(f, square, SIN_SERIES), r))
  const cos = f.let(polynomial64(f, square, COS_SERIES))
  const turns = f64x2.mul(f64x2.floor(f64x2.mul(n, f.splat64(0.25))), f.splat64(4))
  const quarter = f.let(i64x2.extendLowI32x4S(i32x4.truncSatF64x2SZero(f64x2.sub(n, turns))))
  return { sin, cos, quarter }
}

/** Makes a function of four floats from a function of an angle. Angles above CODY_WAITE_LIMIT are computed again, by Payne and Hanek's method. */
const ofAngle =
  (emit: (f: FunctionBuilder, turned: Turned) => Vector): Emit1 =>
  (f, x) => {
    const halves = [false, true].map((upper) => {
      const angle = f.let(half(x, upper))
      const { n, r } = nearTurns(f, angle)
      return { angle, n, r }
    })
    const far = f.let(f32x4.gt(f32x4.abs(x), f.splat(CODY_WAITE_LIMIT)))
    f.if(v128.anyTrue(far), () => {
      for (const { angle, n, r } of halves) {
        const right = farTurns(f, angle)
        const here = f.let(f64x2.gt(f64x2.abs(angle), f64x2.const(CODY_WAITE_LIMIT)))
        f.set(n, v128.bitselect(right.n, n, here))
        f.set(r, v128.bitselect(right.r, r, here))
      }
    })
    const [low, high] = halves.map((h) => f.let(emit(f, h)))
    return joinHalves(low, high)
  }

/** All ones if bit 0 of the integer is set. */
const oddMask = (f: FunctionBuilder, n: Vector): Vector => i64x2.neg(v128.and(n, f.splatLong(1n)))
/** The sign bit if bit 1 of the integer is set. */
const signFromBit1 = (f: FunctionBuilder, n: Vector): Vector => i64x2.shl(v128.and(n, f.splatLong(2n)), 62)

const sin64 = (f: FunctionBuilder, x: Turned): Vector => {
  const { sin, cos, quarter } = turned(f, x)
  return v128.xor(v128.bitselect(cos, sin, oddMask(f, quarter)), signFromBit1(f, quarter))
}

const cos64 = (f: FunctionBuilder, x: Turned): Vector => {
  const { sin, cos, quarter } = turned(f, x)
  const next = f.let(i64x2.add(quarter, f.splatLong(1n)))
  return v128.xor(v128.bitselect(sin, cos, oddMask(f, quarter)), signFromBit1(f, next))
}

const tan64 = (f: FunctionBuilder, x: Turned): Vector => {
  const { sin, cos, quarter } = turned(f, x)
  const swap = f.let(oddMask(f, quarter))
  const ratio = f64x2.div(v128.bitselect(cos, sin, swap), v128.bitselect(sin, cos, swap))
  return v128.xor(ratio, v128.and(swap, f.splat64(-0)))
}

/** arctan x for x ≥ 0. Above 1 by arctan x = π/2 − arctan 1/x; above tan(π/8) by π/4 + arctan((z − 1)/(z + 1)); then by the series. */
const atanPositive = (f: FunctionBuilder, x: Local<'v128'>): Vector => {
  const inverted = f.let(f64x2.gt(x, f.splat64(1)))
  const z = f.let(v128.bitselect(f64x2.div(f.splat64(1), x), x, inverted))
  const upper = f.let(f64x2.gt(z, f.splat64(Math.SQRT2 - 1)))
  const r = f.let(v128.bitselect(f64x2.div(f64x2.sub(z, f.splat64(1)), f64x2.add(z, f.splat64(1))), z, upper))
  const square = f.let(f64x2.mul(r, r))
  const series = f64x2.mul(polynomial64(f, square, ATAN_SERIES), r)
  const angle = f.let(f64x2.add(series, v128.and(upper, f.splat64(Math.PI / 4))))
  return v128.bitselect(f64x2.sub(f.splat64(Math.PI / 2), angle), angle, inverted)
}

/** The number `magnitude` with the sign of `from`. */
const copySign = (f: FunctionBuilder, magnitude: Vector, from: Vector): Vector => v128.bitselect(from, magnitude, f.splat64(-0))

const atan64 = (f: FunctionBuilder, x: Local<'v128'>): Vector => copySign(f, atanPositive(f, f.let(f64x2.abs(x))), x)

/** arcsin x = arctan(x / √((1 − x)(1 + x))). Beyond ±1 the root is NaN, and so is the result. */
const asin64: Emit64 = (f, x) => {
  const root = f64x2.sqrt(f64x2.mul(f64x2.sub(f.splat64(1), x), f64x2.add(f.splat64(1), x)))
  return atan64(f, f.let(f64x2.div(x, root)))
}

const acos64: Emit64 = (f, x) => f64x2.sub(f.splat64(Math.PI / 2), asin64(f, x))

/** sinh x = (u + u/(u + 1))/2 with u = eˣ − 1. */
const sinh64: Emit64 = (f, x) => {
  const u = f.let(expm1_64(f, f64x2.abs(x)))
  const sum = f64x2.add(u, f64x2.div(u, f64x2.add(u, f.splat64(1))))
  return copySign(f, f64x2.mul(sum, f.splat64(0.5)), x)
}

const cosh64: Emit64 = (f, x) => {
  const e = f.let(exp64(f, f64x2.abs(x)))
  return f64x2.mul(f64x2.add(e, f64x2.div(f.splat64(1), e)), f.splat64(0.5))
}

/**
 * xʸ = e^(y·ln |x|). For negative x: negative if y is odd, NaN if y is no whole number. By IEEE 754, x⁰ and 1ʸ are 1, even if the other number is NaN, and
 * (−1)^±∞ is 1.
 */
const pow64: Emit64Pair = (f, x, y) => {
  const magnitude = f.let(f64x2.abs(x))
  // A huge finite exponent in place of ±∞: times ln 1 = 0 it gives 0, and for every other base it gives the same as ∞.
  const finite = f64x2.pmin(f64x2.pmax(y, f.splat64(-1e300)), f.splat64(1e300))
  const power = f.let(exp64(f, f64x2.mul(finite, log64(f, magnitude))))
  const whole = f64x2.eq(f64x2.nearest(y), y)
  const halfY = f.let(f64x2.mul(y, f.splat64(0.5)))
  const even = f64x2.eq(f64x2.nearest(halfY), halfY)
  const oddSign = v128.andNot(v128.and(x, f.splat64(-0)), even)
  const signed = f.let(v128.bitselect(v128.xor(power, oddSign), power, whole))
  const undefinedRoot = v128.andNot(f64x2.lt(x, f.splat64(0)), whole)
  // Only a finite negative base has no root: −∞ to a fraction is +∞ or 0. Infinite exponents count as whole and even.
  const negative = v128.and(undefinedRoot, f64x2.lt(magnitude, f.splat64(Infinity)))
  const value = v128.bitselect(f.splat64(NaN), signed, negative)
  return v128.bitselect(f.splat64(1), value, v128.or(f64x2.eq(y, f.splat64(0)), f64x2.eq(x, f.splat64(1))))
}

/** The angle of the point (x, y), from −π to π, with C's rules for zeros and infinities. */
const atan2_64: Emit64Pair = (f, y, x) => {
  const absY = f.let(f64x2.abs(y))
  const absX = f.let(f64x2.abs(x))
  const both = v128.and(f64x2.eq(absX, f.splat64(Infinity)), f64x2.eq(absY, f.splat64(Infinity)))
  const none = v128.and(f64x2.eq(absX, f.splat64(0)), f64x2.eq(absY, f.splat64(0)))
  const ratio = v128.bitselect(f.splat64(1), v128.andNot(f64x2.div(absY, absX), none), both)
  const angle = f.let(atanPositive(f, f.let(ratio)))
  const left = i64x2.shrS(x, 63) // all ones where x < 0 or −0
  const turned = v128.bitselect(f64x2.sub(f.splat64(Math.PI), angle), angle, left)
  return copySign(f, turned, y)
}

/** Bits of a quotient that one step of the long division takes. Times b, which has 24 bits, such a quotient is exact in a double. */
const QUOTIENT_BITS = 27

/**
 * The rest of a long division: |a| minus multiples of |b|, then given the sign of b. Each step takes QUOTIENT_BITS of the quotient; product and difference
 * are exact. For an infinite b the rest is a, or b if their signs differ.
 */
const longDivisionRest: Emit64Pair = (f, a, b) => {
  const [dividend, divisor] = [f.let(f64x2.abs(a)), f.let(f64x2.abs(b))]
  const left = f.let(dividend)
  const scaled = f.let(f64x2.mul(divisor, f64x2.const(2 ** (10 * QUOTIENT_BITS)))) // 2²⁷⁷ is the largest quotient of two float32
  f.for(0, 11, 1, () => {
    f.set(left, f64x2.sub(left, f64x2.mul(f64x2.floor(f64x2.div(left, scaled)), scaled)))
    f.set(scaled, f64x2.mul(scaled, f64x2.const(2 ** -QUOTIENT_BITS)))
  })
  const finite = f64x2.lt(dividend, f64x2.const(Infinity))
  f.set(left, v128.bitselect(dividend, left, v128.and(finite, f64x2.eq(divisor, f64x2.const(Infinity)))))
  const signsDiffer = v128.and(i64x2.shrS(v128.xor(a, b), 63), f64x2.ne(left, f64x2.const(0)))
  return v128.bitselect(f64x2.sub(divisor, left), left, signsDiffer)
}

/** a − b·⌊a/b⌋ of four floats, with the sign of b, rounded once at the end. A quotient with too many digits for one step goes by long division. */
export const mod = (f: FunctionBuilder, a: Local<'v128'>, b: Local<'v128'>): Vector => {
  const halves = [false, true].map((upper) => {
    const [dividend, divisor] = [f.let(half(a, upper)), f.let(half(b, upper))]
    const quotient = f.let(f64x2.div(dividend, divisor))
    const rest = f.let(f64x2.sub(dividend, f64x2.mul(divisor, f64x2.floor(quotient))))
    return { dividend, divisor, rest, far: f64x2.ge(f64x2.abs(quotient), f.splat64(2 ** QUOTIENT_BITS)) }
  })
  const infinite = f32x4.eq(f32x4.abs(b), f.splat(Infinity))
  f.if(v128.anyTrue(v128.or(v128.or(halves[0].far, halves[1].far), infinite)), () => {
    for (const { dividend, divisor, rest, far } of halves) {
      const here = f.let(v128.or(far, f64x2.eq(f64x2.abs(divisor), f64x2.const(Infinity))))
      f.set(rest, v128.bitselect(longDivisionRest(f, dividend, divisor), rest, here))
    }
  })
  return v128.bitselect(b, joinHalves(halves[0].rest, halves[1].rest), f.splat(-0))
}

/** ⌊a/b⌋. A number by an infinity of the other sign gives −1; an infinity by a number gives NaN. */
const floorDiv64: Emit64Pair = (f, a, b) => {
  const quotient = f.let(f64x2.floor(f64x2.div(a, b)))
  const [infiniteA, infiniteB] = [a, b].map((x) => f.let(f64x2.eq(f64x2.abs(x), f.splat64(Infinity))))
  f.if(v128.anyTrue(v128.or(infiniteA, infiniteB)), () => {
    const below = v128.and(v128.and(infiniteB, i64x2.shrS(v128.xor(a, b), 63)), f64x2.ne(a, f.splat64(0)))
    f.set(quotient, v128.bitselect(f.splat64(-1), quotient, v128.andNot(below, f64x2.ne(a, a))))
    f.set(quotient, v128.bitselect(f.splat64(NaN), quotient, v128.and(infiniteA, f64x2.ne(b, f.splat64(0)))))
  })
  return quotient
}

export const expm1 = odd(wide((f, x) => expm1_64(f, x)))
export const log1p = odd(wide(log1p64))
export const sin = odd(ofAngle(sin64))
export const cos = ofAngle(cos64)
export const tan = odd(ofAngle(tan64))
export const asin = odd(wide(asin64))
export const acos = wide(acos64)
export const atan = wide(atan64)
export const sinh = wide(sinh64)
export const cosh = wide(cosh64)
export const pow = widePair(pow64)
export const atan2 = widePair(atan2_64)
export const floorDiv = widePair(floorDiv64)
