/** Running experiments inside a test: on a few samples, with what they print caught. */
import { mnist, slice } from '@cotangent/datasets'
import { RECORD_VERSION, readRecord, type Section } from '@cotangent/layers/report'
import { vi } from 'vitest'
import type { Context, DataSource, Experiment } from '../lib/experiment.js'
import { progressOutput } from '../lib/output.js'

interface Settings {
  epochs?: number
  batchSize?: number
  seed?: number
  /** The value of `--limit`. */
  limit?: number
  /** The value of `--train-rows`. */
  trainRows?: number
}

interface Outcome {
  value: number
  remark: string | undefined
  /** By name and epoch. */
  history: Record<string, number[]>
  loss: number[]
  printed: string
  /** The data that the experiment reports. */
  used: DataSource | undefined
  /** The sections that it shows in a report, in order. A view can draw all of them. */
  sections: Section[]
}

/** Throws unless a view can draw the sections. */
export function requireDrawable(sections: readonly Section[]): void {
  const training = { planned: 0, epochs: [], history: {}, learningRate: [], seconds: [] }
  const state = { state: 'finished', started: '', seconds: 0, facts: [], remarks: [] }
  readRecord(JSON.stringify({ format: 'cotangent-run', version: RECORD_VERSION, title: '', ...state, training, sections }))
}

/** A line for each section: `images: Filters of conv2d_1`. The numbers of names are left out, which depend on what was made before. */
export const titlesOf = (sections: readonly Section[]): string[] =>
  sections.map(({ kind, title }) => `${kind}: ${title}`.replaceAll(/_\d+/g, ''))

/** Runs an experiment; `replaced` takes the place of parts of its context. Restores the console itself. */
export async function runHere(experiment: Experiment, settings: Settings = {}, replaced: Partial<Context> = {}): Promise<Outcome> {
  const { epochs = 1, batchSize = experiment.defaults.batchSize, seed = 1, limit, trainRows } = settings
  let printed = ''
  const write = (text: string): void => {
    printed += text
  }
  const log = vi.spyOn(console, 'log').mockImplementation((...parts: unknown[]) => write(`${parts.join(' ')}\n`))
  let used: DataSource | undefined
  const sections: Section[] = []
  const context: Context = {
    epochs,
    batchSize,
    seed,
    trainRows,
    callbacks: [],
    output: progressOutput({ write }),
    limited: (available) => Math.min(limit ?? available, available),
    uses(data) {
      used = data
    },
    mnist: () => mnist.loadData(),
    draw: async () => {},
    shows: async (...makers) => {
      for (const make of makers) sections.push(...[await make()].flat())
    },
    ...replaced,
  }
  try {
    const { value, history, remark } = await experiment.run(context)
    requireDrawable(sections)
    return { sections, value, remark, history: history.history, loss: history.history.loss, printed: printed.trimEnd(), used }
  } finally {
    log.mockRestore()
  }
}

/** Runs an experiment on the first images of MNIST. */
export async function runOnDigits(
  experiment: Experiment,
  { train, test: held, epochs = 1, batchSize = 50 }: { train: number; test: number; epochs?: number; batchSize?: number },
): Promise<Outcome> {
  const { xTrain, yTrain, xTest, yTest } = await mnist.loadData()
  const digits = {
    xTrain: slice(xTrain, 0, train),
    yTrain: slice(yTrain, 0, train),
    xTest: slice(xTest, 0, held),
    yTest: slice(yTest, 0, held),
  }
  return runHere(experiment, { epochs, batchSize }, { mnist: async () => digits })
}
