/** A value as text, as `console.log` prints it in a page. */
export const shown = (value: unknown): string => (typeof value === 'string' ? value : inside(value, 0))

/** Values in lists and objects, down to this depth; a circle ends there, too. */
const DEEPEST = 8

function inside(value: unknown, depth: number): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (value === null || typeof value !== 'object') return String(value)
  if (depth > DEEPEST) return '…'
  const list = (values: Iterable<unknown> | ArrayLike<unknown>): string => Array.from(values, (each) => inside(each, depth + 1)).join(', ')
  if (Array.isArray(value)) return `[${list(value)}]`
  if (ArrayBuffer.isView(value) && 'length' in value) return `[${list(value as unknown as ArrayLike<number>)}]`
  if (Object.getPrototypeOf(value) !== Object.prototype) return String(value)
  const entries = Object.entries(value).map(([name, each]) => `${name}: ${inside(each, depth + 1)}`)
  return entries.length > 0 ? `{ ${entries.join(', ')} }` : '{}'
}
