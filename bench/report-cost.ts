/**
 * The price of a report: epochs of document 000's perceptron (mnist-mlp: 60,000 samples of 784 in batches of 200, 10,000 more for validation), with `report({ file })`
 * and without, in turns in one process. The samples are random, since neither time depends on what is in them.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { adam, type Callback, dense, Sequential } from '@cotangent/layers'
import { report } from '@cotangent/layers/node'
import { stream, uniformValues } from './random.js'
import { range } from './report.js'
import { ratios, spread } from './statistics.js'

const PIXELS = 784
const CLASSES = 10

export interface ReportCost {
  /** Milliseconds of an epoch, one figure a round. */
  readonly without: readonly number[]
  readonly with: readonly number[]
}

/** Random images as rows, and a random class for each as ten numbers. */
function samples(count: number, seed: number): [Float32Array, Float32Array] {
  const next = stream(seed)
  const y = new Float32Array(count * CLASSES)
  for (let i = 0; i < count; i++) y[i * CLASSES + Math.floor(next() * CLASSES)] = 1
  return [uniformValues(seed, count * PIXELS), y]
}

/** Times an epoch of each kind in every round; who goes first changes from round to round. */
export async function reportCost(
  rounds: number,
  seed: number,
  { trained = 60_000, validated = 10_000, progress }: { trained?: number; validated?: number; progress?: (text: string) => void } = {},
): Promise<ReportCost> {
  const given = (count: number, from: number) => {
    const [x, y] = samples(count, from)
    return [
      { data: x, shape: [count, PIXELS] },
      { data: y, shape: [count, CLASSES] },
    ] as const
  }
  const [x, y] = given(trained, seed)
  const validationData = given(validated, seed + 1)
  const folder = mkdtempSync(join(tmpdir(), 'cotangent-report-cost-'))
  const times: { without: number[]; with: number[] } = { without: [], with: [] }
  try {
    const one = async (callbacks: readonly Callback[]): Promise<number> => {
      const layers = [dense(PIXELS, { inputShape: [PIXELS], activation: 'relu' }), dense(CLASSES, { activation: 'softmax' })]
      const model = new Sequential(layers, { seed })
      model.compile({ optimizer: adam(), loss: 'categoricalCrossentropy', metrics: ['accuracy'] })
      const start = performance.now()
      await model.fit(x, y, { validationData: [...validationData], epochs: 1, batchSize: 200, verbose: 0, callbacks: [...callbacks] })
      const taken = performance.now() - start
      model.dispose()
      return taken
    }
    const kinds = {
      without: () => one([]),
      with: () => one([report({ file: join(folder, 'report.html') })]),
    }
    // Kernels and the report's script are compiled once.
    await kinds.without()
    await kinds.with()
    for (let round = 0; round < rounds; round++) {
      for (const kind of round % 2 === 0 ? (['without', 'with'] as const) : (['with', 'without'] as const)) {
        progress?.(`round ${round + 1} of ${rounds}, ${kind} a report`)
        times[kind].push(await kinds[kind]())
      }
    }
    progress?.('')
    return times
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** An epoch without a report, with one, and the ratio of the two of each round: medians with their ranges. */
export function reportCostText({ without, with: reported }: ReportCost): string {
  return [
    `an epoch of mnist-mlp, in ms   ${range(spread(without))}`,
    `with a report                  ${range(spread(reported))}`,
    `ratio of each round            ${range(spread(ratios(reported, without)))}`,
  ].join('\n')
}
