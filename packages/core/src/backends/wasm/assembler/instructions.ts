/**
 * WebAssembly's instructions as typed expressions.
 *
 * An expression (`Value<'i32'>`, `Value<'v128'>` …) is a node that can write its own code: first its operands, then its opcode,
 * as a stack machine needs it. So `f32x4.add(x, f32x4.mul(y, z))` reads like the formula and emits the stack code. A value that is
 * used twice is computed twice; `f.let` puts it into a local. A plain number stands for a constant wherever an i32 is expected.
 *
 * Opcodes: WebAssembly Core Specification 2.0, section 5.4, and the relaxed SIMD proposal. The file is longer than 300 lines
 * because it is the table of all instructions that kernels use.
 */
import type { ByteBuffer } from './byte-buffer.js'

export type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128'

/** An expression that leaves one value of type T on the stack. */
export interface Value<T extends ValueType> {
  readonly type: T
  emit(code: ByteBuffer): void
}

export type I32 = Value<'i32'> | number
export type I64 = Value<'i64'>
export type F32 = Value<'f32'>
export type F64 = Value<'f64'>
/** A vector of 128 bits; each instruction says how it reads the lanes. */
export type Vector = Value<'v128'>

/** Marks vector instructions, which are encoded as the prefix byte 0xfd and a number. The offset keeps them apart from one-byte opcodes. */
const SIMD = 0x10000
/** The same for instructions with the prefix 0xfc (saturating conversions, bulk memory). */
const MISC = 0x20000

function emitOpcode(code: ByteBuffer, opcode: number): void {
  if (opcode < SIMD) code.byte(opcode)
  else {
    code.byte(opcode < MISC ? 0xfd : 0xfc)
    code.unsigned(opcode & 0xffff)
  }
}

const asI32 = (value: I32): Value<'i32'> => (typeof value === 'number' ? i32.const(value) : value)

type Argument<T extends ValueType> = T extends 'i32' ? I32 : Value<T>

function write<T extends ValueType>(code: ByteBuffer, value: Argument<T>): void {
  if (typeof value === 'number') i32.const(value).emit(code)
  else (value as Value<T>).emit(code)
}

const unary =
  <A extends ValueType, R extends ValueType>(_from: A, type: R, opcode: number) =>
  (x: Argument<A>): Value<R> => ({
    type,
    emit(code) {
      write(code, x)
      emitOpcode(code, opcode)
    },
  })

const binary =
  <A extends ValueType, B extends ValueType, R extends ValueType>(_a: A, _b: B, type: R, opcode: number) =>
  (x: Argument<A>, y: Argument<B>): Value<R> => ({
    type,
    emit(code) {
      write(code, x)
      write(code, y)
      emitOpcode(code, opcode)
    },
  })

const ternary =
  (opcode: number) =>
  (x: Vector, y: Vector, z: Vector): Vector => ({
    type: 'v128',
    emit(code) {
      x.emit(code)
      y.emit(code)
      z.emit(code)
      emitOpcode(code, opcode)
    },
  })

/** A load: an address, an alignment (as a power of two; only a hint) and a constant offset. */
const load =
  <R extends ValueType>(type: R, opcode: number, align: number) =>
  (address: I32, offset = 0): Value<R> => ({
    type,
    emit(code) {
      write<'i32'>(code, address)
      emitOpcode(code, opcode)
      code.unsigned(align)
      code.unsigned(offset)
    },
  })

/** Reads one lane of a vector. */
const extract =
  <R extends ValueType>(type: R, opcode: number) =>
  (x: Vector, lane: number): Value<R> => ({
    type,
    emit(code) {
      x.emit(code)
      emitOpcode(code, opcode)
      code.byte(lane)
    },
  })

/** Replaces one lane of a vector. */
const replace =
  <A extends ValueType>(_type: A, opcode: number) =>
  (x: Vector, lane: number, value: Argument<A>): Vector => ({
    type: 'v128',
    emit(code) {
      x.emit(code)
      write(code, value)
      emitOpcode(code, opcode)
      code.byte(lane)
    },
  })

/** Code that leaves nothing on the stack. */
export interface Statement {
  emit(code: ByteBuffer): void
}

const store =
  <A extends ValueType>(_type: A, opcode: number, align: number) =>
  (address: I32, value: Argument<A>, offset = 0): Statement => ({
    emit(code) {
      write<'i32'>(code, address)
      write(code, value)
      emitOpcode(code, opcode)
      code.unsigned(align)
      code.unsigned(offset)
    },
  })

const storeLane =
  (opcode: number, align: number) =>
  (address: I32, value: Vector, lane: number, offset = 0): Statement => ({
    emit(code) {
      write<'i32'>(code, address)
      value.emit(code)
      emitOpcode(code, opcode)
      code.unsigned(align)
      code.unsigned(offset)
      code.byte(lane)
    },
  })

const i32Binary = (opcode: number) => binary('i32', 'i32', 'i32', opcode)
const i64Binary = (opcode: number) => binary('i64', 'i64', 'i64', opcode)
const f32Binary = (opcode: number) => binary('f32', 'f32', 'f32', opcode)
const f64Binary = (opcode: number) => binary('f64', 'f64', 'f64', opcode)
const f32Compare = (opcode: number) => binary('f32', 'f32', 'i32', opcode)
const f64Compare = (opcode: number) => binary('f64', 'f64', 'i32', opcode)
const vectorUnary = (number: number) => unary('v128', 'v128', SIMD + number)
const vectorBinary = (number: number) => binary('v128', 'v128', 'v128', SIMD + number)
const vectorShift = (number: number) => binary('v128', 'i32', 'v128', SIMD + number)

export const i32 = {
  const: (value: number): Value<'i32'> => ({
    type: 'i32',
    emit(code) {
      code.byte(0x41)
      code.signed(value)
    },
  }),
  load: load('i32', 0x28, 2),
  load8U: load('i32', 0x2d, 0),
  store: store('i32', 0x36, 2),
  store8: store('i32', 0x3a, 0),
  eqz: unary('i32', 'i32', 0x45),
  eq: i32Binary(0x46),
  ne: i32Binary(0x47),
  ltS: i32Binary(0x48),
  ltU: i32Binary(0x49),
  gtS: i32Binary(0x4a),
  gtU: i32Binary(0x4b),
  leS: i32Binary(0x4c),
  leU: i32Binary(0x4d),
  geS: i32Binary(0x4e),
  geU: i32Binary(0x4f),
  clz: unary('i32', 'i32', 0x67),
  add: i32Binary(0x6a),
  sub: i32Binary(0x6b),
  mul: i32Binary(0x6c),
  divS: i32Binary(0x6d),
  divU: i32Binary(0x6e),
  remS: i32Binary(0x6f),
  remU: i32Binary(0x70),
  and: i32Binary(0x71),
  or: i32Binary(0x72),
  xor: i32Binary(0x73),
  shl: i32Binary(0x74),
  shrS: i32Binary(0x75),
  shrU: i32Binary(0x76),
  rotl: i32Binary(0x77),
  wrapI64: unary('i64', 'i32', 0xa7),
  truncSatF32S: unary('f32', 'i32', MISC + 0),
  truncSatF64S: unary('f64', 'i32', MISC + 2),
  reinterpretF32: unary('f32', 'i32', 0xbc),
}

export const i64 = {
  const: (value: bigint): Value<'i64'> => ({
    type: 'i64',
    emit(code) {
      code.byte(0x42)
      code.signed64(value)
    },
  }),
  load: load('i64', 0x29, 3),
  store: store('i64', 0x37, 3),
  ne: binary('i64', 'i64', 'i32', 0x52),
  add: i64Binary(0x7c),
  sub: i64Binary(0x7d),
  mul: i64Binary(0x7e),
  and: i64Binary(0x83),
  or: i64Binary(0x84),
  shl: i64Binary(0x86),
  shrS: i64Binary(0x87),
  shrU: i64Binary(0x88),
  extendI32S: unary('i32', 'i64', 0xac),
  extendI32U: unary('i32', 'i64', 0xad),
}

export const f32 = {
  const: (value: number): Value<'f32'> => ({
    type: 'f32',
    emit(code) {
      code.byte(0x43)
      code.float32(value)
    },
  }),
  load: load('f32', 0x2a, 2),
  store: store('f32', 0x38, 2),
  eq: f32Compare(0x5b),
  ne: f32Compare(0x5c),
  lt: f32Compare(0x5d),
  gt: f32Compare(0x5e),
  le: f32Compare(0x5f),
  ge: f32Compare(0x60),
  abs: unary('f32', 'f32', 0x8b),
  neg: unary('f32', 'f32', 0x8c),
  add: f32Binary(0x92),
  sub: f32Binary(0x93),
  mul: f32Binary(0x94),
  div: f32Binary(0x95),
  min: f32Binary(0x96),
  max: f32Binary(0x97),
  demoteF64: unary('f64', 'f32', 0xb6),
  reinterpretI32: unary('i32', 'f32', 0xbe),
}

export const f64 = {
  const: (value: number): Value<'f64'> => ({
    type: 'f64',
    emit(code) {
      code.byte(0x44)
      code.float64(value)
    },
  }),
  load: load('f64', 0x2b, 3),
  store: store('f64', 0x39, 3),
  eq: f64Compare(0x61),
  lt: f64Compare(0x63),
  gt: f64Compare(0x64),
  add: f64Binary(0xa0),
  sub: f64Binary(0xa1),
  mul: f64Binary(0xa2),
  div: f64Binary(0xa3),
  convertI32S: unary('i32', 'f64', 0xb7),
  convertI64S: unary('i64', 'f64', 0xb9),
  promoteF32: unary('f32', 'f64', 0xbb),
}

/** Instructions on 128 bits, whatever they hold. */
export const v128 = {
  load: load('v128', SIMD + 0x00, 4),
  load8Splat: load('v128', SIMD + 0x07, 0),
  load32Splat: load('v128', SIMD + 0x09, 2),
  load32Zero: load('v128', SIMD + 0x5c, 2),
  store: store('v128', SIMD + 0x0b, 4),
  store8Lane: storeLane(SIMD + 0x58, 0),
  store16Lane: storeLane(SIMD + 0x59, 1),
  store32Lane: storeLane(SIMD + 0x5a, 2),
  store64Lane: storeLane(SIMD + 0x5b, 3),
  not: vectorUnary(0x4d),
  and: vectorBinary(0x4e),
  /** x and not y */
  andNot: vectorBinary(0x4f),
  or: vectorBinary(0x50),
  xor: vectorBinary(0x51),
  /** bitselect(x, y, mask): a bit of x where the mask has 1, a bit of y where it has 0. */
  bitselect: ternary(SIMD + 0x52),
  anyTrue: unary('v128', 'i32', SIMD + 0x53),
}

/** A vector constant from its sixteen bytes. */
const constant = (fill: (view: DataView) => void): Vector => {
  const view = new DataView(new ArrayBuffer(16))
  fill(view)
  return {
    type: 'v128',
    emit(code) {
      emitOpcode(code, SIMD + 0x0c)
      for (let i = 0; i < 16; i++) code.byte(view.getUint8(i))
    },
  }
}

export const i8x16 = {
  /** Picks sixteen bytes from x (0 to 15) and y (16 to 31). */
  shuffle: (x: Vector, y: Vector, lanes: readonly number[]): Vector => ({
    type: 'v128',
    emit(code) {
      x.emit(code)
      y.emit(code)
      emitOpcode(code, SIMD + 0x0d)
      for (const lane of lanes) code.byte(lane)
    },
  }),
  narrowI16x8U: vectorBinary(0x66),
  eq: vectorBinary(0x23),
}

export const i16x8 = {
  narrowI32x4S: vectorBinary(0x85),
  narrowI32x4U: vectorBinary(0x86),
  extendLowI8x16U: vectorUnary(0x89),
}

/** Picks four lanes of 32 bits from x (0 to 3) and y (4 to 7). */
export const shuffle32 = (x: Vector, y: Vector, lanes: readonly [number, number, number, number]): Vector =>
  i8x16.shuffle(
    x,
    y,
    lanes.flatMap((lane) => [4 * lane, 4 * lane + 1, 4 * lane + 2, 4 * lane + 3]),
  )

export const i32x4 = {
  const: (a: number, b = a, c = a, d = a): Vector =>
    constant((view) => {
      ;[a, b, c, d].forEach((value, lane) => {
        view.setInt32(4 * lane, value, true)
      })
    }),
  splat: unary('i32', 'v128', SIMD + 0x11),
  extractLane: extract('i32', SIMD + 0x1b),
  replaceLane: replace('i32', SIMD + 0x1c),
  eq: vectorBinary(0x37),
  ne: vectorBinary(0x38),
  ltS: vectorBinary(0x39),
  gtS: vectorBinary(0x3b),
  leS: vectorBinary(0x3d),
  geS: vectorBinary(0x3f),
  abs: vectorUnary(0xa0),
  neg: vectorUnary(0xa1),
  allTrue: unary('v128', 'i32', SIMD + 0xa3),
  extendLowI16x8U: vectorUnary(0xa9),
  shl: vectorShift(0xab),
  shrS: vectorShift(0xac),
  shrU: vectorShift(0xad),
  add: vectorBinary(0xae),
  sub: vectorBinary(0xb1),
  mul: vectorBinary(0xb5),
  minS: vectorBinary(0xb6),
  maxS: vectorBinary(0xb8),
  truncSatF32x4S: vectorUnary(0xf8),
  truncSatF64x2SZero: vectorUnary(0xfc),
}

export const i64x2 = {
  const: (value: bigint): Vector =>
    constant((view) => {
      view.setBigInt64(0, value, true)
      view.setBigInt64(8, value, true)
    }),
  splat: unary('i64', 'v128', SIMD + 0x12),
  extractLane: extract('i64', SIMD + 0x1d),
  neg: vectorUnary(0xc1),
  extendLowI32x4S: vectorUnary(0xc7),
  extendLowI32x4U: vectorUnary(0xc9),
  shl: vectorShift(0xcb),
  shrS: vectorShift(0xcc),
  shrU: vectorShift(0xcd),
  add: vectorBinary(0xce),
  sub: vectorBinary(0xd1),
  eq: vectorBinary(0xd6),
}

export const f32x4 = {
  const: (value: number): Vector =>
    constant((view) => {
      for (let lane = 0; lane < 4; lane++) view.setFloat32(4 * lane, value, true)
    }),
  splat: unary('f32', 'v128', SIMD + 0x13),
  extractLane: extract('f32', SIMD + 0x1f),
  replaceLane: replace('f32', SIMD + 0x20),
  eq: vectorBinary(0x41),
  ne: vectorBinary(0x42),
  lt: vectorBinary(0x43),
  gt: vectorBinary(0x44),
  le: vectorBinary(0x45),
  ge: vectorBinary(0x46),
  ceil: vectorUnary(0x67),
  floor: vectorUnary(0x68),
  trunc: vectorUnary(0x69),
  nearest: vectorUnary(0x6a),
  abs: vectorUnary(0xe0),
  neg: vectorUnary(0xe1),
  sqrt: vectorUnary(0xe3),
  add: vectorBinary(0xe4),
  sub: vectorBinary(0xe5),
  mul: vectorBinary(0xe6),
  div: vectorBinary(0xe7),
  min: vectorBinary(0xe8),
  max: vectorBinary(0xe9),
  /** pmin(x, y) is y < x ? y : x */
  pmin: vectorBinary(0xea),
  /** pmax(x, y) is x < y ? y : x */
  pmax: vectorBinary(0xeb),
  convertI32x4S: vectorUnary(0xfa),
  convertI32x4U: vectorUnary(0xfb),
  /** Two doubles rounded to floats in lanes 0 and 1; lanes 2 and 3 are zero. */
  demoteF64x2Zero: vectorUnary(0x5e),
  /** x·y + z, rounded once or twice, as the machine likes. Relaxed SIMD. */
  relaxedMadd: ternary(SIMD + 0x105),
}

export const f64x2 = {
  const: (value: number): Vector =>
    constant((view) => {
      view.setFloat64(0, value, true)
      view.setFloat64(8, value, true)
    }),
  splat: unary('f64', 'v128', SIMD + 0x14),
  extractLane: extract('f64', SIMD + 0x21),
  eq: vectorBinary(0x47),
  ne: vectorBinary(0x48),
  lt: vectorBinary(0x49),
  gt: vectorBinary(0x4a),
  le: vectorBinary(0x4b),
  ge: vectorBinary(0x4c),
  ceil: vectorUnary(0x74),
  floor: vectorUnary(0x75),
  nearest: vectorUnary(0x94),
  abs: vectorUnary(0xec),
  neg: vectorUnary(0xed),
  sqrt: vectorUnary(0xef),
  add: vectorBinary(0xf0),
  sub: vectorBinary(0xf1),
  mul: vectorBinary(0xf2),
  div: vectorBinary(0xf3),
  min: vectorBinary(0xf4),
  max: vectorBinary(0xf5),
  pmin: vectorBinary(0xf6),
  pmax: vectorBinary(0xf7),
  promoteLowF32x4: vectorUnary(0x5f),
  convertLowI32x4S: vectorUnary(0xfe),
}

export const memory = {
  /** Copies bytes within the memory; the ranges may overlap. */
  copy: (to: I32, from: I32, bytes: I32): Statement => ({
    emit(code) {
      for (const value of [to, from, bytes]) asI32(value).emit(code)
      emitOpcode(code, MISC + 10)
      code.byte(0)
      code.byte(0)
    },
  }),
  fill: (to: I32, byte: I32, bytes: I32): Statement => ({
    emit(code) {
      for (const value of [to, byte, bytes]) asI32(value).emit(code)
      emitOpcode(code, MISC + 11)
      code.byte(0)
    },
  }),
}

/** condition ? x : y. Both are evaluated. */
export const select = <T extends ValueType>(x: Value<T>, y: Value<T>, condition: I32): Value<T> => ({
  type: x.type,
  emit(code) {
    x.emit(code)
    y.emit(code)
    asI32(condition).emit(code)
    code.byte(0x1b)
  },
})
