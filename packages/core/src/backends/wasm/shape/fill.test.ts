/** Fills of every length and pattern, around the length from which the host fills zeros, write what they should and nothing behind it. */
import { expect, it } from 'vitest'
import { Engine } from '../engine/engine.js'
import { emitFill } from './copy.js'

it.each([0, 0x3f800000, -1])('the pattern %s', (pattern) => {
  const engine = new Engine({ threads: 1 })
  const fill = engine.compileOne((module) => emitFill(module))
  const at = engine.memory.alloc(8192)
  const bytes = engine.memory.bytes8.subarray(at, at + 8192)
  const one = new Uint8Array(Int32Array.of(pattern).buffer)
  for (const length of [0, 1, 3, 4, 63, 64, 67, 4095, 4096, 4097, 4162, 8000]) {
    bytes.fill(7)
    fill(at, length, pattern)
    // A pattern that is cut is one byte over and over.
    const want = bytes.map((_, i) => (i < length ? one[i - (i % 4) + 4 <= length ? i % 4 : 0] : 7))
    expect(Buffer.compare(bytes, want), `${length} bytes`).toBe(0)
  }
})
