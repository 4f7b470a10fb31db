/**
 * A variational autoencoder (Kingma & Welling 2013) with two numbers for each image: the network of Keras' example.
 * Shapes stand beside the layers: b images.
 */
import { normal, type Tensor } from '@cotangent/core'
import {
  adam,
  type BatchShape,
  type CallContext,
  conv2d,
  conv2dTranspose,
  dense,
  flatten,
  Layer,
  type LayerOptions,
  losses,
  registerLayer,
  reshape,
  Sequential,
} from '@cotangent/layers'

/** Numbers in a code. */
export const CODE = 2

/** The channels of the convolutions on 14 × 14 and 7 × 7 pixels. */
export type Channels = readonly [number, number]

const half = { strides: 2, padding: 'same', activation: 'relu' } as const

/** [b, 28, 28, 1] → [b, 4]: the mean of the code, two numbers, and the logarithm of its variance, two more. */
const createEncoder = ([wide, deep]: Channels, seed: number): Sequential =>
  new Sequential(
    [
      conv2d(wide, 3, { ...half, inputShape: [28, 28, 1] }), // [b, 14, 14, 32]
      conv2d(deep, 3, half), // [b, 7, 7, 64]
      flatten(), // [b, 3136]
      dense(16, { activation: 'relu' }), // [b, 16]
      dense(2 * CODE), // [b, 4]
    ],
    { seed, name: 'encoder' },
  )

/** [b, 2] → [b, 28, 28, 1]: the probability of ink at each pixel. */
const createDecoder = ([wide, deep]: Channels, seed: number): Sequential =>
  new Sequential(
    [
      dense(7 * 7 * deep, { activation: 'relu', inputShape: [CODE] }), // [b, 3136]
      reshape([7, 7, deep]), // [b, 7, 7, 64]
      conv2dTranspose(deep, 3, half), // [b, 14, 14, 64]
      conv2dTranspose(wide, 3, half), // [b, 28, 28, 32]
      conv2dTranspose(1, 3, { padding: 'same', activation: 'sigmoid' }), // [b, 28, 28, 1]
    ],
    { seed, name: 'decoder' },
  )

/**
 * [b, 4] → [b, 2]: draws the code, mean + deviation·noise, in training; otherwise the mean itself. It adds to the loss how far the distribution of the code is
 * from the standard normal one: KL = ½ Σ (mean² + variance − log variance − 1).
 */
export class Sampling extends Layer {
  readonly className = 'Sampling'

  constructor(options: LayerOptions = {}) {
    super('Sampling', options, [])
  }
  static fromConfig(config: LayerOptions): Sampling {
    return new Sampling(config)
  }
  override outputShape([count]: BatchShape): BatchShape {
    return [count, CODE]
  }
  override call(x: Tensor, { training, key }: CallContext): Tensor {
    const [mean, logVariance] = x.split(2, -1) // both [b, 2]
    const far = mean.square().add(logVariance.exp()).sub(logVariance).sub(1)
    const kl = far.sum({ axis: -1 }).mean().mul(0.5)
    this.addLoss(kl)
    this.addMetric(kl, 'kl')
    if (!training || !key) return mean
    return mean.add(logVariance.mul(0.5).exp().mul(normal(key, mean.shape)))
  }
}
registerLayer(Sampling)

/** −log p of an image, if each pixel has ink with the probability that the decoder gives: [b, 28, 28, 1] twice → [b]. */
export function reconstruction(image: Tensor, p: Tensor): Tensor {
  return losses.binaryCrossentropy(image, p).sum({ axis: [1, 2] })
}

export interface Vae {
  /** Encoder, sampling and decoder, one after another. */
  vae: Sequential
  encoder: Sequential
  decoder: Sequential
}

export function createVae({ channels, seed, learningRate }: { channels: Channels; seed: number; learningRate: number }): Vae {
  const [encoder, decoder] = [createEncoder(channels, seed), createDecoder(channels, seed + 1)]
  const vae = new Sequential([encoder, new Sampling(), decoder], { seed, name: 'vae' })
  vae.compile({ optimizer: adam(learningRate), loss: reconstruction, metrics: [reconstruction] })
  return { vae, encoder, decoder }
}
