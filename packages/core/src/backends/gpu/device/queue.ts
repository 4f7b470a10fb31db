/**
 * The order of what happens on a device: first in, first out. A task runs at once if nothing waits, so on engines that answer at once
 * every task runs inline and what it throws reaches its caller. A task that gives a Promise makes the ones after it wait.
 */

/** Tasks that may give a Promise must not fail: there is nobody to tell. */
export type Task = () => Promise<void> | undefined

/** Tasks that are done and still in the list, at most. */
const TRIM = 1024

export class Queue {
  #tasks: (Task | undefined)[] = []
  #next = 0
  #waiting = false

  add(task: Task): void {
    if (this.#waiting) {
      this.#tasks.push(task)
      return
    }
    const wait = task()
    if (!wait) return
    this.#waiting = true
    void this.#drain(wait)
  }

  /** Resolves when all that was added before is done. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.add(() => {
        resolve()
        return undefined
      })
    })
  }

  async #drain(first: Promise<void>): Promise<void> {
    await first
    while (this.#next < this.#tasks.length) {
      const task = this.#tasks[this.#next] as Task
      this.#tasks[this.#next++] = undefined
      const wait = task()
      if (wait) await wait
      if (this.#next >= TRIM) {
        this.#tasks.splice(0, this.#next)
        this.#next = 0
      }
    }
    this.#tasks = []
    this.#next = 0
    this.#waiting = false
  }
}
