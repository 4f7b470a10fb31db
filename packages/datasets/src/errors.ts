/**
 * Every error this package throws on purpose: data that are missing, damaged or not what they claim to be, and arguments
 * that do not fit them.
 *
 * The message names the file or address, what was expected and what was found; `cause` holds the error underneath, if any.
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
