/** Running experiments inside a test: on a few samples, with what they print caught. */
import { mnist, slice } from '@cotangent/datasets'
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
}

/** Runs an experiment; `replaced` takes the place of parts of its context. Restores the console itself. */
export async function runHere(experiment: Experiment, settings: Settings = {}, replaced: Partial<Context> = {}): Promise<Outcome> {
  const { epochs = 1, batchSize = experiment.defaults.batchSize, seed = 1, limit, trainRows } = settings
  let printed = ''
  const write = (text: string): void => {
    printed += text
  }
  const log = vi.spyOn(console, 'log').mockImplementation((...parts: unknown[]) => write(`${parts.join(' ')}\n`))
  let used: DataSource | undefined
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
    ...replaced,
  }
  try {
    const { value, history, remark } = await experiment.run(context)
    return { value, remark, history: history.history, loss: history.history.loss, printed: printed.trimEnd(), used }
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
