/**
 * The library in a worker: the page calls functions of the worker's module and gets what they return. The page stays free while they run, and a call that takes
 * too long is ended with its worker.
 *
 * ```ts
 * const engine = new Engine<typeof import('./worker.js').functions>('tape-explorer')   // parts/tape-explorer/worker.ts
 * const answer = await engine.call('add', [1, 2], { limit: 3000 })
 * ```
 */
import { fileUrl } from './site.js'

/** An error of the worker: what the library, or the reader's code, said. */
export class EngineError extends Error {
  /** The name of the error's class, such as `ShapeError`. */
  override readonly name: string
  /** The line of the reader's code, from 1, if it happened there. */
  readonly line: number | undefined
  readonly column: number | undefined

  constructor({ name, message, line, column }: Told) {
    super(message)
    this.name = name
    this.line = line
    this.column = column
  }
}

/** The call was ended: it took longer than its limit, or a newer call took its place. */
export class Ended extends Error {
  override readonly name = 'Ended'
}

/** An error as it crosses from the worker. */
export interface Told {
  name: string
  message: string
  line?: number
  column?: number
}

export interface CallOptions {
  /** Milliseconds of the longest silence: of no answer and no progress. Then the worker ends; the next call starts another. */
  limit?: number
  /** Gets what the function tells on the way. */
  onProgress?: (told: never) => void
  transfer?: Transferable[]
}

interface Waiting {
  resolve(value: unknown): void
  reject(error: Error): void
  options: CallOptions
  timer?: ReturnType<typeof setTimeout>
}

// biome-ignore lint/suspicious/noExplicitAny: any functions
type Functions = Record<string, (...values: any[]) => unknown>

export class Engine<F extends Functions> {
  readonly #name: string
  #worker: Worker | undefined
  #waiting = new Map<number, Waiting>()
  #calls = 0

  /** @param name the folder under parts/ that holds worker.ts */
  constructor(name: string) {
    this.#name = name
  }

  /** Starts the worker, so that the first call finds it there. */
  start(): void {
    this.#started()
  }

  call<N extends keyof F & string>(name: N, values: Parameters<F[N]>, options: CallOptions = {}): Promise<Awaited<ReturnType<F[N]>>> {
    const worker = this.#started()
    const id = ++this.#calls
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { resolve: resolve as Waiting['resolve'], reject, options }
      this.#waiting.set(id, waiting)
      this.#watch(waiting)
      worker.postMessage({ id, name, values }, options.transfer ?? [])
    })
  }

  /** Ends the worker and all calls. */
  end(why = 'ended'): void {
    this.#worker?.terminate()
    this.#worker = undefined
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const each of waiting) {
      clearTimeout(each.timer)
      each.reject(new Ended(why))
    }
  }

  #started(): Worker {
    if (this.#worker) return this.#worker
    // A worker made of a blob has the page's policy: it asks nothing of any other place, whatever code it runs.
    const address = URL.createObjectURL(
      new Blob([`import ${JSON.stringify(fileUrl(`parts/${this.#name}-worker.js`))}`], { type: 'text/javascript' }),
    )
    const worker = new Worker(address, { type: 'module' })
    worker.onmessage = ({ data }) => this.#hear(data)
    worker.onerror = (event) => {
      event.preventDefault()
      if (this.#worker === worker) this.end(`The worker stopped: ${event.message || 'its script did not load'}`)
    }
    this.#worker = worker
    return worker
  }

  #watch(waiting: Waiting): void {
    clearTimeout(waiting.timer)
    const { limit } = waiting.options
    if (limit) waiting.timer = setTimeout(() => this.end(`Stopped after ${limit / 1000} s. Is there a loop without an end?`), limit)
  }

  #hear(message: { id: number; value?: unknown; error?: Told; progress?: unknown }): void {
    const waiting = this.#waiting.get(message.id)
    if (!waiting) return
    if ('progress' in message) {
      this.#watch(waiting)
      waiting.options.onProgress?.(message.progress as never)
      return
    }
    clearTimeout(waiting.timer)
    this.#waiting.delete(message.id)
    if (message.error) waiting.reject(new EngineError(message.error))
    else waiting.resolve(message.value)
  }
}
