/**
 * GPT-2's alphabet: a printable character for each byte, so that tokens can be written as text. Printable characters of Latin-1 stand for
 * themselves; the other bytes get U+0100 onwards, a space U+0120 "Ġ" (Radford et al. 2019, `bytes_to_unicode`).
 */

const stands = (byte: number): boolean => (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte !== 0xad)

/** The character of each byte. */
export const characters: readonly string[] = (() => {
  let next = 0x100
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(stands(byte) ? byte : next++))
})()

const byteOf: ReadonlyMap<string, number> = new Map(characters.map((character, byte) => [character, byte]))

/** The bytes that a token stands for: of its characters if all are of the alphabet, otherwise of its UTF-8. */
export function bytesOfToken(token: string): Uint8Array {
  const out = new Uint8Array(token.length)
  for (let i = 0; i < token.length; i++) {
    const byte = byteOf.get(token[i])
    if (byte === undefined) return new TextEncoder().encode(token)
    out[i] = byte
  }
  return out
}
