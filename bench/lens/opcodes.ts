/**
 * The names of the instructions that core's assembler emits, and the kinds of operands behind their opcodes.
 *
 * WebAssembly Core Specification 2.0, section 5.4, and the relaxed SIMD proposal.
 */

/** The operands behind an opcode: none, an index, a constant, an alignment and an offset, a lane, both of these, sixteen bytes, or one to three zero bytes. */
export type Immediate =
  | 'none'
  | 'local'
  | 'call'
  | 'label'
  | 'i32'
  | 'i64'
  | 'f32'
  | 'f64'
  | 'memory'
  | 'lane'
  | 'memory lane'
  | 'bytes'
  | 'zero'
  | 'zeros'

export interface Instruction {
  readonly name: string
  readonly immediate: Immediate
}

type Table = Map<number, Instruction>

/** Adds entries `hex name`, separated by blanks and line ends. */
function add(table: Table, immediate: Immediate, entries: string): void {
  const words = entries.trim().split(/\s+/)
  for (let i = 0; i < words.length; i += 2) table.set(Number.parseInt(words[i], 16), { name: words[i + 1], immediate })
}

/** Opcodes of one byte. The disassembler itself knows blocks, loops, conditions and ends. */
export const plain: Table = new Map()
add(plain, 'none', '00 unreachable 0f return 1a drop 1b select')
add(plain, 'label', '0c br 0d br_if')
add(plain, 'call', '10 call')
add(plain, 'local', '20 local.get 21 local.set 22 local.tee')
add(
  plain,
  'memory',
  '28 i32.load 29 i64.load 2a f32.load 2b f64.load 2d i32.load8_u 36 i32.store 37 i64.store 38 f32.store 39 f64.store 3a i32.store8',
)
add(plain, 'i32', '41 i32.const')
add(plain, 'i64', '42 i64.const')
add(plain, 'f32', '43 f32.const')
add(plain, 'f64', '44 f64.const')
add(
  plain,
  'none',
  `45 i32.eqz 46 i32.eq 47 i32.ne 48 i32.lt_s 49 i32.lt_u 4a i32.gt_s 4b i32.gt_u 4c i32.le_s 4d i32.le_u 4e i32.ge_s 4f i32.ge_u
  52 i64.ne 5b f32.eq 5c f32.ne 5d f32.lt 5e f32.gt 5f f32.le 60 f32.ge 61 f64.eq 63 f64.lt 64 f64.gt
  67 i32.clz 6a i32.add 6b i32.sub 6c i32.mul 6d i32.div_s 6e i32.div_u 6f i32.rem_s 70 i32.rem_u 71 i32.and 72 i32.or 73 i32.xor
  74 i32.shl 75 i32.shr_s 76 i32.shr_u 77 i32.rotl
  7c i64.add 7d i64.sub 7e i64.mul 83 i64.and 84 i64.or 86 i64.shl 87 i64.shr_s 88 i64.shr_u
  8b f32.abs 8c f32.neg 92 f32.add 93 f32.sub 94 f32.mul 95 f32.div 96 f32.min 97 f32.max a0 f64.add a1 f64.sub a2 f64.mul a3 f64.div
  a7 i32.wrap_i64 ac i64.extend_i32_s ad i64.extend_i32_u b6 f32.demote_f64 b7 f64.convert_i32_s b9 f64.convert_i64_s bb f64.promote_f32
  bc i32.reinterpret_f32 be f32.reinterpret_i32`,
)

/** Opcodes after the prefix 0xfd. */
export const vector: Table = new Map()
add(vector, 'memory', '00 v128.load 07 v128.load8_splat 09 v128.load32_splat 0b v128.store 5c v128.load32_zero')
add(vector, 'bytes', '0c v128.const 0d i8x16.shuffle')
add(
  vector,
  'lane',
  '1b i32x4.extract_lane 1c i32x4.replace_lane 1d i64x2.extract_lane 1f f32x4.extract_lane 20 f32x4.replace_lane 21 f64x2.extract_lane',
)
add(vector, 'memory lane', '58 v128.store8_lane 59 v128.store16_lane 5a v128.store32_lane 5b v128.store64_lane')
add(
  vector,
  'none',
  `11 i32x4.splat 12 i64x2.splat 13 f32x4.splat 14 f64x2.splat 23 i8x16.eq 37 i32x4.eq 38 i32x4.ne 39 i32x4.lt_s 3b i32x4.gt_s 3d i32x4.le_s
  3f i32x4.ge_s 41 f32x4.eq 42 f32x4.ne 43 f32x4.lt 44 f32x4.gt 45 f32x4.le 46 f32x4.ge 47 f64x2.eq 48 f64x2.ne 49 f64x2.lt 4a f64x2.gt
  4b f64x2.le 4c f64x2.ge 4d v128.not 4e v128.and 4f v128.andnot 50 v128.or 51 v128.xor 52 v128.bitselect 53 v128.any_true
  5e f32x4.demote_f64x2_zero 5f f64x2.promote_low_f32x4 66 i8x16.narrow_i16x8_u 67 f32x4.ceil 68 f32x4.floor 69 f32x4.trunc 6a f32x4.nearest
  74 f64x2.ceil 75 f64x2.floor 85 i16x8.narrow_i32x4_s 86 i16x8.narrow_i32x4_u 89 i16x8.extend_low_i8x16_u 94 f64x2.nearest
  a0 i32x4.abs a1 i32x4.neg a3 i32x4.all_true a9 i32x4.extend_low_i16x8_u ab i32x4.shl ac i32x4.shr_s ad i32x4.shr_u ae i32x4.add
  b1 i32x4.sub b5 i32x4.mul b6 i32x4.min_s b8 i32x4.max_s c1 i64x2.neg c7 i64x2.extend_low_i32x4_s c9 i64x2.extend_low_i32x4_u
  cb i64x2.shl cc i64x2.shr_s cd i64x2.shr_u ce i64x2.add d1 i64x2.sub d6 i64x2.eq e0 f32x4.abs e1 f32x4.neg e3 f32x4.sqrt e4 f32x4.add
  e5 f32x4.sub e6 f32x4.mul e7 f32x4.div e8 f32x4.min e9 f32x4.max ea f32x4.pmin eb f32x4.pmax ec f64x2.abs ed f64x2.neg ef f64x2.sqrt
  f0 f64x2.add f1 f64x2.sub f2 f64x2.mul f3 f64x2.div f4 f64x2.min f5 f64x2.max f6 f64x2.pmin f7 f64x2.pmax f8 i32x4.trunc_sat_f32x4_s
  fa f32x4.convert_i32x4_s fb f32x4.convert_i32x4_u fc i32x4.trunc_sat_f64x2_s_zero fe f64x2.convert_low_i32x4_s 105 f32x4.relaxed_madd`,
)

/** Opcodes after the prefix 0xfc. */
export const misc: Table = new Map()
add(misc, 'none', '00 i32.trunc_sat_f32_s 02 i32.trunc_sat_f64_s')
add(misc, 'zeros', '0a memory.copy')
add(misc, 'zero', '0b memory.fill')
