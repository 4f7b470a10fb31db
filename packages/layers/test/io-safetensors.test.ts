/** Safetensors files that ask for more than they hold, and arrays that the writer must refuse. */
import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { readSafetensors, writeSafetensors } from '../src/index.js'

describe('safetensors that ask for more than they hold', () => {
  test('overlapping arrays are refused before any is copied', () => {
    const header = Object.fromEntries(
      Array.from({ length: 2000 }, (_, i) => [`a${i}`, { dtype: 'F32', shape: [2 ** 18], data_offsets: [0, 2 ** 20] }]),
    )
    const text = new TextEncoder().encode(JSON.stringify(header))
    const bytes = new Uint8Array(8 + text.length + 2 ** 20)
    new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true)
    bytes.set(text, 8)
    const before = process.memoryUsage().arrayBuffers
    expect(() => readSafetensors(bytes)).toThrow('array "a1": overlaps the one before it')
    // 2 GB if they were copied first; the garbage collector may not have run in between.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20e6)
  })

  test('half precision and bfloat16 of every bit pattern, against their definitions', () => {
    const patterns = Uint16Array.from({ length: 65536 }, (_, i) => i)
    const header = {
      h: { dtype: 'F16', shape: [65536], data_offsets: [0, 131072] },
      b: { dtype: 'BF16', shape: [65536], data_offsets: [131072, 262144] },
    }
    const text = new TextEncoder().encode(JSON.stringify(header))
    const bytes = new Uint8Array(8 + text.length + 262144)
    new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true)
    bytes.set(text, 8)
    bytes.set(new Uint8Array(patterns.buffer), 8 + text.length)
    bytes.set(new Uint8Array(patterns.buffer), 8 + text.length + 131072)
    const { arrays } = readSafetensors(bytes)
    const half = (bits: number): number => {
      const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023]
      if (exponent === 0) return sign * fraction * 2 ** -24
      if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
      return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
    }
    const brain = new DataView(new ArrayBuffer(4))
    const [h, b] = [arrays.get('h')!.data, arrays.get('b')!.data]
    let wrong = 0
    for (let i = 0; i < 65536; i++) {
      brain.setUint16(0, i)
      if (!Object.is(h[i], half(i)) || !Object.is(b[i], brain.getFloat32(0))) wrong++
    }
    expect(wrong).toBe(0)
  })

  // As a JavaScript array they would take 160 MB of the heap.
  test.each(['F16', 'BF16'])('20 million numbers as %s in a heap of 100 MB', (dtype) => {
    const program = `
      import { readSafetensors } from '@cotangent/layers'
      const n = 20_000_000
      const text = new TextEncoder().encode(JSON.stringify({ a: { dtype: '${dtype}', shape: [n], data_offsets: [0, 2 * n] } }))
      const bytes = new Uint8Array(8 + text.length + 2 * n)
      new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true)
      bytes.set(text, 8)
      bytes.set(${dtype === 'F16' ? '[0x00, 0x3c]' : '[0x80, 0x3f]'}, bytes.length - 2)
      console.log(readSafetensors(bytes).arrays.get('a').data[n - 1])`
    const flags = ['--max-old-space-size=100', '--conditions=@cotangent/source', '--import', 'tsx', '--input-type=module', '-e', program]
    expect(execFileSync(process.execPath, flags, { encoding: 'utf8', cwd: import.meta.dirname }).trim()).toBe('1')
  })

  test.each<[string, () => unknown, string]>([
    ['Uint8Array', () => new Uint8Array(1), 'an Uint8Array of 1'],
    ['Int8Array', () => new Int8Array(1), 'an Int8Array of 1'],
    ['Int16Array', () => new Int16Array(1), 'an Int16Array of 1'],
    ['Uint32Array', () => new Uint32Array(1), 'an Uint32Array of 1'],
    ['a list', () => [1], 'an array of 1'],
  ])('writes no %s, which it could not read or would read otherwise', (_, data, found) => {
    const array = { shape: [1], data: data() as Float32Array }
    expect(() => writeSafetensors([['a', array]])).toThrow(
      `writeSafetensors: "a" must be a Float32Array, Float64Array or Int32Array, got ${found}.`,
    )
  })

  test('any name is kept; a shape and metadata that are none are refused', () => {
    const one = { shape: [1], data: Float32Array.of(1) }
    const names = ['__proto__', 'constructor', 'b', 'a']
    expect([...readSafetensors(writeSafetensors(names.map((name) => [name, one]))).arrays.keys()].sort()).toEqual([...names].sort())
    expect(() => writeSafetensors([['a', { shape: [2.5, 2], data: new Float32Array(5) }]])).toThrow('"a": [2.5,2] is not a shape')
    expect(() => writeSafetensors([['a', one]], { step: 3 as unknown as string })).toThrow(
      'writeSafetensors: metadata "step" must be text, got 3.',
    )
    expect(() => readSafetensors(new ArrayBuffer(9) as unknown as Uint8Array)).toThrow(
      'readSafetensors: bytes must be a Uint8Array, got an ArrayBuffer',
    )
  })
})
