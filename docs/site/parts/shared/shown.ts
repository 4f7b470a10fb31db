/** A value as text, as `console.log` prints it in a page. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return value
  if (value === null || typeof value !== 'object') return String(value)
  if (ArrayBuffer.isView(value)) return `[${Array.from(value as unknown as ArrayLike<number>).join(', ')}]`
  if (Object.getPrototypeOf(value) === Object.prototype || Array.isArray(value)) {
    try {
      return JSON.stringify(value)
    } catch {
      // has a cycle
    }
  }
  return String(value)
}
