/**
 * The training loop, and evaluation: splitting, shuffling, batches, callbacks, progress.
 *
 * As in Keras 2.3, validation data are the last part of x, taken before shuffling. Every epoch has its own order. The last batch may be smaller. The loss of an
 * epoch is the mean over samples, each computed before its batch's update, with dropout. The validation loss is a mean over samples, too, also for iterables;
 * there, Keras 2.3.0 and 2.3.1 give the loss of the last batch.
 */
import { type Key, key, scope, ValueError } from '@cotangent/core'
import { describeValue } from '@cotangent/core/arguments'
import { type Callback, type GradientWatcher, History, type Logs, type TrainedModel, type TrainOutput } from '../callbacks/callback.js'
import { isTyped } from '../host-data.js'
import { hostTurns, standardOutput } from '../platform.js'
import { type BatchSource, isSource } from './batch-source.js'
import { within } from './checks.js'
import type { ModelData } from './data.js'
import { evaluateFeed, isForOwnStep, ofArrays, progressBar, requireSource } from './evaluate.js'
import { ArrayFeed, type Feed, type Samples, samplesOf, shuffledOrders, sliceSamples, withFeeds } from './feed.js'
import { type FitSettings, refuse } from './fit-options.js'
import type { Use } from './model-use.js'
import { Place } from './place.js'
import type { Verbosity } from './progress.js'
import { SourceFeed } from './source-feed.js'
import { type Tell, tellAll } from './stages.js'
import { releaseTotals, type Totals } from './totals.js'
import type { Compilable } from './trainer.js'

export { History } from '../callbacks/callback.js'
export { evaluate } from './evaluate.js'
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

async function run(model: Compilable, feeds: Feeds, settings: FitSettings, use: Use): Promise<History> {
  const history = new History()
  const callbacks: Callback[] = [...settings.callbacks, history]
  const watchers: Watchers = { history, callbacks, tell: tellAll(callbacks, use), use, begun: false }
  try {
    await runEpochs(model, feeds, settings, watchers)
  } catch (error) {
    if (!watchers.begun) throw error
    await watchers.tell(async (c) => {
      try {
        await c.onTrainError?.(error)
      } catch {} // the first error is the one to tell
    })
    throw error
  }
  return history
}

/** Those who look on. */
interface Watchers {
  history: History
  callbacks: readonly Callback[]
  tell: Tell
  use: Use
  /** Whether they are told of this training. */
  begun: boolean
}

async function runEpochs(model: Compilable, { training, validation }: Feeds, settings: FitSettings, watchers: Watchers): Promise<void> {
  const { history, callbacks, tell, use } = watchers
  const { epochs, initialEpoch, validationFreq } = settings
  const verbose = Number(settings.verbose) as Verbosity
  const trainer = model.trainer()
  if (validation) trainer.requireLoss('the validation of fit')
  let output: TrainOutput = settings.output ?? standardOutput()
  let see: GradientWatcher | undefined
  const wantsBatches = callbacks.some((callback) => callback.onTrainBatchEnd ?? callback.onBatchEnd)
  /** The number at which the progress bar is full: samples or steps; unknown in the first pass of an iterable. */
  let total = training.samples ?? training.steps

  // One for all epochs, since an epoch may be shorter than a turn.
  const hostTurn = hostTurns()
  model.stopTraining = false
  model.history = history
  const at = new Place(model, initialEpoch)
  const inOrder = <Value>(entries: [string, Value][]): [string, Value][] =>
    settings.sortLogs ? entries.sort(([a], [b]) => (a < b ? -1 : 1)) : entries
  const read = async (totals: Totals): Promise<Logs> => Object.fromEntries(inOrder(Object.entries(await trainer.read(totals))))
  const names = inOrder(trainer.names.map((name) => [name, name])).map(([name]) => name)
  watchers.begun = true
  await tell((c) =>
    c.onTrainBegin?.({
      model: model as TrainedModel,
      epochs,
      steps: training.steps,
      samples: training.samples,
      metrics: validation ? [...names, ...names.map((name) => `val_${name}`)] : names,
      print: (line) => output.write(`${line}\n`),
      place: () => at.save(),
      resume: (place) => at.resume(place),
      watchGradients(watcher) {
        const before = see
        see = (parameters, grads) => {
          before?.(parameters, grads)
          watcher(parameters, grads)
        }
      },
      wrapOutput(wrap) {
        output = wrap(output)
      },
    }),
  )
  if (verbose > 0 && training.samples !== undefined && validation?.samples !== undefined)
    output.write(`Train on ${training.samples} samples, validate on ${validation.samples} samples\n`)

  for (let epoch = at.epoch; epoch < epochs && !model.stopTraining; epoch++) {
    if (verbose > 0) output.write(`Epoch ${epoch + 1}/${epochs}\n`)
    let done = 0
    const bar = progressBar(total ?? null, verbose, settings.style, output)
    const totals = trainer.newTotals()
    const logs: Logs = {}
    try {
      await at.begin(epoch, totals, () => tell((c) => c.onEpochBegin?.(epoch)))
      let step = at.batch
      done = at.done
      for await (const batch of training.epoch(epoch, step, at.passed())) {
        await tell((c) => (c.onTrainBatchBegin ?? c.onBatchBegin)?.call(c, step))
        const key = model.keyFor('dropout')
        const watcher = step + 1 === (training.steps ?? total) ? see : undefined
        within(`in fit, batch ${step + 1} of epoch ${epoch + 1}`, () =>
          scope(() => trainer.trainStep(batch.x(), batch.y(), key, totals, batch.weights?.(), watcher)),
        )
        done += training.samples === undefined ? 1 : batch.size
        at.next(done)
        if (wantsBatches) {
          const values = await read(totals)
          await tell((c) => (c.onTrainBatchEnd ?? c.onBatchEnd)?.call(c, step, values))
        }
        step++
        if (bar && (total === undefined || done < total) && bar.due()) bar.update(done, Object.entries(await read(totals)))
        await hostTurn()
        if (model.stopTraining) break
      }
      Object.assign(logs, await read(totals))
    } finally {
      releaseTotals(totals)
    }
    total ??= done
    // As in Keras, there is no validation after an epoch that a callback ended.
    if (validation && !model.stopTraining && (epoch + 1) % validationFreq === 0) {
      const passed = at.validations(epoch, validationFreq)
      const values = await evaluateFeed(model, validation, { what: 'the validation of fit', epoch, passed, hostTurn, callbacks, use })
      for (const [name, value] of inOrder(Object.entries(values))) logs[`val_${name}`] = value
    }
    bar?.finish(total, Object.entries(logs))
    at.end()
    await tell((c) => c.onEpochEnd?.(epoch, logs))
  }
  trainer.optimizer.finalizeWeights(trainer.parameters)
  await tell((c) => c.onTrainEnd?.())
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
  if (y === undefined && !isForOwnStep(model, x)) {
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
  if (y === undefined) refuse('fit', settings, ['sampleWeight', 'classWeight'], 'goes with targets: fit(x, y, options).')
  const all = await samplesOf(model, 'fit: ', [x as ModelData, y], { sampleWeight, classWeight })
  const shuffleKey = (): Key => (settings.seed === undefined ? model.keyFor('shuffle') : key(settings.seed))
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

function requireValidation(given: unknown): readonly [ModelData, ModelData, ModelData?] | BatchSource {
  const isPair = Array.isArray(given) && (given.length === 2 || given.length === 3)
  if (isPair || (isSource(given) && !Array.isArray(given) && !isTyped(given))) return given as BatchSource
  throw new ValueError(
    `fit: validationData must be [x, y] or [x, y, sampleWeight]; anything else that can be iterated gives batches. Got ${describeValue(given)}.`,
  )
}
