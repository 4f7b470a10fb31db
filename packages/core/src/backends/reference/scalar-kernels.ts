/** The elementwise functions and reductions in plain JavaScript numbers (float64), one line each. The tests hold all other backends to them. */
import type { MapKernel, ReduceKernel, UpdateKernel, ZipKernel } from '../backend.js'

const truth = (condition: boolean): number => (condition ? 1 : 0)

/** Rounds halves to the even neighbour, as IEEE 754 and NumPy do. */
function roundHalfToEven(x: number): number {
  const down = Math.floor(x)
  const rest = x - down
  if (rest !== 0.5) return Math.round(x)
  return down % 2 === 0 ? down : -(-1 - down) // −½ becomes −0
}

/**
 * erf x. Below 2.5 by its Taylor series, beyond by the continued fraction of erfc (Abramowitz & Stegun 7.1.5 and 7.1.14). The
 * error is below 1e-15.
 */
function erf(x: number): number {
  const magnitude = Math.abs(x)
  if (magnitude > 6) return Math.sign(x)
  if (magnitude < 2.5) {
    let term = x
    let sum = x
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
      term *= -(x * x) / n
      sum += term / (2 * n + 1)
    }
    return Number.isNaN(x) ? x : (2 / Math.sqrt(Math.PI)) * sum
  }
  let fraction = 0
  for (let k = 60; k > 0; k--) fraction = k / 2 / (magnitude + fraction)
  return Math.sign(x) * (1 - Math.exp(-x * x) / (Math.sqrt(Math.PI) * (magnitude + fraction)))
}

/**
 * The remainder of a/b with the sign of b, as in Python and NumPy. `%` is exact; only adding b may round.
 * mod(1, ∞) = 1, mod(−1, ∞) = ∞. NaN for b = 0 or a = ±∞.
 */
function floorMod(a: number, b: number): number {
  const rest = a % b // C's fmod: exact, with the sign of a
  if (rest === 0) return b < 0 ? -0 : 0
  return rest < 0 === b < 0 ? rest : rest + b
}

/**
 * ⌊a/b⌋ as in Python and NumPy, computed from the exact remainder: (a − rest)/b. So floorDivide(−1, ∞) = −1.
 * NaN for a = ±∞; a/0 is ±∞.
 */
function floorDivide(a: number, b: number): number {
  if (b === 0) return a / b
  const rest = a % b
  const quotient = (a - rest) / b
  if (Number.isNaN(quotient)) return quotient
  // (a − rest)/b is a whole number up to its last rounding
  const whole = quotient === 0 ? (a < 0 === b < 0 ? 0 : -0) : Math.round(quotient)
  return rest !== 0 && rest < 0 !== b < 0 ? whole - 1 : whole
}

/** aᵇ by IEEE 754. ECMAScript differs in one place: IEEE 754 says that 1 to any power is 1, and −1 to an infinite power too. */
const power = (a: number, b: number): number => (a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b)

export const mapKernels: Record<Exclude<MapKernel, 'cast'>, (x: number) => number> = {
  neg: (x) => -x,
  abs: Math.abs,
  sign: Math.sign,
  square: (x) => x * x,
  relu: (x) => Math.max(0, x),
  sqrt: Math.sqrt,
  rsqrt: (x) => 1 / Math.sqrt(x),
  reciprocal: (x) => 1 / x,
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  asin: Math.asin,
  acos: Math.acos,
  atan: Math.atan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  tanh: Math.tanh,
  sigmoid: (x) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x))),
  softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  erf,
  floor: Math.floor,
  ceil: Math.ceil,
  round: roundHalfToEven,
  isNaN: (x) => truth(Number.isNaN(x)),
  isFinite: (x) => truth(Number.isFinite(x)),
  logicalNot: (x) => truth(x === 0),
}

export const zipKernels: Record<ZipKernel, (a: number, b: number) => number> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  mulNoNaN: (a, b) => (b === 0 ? 0 : a * b),
  pow: power,
  atan2: Math.atan2,
  gate: (a, b) => (b > 0 ? a : 0),
  maximum: Math.max,
  minimum: Math.min,
  mod: floorMod,
  floorDiv: floorDivide,
  equal: (a, b) => truth(a === b),
  notEqual: (a, b) => truth(a !== b),
  less: (a, b) => truth(a < b),
  lessEqual: (a, b) => truth(a <= b),
  greater: (a, b) => truth(a > b),
  greaterEqual: (a, b) => truth(a >= b),
  logicalAnd: (a, b) => truth(a !== 0 && b !== 0),
  logicalOr: (a, b) => truth(a !== 0 || b !== 0),
  logicalXor: (a, b) => truth((a !== 0) !== (b !== 0)),
}

/** Reductions of `count` values; `at(i)` reads the i-th. */
export const reduceKernels: Record<ReduceKernel, (count: number, at: (i: number) => number) => number> = {
  sum: (count, at) => fold(count, at, 0, (a, b) => a + b),
  prod: (count, at) => fold(count, at, 1, (a, b) => a * b),
  max: (count, at) => fold(count, at, -Infinity, Math.max),
  min: (count, at) => fold(count, at, Infinity, Math.min),
  argMax: (count, at) => firstBest(count, at, (a, b) => a > b),
  argMin: (count, at) => firstBest(count, at, (a, b) => a < b),
}

function fold(count: number, at: (i: number) => number, start: number, combine: (a: number, b: number) => number): number {
  let value = start
  for (let i = 0; i < count; i++) value = combine(value, at(i))
  return value
}

/** The position of the first best value. A NaN is best of all, as in NumPy. */
function firstBest(count: number, at: (i: number) => number, better: (a: number, b: number) => boolean): number {
  let best = 0
  for (let i = 0; i < count; i++) {
    const value = at(i)
    if (Number.isNaN(value)) return i
    if (better(value, at(best))) best = i
  }
  return best
}

/** The steps of update programs. */
export const updateKernels: Record<UpdateKernel, (a: number, b: number) => number> = {
  add: zipKernels.add,
  sub: zipKernels.sub,
  mul: zipKernels.mul,
  div: zipKernels.div,
  maximum: zipKernels.maximum,
  minimum: zipKernels.minimum,
  sqrt: mapKernels.sqrt,
  square: mapKernels.square,
  abs: mapKernels.abs,
  neg: mapKernels.neg,
  sign: mapKernels.sign,
}
