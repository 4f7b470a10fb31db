/**
 * Times a workload. First each library warms up alone, which also finds how many steps make a round of about a second. Once all libraries are ready, each round
 * runs all of them, one after the other. So a slow moment of the machine hits all of them, and a ratio compares neighbours in time. The limits of our
 * own processes are measured in every round, right before the library runs.
 *
 * A round runs in samples of some five milliseconds. Its figure is their total; quiet.ts finds those that no other program disturbed.
 */
import type { Ran } from './adapter.js'
import { fitted } from './batch-limit.js'
import type { Contestant } from './contestant.js'
import type { Limits } from './probes.js'
import { type Quiet, quietOf, SAMPLE_MS, type Sample } from './quiet.js'
import { ratios, type Spread, spread } from './statistics.js'
import { type Amount, amountOf, trains, type Workload } from './workloads.js'

export interface RoundOptions {
  rounds: number
  /** Steps of a round; found for each library if absent. */
  steps?: number
  seed: number
}

/** How long a warm-up and a round should take. */
const WARM_UP_MS = 1000
const ROUND_MS = 1000

export type LimitUnit = 'GFLOP/s' | 'GB/s'

/** The result of one library on one workload. */
export interface LibraryResult {
  library: string
  /** Steps timed in each round. */
  steps: number
  /** The time of the very first step, with compilation and allocation. */
  coldMs: number
  /** Milliseconds a step, by round. */
  msPerStep: Spread & { rounds: number[] }
  /** Milliseconds a step in the fastest sample. */
  bestMs: number
  /** The time of a step in quiet samples, and the part of the median limit that their median reaches. */
  quiet?: Quiet & { share?: number }
  /** Rates, from the median: GFLOP/s of matrix products, GB/s of bytes that must be read and written. */
  rates: { samplesPerSecond?: number; gflops?: number; gigabytesPerSecond?: number; microsecondsPerOperation?: number }
  /** The limit of its process, measured in each round: GFLOP/s or GB/s. */
  limit?: Spread & { rounds: number[]; unit: LimitUnit }
  /** The part of the limit that it reached, by round. */
  share?: Spread
  /** Its time divided by ours, by round; absent for the library that the others are compared with. */
  ratio?: Spread & { rounds: number[] }
  /** Its best time divided by our best, and its median over quiet samples divided by ours. */
  bestRatio?: number
  quietRatio?: number
  /** The most memory its process has had since it started, in megabytes; for training only. */
  peakMemory?: number
  /** The loss of the first and the last step, or an element of the first and the last result, and the number of steps, warm-up included. */
  value: { first: number; last: number; steps: number }
  /** The smaller batch that was run, if a step of the whole batch would take too long; times are scaled to the whole. */
  scaledFrom?: number
  /** The fault of the values, if there is one. The time then means nothing. */
  complaint?: string
}

export interface WorkloadResult {
  workload: Workload
  amount: Amount
  /** The library whose time ratios divide by. */
  comparedWith: string | null
  libraries: (LibraryResult | { library: string; failed: string })[]
}

interface Runner {
  contestant: Contestant
  /** The workload it runs, perhaps with a smaller batch. */
  ran: Workload
  /** The factor from its times to those of the whole batch. */
  scale: number
  /** Our result for the smaller batch. */
  expected?: number
  steps: number
  /** Steps of a sample. */
  chunk: number
  coldMs: number
  rounds: number[]
  samples: Sample[]
  mostPressed: number
  limits: Limits[]
  peakMemory?: number
  first: number
  last: number
  stepsRun: number
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

async function warmUp(contestant: Contestant, workload: Workload, { steps, seed }: RoundOptions): Promise<Runner> {
  const ran = await fitted(workload, contestant, seed)
  await contestant.prepare(ran, seed)
  const cold = await contestant.run(1)
  const runner: Runner = {
    contestant,
    ran,
    scale: 'batch' in workload && 'batch' in ran ? workload.batch / ran.batch : 1,
    steps: steps ?? 1,
    chunk: 1,
    coldMs: cold.ms,
    rounds: [],
    samples: [],
    mostPressed: 0,
    limits: [],
    first: cold.value,
    last: cold.value,
    stepsRun: 1,
  }
  // A library slower than this gets no second step to warm up; its rounds have one or two steps.
  let spent = cold.ms
  let msPerStep = cold.ms
  for (let chunk = 1; spent < WARM_UP_MS; chunk *= 2) {
    const { ms, value } = await contestant.run(chunk)
    runner.last = value
    runner.stepsRun += chunk
    spent += ms
    msPerStep = ms / chunk
  }
  const stepsIn = (ms: number): number => Math.max(1, Math.round(ms / Math.max(msPerStep, 1e-3)))
  runner.steps = steps ?? stepsIn(ROUND_MS)
  runner.chunk = Math.min(runner.steps, stepsIn(SAMPLE_MS))
  return runner
}

/** Records the result of a round. */
function record(runner: Runner, { ms, value, samples = [{ ms, steps: runner.steps }], mostPressed = 0 }: Ran): void {
  const { scale } = runner
  runner.rounds.push((ms * scale) / runner.steps)
  runner.samples.push(...samples.map((sample) => ({ ...sample, ms: sample.ms * scale })))
  runner.mostPressed = Math.max(runner.mostPressed, mostPressed)
  runner.last = value
  runner.stepsRun += runner.steps
}

/** Times one workload on all libraries. A library that fails is reported and left out from then on. */
export async function timeWorkload(
  workload: Workload,
  contestants: readonly Contestant[],
  options: RoundOptions,
  progress: (text: string) => void = () => {},
): Promise<WorkloadResult> {
  const amount = amountOf(workload)
  const failures = new Map<string, string>()
  const runners: Runner[] = []
  for (const contestant of contestants) {
    progress(`${workload.name}: ${contestant.library} warms up`)
    try {
      runners.push(await warmUp(contestant, workload, options))
    } catch (error) {
      failures.set(contestant.library, messageOf(error))
    }
  }

  await expectScaled(runners, contestants[0], workload, options.seed)
  for (let round = 0; round < options.rounds; round++) {
    for (const runner of runners) {
      const { library } = runner.contestant
      if (failures.has(library)) continue
      progress(`${workload.name}: round ${round + 1} of ${options.rounds}, ${library}`)
      try {
        if (limitUnit(amount) && runner.contestant.probe)
          runner.limits.push(await runner.contestant.probe(amount.footprint ?? amount.bytes))
        record(runner, await runner.contestant.run(runner.steps, runner.chunk))
        if (trains(workload) && round === options.rounds - 1) runner.peakMemory = await runner.contestant.peakMemory?.()
      } catch (error) {
        failures.set(library, messageOf(error))
      }
    }
  }

  const done = runners.filter(({ contestant }) => !failures.has(contestant.library))
  const ours = done[0]?.contestant === contestants[0] ? done[0] : undefined
  return {
    workload,
    amount,
    comparedWith: ours?.contestant.library ?? null,
    libraries: contestants.map(({ library }) => {
      const runner = done.find(({ contestant }) => contestant.library === library)
      return runner ? resultOf(runner, ours, workload, amount) : { library, failed: failures.get(library) ?? 'no result' }
    }),
  }
}

/** Computes, with our library, the results that peers with a smaller batch should give; then prepares our library again for the whole batch. */
async function expectScaled(runners: readonly Runner[], ours: Contestant, workload: Workload, seed: number): Promise<void> {
  const scaled = trains(workload) ? [] : runners.filter(({ scale }) => scale !== 1)
  if (scaled.length === 0 || runners[0].contestant !== ours) return
  for (const runner of scaled) {
    await ours.prepare(runner.ran, seed)
    runner.expected = (await ours.run(1)).value
  }
  await ours.prepare(workload, seed)
  await ours.run(runners[0].chunk)
}

/** The limit of a workload: multiply-adds if it has products, memory if it is counted in bytes. */
const limitUnit = ({ flops, bytes }: Amount): LimitUnit | undefined =>
  flops !== undefined ? 'GFLOP/s' : bytes !== undefined ? 'GB/s' : undefined

/** The limits by round, and the part of them that the library reached in each. */
export function sharesOf(amount: Amount, msPerStep: readonly number[], limits: readonly Limits[]): Pick<LibraryResult, 'limit' | 'share'> {
  const unit = limitUnit(amount)
  if (!unit || limits.length === 0) return {}
  const rounds = limits.map(({ gflops, gigabytesPerSecond }) => (unit === 'GFLOP/s' ? gflops : gigabytesPerSecond))
  const work = amount.flops ?? amount.bytes ?? 0
  const rates = msPerStep.map((ms) => work / ms / 1e6)
  return { limit: { ...spread(rounds), rounds, unit }, share: spread(ratios(rates, rounds)) }
}

const bestOf = ({ samples }: Runner): number => Math.min(...samples.map(({ ms, steps }) => ms / steps))

function resultOf(runner: Runner, ours: Runner | undefined, workload: Workload, amount: Amount): LibraryResult {
  const { contestant, steps, coldMs, rounds, limits, first, last, stepsRun, peakMemory } = runner
  const msPerStep = { ...spread(rounds), rounds }
  const shares = sharesOf(amount, rounds, limits)
  const quiet = quietOf(runner.samples, runner.mostPressed)
  const quietOfOurs = ours && quietOf(ours.samples, ours.mostPressed)
  const quietShare = quiet?.median && shares.limit && (amount.flops ?? amount.bytes ?? 0) / quiet.median / 1e6 / shares.limit.median
  const perSecond = (count: number | undefined, unit = 1): number | undefined =>
    count === undefined ? undefined : (count / unit) * (1000 / msPerStep.median)
  const byRound = ours && ours !== runner ? ratios(rounds, ours.rounds) : undefined
  return {
    library: contestant.library,
    steps,
    coldMs,
    msPerStep,
    bestMs: bestOf(runner),
    ...(quiet && { quiet: { ...quiet, ...(quietShare && { share: quietShare }) } }),
    rates: {
      samplesPerSecond: perSecond(amount.samples),
      gflops: perSecond(amount.flops, 1e9),
      gigabytesPerSecond: perSecond(amount.bytes, 1e9),
      microsecondsPerOperation: amount.operations === undefined ? undefined : (msPerStep.median * 1000) / amount.operations,
    },
    ...shares,
    ...(byRound && ours && { ratio: { ...spread(byRound), rounds: byRound }, bestRatio: bestOf(runner) / bestOf(ours) }),
    ...(byRound && quiet?.median && quietOfOurs?.median && { quietRatio: quiet.median / quietOfOurs.median }),
    ...(peakMemory !== undefined && { peakMemory }),
    value: { first, last, steps: stepsRun },
    ...(runner.scale !== 1 && 'batch' in runner.ran && { scaledFrom: runner.ran.batch }),
    complaint: complaintAbout(runner, ours, workload),
  }
}

/** Checks that the library computed the right thing: losses fall, and other results equal ours. */
function complaintAbout(
  { first, last, stepsRun, expected, scale }: Runner,
  ours: Runner | undefined,
  workload: Workload,
): string | undefined {
  if (!Number.isFinite(first) || !Number.isFinite(last)) return `not finite (${first} → ${last})`
  if (trains(workload)) {
    // In the first few steps dropout and the draw of a batch may hide the progress; with few samples they may hide all of it.
    return scale === 1 && stepsRun >= 5 && last >= first ? `the loss did not fall (${first.toFixed(3)} → ${last.toFixed(3)})` : undefined
  }
  const right = expected ?? ours?.last
  if (right !== undefined && Math.abs(last - right) > 1e-3 * Math.max(1, Math.abs(right))) return `result ${last}, ours ${right}`
  return undefined
}
