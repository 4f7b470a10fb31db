/**
 * Kernels that run on the host's copy, since a device cannot do them right. It must stay little, since on a device each of these waits for a
 * read, which WebGPU offers only asynchronously.
 *
 * - isNaN, isFinite: `x !== x` is compiled to false on some engines. Read, map, upload, in their turn.
 * - The check of row indices, which names the first bad one. It throws at the call for indices that were uploaded, whose values stay beside
 *   them on the host, and on every engine that reads at once. For indices computed on WebGPU the next read throws.
 * - int32 values that float32 does not hold, refused when they are written or filled in.
 */

import { DTypeError, showShape, ValueError } from '../../../errors.js'
import { type DType, hostArray, type TypedArray } from '../../../tensor/dtype.js'
import type { MapKernel, Operand } from '../../backend.js'
import type { Engine } from '../device/engine.js'
import { EXACT_INTEGER } from '../source/rules.js'

const hostMaps = { isNaN: Number.isNaN, isFinite: Number.isFinite } as const

export const isHostMap = (kernel: MapKernel): kernel is keyof typeof hostMaps => kernel in hostMaps

export function mapOnHost(engine: Engine, out: Operand, x: Operand, kernel: keyof typeof hostMaps): void {
  const test = hostMaps[kernel]
  engine.transform(out, x, (values) => values.map((value) => (test(value) ? 1 : 0)))
}

/**
 * Throws a ValueError that names the first index outside 0 … rows − 1; and the op, where it was called before the index was seen. Gives the indices where the
 * host has them now.
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
  engine.inspect(indices, check, `in op ${op} with indices ${showShape(indices.shape)}, called before this read: the device tells late`)
  return seen
}

/** Throws a DTypeError if one of the values cannot be an int32 here. */
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

/** Host values of any dtype as the float32 a device holds. */
export function toFloats(values: TypedArray, dtype: DType): Float32Array {
  requireExact(values, dtype)
  return Float32Array.from(values)
}

/** Device floats as host values of the dtype; int32 saturates. */
export function fromFloats(values: Float32Array, dtype: DType): TypedArray {
  if (dtype === 'float32') return values.slice()
  const out = hostArray(dtype, values.length)
  for (let i = 0; i < out.length; i++) out[i] = dtype === 'int32' ? Math.min(values[i], 2 ** 31 - 1) : values[i]
  return out
}
