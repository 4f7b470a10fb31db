/** The network of gpt-core.ts in layers: a class for a block, and one for the whole, since its first matrix is also its last. */
import { concat, Parameter, scope, type Tensor } from '@cotangent/core'
import {
  adamw,
  type BatchShape,
  type BuildContext,
  type CallContext,
  cosineDecay,
  dense,
  embedding,
  initializers,
  Layer,
  type LayerOptions,
  layerNormalization,
  losses,
  multiHeadAttention,
  registerLayer,
  Sequential,
} from '@cotangent/layers'
import type { Gpt, Sizes } from './gpt-core.js'

/** As large as in gpt-core.ts: deviation `factor` / √width. */
const normal = (width: number, factor = 1) => initializers.randomNormal({ stddev: factor / Math.sqrt(width) })
const norm = () => layerNormalization({ epsilon: 1e-5, center: false })

/** x + attention(norm(x)), and then x + dense(gelu(dense(norm(x)))). */
class GptBlock extends Layer {
  readonly className = 'GptBlock'
  readonly norm1 = norm()
  readonly attention: Layer
  readonly norm2 = norm()
  readonly expand: Layer
  readonly contract: Layer
  readonly #calm: number

  constructor({ heads, layers, width }: Sizes) {
    super('GptBlock', {}, [])
    this.#calm = 1 / Math.sqrt(2 * layers)
    this.attention = multiHeadAttention(heads, width / heads, { useBias: false, useCausalMask: true, kernelInitializer: normal(width) })
    this.expand = dense(4 * width, { activation: 'gelu', useBias: false, kernelInitializer: normal(width) })
    this.contract = dense(width, { useBias: false, kernelInitializer: normal(width, this.#calm) })
  }
  override makeWeights(shape: BatchShape, context: BuildContext): void {
    for (const layer of [this.norm1, this.norm2, this.expand]) layer.build(shape, context)
    this.contract.build(this.expand.outputShape(shape), context)
    this.attention.buildAll([shape, shape], context)
    const merge = this.attention.weights[3]
    merge.assign(merge.mul(this.#calm))
  }
  override outputShape(shape: BatchShape): BatchShape {
    return shape
  }
  override call(x: Tensor, context: CallContext): Tensor {
    const normed = this.norm1.call(x, context)
    const [seen] = this.attention.callAll([normed, normed], { ...context, masks: [] }).outputs
    const y = x.add(seen)
    return y.add(this.contract.call(this.expand.call(this.norm2.call(y, context), context), context))
  }
}

/** Logits [b, t, vocabulary] of the character after each of ids [b, t]. */
export class GptNetwork extends Layer {
  readonly className = 'GptNetwork'
  readonly sizes: Sizes
  readonly characters: Layer
  readonly positions: Layer
  readonly blocks: readonly GptBlock[]
  readonly norm = norm()

  constructor({ sizes, ...options }: LayerOptions & { sizes: Sizes }) {
    super('GptNetwork', options, [])
    this.sizes = sizes
    const { vocabulary, context, layers, width } = sizes
    this.characters = embedding(vocabulary, width, { embeddingsInitializer: normal(width) })
    this.positions = embedding(context, width, { embeddingsInitializer: normal(width) })
    this.blocks = Array.from({ length: layers }, () => new GptBlock(sizes))
  }
  static fromConfig(config: LayerOptions & { sizes: Sizes }): GptNetwork {
    return new GptNetwork(config)
  }
  override makeWeights(shape: BatchShape, context: BuildContext): void {
    for (const layer of [this.characters, this.positions]) layer.build(shape, context)
    for (const layer of [...this.blocks, this.norm]) layer.build([...shape, this.sizes.width], context)
  }
  override outputShape(shape: BatchShape): BatchShape {
    return [...shape, this.sizes.vocabulary]
  }
  override call(ids: Tensor, context: CallContext): Tensor {
    const places = Array.from({ length: ids.shape[1] }, (_, i) => i)
    const x = this.characters.call(ids, context).add(this.positions.weights[0].gather(places))
    const y = [...this.blocks, this.norm].reduce((z, layer) => layer.call(z, context), x)
    return y.matMul(this.characters.weights[0], { transposeB: true })
  }
  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), sizes: this.sizes }
  }
}
registerLayer(GptNetwork)

/** The network as a model, compiled with nanoGPT's recipe. The layers above do nothing but call ops, so that steps may be recorded: `runEagerly` is false. */
export function gptModel(
  sizes: Sizes,
  { seed, steps, runEagerly = false }: { seed: number; steps: number; runEagerly?: boolean },
): Sequential {
  const model = new Sequential([new GptNetwork({ sizes, inputShape: [sizes.context] })], { seed })
  const warmupSteps = Math.min(100, Math.floor(steps / 10))
  const rate = cosineDecay({ initialLearningRate: 1e-5, warmupTarget: 1e-3, warmupSteps, decaySteps: steps - warmupSteps, alpha: 0.1 })
  const optimizer = adamw(rate, { beta2: 0.99, weightDecay: 0.1, excludeFromWeightDecay: ['gamma'], globalClipnorm: 1 })
  model.compile({ optimizer, loss: losses.getLoss('sparseCategoricalCrossentropy', { fromLogits: true }), runEagerly })
  return model
}

/** The weights of a model as core's network, a copy: it writes with a cache of keys and values, which layers do not have. */
export function toCore(model: Sequential): Gpt {
  const { sizes, characters, positions, blocks, norm } = model.layers[0] as GptNetwork
  const w = sizes.width
  const parameters: Parameter[] = []
  const copy = (make: () => Tensor): Parameter => {
    parameters.push(new Parameter(scope(make)))
    return parameters[parameters.length - 1]
  }
  const same = (layer: Layer): Parameter => copy(() => layer.weights[0].mul(1))
  return {
    sizes,
    characters: same(characters),
    positions: same(positions),
    blocks: blocks.map(({ norm1, attention, norm2, expand, contract }) => ({
      norm1: same(norm1),
      attend: copy(() =>
        concat(
          attention.weights.slice(0, 3).map((kernel) => kernel.reshape([w, w])),
          1,
        ),
      ),
      merge: copy(() => attention.weights[3].reshape([w, w]).mul(1)),
      norm2: same(norm2),
      expand: same(expand),
      contract: same(contract),
    })),
    norm: same(norm),
    parameters,
  }
}
