/**
 * Broadcasting as nested loops: which element of each operand meets which element of the output.
 *
 * Example: [64, 128] + [128] is 64 rows of 128 columns; the second operand has the same row for all. Adjacent axes that every
 * operand walks through without a jump are joined into one axis. Nearly always at most two are left, *rows* and *columns*, and
 * the kernels loop over those; further axes are walked here. Along the columns an operand either has consecutive elements or
 * repeats one (`repeats`). Each combination of these is a kernel of its own.
 */
import { type Shape, sizeOf } from '../../../tensor/shape.js'
import type { Operand } from '../../backend.js'
import { elementBytes } from '../assembler/elements.js'
import type { KernelFunction } from '../engine/engine.js'
import type { Call, Split } from '../engine/threads.js'

/** How an output is computed: blocks of `rows × columns`, and the byte distances of each operand. */
export interface BroadcastPlan {
  rows: number
  columns: number
  /** For each operand: bytes from one row to the next. */
  rowBytes: number[]
  /** For each operand: it has one element a row, which repeats along the columns. */
  repeats: boolean[]
  /** Sizes of the axes outside rows and columns, outermost first. */
  outer: number[]
  /** For each operand: bytes from one index to the next along each outer axis. */
  outerBytes: number[][]
}

/** Strides, in elements, to read a tensor of shape `from` as if it had shape `to`; 0 along an axis that repeats. */
function readStrides(from: Shape, to: Shape): number[] {
  const strides = new Array<number>(to.length).fill(0)
  const lead = to.length - from.length
  for (let axis = from.length - 1, step = 1; axis >= 0; axis--) {
    strides[lead + axis] = from[axis] === 1 ? 0 : step
    step *= from[axis]
  }
  return strides
}

export function planBroadcast(shape: Shape, operands: readonly Operand[]): BroadcastPlan {
  const strides = operands.map((operand) => readStrides(operand.shape, shape))
  // From the innermost axis outwards. Two axes are joined if stride(outer) = stride(inner)·size(inner) for every operand.
  const sizes: number[] = []
  const steps: number[][] = operands.map(() => [])
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] === 1) continue
    const last = sizes.length - 1
    if (last >= 0 && strides.every((of, i) => of[axis] === steps[i][last] * sizes[last])) sizes[last] *= shape[axis]
    else {
      sizes.push(shape[axis])
      steps.forEach((of, i) => {
        of.push(strides[i][axis])
      })
    }
  }
  const bytes = operands.map((operand) => elementBytes(operand.dtype))
  return {
    columns: sizes[0] ?? 1,
    rows: sizes[1] ?? 1,
    rowBytes: steps.map((of, i) => (of[1] ?? 0) * bytes[i]),
    repeats: steps.map((of) => (of[0] ?? 0) === 0),
    outer: sizes.slice(2).reverse(),
    outerBytes: steps.map((of, i) =>
      of
        .slice(2)
        .reverse()
        .map((step) => step * bytes[i]),
    ),
  }
}

/**
 * Runs a kernel `(out, …operands, rows, columns, …rowBytes)` over the plan. Threads share the longest loop: the columns of an
 * only row, the rows, or the outer axes.
 */
export function runBroadcast(
  split: Split,
  run: KernelFunction,
  plan: BroadcastPlan,
  out: number,
  outElementBytes: number,
  operands: readonly Operand[],
  perElement: number,
): void {
  const { rows, columns, rowBytes, repeats, outer } = plan
  const positions = sizeOf(outer)
  const starts = operands.map((operand) => operand.storage.handle as number)
  const nanoseconds = positions * rows * columns * perElement
  if (positions === 1 && rows === 1) {
    const steps = operands.map((operand, i) => (repeats[i] ? 0 : elementBytes(operand.dtype)))
    split(columns, 64, nanoseconds, (begin, end, call) =>
      call(run, out + begin * outElementBytes, ...starts.map((start, i) => start + begin * steps[i]), 1, end - begin, ...rowBytes),
    )
  } else if (positions === 1) {
    split(rows, Math.max(1, Math.ceil(64 / columns)), nanoseconds, (begin, end, call) =>
      call(
        run,
        out + begin * columns * outElementBytes,
        ...starts.map((start, i) => start + begin * rowBytes[i]),
        end - begin,
        columns,
        ...rowBytes,
      ),
    )
  } else {
    const blockBytes = rows * columns * outElementBytes
    const some = (begin: number, end: number, call: Call): void =>
      eachOuter(plan, begin, end, (position, offsets) =>
        call(run, out + position * blockBytes, ...starts.map((start, i) => start + offsets[i]), rows, columns, ...rowBytes),
      )
    split(positions, 1, nanoseconds, some, 5 + 2 * operands.length)
  }
}

/** Calls `visit` with each operand's byte offset, for positions `begin` to `end` of the outer axes in row-major order. */
function eachOuter(plan: BroadcastPlan, begin: number, end: number, visit: (position: number, offsets: readonly number[]) => void): void {
  const { outer, outerBytes } = plan
  const at = outer.map(() => 0)
  const offsets = outerBytes.map(() => 0)
  for (let axis = outer.length - 1, rest = begin; axis >= 0; axis--) {
    at[axis] = rest % outer[axis]
    rest = Math.floor(rest / outer[axis])
    for (let i = 0; i < offsets.length; i++) offsets[i] += outerBytes[i][axis] * at[axis]
  }
  for (let position = begin; position < end; position++) {
    visit(position, offsets)
    for (let axis = outer.length - 1; axis >= 0; axis--) {
      const wrapped = ++at[axis] === outer[axis]
      for (let i = 0; i < offsets.length; i++) offsets[i] += outerBytes[i][axis] * (wrapped ? 1 - outer[axis] : 1)
      if (!wrapped) break
      at[axis] = 0
    }
  }
}
