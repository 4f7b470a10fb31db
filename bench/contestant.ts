/**
 * The parent's side of a library: a process that lives for the whole run and is spoken to by messages. The library's own output does not reach the
 * terminal; its last error lines are quoted if the process dies.
 *
 * A JavaScript library runs in a fork of worker.ts and gets messages. PyTorch and NumPy run in Python processes, which read and write the same messages
 * as lines of JSON.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { libraryEntry, type Ran, type Request, type Response } from './adapter.js'
import type { Counted } from './counted.js'
import { isPython, pythonOf, threadEnvironment } from './peers.js'
import type { Limits } from './probes.js'
import type { Profile } from './profile.js'
import type { Workload } from './workloads.js'

/** A library as rounds.ts sees it; a test puts a fake in its place. */
export interface Contestant {
  readonly library: string
  prepare(workload: Workload, seed: number): Promise<void>
  /** Runs steps, in samples of `chunk` (all of them by default). */
  run(steps: number, chunk?: number): Promise<Ran>
  /** Measures the limits of its process; absent for libraries whose limits are not needed. */
  probe?(bytes?: number): Promise<Limits>
  /** The most memory its process has had, in megabytes. */
  peakMemory?(): Promise<number>
  /** Where the time of a step goes; ours alone. */
  profile?(steps: number): Promise<Profile>
  /** How the jobs of a step would be cut for these numbers of threads; ours alone. */
  count?(steps: number, threads: readonly number[]): Promise<Counted>
  /** All values of the operation that is prepared; Python alone has them. */
  results?(): Promise<number[][]>
  close(): void
}

/** A child process, and how to talk to it. */
interface Line {
  child: ChildProcess
  send(request: Request): void
  listen(heard: (response: Response) => void): void
}

/** How to start Node with a stack of this many KiB. The shell makes room for it; if it may not, Node starts with its usual stack. */
const withStack = (kibibytes: number): { execPath: string; execArgv: string[] } => {
  const script = `if ulimit -s ${kibibytes + 4096}; then exec "$0" --stack-size=${kibibytes} "$@"; else exec "$0" "$@"; fi`
  return { execPath: '/bin/sh', execArgv: ['-c', script, process.execPath] }
}

function javaScript(library: string): Line {
  const { stack } = libraryEntry(library)
  const { execPath, execArgv } = stack && process.platform !== 'win32' ? withStack(stack) : { execPath: process.execPath, execArgv: [] }
  // The published packages run, as users run them. Sources run only if this process was told to take them; they are up to a tenth slower.
  const conditions = process.execArgv.filter((flag, i, all) => flag.startsWith('--conditions') || all[i - 1] === '--conditions')
  const child = fork(fileURLToPath(new URL('./worker.ts', import.meta.url)), [library], {
    execPath,
    execArgv: [...execArgv, ...conditions, '--import', import.meta.resolve('tsx')],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  return { child, send: (request) => void child.send(request), listen: (heard) => void child.on('message', heard) }
}

function python(library: string): Line {
  const { threads, peer = library } = libraryEntry(library)
  const script = fileURLToPath(new URL(`./libraries/${peer}_worker.py`, import.meta.url))
  const child = spawn(pythonOf(peer, library)?.python ?? 'python3', ['-B', script, String(threads)], {
    env: threadEnvironment(threads),
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  child.stdin.on('error', () => {}) // the exit event reports a dead child
  return {
    child,
    send: (request) => void child.stdin.write(`${JSON.stringify(request)}\n`),
    listen: (heard) => void createInterface(child.stdout).on('line', (line) => heard(JSON.parse(line) as Response)),
  }
}

/** The workload by hand, in the process of `host`. */
class HandContestant implements Contestant {
  readonly library: string
  readonly #host: ChildContestant

  constructor(library: string, host: ChildContestant) {
    this.library = library
    this.#host = host
  }
  prepare(workload: Workload, seed: number): Promise<void> {
    return this.#host.prepare(workload, seed, true)
  }
  run(steps: number, chunk = steps): Promise<Ran> {
    return this.#host.run(steps, chunk, true)
  }
  close(): void {} // the host does
}

class ChildContestant implements Contestant {
  readonly library: string
  readonly probe?: (bytes?: number) => Promise<Limits>
  readonly #line: Line
  #waiting: { resolve(response: Response): void; reject(error: Error): void } | undefined
  #lastWords = ''
  #ended = false

  constructor(library: string) {
    this.library = library
    const { peer } = libraryEntry(library)
    this.#line = isPython(peer) ? python(library) : javaScript(library)
    if (!peer) this.probe = (bytes) => this.#limits(bytes)
    const { child, listen } = this.#line
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#lastWords = (this.#lastWords + text).slice(-2000)
    })
    listen((response) => {
      const waiting = this.#waiting
      this.#waiting = undefined
      if (response.type === 'failed') waiting?.reject(new Error(response.message))
      else waiting?.resolve(response)
    })
    child.on('error', (error) => this.#end(error.message))
    child.on('exit', (code, signal) => this.#end(`its process ended (${signal ?? `code ${code}`})`))
  }

  #end(reason: string): void {
    this.#ended = true
    const words = this.#lastWords.trim().split('\n').slice(-3).join(' | ')
    this.#waiting?.reject(new Error(words ? `${reason}: ${words}` : reason))
    this.#waiting = undefined
  }

  /** Sends a request, if there is one, and waits for the child's next message. */
  #ask(request?: Request): Promise<Response> {
    return new Promise((resolve, reject) => {
      if (this.#ended) return reject(new Error('its process has ended'))
      this.#waiting = { resolve, reject }
      if (request) this.#line.send(request)
    })
  }

  async start(): Promise<this> {
    await this.#ask()
    return this
  }

  async prepare(workload: Workload, seed: number, byHand = false): Promise<void> {
    await this.#ask({ type: 'prepare', workload, seed, byHand })
  }

  run(steps: number, chunk = steps, byHand = false): Promise<Ran> {
    return this.#answer({ type: 'run', steps, chunk, byHand }, 'ran')
  }

  async results(): Promise<number[][]> {
    return (await this.#answer({ type: 'results' }, 'results')).values
  }

  async profile(steps: number): Promise<Profile> {
    return (await this.#answer({ type: 'profile', steps }, 'profiled')).profile
  }

  async count(steps: number, threads: readonly number[]): Promise<Counted> {
    return (await this.#answer({ type: 'count', steps, threads }, 'counted')).counted
  }

  async peakMemory(): Promise<number> {
    return (await this.#answer({ type: 'memory' }, 'memory')).megabytes
  }

  async #limits(bytes?: number): Promise<Limits> {
    return (await this.#answer({ type: 'probe', bytes }, 'probed')).limits
  }

  /** The child's answer to a request; it must be of the type that fits the request. */
  async #answer<T extends Response['type']>(request: Request, type: T): Promise<Extract<Response, { type: T }>> {
    const response = await this.#ask(request)
    if (response.type !== type) throw new Error(`an answer of type "${response.type}" to ${request.type}`)
    return response as Extract<Response, { type: T }>
  }

  close(): void {
    this.#line.child.kill()
  }
}

/** Starts a library's process and waits until the library is loaded; or joins the process of one of those that `started` holds. */
export async function startContestant(library: string, started: readonly Contestant[] = []): Promise<Contestant> {
  const { within } = libraryEntry(library)
  if (!within) return new ChildContestant(library).start()
  const host = started.find((contestant) => contestant.library === within)
  if (!(host instanceof ChildContestant)) throw new Error(`${within} has not started`)
  return new HandContestant(library, host)
}
