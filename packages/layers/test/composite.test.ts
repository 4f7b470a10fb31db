/**
 * Layers of a user's that hold other layers. They are found wherever they are kept, have random numbers of their own, and are trained, counted, saved and
 * frozen with the whole.
 */
import { key, ones, type Shape, scope, type Tensor, tensor } from '@cotangent/core'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  type BatchShape,
  type BuildContext,
  batchNormalization,
  type CallContext,
  dense,
  dropout,
  embedding,
  Layer,
  type LayerOptions,
  lstm,
  modelFromBytes,
  modelToBytes,
  resetNames,
  Sequential,
} from '../src/index.js'

beforeEach(resetNames)

/** A layer that calls a list of layers of the same width one after the other. */
abstract class Chain extends Layer {
  override readonly className = 'Chain'
  constructor(options: LayerOptions = {}) {
    super('Chain', options, [])
  }
  abstract parts(): readonly Layer[]
  override makeWeights(shape: BatchShape, context: BuildContext): void {
    for (const layer of this.parts()) layer.build(shape, context)
  }
  override outputShape(shape: BatchShape): BatchShape {
    return shape
  }
  override call(x: Tensor, context: CallContext): Tensor {
    return this.parts().reduce((y, layer) => layer.call(y, context), x)
  }
}

/** Two dense layers, kept in every possible way. */
const ways: Record<string, new (options?: LayerOptions) => Layer> = {
  properties: class extends Chain {
    readonly first = dense(3)
    readonly second = dense(3)
    parts = () => [this.first, this.second]
  },
  array: class extends Chain {
    readonly list = [dense(3), dense(3)]
    parts = () => this.list
  },
  map: class extends Chain {
    readonly map = new Map([
      ['a', dense(3)],
      ['b', dense(3)],
    ])
    parts = () => [...this.map.values()]
  },
  'object of sets': class extends Chain {
    readonly object = { all: new Set([dense(3), dense(3)]) }
    parts = () => [...this.object.all]
  },
  'private fields': class extends Chain {
    readonly #list = [dense(3), dense(3)]
    parts = () => this.#list
  },
  'made in makeWeights, with a context taken apart': class extends Chain {
    list: Layer[] = []
    parts = () => this.list
    override makeWeights(shape: BatchShape, { key, dtype, backend }: BuildContext): void {
      this.list = [dense(3), dense(3)].map((layer) => {
        layer.build(shape, { key, dtype, backend })
        return layer
      })
    }
    override call(x: Tensor, { training, key }: CallContext): Tensor {
      return this.list.reduce((y, layer) => layer.call(y, { training, key }), x)
    }
  },
  'a Sequential': class extends Chain {
    readonly net = new Sequential([dense(3), dense(3)])
    parts = () => [this.net]
  },
  'a layer beside the Sequential that has it': class extends Chain {
    readonly first = dense(3)
    readonly net = new Sequential([this.first, dense(3)])
    parts = () => [this.net]
  },
}

describe.each(Object.entries(ways))('two layers kept as: %s', (_, Way) => {
  test('they are counted, start as different numbers, and both learn', async () => {
    const model = new Sequential([new Way({ inputShape: [3] }), dense(1)], { seed: 3 })
    expect(model.countParams()).toBe(2 * (9 + 3) + 4)
    const [first, , second] = (await model.getWeights()).map(({ data }) => [...data])
    expect(first).not.toEqual(second)
    model.compile({ optimizer: 'sgd', loss: 'mse' })
    expect(model.trainableWeights.length).toBe(6)
    await model.fit([[1, 2, 3]], [[1]], { verbose: 0 })
    const after = (await model.getWeights()).map(({ data }) => [...data])
    expect(after[0]).not.toEqual(first)
    expect(after[2]).not.toEqual(second)
  })
  test('the same seed makes the same numbers, whatever was made before', async () => {
    const make = async () => (await new Sequential([new Way({ inputShape: [3] })], { seed: 3 }).getWeights()).map(({ data }) => [...data])
    const numbers = await make()
    dense(1)
    expect(await make()).toEqual(numbers)
  })
})

test('weights of its own and those of a layer inside differ, even under one name', async () => {
  class Own extends Chain {
    readonly inside = dense(3, { useBias: false })
    parts = () => [this.inside]
    override makeWeights(shape: BatchShape, context: BuildContext): void {
      const like = dense(3, { useBias: false })
      super.makeWeights(shape, context)
      like.build(shape, context)
      this.own = this.addWeight('kernel', [3, 3] as Shape, { className: 'x', getConfig: () => ({}), build: initial }, context)
    }
    own?: Tensor
  }
  const initial = (k: readonly [number, number], shape: Shape): Tensor => tensor([...k, 0, 0, 0, 0, 0, 0, 0], { shape })
  const layer = new Own()
  layer.build([null, 3], { key: key(1), dtype: 'float32', backend: ones([1]).backend })
  const values = await Promise.all(layer.weights.map(async (w) => String([...(await w.data())])))
  expect(new Set(values).size).toBe(3) // also the layer that no property holds
})

describe('random numbers', () => {
  const masks = async (layer: Layer): Promise<number[][]> => {
    const seen: Tensor[] = []
    const y = scope(() => {
      layer.build([null, 64], { key: key(1), dtype: 'float32', backend: ones([1]).backend })
      const call = layer.call(ones([1, 64]), { training: true, key: key(7) })
      seen.push(...(layer as Spread).outputs)
      for (const t of seen) t.keep()
      return call.keep()
    })
    y.dispose()
    return Promise.all(seen.map(async (t) => [...(await t.data())]))
  }
  /** Calls each dropout on the same ones. */
  class Spread extends Layer {
    override readonly className = 'Spread'
    outputs: Tensor[] = []
    readonly calls: readonly Layer[]
    readonly taken: boolean
    constructor(calls: readonly Layer[], taken = false) {
      super('Spread', {}, [])
      this.calls = calls
      this.taken = taken
    }
    override outputShape(shape: BatchShape): BatchShape {
      return shape
    }
    override call(x: Tensor, context: CallContext): Tensor {
      const { training, key } = context
      this.outputs = this.calls.map((layer) => layer.call(x, this.taken ? { training, key } : context))
      return x
    }
  }
  test.each([false, true])('two dropouts drop different elements (context taken apart: %s)', async (taken) => {
    const [a, b] = await masks(new Spread([dropout(0.5), dropout(0.5)], taken))
    expect(a).not.toEqual(b)
  })
  test('so does the second use of one in a call; the next call draws the same again', async () => {
    const one = dropout(0.5)
    const layer = new Spread([one, one])
    const [a, b] = await masks(layer)
    expect(a).not.toEqual(b)
    expect(await masks(layer)).toEqual([a, b])
  })
  test('so do those of two Sequentials', async () => {
    const drop = () => new Sequential([dropout(0.5, { inputShape: [64] })], { seed: 1 })
    const [a, b] = await masks(new Spread([drop(), drop()]))
    expect(a).not.toEqual(b)
  })
})

test('a frozen layer of one’s own freezes what is inside, however it passes on the context', async () => {
  for (const taken of [false, true]) {
    class Norm extends Chain {
      readonly norm = batchNormalization()
      parts = () => [this.norm]
      override call(x: Tensor, context: CallContext): Tensor {
        return this.norm.call(x, taken ? { training: context.training } : context)
      }
    }
    const model = new Sequential([new Norm({ inputShape: [3], trainable: false }), dense(1)], { seed: 1 })
    model.compile({ optimizer: 'sgd', loss: 'mse' })
    const before = (await model.getWeights()).slice(0, 4)
    await model.fit(
      [
        [1, 2, 3],
        [4, 0, 1],
      ],
      [[1], [0]],
      { verbose: 0 },
    )
    expect((await model.getWeights()).slice(0, 4)).toEqual(before)
  }
})

test('files bring all weights back', async () => {
  class Block extends Chain {
    readonly #list = [dense(3), dense(3)]
    parts = () => this.#list
    static fromConfig(options: LayerOptions): Block {
      return new Block(options)
    }
  }
  const model = new Sequential([new Block({ inputShape: [3] }), dense(1)], { seed: 3 })
  for (const format of ['h5', 'keras'] as const) {
    const again = await modelFromBytes(await modelToBytes(model, { format }), { customObjects: { Chain: Block } })
    expect(await again.predict([[1, 2, 3]]).then((t) => t.array())).toEqual(await model.predict([[1, 2, 3]]).then((t) => t.array()))
  }
})

describe('what would be left out is refused', () => {
  class One extends Chain {
    readonly inside: Layer
    readonly list: readonly Layer[]
    constructor(inside: Layer, list: readonly Layer[] = [inside]) {
      super({ inputShape: [3] })
      this.inside = inside
      this.list = list
    }
    parts = () => this.list
  }
  test('a layer inside that was not built', () => {
    const make = () => new Sequential([new One(dense(3), [])])
    expect(make).toThrow(/"chain_1" \(Chain\): layer "dense_1" \(Dense, units 3\) inside it has no weights\. Build it in makeWeights/)
  })
  test('a layer that is called and kept nowhere', () => {
    const other = new Sequential([dense(3, { inputShape: [3] })]).layers[0]
    class Caller extends Chain {
      parts = () => []
      override call(x: Tensor, context: CallContext): Tensor {
        return other.call(x, context)
      }
    }
    const model = new Sequential([new Caller({ inputShape: [3] })])
    expect(() => model.apply(ones([1, 3]))).toThrow(/calls layer "dense_1".*no part of it.*Keep it in a property/s)
  })
  test('a layer that inner does not list', () => {
    class Lister extends One {
      override get inner(): readonly Layer[] {
        return []
      }
    }
    expect(() => new Sequential([new Lister(dense(3))])).toThrow(/inner does not list it\. Leave inner out/)
  })
  test('what was half made is gone, and the layer can be built again', async () => {
    const context = { key: key(1), dtype: 'float32', backend: ones([1]).backend } as const
    const wrong = dense(2, { weights: [tensor([[1, 2]])] })
    for (let i = 0; i < 2; i++) expect(() => wrong.build([null, 1], context)).toThrow(/has 2 weights, got 1/)
    expect(wrong.built).toBe(false)
    expect(wrong.weights.length).toBe(0)
  })
})

test('a loop on what is not built says so', () => {
  expect(() => new Sequential([dense(3)]).params).toThrow(/sequential_1: the model has no weights yet/)
  expect(() => dense(3).trainableWeights).toThrow(/layer "dense_2" \(Dense, units 3\): has no weights yet/)
  expect(() => new Sequential([dense(3)]).countParams()).toThrow(/no weights yet/)
  expect(() => dense(3).call(ones([1, 2]), { training: false })).toThrow(/layer "dense_4" \(Dense, units 3\): has no weights yet/)
  expect(() => embedding(3, 2).callAll([ones([1, 2])], { training: false, masks: [] })).toThrow(/has no weights yet/)
  expect(() => lstm(3).run(ones([1, 2, 2]))).toThrow(/has no weights yet/)
  expect(dropout(0.5).trainableWeights).toEqual([])
})
