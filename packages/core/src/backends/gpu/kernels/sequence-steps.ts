/**
 * Shared parts of the recurrent kernels over sequences: their inputs, their steps, and how the results of the steps become one buffer.
 *
 * A launch cannot loop over the steps, since the threads of a device do not wait for each other inside one. So each step takes a few launches, and
 * the steps are put together at the end. (The composition of the ops would take about twenty launches a step.) The number of the step is an argument, so
 * all steps share their kernels.
 *
 * - Forward: first the products with the recurrent weights, then the states. The buffer has the output's layout, [parts, n, u], states first, and the
 *   next step reads the states there.
 * - Backward: first dZ of the step and, beside it in the same row, the cotangent that reaches earlier states without the recurrent product. Then
 *   dH₋ = (dZ·Uᵀ)∘m plus that cotangent. The formulas are those of the derivatives in ops/recurrent/.
 */
import type { Shape } from '../../../tensor/shape.js'
import type { Operand, SequenceKernelOptions } from '../../backend.js'
import type { Engine, KernelInputs, KernelOptions } from '../device/engine.js'
import { address } from '../source/addressing.js'
import { type DotOperand, dotInto } from '../source/dot.js'
import { between, MAX_ARRAYS, maxOf, minOf, sigmoidInto } from '../source/rules.js'
import { byRows, fourColumnsByRows } from './by-rows.js'
import type { Make, Slot } from './temporaries.js'

/** Options of the launch that makes the cells of a step. */
export const cells = { floatAddresses: true } as const

/** Options of the launch that makes the product of a step. */
export const product = { axisPerThread: true, floatAddresses: true } as const

/** The inputs that follow the states: recurrent weights, dropout factors, mask. */
export interface Shared {
  weights: Operand
  dropout: Operand | undefined
  mask: Operand | undefined
}

export function sharedInputs([weights, ...rest]: readonly Operand[], { dropped, masked }: SequenceKernelOptions): Shared {
  return { weights, dropout: dropped ? rest[0] : undefined, mask: masked ? rest[rest.length - 1] : undefined }
}

/** The arrays of a launch, without absent ones. */
export const present = (arrays: Record<string, Operand | undefined>): Record<string, Operand> =>
  Object.fromEntries(Object.entries(arrays).filter((entry): entry is [string, Operand] => entry[1] !== undefined))

/** Where a kernel finds the cells of one step of a sequence [outer, t, inner]. */
export interface StepView {
  readonly x: Operand
  readonly outer: number
  /** The stride of the step's number; 0 if x is that step alone. */
  readonly step: number
}

/** Gives a kernel one step of a sequence [outer, t, inner]: the whole sequence, or a temporary with the step alone on engines whose calls copy their arguments. */
export function viewStep(
  engine: Engine,
  slot: Slot,
  x: Operand,
  [outer, t, inner]: readonly [number, number, number],
  step: number,
): StepView {
  const alone = slot([outer, inner])
  const taken = engine.takeBlocks(alone, x, { first: step * inner, count: outer, stride: t * inner, length: inner })
  return taken ? { x: alone, outer: inner, step: 0 } : { x, outer: t * inner, step: inner }
}

/** The step of z and of the mask that is taken s-th. */
export const stepAt = (s: number, steps: number, { goBackwards }: SequenceKernelOptions): number => (goBackwards ? steps - 1 - s : s)

/** The same as an argument, for kernels that need it only for the mask. */
export const stepScalar = (mask: Operand | undefined, s: number, steps: number, options: SequenceKernelOptions): { step?: number } =>
  mask ? { step: stepAt(s, steps, options) } : {}

/** Statements that set `result` to a gate of x: 1/(1 + e⁻ˣ), or 0.2x + ½ limited to [0, 1]. */
export const gateInto = (result: string, x: string, { recurrentActivation }: SequenceKernelOptions): string =>
  recurrentActivation === 'hardSigmoid'
    ? `const ${result}Line = 0.2 * ${x} + 0.5;\nconst ${result}Above = ${maxOf(`${result}Line`, '0')};\nconst ${result} = ${minOf(`${result}Above`, '1')};`
    : sigmoidInto(result, x)

/** Statements that set `result` to the cotangent d times the derivative of a gate, which is computed from the gate's value. */
export const gateBackInto = (result: string, d: string, gate: string, { recurrentActivation }: SequenceKernelOptions): string =>
  recurrentActivation === 'hardSigmoid'
    ? `const ${result} = ${gate} * (1 - ${gate}) > 0 ? 0.2 * ${d} : 0;`
    : `const ${result} = ${d} * ${gate} * (1 - ${gate});`

/** The expression `yes` where the step of a row counts, `no` where the mask skips it. `step` is an argument of the kernel. */
export const counted = (mask: Operand | undefined, row: string, yes: string, no: string): string =>
  mask ? `(mask[${address([row, 'step'], [mask.shape[1], 1])}] > 0 ? ${yes} : ${no})` : yes

/** The factor of dropout by which h is multiplied, if there is one. */
export const factor = (dropout: Operand | undefined, at: string): string => (dropout ? ` * dropout[${at}]` : '')

/** Rows of a step's product: the states before it, times dropout factors if there are any. */
export const hidden =
  (units: number, dropout: Operand | undefined) =>
  (row: string): DotOperand => {
    const start = { at: [[row, units] as const] }
    return { array: 'state', start, step: 1, times: dropout && { array: 'dropout', start, step: 1 } }
  }

/** The rows of a matrix, from a column on. */
export const rows =
  (array: string, width: number, first = 0) =>
  (row: string): DotOperand => ({ array, start: { at: [[row, width]], offset: first }, step: 1 })

/** The columns of a matrix, from one on. */
export const column = (array: string, width: number, first = 0): DotOperand => ({ array, start: { at: [], offset: first }, step: width })

/** The rows of the recurrent weights, from a column on, as the columns of a product. */
export const transposed = (first = 0): DotOperand => ({ array: 'weights', start: { at: [], offset: first }, step: 1 })

/** An expression that chooses one of several names by the number of a part. */
export const choose = (part: string, names: readonly string[]): string =>
  names.reduceRight((rest, name, i) => (rest === '' ? name : `(${part} === ${i} ? ${name} : ${rest})`), '')

/** A buffer [parts, n, u] with the states before the first step. Only its states are read. */
export const initialStep = (make: Make, parts: number, states: readonly Operand[]): Operand =>
  make([parts, ...states[0].shape], { arrays: Object.fromEntries(states.map((x, i) => [`state${i}`, x])) }, ({ at: [part, ...cell] }) => {
    const [, units] = states[0].shape
    const values = states.map((_, i) => `state${i}[${address(cell, [units, 1])}]`)
    return `return ${choose(part, values)};`
  })

/** The sums of a product: rows of a by columns of b. */
interface Terms {
  /** The number of terms of each sum. */
  readonly length: number
  readonly a: (row: string) => DotOperand
  /** Where the first column of b is read. */
  readonly b: DotOperand
}

export interface StepProduct extends Terms {
  readonly rows: number
  readonly columns: number
  /** The distance between the columns of b. */
  readonly columnStep: number
  /** More terms, from other arrays. */
  readonly also?: Terms
}

/** Makes a cell from a sum: gets the name of the sum, the name for the result, and the cell's position in an array of rows. */
export interface StepCell {
  readonly sum: string
  readonly result: string
  readonly row: string
  readonly column: string
  at(rowStride: number, offset?: number, step?: number): string
}

/** With fewer multiply-adds than this, a thread makes one cell. */
const SMALL = 2 ** 15

/** A temporary with a product of one step, four columns a thread where that is faster. `step` is an argument of the kernel if `at` uses it. */
export function stepProduct(
  engine: Engine,
  make: Make,
  { rows, columns, columnStep, also, ...first }: StepProduct,
  inputs: KernelInputs,
  finish: (cell: StepCell) => string,
): Operand {
  const fours = engine.tiling === 'columns' || byRows(engine, rows)
  const each = fours && columns % 4 === 0 && rows * columns * first.length >= SMALL ? 4 : 1
  const body = ([row, column]: readonly string[]): string => {
    const sums = (name: string, { length, a, b }: Terms): string => {
      const right = { ...b, start: { ...b.start, at: [...b.start.at, [column, each * columnStep] as const] } }
      return dotInto(name, length, a(row), right, each, columnStep)
    }
    const cells = Array.from({ length: each }, (_, c) => ({
      sum: `sum${c}`,
      result: `cell${c}`,
      row,
      column: address([column], [each], c),
      at: (rowStride: number, offset = 0, step = 0) => address([row, column, 'step'], [rowStride, each, step], offset + c),
    }))
    const results = cells.map(({ result }) => result)
    return [
      sums('sum', first),
      ...(also ? [sums('more', also), ...cells.map((_, c) => `sum${c} += more${c};`)] : []),
      ...cells.map(finish),
      `return ${each === 1 ? results[0] : `[${results.join(', ')}]`};`,
    ].join('\n')
  }
  if (each === 4 && byRows(engine, rows)) {
    const [like] = Object.values(inputs.arrays ?? {})
    return fourColumnsByRows(engine, like, { rows, columns }, inputs, ([, row, column]) => body([row, column]), make, product)
  }
  return make([rows, columns / each], inputs, ({ at }) => body(at), { ...product, ...(each === 4 && { fours: 'flat' }) })
}

/**
 * Puts t buffers [outer, cells] together: out [outer, t, cells]. With `width` and `pitch`, only the first `width` of every `pitch` cells. A launch reads at most
 * seven buffers and cannot write into a part of its output. So seven at a time become one, until one is left: ⌈log₇ t⌉ rounds, each copying all bytes.
 */
export function assemble(
  engine: Engine,
  make: Make,
  release: (x: Operand) => void,
  out: Operand,
  steps: readonly Operand[],
  outer: number,
  width: number,
  pitch = width,
): void {
  let parts = steps.map((x) => ({ x, length: 1 }))
  let [used, stored] = [width, pitch]
  const rows = steps[0].size / outer / pitch
  do {
    const joined: typeof parts = []
    for (let first = 0; first < parts.length; first += MAX_ARRAYS) {
      const group = parts.slice(first, first + MAX_ARRAYS)
      const length = group.reduce((sum, part) => sum + part.length, 0)
      const axes: Shape = [outer, length, rows, used]
      const each = group[0].length
      const arrays = Object.fromEntries(group.map(({ x }, i) => [`part${i}`, x]))
      const body = ([o, s, row, column]: readonly string[]): string => {
        const lines = [`const which = Math.floor((${s} + 0.5) / ${each});`, `const inside = ${s} - which * ${each};`]
        group.forEach((part, i) => {
          if (part.length < each) lines.push(`const inside${i} = ${between('inside', 0, part.length - 1)};`)
        })
        const values = group.map((part, i) => {
          const at = each === 1 ? '0' : part.length < each ? `inside${i}` : 'inside'
          return `part${i}[${address([o, at, row, column], [part.length * rows * stored, rows * stored, stored, 1])}]`
        })
        const last = values.length - 1
        return `${lines.join('\n')}\nreturn ${values.reduceRight((rest, value, i) => (i === last ? value : `(which === ${i} ? ${value} : ${rest})`), '')};`
      }
      const options = { floatAddresses: true }
      if (parts.length <= MAX_ARRAYS) {
        engine.run(out, axes, { arrays }, ({ at }) => body(at), options)
        return
      }
      joined.push({ x: make(axes, { arrays }, ({ at }) => body(at), options), length })
      for (const { x } of group) release(x)
    }
    parts = joined
    stored = used
  } while (parts.length > 0)
}

/** A temporary of zeros. It needs the options of the buffer that later takes its place, so that a device gives both the same layout. */
export const zeros = (make: Make, shape: Shape, options?: KernelOptions): Operand => make(shape, {}, () => 'return 0;', options)
