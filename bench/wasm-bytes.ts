/** Makes a WebAssembly module of function bodies that are bytes already. The probes need no more than that. */

type ValueType = 'i32' | 'f32' | 'v128'
const typeCode: Record<ValueType, number> = { i32: 0x7f, f32: 0x7d, v128: 0x7b }

/** A function of the module; its name is its export. */
export interface FunctionBytes {
  name: string
  parameters: readonly ValueType[]
  result?: ValueType
  /** In groups of one type. Locals are numbered after the parameters. */
  locals?: readonly { count: number; type: ValueType }[]
  /** Instructions, without the closing `end`. */
  code: readonly number[]
}

/** LEB128: seven bits a byte, lowest first; bit 7 is set if more bytes follow. */
export function leb128(value: number, signed = false): number[] {
  const bytes: number[] = []
  for (let rest = value; ; ) {
    const low = rest & 0x7f
    rest = signed ? rest >> 7 : rest >>> 7
    const done = signed ? rest === (low & 0x40 ? -1 : 0) : rest === 0
    bytes.push(done ? low : low | 0x80)
    if (done) return bytes
  }
}

const vector = (items: readonly (readonly number[])[]): number[] => [...leb128(items.length), ...items.flat()]
const sized = (bytes: readonly number[]): number[] => [...leb128(bytes.length), ...bytes]
const section = (id: number, items: readonly (readonly number[])[]): number[] => [id, ...sized(vector(items))]
const text = (name: string): number[] => sized([...new TextEncoder().encode(name)])

/** The binary module, with one memory of its own exported as `memory`. */
export function wasmModule({
  memoryPages,
  functions,
}: {
  memoryPages: number
  functions: readonly FunctionBytes[]
}): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00], // "\0asm", version 1
    ...section(
      1,
      functions.map(({ parameters, result }) => [
        0x60,
        ...vector(parameters.map((type) => [typeCode[type]])),
        ...vector(result ? [[typeCode[result]]] : []),
      ]),
    ),
    ...section(
      3,
      functions.map((_, i) => leb128(i)),
    ),
    ...section(5, [[0x00, ...leb128(memoryPages)]]),
    ...section(7, [[...text('memory'), 0x02, 0x00], ...functions.map(({ name }, i) => [...text(name), 0x00, ...leb128(i)])]),
    ...section(
      10,
      functions.map(({ locals = [], code }) =>
        sized([...vector(locals.map(({ count, type }) => [...leb128(count), typeCode[type]])), ...code, 0x0b]),
      ),
    ),
  ])
}
