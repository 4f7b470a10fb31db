/**
 * The record of a run: one plain JSON value. Reports, comparisons and tables of results are views of it, so nobody types a figure into a document.
 *
 * Sections hold data, and no drawing. A run adds the sections that suit its network; a view knows how to draw each kind.
 */

/** The number of the format. A reader refuses a number that it does not know. */
export const RECORD_VERSION = 1

/** A training and what came of it. */
export interface RunRecord {
  readonly format: 'cotangent-run'
  readonly version: typeof RECORD_VERSION
  /** A line that names the run: `mnist-mlp, seed 1`. */
  title: string
  /** `stopped`: the training threw, or was ended by `stopTraining`; `why` says which. */
  state: 'running' | 'finished' | 'stopped'
  why?: string
  /** When training began, in ISO 8601. */
  started: string
  /** Seconds since then, without what ran after the training. */
  seconds: number
  /** Rows of a list of facts: data and their source, seed, batch size, versions, machine. In the order to show. */
  facts: Fact[]
  /** Sentences that a reader of the result should know: partial data, departures from the document. */
  remarks: string[]
  network?: NetworkRecord
  training: TrainingRecord
  sections: Section[]
}

/** One row of a list of facts. */
export interface Fact {
  name: string
  value: string
}

/** The network as data: for a picture, and for Keras' summary. */
export interface NetworkRecord {
  /** Keras' summary, as `model.summary()` prints it. */
  summary: string
  /** The layers in topological order; `from` names those that a layer reads. */
  layers: { name: string; type: string; outputShape: string; parameters: number; trainable: boolean; from: string[] }[]
  /** `Adam`, and its settings by name. */
  optimizer?: { name: string; settings: Record<string, string> }
  loss?: string
  metrics: string[]
}

/** Figures of each epoch. All lists have the length of `epochs`; null stands for a value that is not finite or was not measured. */
export interface TrainingRecord {
  /** How many epochs the run is to have. */
  planned: number
  /** The numbers of the epochs that are done, counted from 0. */
  epochs: number[]
  /** Loss and metrics by name; those of validation begin with `val_`. */
  history: Record<string, (number | null)[]>
  learningRate: (number | null)[]
  seconds: (number | null)[]
  /** L2 norms of the gradients of a layer's weights, by the layer's name, on the last batch of each epoch. */
  gradientNorms?: Record<string, (number | null)[]>
}

/** Part of every section. */
interface SectionBase {
  title: string
  /** A sentence or two: how to read it. */
  says?: string
}

/** Images as bytes. A view draws them without smoothing. */
export interface ImageSheet {
  count: number
  height: number
  width: number
  /** 1: grey, 3: red, green, blue. */
  channels: 1 | 3
  /** count × height × width × channels bytes in base64. */
  bytes: string
  /** True if 255 is ink on white paper, as in MNIST. */
  ink?: boolean
}

/** A confusion matrix that opens the misread samples. */
export interface ConfusionSection extends SectionBase {
  kind: 'confusion'
  labels: string[]
  /** Row t, column p: the number of samples of class t that were taken for p. */
  counts: number[][]
  /** Misread samples of a cell, the most confident first; not all of them need to be here. */
  samples?: Sample[]
  images?: ImageSheet
}

/** A sample with the reading of the network. */
export interface Sample {
  /** Its row in the data. */
  index: number
  truth: number
  predicted: number
  /** The probability that the network gave its prediction. */
  confidence: number
  /** Its image, as a row of the section's sheet. */
  image?: number
  /** Its text, where samples are texts. */
  text?: string
}

/** Samples in a row, such as the most confidently wrong. */
export interface SamplesSection extends SectionBase {
  kind: 'samples'
  labels: string[]
  samples: Sample[]
  images?: ImageSheet
}

/** A grid of images: digits of the data, first-layer filters, activations. */
export interface ImagesSection extends SectionBase {
  kind: 'images'
  images: ImageSheet
  /** Images in a row; as many as fit without it. */
  columns?: number
  captions?: string[]
}

/** Curves over one axis: forecasts, series. */
export interface LinesSection extends SectionBase {
  kind: 'lines'
  x: { label: string; values: number[]; unit?: string }
  y: { label: string; unit?: string; log?: boolean }
  series: { name: string; values: (number | null)[] }[]
}

/** A matrix as a heat map: gates of an LSTM over time, weights. */
export interface HeatSection extends SectionBase {
  kind: 'heat'
  rows: { label: string; names: string[] }
  columns: { label: string; names: string[] }
  values: (number | null)[][]
  /** True where zero is the middle: two hues. */
  diverging?: boolean
}

/** A table: nearest words, figures. */
export interface TableSection extends SectionBase {
  kind: 'table'
  columns: string[]
  rows: (string | number | null)[][]
}

/** Text as it was printed, such as what a GPT wrote. */
export interface TextSection extends SectionBase {
  kind: 'text'
  text: string
}

export type Section = ConfusionSection | SamplesSection | ImagesSection | LinesSection | HeatSection | TableSection | TextSection
