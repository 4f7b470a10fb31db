/** Bits of arrays in a few characters, to compare results of two processes. */
import type { TypedArray } from '../src/index.js'

/** FNV-1a over all bytes, and how many there were. */
export function digest(arrays: readonly TypedArray[]): string {
  let hash = 0x811c9dc5
  let count = 0
  for (const { buffer, byteOffset, byteLength } of arrays) {
    for (const byte of new Uint8Array(buffer, byteOffset, byteLength)) hash = Math.imul(hash ^ byte, 0x01000193)
    count += byteLength
  }
  return `${(hash >>> 0).toString(16).padStart(8, '0')} of ${count} bytes`
}
