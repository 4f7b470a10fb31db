/** Runs one.ts in a process of its own, follows its lines, and ends it when asked to. */
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { root } from './results.js'

export interface Run {
  readonly id: string
  readonly seed: number
  /** The file to write. */
  readonly file: string
  readonly quick: boolean
  readonly quickHash?: string
}

/** The same for all runs. */
export interface Host {
  /** The Node to run on: its path. */
  readonly node: string
  readonly data?: string
  readonly threads?: string
}

export type Ended = { kind: 'done' } | { kind: 'stopped' } | { kind: 'failed'; says: string }

/** Lines of the error stream that are told when a run fails. */
const TOLD = 6

/** The processes that run now. They end with this one, however it ends. */
const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill()
})

/** Ends the runs; `runOne` then gives `stopped`. */
export function stopRuns(signal: 'SIGTERM' | 'SIGKILL'): void {
  for (const child of running) child.kill(signal)
}

/** @param follow gets `Epoch 3/10` and the like */
export async function runOne(run: Run, { node, data, threads }: Host, follow: (line: string) => void = () => {}): Promise<Ended> {
  const flags = [
    ...(run.quick ? ['--quick'] : []),
    ...(run.quickHash === undefined ? [] : ['--quick-hash', run.quickHash]),
    ...(data === undefined ? [] : ['--data', data]),
    ...(threads === undefined ? [] : ['--threads', threads]),
  ]
  const program = fileURLToPath(new URL('one.ts', import.meta.url))
  const args = ['--conditions=@cotangent/source', '--import', 'tsx', program, run.id, String(run.seed), run.file, ...flags]
  const child = spawn(node, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  let [errors, rest] = ['', '']
  child.stderr.on('data', (piece) => {
    errors = (errors + piece).slice(-10_000)
  })
  child.stdout.on('data', (piece) => {
    const lines = (rest + piece).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (/^(Epoch \d+\/\d+|step \d+)/.test(line)) follow(line)
  })
  return new Promise((resolve) => {
    child.on('error', (error) => {
      running.delete(child)
      resolve({ kind: 'failed', says: error.message })
    })
    child.on('close', (code, signal) => {
      running.delete(child)
      if (code === 0) resolve({ kind: 'done' })
      else if (signal === 'SIGTERM' || signal === 'SIGKILL' || signal === 'SIGINT') resolve({ kind: 'stopped' })
      else resolve({ kind: 'failed', says: errors.trim().split('\n').slice(0, TOLD).join('\n') || `exit code ${code}` })
    })
  })
}
