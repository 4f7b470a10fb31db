/**
 * The rules that every generated kernel keeps. gpu.js runs one source on engines that differ, and most differences show as wrong
 * numbers, not as errors. The rules come from measurements on 2.24.1. This file alone holds the settings, the limits, and the
 * spellings that are safe on every engine.
 *
 * - A kernel is a source string, never a function: bundlers, coverage tools and minifiers rewrite functions.
 * - A loop's bound is a literal, and `loopMaxIterations` is raised: gpu.js silently ends any other loop after 1000 turns.
 * - If a driver ends loops after some number of turns, a kernel with more is refused (`turns`).
 * - `tactic: 'precision'` is set: without it WebGL gets `lowp` floats even at `precision: 'single'`.
 * - Each signature of input sizes has a kernel of its own: called with a second size, a kernel would keep the first one's dimensions.
 * - A kernel that takes host arrays (an upload) never takes values on the device, and the other way round.
 * - On WebGL an output of two dimensions is a texture of that width and height. If that is too large, the output gets three dimensions.
 * - A kernel has at most seven array arguments (WebGPU grants eight storage buffers) and one output.
 * - A loop's counter is an integer. If a conditional expression has the counter on one side and a float on the other, the counter goes into a local first.
 * - Locals, `/` and `%` are float32. Whole numbers are exact up to 2^24. A quotient rounded down is exact up to 2^22, and only as ⌊(x + ½) / d⌋.
 * - `tanh` overflows to NaN on some engines and has few digits on others, so a formula replaces it. `pow` of a negative base is undefined, so the
 *   power of the magnitude is taken. Integer powers are products.
 * - A source cannot test for NaN or infinity, and has no literal for them. `max` and `min` lose NaN. Comparisons with NaN are false, and the
 *   spellings here rely on that. Infinities come in as data or as scalar arguments.
 * - `if` around statements works everywhere, with `let` for the variables it changes. It serves long code that few elements need.
 * - `log(0)` is −88 on some engines.
 * - A compiler takes `a < b ? b : a` for a `max`, which loses NaN. So the branch that NaN falls through to must differ from both. `exp`, `log` and `pow`
 *   of NaN, and `log` of a negative number, are numbers on some engines.
 */
import { BackendError } from '../../../errors.js'
import type { KernelSettings } from '../device/gpujs.js'

/** The most array arguments of one kernel. */
export const MAX_ARRAYS = 7

/** float32 holds whole numbers n exactly for |n| up to this. */
export const EXACT_INTEGER = 2 ** 24

/** The widest output of two dimensions that the smallest common texture limit allows. */
export const MAX_WIDTH = 8192

/** Sizes that decide how addresses are formed. Tests make them smaller, so that small tensors take the path of large ones. */
export interface Limits {
  /** The largest flat index that ⌊(x + ½) / d⌋ decodes exactly. */
  readonly division: number
  /** The largest position that a float32 local holds exactly. */
  readonly integer: number
  /** The largest width or height of a texture. */
  readonly texture: number
  /** The most threads along x and y, for an output with more than one dimension. */
  readonly width: number
  /** The most threads along z. */
  readonly depth: number
  /** The most turns of all loops of a thread together, if the driver silently stops after some number: Mesa's llvmpipe does at 65535. */
  readonly turns: number
}
/** The limits of float32; a context lowers the others to those of its device. */
export const LIMITS: Limits = {
  division: 2 ** 22,
  integer: EXACT_INTEGER,
  texture: Infinity,
  width: Infinity,
  depth: Infinity,
  turns: Infinity,
}

/** The turns that all loops of a source take together. */
export function turnsOf(source: string): number {
  const around = [1]
  let turns = 0
  let next = 0 // turns of the loop that the next brace opens
  for (const [token, bound] of source.matchAll(/\bfor \(let \w+ = 0; \w+ < (\d+);|[{}]/g)) {
    const outside = around[around.length - 1]
    if (bound !== undefined) next = Number(bound)
    else if (token === '{') {
      around.push(outside * (next || 1))
      turns += outside * next
      next = 0
    } else around.pop()
  }
  return turns
}

/** The settings of every kernel. Host engines give a fresh plain array for each call; a `resident` result stays on the device, in memory of its own. */
export const kernelSettings = (output: readonly number[], resident = false): KernelSettings => ({
  output: [...output],
  precision: 'single',
  tactic: 'precision',
  loopMaxIterations: 0x7fffffff,
  pipeline: resident,
  immutable: true,
})

/** A kernel's source, from its parameters and its body. */
export const kernelSource = (parameters: readonly string[], body: string): string => `function (${parameters.join(', ')}) {\n${body}\n}`

/** The rules that a source breaks; empty if it breaks none. */
export function brokenRules(source: string): string[] {
  const broken: string[] = []
  const loops = source.match(/\bfor\s*\([^)]*\)/g) ?? []
  for (const [, counter] of source.matchAll(/\bfor \(let (\w+) =/g)) {
    if (new RegExp(`[?:] ${counter}(?! *[-+*])\\b`).test(source))
      broken.push(`${counter} is an integer; GLSL has no conditional of it and a float`)
  }
  for (const loop of loops) {
    if (!/^for \(let (\w+) = 0; \1 < \d+; \1\+\+\)$/.test(loop)) broken.push(`the loop is not counted up to a literal: ${loop}`)
  }
  const forbidden: [RegExp, string][] = [
    [/\b(NaN|Infinity|isNaN|isFinite)\b/, 'NaN and infinity cannot be written or tested'],
    [/(\b\w+\b)\s*!==?\s*\1\b/, 'x !== x is false for NaN on some engines'],
    [/\bwhile\b|\bdo\b/, 'only counted loops'],
    [/%/, '% is a float operation'],
    [/\*\*/, '** is pow'],
    [/Math\.(max|min)\b/, 'Math.max and Math.min lose NaN'],
    [/Math\.(expm1|log1p|sinh|cosh|round|trunc|sign)\b/, 'engines differ in this function'],
    [/Math\.tanh\b/, 'engines differ in tanh'],
    [/Math\.pow\((?!magnitude,)/, 'pow of a base that may be negative'],
    [/=>|\?\?|this\.constants/, 'syntax that gpu.js or a build tool mistakes'],
  ]
  for (const [pattern, what] of forbidden) if (pattern.test(source)) broken.push(what)
  return broken
}

/** A finite number as source text. Any other number has to be an argument. */
export function literal(value: number): string {
  if (!Number.isFinite(value)) throw new BackendError(`gpu: ${value} cannot be written into a kernel; pass it as an argument.`)
  return value < 0 || Object.is(value, -0) ? `(-${-value})` : String(value)
}

/** max(a, b) of two names; NaN if either is NaN. Only NaN reaches 2a + b. (a + b would equal `a` where b is 0, and a compiler might take the whole for `max`.) */
export const maxOf = (a: string, b: string): string => `(${a} > ${b} ? ${a} : (${a} <= ${b} ? ${b} : 2 * ${a} + ${b}))`

/** min(a, b) of two names; NaN if either is NaN. */
export const minOf = (a: string, b: string): string => `(${a} < ${b} ? ${a} : (${a} >= ${b} ? ${b} : 2 * ${a} + ${b}))`

/** `value` if x is a number, NaN if x is NaN; x is a name. */
export const unlessNaN = (x: string, value: string): string => `(${x} > 0 ? ${value} : (${x} <= 0 ? ${value} : ${x}))`

/** An expression limited to two whole numbers, for an address that must stay inside the array even if the value read is not used. */
export const between = (value: string, low: number, high: number): string =>
  `(${value} < ${literal(low)} ? ${literal(low)} : (${value} > ${literal(high)} ? ${literal(high)} : ${value}))`

/** A polynomial in `x` by Horner's rule; the constant comes first. */
export const polynomial = (x: string, coefficients: readonly number[]): string =>
  coefficients.reduceRight((inner, c) => (inner === '' ? `${c}` : `(${c} + ${x} * ${inner})`), '')

/**
 * Statements that set `result` to tanh(x) = sign(x)·(1 − e^(−2|x|)) / (1 + e^(−2|x|)). Near 0, where that cancels, a polynomial (S. Moshier, Cephes, tanhf; relative
 * error 2e-7). NaN passes through the quotient. The exponential is costly: if the result is not always used, `where` is the condition under which it is.
 */
export const tanhInto = (result: string, x: string, where?: string): string => `
const ${result}Size = Math.abs(${x});
const ${result}Square = ${x} * ${x};
const ${result}Tail = ${where ? `${where} ? Math.exp(-2 * ${result}Size) : 0` : `Math.exp(-2 * ${result}Size)`};
const ${result}Far = (1 - ${result}Tail) / (1 + ${result}Tail);
const ${result}Near = ${x} + ${x} * ${result}Square * ${polynomial(`${result}Square`, [-0.333332819422, 0.133314422036, -0.0537397155531, 0.0206390887954, -0.00570498872745])};
const ${result} = ${result}Size < 0.625 ? ${result}Near : (${x} < 0 ? -${result}Far : ${result}Far);`

/** Statements that set `result` to 1 / (1 + exp(−x)), with an exponential that cannot overflow. */
export const sigmoidInto = (result: string, x: string): string =>
  `const ${result}Tail = Math.exp(-Math.abs(${x}));\nconst ${result} = (${x} >= 0 ? 1 : ${result}Tail) / (1 + ${result}Tail);`

/** The number of terms added one by one before their sum joins the others. So the rounding error of n terms is about that of n/64 + 64. */
const BLOCK = 64
/** A sum of more terms than this has blocks of blocks. */
const MANY = BLOCK ** 3

/** Statements that set `sum` to Σ term(l) over l < length, in blocks. */
export function sumInto(sum: string, length: number, term: (l: string) => string): string {
  const depth = length > MANY ? 2 : length > 2 * BLOCK ? 1 : 0
  const size = BLOCK ** depth
  const blocks = depth > 0 ? Math.floor(length / size) : 0
  const lines = [`let ${sum} = 0;`]
  const loop = (counter: string, turns: number, part: string, whole: string, inside: readonly string[]): string[] => [
    `for (let ${counter} = 0; ${counter} < ${turns}; ${counter}++) {`,
    `  let ${part} = 0;`,
    ...inside.map((line) => `  ${line}`),
    `  ${whole} += ${part};`,
    '}',
  ]
  const within = (block: string, part: string): string[] => [
    `for (let ${sum}In = 0; ${sum}In < ${BLOCK}; ${sum}In++) {`,
    `  ${part} += ${term(`(${block} * ${BLOCK} + ${sum}In)`)};`,
    '}',
  ]
  const [block, part, large] = [`${sum}Block`, `${sum}Part`, `${sum}Large`]
  if (depth === 1) lines.push(...loop(block, blocks, part, sum, within(block, part)))
  if (depth === 2)
    lines.push(
      ...loop(
        large,
        blocks,
        `${large}Part`,
        sum,
        loop(block, BLOCK, part, `${large}Part`, within(`(${large} * ${BLOCK} + ${block})`, part)),
      ),
    )
  const rest = length - blocks * size
  if (depth === 2 && rest > 0)
    lines.push(
      sumInto(`${sum}Tail`, rest, (l) => term(`(${blocks * size} + ${l})`)),
      `${sum} += ${sum}Tail;`,
    )
  else if (rest > 0) {
    const at = blocks > 0 ? `(${blocks * size} + ${sum}Rest)` : `${sum}Rest`
    lines.push(`for (let ${sum}Rest = 0; ${sum}Rest < ${rest}; ${sum}Rest++) {`, `  ${sum} += ${term(at)};`, '}')
  }
  return lines.join('\n')
}
