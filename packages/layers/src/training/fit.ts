/**
 * The training loop, and evaluation: splitting, shuffling, batches, callbacks, progress.
 *
 * As in Keras 2.3, validation data are the last part of x, taken before shuffling. Every epoch has its own order. The last batch may be smaller. The loss of an
 * epoch is the mean over samples, each computed before its batch's update, with dropout. The validation loss is a mean over samples, too, also for iterables;
 * there, Keras 2.3.0 and 2.3.1 give the loss of the last batch.
 */
import { key, scope, ValueError } from '@cotangent/core'
import { describeValue } from '@cotangent/core/arguments'
import { type Callback, History, type Logs, type TrainedModel } from '../callbacks/callback.js'
import { isShaped, isTyped } from '../host-data.js'
import { hostTurns, standardOutput } from '../platform.js'
import { type BatchSource, isSource } from './batch-source.js'
import { within } from './checks.js'
import type { ModelData } from './data.js'
import { ArrayFeed, type Feed, type Samples, samplesOf, shuffledOrders, sliceSamples, withFeeds } from './feed.js'
import { type EvaluateSettings, type FitSettings, refuse } from './fit-options.js'
import { paused, type Use } from './model-use.js'
import { ProgressBar, type ProgressStyle, type Verbosity } from './progress.js'
import { SourceFeed } from './source-feed.js'
import type { Compilable, Trainer } from './trainer.js'

export { History } from '../callbacks/callback.js'
export type { EvaluateOptions, FitOptions } from './fit-options.js'

/** `Model.fit`, with the options read: makes the feeds, and runs the epochs. */
export async function fit(
  model: Compilable,
  x: ModelData | BatchSource,
  y: ModelData | undefined,
  settings: FitSettings,
  use: Use,
): Promise<History> {
  const { training, validation } = await feedsOf(model, [x, y], settings, use)
  return withFeeds([training, validation], async () => {
    await training.prepare()
    await validation?.prepare()
    return run(model, { training, validation }, settings, use)
  })
}

async function run(model: Compilable, { training, validation }: Feeds, settings: FitSettings, use: Use): Promise<History> {
  const { epochs, initialEpoch, validationFreq } = settings
  const verbose = Number(settings.verbose) as Verbosity
  const trainer = model.trainer()
  const output = settings.output ?? standardOutput()
  const history = new History()
  const callbacks: Callback[] = [...settings.callbacks, history]
  const wantsBatches = callbacks.some((callback) => callback.onBatchEnd)
  /** The number at which the progress bar is full: samples or steps; unknown in the first pass of an iterable. */
  let total = training.samples ?? training.steps

  // One for all epochs, since an epoch may be shorter than a turn.
  const hostTurn = hostTurns()
  model.stopTraining = false
  model.history = history
  const tell = async (stage: (callback: Callback) => void | Promise<void> | undefined): Promise<void> => {
    for (const callback of callbacks) {
      const waiting = paused(use, () => stage(callback))
      if (waiting) await waiting
    }
  }
  const { names } = trainer
  await tell((c) =>
    c.onTrainBegin?.({
      model: model as TrainedModel,
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
    const bar = progressBar(total ?? null, verbose, settings.style, output)
    await tell((c) => c.onEpochBegin?.(epoch))
    const totals = trainer.newTotals()
    const logs: Logs = {}
    let step = 0
    let done = 0
    try {
      for await (const batch of training.epoch(epoch)) {
        await tell((c) => c.onBatchBegin?.(step))
        const key = model.keyFor('dropout')
        within(`in fit, batch ${step + 1} of epoch ${epoch + 1}`, () =>
          scope(() => trainer.trainStep(batch.x(), batch.y(), key, totals, batch.weights?.())),
        )
        done += training.samples === undefined ? 1 : batch.size
        if (wantsBatches) {
          const values = await trainer.read(totals)
          await tell((c) => c.onBatchEnd?.(step, values))
        }
        step++
        if (bar && (total === undefined || done < total) && bar.due()) bar.update(done, Object.entries(await trainer.read(totals)))
        await hostTurn()
        if (model.stopTraining) break
      }
      Object.assign(logs, await trainer.read(totals))
    } finally {
      trainer.release(totals)
    }
    total ??= done
    // As in Keras, there is no validation after an epoch that a callback ended.
    if (validation && !model.stopTraining && (epoch + 1) % validationFreq === 0) {
      const values = await evaluateFeed(trainer, validation, { what: 'the validation of fit', epoch, hostTurn })
      for (const [name, value] of Object.entries(values)) logs[`val_${name}`] = value
    }
    bar?.finish(total, Object.entries(logs))
    await tell((c) => c.onEpochEnd?.(epoch, logs))
  }
  trainer.optimizer.finalizeWeights(trainer.parameters)
  await tell((c) => c.onTrainEnd?.())
  return history
}

/** `Model.evaluate`, with the options read. */
export async function evaluate(
  model: Compilable,
  x: ModelData | BatchSource,
  y: ModelData | undefined,
  settings: EvaluateSettings,
  use: Use,
): Promise<Logs> {
  const { batchSize = 32, verbose, steps, sampleWeight, style, output } = settings
  const feed = await evaluationFeed()
  return withFeeds([feed], async () => {
    await feed.prepare()
    const trainer = model.trainer()
    const target = feed.samples ?? feed.steps ?? null
    const bar = progressBar(target, Number(verbose) === 1 ? 1 : 0, style, output ?? standardOutput())
    return evaluateFeed(trainer, feed, { what: 'evaluate', epoch: 0, hostTurn: hostTurns(), bar })
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

const ofArrays = 'goes with arrays; an iterable gives batches as they are: [x, y] or [x, y, sampleWeight].'

async function evaluateFeed(
  trainer: Trainer,
  feed: Feed,
  { what, epoch, hostTurn, bar }: { what: string; epoch: number; hostTurn: () => Promise<void> | undefined; bar?: ProgressBar },
): Promise<Logs> {
  const totals = trainer.newTotals()
  let done = 0
  let step = 0
  try {
    for await (const batch of feed.epoch(epoch)) {
      within(`in ${what}, batch ${++step}`, () => scope(() => trainer.testStep(batch.x(), batch.y(), totals, batch.weights?.())))
      done += feed.samples === undefined ? 1 : batch.size
      bar?.update(done, [])
      await hostTurn()
    }
    if (bar && feed.samples === undefined && feed.steps === undefined) bar.finish(done, [])
    return await trainer.read(totals)
  } finally {
    trainer.release(totals)
  }
}

function progressBar(
  target: number | null,
  verbose: 0 | 1 | 2,
  style: ProgressStyle | undefined,
  output: NonNullable<FitSettings['output']>,
): ProgressBar | undefined {
  if (verbose === 0) return undefined
  return new ProgressBar({ target, verbose, style, write: (text) => output.write(text), isTerminal: output.isTerminal ?? false })
}

interface Feeds {
  training: Feed
  validation?: Feed
}

/** The feeds of training and validation. With `validationSplit`, validation gets the end of the arrays. */
async function feedsOf(
  model: Compilable,
  [x, y]: readonly [x: ModelData | BatchSource, y: ModelData | undefined],
  settings: FitSettings,
  use: Use,
): Promise<Feeds> {
  const { batchSize = 32, shuffle, validationData, validationSplit, sampleWeight, classWeight } = settings
  const ofIterables = 'goes with an iterable of batches'
  if (y === undefined) {
    const source = requireSource('fit', x)
    if (validationSplit !== 0)
      throw new ValueError('fit: validationSplit needs arrays, of which it takes the end; with an iterable give validationData.')
    refuse('fit', settings, ['batchSize', 'sampleWeight'], ofArrays)
    const training = new SourceFeed(model, 'fit', source, {
      steps: settings.stepsPerEpoch,
      stepsOption: 'stepsPerEpoch',
      restart: false,
      classWeight,
      use,
    })
    return { training, validation: await validationFeed(model, settings, use) }
  }
  refuse('fit', settings, ['stepsPerEpoch'], `${ofIterables}: fit(batches, { stepsPerEpoch }). Arrays are gone through whole.`)
  if (validationData === undefined) refuse('fit', settings, ['validationSteps'], `${ofIterables} as validationData.`)
  const all = await samplesOf(model, 'fit: ', [x as ModelData, y], { sampleWeight, classWeight })
  const shuffleKey = settings.seed === undefined ? model.keyFor('shuffle') : key(settings.seed)
  const shuffled = (part: Samples): Feed =>
    new ArrayFeed(model, part, batchSize, shuffledOrders(part.count, batchSize, shuffle, shuffleKey))
  if (validationData !== undefined) return { training: shuffled(all), validation: await validationFeed(model, settings, use) }
  if (validationSplit === 0) return { training: shuffled(all) }
  const at = Math.trunc(all.count * (1 - validationSplit))
  if (at === 0 || at === all.count) {
    const left = at === 0 ? 'to train on' : 'for validation'
    throw new ValueError(
      `fit: validationSplit ${validationSplit} of ${all.count} ${all.count === 1 ? 'sample' : 'samples'} leaves none ${left}.`,
    )
  }
  return { training: shuffled(sliceSamples(all, 0, at)), validation: new ArrayFeed(model, sliceSamples(all, at, all.count), batchSize) }
}

async function validationFeed(
  model: Compilable,
  { batchSize = 32, validationData, validationSteps }: FitSettings,
  use: Use,
): Promise<Feed | undefined> {
  const what = 'fit: validationData'
  if (validationData === undefined) return undefined
  const given = requireValidation(validationData)
  if (!Array.isArray(given))
    return new SourceFeed(model, what, given as BatchSource, {
      steps: validationSteps,
      stepsOption: 'validationSteps',
      restart: true,
      ahead: true,
      use,
    })
  refuse('fit', { validationSteps }, ['validationSteps'], 'goes with an iterable as validationData. Arrays are gone through whole.')
  const [x, y, sampleWeight] = given as unknown as readonly [ModelData, ModelData, ModelData?]
  return new ArrayFeed(model, await samplesOf(model, `${what} `, [x, y], { sampleWeight }), batchSize)
}

/** Throws unless data without targets are an iterable of batches. */
function requireSource(what: string, source: unknown): BatchSource {
  if (isSource(source) && !isTyped(source) && !isShaped(source) && !areSamples(source)) return source
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

function requireValidation(given: unknown): readonly [ModelData, ModelData, ModelData?] | BatchSource {
  const isPair = Array.isArray(given) && (given.length === 2 || given.length === 3)
  if (isPair || (isSource(given) && !Array.isArray(given) && !isTyped(given))) return given as BatchSource
  throw new ValueError(
    `fit: validationData must be [x, y] or [x, y, sampleWeight]; anything else that can be iterated gives batches. Got ${describeValue(given)}.`,
  )
}
