/**
 * A deep convolutional GAN (Radford et al. 2015) for images of 28 × 28: two networks, and the step in which each learns from the other.
 * Shapes stand beside the layers: b images, 64 numbers of noise for each.
 */
import { foldKey, normal, type Tensor, valueAndGrad } from '@cotangent/core'
import {
  adam,
  batchNormalization,
  conv2d,
  conv2dTranspose,
  cosineDecay,
  dense,
  flatten,
  initializers,
  leakyReLU,
  type Optimizer,
  reshape,
  Sequential,
  type TrainBatch,
} from '@cotangent/layers'

export const NOISE = 64

/** The channels of an image of 7 × 7 in each network. One of 14 × 14 has half as many. */
export interface Sizes {
  generator: number
  discriminator: number
}

const half = { strides: 2, padding: 'same' } as const
const slope = () => leakyReLU({ alpha: 0.2 })
const normalized = () => batchNormalization({ momentum: 0.9 })

/** Makes images of noise: [b, 64] → [b, 28, 28, 1], from −1 (paper) to 1 (ink). */
export function createGenerator(width: number, seed: number): Sequential {
  const kernelInitializer = initializers.randomNormal({ stddev: 0.02 })
  const double = { ...half, useBias: false, kernelInitializer }
  return new Sequential(
    [
      dense(7 * 7 * width, { useBias: false, kernelInitializer, inputShape: [NOISE] }), // [b, 49·width]
      normalized(),
      slope(),
      reshape([7, 7, width]), // [b, 7, 7, width]
      conv2dTranspose(width / 2, 4, double), // [b, 14, 14, width/2]
      normalized(),
      slope(),
      conv2dTranspose(1, 4, { ...double, activation: 'tanh' }), // [b, 28, 28, 1]
    ],
    { seed, name: 'generator' },
  )
}

/** The discriminator, since images are what the data are: [b, 28, 28, 1] → [b, 1], above 0 for "real". It owns the generator and trains both. */
export class Gan extends Sequential {
  readonly generator: Sequential
  readonly generatorOptimizer: Optimizer

  /** `steps`: how many there will be. The learning rate falls to 0 within them, by half a cosine: the two networks come to rest. */
  constructor(
    { generator, discriminator: width }: Sizes,
    { seed, learningRate, steps }: { seed: number; learningRate: number; steps: number },
  ) {
    const layers = [
      conv2d(width / 2, 4, { ...half, inputShape: [28, 28, 1] }), // [b, 14, 14, width/2]
      slope(),
      conv2d(width, 4, half), // [b, 7, 7, width]
      slope(),
      flatten(), // [b, 49·width]
      dense(1), // [b, 1]
    ]
    super(layers, { seed, name: 'discriminator' })
    this.generator = createGenerator(generator, seed + 1)
    const rate = cosineDecay({ initialLearningRate: learningRate, decaySteps: steps })
    this.generatorOptimizer = adam(rate, { beta1: 0.5 })
    this.compile({ optimizer: adam(rate, { beta1: 0.5 }) })
  }

  /** First the discriminator learns to tell x from fakes, then the generator to make fakes that it takes for real. softplus(−l) is −log p of "real". */
  override trainStep({ x, key }: TrainBatch) {
    const makes = (draw: number): Tensor => this.generator.apply(normal(foldKey(key, draw), [x.shape[0], NOISE]), { training: true })
    const fakes = makes(0)
    const first = valueAndGrad(this.trainableWeights, () => {
      const [real, fake] = [this.apply(x), this.apply(fakes)]
      const value = real.neg().softplus().mean().add(fake.softplus().mean()).div(2)
      return { value, right: real.greater(0).mean().add(fake.less(0).mean()).div(2) }
    })
    this.optimizer.step(this.trainableWeights, first.grads)

    const weights = this.generator.trainableWeights
    const second = valueAndGrad(weights, () => this.apply(makes(1)).neg().softplus().mean())
    this.generatorOptimizer.step(weights, second.grads)
    return { discriminator: first.value, generator: second.value, right: first.right }
  }

  /** The generator and its optimizer end with the discriminator. */
  override dispose(): void {
    super.dispose()
    this.generator.dispose()
    this.generatorOptimizer.dispose()
  }
}
