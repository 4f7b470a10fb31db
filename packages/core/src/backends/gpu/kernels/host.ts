/**
 * The few things that a device cannot do correctly; they are done on the host's copy of the values. On a device each of them waits for a
 * read, and on WebGPU a read is asynchronous.
 *
 * - isNaN, isFinite: some engines compile `x !== x` to false. The values are read, mapped and uploaded, in their turn.
 * - The check of row indices, which names the first bad one. Uploaded indices have a copy on the host, so the check throws at the call; so
 *   it does on every engine that reads at once. For indices computed on WebGPU the next read throws.
 * - int32 values that float32 cannot hold: `write` and `fill` refuse them.
 */

import { DTypeError, showShape, ValueError } from '../../../errors.js'
import { type DType, hostArray, type TypedArray } from '../../../tensor/dtype.js'
import type { HostFunction, MapKernel, Operand } from '../../backend.js'
import type { Engine } from '../device/engine.js'
import { EXACT_INTEGER } from '../source/rules.js'

const hostMaps = { isNaN: Number.isNaN, isFinite: Number.isFinite } as const

export const isHostMap = (kernel: MapKernel): kernel is keyof typeof hostMaps => kernel in hostMaps

export function mapOnHost(engine: Engine, out: Operand, x: Operand, kernel: keyof typeof hostMaps): void {
  const test = hostMaps[kernel]
  engine.transform(out, [x], ([values]) => values.map((value) => (test(value) ? 1 : 0)))
}

/** The primitive `host`: the values are read, handed to the function, and what it fills is uploaded. */
export function computeOnHost(engine: Engine, out: Operand, inputs: readonly Operand[], f: HostFunction): void {
  engine.transform(out, inputs, (values) => {
    const result = hostArray(out.dtype, out.size)
    f(
      result,
      values.map((each, i) => fromFloats(each, inputs[i].dtype)),
    )
    return toFloats(result, out.dtype)
  })
}

/**
 * Throws a ValueError that names the first index outside 0 … rows − 1. If the values come later than the call, it names the op, too. Returns the indices if
 * the host has them now.
 */
export function checkIndices(engine: Engine, op: string, indices: Operand, rows: number): Float32Array | undefined {
  let seen: Float32Array | undefined
  const check = (values: Float32Array): void => {
    seen = values
    for (let i = 0; i < values.length; i++) {
      if (!(values[i] >= 0 && values[i] < rows)) {
        throw new ValueError(`index ${values[i]} at position ${i} is out of range: there are ${rows} rows (0 to ${rows - 1}).`)
      }
    }
  }
  engine.inspect(
    indices,
    check,
    `in op ${op} with indices ${showShape(indices.shape)}, called before this read; the device reports errors late`,
  )
  return seen
}

/** Throws a DTypeError if a value is an int32 that float32 cannot hold. */
export function requireExact(values: ArrayLike<number>, dtype: DType): void {
  if (dtype !== 'int32') return
  for (let i = 0; i < values.length; i++) {
    if (Math.abs(values[i]) > EXACT_INTEGER) {
      throw new DTypeError(
        `The gpu backend holds int32 as float32, exact up to ${EXACT_INTEGER} (2^24); got ${values[i]} at position ${i}. ` +
          'Keep such integers on another backend.',
      )
    }
  }
}

/** Host values of any dtype as float32, the only dtype on a device. */
export function toFloats(values: TypedArray, dtype: DType): Float32Array {
  requireExact(values, dtype)
  return Float32Array.from(values)
}

/** float32 values from a device as host values of the dtype; int32 saturates. */
export function fromFloats(values: Float32Array, dtype: DType): TypedArray {
  if (dtype === 'float32') return values.slice()
  const out = hostArray(dtype, values.length)
  for (let i = 0; i < out.length; i++) out[i] = dtype === 'int32' ? Math.min(values[i], 2 ** 31 - 1) : values[i]
  return out
}
