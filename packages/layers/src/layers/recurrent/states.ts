/** Shapes of the states of recurrent layers, and states among their inputs and outputs. */
import { ShapeError, type Tensor } from '@cotangent/core'
import type { BatchShape, Layer, LayerOutputs } from '../../layer.js'

/** Outputs with their mask, followed by states, which have no mask. */
export const statefulOutputs = (outputs: readonly Tensor[], states: readonly Tensor[], mask: Tensor | undefined): LayerOutputs => ({
  outputs: [...outputs, ...states],
  masks: [...outputs.map(() => mask), ...states.map(() => undefined)],
})

/** The shape of one step of sequences. */
export const stepOf = ([batch, , ...sizes]: BatchShape): BatchShape => [batch, ...sizes]

/** Whether there are as many states as shapes, each of its shape. Open sizes fit any. */
export const haveShapes = (states: readonly { readonly shape: BatchShape }[], shapes: readonly BatchShape[]): boolean =>
  states.length === shapes.length &&
  states.every(
    ({ shape }, i) => shape.length === shapes[i].length && shape.every((n, axis) => (n ?? shapes[i][axis]) === (shapes[i][axis] ?? n)),
  )

/** Throws unless the given initial states are as many as the layer has, and of their shapes. No states at all are fine. */
export function requireStateShapes(layer: Layer, shapes: readonly BatchShape[], states: readonly BatchShape[]): void {
  const known = shapes.map(([, ...sizes]): BatchShape => [null, ...sizes])
  if (
    states.length === 0 ||
    haveShapes(
      states.map((shape) => ({ shape })),
      known,
    )
  )
    return
  const show = (list: readonly BatchShape[]): string => list.map((shape) => `[${shape.map((n) => n ?? '?').join(', ')}]`).join(' and ')
  throw new ShapeError(`${layer.describe()}: behind its input come the states before the first step, ${show(known)}; got ${show(states)}.`)
}
