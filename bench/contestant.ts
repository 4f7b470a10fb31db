/**
 * The parent's side of a library: a process kept alive for the whole run, spoken to by messages. What the library prints is kept off the
 * terminal; its last error lines are quoted if the process dies.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { LibraryName, Request, Response } from './adapter.js'
import type { Workload } from './workloads.js'

/** What rounds need of a library; a test puts a fake in its place. */
export interface Contestant {
  readonly library: string
  prepare(workload: Workload, seed: number): Promise<void>
  run(steps: number): Promise<{ ms: number; value: number }>
  close(): void
}

class ChildContestant implements Contestant {
  readonly library: LibraryName
  readonly #child: ChildProcess
  #waiting: { resolve(response: Response): void; reject(error: Error): void } | undefined
  #lastWords = ''
  #ended = false

  constructor(library: LibraryName) {
    this.library = library
    this.#child = fork(fileURLToPath(new URL('./worker.ts', import.meta.url)), [library], {
      execArgv: ['--conditions=@cotangent/source', '--import', import.meta.resolve('tsx')],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#lastWords = (this.#lastWords + text).slice(-2000)
    })
    this.#child.on('message', (response: Response) => {
      const waiting = this.#waiting
      this.#waiting = undefined
      if (response.type === 'failed') waiting?.reject(new Error(response.message))
      else waiting?.resolve(response)
    })
    this.#child.on('error', (error) => this.#end(error.message))
    this.#child.on('exit', (code, signal) => this.#end(`its process ended (${signal ?? `code ${code}`})`))
  }

  #end(reason: string): void {
    this.#ended = true
    const words = this.#lastWords.trim().split('\n').slice(-3).join(' | ')
    this.#waiting?.reject(new Error(words ? `${reason}: ${words}` : reason))
    this.#waiting = undefined
  }

  /** The next message of the child, after sending a request if there is one. */
  #ask(request?: Request): Promise<Response> {
    return new Promise((resolve, reject) => {
      if (this.#ended) return reject(new Error('its process has ended'))
      this.#waiting = { resolve, reject }
      if (request) this.#child.send(request)
    })
  }

  async start(): Promise<this> {
    await this.#ask()
    return this
  }

  async prepare(workload: Workload, seed: number): Promise<void> {
    await this.#ask({ type: 'prepare', workload, seed })
  }

  async run(steps: number): Promise<{ ms: number; value: number }> {
    const response = await this.#ask({ type: 'run', steps })
    if (response.type !== 'ran') throw new Error(`an answer of type "${response.type}" to run`)
    return response
  }

  close(): void {
    this.#child.kill()
  }
}

/** Starts a library's process and waits until the library is loaded. */
export const startContestant = (library: LibraryName): Promise<Contestant> => new ChildContestant(library).start()
