/** Runs what is not done, shortest first, each in a process of its own; and trains a kept result again. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Planned, planned } from './plan.js'
import { type Ended, type Host, runOne, stopRuns } from './process.js'
import { fileOf, isMissing, quickFolder, type Result, readResult, resultsFolder, resultsOf } from './results.js'

export interface Wish {
  readonly plans: readonly Planned[]
  /** Instead of those of the plan. */
  readonly seeds?: readonly number[]
  readonly quick: boolean
  readonly host: Host
}

interface Job {
  plan: Planned
  seed: number
}

const QUICK_SECONDS = 8

/** `2 h 10 min`, `4 min`, `20 s`. */
export function duration(seconds: number): string {
  const minutes = Math.round(seconds / 60)
  if (seconds < 90) return `${Math.round(seconds)} s`
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

const shown = ({ metric, value }: Result['result']): string => `${metric} ${value.toFixed(4)}`

/** `1 run`, `2 runs`. */
const counted = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`

/** How long runs take: what a run of the experiment took here before, or the plan's guess by how right its other guesses were. */
class Forecast {
  readonly #took = new Map<string, number>()
  #guessed = 0
  #needed = 0

  of({ id, seconds }: Planned): number {
    return this.#took.get(id) ?? seconds * (this.#guessed > 0 ? this.#needed / this.#guessed : 1)
  }
  learn({ id, seconds }: Planned, took: number): void {
    this.#took.set(id, took)
    this.#guessed += seconds
    this.#needed += took
  }
}

/** Rewrites a line on a terminal; elsewhere nothing is printed until the run has ended. */
function progress(text: string): void {
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${text.slice(0, process.stdout.columns - 1)}`)
}

/** Whether somebody wants an end. */
interface Signals {
  readonly stopped: boolean
  release(): void
}

const ends = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Ends the present run at the first Ctrl-C; kills it at the second. */
function stopOnSignals(): Signals {
  const state = { stopped: false, release() {} }
  const stop = (): void => {
    stopRuns(state.stopped ? 'SIGKILL' : 'SIGTERM')
    state.stopped = true
  }
  for (const signal of ends) process.on(signal, stop)
  state.release = () => {
    for (const signal of ends) process.off(signal, stop)
  }
  return state
}

/** Runs the quick run of an experiment and gives the hash of its weights. */
async function quickHash(id: string, seed: number, host: Host): Promise<Ended | { kind: 'hash'; weights: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'cotangent-quick-'))
  try {
    const file = join(folder, 'result.json')
    const ended = await runOne({ id, seed, file, quick: true }, host)
    if (ended.kind !== 'done') return ended
    return { kind: 'hash', weights: (JSON.parse(readFileSync(file, 'utf8')) as Result).weights }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The real run. Before it stands the quick one: what would fail after hours fails in seconds, and its hash is kept with the result. */
async function runJob(
  { plan: { id }, seed }: Job,
  { quick, host }: Wish,
  signals: Signals,
  follow: (line: string) => void,
): Promise<Ended> {
  if (quick) return runOne({ id, seed, file: fileOf(quickFolder, id, seed), quick }, host, follow)
  const first = await quickHash(id, seed, host)
  if (first.kind !== 'hash') return first
  // A signal that comes between the two finds nothing to end.
  if (signals.stopped) return { kind: 'stopped' }
  return runOne({ id, seed, file: fileOf(resultsFolder, id, seed), quick, quickHash: first.weights }, host, follow)
}

/** The runs to do, shortest first, and how many are done. Quick runs are always done again. */
export function jobsOf({ plans, seeds, quick }: Wish): { jobs: Job[]; done: number; stale: string[] } {
  const jobs: Job[] = []
  const stale: string[] = []
  let done = 0
  for (const plan of plans) {
    for (const seed of seeds ?? (quick ? plan.seeds.slice(0, 1) : plan.seeds)) {
      const found = quick ? { missing: 'quick' } : readResult(resultsFolder, plan, seed)
      if (!isMissing(found)) {
        done++
        continue
      }
      if (/^(stale|damaged)/.test(found.missing)) stale.push(`${plan.id}, seed ${seed}: ${found.missing}`)
      jobs.push({ plan, seed })
    }
  }
  // First all seeds of the shortest, then those of the next.
  return {
    jobs: jobs.sort((a, b) => a.plan.seconds - b.plan.seconds || planned.indexOf(a.plan) - planned.indexOf(b.plan) || a.seed - b.seed),
    done,
    stale,
  }
}

/** Runs them all. @returns the exit code: 0, 1 if a run failed, 130 if it was stopped */
export async function train(wish: Wish): Promise<0 | 1 | 130> {
  const { jobs, done, stale } = jobsOf(wish)
  const folder = wish.quick ? quickFolder : resultsFolder
  const forecast = new Forecast()
  for (const plan of planned) for (const { seconds } of resultsOf(resultsFolder, plan)) forecast.learn(plan, seconds)
  const left = (from: number): number =>
    jobs.slice(from).reduce((sum, { plan }) => sum + QUICK_SECONDS + (wish.quick ? 0 : forecast.of(plan)), 0)

  for (const line of stale) console.log(line)
  console.log(
    jobs.length === 0
      ? `Nothing to run; done: ${counted(done, 'result')}.`
      : `${counted(jobs.length, 'run')} to do${done > 0 ? `, ${done} done` : ''}; about ${duration(left(0))}`,
  )
  const failed: string[] = []
  const signals = stopOnSignals()
  try {
    for (const [i, job] of jobs.entries()) {
      const { plan, seed } = job
      const name = `${plan.id}, seed ${seed}`
      const begun = performance.now()
      const took = (): number => (performance.now() - begun) / 1000
      progress(`${i + 1} of ${jobs.length}  ${name}  about ${duration(left(i))} left`)
      const ended = await runJob(job, wish, signals, (line) => {
        progress(`${i + 1} of ${jobs.length}  ${name}  ${line.split(':')[0]}  about ${duration(Math.max(0, left(i) - took()))} left`)
      })
      progress('')
      if (signals.stopped || ended.kind === 'stopped') {
        console.log(`Stopped in ${name}. The same command goes on with it.`)
        return 130
      }
      if (ended.kind === 'failed') {
        failed.push(name)
        console.log(`${name} failed:\n${ended.says.replace(/^/gm, '  ')}`)
        continue
      }
      const result = JSON.parse(readFileSync(fileOf(folder, plan.id, seed), 'utf8')) as Result
      if (!wish.quick) forecast.learn(plan, result.seconds)
      const rest = i + 1 < jobs.length ? `; about ${duration(left(i + 1))} left` : ''
      console.log(`${name}: ${shown(result.result)}, weights ${result.weights.slice(0, 12)}, ${duration(took())}${rest}`)
    }
  } finally {
    signals.release()
  }
  if (failed.length > 0) console.log(`Failed: ${failed.join('; ')}`)
  return failed.length > 0 ? 1 : 0
}

/** Trains a kept result again and compares the hash of the weights. @returns the exit code: 0 if it is the same */
export async function certify(plan: Planned, seed: number, host: Host): Promise<0 | 1> {
  const kept = readResult(resultsFolder, plan, seed)
  if (isMissing(kept)) {
    console.log(`${plan.id}, seed ${seed}: there is no result to compare with (${kept.missing}).`)
    return 1
  }
  console.log(`${plan.id}, seed ${seed}: trained on ${kept.versions.node}, ${kept.machine.cpu}, in ${duration(kept.seconds)}; now again`)
  const folder = mkdtempSync(join(tmpdir(), 'cotangent-certify-'))
  const signals = stopOnSignals()
  try {
    const file = join(folder, 'result.json')
    const ended = await runOne({ id: plan.id, seed, file, quick: false }, host, progress)
    progress('')
    if (ended.kind !== 'done') {
      console.log(ended.kind === 'stopped' ? 'Stopped.' : ended.says)
      return 1
    }
    const again = JSON.parse(readFileSync(file, 'utf8')) as Result
    const same = again.weights === kept.weights
    console.log(`${again.weights}  now: ${shown(again.result)}, Node ${again.versions.node}, ${counted(again.machine.threads, 'thread')}`)
    console.log(`${kept.weights}  in the table: ${shown(kept.result)}`)
    console.log(same ? 'The same weights, to the last bit.' : differs(again, kept))
    return same ? 0 : 1
  } finally {
    signals.release()
    rmSync(folder, { recursive: true, force: true })
  }
}

const differs = (again: Result, kept: Result): string =>
  again.data.sha256 === kept.data.sha256
    ? 'Other weights, from the same data. The program computes something else now.'
    : 'Other weights. The data are others, too: compare their sources.'

/** Repeats the quick run of each kept result with its first seed. @returns the exit code: 0 if all weights are what they were */
export async function check(plans: readonly Planned[], host: Host): Promise<0 | 1> {
  let stale = 0
  const signals = stopOnSignals()
  try {
    for (const plan of plans) {
      const kept = resultsOf(resultsFolder, plan)[0]
      if (kept?.quick === undefined) continue
      const now = await quickHash(plan.id, kept.seed, host)
      if (signals.stopped) return 1
      const same = now.kind === 'hash' && now.weights === kept.quick
      if (!same) stale++
      const says = now.kind === 'failed' ? now.says : 'stale: a short training gives other weights than when it was made'
      console.log(`${plan.id}: ${same ? 'a short training gives the weights of then' : says}`)
    }
  } finally {
    signals.release()
  }
  if (stale > 0) console.log(`${stale} stale. Remove their folders in examples/results and run the command again.`)
  return stale > 0 ? 1 : 0
}
