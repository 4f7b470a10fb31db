/** The L2 norm of the gradients of each layer's weights, on the last batch of an epoch. */
import { keep, type Parameter, type Tensor } from '@cotangent/core'
import type { TrainContext } from '../callbacks/callback.js'

/** Sees the gradients of a training, and keeps one number for each weight until somebody reads them. */
export class GradientNorms {
  /** The name of the layer that each weight belongs to: one of the model's own layers, also for weights further inside. */
  readonly #layers = new Map<Parameter, string>()
  #squares: { layer: string; sum: Tensor }[] = []

  constructor({ model, watchGradients }: Pick<TrainContext, 'model' | 'watchGradients'>) {
    for (const layer of model.layers) for (const weight of layer.trainableWeights) this.#layers.set(weight, layer.name)
    watchGradients((parameters, grads) => {
      this.dispose()
      this.#squares = grads.map((grad, i) => ({
        layer: this.#layers.get(parameters[i]) ?? parameters[i].name,
        sum: keep(grad.square().sum()),
      }))
    })
  }

  /** √Σg² of each layer whose gradients were seen since the last call. */
  async read(): Promise<Record<string, number>> {
    const sums = new Map<string, number>()
    try {
      for (const { layer, sum } of this.#squares) sums.set(layer, (sums.get(layer) ?? 0) + (await sum.item()))
    } finally {
      this.dispose()
    }
    return Object.fromEntries(Array.from(sums, ([layer, sum]) => [layer, Math.sqrt(sum)]))
  }

  dispose(): void {
    for (const { sum } of this.#squares) sum.dispose()
    this.#squares = []
  }
}
