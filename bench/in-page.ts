/**
 * Some rows of the bench without a process for each library: for a page, whose worker is one process. It takes about 15 seconds. One thread, 128 bits, so that the
 * figures stand beside those of `cotangent` and `cotangent-core` on one thread in `results/`.
 */
import { configure } from '@cotangent/core'
import type { Adapter } from './adapter.js'
import { cotangent } from './libraries/cotangent.js'
import { cotangentCore } from './libraries/cotangent-core.js'
import type { PageRow } from './page-rows.js'
import { clockFactor, measureLimits, mostPressed, pressed, warmUpMs } from './probes.js'
import { quietOf, SAMPLE_MS, type Sample } from './quiet.js'
import { figureOf, isTime, type RecordRow, type Unit } from './records.js'
import { spread } from './statistics.js'
import { amountOf, commands, shapeOf, type Workload } from './workloads.js'

const adapters: Record<PageRow['library'], () => Adapter> = {
  cotangent: () => cotangent(),
  'cotangent-core': cotangentCore,
  'cotangent-eager': () => cotangent({ runEagerly: true }),
}

const workloadOf = ({ suite, name }: PageRow): Workload => {
  const all: readonly Workload[] = commands[suite]
  const found = all.find((each) => each.name === name)
  if (!found) throw new Error(`in-page: there is no row ${name}.`)
  return found
}

/** The machine and the versions of the kept figures. Call it once, before the first row. */
export const onOneThread = (): void => configure({ threads: 1, simd256: false })

/** Runs one row for about `milliseconds`. */
export async function measureRow(row: PageRow, milliseconds = 2000): Promise<RecordRow> {
  const workload = workloadOf(row)
  const amount = amountOf(workload)
  const ready = await adapters[row.library]().prepare(workload, 7)
  try {
    const run = async (steps: number): Promise<number> => {
      const start = performance.now()
      const value = await ready.run(steps)
      const taken = performance.now() - start
      if (typeof value === 'function') await value()
      return taken
    }
    // The second half of the warm-up is timed, not one run: a page's clock may stand still for a millisecond.
    const begin = performance.now()
    do await run(1)
    while (performance.now() < begin + warmUpMs)
    const half = performance.now()
    const warm = Math.max(begin + 2 * warmUpMs, half + SAMPLE_MS / 4)
    let runs = 0
    do {
      await run(1)
      runs++
    } while (performance.now() < warm)
    const chunk = Math.max(1, Math.round((SAMPLE_MS * clockFactor * runs) / (performance.now() - half)))
    const before = measureLimits(amount.bytes)
    const samples: Sample[] = []
    const end = performance.now() + milliseconds
    for (let probe = pressed(); performance.now() < end || samples.length < 3; ) {
      const ms = await run(chunk)
      const after = pressed()
      samples.push({ ms, steps: chunk, pressed: Math.min(probe, after) })
      probe = after
    }
    const limits = measureLimits(amount.bytes)
    const result = { workload, amount }
    const unit: Unit = workload.kind === 'train' ? 'ms' : 'GFLOP/s'
    const inUnit = (times: { median: number; min: number; max: number }) => {
      const [median, min, max] = [times.median, times.min, times.max].map((ms) => figureOf(result, ms))
      return isTime(unit) ? { median, min, max } : { median, min: max, max: min }
    }
    const quiet = quietOf(samples, mostPressed())
    const { count = 0, of = samples.length, median, min, max } = quiet ?? {}
    const peak = Math.max(before.gflops, limits.gflops)
    const all = spread(samples.map(({ ms, steps }) => ms / steps))
    return {
      ...{ suite: row.suite, name: row.name, shape: shapeOf(workload), library: row.library, threads: 1, unit },
      ...inUnit(all),
      best: figureOf(result, all.min),
      peak: unit === 'ms' ? (amount.flops ?? 0) / peak / 1e6 : peak,
      quiet: {
        samples: count,
        of,
        ...(median !== undefined && min !== undefined && max !== undefined && inUnit({ median, min, max })),
      },
    }
  } finally {
    ready.dispose()
  }
}
