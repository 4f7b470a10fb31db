/** Plain data about a tape: the worker sends it to the page. */
import type { TensorValue } from '../shared/tensor-value.js'

/** A tensor of the tape. */
export interface Shown {
  /** The reader's name for it, a layer's, or r7 for the output of record 7. */
  readonly name: string
  readonly shape: readonly number[]
  readonly dtype: string
  readonly bytes: number
  /** The record that made it; undefined for sources and constants. */
  readonly madeBy?: number
  readonly source: boolean
}

/** A line of the list: a record, or an op where the derivative ends. */
export interface Row {
  readonly op: string
  readonly rule: string
  readonly options: string
  /** Names of layers and composed ops around the call, outermost first. */
  readonly path: string
  /** Numbers of tensors. */
  readonly inputs: readonly number[]
  readonly output: number
  /** Kernels that ran, in words. */
  readonly kernels: readonly Kernel[]
  /** The place on the tape; undefined where the derivative ends. */
  readonly record?: number
  /** Why no derivative passes here. */
  readonly ends?: string
  /** Whether the walk backwards visits it: whether the loss depends on its output. */
  readonly visited: boolean
}

export interface Kernel {
  readonly name: string
  readonly fused: boolean
  readonly shapes: string
}

/** Bytes at one step of the walk backwards. */
export interface Alive {
  /** Cotangents when the walk comes to the record. */
  readonly before: number
  /** The most while its rule runs. */
  readonly peak: number
}

/** The way of a NaN or infinity. */
export interface Broken {
  readonly backward: boolean
  /** The step that made the first one, or that got it. */
  readonly step?: number
  /** From the end to the first cause: numbers of records. */
  readonly chain: readonly number[]
  /** The message of the library's check, or which input brought it. */
  readonly message: string
}

export interface Recorded {
  readonly backend: string
  readonly tensors: readonly Shown[]
  readonly rows: readonly Row[]
  /** The number of records. */
  readonly records: number
  readonly loss: number
  readonly value: number
  /** Tensors that the loss is differentiated by. */
  readonly sources: readonly { readonly tensor: number; readonly why?: string }[]
  /** Bytes of outputs that the tape holds after each record. */
  readonly held: readonly number[]
  /** Bytes of the walk at each record, by its place on the tape. */
  readonly alive: readonly (Alive | undefined)[]
  readonly broken: readonly Broken[]
  /** The error that stopped the walk backwards, in the library's words. */
  readonly stopped?: string
}

/** A part of a cotangent: what one use of a tensor sent. */
export interface Part {
  readonly record: number
  readonly input: number
  readonly value: TensorValue
}

/** A value, and what it is used for later: records by their places. */
export interface Kept {
  readonly tensor: number
  readonly bytes: number
  readonly users: readonly number[]
}

export interface ForwardStep {
  readonly kind: 'forward'
  readonly record: number
  readonly inputs: readonly TensorValue[]
  readonly output: TensorValue
  readonly kept: readonly Kept[]
}

export interface BackwardStep {
  readonly kind: 'backward'
  readonly record: number
  readonly inputs: readonly TensorValue[]
  readonly output: TensorValue
  readonly arrives: TensorValue
  /** The terms of the sum dY; one part where the output is used once. */
  readonly parts: readonly Part[]
  /** For each input what it gets; null for a constant, or one without a derivative. */
  readonly sends: readonly (TensorValue | null)[]
  /** For each input how many parts it had before. */
  readonly before: readonly number[]
  readonly kernels: readonly Kernel[]
  /** Values that this record and those before it use. */
  readonly kept: readonly Kept[]
  /** Tensors whose cotangents are alive. */
  readonly waiting: readonly number[]
}

/** The walk passes a record that the loss does not depend on. */
export interface PassedStep {
  readonly kind: 'passed'
  readonly record: number
}

export interface EndStep {
  readonly kind: 'end'
  readonly sources: readonly {
    readonly tensor: number
    readonly value: TensorValue
    readonly gradient?: TensorValue
    readonly parts: readonly Part[]
  }[]
}

export type Step = ForwardStep | BackwardStep | PassedStep | EndStep

/** A cotangent beside central differences of the loss. */
export interface Checked {
  /** One for each number; NaN for one that was left out. */
  readonly differences: Float64Array
  /** The largest difference between the two, relative to the largest central difference. */
  readonly error: number
  /** Numbers compared. */
  readonly compared: number
}

export interface Differences {
  readonly arrives?: Checked
  readonly sends: readonly (Checked | null)[]
  /** Why there are none. */
  readonly why?: string
}
