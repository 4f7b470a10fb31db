/**
 * Broadcasting as nested loops: which elements of each operand meet which element of the output.
 *
 * Adjacent axes along which every operand goes on in the same way are one axis. What is left is nearly always at most
 * two: *rows* × *columns*. Kernels do those two loops; axes beyond are walked here. Along the columns an operand either
 * has consecutive elements or repeats one (`repeats`), and each combination of these is a kernel of its own.
 */
import type { Shape } from '../../shape.js'
import type { Operand } from '../backend.js'
import { elementBytes } from './elements.js'

/** How to compute an output of `rows × columns` blocks; byte distances per operand. */
export interface BroadcastPlan {
  rows: number
  columns: number
  /** Per operand: from one row to the next. */
  rowBytes: number[]
  /** Per operand: whether it has one element per row. */
  repeats: boolean[]
  /** Sizes of the axes outside rows and columns, outermost first. */
  outer: number[]
  /** Per operand: bytes from one index to the next of each outer axis. */
  outerBytes: number[][]
}

/** Strides in elements of a tensor of shape `from` read as `to`; 0 where it repeats. */
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
  // Axes from the inside out, joined while stride(outer) = stride(inner)·size(inner) for every operand.
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

/** Calls `visit` with each operand's byte offset for every position of the outer axes, in row-major order. */
export function eachOuter(plan: BroadcastPlan, visit: (position: number, offsets: readonly number[]) => void): void {
  const { outer, outerBytes } = plan
  const at = outer.map(() => 0)
  const offsets = outerBytes.map(() => 0)
  for (let position = 0; ; position++) {
    visit(position, offsets)
    let axis = outer.length - 1
    for (; axis >= 0; axis--) {
      const wrapped = ++at[axis] === outer[axis]
      for (let i = 0; i < offsets.length; i++) offsets[i] += outerBytes[i][axis] * (wrapped ? 1 - outer[axis] : 1)
      if (!wrapped) break
      at[axis] = 0
    }
    if (axis < 0) return
  }
}
