/**
 * The queue of a device: tasks run first in, first out. A task runs at once if nothing waits. So on an engine that answers at once
 * every task runs inside the call, and its error reaches the caller. A task that gives a Promise makes later tasks wait.
 */
/** A task. If it gives a Promise, the Promise must not fail: nobody would hear of it. */
export type Task = () => Promise<void> | undefined

/** The most tasks that are done and still in the list. */
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

  /** Resolves when all tasks added so far are done. */
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
