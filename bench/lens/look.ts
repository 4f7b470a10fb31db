/**
 * One op under the lens: the kernels that its call compiles and runs, what each of their instructions does and how often it ran, its derivative, and its values beside
 * the reference backend's. Then its speed beside a loop in JavaScript. Nothing here knows what it runs on: a page's worker and Node give the same.
 */
import {
  type Backend,
  createReferenceBackend,
  createWasmBackend,
  record,
  scope,
  type Tensor,
  tensor,
  type WasmOptions,
} from '@cotangent/core'
import { type Limits, measureLimits } from '../probes.js'
import { uniformValues } from '../random.js'
import { type Spread, spread } from '../statistics.js'
import { calls } from './calls.js'
import { innerLoops } from './loops.js'
import { type CountedFunction, type CountedModule, countedIn } from './modules.js'
import { checkedSizes, type LensOp, lensOps } from './ops.js'
import { isQuiet, type Pair, type Patience, timed } from './pairs.js'
import { bytesOf, constantsOf, flopsOf, type Statement, statementsOf, variableNames } from './readable.js'

export interface SeenStatement extends Statement {
  /** How often it ran. */
  runs: number
  /** Its instructions, as text. */
  words: string[]
}

/** The work of the lines of a stretch of code. */
export interface Work {
  instructions: number
  /** Of vectors of four; fused or as a multiplication and an addition. */
  multiplyAdds: number
  flops: number
  loads: number
  stores: number
  bytesRead: number
  bytesWritten: number
}

export interface SeenKernel {
  name: string
  parameters: { name: string; type: string }[]
  statements: SeenStatement[]
  /** The inner loop that ran longest: its first and last statement, and how often it turned. */
  loop?: { from: number; to: number; turns: number; turn: Work }
  /** All that it did in this call. */
  total: Work
}

export interface Look {
  op: string
  sizes: number[]
  /** The shapes of operands and result. */
  shapes: Record<string, readonly number[]>
  /** The records of the call's tape, and the rule of each. */
  records: { op: string; rule: string; path: string }[]
  /** Those that ran, the one with the most instructions first. */
  kernels: SeenKernel[]
  /** Those that were compiled with them and had nothing to do. */
  idle: string[]
  /** The work that the formula needs; without a formula, that of the kernels. */
  flops: number
  /** Each operand read once and the result written once. */
  bytes: number
  check: Check
}

export interface Check {
  values: number
  /** The largest difference to the reference backend, in float64. */
  largest: number
  /** The largest value. */
  top: number
  /** The difference is what rounding to float32 makes. */
  sound: boolean
}

/** The largest difference, by the largest value, that counts as rounding. */
const ROUNDING = 1e-5
/** The same for a loop that somebody wrote, which may sum in another order. */
const LOOP_ROUNDING = 1e-4

export function opNamed(name: string): LensOp {
  const op = lensOps.find((each) => each.name === name)
  if (!op) throw new RangeError(`The lens has no op "${name}". It has ${lensOps.map((each) => each.name).join(', ')}.`)
  return op
}

const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)

/** The operands of a call, the same for everybody. */
export function operandsOf(op: LensOp, sizes: readonly number[]): Float32Array[] {
  return Object.values(op.operands(sizes)).map((shape, i) => {
    const values = uniformValues(7 + i, count(shape))
    return op.positive ? values.map((x) => x + 1.5) : values
  })
}

const tensorsOf = (op: LensOp, sizes: readonly number[], values: readonly Float32Array[], backend: Backend): Tensor[] =>
  Object.values(op.operands(sizes)).map((shape, i) => tensor(values[i], { shape, backend, dtype: backend.defaultDType ?? 'float32' }))

/** One thread, 128 bits: what a page has without more rights. */
const wasm = (options: WasmOptions = {}): Backend => createWasmBackend({ threads: 1, simd256: false, ...options })

function workOf({ lines }: CountedFunction, from: number, to: number, times: (line: number) => number): Work {
  const work: Work = { instructions: 0, multiplyAdds: 0, flops: 0, loads: 0, stores: 0, bytesRead: 0, bytesWritten: 0 }
  for (let i = from; i <= to; i++) {
    const { name } = lines[i]
    const runs = times(i)
    const { read, written } = bytesOf(name)
    work.instructions += runs
    if (name === 'f32x4.relaxed_madd') work.multiplyAdds += runs
    work.flops += runs * flopsOf(name)
    if (read) work.loads += runs
    if (written) work.stores += runs
    work.bytesRead += runs * read
    work.bytesWritten += runs * written
  }
  // Without fused multiply-adds each is a multiplication and an addition.
  if (work.multiplyAdds === 0) for (let i = from; i <= to; i++) if (lines[i].name === 'f32x4.mul') work.multiplyAdds += times(i)
  return work
}

function seen(f: CountedFunction, module: CountedModule): SeenKernel {
  const { name, parameters, parameterNames, lines, runs } = f
  const names = variableNames(f)
  const constants = constantsOf(f)
  const word = ({ name: instruction, operands }: CountedFunction['lines'][number]): string => {
    if (operands === '') return instruction
    if (!instruction.startsWith('local.')) return `${instruction} ${operands}`
    const value = constants.get(Number(operands))
    return `${instruction} ${names[Number(operands)]}${value === undefined ? '' : ` (${value})`}`
  }
  const statements = statementsOf(f, module).map(
    (statement): SeenStatement => ({
      ...statement,
      runs: runs[statement.to],
      words: lines.slice(statement.from, statement.to + 1).map(word),
    }),
  )
  const loops = innerLoops(lines, (i) => runs[i] > 0).map((loop) => ({
    ...loop,
    executed: runs.slice(loop.start, loop.end + 1).reduce((a, b) => a + b, 0),
  }))
  const [hot] = loops.sort((a, b) => b.executed - a.executed)
  const kernel: SeenKernel = {
    name,
    parameters: parameters.map((type, i) => ({ name: parameterNames[i] ?? `p${i}`, type })),
    statements,
    total: workOf(f, 0, lines.length - 1, (i) => runs[i]),
  }
  if (!hot || hot.executed === 0) return kernel
  const turns = runs[hot.start + 1]
  return {
    ...kernel,
    loop: {
      from: statements.findIndex(({ to }) => to >= hot.start),
      to: statements.findIndex(({ to }) => to >= hot.end),
      turns,
      // A branch inside of it may not be taken each time: parts of a turn are possible.
      turn: workOf(f, hot.start + 1, hot.end - 1, (i) => runs[i] / turns),
    },
  }
}

async function checked(op: LensOp, sizes: readonly number[], values: readonly Float32Array[], result: Float32Array): Promise<Check> {
  const reference = createReferenceBackend({ dtype: 'float64' })
  const exact = await scope(() => calls[op.name](tensorsOf(op, sizes, values, reference), sizes)).data()
  let [largest, top] = [0, 0]
  for (let i = 0; i < exact.length; i++) {
    const difference = Math.abs(result[i] - Number(exact[i]))
    // NaN is no number that is larger.
    if (!(difference <= largest)) largest = difference
    top = Math.max(top, Math.abs(Number(exact[i])))
  }
  return { values: exact.length, largest, top, sound: largest <= ROUNDING * Math.max(top, 1e-30) }
}

/** Looks at a call. @throws RangeError for an op or sizes that the lens has not */
export async function look(name: string, wanted: readonly number[] = [], options?: WasmOptions): Promise<Look> {
  const op = opNamed(name)
  const sizes = checkedSizes(op, wanted)
  const values = operandsOf(op, sizes)
  const backend = wasm(options)
  const operands = tensorsOf(op, sizes, values, backend)
  let result: Tensor | undefined
  const modules = countedIn(() => {
    result = scope(() => calls[op.name](operands, sizes))
  })
  const shapes = { ...op.operands(sizes), result: (result as Tensor).shape }
  const check = await checked(op, sizes, values, (await (result as Tensor).data()) as Float32Array)
  const records = scope(() => record(operands, () => calls[op.name](operands, sizes)).tape.records).map(({ op: { name, rule }, path }) => ({
    op: name,
    rule,
    path,
  }))
  await backend.dispose?.()

  const all = modules.flatMap((module) => module.map((f) => ({ f, module })))
  const kernels = all
    .filter(({ f }) => f.runs.some((runs) => runs > 0))
    .map(({ f, module }) => seen(f, module))
    .sort((a, b) => b.total.instructions - a.total.instructions)
  return {
    op: name,
    sizes,
    shapes,
    records,
    kernels,
    idle: all.filter(({ f }) => f.runs.every((runs) => runs === 0)).map(({ f }) => f.name),
    flops: op.flops?.(sizes) ?? kernels.reduce((sum, { total }) => sum + total.flops, 0),
    bytes: 4 * Object.values(shapes).reduce((sum, shape) => sum + count(shape), 0),
    check,
  }
}

/** A loop in JavaScript: the result first, then the operands, then the sizes. */
export type PlainLoop = (result: Float32Array, ...rest: (Float32Array | number)[]) => unknown

export interface Speed {
  /** Milliseconds of a call. */
  ours: Spread
  theirs: Spread
  /** theirs ÷ ours, within each pair. */
  ratio: Spread
  /** The pairs that no other program disturbed, and all. */
  quiet: number
  of: number
  limits: Limits
}

/** Two seconds, and less if it is quiet. */
const SHORT: Patience = { turnMs: 3, leastPairs: 4, mostPairs: 60, quietPairs: 12, mostMs: 1500 }

/** The ratio that pairs of times give: the quiet ones, if there are some. */
export function summed(pairs: readonly Pair[]): Omit<Speed, 'limits'> {
  const quiet = pairs.filter(isQuiet)
  const used = quiet.length > 0 ? quiet : pairs
  return {
    ours: spread(used.map(({ ours }) => ours)),
    theirs: spread(used.map(({ theirs }) => theirs)),
    ratio: spread(used.map(({ ours, theirs }) => theirs / ours)),
    quiet: quiet.length,
    of: pairs.length,
  }
}

/**
 * Times the op beside a loop that computes the same, in turns, and the limits before and after. The loop's values are compared first.
 *
 * @throws RangeError that names the first value that is not the op's
 */
export async function speed(name: string, wanted: readonly number[], loop: PlainLoop, patience = SHORT): Promise<Speed> {
  const op = opNamed(name)
  const sizes = checkedSizes(op, wanted)
  const values = operandsOf(op, sizes)
  const backend = wasm()
  const operands = tensorsOf(op, sizes, values, backend)
  try {
    const exact = (await scope(() => calls[op.name](operands, sizes)).data()) as Float32Array
    const result = new Float32Array(exact.length)
    const theirs = (): void => void loop(result, ...values, ...sizes)
    theirs()
    const top = exact.reduce((most, each) => Math.max(most, Math.abs(each)), 0)
    const wrong = exact.findIndex((each, i) => !(Math.abs(each - result[i]) <= LOOP_ROUNDING * top))
    if (wrong >= 0)
      throw new RangeError(
        `The loop computes something else, it is not timed: value ${wrong} is ${result[wrong]}, and ${exact[wrong]} in the library.`,
      )
    const bytes = 4 * (count([exact.length]) + values.reduce((sum, { length }) => sum + length, 0))
    const before = measureLimits(bytes)
    const pairs = timed(() => scope(() => void calls[op.name](operands, sizes)), theirs, patience)
    const after = measureLimits(bytes)
    return {
      ...summed(pairs),
      limits: {
        gflops: Math.max(before.gflops, after.gflops),
        gigabytesPerSecond: Math.max(before.gigabytesPerSecond, after.gigabytesPerSecond),
      },
    }
  } finally {
    await backend.dispose?.()
  }
}
