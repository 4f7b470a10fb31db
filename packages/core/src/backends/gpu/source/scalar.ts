/**
 * The elementwise functions as kernel source: statements over `v`, or over `a` and `b`, that end in a return.
 *
 * Where engines differ or lose digits, a series or a rational formula takes the place of the built-in function; each states its
 * error. Comparisons are arranged so that NaN falls through to a branch that keeps it.
 *
 * The file is longer than 300 lines because it is a table with one entry for each function, beside the helpers of these entries.
 */
import { type DType, isFloat } from '../../../tensor/dtype.js'
import type { MapKernel, UpdateKernel, ZipKernel } from '../../backend.js'
import { maxOf, minOf, polynomial, sigmoidInto, tanhInto, unlessNaN } from './rules.js'

/** 1/first!, 1/(first + step)!, …: coefficients of Taylor series. */
function inverseFactorials(first: number, step: number, count: number): number[] {
  const out: number[] = []
  let factorial = 1
  for (let n = 1; out.length < count; n++) {
    factorial *= n
    if (n >= first && (n - first) % step === 0) out.push(1 / factorial)
  }
  return out
}

/** The largest float32; a larger number is ∞. */
const LARGEST = '3.4028234663852886e+38'

/** log(x) of a name or a sum. −∞ for 0, where some engines give −88. NaN, by way of the root, for NaN and negative numbers. */
export const logOf = (x: string): string => `(${x} > 0 ? Math.log(${x}) : (${x} === 0 ? -1 / Math.abs(${x}) : Math.sqrt(${x})))`

/**
 * Statements that set `result` to log(1 + x): 2·artanh(x / (2 + x)) by its series near 0, where the first omitted term is below 2e-8 of the sum; else the logarithm.
 * The usual correction by ((1 + x) − 1) does not survive a compiler that simplifies it.
 */
const log1pInto = (result: string, x: string): string => `
const ratio = ${x} / (2 + ${x});
const ratio2 = ratio * ratio;
const nearZero = 2 * ratio * ${polynomial(
  'ratio2',
  [0, 1, 2, 3, 4, 5, 6].map((k) => 1 / (2 * k + 1)),
)};
const whole = 1 + ${x};
const far = ${logOf('whole')};
const ${result} = Math.abs(${x}) <= 0.5 ? nearZero : far;`

/** For a larger angle the products of quarter turns and the pieces of π/2 are not exact. */
const FAR_ANGLE = 8192
/** 2/π in pieces of 12 bits. */
const TWO_OVER_PI = [0xa2f, 0x983, 0x6e4, 0xe44, 0x152, 0x9fc, 0x275, 0x7d1, 0xf53, 0x4dd, 0xc0d, 0xb62, 0x959, 0x93c, 0x439, 0x041]
/** Digits, to the base 4096, of the fraction of an angle times 2/π. */
const FRACTION_DIGITS = 5

/**
 * Statements that set `turns` and `r` for a far angle, by the method of Payne and Hanek (1983). All numbers have 12 bits, so their products are exact. |v| is
 * (a, b, c); the size of v decides which pieces of 2/π (w0, w1 …) its digits meet at the units and the fraction. The units of the product modulo 4 are the
 * turns; its fraction times π/2 is r.
 */
function farTurns(): string {
  const words = [0, 0, ...TWO_OVER_PI.slice(0, FRACTION_DIGITS + 2)]
  const last = words.length - 1
  const lines = ['let m = Math.abs(v);', ...words.map((word, k) => `let w${k} = ${word};`)]
  TWO_OVER_PI.slice(FRACTION_DIGITS + 2).forEach((next, step) => {
    lines.push(`const larger${step} = m >= 16777216 ? 1 : 0;`, `m = larger${step} === 1 ? m * ${2 ** -12} : m;`)
    lines.push(...words.map((_, k) => `w${k} = larger${step} === 1 ? ${k < last ? `w${k + 1}` : next} : w${k};`))
  })
  lines.push(
    'const a = Math.floor(m / 4096);',
    'const below = m - a * 4096;',
    'const b = Math.floor(below);',
    'const c = (below - b) * 4096;',
  )
  // Digits to the base 4096: the low halves of the products of this place, and the high halves of the products one place lower.
  for (let n = 0; n <= FRACTION_DIGITS + 1; n++) {
    for (const [k, digit] of ['c', 'b', 'a'].entries()) {
      const product = `${digit}${n}`
      lines.push(`const ${product} = ${digit} * w${n + k};`, `const ${product}High = Math.floor(${product} / 4096);`)
    }
    lines.push(
      `const high${n} = a${n}High + b${n}High + c${n}High;`,
      `const low${n} = (a${n} - a${n}High * 4096) + (b${n} - b${n}High * 4096) + (c${n} - c${n}High * 4096);`,
    )
  }
  lines.push('let carry = 0;')
  for (let n = FRACTION_DIGITS; n >= 1; n--)
    lines.push(
      `const sum${n} = low${n} + high${n + 1} + carry;`,
      `carry = Math.floor(sum${n} / 4096);`,
      `const digit${n} = sum${n} - carry * 4096;`,
    )
  // A fraction above ½ counts one turn more, minus the difference. Then no digits cancel.
  lines.push('const up = digit1 >= 2048 ? 1 : 0;')
  for (let n = 1; n <= FRACTION_DIGITS; n++) lines.push(`const part${n} = up === 1 ? 4095 - digit${n} : digit${n};`)
  const fraction = Array.from({ length: FRACTION_DIGITS }, (_, i) => `part${i + 1}`).reduceRight(
    (rest, part) => `(${part} + ${rest}) * ${2 ** -12}`,
    '0',
  )
  lines.push(
    'const units = low0 + high1 + carry + up;',
    `const angle = ${fraction} * ${Math.PI / 2};`,
    'const negative = v < 0 ? 1 - up : up;',
    'r = negative === 1 ? -angle : angle;',
    'turns = v < 0 ? -units : units;',
  )
  return lines.join('\n')
}

/**
 * Statements that set `sine` and `cosine` of r and `turns`: the angle v is the nearest number of quarter turns plus r. Quarter turns are subtracted in three pieces
 * (Cody and Waite), or by `farTurns`. Then Taylor series up to r¹¹/11! and r¹⁰/10!, with errors below 2e-7. (WebGL promises only 2⁻¹¹ for its own functions.)
 */
const quarterTurns = `
let turns = Math.floor(v * ${2 / Math.PI} + 0.5);
let r = ((v - turns * 1.5703125) - turns * 0.00048351287841796875) - turns * 3.139164786e-7;
if (Math.abs(v) > ${FAR_ANGLE}) {
${farTurns()}
}
const r2 = r * r;
const sine = r * ${polynomial(
  'r2',
  inverseFactorials(1, 2, 6).map((f, n) => (n % 2 ? -f : f)),
)};
const cosine = ${polynomial(
  'r2',
  [1, ...inverseFactorials(2, 2, 5)].map((f, n) => (n % 2 ? -f : f)),
)};`

/** An expression: the first name if n is even, the second if n is odd. */
const byParity = (n: string, even: string, odd: string): string => `(${n} - 2 * Math.floor(${n} * 0.5) === 0 ? ${even} : ${odd})`

/** Statements that set `result` to sin(v), or, if `quarter` is 1, to cos(v) = sin(v + π/2). */
const sineInto = (result: string, quarter: 0 | 1): string => `${quarterTurns}
const moved = turns + ${quarter};
const half = Math.floor((moved + 0.5) * 0.5);
const size = ${byParity('moved', 'sine', 'cosine')};
const ${result} = ${byParity('half', 'size', '-size')};`

/**
 * Statements that set `result` to atan(x), for x ≥ 0. The difference to π/4 or π/2 brings the argument to |y| ≤ tan(π/8); then a polynomial
 * (S. Moshier, Cephes, atanf; error 2e-7).
 */
const atanInto = (result: string, x: string): string => `
const reduced = ${x} > ${Math.tan((3 * Math.PI) / 8)} ? -1 / ${x} : (${x} > ${Math.tan(Math.PI / 8)} ? (${x} - 1) / (${x} + 1) : ${x});
const base = ${x} > ${Math.tan((3 * Math.PI) / 8)} ? ${Math.PI / 2} : (${x} > ${Math.tan(Math.PI / 8)} ? ${Math.PI / 4} : 0);
const reduced2 = reduced * reduced;
const ${result} = base + (reduced + reduced * reduced2 * ${polynomial('reduced2', [-0.333329491539, 0.199777106478, -0.138776856032, 0.0805374449538])});`

/**
 * Statements that set `core` to asin(`root`), with root in [0, 0.71]. For |v| ≤ ½ root is |v|; for larger |v| it is √((1 − |v|)/2), and the angle is π/2 minus twice
 * the asin of it (S. Moshier, Cephes, asinf; error 2e-7). Mesa's own asin has an error of 1e-4.
 */
const asinCore = `
const size = Math.abs(v);
const folded = (1 - size) * 0.5;
const root = size <= 0.5 ? size : Math.sqrt(folded);
const root2 = root * root;
const core = root + root * root2 * ${polynomial('root2', [0.16666752422, 0.074953002686, 0.045470025998, 0.024181311049, 0.042163199048])};`

/** √exp(|v|), for sinh and cosh. They need exp(|v|)/2, which can be finite where exp(|v|) overflows; 0.5·root·root does not overflow there. */
const rootExp = 'const root = Math.exp(0.5 * Math.abs(v));'

/** The map kernels. isNaN and isFinite are missing: a device cannot tell NaN from a number, so the host does it. `cast` is `castSource`. */
export const mapSources: Record<Exclude<MapKernel, 'cast' | 'isNaN' | 'isFinite'>, string> = {
  neg: 'return -v;',
  abs: 'return Math.abs(v);',
  sign: 'return v > 0 ? 1 : (v < 0 ? -1 : v);',
  square: 'return v * v;',
  relu: `return ${maxOf('v', '0')};`,
  sqrt: 'return Math.sqrt(v);',
  rsqrt: 'return 1 / Math.sqrt(v);',
  reciprocal: 'return 1 / v;',
  exp: `const power = Math.exp(v);\nreturn ${unlessNaN('v', 'power')};`,
  // Taylor series up to v^9/9! where exp(v) − 1 cancels; relative error below 3e-10 there
  expm1: `
const nearZero = v * ${polynomial('v', inverseFactorials(1, 1, 9))};
const far = Math.exp(v) - 1;
return Math.abs(v) <= 0.5 ? nearZero : ${unlessNaN('v', 'far')};`,
  log: `return ${logOf('v')};`,
  log1p: `${log1pInto('result', 'v')}\nreturn result;`,
  sin: `${sineInto('result', 0)}\nreturn result;`,
  cos: `${sineInto('result', 1)}\nreturn result;`,
  tan: `${quarterTurns}\nreturn ${byParity('turns', 'sine / cosine', '-cosine / sine')};`,
  asin: `${asinCore}
const angle = size <= 0.5 ? core : ${Math.PI / 2} - 2 * core;
return v < 0 ? -angle : angle;`,
  acos: `${asinCore}
const beyond = v > 0 ? 2 * core : ${Math.PI} - 2 * core;
const near = v > 0 ? ${Math.PI / 2} - core : ${Math.PI / 2} + core;
return size <= 0.5 ? near : beyond;`,
  atan: `const size = Math.abs(v);\n${atanInto('angle', 'size')}\nreturn v < 0 ? -angle : angle;`,
  // Taylor series up to v^9/9! below 1; relative error 3e-8
  sinh: `
${rootExp}
const square = v * v;
const nearZero = v * ${polynomial('square', inverseFactorials(1, 2, 5))};
const size = 0.5 * root * root - 0.5 / (root * root);
return Math.abs(v) < 1 ? nearZero : (v > 0 ? size : (v < 0 ? -size : v));`,
  cosh: `${rootExp}\nconst size = 0.5 * root * root + 0.5 / (root * root);\nreturn ${unlessNaN('v', 'size')};`,
  tanh: `${tanhInto('result', 'v')}\nreturn result;`,
  sigmoid: `${sigmoidInto('result', 'v')}\nreturn result;`,
  softplus: `
const tail = Math.exp(-Math.abs(v));
${log1pInto('rest', 'tail')}
return ${maxOf('v', '0')} + rest;`,
  // Maclaurin series below 1 (eleven terms, error 2e-9); beyond, Abramowitz & Stegun 7.1.26 (absolute error 1.5e-7, where erf is above 0.84)
  erf: `
const square = v * v;
const nearZero = v * ${polynomial(
    'square',
    [1, ...inverseFactorials(1, 1, 10)].map((f, n) => ((n % 2 ? -1 : 1) * f * 2) / ((2 * n + 1) * Math.sqrt(Math.PI))),
  )};
const t = 1 / (1 + 0.3275911 * Math.abs(v));
const far = 1 - t * ${polynomial('t', [0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429])} * Math.exp(-square);
return Math.abs(v) < 1 ? nearZero : (v > 0 ? far : -far);`,
  floor: 'return Math.floor(v);',
  ceil: 'return Math.ceil(v);',
  round: `
const down = Math.floor(v);
const rest = v - down;
const even = down - 2 * Math.floor(down * 0.5) === 0 ? down : down + 1;
return rest > 0.5 ? down + 1 : (rest < 0.5 ? down : even);`,
  logicalNot: 'return v === 0 ? 1 : 0;',
}

/** Converts as dtype.ts does. NaN fails every comparison, so it becomes 0 as an integer and 1 as a bool. */
export function castSource(from: DType, to: DType): string {
  const widening = isFloat(to) || from === 'bool' || from === to || (from === 'uint8' && to === 'int32')
  if (widening) return 'return v;'
  if (to === 'bool') return 'return v === 0 ? 0 : 1;'
  const [low, high] = to === 'uint8' ? [0, 255] : [-(2 ** 31), 2 ** 31]
  return `
const whole = v < 0 ? Math.ceil(v) : Math.floor(v);
const above = v > 0 ? ${high} : 0;
const outside = v < 0 ? ${low} : above;
return v > ${low} && v < ${high} ? whole : outside;`
}

/** Statements that multiply the first name by powers of two, the largest first, as long as it stays within a limit. The other names are multiplied by the same power or its inverse. */
const raised = ([first, ...others]: readonly string[], by: readonly number[], limit: string): string =>
  by
    .flatMap((power, i) => [
      `const raise${first}${i} = ${first} * ${2 ** power} <= ${limit} ? 1 : 0;`,
      ...[first, ...others].map((name) => {
        const factor = name.startsWith('inverse') ? 2 ** -power : 2 ** power
        return `${name} = raise${first}${i} === 1 ? ${name} * ${factor} : ${name};`
      }),
    ])
    .join('\n')

/** Bits of the quotient in a step of the long division, and the steps that the largest quotient of two float32 needs. */
const STEP_BITS = 9
const STEPS = Math.ceil(277 / STEP_BITS)

/**
 * Statements for quotient and remainder with the sign of the divisor, as in Python; `quotient` and `rest` are those of |b|. If ⌊a / b⌋ · b has more digits than a float,
 * they come from a long division. There |b| = high + low with 12 bits each, so the products of STEP_BITS bits of the quotient with both are exact, and so are the differences.
 */
const divideDown = `
const sign = b < 0 ? -1 : 1;
const dividend = a * sign;
const divisor = b * sign;
const size = Math.abs(a);
const near = Math.floor(dividend / divisor);
const over = dividend - near * divisor;
const past = dividend < 0 && near === -1 ? 0 : 1;
const shift = over < 0 ? -1 : (over >= divisor ? past : 0);
let quotient = near + shift;
let rest = shift === 0 ? over : over - shift * divisor;
if (size >= 16 * divisor && divisor > 0 && size <= ${LARGEST}) {
let power = ${2 ** -126};
let inversePower = ${2 ** 126};
${raised(['power', 'inversePower'], [126, 64, 32, 16, 8, 4, 2, 1], 'divisor')}
let high = Math.floor(divisor * inversePower * 2048) * (power * ${2 ** -11});
let low = divisor - high;
let part = divisor;
${raised(['part', 'high', 'low'], [126, 126, 72, 36, 18, 9], 'size')}
let top = part;
${raised(['top'], [8, 4, 2, 1], 'size')}
let remaining = size - top;
for (let k = 0; k < ${STEPS}; k++) {
  const times = Math.floor(remaining / part + 0.5);
  remaining = (remaining - times * high) - times * low;
  const down = part > divisor ? ${2 ** -STEP_BITS} : 1;
  part = part * down;
  high = high * down;
  low = low * down;
}
remaining = remaining < 0 ? remaining + divisor : remaining;
const share = (size - remaining) / divisor;
const whole = share < 4194304 ? Math.floor(share + 0.5) : share;
const more = remaining > 0 ? 1 : 0;
quotient = dividend < 0 ? -whole - more : whole;
rest = dividend < 0 && remaining > 0 ? divisor - remaining : remaining;
}
if (divisor > ${LARGEST} && size <= ${LARGEST}) {
quotient = dividend < 0 ? -1 : 0;
rest = dividend < 0 ? divisor : dividend;
}
if (size > ${LARGEST} && divisor > 0) {
quotient = over;
}`

const truth = (condition: string): string => `return ${condition} ? 1 : 0;`

const zipTable: Record<ZipKernel, string> = {
  add: 'return a + b;',
  sub: 'return a - b;',
  mul: 'return a * b;',
  div: 'return a / b;',
  mulNoNaN: 'return b === 0 ? 0 : a * b;',
  // The power of the magnitude, with a sign if the exponent is odd; NaN, the root of a negative number, if it is no whole number. 1 and −1 are handled apart, by IEEE 754. Some engines give 1 for a small power of 0.
  pow: `
const magnitude = Math.abs(a);
const any = Math.pow(magnitude, b);
const ofZero = b > 0 ? 0 : any;
const power = magnitude > 0 ? any : ofZero;
const whole = Math.floor(b) === b ? 1 : 0;
const odd = Math.floor(b * 0.5) * 2 === b ? 0 : 1;
const signed = odd === 1 ? -power : power;
const infinite = magnitude > ${LARGEST} ? power : Math.sqrt(a);
const negative = whole === 1 ? signed : infinite;
const endless = Math.abs(b) > ${LARGEST} ? 1 : 0;
const unit = a === 1 ? 1 : (a === -1 ? endless : 0);
const positive = ${unlessNaN('b', 'power')};
return b === 0 ? 1 : (unit === 1 ? 1 : (a < 0 ? negative : (a >= 0 ? positive : a)));`,
  // The angle of the smaller side over the larger one, at most π/4, then the octant.
  atan2: `
const height = Math.abs(a);
const width = Math.abs(b);
const larger = height > width ? height : width;
const smaller = height > width ? width : height;
const ratio = larger === 0 ? smaller : (smaller === larger ? 1 : smaller / larger);
${atanInto('octant', 'ratio')}
const quadrant = height > width ? ${Math.PI / 2} - octant : octant;
const upper = b < 0 ? ${Math.PI} - quadrant : (b >= 0 ? quadrant : b);
return a < 0 ? -upper : (a >= 0 ? upper : a);`,
  gate: 'return b > 0 ? a : 0;',
  maximum: `return ${maxOf('a', 'b')};`,
  minimum: `return ${minOf('a', 'b')};`,
  mod: `${divideDown}\nreturn rest * sign;`,
  floorDiv: `${divideDown}\nreturn quotient;`,
  equal: truth('a === b'),
  notEqual: 'return a === b ? 0 : 1;',
  less: truth('a < b'),
  lessEqual: truth('a <= b'),
  greater: truth('a > b'),
  greaterEqual: truth('a >= b'),
  logicalAnd: truth('a > 0 && b > 0'),
  logicalOr: truth('a > 0 || b > 0'),
  logicalXor: 'return a === b ? 0 : 1;',
}

/** The statements of a zip kernel for operands of this dtype. */
export function zipSource(kernel: ZipKernel, dtype: DType): string {
  if (isFloat(dtype) || (kernel !== 'mod' && kernel !== 'floorDiv')) return zipTable[kernel]
  return `${divideDown}\nreturn b === 0 ? 0 : ${kernel === 'mod' ? 'rest * sign' : 'quotient'};`
}

/** The steps of update programs, as expressions of names. */
export const updateSources: Record<UpdateKernel, (a: string, b: string) => string> = {
  add: (a, b) => `${a} + ${b}`,
  sub: (a, b) => `${a} - ${b}`,
  mul: (a, b) => `${a} * ${b}`,
  div: (a, b) => `${a} / ${b}`,
  maximum: maxOf,
  minimum: minOf,
  sqrt: (a) => `Math.sqrt(${a})`,
  square: (a) => `${a} * ${a}`,
  abs: (a) => `Math.abs(${a})`,
  neg: (a) => `-${a}`,
  sign: (a) => `(${a} > 0 ? 1 : (${a} < 0 ? -1 : ${a}))`,
}
