/**
 * A user's layers with one input and with several, with weights and config. They train in Sequentials and graphs, and config and weights make an equal layer.
 */
import { key, normal, scope, type Tensor, tensor } from '@cotangent/core'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  type BatchShape,
  type BuildContext,
  type CallContext,
  connectGraph,
  dense,
  GraphModel,
  initializers,
  input,
  Layer,
  type LayerOptions,
  MergeLayer,
  model,
  resetNames,
  Sequential,
} from '../src/index.js'
import { checkLayer } from './check-layer.js'
import { checkMerge } from './check-merge.js'

beforeEach(resetNames)

interface RadialOptions extends LayerOptions {
  width?: number
}

/** Radial basis functions: exp(−width·|x − c|²) for each of `units` centres c. Shape: [n, in] → [n, units] */
class Radial extends Layer {
  override readonly className = 'Radial'
  readonly units: number
  readonly width: number
  #centres?: Tensor

  constructor(units: number, { width = 0.5, ...options }: RadialOptions = {}) {
    super('Radial', options, [])
    this.units = units
    this.width = width
  }
  static fromConfig({ units, ...options }: RadialOptions & { units: number }): Radial {
    return new Radial(units, options)
  }
  protected override makeWeights(inputShape: BatchShape, context: BuildContext): void {
    const shape = [this.units, inputShape.at(-1) as number]
    this.#centres = this.addWeight('centres', shape, initializers.randomNormal({ stddev: 1 }), context)
  }
  override outputShape(inputShape: BatchShape): BatchShape {
    return [inputShape[0], this.units]
  }
  override call(x: Tensor, _context: CallContext): Tensor {
    const distances = x
      .expandDims(1)
      .sub(this.#centres as Tensor)
      .square()
      .sum({ axis: -1 }) // [n, units]
    return distances.mul(-this.width).exp()
  }
  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), units: this.units, width: this.width }
  }
}

/** Mixes two tensors feature by feature, in a learned proportion. */
class Mixture extends MergeLayer {
  override readonly className = 'Mixture'
  #share?: Tensor

  constructor(options: LayerOptions = {}) {
    super('Mixture', options, [])
  }
  static fromConfig(options: LayerOptions): Mixture {
    return new Mixture(options)
  }
  protected override makeMergeWeights([a]: readonly BatchShape[], context: BuildContext): void {
    this.#share = this.addWeight('share', [a.at(-1) as number], initializers.zeros(), context)
  }
  override mergedShape([a]: readonly BatchShape[]): BatchShape {
    return a
  }
  override merge([a, b]: readonly Tensor[]): Tensor {
    const share = (this.#share as Tensor).sigmoid()
    return a.mul(share).add(b.mul(share.neg().add(1)))
  }
}

test('checkLayer: Radial', () =>
  checkLayer({
    make: () => new Radial(4),
    fromConfig: Radial.fromConfig,
    inputShape: [3],
    outputShape: [4],
    weightShapes: [[4, 3]],
    recorded: false,
  }))
test('checkMerge: Mixture', () =>
  checkMerge({ make: () => new Mixture(), fromConfig: Mixture.fromConfig, inputShapes: [[3], [3]], outputShape: [3], weightShapes: [[3]] }))

describe('in models', () => {
  /** A ring around the origin, which no straight line separates. */
  const ring = (seed: number) => {
    const x = scope(() => normal(key(seed), [200, 2]).mul(1.5).keep())
    const y = scope(() => x.square().sum({ axis: -1, keepDims: true }).greater(2).cast('float32').keep())
    return { x, y }
  }

  test('a Sequential with one learns a ring', async () => {
    const { x, y } = ring(1)
    const net = new Sequential([new Radial(12, { inputShape: [2] }), dense(1, { activation: 'sigmoid' })], { seed: 3 })
    net.compile({ optimizer: 'adam', loss: 'binaryCrossentropy', metrics: ['accuracy'] })
    net.optimizer.learningRate = 0.05
    await net.fit(x, y, { epochs: 40, verbose: 0 })
    const held = ring(2)
    expect((await net.evaluate(held.x, held.y))[1]).toBeGreaterThan(0.93)
    expect(net.summaryLines()[4]).toBe('radial_1 (Radial)            (None, 12)                24        ')
  })

  test('a graph with both, made again from configs and weights, gives the same', async () => {
    const { x, y } = ring(1)
    const entry = input({ shape: [2], name: 'entry' })
    const radial = new Radial(6, { width: 1, name: 'radial' })
    const mixed = new Mixture({ name: 'mixed' }).apply([radial.apply(entry), dense(6, { name: 'straight' }).apply(entry)])
    const graph = model({ inputs: entry, outputs: dense(1, { name: 'out' }).apply(mixed), seed: 3 })
    graph.compile({ optimizer: 'adam', loss: 'mse' })
    const before = await radial.weights[0].data()
    await graph.fit(x, y, { epochs: 3, verbose: 0 })
    expect(await radial.weights[0].data()).not.toEqual(before)
    expect(graph.trainableWeights.map((w) => w.name)).toEqual(
      expect.arrayContaining(['radial/centres', 'mixed/share', 'straight/kernel', 'straight/bias', 'out/kernel', 'out/bias']),
    )

    const described = graph.describeGraph()
    const layers = described.layers.map(({ layer, inboundNodes }) => {
      const { fromConfig } = layer.constructor as unknown as { fromConfig(config: object): Layer }
      return { layer: fromConfig(JSON.parse(JSON.stringify(layer.getConfig()))), inboundNodes }
    })
    const copy = new GraphModel({ ...connectGraph({ ...described, layers }), seed: 99 })
    copy.setWeights(graph.weights)
    expect(await copy.apply(x).array()).toEqual(await graph.apply(x).array())
  })

  test('an error inside one names it', () => {
    class Broken extends Layer {
      override readonly className = 'Broken'
      constructor() {
        super('Broken', {}, [])
      }
      override outputShape(shape: BatchShape): BatchShape {
        return shape
      }
      override call(x: Tensor): Tensor {
        return x.add(tensor([1, 2, 3]))
      }
    }
    const x = input({ shape: [2] })
    const graph = model({ inputs: x, outputs: new Broken().apply(x), seed: 1 })
    expect(() => graph.apply(tensor([[1, 2]]))).toThrow(/in layer "broken_1" \(Broken\)/)
  })
})
