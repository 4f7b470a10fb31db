/** Bytes as text. Neither `Buffer` nor `btoa` is in every host. */

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** Bytes in base64 (RFC 4648, section 4). */
export function base64(bytes: Uint8Array): string {
  const parts: string[] = []
  let text = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const three = (bytes[i] << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0)
    text += letters[three >> 18] + letters[(three >> 12) & 63]
    text += i + 1 < bytes.length ? letters[(three >> 6) & 63] : '='
    text += i + 2 < bytes.length ? letters[three & 63] : '='
    if (text.length < 8192) continue
    parts.push(text)
    text = ''
  }
  return parts.join('') + text
}
