/**
 * The reference backend: every primitive as its definition, in plain loops over typed arrays, with sums in float64. It is slow
 * on purpose and the first backend to read. The tests hold the other backends to it, and it alone has float64.
 */

import { requireChoice, requireOptions } from '../../arguments.js'
import { BackendError, beyondInt32, ValueError } from '../../errors.js'
import { castValue, type DType, hostArray, type TypedArray } from '../../tensor/dtype.js'
import { broadcastStrides, type Shape, sizeOf, stridesOf, type Window } from '../../tensor/shape.js'
import type { Backend, FusedKernels, Kernels, Operand, Storage, UpdateValue } from '../backend.js'
import { mapKernels, reduceKernels, updateKernels, zipKernels } from './scalar-kernels.js'

const dataOf = (x: Operand): TypedArray => x.storage.handle as TypedArray

/** Calls `visit(flat position, coordinates)` for every cell of a shape, in row-major order. */
function eachCell(shape: Shape, visit: (i: number, at: readonly number[]) => void): void {
  const at = shape.map(() => 0)
  const size = sizeOf(shape)
  for (let i = 0; i < size; i++) {
    visit(i, at)
    for (let axis = shape.length - 1; axis >= 0 && ++at[axis] === shape[axis]; axis--) at[axis] = 0
  }
}

/** A function that reads `x`, broadcast to `shape`, at given coordinates. */
function broadcastReader(x: Operand, shape: Shape): (at: readonly number[]) => number {
  const data = dataOf(x)
  const strides = broadcastStrides(x.shape, shape)
  return (at) => data[at.reduce((offset, index, axis) => offset + index * strides[axis], 0)]
}

/** The value as its dtype holds it: int32 wraps, as 32-bit arithmetic does. */
const store = (dtype: DType, value: number): number =>
  dtype === 'int32' ? (Number.isFinite(value) ? Number(BigInt.asIntN(32, BigInt(Math.trunc(value)))) : 0) : value

/** The result of a reduction as its dtype holds it; throws if an integer result does not fit int32. */
function storeReduced(op: 'sum' | 'prod' | 'cumSum', dtype: DType, value: number): number {
  if (dtype !== 'int32') return value
  if (value > 2 ** 31 - 1 || value < -(2 ** 31)) throw beyondInt32(op)
  return value || 0 // NaN here is ∞·0: the product left float64, then met a 0
}

/** Calls `visit` for every cell of every window: its position in x (-1 if it lies outside x) and in the unfolded tensor. */
function eachWindowCell(x: Shape, window: Window, visit: (inX: number, inWindows: number) => void): void {
  const [n, height, width, channels] = x
  const { kernelSize, strides, dilation, padBefore, outSize } = window
  eachCell([n, outSize[0], outSize[1], kernelSize[0], kernelSize[1], channels], (i, [b, oy, ox, ky, kx, c]) => {
    const y = oy * strides[0] + ky * dilation[0] - padBefore[0]
    const z = ox * strides[1] + kx * dilation[1] - padBefore[1]
    const inside = y >= 0 && y < height && z >= 0 && z < width
    visit(inside ? ((b * height + y) * width + z) * channels + c : -1, i)
  })
}

/** The indices of rows; throws a ValueError that names the first bad one. */
function checkedIndices(indices: Operand, rows: number): TypedArray {
  const data = dataOf(indices)
  for (let i = 0; i < data.length; i++) {
    if (data[i] < 0 || data[i] >= rows)
      throw new ValueError(`index ${data[i]} at position ${i} is out of range: there are ${rows} rows (0 to ${rows - 1}).`)
  }
  return data
}

const kernels: Kernels = {
  host(out, inputs, f) {
    f(dataOf(out), inputs.map(dataOf))
  },

  fill(out, value) {
    dataOf(out).fill(value)
  },

  copy(out, x, view) {
    const from = dataOf(x)
    const to = dataOf(out)
    const strides = stridesOf(x.shape)
    eachCell(out.shape, (i, at) => {
      let offset = 0
      for (let k = 0; k < at.length; k++) {
        const axis = view.axis[k]
        if (axis < 0) continue
        const index = view.start[k] + at[k] * view.step[k]
        if (index < 0 || index >= x.shape[axis]) {
          to[i] = view.fill
          return
        }
        offset += index * strides[axis]
      }
      to[i] = from[offset]
    })
  },

  map(out, x, kernel) {
    const from = dataOf(x)
    const to = dataOf(out)
    if (kernel === 'cast') for (let i = 0; i < to.length; i++) to[i] = castValue(from[i], out.dtype)
    else for (let i = 0; i < to.length; i++) to[i] = store(out.dtype, mapKernels[kernel](from[i]))
  },

  zip(out, a, b, kernel) {
    const f = kernel === 'mul' && out.dtype === 'int32' ? Math.imul : zipKernels[kernel] // a product in float64 would lose the low bits
    const to = dataOf(out)
    const readA = broadcastReader(a, out.shape)
    const readB = broadcastReader(b, out.shape)
    eachCell(out.shape, (i, at) => {
      to[i] = store(out.dtype, f(readA(at), readB(at)))
    })
  },

  select(out, condition, a, b) {
    const to = dataOf(out)
    const [readCondition, readA, readB] = [condition, a, b].map((x) => broadcastReader(x, out.shape))
    eachCell(out.shape, (i, at) => {
      to[i] = readCondition(at) ? readA(at) : readB(at)
    })
  },

  reduce(out, x, kernel, { outer, length, inner }) {
    const f = reduceKernels[kernel]
    const from = dataOf(x)
    const to = dataOf(out)
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        const value = f(length, (l) => from[(o * length + l) * inner + i])
        to[o * inner + i] = kernel === 'sum' || kernel === 'prod' ? storeReduced(kernel, out.dtype, value) : value
      }
    }
  },

  scan(out, x, { outer, length, inner }, exclusive, reverse) {
    const from = dataOf(x)
    const to = dataOf(out)
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        let sum = 0
        for (let step = 0; step < length; step++) {
          const at = (o * length + (reverse ? length - 1 - step : step)) * inner + i
          const next = sum + from[at]
          to[at] = storeReduced('cumSum', out.dtype, exclusive ? sum : next)
          sum = next
        }
      }
    }
  },

  matMul(out, a, b, transposeA, transposeB) {
    const [m, n] = out.shape.slice(-2)
    const k = a.shape[a.shape.length - (transposeA ? 2 : 1)]
    const [left, right, to] = [dataOf(a), dataOf(b), dataOf(out)]
    const batch = sizeOf(out.shape.slice(0, -2))
    for (let g = 0; g < batch; g++) {
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++) {
          let sum = 0
          for (let l = 0; l < k; l++) {
            const x = left[g * m * k + (transposeA ? l * m + i : i * k + l)]
            const y = right[g * k * n + (transposeB ? j * k + l : l * n + j)]
            sum += x * y
          }
          to[(g * m + i) * n + j] = sum
        }
      }
    }
  },

  unfold(out, x, window, fill) {
    const [from, to] = [dataOf(x), dataOf(out)]
    eachWindowCell(x.shape, window, (inX, inWindows) => {
      to[inWindows] = inX < 0 ? fill : from[inX]
    })
  },

  fold(out, x, window) {
    const from = dataOf(x)
    const sums = new Float64Array(out.size)
    eachWindowCell(out.shape, window, (inX, inWindows) => {
      if (inX >= 0) sums[inX] += from[inWindows]
    })
    dataOf(out).set(sums)
  },

  gather(out, x, indices) {
    const [rows, inner] = x.shape
    const [from, to] = [dataOf(x), dataOf(out)]
    checkedIndices(indices, rows).forEach((row, i) => {
      to.set(from.subarray(row * inner, (row + 1) * inner), i * inner)
    })
  },

  scatterAdd(out, x, indices) {
    const [rows, inner] = out.shape
    const from = dataOf(x)
    const sums = new Float64Array(out.size)
    checkedIndices(indices, rows).forEach((row, i) => {
      for (let j = 0; j < inner; j++) sums[row * inner + j] += from[i * inner + j]
    })
    dataOf(out).set(sums)
  },
}

/** The one fused kernel, `update`, interprets an optimizer's program step by step: the definition for the fast backends. */
const fused: FusedKernels = {
  update(targets, program, scalars) {
    for (const { slots, inputs } of targets) {
      const slotData = slots.map(dataOf)
      const inputData = inputs.map(dataOf)
      const size = slots[0].size
      for (let i = 0; i < size; i++) {
        const steps: number[] = []
        const valueOf = (v: UpdateValue): number =>
          'slot' in v ? slotData[v.slot][i] : 'input' in v ? inputData[v.input][i] : 'scalar' in v ? scalars[v.scalar] : steps[v.step]
        for (const step of program.steps) {
          const [a, b = a] = step.arguments.map(valueOf)
          steps.push(updateKernels[step.kernel](a, b))
        }
        program.results.forEach((step, slot) => {
          slotData[slot][i] = steps[step]
        })
      }
    }
  },
}

/** A new array on the host. Throws a BackendError if the host has no room for it. */
function roomFor(size: number, dtype: DType): TypedArray {
  try {
    return hostArray(dtype, size)
  } catch (error) {
    throw new BackendError(`reference: the host has no room for ${size} elements of ${dtype} (${(error as Error).message}).`)
  }
}

/** Options of the reference backend. */
export interface ReferenceOptions {
  /** The dtype of new floats where none is asked for; float32 by default, as on the other backends. */
  dtype?: 'float32' | 'float64'
}

/** Throws unless these are options of the reference backend. */
export function requireReferenceOptions(what: string, options: ReferenceOptions, example: string): void {
  requireOptions(what, options, ['dtype'], example)
  if (options.dtype !== undefined) requireChoice(what, 'dtype', options.dtype, ['float32', 'float64'])
}

/**
 * A new reference backend.
 *
 * @example
 * ```ts
 * const exact = createReferenceBackend({ dtype: 'float64' })
 * const x = withBackend(exact, () => tensor([0.1]))   // x.dtype = 'float64'
 * ```
 */
export function createReferenceBackend(options: ReferenceOptions = {}): Backend {
  requireReferenceOptions('createReferenceBackend', options, "createReferenceBackend({ dtype: 'float64' })")
  const { dtype: defaultDType = 'float32' } = options
  let buffers = 0
  let bytes = 0
  return {
    name: defaultDType === 'float32' ? 'reference' : `reference:${defaultDType}`,
    defaultDType,
    dtypes: new Set<DType>(['float64', 'float32', 'int32', 'uint8', 'bool']),
    kernels,
    fused,
    alloc(size, dtype) {
      const data = roomFor(size, dtype)
      buffers++
      bytes += data.byteLength
      return data
    },
    write(storage, values) {
      ;(storage.handle as TypedArray).set(values)
    },
    async read(storage) {
      return (storage.handle as TypedArray).slice()
    },
    readSync: (storage: Storage) => (storage.handle as TypedArray).slice(),
    free(storage) {
      buffers--
      bytes -= (storage.handle as TypedArray).byteLength
      storage.handle = null
    },
    memory: () => ({ buffers, bytes, reservedBytes: bytes }),
  }
}
