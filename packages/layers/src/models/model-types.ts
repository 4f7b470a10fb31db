/** Options of models. training/trainable.ts declares inputs and outputs. */
import type { Backend, DType } from '@cotangent/core'

export type { InputPort, Port } from '../training/trainable.js'

/** Options that every model takes. */
export interface ModelOptions {
  /** A name; made from the class, such as `sequential_1`, if left out. */
  name?: string
  /** Whether the optimizer changes its weights when it is a layer of another model; true by default. */
  trainable?: boolean
  /** The root of all randomness: weights, dropout, shuffling. A whole number, at least 0. Drawn, and kept in `model.seed`, if left out. */
  seed?: number
  /** By default that of the backend: float32, or float64 after `useBackend('reference', { dtype: 'float64' })`. float64 needs the reference backend. */
  dtype?: DType
  /** The backend that holds the weights; the default backend if left out. */
  backend?: Backend
}
