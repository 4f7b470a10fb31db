/**
 * Counts how often each instruction of a module runs. A copy of the module has a counter at the start of every stretch of code without a branch: in each
 * function, after `loop`, `if`, `else` and `end`, and after a branch that may not be taken. The counters are exported globals, so the copy computes what the module does.
 *
 * Format: WebAssembly Core Specification 2.0, section 5.
 */
import { leb128 } from '../wasm-bytes.js'
import type { Disassembled } from './disassemble.js'

export type Exports = Record<string, unknown>

/** Begins the name of a counter's export. */
const PREFIX = 'counter '

/** After these a new stretch begins. */
const BREAKS = new Set(['loop', 'if', 'else', 'end', 'br_if'])

/** global.get i, i64.const 1, i64.add, global.set i */
const increment = (i: number): number[] => [0x23, ...leb128(i), 0x42, 0x01, 0x7c, 0x24, ...leb128(i)]

/** For each function the counter of each of its lines. */
type Counters = number[][]

function stretches(functions: readonly Disassembled[]): { of: Counters; count: number } {
  let count = 0
  const of = functions.map(({ lines }) => {
    let now = count++
    return lines.map(({ name }) => {
      const mine = now
      if (BREAKS.has(name)) now = count++
      return mine
    })
  })
  return { of, count }
}

/** The module with counters in it. It must have no globals of its own, as those of core's assembler. */
export function withCounters(bytes: Uint8Array, functions: readonly Disassembled[]): Uint8Array<ArrayBuffer> {
  const { of, count } = stretches(functions)
  const out: number[] = [...bytes.subarray(0, 8)]
  const section = (id: number, content: readonly number[]): void => void out.push(id, ...leb128(content.length), ...content)
  const globals = (): void => section(6, [...leb128(count), ...Array.from({ length: count }, () => [0x7e, 0x01, 0x42, 0x00, 0x0b]).flat()])
  for (let at = 8; at < bytes.length; ) {
    const id = bytes[at++]
    let size = 0
    for (let shift = 0, byte = 128; byte & 128; shift += 7) {
      byte = bytes[at++]
      size |= (byte & 127) << shift
    }
    const content = bytes.subarray(at, at + size)
    at += size
    if (id === 7) {
      globals()
      const exports = Array.from({ length: count }, (_, i) => {
        const name = new TextEncoder().encode(PREFIX + i)
        return [...leb128(name.length), ...name, 0x03, ...leb128(i)]
      })
      // Their number is a LEB128, too; what follows it stays.
      let [there, length] = [0, 0]
      for (let shift = 0, byte = 128; byte & 128; shift += 7) {
        byte = content[length++]
        there |= (byte & 127) << shift
      }
      section(7, [...leb128(there + count), ...content.subarray(length), ...exports.flat()])
    } else if (id === 10) section(10, [...leb128(functions.length), ...functions.flatMap((each, i) => counted(bytes, each, of[i]))])
    else if (id !== 0) section(id, [...content])
  }
  return Uint8Array.from(out)
}

/** A function's entry of the code section. */
function counted(bytes: Uint8Array, { locals, lines, code }: Disassembled, counters: readonly number[]): number[] {
  const types: Record<string, number> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b }
  const groups = locals.map((group) => {
    const [count, type] = group.split(' ')
    return [...leb128(Number(count)), types[type]]
  })
  const body: number[] = [...leb128(groups.length), ...groups.flat(), ...increment(counters[0] ?? 0)]
  let from = code.start
  lines.forEach(({ name, next }, i) => {
    if (!BREAKS.has(name)) return
    body.push(...bytes.subarray(from, next), ...increment(counters[i + 1] ?? lastOf(counters)))
    from = next
  })
  body.push(...bytes.subarray(from, code.end), 0x0b)
  return [...leb128(body.length), ...body]
}

/** The counter behind a function's last line, if that begins a stretch without instructions. */
const lastOf = (counters: readonly number[]): number => counters[counters.length - 1] + 1

/** How often each line has run, for each function. */
export function countsOf(functions: readonly Disassembled[], exports: Exports): number[][] {
  return stretches(functions).of.map((lines) => lines.map((i) => Number((exports[PREFIX + i] as unknown as { value: bigint }).value)))
}

/** Without the counters, as those who call the module expect its exports. */
export const withoutCounters = (exports: Exports): Exports =>
  Object.fromEntries(Object.entries(exports).filter(([name]) => !name.startsWith(PREFIX)))
