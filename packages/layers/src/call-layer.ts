/** Running one layer at its place in a model. */
import { addContext, foldKey, type Key, ShapeError, showShape, Tensor, ValueError } from '@cotangent/core'
import { describeValue } from '@cotangent/core/arguments'
import type { FinalActivation, Layer, LayerOutputs, ManyContext } from './layer.js'

/**
 * The values of outputs of which some are logits: those go through the final activation of their output.
 *
 * @param logits which of the outputs are logits
 */
export const activateLogits = (
  outputs: readonly Tensor[],
  logits: readonly boolean[],
  finalActivations: readonly FinalActivation[],
): Tensor[] =>
  outputs.map((output, i) => {
    const activation = logits[i] ? finalActivations[i] : undefined
    if (activation === undefined) return output
    return activation === 'softmax' ? output.softmax() : output.sigmoid()
  })

/**
 * Calls a layer, collects the penalties on its activities, and names it in any error.
 *
 * @param logits for which outputs to stop before the final activation
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
    if (!checked.has(layer)) requireOutputs(layer, xs, result, context.reverse)
    const { activityRegularizer } = layer
    if (activityRegularizer && context.penalties)
      context.penalties.push(...activateLogits(result.outputs, logits, layer.finalActivations).map((y) => activityRegularizer.call(y)))
    return result
  } catch (error) {
    throw addContext(error, `in ${layer.describe()}`)
  }
}

/** Layers whose outputs were once what they say: what is wrong is wrong from the first call on. */
const checked = new WeakSet<Layer>()

/** Throws unless a layer gives as many tensors as it says, of the shapes that it says; else the next layer would be blamed. */
function requireOutputs(layer: Layer, xs: readonly Tensor[], { outputs }: LayerOutputs, reverse?: boolean): void {
  if (outputs.length !== layer.outputCount)
    throw new ValueError(`${layer.describe()}: has ${layer.outputCount} outputs, but gave ${outputs.length}.`)
  const wrong = outputs.find((output) => !(output instanceof Tensor))
  if (wrong !== undefined || outputs.includes(undefined as never))
    throw new ValueError(`${layer.describe()}: must give tensors, got ${describeValue(wrong)}. Is a return missing?`)
  const shapes = layer.outputShapes(
    xs.map((x) => x.shape),
    reverse,
  )
  for (const [i, { shape }] of outputs.entries()) {
    const said = shapes[i]
    if (said.length === shape.length && said.every((n, axis) => n === null || n === shape[axis])) continue
    throw new ShapeError(
      `${layer.describe()}: gave ${showShape(shape)} for ${xs.map((x) => showShape(x.shape)).join(' and ')}, but its outputShape says ` +
        `[${said.map((n) => n ?? '?').join(', ')}].`,
    )
  }
  checked.add(layer)
}
