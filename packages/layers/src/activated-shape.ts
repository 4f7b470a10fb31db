/** The shape that an activation makes of another. */
import { ShapeError } from '@cotangent/core'
import type { Activation } from './activations.js'
import type { BatchShape } from './layer-types.js'

/** The shape after an activation: the same, but `glu` halves the last axis. */
export function activatedShape(layer: { describe(): string }, { name, builtIn }: Activation, shape: BatchShape): BatchShape {
  const width = shape.at(-1)
  if (!builtIn || name !== 'glu' || typeof width !== 'number') return shape
  if (width % 2 === 0) return [...shape.slice(0, -1), width / 2]
  throw new ShapeError(
    `${layer.describe()}: glu multiplies one half of the last axis by the other, so its size must be even, got ${width}.`,
  )
}
