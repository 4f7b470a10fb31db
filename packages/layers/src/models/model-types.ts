/** What a model is made with; what it takes and gives is training's to say. */
import type { Backend, DType } from '@cotangent/core'

export type { InputPort, Port } from '../training/trainable.js'

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
