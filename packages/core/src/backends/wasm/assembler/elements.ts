/**
 * How the elements of each dtype lie in memory, and how kernels load them into vectors and store them back.
 *
 * Elementwise kernels work on vectors of four 32-bit *lanes*, whatever the dtype. float32 and int32 are stored as they are,
 * bool as a 32-bit 0 or 1, uint8 as one byte. A load widens uint8 to 32 bits; a store narrows it again, saturating.
 * A load may read past the end of an array: engine/memory.ts leaves slack there. A store writes exactly the elements asked for.
 */
import type { DType } from '../../../tensor/dtype.js'
import type { FunctionBuilder, Local } from './assembler.js'
import { type I32, i8x16, i16x8, i32, i32x4, shuffle32, type Vector, v128 } from './instructions.js'

/** The dtypes that this backend stores. */
export type WasmDType = 'float32' | 'int32' | 'uint8' | 'bool'

/** log2 of the bytes of an element in memory. */
export const elementShift = (dtype: DType): number => (dtype === 'uint8' ? 0 : 2)

/** Bytes of an element in memory. */
export const elementBytes = (dtype: DType): number => (dtype === 'uint8' ? 1 : 4)

/** Loads four consecutive elements as lanes. */
export function loadLanes(dtype: DType, address: I32, offset = 0): Vector {
  if (dtype !== 'uint8') return v128.load(address, offset)
  return i32x4.extendLowI16x8U(i16x8.extendLowI8x16U(v128.load32Zero(address, offset)))
}

/** Loads one element into all four lanes. */
export function loadSplat(dtype: DType, address: I32): Vector {
  return dtype === 'uint8' ? i32x4.splat(i32.load8U(address)) : v128.load32Splat(address)
}

/** uint8 values in four lanes, packed as four bytes into lane 0. */
const narrow = (lanes: Vector): Vector => {
  const halves = i16x8.narrowI32x4S(lanes, lanes)
  return i8x16.narrowI16x8U(halves, halves)
}

/** Stores four elements. */
export function storeLanes(f: FunctionBuilder, dtype: DType, address: I32, lanes: Vector, offset = 0): void {
  if (dtype === 'uint8') f.do(v128.store32Lane(address, narrow(lanes), 0, offset))
  else f.do(v128.store(address, lanes, offset))
}

/** Stores only the first `count` (1 to 3) of four elements; moves `address`. */
export function storeSome(f: FunctionBuilder, dtype: DType, address: Local<'i32'>, lanes: Vector, count: Local<'i32'>): void {
  if (dtype === 'uint8') {
    const bytes = f.let(narrow(lanes))
    f.if(i32.and(count, 2), () => {
      f.do(v128.store16Lane(address, bytes, 0))
      f.advance(address, 2)
      f.set(bytes, i8x16.shuffle(bytes, bytes, [2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3]))
    })
    f.if(i32.and(count, 1), () => f.do(v128.store8Lane(address, bytes, 0)))
    return
  }
  const values = f.let(lanes)
  f.if(i32.and(count, 2), () => {
    f.do(v128.store64Lane(address, values, 0))
    f.advance(address, 8)
    f.set(values, shuffle32(values, values, [2, 3, 2, 3]))
  })
  f.if(i32.and(count, 1), () => f.do(v128.store32Lane(address, values, 0)))
}

/** A mask (all ones) in the first `count` lanes. */
export const firstLanes = (f: FunctionBuilder, count: I32): Vector => i32x4.gtS(i32x4.splat(count), f.splatInt(0, 1, 2, 3))

/** The rows of the transpose of a 4 × 4 matrix given by its rows. */
export function transposed([a, b, c, d]: readonly Vector[]): Vector[] {
  const abLow = shuffle32(a, b, [0, 4, 1, 5])
  const cdLow = shuffle32(c, d, [0, 4, 1, 5])
  const abHigh = shuffle32(a, b, [2, 6, 3, 7])
  const cdHigh = shuffle32(c, d, [2, 6, 3, 7])
  return [
    shuffle32(abLow, cdLow, [0, 1, 4, 5]),
    shuffle32(abLow, cdLow, [2, 3, 6, 7]),
    shuffle32(abHigh, cdHigh, [0, 1, 4, 5]),
    shuffle32(abHigh, cdHigh, [2, 3, 6, 7]),
  ]
}
