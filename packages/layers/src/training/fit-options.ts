/** The options of `fit`, `evaluate` and `predict`. They are read and checked before anything is done. */
import { ValueError } from '@cotangent/core'
import { requireChoice, requireFunction } from '@cotangent/core/arguments'
import { type Callback, requireCallbacks } from '../callbacks/callback.js'
import { type Rule, readOptions, type SpelledOptions } from '../spelling/names.js'
import { number, oneOf, whole } from '../spelling/rules.js'
import type { BatchSource } from './batch-source.js'
import type { ModelData } from './data.js'
import type { ProgressStyle } from './progress.js'
import type { Weighting } from './sample-weights.js'

/** Options of `evaluate`. */
export interface EvaluateOptions extends Pick<Weighting, 'sampleWeight'> {
  /** With an iterable: the number of batches to take, at least 1. A generator needs it; by default all. */
  steps?: number
  /** With arrays: samples in a batch, at least 1; 32 by default. */
  batchSize?: number
  /** Return a record of the values by their names, not a list. False by default. */
  returnDict?: boolean
  /** 0: silent (default), 1: a progress bar. */
  verbose?: 0 | 1 | 2 | boolean
  /** The version of Keras whose progress lines to print: '2.3' (default) or '2.0.8'. */
  style?: ProgressStyle
  /** The destination of progress lines; standard output by default. */
  output?: { write(text: string): void; isTerminal?: boolean }
  /** Callbacks with stages of tests, such as `onTestBegin`; none by default. */
  callbacks?: readonly Callback[]
}

/** Options of `fit`. As in Keras 2.3, `classWeight` also counts in samples that are split off for validation. */
export interface FitOptions extends Weighting {
  /** With arrays: samples in a batch, at least 1; 32 by default. */
  batchSize?: number
  /** The number of the last epoch, and so the number of epochs if `initialEpoch` is 0; 1 by default. */
  epochs?: number
  /** 1: a progress bar (default), 2: a line for each epoch, 0: silent. */
  verbose?: 0 | 1 | 2 | boolean
  /** Callbacks, called in the order of the list; none by default. */
  callbacks?: readonly Callback[]
  /** The share of the samples, from the end of x, that is kept for validation: from 0 to below 1, 0 by default. */
  validationSplit?: number
  /** Data for validation: an array [x, y] or [x, y, sampleWeight], or an iterable of batches. `validationSplit` is ignored then. None by default. */
  validationData?: readonly [x: ModelData, y: ModelData, sampleWeight?: ModelData] | BatchSource
  /** With an iterable: the number of batches in an epoch, at least 1. A generator needs it; by default an epoch is one pass. */
  stepsPerEpoch?: number
  /** With an iterable for validation: the number of batches to take, at least 1. A generator needs it; by default all. */
  validationSteps?: number
  /** The number of epochs from one validation to the next, at least 1; 1 by default. */
  validationFreq?: number
  /** Shuffle the samples before each epoch; true by default. 'batch' shuffles whole batches. */
  shuffle?: boolean | 'batch'
  /** A seed for shuffling, used instead of the model's; a whole number, at least 0. None by default. */
  seed?: number
  /** The number of the first epoch, to resume a training; 0 by default. */
  initialEpoch?: number
  /** Put the values of an epoch in the order of their names, as Keras 3 does: `accuracy, loss`, then `val_accuracy, val_loss`. False by default: the loss is first. */
  sortLogs?: boolean
  /** The version of Keras whose progress lines to print: '2.3' (default) or '2.0.8'. */
  style?: ProgressStyle
  /** The destination of progress lines; standard output by default. */
  output?: { write(text: string): void; isTerminal?: boolean }
}

/** Options of `predict` and its relatives. */
export interface PredictOptions {
  /** Samples computed at once, at least 1; 32 by default. */
  batchSize?: number
  /** Callbacks with stages of predictions, such as `onPredictBegin`; none by default. */
  callbacks?: readonly Callback[]
}

/** Options, of which those with a default are present. */
type Settings<Options, Defaults extends keyof Options> = Required<Pick<Options, Defaults>> & Options

/** Options of `fit` with defaults filled in. */
export type FitSettings = Settings<
  FitOptions,
  'epochs' | 'verbose' | 'validationSplit' | 'validationFreq' | 'shuffle' | 'initialEpoch' | 'sortLogs' | 'callbacks'
>

const counts = whole({ least: 1 })
const verbosity: Rule = (what, name, value) => requireChoice(what, name, value, [0, 1, 2, false, true])
const writer: Rule = (what, name, value) =>
  requireFunction(what, `${name}.write`, (value as { write?: unknown } | null)?.write, `${name}: { write(text) { … } }`)

const callbackRule: Rule = (what, _name, value) => void requireCallbacks(value as readonly Callback[], what)

const progress = { verbose: verbosity, style: oneOf('2.3', '2.0.8'), output: writer }

/** Reads the options of `fit`. */
export const readFitOptions = (options: SpelledOptions<FitOptions> | undefined): FitSettings =>
  readOptions<FitSettings>(
    'fit',
    options,
    {
      batchSize: undefined,
      epochs: 1,
      verbose: 1,
      callbacks: [],
      validationSplit: 0,
      validationData: undefined,
      stepsPerEpoch: undefined,
      validationSteps: undefined,
      validationFreq: 1,
      shuffle: true,
      seed: undefined,
      initialEpoch: 0,
      sortLogs: false,
      style: undefined,
      output: undefined,
      sampleWeight: undefined,
      classWeight: undefined,
    },
    {
      ...progress,
      batchSize: counts,
      epochs: whole({ least: 0 }),
      callbacks: callbackRule,
      validationSplit: number({ least: 0, below: 1 }),
      stepsPerEpoch: counts,
      validationSteps: counts,
      validationFreq: counts,
      shuffle: (what, name, value) => requireChoice(what, name, value, [true, false, 'batch']),
      seed: whole({ least: 0 }),
      initialEpoch: whole({ least: 0 }),
    },
    'fit(x, y, { batchSize: 32, epochs: 10 })',
  )

/** Options of `evaluate` with defaults filled in. */
export type EvaluateSettings = Settings<EvaluateOptions, 'verbose' | 'returnDict' | 'callbacks'>

/** Reads the options of `evaluate`. */
export const readEvaluateOptions = (options: SpelledOptions<EvaluateOptions> | undefined): EvaluateSettings =>
  readOptions<EvaluateSettings>(
    'evaluate',
    options,
    {
      steps: undefined,
      batchSize: undefined,
      returnDict: false,
      verbose: 0,
      style: undefined,
      output: undefined,
      sampleWeight: undefined,
      callbacks: [],
    },
    { ...progress, callbacks: callbackRule, steps: counts, batchSize: counts },
    'evaluate(x, y, { batchSize: 32 })',
  )

/** @param what the method: predict, predictAll, predictClasses … */
export const readPredictOptions = (what: string, options: SpelledOptions<PredictOptions> | undefined): Required<PredictOptions> =>
  readOptions(
    what,
    options,
    { batchSize: 32, callbacks: [] },
    { batchSize: counts, callbacks: callbackRule },
    `${what}(x, { batchSize: 32 })`,
  )

/** The factors for a single step. */
export const readWeighting = (what: 'trainOnBatch' | 'testOnBatch', options: SpelledOptions<Weighting> | undefined): Weighting =>
  readOptions<Weighting>(
    what,
    options,
    what === 'trainOnBatch' ? { sampleWeight: undefined, classWeight: undefined } : { sampleWeight: undefined },
    {},
    `${what}(x, y, { sampleWeight })`,
  )

/** Throws if one of these options is given, where it makes no sense: `because` says why. */
export function refuse(what: string, options: object, names: readonly string[], because: string): void {
  const given = names.find((name) => (options as Readonly<Record<string, unknown>>)[name] !== undefined)
  if (given) throw new ValueError(`${what}: ${given} ${because}`)
}

/** Whether callbacks are given. They may change weights, so the call is then alone with them. */
export const hasCallbacks = (options: unknown): boolean => {
  const { callbacks } = Object(options) as { callbacks?: unknown }
  return Array.isArray(callbacks) && callbacks.length > 0
}
