/**
 * How a kernel finds its cell: maps the output's axes to `this.thread.x, y, z`, and gives the expressions that compute each
 * axis' coordinate.
 *
 * Up to 2^22 cells the output is one flat dimension, which every engine returns as one array. Exact float divisions decode the
 * coordinates. A larger output is folded: neighbouring axes share a thread dimension of at most 2^22, so each coordinate is still
 * exact. A thread dimension that holds a single axis needs no division. An axis longer than a thread dimension of the device
 * (524280 on WebGPU) takes two of them. A matrix product asks for one axis per dimension at every size.
 *
 * An output of two dimensions that is wider or higher than the device's textures is written with three, the middle one 1: gpu.js
 * folds only outputs of three dimensions into textures by itself.
 */
import { BackendError } from '../../../errors.js'
import { type Shape, sizeOf } from '../../../tensor/shape.js'
import { type Limits, literal, MAX_WIDTH } from './rules.js'

export interface IndexSpace {
  /** In gpu.js' order, the fastest dimension first. It may hold a few cells more than the axes; they come last and are dropped. */
  readonly output: readonly number[]
  /** Statements that declare the decoded coordinates. */
  readonly declarations: string
  /** The row-major position in the axes' shape, in whole-number arithmetic on every engine. */
  readonly flat: string
  /** One expression for each axis: its coordinate. */
  readonly at: readonly string[]
  /** Some coordinate is a float local. */
  readonly decoded: boolean
}

const THREADS = ['this.thread.x', 'this.thread.y', 'this.thread.z'] as const

/** A space of up to three axes with a thread dimension each, if the device's limits allow it. */
function oneAxisPerThread(axes: Shape, { depth }: Limits): IndexSpace | undefined {
  if (axes.length > 3 || axes.slice(-2).some((size) => size > MAX_WIDTH) || (axes.length === 3 && axes[0] > depth)) return undefined
  const dimensions = [...axes].reverse()
  while (dimensions.length > 1 && dimensions[dimensions.length - 1] === 1) dimensions.pop()
  const at = axes.map((size, axis) => (size === 1 ? '0' : THREADS[axes.length - 1 - axis]))
  return { output: dimensions, declarations: '', flat: flatPosition(dimensions), at, decoded: false }
}

function flatPosition(dimensions: readonly number[]): string {
  const [x, y] = dimensions
  if (dimensions.length === 1) return THREADS[0]
  if (dimensions.length === 2) return `${THREADS[1]} * ${x} + ${THREADS[0]}`
  return `(${THREADS[2]} * ${y} + ${THREADS[1]}) * ${x} + ${THREADS[0]}`
}

/** The space of an output with the given axes. */
export function indexSpace(axes: Shape, limits: Limits, axisPerThread = false): IndexSpace {
  const space = (axisPerThread ? oneAxisPerThread(axes, limits) : undefined) ?? groupedSpace(axes, limits)
  return space.output.length === 2 && Math.max(...space.output) > limits.texture ? withThree(space) : space
}

/** The same cells with y as z: [w, h] becomes [w, 1, h], which has the same order in memory. */
function withThree({ output: [width, height], declarations, flat, at, decoded }: IndexSpace): IndexSpace {
  const moved = (text: string): string => text.replaceAll(THREADS[1], THREADS[2])
  return { output: [width, 1, height], declarations: moved(declarations), flat: moved(flat), at: at.map(moved), decoded }
}

function groupedSpace(axes: Shape, limits: Limits): IndexSpace {
  const single = axes.filter((size) => size !== 1).length <= 1
  if (sizeOf(axes) <= (single ? limits.integer : limits.division)) return grouped(axes, [axes.length])
  if (single) return folded(axes, limits)
  const long = axes.findIndex((size) => size > limits.width)
  return long < 0 ? grouped(axes, groupSizes(axes, limits)) : withSplit(axes, long, limits)
}

/**
 * The space if one axis is longer than a thread dimension: it takes two, as the rows of a matrix. If it is the outermost axis, the last row need not be full, since
 * surplus cells come last. Any other axis must fill its rows.
 */
function withSplit(axes: Shape, long: number, limits: Limits): IndexSpace {
  const size = axes[long]
  const outermost = axes.findIndex((n) => n !== 1) === long
  let columns = Math.min(MAX_WIDTH, limits.width)
  if (!outermost) for (columns = limits.width; size % columns !== 0; ) columns--
  const rows = Math.ceil(size / columns)
  if (rows > limits.width) {
    throw new BackendError(
      `gpu: a kernel over [${axes.join(', ')}] does not fold: ${size} is more than the ${limits.width} threads that this device has along an axis, and has no ` +
        'divisor that makes a matrix of it; pad the tensor, split it, or use another backend.',
    )
  }
  const split = [...axes.slice(0, long), rows, columns, ...axes.slice(long + 1)]
  const apart = eachApart(split)
  const { at, ...space } = grouped(split, apart.length <= 3 ? apart : groupSizes(split, limits))
  return { ...space, at: [...at.slice(0, long), `(${address(at.slice(long, long + 2), [columns, 1])})`, ...at.slice(long + 2)] }
}

/** How many axes each thread dimension takes if every axis of more than one cell has a dimension of its own. */
function eachApart(axes: Shape): number[] {
  const counts = [0]
  let taken = false
  for (const size of [...axes].reverse()) {
    if (size !== 1 && taken) {
      counts.unshift(0)
      taken = false
    }
    counts[0]++
    taken ||= size !== 1
  }
  return counts
}

/** The space of one long axis, cut into rows; the last row may reach beyond the end. */
function folded(axes: Shape, limits: Limits): IndexSpace {
  const length = sizeOf(axes)
  const width = Math.min(MAX_WIDTH, limits.division)
  const rows = Math.ceil(length / width)
  const output = rows <= MAX_WIDTH ? [width, rows] : [width, MAX_WIDTH, Math.ceil(rows / MAX_WIDTH)]
  const flat = flatPosition(output)
  return { output, declarations: '', flat, at: axes.map((size) => (size === 1 ? '0' : `(${flat})`)), decoded: false }
}

/** The number of axes in each thread dimension, outermost first. An axis longer than the limit has a thread dimension of its own. */
function groupSizes(axes: Shape, limits: Limits): number[] {
  const counts: number[] = []
  const most = Math.min(limits.division, limits.width)
  let product = Infinity
  for (let axis = axes.length - 1; axis >= 0; axis--) {
    product *= axes[axis]
    const room = counts.length === 3 ? Math.min(most, limits.depth) : most
    if (product > room) {
      if (counts.length === 3) {
        throw new BackendError(`gpu: a kernel over [${axes.join(', ')}] does not fold into three dimensions of ${room}.`)
      }
      counts.unshift(0)
      product = axes[axis]
    }
    counts[0]++
  }
  return counts
}

/** The space in which neighbouring axes share a thread dimension; their coordinates are decoded from it. */
function grouped(axes: Shape, counts: readonly number[]): IndexSpace {
  const at: string[] = []
  const lines: string[] = []
  const output: number[] = []
  let first = 0
  counts.forEach((count, group) => {
    const sizes = axes.slice(first, first + count)
    const thread = THREADS[counts.length - 1 - group]
    output.unshift(sizeOf(sizes))
    const walked = sizes.map((_, i) => i).filter((i) => sizes[i] !== 1)
    let before = ''
    sizes.forEach((size, i) => {
      const axis = first + i
      if (size === 1) at.push('0')
      else if (walked.length === 1) at.push(thread)
      else {
        // q is the position among the cells of this axis and of those outside it. Subtracting the outer coordinates leaves this one.
        const step = sizeOf(sizes.slice(i + 1))
        lines.push(`const q${axis} = ${step === 1 ? thread : `Math.floor((${thread} + 0.5) / ${step})`};`)
        lines.push(`const i${axis} = ${before ? `q${axis} - ${before} * ${size}` : `q${axis}`};`)
        before = `q${axis}`
        at.push(`i${axis}`)
      }
    })
    first += count
  })
  return { output, declarations: lines.join('\n'), flat: flatPosition(output), at, decoded: lines.length > 0 }
}

/** Σ coordinate · stride + offset as an expression. Constants are added up here, since GLSL would make a float of a sum of literals. */
export function address(coordinates: readonly string[], strides: readonly number[], constant = 0): string {
  const terms: string[] = []
  let offset = constant
  coordinates.forEach((coordinate, axis) => {
    if (strides[axis] === 0) return
    if (/^\(*-?\d+\)*$/.test(coordinate)) {
      offset += Number(coordinate.replace(/[()]/g, '')) * strides[axis]
      return
    }
    terms.push(strides[axis] === 1 ? coordinate : `${coordinate} * ${literal(strides[axis])}`)
  })
  if (offset !== 0 || terms.length === 0) terms.push(literal(offset))
  return terms.join(' + ')
}

/**
 * Merges neighbouring axes of `shape` where all operands allow it: that saves divisions and kernels. `strides` has one list
 * for each operand, 0 along a repeated axis.
 */
export function mergeAxes(shape: Shape, strides: readonly (readonly number[])[]): { shape: number[]; strides: number[][] } {
  const merged: number[] = []
  const steps: number[][] = strides.map(() => [])
  shape.forEach((size, axis) => {
    if (size === 1) return
    const last = merged.length - 1
    if (last >= 0 && strides.every((operand, k) => steps[k][last] === operand[axis] * size)) {
      merged[last] *= size
      for (const [k, operand] of strides.entries()) steps[k][last] = operand[axis]
    } else {
      merged.push(size)
      for (const [k, operand] of strides.entries()) steps[k].push(operand[axis])
    }
  })
  return { shape: merged, strides: steps }
}
