/**
 * Shows the kernel that the wasm backend emits for one op, as text: the end of the path that docs/backprop.md follows.
 *
 * The backend compiles a kernel when it is first needed: the first call of an op hands its bytes to `WebAssembly.Module`. This program catches them
 * there and reads them back. It knows only the instructions of simple elementwise kernels.
 *
 * Run it with `node --conditions=@cotangent/source --import tsx examples/backprop/kernel.ts`. Format: WebAssembly Core
 * Specification 2.0, section 5.
 */
import { pathToFileURL } from 'node:url'
import { createWasmBackend, scope, type Tensor, tensor } from '@cotangent/core'

/** Its name, the number of operands it takes from the stack, the number of results it leaves there, and the kind of data behind the opcode. */
type Instruction = readonly [name: string, operands: number, results: 0 | 1, immediate?: 'local' | 'constant' | 'memory' | 'lane' | 'lanes']

const plain: Readonly<Record<number, Instruction>> = {
  32: ['local.get', 0, 1, 'local'],
  33: ['local.set', 1, 0, 'local'],
  65: ['i32.const', 0, 1, 'constant'],
  69: ['i32.eqz', 1, 1],
  78: ['i32.ge_s', 2, 1],
  106: ['i32.add', 2, 1],
  113: ['i32.and', 2, 1],
}
const vector: Readonly<Record<number, Instruction>> = {
  0: ['v128.load', 1, 1, 'memory'],
  11: ['v128.store', 2, 0, 'memory'],
  13: ['i8x16.shuffle', 2, 1, 'lanes'],
  90: ['v128.store32_lane', 2, 0, 'lane'],
  91: ['v128.store64_lane', 2, 0, 'lane'],
  224: ['f32x4.abs', 1, 1],
  225: ['f32x4.neg', 1, 1],
  227: ['f32x4.sqrt', 1, 1],
  228: ['f32x4.add', 2, 1],
  230: ['f32x4.mul', 2, 1],
}

/** Reads bytes in order. */
class Reader {
  at = 0
  readonly #bytes: Uint8Array
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }
  byte(): number {
    return this.#bytes[this.at++]
  }
  /** LEB128: seven bits a byte, lowest first; bit 7 is set if more bytes follow. In a signed number the top bit repeats. */
  integer(signed = false): number {
    let value = 0
    for (let shift = 0; ; ) {
      const byte = this.byte()
      value |= (byte & 127) << shift
      shift += 7
      if (byte >= 128) continue
      return signed && byte & 64 && shift < 32 ? value | (-1 << shift) : value
    }
  }
  /** Moves to the content of a section. */
  section(id: number): void {
    this.at = 8 // after "\0asm" and the version
    while (this.byte() !== id) {
      const size = this.integer() // reading it moves on, so it must come before the sum
      this.at += size
    }
    this.integer() // the size of the section
  }
}

/** The first function of a module as text, one statement after the other, operands in brackets. */
export function disassemble(bytes: Uint8Array, parameters: readonly string[]): string[] {
  const code = new Reader(bytes)
  code.section(10)
  code.integer() // number of functions
  const end = code.integer() + code.at
  for (let groups = code.integer(); groups > 0; groups--) {
    code.integer() // the number of locals
    code.byte() // their type
  }
  const local = (i: number): string => `$${parameters[i] ?? i}`
  const stack: string[] = []
  const lines: string[] = []
  let depth = 0
  const line = (text: string): void => void lines.push('  '.repeat(depth) + text)

  const simple = ([name, operands, results, immediate]: Instruction): void => {
    const words = [name]
    if (immediate === 'local') words.push(local(code.integer()))
    if (immediate === 'constant') words.push(String(code.integer(true)))
    if (immediate === 'memory' || immediate === 'lane') {
      code.integer() // the alignment, a hint
      const offset = code.integer()
      if (offset > 0) words.push(`offset=${offset}`)
      if (immediate === 'lane') words.push(String(code.byte()))
    }
    if (immediate === 'lanes') for (let i = 0; i < 16; i++) words.push(String(code.byte()))
    if (operands > 0) words.push(...stack.splice(-operands))
    const text = name === 'local.get' ? words[1] : `(${words.join(' ')})`
    if (results > 0) stack.push(text)
    else line(text)
  }

  while (code.at < end) {
    const opcode = code.byte()
    if (opcode === 2 || opcode === 3 || opcode === 4) {
      code.byte() // no result
      line(opcode === 4 ? `(if ${stack.pop()}` : opcode === 3 ? '(loop' : '(block')
      depth++
    } else if (opcode === 12) line(`(br ${code.integer()})`)
    else if (opcode === 13) line(`(br_if ${code.integer()} ${stack.pop()})`)
    else if (opcode === 11) {
      depth--
      if (depth >= 0) line(')')
    } else {
      const number = opcode === 0xfd ? code.integer() : opcode
      const instruction = opcode === 0xfd ? vector[number] : plain[number]
      if (!instruction) throw new Error(`disassemble: this reader does not know instruction ${opcode === 0xfd ? '0xfd ' : ''}${number}.`)
      simple(instruction)
    }
  }
  return lines
}

/** The kernel that a new wasm backend emits for an elementwise op of one argument. */
export async function listing(op: (x: Tensor) => Tensor): Promise<string[]> {
  const caught: Uint8Array[] = []
  const backend = createWasmBackend()
  const original = WebAssembly.Module
  WebAssembly.Module = class extends original {
    constructor(bytes: Uint8Array) {
      super(bytes)
      caught.push(bytes)
    }
  }
  try {
    scope(() => op(tensor([1, 2, 3], { backend })))
  } finally {
    WebAssembly.Module = original
    await backend.dispose?.()
  }
  return disassemble(caught[caught.length - 1], ['out', 'x', 'n'])
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) console.log((await listing((x) => x.square())).join('\n'))
