/** The options of `fit`, `evaluate` and `predict`, read and checked before anything is done. */
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
  /** With an iterable: how many batches to take; a generator needs it. */
  steps?: number
  /** With arrays: 32 by default. */
  batchSize?: number
  /** 0: silent (default), 1: a progress bar. */
  verbose?: 0 | 1 | 2 | boolean
  /** Which Keras' lines to print: '2.3' (default) or '2.0.8'. */
  style?: ProgressStyle
  /** Where lines go; standard output by default. */
  output?: { write(text: string): void; isTerminal?: boolean }
}

/** Options of `fit`. As in Keras 2.3, `classWeight` counts in a part split off for validation, too. */
export interface FitOptions extends Weighting {
  /** With arrays: 32 by default. */
  batchSize?: number
  /** 1 by default. */
  epochs?: number
  /** 1: a progress bar (default), 2: a line for each epoch, 0: silent. */
  verbose?: 0 | 1 | 2 | boolean
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

/** Options of `predict` and its kin. */
export interface PredictOptions {
  /** How many samples are computed at once; 32 by default. */
  batchSize?: number
}

/** Options that have a default are there; the others may be. */
type Settings<Options, Defaults extends keyof Options> = Required<Pick<Options, Defaults>> & Options

/** Options of `fit` over their defaults. */
export type FitSettings = Settings<
  FitOptions,
  'epochs' | 'verbose' | 'validationSplit' | 'validationFreq' | 'shuffle' | 'initialEpoch' | 'callbacks'
>

const counts = whole({ least: 1 })
const verbosity: Rule = (what, name, value) => requireChoice(what, name, value, [0, 1, 2, false, true])
const writer: Rule = (what, name, value) =>
  requireFunction(what, `${name}.write`, (value as { write?: unknown } | null)?.write, `${name}: { write(text) { … } }`)

const progress = { verbose: verbosity, style: oneOf('2.3', '2.0.8'), output: writer }

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
      style: undefined,
      output: undefined,
      sampleWeight: undefined,
      classWeight: undefined,
    },
    {
      ...progress,
      batchSize: counts,
      epochs: whole({ least: 0 }),
      callbacks: (_what, _name, value) => void requireCallbacks(value as readonly Callback[]),
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

/** Options of `evaluate` over their defaults. */
export type EvaluateSettings = Settings<EvaluateOptions, 'verbose'>

export const readEvaluateOptions = (options: SpelledOptions<EvaluateOptions> | undefined): EvaluateSettings =>
  readOptions<EvaluateSettings>(
    'evaluate',
    options,
    { steps: undefined, batchSize: undefined, verbose: 0, style: undefined, output: undefined, sampleWeight: undefined },
    { ...progress, steps: counts, batchSize: counts },
    'evaluate(x, y, { batchSize: 32 })',
  )

/** @param what the method: predict, predictAll, predictClasses … */
export const readPredictOptions = (what: string, options: SpelledOptions<PredictOptions> | undefined): Required<PredictOptions> =>
  readOptions(what, options, { batchSize: 32 }, { batchSize: counts }, `${what}(x, { batchSize: 32 })`)

/** The factors that a single step is given. */
export const readWeighting = (what: 'trainOnBatch' | 'testOnBatch', options: SpelledOptions<Weighting> | undefined): Weighting =>
  readOptions<Weighting>(
    what,
    options,
    what === 'trainOnBatch' ? { sampleWeight: undefined, classWeight: undefined } : { sampleWeight: undefined },
    {},
    `${what}(x, y, { sampleWeight })`,
  )

/** What has only arrays, or only an iterable, to do with. */
export function refuse(what: string, options: object, names: readonly string[], because: string): void {
  const given = names.find((name) => (options as Readonly<Record<string, unknown>>)[name] !== undefined)
  if (given) throw new ValueError(`${what}: ${given} ${because}`)
}
