/** A digest of arrays: a few characters that depend on every bit. Tests compare the results of two processes by it. */
import type { TypedArray } from '../src/index.js'

/** FNV-1a over all bytes, and the number of bytes. */
export function digest(arrays: readonly TypedArray[]): string {
  let hash = 0x811c9dc5
  let count = 0
  for (const { buffer, byteOffset, byteLength } of arrays) {
    for (const byte of new Uint8Array(buffer, byteOffset, byteLength)) hash = Math.imul(hash ^ byte, 0x01000193)
    count += byteLength
  }
  return `${(hash >>> 0).toString(16).padStart(8, '0')} of ${count} bytes`
}
