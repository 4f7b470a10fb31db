/** The loss of one output as one number: masks, weights, and what goes wrong, told with the name of the output. */
import { addContext, ShapeError, type Tensor } from '@cotangent/core'
import type { Loss } from '../losses/index.js'
import { hideUncounted, weighed } from '../losses/masks.js'
import { requireValues } from '../losses/targets.js'
import type { CompiledOutput } from './compile-options.js'

/** The mean loss of an output, masked and weighed. */
export function meanLoss({ name, loss, fromLogits }: CompiledOutput, y: Tensor, output: Tensor, mask?: Tensor, weights?: Tensor): Tensor {
  try {
    requireTarget(loss, y, output)
    // Factors of steps go where the mask goes, those of samples behind the mean over steps.
    const ofSteps = weights && weights.rank > 1 ? combined(mask, weights) : mask
    const ofSamples = weights?.rank === 1 ? weights : undefined
    const [t, p] = ofSamples ? hideUncounted(y, output, ofSamples) : [y, output]
    const chosen = fromLogits && loss.fromLogits ? loss.fromLogits : loss
    if (chosen.reduce) return chosen.reduce(y, output, mask, weights)
    const given = fromLogits && loss.fromLogits ? loss.fromLogits.call(t, p, ofSteps) : loss.call(t, p, ofSteps)
    const values = requireValues(`loss "${loss.name}"`, given, output)
    return (ofSamples ? weighed(values.rank === 0 ? values.broadcastTo(ofSamples.shape) : values, ofSamples) : values).mean()
  } catch (error) {
    throw addContext(error, `in the loss of the output "${name}"`)
  }
}

/** Weights [n] or [n, t] where a mask [n, t] counts. */
function combined(mask: Tensor | undefined, weights: Tensor): Tensor {
  if (!mask) return weights
  const spread = weights.reshape([...weights.shape, ...mask.shape.slice(weights.rank).map(() => 1)])
  return mask.cast(weights.dtype).mul(spread)
}

/** Keras' check: with one output there is nothing to choose between. The other shapes are the losses' own business. */
function requireTarget(loss: Loss, y: Tensor, output: Tensor): void {
  if (loss.name !== 'categoricalCrossentropy' || (y.rank === 1 ? output : y).shape.at(-1) !== 1) return
  throw new ShapeError(
    `${loss.name}: the targets [${y.shape.join(', ')}] have one column, but this loss takes one-hot rows. Convert class numbers with ` +
      "toCategorical or use 'sparseCategoricalCrossentropy'; for yes/no targets use 'binaryCrossentropy'.",
  )
}
