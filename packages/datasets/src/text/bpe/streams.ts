/** Texts in chunks to tokens, and tokens to texts in chunks: the same as of the whole, wherever it was cut. */
import { describeValue, requireText } from '../../arguments.js'
import { DatasetError } from '../../errors.js'
import { safeCut } from './patterns.js'
import type { SpecialTokens } from './special-tokens.js'

/** Throws at once unless `value` can be iterated; text is iterable, too, but its characters are not meant. */
function requireSource(what: string, name: string, value: unknown, example: string): void {
  const can = typeof value === 'object' && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value)
  if (!can) throw new DatasetError(`${what}: ${name} must be ${example}, got ${describeValue(value)}.`)
}

/**
 * @param encode tokens of a part; whether it begins the text
 */
export function encodedStream(
  what: string,
  chunks: Iterable<string> | AsyncIterable<string>,
  special: SpecialTokens,
  encode: (text: string, begins: boolean) => Int32Array,
): AsyncGenerator<Int32Array, void> {
  requireSource(what, 'chunks', chunks, 'a stream or list of texts')
  return (async function* () {
    let kept = ''
    let begins = true
    let number = 0
    for await (const chunk of chunks) {
      requireText(what, `chunk ${number++}`, chunk)
      // Places before were looked at; the last ones lacked what follows.
      const looked = kept.length - special.longest - 2
      kept += chunk
      const cut = cutOf(kept, looked, special)
      if (cut === 0) continue
      const tokens = encode(kept.slice(0, cut), begins)
      kept = kept.slice(cut)
      begins = false
      if (tokens.length > 0) yield tokens
    }
    const tokens = encode(kept, begins)
    if (tokens.length > 0) yield tokens
  })()
}

/** The last place to cut that is certain: not inside a special token, nor behind one that takes along the space that follows. */
function cutOf(text: string, from: number, special: SpecialTokens): number {
  // A special token that begins before the cut must be there whole, with the space behind it.
  let cut = safeCut(text.slice(0, Math.max(0, text.length - special.longest)), from)
  if (cut === 0) return 0
  for (const { begin, end } of special.find(text)) {
    if (begin >= cut) break
    if (end >= cut) cut = begin
  }
  return cut
}

/** @param decode bytes of tokens */
export function decodedStream(
  what: string,
  tokens: Iterable<number | ArrayLike<number>> | AsyncIterable<number | ArrayLike<number>>,
  decode: (tokens: ArrayLike<number>) => Uint8Array<ArrayBuffer>,
): AsyncGenerator<string, void> {
  requireSource(what, 'tokens', tokens, 'a stream or list of tokens')
  return (async function* () {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
    for await (const some of tokens) {
      const list = typeof some === 'object' && some !== null ? some : [some]
      const text = decoder.decode(decode(list), { stream: true })
      if (text !== '') yield text
    }
    const rest = decoder.decode()
    if (rest !== '') yield rest
  })()
}
