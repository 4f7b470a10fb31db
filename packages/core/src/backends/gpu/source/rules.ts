/**
 * The rules every generated kernel keeps. gpu.js runs one source on engines that differ, and most differences show up as wrong
 * numbers rather than as errors; what follows was measured on 2.24.1. Settings, limits and the spellings that are safe on every
 * engine live here and nowhere else.
 *
 * - Kernels are source strings, never functions: bundlers, coverage and minifiers rewrite functions.
 * - Loop bounds are literals and `loopMaxIterations` is raised: any other bound is cut off at 1000 turns without a word.
 * - Where a driver ends loops after so many turns, longer kernels are refused (`turns`).
 * - `tactic: 'precision'`: without it WebGL gets `lowp` floats even at `precision: 'single'`.
 * - One kernel per signature of input sizes: a second size keeps the first one's dimensions.
 * - Kernels that take host arrays (uploads) never take what is on the device, and the other way round.
 * - A WebGL output of two dimensions is a texture of just that width and height: where that is too large it gets three.
 * - At most seven array arguments (WebGPU grants eight storage buffers) and one output.
 * - A loop's counter is an integer: where a conditional expression gives it beside a float it goes through a local first.
 * - Locals, `/` and `%` are float32: whole numbers are exact to 2^24, a quotient rounded down to 2^22 and only as ⌊(x + ½) / d⌋.
 * - `tanh` overflows to NaN on some engines and has few digits on others: a formula. `pow` of a negative base is undefined: take the magnitude's. Integer
 *   powers are products.
 * - There is no test for NaN or infinity and no such literal. `max` and `min` lose NaN; comparisons are false for it, and the
 *   spellings here rest on that. Infinities travel as data or as scalar arguments.
 * - `if` around statements works everywhere, with `let` for what it changes: for long ways that few elements need.
 * - `log(0)` is −88 on some engines.
 * - Compilers take `a < b ? b : a` for a `max`, which loses NaN: what NaN falls through to must differ from both. `exp`, `log` and `pow` of NaN, and `log` of
 *   negatives, are numbers on some engines.
 */
import { BackendError } from '../../../errors.js'
import type { KernelSettings } from '../device/gpujs.js'

/** Array arguments of one kernel. */
export const MAX_ARRAYS = 7

/** Whole numbers that float32 holds exactly: |n| up to this. */
export const EXACT_INTEGER = 2 ** 24

/** Widths that the smallest common texture limit allows for outputs of two dimensions. */
export const MAX_WIDTH = 8192

/** Sizes up to which addresses are formed one way or the other; smaller in tests, so that small tensors take the large ones' path. */
export interface Limits {
  /** Largest flat index that ⌊(x + ½) / d⌋ decodes exactly. */
  readonly division: number
  /** Largest position a float32 local holds exactly. */
  readonly integer: number
  /** Widest and highest texture. */
  readonly texture: number
  /** Most threads along x and y of an output with more than one dimension. */
  readonly width: number
  /** The same along z. */
  readonly depth: number
  /** Turns of all loops of a thread together, where a driver stops after so many without a word: Mesa's llvmpipe at 65535. */
  readonly turns: number
}
/** Limits of float32; a context lowers the rest to what its device has. */
export const LIMITS: Limits = {
  division: 2 ** 22,
  integer: EXACT_INTEGER,
  texture: Infinity,
  width: Infinity,
  depth: Infinity,
  turns: Infinity,
}

/** How many turns the loops of a source take together. */
export function turnsOf(source: string): number {
  const around = [1]
  let turns = 0
  let next = 0 // turns of the loop whose brace comes next
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

/** Settings of every kernel. Host engines give a fresh plain array per call; `resident` results stay on the device, each on its own. */
export const kernelSettings = (output: readonly number[], resident = false): KernelSettings => ({
  output: [...output],
  precision: 'single',
  tactic: 'precision',
  loopMaxIterations: 0x7fffffff,
  pipeline: resident,
  immutable: true,
})

/** A kernel's source from its parameters and its body. */
export const kernelSource = (parameters: readonly string[], body: string): string => `function (${parameters.join(', ')}) {\n${body}\n}`

/** The rules that a source breaks; empty if none. */
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

/** A finite number as source text. Anything else has to be an argument. */
export function literal(value: number): string {
  if (!Number.isFinite(value)) throw new BackendError(`gpu: ${value} cannot be written into a kernel; pass it as an argument.`)
  return value < 0 || Object.is(value, -0) ? `(-${-value})` : String(value)
}

/** max(a, b) of two names; NaN if either is. 2a + b is for NaN alone; a + b would be `a` where b is 0, and the whole a `max` to some compilers. */
export const maxOf = (a: string, b: string): string => `(${a} > ${b} ? ${a} : (${a} <= ${b} ? ${b} : 2 * ${a} + ${b}))`

/** min(a, b) of two names; NaN if either is. */
export const minOf = (a: string, b: string): string => `(${a} < ${b} ? ${a} : (${a} >= ${b} ? ${b} : 2 * ${a} + ${b}))`

/** A value where x is a number, NaN where x is; of two names. */
export const unlessNaN = (x: string, value: string): string => `(${x} > 0 ? ${value} : (${x} <= 0 ? ${value} : ${x}))`

/** An expression between two whole numbers, for addresses that must stay inside even where the value is thrown away. */
export const between = (value: string, low: number, high: number): string =>
  `(${value} < ${literal(low)} ? ${literal(low)} : (${value} > ${literal(high)} ? ${literal(high)} : ${value}))`

/** A polynomial in `x` by Horner's rule, constant first. */
export const polynomial = (x: string, coefficients: readonly number[]): string =>
  coefficients.reduceRight((inner, c) => (inner === '' ? `${c}` : `(${c} + ${x} * ${inner})`), '')

/**
 * tanh(x) as statements that set `result`: (1 − e^(−2|x|)) / (1 + e^(−2|x|)), and near 0, where that cancels, a polynomial (S. Moshier, Cephes, tanhf; relative
 * error 2e-7). NaN comes through the quotient. The exponential is the costly part: `where` is the condition under which the result is used, if not always.
 */
export const tanhInto = (result: string, x: string, where?: string): string => `
const ${result}Size = Math.abs(${x});
const ${result}Square = ${x} * ${x};
const ${result}Tail = ${where ? `${where} ? Math.exp(-2 * ${result}Size) : 0` : `Math.exp(-2 * ${result}Size)`};
const ${result}Far = (1 - ${result}Tail) / (1 + ${result}Tail);
const ${result}Near = ${x} + ${x} * ${result}Square * ${polynomial(`${result}Square`, [-0.333332819422, 0.133314422036, -0.0537397155531, 0.0206390887954, -0.00570498872745])};
const ${result} = ${result}Size < 0.625 ? ${result}Near : (${x} < 0 ? -${result}Far : ${result}Far);`

/** 1 / (1 + exp(−x)) as statements that set `result`, with an exponential that cannot overflow. */
export const sigmoidInto = (result: string, x: string): string =>
  `const ${result}Tail = Math.exp(-Math.abs(${x}));\nconst ${result} = (${x} >= 0 ? 1 : ${result}Tail) / (1 + ${result}Tail);`

/** Terms that are added one by one before their sum joins the others: keeps the rounding of n terms near that of n/64 + 64. */
const BLOCK = 64
/** Sums of more terms than these have blocks of blocks. */
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
