/**
 * The class of every error that this package throws on purpose: missing or damaged data, data that are not what they claim to be, and
 * wrong arguments.
 *
 * The message names the file or address, what was expected and what was found. `cause` holds the error underneath, if there is one.
 *
 * @example
 * ```ts
 * try {
 *   parseIdx(Uint8Array.of(1, 2, 3), 'labels')
 * } catch (error) {
 *   console.log(error instanceof DatasetError, (error as Error).message)   // true labels: truncated: an IDX file starts with 4 bytes, found 3
 * }
 * ```
 */
export class DatasetError extends Error {
  override name = 'DatasetError'
}

/** The message of anything thrown, with the code and the reason that `fetch` hides in its cause. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  const hidden = cause instanceof Error ? cause.message || ('code' in cause ? String(cause.code) : '') : ''
  return hidden && !error.message.includes(hidden) ? `${error.message} (${hidden})` : error.message
}
