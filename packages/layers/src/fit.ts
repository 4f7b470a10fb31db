/**
 * The training loop and evaluation over data: splitting, shuffling, batches, callbacks, progress.
 *
 * As in Keras 2.3: validation data are the last part of x, taken before shuffling; every epoch has its own order; the last batch may be
 * smaller; the loss of an epoch is the mean over samples of the losses before each update, dropout on. So is the validation loss, of arrays and
 * of iterables (Keras 2.3.0 and 2.3.1 give that of the last batch for generators).
 */
import { key, scope, ValueError } from '@cotangent/core'
import { describeValue } from '@cotangent/core/arguments'
import { type BatchSource, isSource } from './batch-source.js'
import { type Callback, History, type Logs, requireCallbacks } from './callbacks/callback.js'
import { requireWhole } from './checks.js'
import type { Compiled } from './compiled.js'
import type { ModelData } from './data.js'
import { ArrayFeed, type Feed, type Part, partOf, SourceFeed, shuffledOrders, slicePart, withFeeds } from './feed.js'
import { isShaped, isTyped } from './host-data.js'
import type { Model } from './model.js'
import { paused, type Use } from './model-use.js'
import { hostTurns, standardOutput } from './platform.js'
import { ProgressBar, type ProgressStyle } from './progress.js'
import type { Weighting } from './sample-weights.js'

export { History } from './callbacks/callback.js'

export interface EvaluateOptions extends Pick<Weighting, 'sampleWeight'> {
  /** With an iterable: how many batches to take; a generator needs it. */
  steps?: number
  /** 32 by default. */
  batchSize?: number
  /** 0: silent (default), 1: a progress bar. */
  verbose?: 0 | 1 | 2
  /** Which Keras' lines to print: '2.3' (default) or '2.0.8'. */
  style?: ProgressStyle
  /** Where lines go; standard output by default. */
  output?: { write(text: string): void; isTerminal?: boolean }
}

/** As in Keras 2.3, `classWeight` counts in a part split off for validation, too. */
export interface FitOptions extends Weighting {
  /** 32 by default. */
  batchSize?: number
  /** 1 by default. */
  epochs?: number
  /** 1: a progress bar (default), 2: a line for each epoch, 0: silent. */
  verbose?: 0 | 1 | 2
  callbacks?: readonly Callback[]
  /** Share of the samples, from the end of x, that is kept for validation. */
  validationSplit?: number
  /** Data for validation, as an array [x, y] or [x, y, sampleWeight]; anything else that can be iterated gives batches. Wins over the split. */
  validationData?: readonly [x: ModelData, y: ModelData, sampleWeight?: ModelData] | BatchSource
  /** With an iterable: how many batches an epoch takes; a generator needs it. Without it an epoch is one pass. */
  stepsPerEpoch?: number
  /** With an iterable for validation: how many batches to take; a generator needs it. */
  validationSteps?: number
  /** Validate every so many epochs; 1 by default. */
  validationFreq?: number
  /** true by default; 'batch' shuffles whole batches. */
  shuffle?: boolean | 'batch'
  /** Replaces the model's key for shuffling. */
  seed?: number
  /** The number of the first epoch, for resuming. */
  initialEpoch?: number
  /** Which Keras' lines to print: '2.3' (default) or '2.0.8'. */
  style?: ProgressStyle
  /** Where lines go; standard output by default. */
  output?: { write(text: string): void; isTerminal?: boolean }
}

export async function fit(
  model: Model,
  x: ModelData | BatchSource,
  y: ModelData | undefined,
  options: FitOptions,
  use: Use,
): Promise<History> {
  const { batchSize = 32, epochs = 1, verbose = 1, initialEpoch = 0, validationFreq = 1, shuffle = true } = options
  requireWhole('fit: batchSize', batchSize, 1)
  requireWhole('fit: epochs', epochs, 0)
  requireWhole('fit: initialEpoch', initialEpoch, 0)
  requireWhole('fit: validationFreq', validationFreq, 1)
  const { training, validation } = await feedsOf(model, [x, y], { ...options, batchSize, shuffle }, use)
  return withFeeds([training, validation], async () => {
    await training.prepare()
    return run(model, { training, validation }, { ...options, epochs, verbose, initialEpoch, validationFreq }, use)
  })
}

async function run(
  model: Model,
  { training, validation }: Feeds,
  options: FitOptions & { epochs: number; verbose: 0 | 1 | 2; initialEpoch: number; validationFreq: number },
  use: Use,
): Promise<History> {
  const { epochs, verbose, initialEpoch, validationFreq } = options
  const compiled = model.compiled()
  const output = options.output ?? standardOutput()
  const history = new History()
  const callbacks: Callback[] = [...requireCallbacks(options.callbacks), history]
  const wantsBatches = callbacks.some((callback) => callback.onBatchEnd)
  /** What the bar counts to: samples, or steps; unknown in the first pass of an iterable. */
  let total = training.samples ?? training.steps

  // One for all epochs: they may be shorter than a turn.
  const hostTurn = hostTurns()
  model.stopTraining = false
  model.history = history
  const tell = async (stage: (callback: Callback) => void | Promise<void> | undefined): Promise<void> => {
    for (const callback of callbacks) {
      const waiting = paused(use, () => stage(callback))
      if (waiting) await waiting
    }
  }
  const { names } = compiled
  await tell((c) =>
    c.onTrainBegin?.({
      model,
      epochs,
      steps: training.steps,
      samples: training.samples,
      metrics: validation ? [...names, ...names.map((name) => `val_${name}`)] : names,
      print: (line) => output.write(`${line}\n`),
    }),
  )
  if (verbose > 0 && training.samples !== undefined && validation?.samples !== undefined)
    output.write(`Train on ${training.samples} samples, validate on ${validation.samples} samples\n`)

  for (let epoch = initialEpoch; epoch < epochs && !model.stopTraining; epoch++) {
    if (verbose > 0) output.write(`Epoch ${epoch + 1}/${epochs}\n`)
    const bar = progressBar(total ?? null, verbose, options.style, output)
    await tell((c) => c.onEpochBegin?.(epoch))
    const totals = compiled.newTotals()
    const logs: Logs = {}
    let step = 0
    let done = 0
    try {
      for await (const batch of training.epoch(epoch)) {
        await tell((c) => c.onBatchBegin?.(step))
        scope(() => compiled.trainStep(batch.x(), batch.y(), model.keyFor('dropout'), totals, batch.weights?.()))
        done += training.samples === undefined ? 1 : batch.size
        if (wantsBatches) {
          const values = await compiled.read(totals)
          await tell((c) => c.onBatchEnd?.(step, values))
        }
        step++
        if (bar && (total === undefined || done < total) && bar.due()) bar.update(done, Object.entries(await compiled.read(totals)))
        await hostTurn()
        if (model.stopTraining) break
      }
      Object.assign(logs, await compiled.read(totals))
    } finally {
      compiled.release(totals)
    }
    total ??= done
    // As in Keras, an epoch that a callback ended is not validated.
    if (validation && !model.stopTraining && (epoch + 1) % validationFreq === 0) {
      const values = await evaluateFeed(compiled, validation, epoch, hostTurn)
      for (const name of compiled.names) logs[`val_${name}`] = values[name]
    }
    bar?.finish(total, Object.entries(logs))
    await tell((c) => c.onEpochEnd?.(epoch, logs))
  }
  compiled.optimizer.finalizeWeights(compiled.parameters)
  await tell((c) => c.onTrainEnd?.())
  return history
}

export async function evaluate(
  model: Model,
  x: ModelData | BatchSource,
  y: ModelData | undefined,
  options: EvaluateOptions,
  use: Use,
): Promise<number[]> {
  const { batchSize = 32, verbose = 0, steps, sampleWeight } = options
  requireWhole('evaluate: batchSize', batchSize, 1)
  if (y === undefined) refuseWeights('evaluate', sampleWeight)
  const feed =
    y === undefined
      ? new SourceFeed(model, 'evaluate', requireSource('evaluate', x), { steps, stepsOption: 'steps', restart: true, use })
      : new ArrayFeed(model, await partOf(model, 'evaluate: ', [x as ModelData, y], { sampleWeight }), batchSize)
  return withFeeds([feed], async () => {
    await feed.prepare()
    const compiled = model.compiled()
    const target = feed.samples ?? feed.steps ?? null
    const bar = progressBar(target, verbose === 1 ? 1 : 0, options.style, options.output ?? standardOutput())
    const values = await evaluateFeed(compiled, feed, 0, hostTurns(), bar)
    return compiled.names.map((name) => values[name])
  })
}

async function evaluateFeed(
  compiled: Compiled,
  feed: Feed,
  epoch: number,
  hostTurn: () => Promise<void> | undefined,
  bar?: ProgressBar,
): Promise<Logs> {
  const totals = compiled.newTotals()
  let done = 0
  try {
    for await (const batch of feed.epoch(epoch)) {
      scope(() => compiled.testStep(batch.x(), batch.y(), totals, batch.weights?.()))
      done += feed.samples === undefined ? 1 : batch.size
      bar?.update(done, [])
      await hostTurn()
    }
    if (bar && feed.samples === undefined && feed.steps === undefined) bar.finish(done, [])
    return await compiled.read(totals)
  } finally {
    compiled.release(totals)
  }
}

function progressBar(
  target: number | null,
  verbose: 0 | 1 | 2,
  style: ProgressStyle | undefined,
  output: NonNullable<FitOptions['output']>,
): ProgressBar | undefined {
  if (verbose === 0) return undefined
  return new ProgressBar({ target, verbose, style, write: (text) => output.write(text), isTerminal: output.isTerminal ?? false })
}

interface Feeds {
  training: Feed
  validation?: Feed
}

/** Where training and validation get their batches; the validation part of arrays is their end. */
async function feedsOf(
  model: Model,
  [x, y]: readonly [x: ModelData | BatchSource, y: ModelData | undefined],
  options: FitOptions & { batchSize: number; shuffle: boolean | 'batch' },
  use: Use,
): Promise<Feeds> {
  const { batchSize, shuffle, validationData, validationSplit = 0, stepsPerEpoch, validationSteps, sampleWeight, classWeight } = options
  const arrays = (part: Part): Feed => new ArrayFeed(model, part, batchSize)
  const validationFeed = async (): Promise<Feed | undefined> => {
    if (validationData === undefined) return undefined
    const given = requireValidation(validationData)
    if (Array.isArray(given)) {
      const [vx, vy, weights] = given as unknown as readonly [ModelData, ModelData, ModelData?]
      return arrays(await partOf(model, 'fit: validationData ', [vx, vy], { sampleWeight: weights }))
    }
    return new SourceFeed(model, 'fit: validationData', given as BatchSource, {
      steps: validationSteps,
      stepsOption: 'validationSteps',
      restart: true,
      use,
    })
  }
  if (y === undefined) {
    if (validationSplit !== 0)
      throw new ValueError('fit: validationSplit needs arrays, of which it takes the end; with an iterable give validationData.')
    refuseWeights('fit', sampleWeight)
    const training = new SourceFeed(model, 'fit', requireSource('fit', x), {
      steps: stepsPerEpoch,
      stepsOption: 'stepsPerEpoch',
      restart: false,
      classWeight,
      use,
    })
    return { training, validation: await validationFeed() }
  }
  if (stepsPerEpoch !== undefined)
    throw new ValueError(
      'fit: stepsPerEpoch goes with an iterable of batches: fit(batches, { stepsPerEpoch }). Arrays are gone through whole.',
    )
  const all = await partOf(model, 'fit: ', [x as ModelData, y], { sampleWeight, classWeight })
  const shuffleKey = options.seed === undefined ? model.keyFor('shuffle') : key(options.seed)
  const shuffled = (part: Part): Feed => new ArrayFeed(model, part, batchSize, shuffledOrders(part.count, batchSize, shuffle, shuffleKey))
  if (validationData !== undefined) return { training: shuffled(all), validation: await validationFeed() }
  if (!(validationSplit >= 0 && validationSplit < 1))
    throw new ValueError(`fit: validationSplit must be from 0 to below 1, got ${validationSplit}.`)
  if (validationSplit === 0) return { training: shuffled(all) }
  const at = Math.trunc(all.count * (1 - validationSplit))
  if (at === 0 || at === all.count) {
    const left = at === 0 ? 'to train on' : 'for validation'
    throw new ValueError(`fit: validationSplit ${validationSplit} of ${all.count} samples leaves none ${left}.`)
  }
  return { training: shuffled(slicePart(all, 0, at)), validation: arrays(slicePart(all, at, all.count)) }
}

function refuseWeights(what: string, sampleWeight: unknown): void {
  if (sampleWeight !== undefined) throw new ValueError(`${what}: sampleWeight goes with arrays; an iterable gives [x, y, sampleWeight].`)
}

/** What is given without targets must be batches. */
function requireSource(what: string, source: unknown): BatchSource {
  if (isSource(source) && !isTyped(source) && !isShaped(source) && !areSamples(source)) return source
  throw new ValueError(
    `${what}: the targets y are missing: ${what}(x, y). Without them, expected an iterable of batches [x, y], got ${describeValue(source)}.`,
  )
}

/** Whether an array begins as samples do, not as batches: with a number, or with a row that begins with one. */
function areSamples(source: BatchSource): boolean {
  if (!Array.isArray(source)) return false
  const [first] = source as unknown[]
  const begins = Array.isArray(first) ? first[0] : first
  return typeof begins === 'number' || typeof begins === 'boolean' || isTyped(first)
}

function requireValidation(given: unknown): readonly [ModelData, ModelData, ModelData?] | BatchSource {
  const isPair = Array.isArray(given) && (given.length === 2 || given.length === 3)
  if (isPair || (isSource(given) && !Array.isArray(given) && !isTyped(given))) return given as BatchSource
  throw new ValueError(
    `fit: validationData must be [x, y] or [x, y, sampleWeight]; anything else that can be iterated gives batches. Got ${describeValue(given)}.`,
  )
}
