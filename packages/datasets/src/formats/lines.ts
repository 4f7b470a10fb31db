/** The lines of a byte stream, one at a time: files larger than memory can be read. */
import { DatasetError } from '../errors.js'
import { joined } from '../stream.js'

/** A line that is longer is no line of text. */
const longest = 1 << 20

/**
 * Calls `use` with the bytes of each line, without its end, and its number from 1. The bytes are a view that is only valid during the call.
 * A last line without an end is a line; nothing after the last end is none.
 *
 * @throws DatasetError if a line has more than 1 MiB, with its number and the `name` of the data.
 */
export async function eachLine(
  stream: ReadableStream<Uint8Array>,
  use: (line: Uint8Array, number: number) => void,
  name = 'text',
): Promise<void> {
  const reader = stream.getReader()
  let rest = new Uint8Array(0)
  let number = 0
  const give = (line: Uint8Array): void => use(line.at(-1) === 13 ? line.subarray(0, -1) : line, ++number)
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      let from = 0
      for (let end = value.indexOf(10); end >= 0; end = value.indexOf(10, from)) {
        if (rest.length > 0) {
          const last = value.subarray(0, end)
          give(joined([rest, last], rest.length + last.length))
          rest = new Uint8Array(0)
        } else give(value.subarray(from, end))
        from = end + 1
      }
      if (from < value.length) {
        const begun = value.subarray(from)
        rest = joined([rest, begun], rest.length + begun.length)
      }
      if (rest.length > longest) throw new DatasetError(`${name}: line ${number + 1} is longer than ${longest} bytes: is it a text file?`)
    }
    if (rest.length > 0) give(rest)
  } finally {
    // After an error nobody reads on.
    await reader.cancel().catch(() => {})
  }
}
