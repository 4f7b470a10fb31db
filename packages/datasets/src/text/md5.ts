/** MD5 (RFC 1321), of short strings only: `hashingTrick` is synchronous, and pages offer no MD5. No protection against anybody. */

const shifts = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21]
const sines = Int32Array.from({ length: 64 }, (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32) | 0)

/** The 16 bytes of the digest of a text's UTF-8 bytes. */
export function md5(text: string): Uint8Array {
  const message = new TextEncoder().encode(text)
  const padded = new Uint8Array(((message.length + 8) >> 6) * 64 + 64)
  padded.set(message)
  padded[message.length] = 0x80
  const view = new DataView(padded.buffer)
  view.setUint32(padded.length - 8, message.length << 3, true)
  view.setUint32(padded.length - 4, message.length >>> 29, true)
  const state = Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476)
  for (let block = 0; block < padded.length; block += 64) {
    let [a, b, c, d] = state
    for (let i = 0; i < 64; i++) {
      const round = i >> 4
      const f = [(b & c) | (~b & d), (d & b) | (~d & c), b ^ c ^ d, c ^ (b | ~d)][round]
      const word = [i, 5 * i + 1, 3 * i + 5, 7 * i][round] % 16
      const sum = (a + f + sines[i] + view.getInt32(block + 4 * word, true)) | 0
      const by = shifts[round * 4 + (i % 4)]
      a = d
      d = c
      c = b
      b = (b + ((sum << by) | (sum >>> (32 - by)))) | 0
    }
    state[0] += a
    state[1] += b
    state[2] += c
    state[3] += d
  }
  const digest = new DataView(new ArrayBuffer(16))
  state.forEach((word, i) => {
    digest.setInt32(4 * i, word, true)
  })
  return new Uint8Array(digest.buffer)
}
