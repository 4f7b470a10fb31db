/** Running one layer at its place in a model. */
import { addContext, foldKey, type Key, type Tensor } from '@cotangent/core'
import type { Layer, LayerOutputs, ManyContext } from './layer.js'

/** The activation that logits were taken before. */
export const applyFinalActivation = (activation: 'softmax' | 'sigmoid', logits: Tensor): Tensor =>
  activation === 'softmax' ? logits.softmax() : logits.sigmoid()

/** The values of outputs of which some are logits. */
export const activated = (layer: Layer, outputs: readonly Tensor[], logits: readonly boolean[]): Tensor[] =>
  outputs.map((output, i) => {
    const activation = layer.finalActivations[i]
    return logits[i] && activation ? applyFinalActivation(activation, output) : output
  })

/**
 * Calls a layer, collects the penalties on its activities, and names it in any error.
 *
 * @param place folded into the step's key: the layer's index, and for a layer used more than once which use it is
 */
export function callLayer(
  layer: Layer,
  place: readonly number[],
  xs: readonly Tensor[],
  context: ManyContext,
  logits: readonly boolean[] = [],
): LayerOutputs {
  const key = context.key && place.reduce<Key>(foldKey, context.key)
  try {
    const result = layer.callAll(xs, { ...context, key }, logits)
    const { activityRegularizer } = layer
    if (activityRegularizer && context.penalties)
      context.penalties.push(...activated(layer, result.outputs, logits).map((y) => activityRegularizer.call(y)))
    return result
  } catch (error) {
    throw addContext(error, `in ${layer.describe()}`)
  }
}
