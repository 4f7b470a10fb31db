/** A binary heap: the least item first (Williams 1964). */
export class Heap<T> {
  readonly #items: T[] = []
  readonly #compare: (a: T, b: T) => number

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare
  }

  push(item: T): void {
    const items = this.#items
    let at = items.length
    items.push(item)
    while (at > 0) {
      const above = (at - 1) >> 1
      if (this.#compare(items[above], item) <= 0) break
      items[at] = items[above]
      at = above
    }
    items[at] = item
  }

  /** Takes the least item out; undefined if there is none. */
  pop(): T | undefined {
    const items = this.#items
    const top = items[0]
    const last = items.pop()
    if (items.length === 0 || last === undefined) return top
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      if (below >= items.length) break
      if (below + 1 < items.length && this.#compare(items[below + 1], items[below]) < 0) below++
      if (this.#compare(last, items[below]) <= 0) break
      items[at] = items[below]
      at = below
    }
    items[at] = last
    return top
  }
}
