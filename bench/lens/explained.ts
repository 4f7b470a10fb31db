/** A sentence for each instruction of core's assembler, for people who do not read WebAssembly. */

const sentences: Record<string, string> = {
  'v128.load': 'Takes an address and reads 16 bytes there: four floats that lie side by side.',
  'v128.load32_splat': 'Takes an address, reads one float there and puts it into all four lanes.',
  'v128.store': 'Takes an address and four floats and writes them there.',
  'f32x4.relaxed_madd':
    'Takes x, y and z of four floats each and gives x·y + z: four multiplications and four additions in one instruction, rounded once.',
  'f32x4.mul': 'Multiplies four floats by four floats, lane by lane.',
  'f32x4.add': 'Adds four floats to four floats, lane by lane.',
  'f32x4.sub': 'Subtracts four floats from four floats, lane by lane.',
  'f32x4.div': 'Divides four floats by four floats, lane by lane.',
  'f32x4.max': 'The larger of each two floats, lane by lane; NaN if one of them is NaN.',
  'f32x4.min': 'The smaller of each two floats, lane by lane; NaN if one of them is NaN.',
  'f32x4.pmax': 'The second of each two floats if it is larger, else the first: one instruction of the processor.',
  'f32x4.pmin': 'The second of each two floats if it is smaller, else the first: one instruction of the processor.',
  'f32x4.sqrt': 'The square roots of four floats.',
  'f32x4.nearest': 'Rounds four floats to whole numbers; halves go to the even one.',
  'f32x4.splat': 'Puts one float into all four lanes.',
  'f32x4.neg': 'Turns the sign of four floats.',
  'f32x4.abs': 'Clears the sign of four floats.',
  'v128.bitselect': 'Takes bits of the first vector where the mask is 1, of the second where it is 0: a choice without a branch.',
  'v128.const': 'A constant of 16 bytes.',
  'v128.and': 'The bits that are 1 in both vectors.',
  'v128.or': 'The bits that are 1 in one of the vectors.',
  'v128.xor': 'The bits that differ.',
  'i32x4.add': 'Adds four whole numbers to four. On the bits of floats: adds to their exponents.',
  'i32x4.shl': 'Shifts four whole numbers to the left: a number becomes the exponent of a float.',
  'i32x4.trunc_sat_f32x4_s': 'Four floats as whole numbers, cut towards 0.',
  'f32x4.convert_i32x4_s': 'Four whole numbers as floats.',
  'i8x16.shuffle': 'Puts bytes of two vectors into a new order.',
  'i32.add': 'Adds two whole numbers: here an address or a count moves on.',
  'i32.sub': 'Subtracts two whole numbers.',
  'i32.mul': 'Multiplies two whole numbers.',
  'i32.const': 'A whole number.',
  'f32.const': 'A float.',
  'local.get': 'Puts a variable on the stack.',
  'local.set': 'Takes the top of the stack into a variable.',
  'local.tee': 'Copies the top of the stack into a variable.',
  loop: 'A loop begins; a branch leads back to here.',
  end: 'The end of a block.',
  block: 'A block begins; a branch leads to its end.',
  if: 'Takes a number; the block runs if it is not 0.',
  else: 'The other branch.',
  br: 'Goes on at the end of a block, or at the start of a loop.',
  br_if: 'Takes a number; if it is not 0, goes on at the end of a block, or at the start of a loop.',
  call: 'Calls another function of the module.',
  drop: 'Throws the top of the stack away.',
}

const shapes: Record<string, string> = {
  f32x4: 'four floats',
  f64x2: 'two doubles',
  i32x4: 'four whole numbers',
  i64x2: 'two long whole numbers',
  i8x16: 'sixteen bytes',
  i16x8: 'eight short whole numbers',
  v128: '128 bits',
  i32: 'a whole number',
  i64: 'a long whole number',
  f32: 'a float',
  f64: 'a double',
}

/** A sentence about an instruction. `operands` may be the name of a variable. */
export function explained({ name, operands = '' }: { name: string; operands?: string }): string {
  if (name === 'local.get' && operands) return `Puts ${operands} on the stack.`
  if (name === 'local.set' && operands) return `Takes the top of the stack into ${operands}.`
  if (name in sentences) return sentences[name]
  const [shape, word = ''] = name.split('.')
  const what = shapes[shape] ?? 'values'
  if (/^(eq|ne|lt|gt|le|ge)(_|$)/.test(word))
    return shape.includes('x')
      ? `Compares ${what} with as many: all bits 1 in a lane where it is true.`
      : 'Compares two numbers: 1 if it is true.'
  if (word.startsWith('load')) return 'Takes an address and reads what lies there.'
  if (word.startsWith('store')) return 'Takes an address and a value and writes it there.'
  return `${word.replaceAll('_', ' ')}, on ${what}${shape.includes('x') ? ' at once' : ''}.`
}
