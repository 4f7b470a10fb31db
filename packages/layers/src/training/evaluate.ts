/** `evaluate`, and the validation of `fit`. */
import { scope, ValueError } from '@cotangent/core'
import { describeValue } from '@cotangent/core/arguments'
import type { Callback, Logs } from '../callbacks/callback.js'
import { isShaped, isTyped } from '../host-data.js'
import { hostTurns, standardOutput } from '../platform.js'
import { type BatchSource, isSource } from './batch-source.js'
import { within } from './checks.js'
import type { ModelData } from './data.js'
import { ArrayFeed, type Feed, samplesOf, withFeeds } from './feed.js'
import { type EvaluateSettings, type FitSettings, refuse } from './fit-options.js'
import type { Use } from './model-use.js'
import { ProgressBar, type ProgressStyle } from './progress.js'
import { SourceFeed } from './source-feed.js'
import { between, tellAll, testContext } from './stages.js'
import { releaseTotals } from './totals.js'
import type { Compilable } from './trainer.js'

/** `Model.evaluate`, with the options read. */
export async function evaluate(
  model: Compilable,
  x: ModelData | BatchSource,
  y: ModelData | undefined,
  settings: EvaluateSettings,
  use: Use,
): Promise<Logs> {
  const { batchSize = 32, verbose, steps, sampleWeight, style, output, callbacks } = settings
  const feed = await evaluationFeed()
  return withFeeds([feed], async () => {
    await feed.prepare()
    model.trainer().requireLoss('evaluate')
    const target = feed.samples ?? feed.steps ?? null
    const bar = progressBar(target, Number(verbose) === 1 ? 1 : 0, style, output ?? standardOutput())
    return evaluateFeed(model, feed, { what: 'evaluate', epoch: 0, hostTurn: hostTurns(), bar, callbacks, use })
  })

  async function evaluationFeed(): Promise<Feed> {
    if (y === undefined) {
      const source = requireSource('evaluate', x)
      refuse('evaluate', settings, ['batchSize', 'sampleWeight'], ofArrays)
      return new SourceFeed(model, 'evaluate', source, { steps, stepsOption: 'steps', restart: true, use })
    }
    refuse('evaluate', settings, ['steps'], 'goes with an iterable of batches. Arrays are gone through whole.')
    return new ArrayFeed(model, await samplesOf(model, 'evaluate: ', [x as ModelData, y], { sampleWeight }), batchSize)
  }
}

/** Why options of batches do not go with iterables. */
export const ofArrays = 'goes with arrays; an iterable gives batches as they are: [x, y] or [x, y, sampleWeight].'

/** How a feed is evaluated. */
interface Evaluation {
  what: string
  epoch: number
  /** The number of evaluations before it that were done elsewhere. */
  passed?: number
  hostTurn: () => Promise<void> | undefined
  bar?: ProgressBar
  callbacks: readonly Callback[]
  use: Use
}

/** The loss and metrics of all batches of a feed. */
export async function evaluateFeed(
  model: Compilable,
  feed: Feed,
  { what, epoch, passed, hostTurn, bar, callbacks, use }: Evaluation,
): Promise<Logs> {
  const tell = tellAll(callbacks, use)
  const wantsBatches = callbacks.some((callback) => callback.onTestBatchEnd)
  const trainer = model.trainer()
  const run = async (): Promise<Logs> => {
    const totals = trainer.newTotals()
    let done = 0
    let step = 0
    try {
      for await (const batch of feed.epoch(epoch, 0, passed)) {
        await tell((c) => c.onTestBatchBegin?.(step))
        within(`in ${what}, batch ${step + 1}`, () => scope(() => trainer.testStep(batch.x(), batch.y(), totals, batch.weights?.())))
        if (wantsBatches) {
          const values = await trainer.read(totals)
          await tell((c) => c.onTestBatchEnd?.(step, values))
        }
        step++
        done += feed.samples === undefined ? 1 : batch.size
        bar?.update(done, [])
        await hostTurn()
      }
      if (bar && feed.samples === undefined && feed.steps === undefined) bar.finish(done, [])
      return await trainer.read(totals)
    } finally {
      releaseTotals(totals)
    }
  }
  return between(
    () => tell((c) => c.onTestBegin?.(testContext(model, feed))),
    run,
    (logs = {}) => tell((c) => c.onTestEnd?.(logs)),
  )
}

/** The progress bar of `fit` and `evaluate`; undefined if nothing is to be printed. */
export function progressBar(
  target: number | null,
  verbose: 0 | 1 | 2,
  style: ProgressStyle | undefined,
  output: NonNullable<FitSettings['output']>,
): ProgressBar | undefined {
  if (verbose === 0) return undefined
  return new ProgressBar({ target, verbose, style, write: (text) => output.write(text), isTerminal: output.isTerminal ?? false })
}

/** Whether something is an iterable of batches, and no samples. */
const areBatches = (source: unknown): source is BatchSource =>
  isSource(source) && !isTyped(source) && !isShaped(source) && !areSamples(source)

/** Whether a training step of the user's is to get samples without targets. */
export const isForOwnStep = (model: Compilable, x: unknown): x is ModelData => model.trainStep !== undefined && !areBatches(x)

/** Throws unless data without targets are an iterable of batches. */
export function requireSource(what: string, source: unknown): BatchSource {
  if (areBatches(source)) return source
  throw new ValueError(
    `${what}: the targets y are missing: ${what}(x, y). Without them, expected an iterable of batches [x, y], got ${describeValue(source)}.`,
  )
}

/** Whether an array begins as samples do: with a number, or with a row that begins with one. Batches do not. */
function areSamples(source: BatchSource): boolean {
  if (!Array.isArray(source)) return false
  const [first] = source as unknown[]
  const begins = Array.isArray(first) ? first[0] : first
  return typeof begins === 'number' || typeof begins === 'boolean' || isTyped(first)
}
