/**
 * The common part of the recurrent kernels over sequences: their inputs, their steps, and how the steps' results become one buffer.
 *
 * A launch cannot loop over the steps, since the threads of a device do not wait for each other inside one: so each step takes a few launches, and the steps
 * are put together in the end. The composition of the ops would take some twenty a step. The number of the step is an argument, so that all steps
 * share their kernels.
 *
 * - Forward: the products with the recurrent weights, then the states, in a buffer laid out as the output is, [parts, n, u], the states first, so that the
 *   next step reads them there.
 * - Back: dZ of the step and, beside it in the same row, what goes on to the states before it without the recurrent product; then dH₋ = (dZ·Uᵀ)∘m plus that.
 *   The formulas are those of the ops' derivatives (`lstmSequenceGradient` and its neighbours).
 */
import type { Shape } from '../../../tensor/shape.js'
import type { Operand, SequenceKernelOptions } from '../../backend.js'
import type { Engine, KernelInputs, KernelOptions } from '../device/engine.js'
import { address } from '../source/addressing.js'
import { type DotOperand, dotInto } from '../source/dot.js'
import { between, MAX_ARRAYS, maxOf, minOf, sigmoidInto } from '../source/rules.js'
import { byRows, fourColumnsByRows } from './by-rows.js'
import type { Make, Slot } from './temporaries.js'

/** Options of a launch that makes the cells of a step. */
export const cells = { floatAddresses: true } as const

/** Options of a launch that makes the product of a step. */
export const product = { axisPerThread: true, floatAddresses: true } as const

/** Recurrent weights, dropout factors and mask, as they follow the states. */
export interface Shared {
  weights: Operand
  dropout: Operand | undefined
  mask: Operand | undefined
}

export function sharedInputs([weights, ...rest]: readonly Operand[], { dropped, masked }: SequenceKernelOptions): Shared {
  return { weights, dropout: dropped ? rest[0] : undefined, mask: masked ? rest[rest.length - 1] : undefined }
}

/** Arrays of a launch without those that are absent. */
export const present = (arrays: Record<string, Operand | undefined>): Record<string, Operand> =>
  Object.fromEntries(Object.entries(arrays).filter((entry): entry is [string, Operand] => entry[1] !== undefined))

/** Where the cells of a step are in what a kernel gets of a sequence [outer, t, inner]. */
export interface StepView {
  readonly x: Operand
  readonly outer: number
  /** Of the number of the step; 0 if x is that step alone. */
  readonly step: number
}

/** The part of a sequence [outer, t, inner] that a kernel reads in one step: the whole, or a temporary of the step alone where a call would copy the whole. */
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

/** Which step of z and the mask is taken s-th. */
export const stepAt = (s: number, steps: number, { goBackwards }: SequenceKernelOptions): number => (goBackwards ? steps - 1 - s : s)

/** The same as an argument of kernels that need it for the mask alone. */
export const stepScalar = (mask: Operand | undefined, s: number, steps: number, options: SequenceKernelOptions): { step?: number } =>
  mask ? { step: stepAt(s, steps, options) } : {}

/** Statements that set `result` to a gate of x: 1/(1 + e⁻ˣ), or 0.2x + ½ within [0, 1]. */
export const gateInto = (result: string, x: string, { recurrentActivation }: SequenceKernelOptions): string =>
  recurrentActivation === 'hardSigmoid'
    ? `const ${result}Line = 0.2 * ${x} + 0.5;\nconst ${result}Above = ${maxOf(`${result}Line`, '0')};\nconst ${result} = ${minOf(`${result}Above`, '1')};`
    : sigmoidInto(result, x)

/** Statements that set `result` to a cotangent d of a gate pulled back through it. */
export const gateBackInto = (result: string, d: string, gate: string, { recurrentActivation }: SequenceKernelOptions): string =>
  recurrentActivation === 'hardSigmoid'
    ? `const ${result} = ${gate} * (1 - ${gate}) > 0 ? 0.2 * ${d} : 0;`
    : `const ${result} = ${d} * ${gate} * (1 - ${gate});`

/** One expression where the step of a row counts, and another where the mask skips it; `step` is an argument of the kernel. */
export const counted = (mask: Operand | undefined, row: string, yes: string, no: string): string =>
  mask ? `(mask[${address([row, 'step'], [mask.shape[1], 1])}] > 0 ? ${yes} : ${no})` : yes

/** The dropout factor to multiply h by, if there is one. */
export const factor = (dropout: Operand | undefined, at: string): string => (dropout ? ` * dropout[${at}]` : '')

/** The states before, times dropout factors if there are any: rows of a step's product. */
export const hidden =
  (units: number, dropout: Operand | undefined) =>
  (row: string): DotOperand => {
    const start = { at: [[row, units] as const] }
    return { array: 'state', start, step: 1, times: dropout && { array: 'dropout', start, step: 1 } }
  }

/** A matrix by its rows, from a column on. */
export const rows =
  (array: string, width: number, first = 0) =>
  (row: string): DotOperand => ({ array, start: { at: [[row, width]], offset: first }, step: 1 })

/** A matrix by its columns, from one on. */
export const column = (array: string, width: number, first = 0): DotOperand => ({ array, start: { at: [], offset: first }, step: width })

/** The recurrent weights by their rows, from a column on, as the columns of a product. */
export const transposed = (first = 0): DotOperand => ({ array: 'weights', start: { at: [], offset: first }, step: 1 })

/** The expression of one of several names by the number of a part. */
export const choose = (part: string, names: readonly string[]): string =>
  names.reduceRight((rest, name, i) => (rest === '' ? name : `(${part} === ${i} ? ${name} : ${rest})`), '')

/** A step's buffer of which only the states are read, [parts, n, u]. */
export const initialStep = (make: Make, parts: number, states: readonly Operand[]): Operand =>
  make([parts, ...states[0].shape], { arrays: Object.fromEntries(states.map((x, i) => [`state${i}`, x])) }, ({ at: [part, ...cell] }) => {
    const [, units] = states[0].shape
    const values = states.map((_, i) => `state${i}[${address(cell, [units, 1])}]`)
    return `return ${choose(part, values)};`
  })

/** Terms of the sums that make a product: rows of a by columns of b. */
interface Terms {
  /** How many of each sum. */
  readonly length: number
  readonly a: (row: string) => DotOperand
  /** Where its first column is read. */
  readonly b: DotOperand
}

export interface StepProduct extends Terms {
  readonly rows: number
  readonly columns: number
  /** How far apart the columns of b are. */
  readonly columnStep: number
  /** Terms that lie elsewhere. */
  readonly also?: Terms
}

/** The cell that `finish` makes of a sum: the name of the sum, the name to give the result, and where the cell is in an array of rows. */
export interface StepCell {
  readonly sum: string
  readonly result: string
  readonly row: string
  readonly column: string
  at(rowStride: number, offset?: number, step?: number): string
}

/** Multiply-adds below which cells are made one at a time. */
const SMALL = 2 ** 15

/** A temporary of a product of one step, four columns a thread where the engine rewards that. `step` is an argument of the kernel where `at` uses it. */
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
 * out [outer, t, cells] from t buffers [outer, cells], or the first `width` of every `pitch` cells of them. A launch reads at most seven buffers and
 * cannot write into a part of its output, so sevens are put together until one is left: ⌈log₇ t⌉ times the bytes.
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

/** A temporary of zeros; of the same options as what later takes its place, so that a device lays both out alike. */
export const zeros = (make: Make, shape: Shape, options?: KernelOptions): Operand => make(shape, {}, () => 'return 0;', options)
