/** Many lists of whole numbers in one growing Int32Array, each a stretch of it. */

/** The place of a list: `begin … end - 1`. */
export interface Span {
  begin: number
  end: number
}

export class IntegerPool {
  #values = new Int32Array(1 << 16)
  /** The number of numbers, including those of lists that moved. */
  used = 0

  /** An empty list at the end. */
  open(): Span {
    return { begin: this.used, end: this.used }
  }

  /** Makes a list the last one, so that it can grow: lists are written one after the other, and one that goes on later moves. */
  reopen(list: Span): void {
    if (list.end === this.used) return
    const count = list.end - list.begin
    this.#reserve(count)
    this.#values.copyWithin(this.used, list.begin, list.end)
    list.begin = this.used
    this.used += count
    list.end = this.used
  }

  /** Adds a number to the last list. */
  push(list: Span, value: number): void {
    this.#reserve(1)
    this.#values[this.used++] = value
    list.end = this.used
  }

  view(list: Span): Int32Array {
    return this.#values.subarray(list.begin, list.end)
  }

  #reserve(count: number): void {
    if (this.used + count <= this.#values.length) return
    const larger = new Int32Array(Math.max(this.used + count, this.#values.length * 2))
    larger.set(this.#values.subarray(0, this.used))
    this.#values = larger
  }
}
