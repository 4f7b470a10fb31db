/**
 * Two copies of this package in one process: two versions are installed, or one is in a bundle and one is not. Each copy has classes, scopes and tapes of its own, so it
 * cannot use tensors of the other. Every tensor carries a mark of the copy that made it, under a key that all copies share.
 */
/** The key of the mark. */
export const COPY_KEY = Symbol.for('@cotangent/core: the copy that made this tensor')

/** The mark of this copy. */
export const thisCopy: object = {}

/** Whether a value is a tensor of another copy. */
export function isStranger(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const mark = (value as { [COPY_KEY]?: object })[COPY_KEY]
  return mark !== undefined && mark !== thisCopy
}

/** A tensor of another copy, described for messages. */
export const stranger =
  'a tensor of another copy of @cotangent/core: two are loaded, and tensors of one mean nothing to the other. Leave one: `npm ls @cotangent/core` shows where they come from, ' +
  'and the same version of core for all packages (then `npm dedupe`) makes one of them; in a bundle, import it everywhere by the same name'
