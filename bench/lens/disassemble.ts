/**
 * Turns WebAssembly modules back into text: one instruction a line, in the order of the stack machine, indented by blocks. It knows the instructions that
 * core's assembler emits (opcodes.ts); any other opcode is an error that names it.
 *
 * Format: WebAssembly Core Specification 2.0, section 5.
 */
import { type Immediate, type Instruction, misc, plain, vector } from './opcodes.js'

/** One instruction, with the depth of its block. */
export interface Line {
  depth: number
  /** `f32x4.relaxed_madd`, `loop`, `end` … */
  name: string
  /** The text behind the name. */
  operands: string
  /** The position behind the instruction in the module's bytes. */
  next: number
}

export interface Disassembled {
  /** The name of its export, or its number. */
  name: string
  parameters: string[]
  /** As the module's section of names has them; empty without one. */
  parameterNames: string[]
  results: string[]
  /** In groups of one type, as in the module: `12 v128`. */
  locals: string[]
  lines: Line[]
  /** Where its first instruction and its closing `end` stand in the module's bytes. */
  code: { start: number; end: number }
}

const typeNames: Record<number, string> = { 127: 'i32', 126: 'i64', 125: 'f32', 124: 'f64', 123: 'v128' }
const typeName = (code: number): string => {
  if (!(code in typeNames)) throw new Error(`disassemble: there is no value type ${code}.`)
  return typeNames[code]
}

/** Reads bytes in order. */
class Reader {
  at: number
  readonly #bytes: Uint8Array
  readonly #view: DataView
  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.at = at
  }
  get done(): boolean {
    return this.at >= this.#bytes.length
  }
  byte(): number {
    if (this.done) throw new Error('disassemble: the module ends too early.')
    return this.#bytes[this.at++]
  }
  /** LEB128, up to 64 bits. */
  big(signed: boolean): bigint {
    let value = 0n
    for (let shift = 0n; ; ) {
      const byte = this.byte()
      value |= BigInt(byte & 127) << shift
      shift += 7n
      if (byte < 128) return signed && byte & 64 ? value - (1n << shift) : value
    }
  }
  unsigned(): number {
    return Number(this.big(false))
  }
  text(): string {
    const length = this.unsigned()
    this.at += length
    return new TextDecoder().decode(this.#bytes.subarray(this.at - length, this.at))
  }
  list<T>(item: () => T): T[] {
    return Array.from({ length: this.unsigned() }, item)
  }
  float(bytes: 4 | 8): number {
    this.at += bytes
    return bytes === 4 ? this.#view.getFloat32(this.at - 4, true) : this.#view.getFloat64(this.at - 8, true)
  }
}

/** The operands behind an opcode, as text. */
function operandsOf(code: Reader, immediate: Immediate): string {
  const memory = (): string => {
    code.unsigned() // alignment, a hint
    const offset = code.unsigned()
    return offset > 0 ? `offset=${offset}` : ''
  }
  switch (immediate) {
    case 'none':
      return ''
    case 'local':
    case 'call':
    case 'label':
      return String(code.unsigned())
    case 'i32':
    case 'i64':
      return String(code.big(true))
    case 'f32':
      return String(code.float(4))
    case 'f64':
      return String(code.float(8))
    case 'memory':
      return memory()
    case 'lane':
      return String(code.byte())
    case 'memory lane':
      return `${memory()} ${code.byte()}`.trim()
    case 'bytes':
      return Array.from({ length: 16 }, () => code.byte()).join(' ')
    case 'zero':
    case 'zeros':
      for (let i = immediate === 'zero' ? 1 : 2; i > 0; i--) code.byte()
      return ''
  }
}

function instruction(code: Reader, opcode: number): Instruction {
  const prefixed = opcode === 0xfd ? vector : opcode === 0xfc ? misc : undefined
  const number = prefixed ? code.unsigned() : opcode
  const known = (prefixed ?? plain).get(number)
  if (!known) throw new Error(`disassemble: unknown instruction ${prefixed ? `0x${opcode.toString(16)} ` : ''}0x${number.toString(16)}.`)
  return known
}

function body(code: Reader): Pick<Disassembled, 'locals' | 'lines' | 'code'> {
  const size = code.unsigned()
  const end = code.at + size
  const locals = code.list(() => `${code.unsigned()} ${typeName(code.byte())}`)
  const lines: Line[] = []
  const start = code.at
  let depth = 0
  const add = (depth: number, name: string, operands = ''): void => void lines.push({ depth, name, operands, next: code.at })
  while (code.at < end - 1) {
    const opcode = code.byte()
    if (opcode >= 0x02 && opcode <= 0x04) {
      if (code.byte() !== 0x40) throw new Error('disassemble: only blocks without results are known.')
      add(depth++, { 2: 'block', 3: 'loop', 4: 'if' }[opcode] ?? '')
    } else if (opcode === 0x05) add(depth - 1, 'else')
    else if (opcode === 0x0b) add(--depth, 'end')
    else {
      const { name, immediate } = instruction(code, opcode)
      add(depth, name, operandsOf(code, immediate))
    }
  }
  code.byte() // the end of the function
  return { locals, lines, code: { start, end: end - 1 } }
}

/** All functions of a module, in order. */
export function disassemble(bytes: Uint8Array): Disassembled[] {
  if (bytes[0] !== 0 || bytes[1] !== 0x61 || bytes[2] !== 0x73 || bytes[3] !== 0x6d)
    throw new Error('disassemble: this is no WebAssembly module.')
  const code = new Reader(bytes, 8) // after "\0asm" and the version
  let types: { parameters: string[]; results: string[] }[] = []
  let typeOf: number[] = []
  const names = new Map<number, string>()
  let bodies: Pick<Disassembled, 'locals' | 'lines' | 'code'>[] = []
  const parameterNames = new Map<number, string[]>()
  const valueTypes = (): string[] => code.list(() => typeName(code.byte()))
  while (!code.done) {
    const id = code.byte()
    const size = code.unsigned()
    const end = code.at + size
    if (id === 1) {
      types = code.list(() => {
        code.byte() // a function
        return { parameters: valueTypes(), results: valueTypes() }
      })
    } else if (id === 3) typeOf = code.list(() => code.unsigned())
    else if (id === 7) {
      for (const [name, kind, index] of code.list(() => [code.text(), code.byte(), code.unsigned()] as const)) {
        if (kind === 0) names.set(index, name)
      }
    } else if (id === 10) bodies = code.list(() => body(code))
    else if (id === 0 && code.text() === 'name') {
      while (code.at < end) {
        const kind = code.byte()
        const next = code.unsigned() + code.at
        if (kind === 2) {
          for (const [index, names] of code.list(
            () => [code.unsigned(), code.list(() => [code.unsigned(), code.text()] as const)] as const,
          ))
            parameterNames.set(
              index,
              names.map(([, name]) => name),
            )
        }
        code.at = next
      }
    }
    code.at = end
  }
  return bodies.map((each, i) => ({
    name: names.get(i) ?? `$${i}`,
    ...types[typeOf[i]],
    parameterNames: parameterNames.get(i) ?? [],
    ...each,
  }))
}

/** The instructions that end a statement; the ones before share its line. */
export const endsStatement = /^(local\.set|br|br_if|return|drop|call|memory\.\w+|\w+\.store\w*|block|loop|if|else|end|unreachable)$/

/** Instructions as text, one statement a line. */
export function textOf(lines: readonly Line[]): string[] {
  const least = Math.min(...lines.map(({ depth }) => depth))
  const text: string[] = []
  let words: string[] = []
  for (const { depth, name, operands } of lines) {
    words.push(operands ? `${name} ${operands}` : name)
    if (!endsStatement.test(name)) continue
    text.push('  '.repeat(depth - least) + words.join('  '))
    words = []
  }
  if (words.length > 0) text.push(words.join('  '))
  return text
}

/** A function as text. */
export function listing({ name, parameters, results, locals, lines }: Disassembled): string[] {
  const signature = [`func ${name}`, `(param ${parameters.join(' ')})`, ...(results.length ? [`(result ${results.join(' ')})`] : [])].join(
    ' ',
  )
  return [signature, ...(locals.length ? [`  locals ${locals.join(', ')}`] : []), ...textOf(lines).map((line) => `  ${line}`)]
}
