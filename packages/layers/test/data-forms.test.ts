/**
 * The forms in which data may come, all with the same result. Forms that would give wrong numbers are refused, with the place of the fault. The file is long, since
 * it lists every form and every fault.
 */
import { getBackend, memory, Parameter, tensor, zeros } from '@cotangent/core'
import { beforeEach, describe, expect, test } from 'vitest'
import { add, type Data, dense, embedding, flatten, input, model, resetNames, reshape, Sequential, timeDistributed } from '../src/index.js'
import { newWeight } from '../src/weights/values.js'

beforeEach(() => resetNames())

/** y = x₀ + 10·x₁ */
function weighing(): Sequential {
  const net = new Sequential([dense(1, { inputShape: [2], useBias: false })], { seed: 1 })
  net.setWeights([[[1], [10]]])
  net.compile({ optimizer: 'sgd', loss: 'mse' })
  return net
}
const any = (value: unknown): Data => value as Data

describe('forms of data', () => {
  const rows = [
    [1, 2],
    [3, 4],
    [5, 6],
  ]
  const forms: Record<string, () => Data> = {
    'nested arrays': () => rows,
    'rows that are Float32Arrays': () => rows.map((row) => Float32Array.from(row)),
    'rows that are Uint8Arrays': () => rows.map((row) => Uint8Array.from(row)),
    'rows of several types': () => [Int32Array.of(1, 2), [3, 4], Float64Array.of(5, 6)],
    'numbers with a shape': () => ({ data: rows.flat(), shape: [3, 2] }),
    'a typed array with a shape': () => ({ data: Float32Array.from(rows.flat()), shape: [3, 2] }),
    'one of another type': () => ({ data: Int16Array.from(rows.flat()), shape: [3, 2] }),
    'what JSON makes of a typed array': () => JSON.parse(JSON.stringify({ data: Float32Array.from(rows.flat()), shape: [3, 2] })),
    'a tensor': () => tensor(rows),
    'a tensor of int32': () => tensor(rows, { dtype: 'int32' }),
  }
  test.each(Object.entries(forms))('%s', async (_, make) => {
    const net = weighing()
    expect(await (await net.predict(make())).array()).toEqual([[21], [43], [65]])
    // Σ (21 − 20)², (43 − 40)², (65 − 60)² over 3
    expect((await net.evaluate(make(), [[20], [40], [60]]))[0]).toBeCloseTo(35 / 3, 5)
    net.dispose()
  })
  test('three axes, the innermost typed', async () => {
    const net = new Sequential([flatten({ inputShape: [2, 2] })], { seed: 1 })
    const y = await net.predict([
      [Float32Array.of(1, 2), Float32Array.of(3, 4)],
      [Float32Array.of(5, 6), Float32Array.of(7, 8)],
    ])
    expect(await y.array()).toEqual([
      [1, 2, 3, 4],
      [5, 6, 7, 8],
    ])
  })
  test('plain numbers are samples of one number, as in Keras, whether or not the model is built', async () => {
    for (const inputShape of [undefined, [1]]) {
      for (const x of [[1, 2, 3], Float32Array.of(1, 2, 3), tensor([1, 2, 3])]) {
        const net = new Sequential([dense(1, { inputShape, kernelInitializer: 'ones', useBias: false })], { seed: 1 })
        net.compile({ optimizer: 'sgd', loss: 'mse' })
        expect((await net.evaluate(x, Float32Array.of(1, 4, 3)))[0]).toBeCloseTo(4 / 3, 6)
        expect(await (await net.predict(x)).array()).toEqual([[1], [2], [3]])
      }
    }
  })
  test('weights: nested arrays, typed rows, what came through JSON, tensors, a number for a scalar', async () => {
    const net = weighing()
    const same = async (): Promise<void> => expect([...(await net.getWeights())[0].data]).toEqual([3, -0])
    for (const value of [[[3], [-0]], [Float32Array.of(3), Float32Array.of(-0)], { data: [3, -0], shape: [2, 1] }, tensor([[3], [-0]])]) {
      net.setWeights([[[9], [9]]])
      net.setWeights([value])
      await same()
    }
    const saved = JSON.stringify(await net.getWeights()) // −0 becomes 0 there
    net.setWeights([[[9], [9]]])
    net.setWeights(JSON.parse(saved))
    expect([...(await net.getWeights())[0].data]).toEqual([3, 0])
    net.dispose()
  })
  test.each([
    ['a number', 0.5],
    ['a shape without axes', { data: [0.5], shape: [] }],
    ['a tensor', tensor(0.5)],
  ] as const)('a weight without axes: %s', async (_, value) => {
    const weight = new Parameter(zeros([]), { name: 'w' })
    const fresh = newWeight('setWeights: value 0', value, weight)
    expect([fresh.shape, await fresh.item()]).toEqual([[], 0.5])
    for (const t of [fresh, weight]) t.dispose()
  })
})

describe('refused, with the place', () => {
  const y = [[1], [2], [3]]
  const bigInts = BigInt64Array.of(1n, 2n)
  const cases: [name: string, x: unknown, message: RegExp][] = [
    [
      'ragged rows of the right count',
      [[1, 2], [3, 4, 5], [6]],
      /x: nested arrays must be regular: \[1\] has 3 items, expected 2 as in the first/,
    ],
    ['ragged typed rows', [Float32Array.of(1, 2), Float32Array.of(3), [4, 5]], /\[1\] has 1 item, expected 2/],
    ['a number for a row', [[1, 2], 3, [4, 5]], /x\[1\] is 3, expected an array of 2/],
    [
      'a row for a number',
      [
        [1, 2],
        [3, [4]],
        [5, 6],
      ],
      /x\[1\]\[1\] is an array of 1, expected a number/,
    ],
    [
      'text',
      [
        [1, 2],
        [3, '4'],
        [5, 6],
      ],
      /x\[1\]\[1\] is text "4", expected a number/,
    ],
    [
      'null',
      [
        [1, 2],
        [null, 4],
        [5, 6],
      ],
      /x\[1\]\[0\] is null, expected a number/,
    ],
    // biome-ignore lint/suspicious/noSparseArray: the hole is the point
    ['a hole', [[1, 2], [3, , 4].slice(0, 2), [5, 6]], /x\[1\]\[1\] is undefined, expected a number/],
    [
      'a BigInt',
      [
        [1, 2],
        [3, 4n],
        [5, 6],
      ],
      /x\[1\]\[1\] is the BigInt 4n, expected a number/,
    ],
    ['BigInts', { data: bigInts, shape: [1, 2] }, /x: expected numbers, got a BigInt64Array of 2\. Convert it first: Float64Array\.from/],
    ['rows of BigInts', [bigInts], /x\[0\]: expected numbers, got a BigInt64Array of 2/],
    ['a Promise', Promise.resolve([[1, 2]]), /x: expected a tensor, .*got a Promise: await it first/],
    ['null in place of data', null, /x: expected a tensor, .*got null/],
    ['text in place of data', 'abc', /x: expected a tensor, .*got text "abc"/],
    ['a function', () => [[1, 2]], /x: expected a tensor, .*got a function/],
    ['a buffer', new ArrayBuffer(8), /x: expected a tensor, .*got an ArrayBuffer/],
    ['a Map', new Map([['x', [[1, 2]]]]), /x: expected a tensor, .*got a Map/],
    ['data without a shape', { data: [1, 2] }, /x: an object with data needs their shape, too: \{ data, shape: \[samples, …\] \}/],
    ['a shape that is none', { data: [1, 2], shape: 2 }, /x: shape must be a list of whole numbers, at least 0, such as \[2, 1\], got 2/],
    ['a shape with an open size', { data: [1, 2], shape: [-1, 2] }, /x: shape must be a list of whole numbers, at least 0.*got \[-1, 2\]/],
    ['values of a wrong kind', { data: 'ab', shape: [1, 2] }, /x: data: expected numbers, got text "ab"/],
    ['a value that is none', { data: [1, null], shape: [1, 2] }, /x: data\[1\] is null, expected a number/],
    ['too few values', { data: [1, 2, 3], shape: [2, 2] }, /x: 3 values do not fill its shape \[2, 2\]/],
    [
      'a list of tensors',
      [tensor([1, 2]), tensor([3, 4])],
      /x: a list of 2 data, each a tensor of float32 \[2\], but the model has one input.*stack/,
    ],
    ['one sample', [1, 2], /x: the data have shape \[\?\], .*takes \[\?, 2\]\. A batch axis is missing/],
    ['a typed array for rows', Float32Array.of(1, 2), /x: the data have shape \[\?\], .*takes \[\?, 2\]/],
    ['a scalar', tensor(1), /x: is a scalar/],
    ['nothing', [], /x: there are no samples in it/],
    ['no rows', zeros([0, 2]), /x: there are no samples in it/],
  ]
  test.each(cases)('%s', async (name, x, message) => {
    const net = weighing()
    const weights = await net.getWeights()
    for (const run of [() => net.fit(any(x), y), () => net.evaluate(any(x), y), () => net.trainOnBatch(any(x), y)]) {
      const before = memory().buffers
      await expect(run()).rejects.toThrow(message)
      expect(memory().buffers).toBeLessThanOrEqual(before) // fewer if older garbage was collected meanwhile
    }
    // Without samples there are no outputs.
    if (name !== 'no rows') await expect(net.predict(any(x))).rejects.toThrow(message)
    expect(await net.getWeights()).toEqual(weights)
    net.dispose()
  })
  test('targets and weights alike', async () => {
    const net = weighing()
    const x = [
      [1, 2],
      [3, 4],
    ]
    await expect(net.fit(x, [[1], [2, 3]])).rejects.toThrow(/fit: y: nested arrays must be regular: \[1\]/)
    await expect(net.fit(x, y.slice(1), { sampleWeight: [1, null] as never })).rejects.toThrow(/sampleWeight\[1\] is null/)
    await expect(net.evaluate([[x, [[1], ['b']]]] as never)).rejects.toThrow(/evaluate: batch 1: y\[1\]\[0\] is text "b"/)
    expect(() => net.setWeights([[[1], [2, 3]]])).toThrow(/setWeights: value 0 \("dense_1\/kernel"\): nested arrays must be regular/)
    expect(() => net.setWeights([[[1]]])).toThrow(/value 0 .*has shape \[1, 1\], the weight \[2, 1\]/)
    expect(() => net.setWeights(null as never)).toThrow(/setWeights: expected a list of values, one for each of the 1 weights, got null/)
    net.dispose()
  })
  test('several inputs: each by its name', async () => {
    const [a, b] = ['a', 'b'].map((name) => input({ shape: [1], name }))
    const net = model({ inputs: [a, b], outputs: add().apply([a, b]) })
    await expect(net.predict({ a: [[1]], b: [['x']] } as never)).rejects.toThrow(/predict: x "b"\[0\]\[0\] is text "x"/)
    await expect(net.predict(Float32Array.of(1, 2) as never)).rejects.toThrow(/has 2 inputs, so a list of 2 data.*got a Float32Array of 2/)
    await expect(net.predict(Promise.resolve([]) as never)).rejects.toThrow(/has 2 inputs.*got a Promise: await it first/)
    await expect(net.predict([[1]])).rejects.toThrow(/has 2 inputs.*got a list of 1/)
    await expect(net.predict({ a: null, b: [[1]] } as never)).rejects.toThrow(/predict: x "a": expected a tensor.*got null/)
  })
  test('an inputShape that counts the samples', async () => {
    const net = new Sequential([dense(1, { inputShape: [null, 4] })], { seed: 1 })
    await expect(net.predict(zeros([3, 4]))).rejects.toThrow(/does the first layer's inputShape count the samples\? .*: \[4\]/)
  })
})

describe('memory that goes while its samples are in use', () => {
  test.each([true, false])('is told, shuffled or not: %s', async (shuffle) => {
    const net = weighing()
    const x = { data: new Float32Array(8).fill(1), shape: [4, 2] }
    const onBatchEnd = (): void => void structuredClone(x.data.buffer, { transfer: [x.data.buffer] })
    await expect(net.fit(x, [[1], [2], [3], [4]], { batchSize: 2, shuffle, verbose: 0, callbacks: [{ onBatchEnd }] })).rejects.toThrow(
      /fit: x: there are 0 values where 8 were: the buffer was transferred or resized/,
    )
    for (const { data } of await net.getWeights()) expect([...data].every(Number.isFinite)).toBe(true)
    await expect(net.predict(x)).rejects.toThrow(/0 values do not fill its shape \[4, 2\]\. A buffer that was transferred/)
    net.dispose()
  })
})

describe('indices', () => {
  // Rows above 2^24, in a table that would be too large: 2^24 + 1 is no float32, and becomes 2^24 there.
  const rows = 2 ** 24 + 3
  const counting = (): Sequential => new Sequential([embedding(rows, 1, { inputLength: 1, embeddingsInitializer: 'zeros' })], { seed: 1 })
  test('above 2^24 are exact, from every form', async () => {
    const net = counting()
    const table = new Float32Array(rows)
    table[2 ** 24 + 1] = 7
    net.setWeights([{ data: table, shape: [rows, 1] }])
    const at = 2 ** 24 + 1
    const x = input({ shape: [1] })
    const graph = model({ inputs: x, outputs: net.layers[0].apply(x) })
    const nested = new Sequential([net])
    for (const one of [net, graph, nested]) {
      for (const data of [[[at]], [Int32Array.of(at)], { data: Float64Array.of(at), shape: [1, 1] }, tensor([[at]], { dtype: 'int32' })]) {
        expect(await (await one.predict(data)).array()).toEqual([[[7]]])
      }
    }
    // A float32 of that size may be a rounded number.
    expect(() => net.apply(tensor([[2 ** 24 + 2]]))).toThrow(/indices of float32 must be whole numbers up to 16777216\. Give it int32/)
    net.dispose()
  })
  const table = [[0], [1], [2], [3]]
  const makes: Record<string, () => Sequential | ReturnType<typeof model>> = {
    'a Sequential': () => new Sequential([embedding(4, 1, { inputLength: 2 })], { seed: 1 }),
    'a graph': () => {
      const x = input({ shape: [2] })
      return model({ inputs: x, outputs: embedding(4, 1).apply(x) })
    },
    'a graph with an input of int32': () => {
      const x = input({ shape: [2], dtype: 'int32' })
      return model({ inputs: x, outputs: embedding(4, 1).apply(x) })
    },
    'a model in a model': () => new Sequential([new Sequential([embedding(4, 1, { inputLength: 2 })])], { seed: 1 }),
    'a wrapper': () => new Sequential([timeDistributed(embedding(4, 1), { inputShape: [2, 1] }), reshape([2, 1])], { seed: 1 }),
  }
  test.each(Object.entries(makes))('NaN, fractions and what there is not are refused by %s', async (name, make) => {
    const net = make()
    net.setWeights([table])
    const rows = (...values: number[]): Data => (name === 'a wrapper' ? [values.map((v) => [v])] : [values])
    const place = name === 'a wrapper' ? '\\[0\\]\\[1\\]\\[0\\]' : '\\[0\\]\\[1\\]'
    for (const [bad, shown] of [
      [Number.NaN, 'NaN'],
      [-0.5, '-0.5'],
      [1.5, '1.5'],
      [4, '4'],
      [-1, '-1'],
    ] as const) {
      await expect(net.predict(rows(1, bad))).rejects.toThrow(
        new RegExp(`predict: x${place} is ${shown}: these are indices of rows, so they must be whole numbers from 0 to 3`),
      )
      if (name !== 'a wrapper') await expect(net.predict(tensor(rows(1, bad) as number[][]))).rejects.toThrow(/predict: x\[0\]\[1\] is/)
    }
    expect(await (await net.predict(rows(3, 1))).data()).toEqual(Float32Array.of(3, 1))
    net.dispose()
  })
  test.each(['reference', 'wasm', 'gpu'] as const)('an embedding called with floats looks at them: %s', async (name) => {
    const backend = await getBackend(name)
    const net = new Sequential([embedding(4, 1, { inputLength: 2 })], { seed: 1, backend })
    for (const bad of [Number.NaN, -0.5, 2.5]) {
      const run = async (): Promise<unknown> => net.apply(tensor([[1, bad]], { backend })).data()
      await expect(run()).rejects.toThrow(/an index is (NaN|-0.5|2.5) \(at position 1|index -1 at position 1 is out of range/)
    }
    net.dispose()
  })
  test('beside other layers on one input, floats go on as they are', async () => {
    const x = input({ shape: [2] })
    const both = model({ inputs: x, outputs: [embedding(4, 1).apply(x), dense(1, { kernelInitializer: 'ones' }).apply(x)] })
    expect(both.inputPorts[0].dtype).toBe('float32')
    const [, sum] = await both.predictAll([[1, 2]])
    expect(await sum.array()).toEqual([[3]])
    await expect(both.predictAll([[1, 2.5]])).rejects.toThrow(/x\[0\]\[1\] is 2.5: these are indices/)
  })
  test('an input of int32 that is not an index takes any int32', async () => {
    const x = input({ shape: [1], dtype: 'int32' })
    const net = model({ inputs: x, outputs: reshape([1]).apply(x) })
    await expect(net.predict([[0.5]])).rejects.toThrow(
      /x\[0\]\[0\] is 0.5: this input is int32, so they must be whole numbers from -2147483648/,
    )
  })
})

describe('class numbers in tensors', () => {
  const x = [[1], [2], [3]]
  test.each(['reference', 'wasm', 'gpu'] as const)('are looked at: %s', async (name) => {
    const backend = await getBackend(name)
    const net = new Sequential([dense(3, { activation: 'softmax', inputShape: [1] })], { seed: 1, backend })
    net.compile({ optimizer: 'sgd', loss: 'sparse_categorical_crossentropy' })
    for (const [labels, dtype] of [
      [[0, 1, 3], 'float32'],
      [[0, 1, 3], 'int32'],
      [[-1, 1, 2], 'float32'],
      [[0, 1.5, 2], 'float32'],
    ] as const) {
      const y = tensor([...labels], { dtype, backend })
      const message = /y: Label (3 at position 2|-1 at position 0|1.5 at position 1) is not a class number: .* 3 classes/
      const before = await net.getWeights()
      await expect(net.fit(x, y, { verbose: 0 })).rejects.toThrow(message)
      await expect(net.evaluate(x, y)).rejects.toThrow(message)
      await expect(net.trainOnBatch(x, y)).rejects.toThrow(message)
      await expect(net.fit(x, [0, 1, 2], { validationData: [x, y], verbose: 0 })).rejects.toThrow(message)
      expect(await net.getWeights()).toEqual(before)
      // With batches, no step may wait for a device, so the error comes at the end of the epoch.
      const batches = [[x, y]] as const
      await expect(net.fit(batches as never, { verbose: 0 })).rejects.toThrow(
        backend.readSync ? message : /fit: epoch 1: 1 of the labels were no class numbers/,
      )
      y.dispose()
    }
    net.dispose()
  })
})
