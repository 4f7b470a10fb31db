/** What a model is made with, and what it takes and gives. */
import type { Backend, DType } from '@cotangent/core'
import type { BatchShape } from '../layer-types.js'

export interface ModelOptions {
  name?: string
  /** Whether the optimizer of a model around it changes its weights. */
  trainable?: boolean
  /** Root of all randomness: weights, dropout, shuffling. Drawn and kept in `model.seed` if left out. */
  seed?: number
  /** float32; float64 on the reference backend. */
  dtype?: DType
  /** Where the weights live; the default backend if left out. */
  backend?: Backend
}

/** An input or output of a model. */
export interface Port {
  /** By which data may be given. */
  name: string
  /** The batch axis open. */
  shape: BatchShape
}

/** An input, with what its data are cast to. */
export interface InputPort extends Port {
  dtype: DType
  /** How many rows its values pick from, where they are indices. */
  indexCount?: number
}
