/**
 * Fuzzing: mutants of small valid files are read in separate processes, with limits of time and memory. The outcomes of a mutant:
 *
 * - loads; refused: an error of ours that names the file. Both are right.
 * - nameless: an error of ours that does not name the file. foreign: any other error.
 * - hang, crash, blow-up: it took too long, ended the process, or took more memory than a file of its size may.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import type { Outcome, Task } from './child.js'

/** Far longer than any seed takes, also on a busy machine. */
const MOST_SECONDS = 20
/** The default limit of small files (256 MiB), once for the file and once for the model, and some garbage. */
const MOST_MEGABYTES = 700
/** Mutants for one process. A new process starts after them, so that garbage does not add up. */
const PER_PROCESS = 500

export const good: readonly string[] = ['loads', 'refused']
export type Kind = Outcome['kind'] | 'hang' | 'crash' | 'blow-up'

export interface Finding {
  readonly reader: string
  readonly number: number
  readonly kind: Kind
  readonly said: string
}

export interface Summary {
  readonly reader: string
  readonly counts: Map<Kind, number>
  readonly bad: Finding[]
  /** The longest time that a mutant took, in milliseconds. */
  slowest: number
}

/** Reads some of a reader's mutants in a process. Ends early if it had to kill the process. Returns the number of the next mutant. */
function inProcess(task: Task, summary: Summary): Promise<number> {
  return new Promise((resolve) => {
    const child: ChildProcess = fork(join(import.meta.dirname, 'child.ts'), [], {
      execArgv: ['--conditions=@cotangent/source', '--import', 'tsx', '--max-old-space-size=800'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { ...process.env, COTANGENT_THREADS: '1' },
    })
    let next = task.from
    let reading = false
    let killed = false
    let complaint = ''
    child.stderr?.on('data', (chunk) => {
      complaint = (complaint + chunk).slice(-2000)
    })
    const count = (kind: Kind, number: number, said = ''): void => {
      summary.counts.set(kind, (summary.counts.get(kind) ?? 0) + 1)
      if (!good.includes(kind)) summary.bad.push({ reader: task.reader, number, kind, said })
    }
    let timer: NodeJS.Timeout | undefined
    child.on('message', ({ number, kind, said, megabytes = 0, milliseconds = 0 }: Outcome) => {
      clearTimeout(timer)
      next = number
      reading = kind === 'starts'
      if (reading) {
        timer = setTimeout(() => {
          killed = true
          count('hang', number)
          child.kill('SIGKILL')
        }, MOST_SECONDS * 1000)
        return
      }
      next = number + 1
      summary.slowest = Math.max(summary.slowest, milliseconds)
      if (megabytes > MOST_MEGABYTES) count('blow-up', number, `${Math.round(megabytes)} MB`)
      else count(kind, number, said)
    })
    child.on('close', (code) => {
      clearTimeout(timer)
      if (code !== 0 && !killed) count('crash', next, complaint)
      resolve(code === 0 ? task.to : reading || killed || code !== 0 ? next + 1 : next)
    })
    child.send(task)
  })
}

/** Reads the mutants of a reader with numbers from `from` up to `to`. */
export async function fuzz(reader: string, from: number, to: number): Promise<Summary> {
  const summary: Summary = { reader, counts: new Map(), bad: [], slowest: 0 }
  for (let next = from; next < to; ) {
    next = await inProcess({ reader, from: next, to: Math.min(to, next + PER_PROCESS) }, summary)
  }
  return summary
}

/** Fuzzes several readers, with `processes` processes at a time. */
export async function fuzzAll(
  names: readonly string[],
  from: number,
  to: number,
  processes: number,
  done?: (summary: Summary) => void,
): Promise<Summary[]> {
  const out: Summary[] = []
  const waiting = [...names]
  const one = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const summary = await fuzz(name, from, to)
      out.push(summary)
      done?.(summary)
    }
  }
  await Promise.all(Array.from({ length: processes }, one))
  return out
}
