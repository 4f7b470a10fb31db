/**
 * Graphs of layers, compared with compositions by hand and with Keras' order, numbers of uses and table. Wrong graphs are refused. One file, since the cases share a
 * few graphs.
 */
import { expectNoLeaks, key, matMul, normal, scope, type Tensor, valueAndGrad, zeros } from '@cotangent/core'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  add,
  concatenate,
  connectGraph,
  dense,
  dropout,
  embedding,
  GraphModel,
  gru,
  InputLayer,
  input,
  type Layer,
  l2,
  lstm,
  maximum,
  model,
  multiply,
  resetNames,
  Sequential,
  type SymbolicTensor,
  subtract,
} from '../src/index.js'

beforeEach(resetNames)

const random = (seed: number, shape: number[]): Tensor => scope(() => normal(key(seed), shape).keep())
const quiet = { verbose: 0 } as const

describe('a chain', () => {
  test('is a Sequential, bit for bit', async () => {
    const layers = (): Layer[] => [dense(8, { activation: 'relu', inputShape: [4] }), dropout(0.3), dense(3, { activation: 'softmax' })]
    const stack = new Sequential(layers(), { seed: 7 })
    const x = input({ shape: [4] })
    const graph = model({ inputs: x, outputs: layers().reduce((y, layer) => layer.apply(y), x), seed: 7 })
    const data = random(1, [20, 4])
    const labels = Array.from({ length: 20 }, (_, i) => i % 3)
    for (const m of [stack, graph]) {
      m.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] })
      await m.fit(data, labels, { epochs: 3, batchSize: 8, ...quiet })
    }
    expect((await graph.getWeights()).map((w) => [...w.data])).toEqual((await stack.getWeights()).map((w) => [...w.data]))
    expect(graph.history?.history).toEqual(stack.history?.history)
    expect(graph.summaryLines().slice(4)[0]).toBe('input_1 (InputLayer)         (None, 4)                 0         ')
    expect(graph.summaryLines()[1]).toHaveLength(65)
    for (const m of [stack, graph]) m.dispose()
    data.dispose()
  })
})

describe('several inputs and shared layers', () => {
  const twoInputs = (seed = 3) => {
    const a = input({ shape: [3], name: 'a' })
    const b = input({ shape: [2], name: 'b' })
    const left = dense(4, { activation: 'tanh', name: 'left' })
    const right = dense(4, { activation: 'tanh', name: 'right' })
    const out = dense(1, { name: 'out' })
    const [la, rb] = [left.apply(a), right.apply(b)]
    return model({ inputs: [a, b], outputs: out.apply(concatenate().apply([add().apply([la, rb]), multiply().apply([la, rb])])), seed })
  }

  test('value and gradients are those of the composition by hand', async () => {
    const graph = twoInputs()
    const [xa, xb] = [random(1, [5, 3]), random(2, [5, 2])]
    const [wl, bl, wr, br, wo, bo] = ['left', 'right', 'out'].flatMap((name) => graph.getLayer(name).weights)
    const byHand = (): Tensor => {
      const l = matMul(xa, wl).add(bl).tanh()
      const r = matMul(xb, wr).add(br).tanh()
      return matMul(l.add(r), wo.slice([0, 0], [4, 1]))
        .add(matMul(l.mul(r), wo.slice([4, 0], [4, 1])))
        .add(bo)
    }
    const read = async (f: () => Tensor): Promise<number[][]> => {
      const { value, grads } = valueAndGrad(graph.params, () => f().square().sum())
      return Promise.all([value, ...grads].map(async (t) => [...(await t.data())]))
    }
    const [ours, theirs] = [await read(() => graph.apply([xa, xb])), await read(byHand)]
    expect(graph.params).toHaveLength(6)
    for (const [i, values] of ours.entries()) for (const [j, value] of values.entries()) expect(value).toBeCloseTo(theirs[i][j], 4)
    graph.dispose()
  })

  test('a shared layer has the sum of the gradients of its uses', async () => {
    const [a, b] = [input({ shape: [3] }), input({ shape: [3] })]
    const shared = dense(2, { kernelRegularizer: l2(0.1) })
    const graph = model({ inputs: [a, b], outputs: add().apply([shared.apply(a), shared.apply(b)]), seed: 1 })
    expect(graph.weights).toHaveLength(2)
    expect(graph.penalties()).toHaveLength(1)
    const [xa, xb] = [random(1, [4, 3]), random(2, [4, 3])]
    const [kernel] = shared.weights
    const gradient = async (f: () => Tensor) => valueAndGrad([kernel], () => f().sum()).grads[0].data()
    const got = await gradient(() => graph.apply([xa, xb]))
    const [one, two] = [await gradient(() => matMul(xa, kernel)), await gradient(() => matMul(xb, kernel))]
    for (let i = 0; i < got.length; i++) expect(got[i]).toBeCloseTo(one[i] + two[i], 5)
    graph.dispose()
  })

  test('two uses of a dropout layer drop differently, and equal steps equally', async () => {
    const x = input({ shape: [50] })
    const drop = dropout(0.5)
    const graph = model({ inputs: x, outputs: [drop.apply(x), drop.apply(x)], seed: 1 })
    const ones = zeros([2, 50]).add(1)
    const run = async (seed: number): Promise<number[][]> =>
      Promise.all(graph.applyAll(ones, { training: true, key: key(seed) }).map(async (y) => [...(await y.data())]))
    const [first, second] = await run(1)
    expect(first).not.toEqual(second)
    expect(await run(1)).toEqual([first, second])
    expect(await run(2)).not.toEqual([first, second])
  })

  test('training from a list and from a record is the same, and frees what it makes', async () => {
    const [xa, xb, y] = [random(1, [12, 3]), random(2, [12, 2]), random(3, [12, 1])]
    const weights: number[][][] = []
    for (const x of [[xa, xb], { b: xb, a: xa }]) {
      const graph = twoInputs()
      graph.compile({ optimizer: 'adam', loss: 'mse' })
      await graph.fit(x, y, { epochs: 1, batchSize: 5, ...quiet })
      await expectNoLeaks(async () => {
        await graph.fit(x, y, { epochs: 2, batchSize: 5, ...quiet })
        await graph.evaluate(x, [y])
        ;(await graph.predict(x)).dispose()
        await graph.trainOnBatch(x, y)
      })
      weights.push((await graph.getWeights()).map((w) => [...w.data]))
      graph.dispose()
    }
    expect(weights[0]).toEqual(weights[1])
  })
})

describe('any graph', () => {
  /** Numbers 0 and 1 are the inputs; each further one combines two before it. */
  const graphs = fc
    .array(fc.tuple(fc.constantFrom(add, multiply, maximum, subtract), fc.nat(), fc.nat()), { minLength: 1, maxLength: 12 })
    .map((nodes) => nodes.map(([make, a, b], i) => ({ make, a: a % (i + 2), b: b % (i + 2) })))
  const formulas = new Map<unknown, (a: number, b: number) => number>([
    [add, (a, b) => a + b],
    [multiply, (a, b) => a * b],
    [maximum, Math.max],
    [subtract, (a, b) => a - b],
  ])

  test('computes what its nodes say, and so does one connected from its description', async () => {
    await fc.assert(
      fc.asyncProperty(graphs, async (nodes) => {
        const entries = [input({ shape: [1], name: 'p' }), input({ shape: [1], name: 'q' })]
        const symbols = [...entries]
        const numbers = [0.5, -1.5]
        for (const { make, a, b } of nodes) {
          symbols.push(make().apply([symbols[a], symbols[b]]))
          numbers.push(formulas.get(make)?.(numbers[a], numbers[b]) as number)
        }
        // An output must depend on both inputs; a graph without that is refused.
        const outputs = [symbols.at(-1) as SymbolicTensor, add().apply(entries)]
        const graph = model({ inputs: entries, outputs, seed: 1 })
        const described = graph.describeGraph()
        const fresh = described.layers.map(({ layer, inboundNodes }) => {
          const { fromConfig } = layer.constructor as unknown as { fromConfig(config: object): Layer }
          return { layer: fromConfig(layer.getConfig()), inboundNodes }
        })
        const copy = model({ ...connectGraph({ ...described, layers: fresh }), seed: 1 })
        expect(copy.layers.map((layer) => layer.name)).toEqual(graph.layers.map((layer) => layer.name))
        for (const m of [graph, copy]) {
          const [y] = await m.predictAll([[[0.5]], [[-1.5]]])
          const expected = numbers.at(-1) as number
          expect(Math.abs((await y.item()) - expected)).toBeLessThanOrEqual(1e-5 * Math.max(1, Math.abs(expected)))
          y.dispose()
        }
        // Every layer comes after those it needs.
        const position = new Map(graph.layers.map((layer, i) => [layer.name, i]))
        for (const { layer, inboundNodes } of described.layers)
          for (const place of inboundNodes.flat()) expect(position.get(place.layer)).toBeLessThan(position.get(layer.name) as number)
      }),
      { numRuns: 60 },
    )
  })

  test('an output may be listed twice, and be an input', async () => {
    const x = input({ shape: [2], name: 'x' })
    const y = dense(2, { name: 'y' }).apply(x)
    const graph = model({ inputs: x, outputs: [y, y, x], seed: 1 })
    expect(graph.outputPorts.map((port) => port.name)).toEqual(['y', 'y_1', 'x'])
    graph.compile({ optimizer: 'sgd', loss: 'mse' })
    const data = random(1, [5, 2])
    await graph.fit(data, [data, data, data], { epochs: 1, ...quiet })
    await expectNoLeaks(() => graph.fit(data, [data, data, data], { epochs: 2, ...quiet }))
    const [a, b, c] = await Promise.all((await graph.predictAll(data, { batchSize: 2 })).map((t) => t.array()))
    expect(b).toEqual(a)
    expect(c).toEqual(await data.array())
  })
})

describe('order', () => {
  /** Keras 2.3.1's order for this graph: by distance from the outputs, then as a walk back from them meets the layers. */
  test('layers come as in Keras', () => {
    const [a, b] = [input({ shape: [3], name: 'a' }), input({ shape: [3], name: 'b' })]
    const deep = dense(4, { name: 'a2' }).apply(dense(4, { name: 'a1' }).apply(a))
    const merged = concatenate({ name: 'merged' }).apply([dense(4, { name: 'b1' }).apply(b), deep])
    const graph = model({ inputs: [a, b], outputs: [dense(1, { name: 'y' }).apply(merged), dense(2, { name: 'z' }).apply(deep)] })
    // Distances: a 4, a1 and b 3, a2 and b1 2. The walk from y meets b1 and b before a2 and a1.
    expect(graph.layers.map((layer) => layer.name)).toEqual(['a', 'b', 'a1', 'b1', 'a2', 'merged', 'y', 'z'])
    expect(graph.weights.map((w) => w.name).filter((name) => name.endsWith('kernel'))).toEqual(
      ['a1', 'b1', 'a2', 'y', 'z'].map((name) => `${name}/kernel`),
    )
    expect(graph.outputPorts.map((port) => port.name)).toEqual(['y', 'z'])
  })

  test('a description connects fresh layers to an equal graph', async () => {
    const inner = (() => {
      const x = input({ shape: [4] })
      return model({ inputs: x, outputs: dense(4, { activation: 'relu' }).apply(x), name: 'inner', seed: 5 })
    })()
    const [a, b] = [input({ shape: [4], name: 'a' }), input({ shape: [4], name: 'b' })]
    const shared = dense(4, { name: 'shared' })
    shared.apply(input({ shape: [4] })) // a use outside the graph, which is not counted in it
    const [y, h] = lstm(3, { returnState: true, name: 'steps' }).applyAll(embedding(9, 5, { name: 'words' }).apply(b))
    const sum = add({ name: 'sum' }).apply([inner.apply(shared.apply(a)), inner.apply(shared.apply(shared.apply(b)))])
    const graph = model({ inputs: [a, b], outputs: [sum, concatenate({ name: 'states' }).apply([h, y])], seed: 2 })
    const described = graph.describeGraph()
    const uses = Object.fromEntries(described.layers.map(({ layer, inboundNodes }) => [layer.name, inboundNodes]))
    const place = (layer: string, node = 0, tensor = 0) => ({ layer, node, tensor })
    expect(uses.a).toEqual([])
    expect(uses.shared).toEqual([[place('a')], [place('b')], [place('shared', 1)]])
    expect(uses.inner).toEqual([[place('shared')], [place('shared', 2)]])
    expect(uses.sum).toEqual([[place('inner', 1), place('inner', 2)]])
    expect(uses.states).toEqual([[place('steps', 0, 1), place('steps')]])

    const fresh: Record<string, () => Layer> = {
      a: () => new InputLayer({ shape: [4], name: 'a' }),
      b: () => new InputLayer({ shape: [4], name: 'b' }),
      shared: () => dense(4, { name: 'shared' }),
      inner: () => {
        const x = input({ shape: [4] })
        return model({ inputs: x, outputs: dense(4, { activation: 'relu' }).apply(x), name: 'inner', seed: 5 })
      },
      words: () => embedding(9, 5, { name: 'words' }),
      steps: () => lstm(3, { returnState: true, name: 'steps' }),
      sum: () => add({ name: 'sum' }),
      states: () => concatenate({ name: 'states' }),
    }
    // Keras' files list layers in the graph's order; any other must do as well.
    for (const reversed of [false, true]) {
      const layers = described.layers.map(({ layer, inboundNodes }) => ({ layer: fresh[layer.name](), inboundNodes }))
      const copy = model({ ...connectGraph({ ...described, layers: reversed ? layers.reverse() : layers }), seed: 2 })
      expect(copy.layers.map((layer) => layer.name)).toEqual(graph.layers.map((layer) => layer.name))
      const strip = ({ layers: all, ...rest }: typeof described) => [all.map(({ inboundNodes }) => inboundNodes), rest]
      expect(strip(copy.describeGraph())).toEqual(strip(described))
      const data = [[[1, 2, 3, 4]], [[5, 6, 7, 8]]]
      const results = await Promise.all([graph, copy].map(async (m) => Promise.all((await m.predictAll(data)).map((t) => t.array()))))
      expect(results[1]).toEqual(results[0])
    }
    const [first, ...others] = described.layers
    expect(() => connectGraph({ ...described, layers: others })).toThrow(`no layer of the graph gives ${first.layer.name}[0][0]`)
  })
})

describe('summary', () => {
  test("is Keras 2.3's table of a graph", () => {
    const [main, extra] = [input({ shape: [100], name: 'main_input' }), input({ shape: [5] })]
    const steps = lstm(32).apply(embedding(10000, 512).apply(main))
    const shared = dense(32, { activation: 'relu' })
    const x = concatenate().apply([steps, extra])
    const y = dense(32).apply(x)
    const graph = model({ inputs: [main, extra], outputs: [shared.apply(steps), shared.apply(y)], name: 'two' })
    const thin = '_'.repeat(98)
    expect(graph.summaryLines()).toEqual([
      'Model: "two"',
      thin,
      'Layer (type)                    Output Shape         Param #     Connected to                     ',
      '='.repeat(98),
      'main_input (InputLayer)         (None, 100)          0                                            ',
      thin,
      'embedding_1 (Embedding)         (None, 100, 512)     5120000     main_input[0][0]                 ',
      thin,
      'lstm_1 (LSTM)                   (None, 32)           69760       embedding_1[0][0]                ',
      thin,
      'input_1 (InputLayer)            (None, 5)            0                                            ',
      thin,
      'concatenate_1 (Concatenate)     (None, 37)           0           lstm_1[0][0]                     ',
      '                                                                 input_1[0][0]                    ',
      thin,
      'dense_2 (Dense)                 (None, 32)           1216        concatenate_1[0][0]              ',
      thin,
      'dense_1 (Dense)                 (None, 32)           1056        lstm_1[0][0]                     ',
      '                                                                 dense_2[0][0]                    ',
      '='.repeat(98),
      'Total params: 5,192,032',
      'Trainable params: 5,192,032',
      'Non-trainable params: 0',
      thin,
    ])
  })

  test('several shapes, and several outputs', () => {
    const [a, b] = [input({ shape: [3] }), input({ shape: [3, 3] })]
    const shared = dense(3)
    const [y, h] = gru(2, { returnState: true }).applyAll(shared.apply(b))
    const lines = model({ inputs: [a, b], outputs: [shared.apply(a), y, h] }).summaryLines()
    expect(lines.find((line) => line.startsWith('dense_1'))).toContain('multiple')
    expect(lines.find((line) => line.startsWith('gru_1'))).toContain(' [(None, 2), (None, ')
  })
})

describe('what is refused', () => {
  const a = () => input({ shape: [3], name: 'a' })
  test.each<[string, () => unknown, RegExp]>([
    [
      'an input that is missing',
      () => model({ inputs: a(), outputs: add().apply([a(), input({ shape: [3], name: 'b' })]) }),
      /the outputs need .* which is not among the inputs/,
    ],
    [
      'an idle input',
      () => {
        const x = a()
        return model({ inputs: [x, input({ shape: [2], name: 'idle' })], outputs: dense(1).apply(x) })
      },
      /no output depends on the input idle\[0\]\[0\] \[\?, 2\]/,
    ],
    [
      'an input twice',
      () => {
        const x = a()
        return model({ inputs: [x, x], outputs: dense(1).apply(x) })
      },
      /listed twice/,
    ],
    [
      'an input that is no input',
      () => {
        const y = dense(2).apply(a())
        return model({ inputs: y, outputs: dense(1).apply(y) })
      },
      /is an output of layer "dense_1".*Inputs are made by input/,
    ],
    ['no outputs', () => model({ inputs: a(), outputs: [] }), /outputs: expected a symbolic tensor.*an empty list/],
    [
      'a tensor in a graph',
      () => dense(2).apply(zeros([1, 2]) as never),
      /layer "dense_1".*expected a symbolic tensor.*a tensor of values/,
    ],
    ['a layer in a graph', () => dense(2).apply(dense(3) as never), /expected a symbolic tensor.*got a layer\. Apply it first/],
    [
      'values among symbols',
      () => {
        const x = a()
        return model({ inputs: x, outputs: dense(1).apply(x) }).apply([zeros([1, 3]), x] as never)
      },
      /got a tensor of values\. Those go through a model/,
    ],
    [
      'shapes that do not fit',
      () => add().apply([a(), input({ shape: [4] })]),
      /layer "add_1".*\[\?, 3\] and \[\?, 4\] do not fit: 3 and 4 differ/,
    ],
    ['one input for a merge', () => concatenate().apply(a()), /layer "concatenate_1".*at least 2 inputs/],
    ['two inputs for one', () => dense(2).apply([a(), a()]), /layer "dense_1".*takes one input, got 2/],
    ['one output of several', () => lstm(2, { returnState: true }).apply(input({ shape: [4, 2] })), /has 3 outputs.*applyAll/],
    [
      'two layers of a name',
      () => {
        const x = a()
        return model({ inputs: x, outputs: dense(1, { name: 'd' }).apply(dense(1, { name: 'd' }).apply(x)) })
      },
      /two layers named "d"/,
    ],
    ['an input without shape', () => input({}), /give the shape of one sample/],
  ])('%s', (_, make, message) => {
    expect(make).toThrow(message)
  })

  test('data that do not fit the inputs', async () => {
    const [x, z] = [input({ shape: [3], name: 'x' }), input({ shape: [2], name: 'z' })]
    const graph = model({ inputs: [x, z], outputs: dense(1, { name: 'y' }).apply(concatenate().apply([x, z])), name: 'net', seed: 1 })
    graph.compile({ optimizer: 'sgd', loss: 'mse' })
    const [xs, zs, y] = [[[1, 2, 3]], [[1, 2]], [[1]]]
    const run = (data: never, target: unknown = y) => graph.fit(data, target as never, quiet)
    await expect(run([xs] as never)).rejects.toThrow(/fit: x: the model has 2 inputs.*\(x, z\); got a list of 1/)
    await expect(run({ x: xs } as never)).rejects.toThrow(/nothing for the input "z"/)
    await expect(run({ x: xs, zz: zs } as never)).rejects.toThrow(/no input for fit: x called "zz". Did you mean "z"/)
    await expect(run([xs, xs] as never)).rejects.toThrow(/fit: x "z": the data have shape \[\?, 3\].*takes \[\?, 2\] for "z"/)
    await expect(run([[...xs, ...xs], zs] as never)).rejects.toThrow(/fit: x "z": has 1 samples, but x "x" has 2/)
    await expect(run([xs, zs] as never, { why: y })).rejects.toThrow(/no output for fit: y called "why"/)
    await expect(run([xs, zs] as never, [[1], [2]])).rejects.toThrow(/fit: y: has 2 samples, but x has 1/)
    await expect(run([xs, zs] as never, [[1, 2]])).rejects.toThrow(/in the loss of the output "y"/)
    expect(() => graph.apply(zeros([1, 3]))).toThrow(/net: takes 2 inputs \(x, z\), got 1/)
    expect(() => graph.apply([zeros([1, 3]), zeros([1, 3])])).toThrow(/the input "z" \[1, 3\] does not fit \[\?, 2\]/)
    expect(() => new Sequential([graph])).toThrow(/takes 2 inputs, got 1/)
    expect(graph).toBeInstanceOf(GraphModel)
  })
})
