/**
 * Layers of several inputs: the harness on each, values in plain numbers, masks as in Keras. One file, since attention and merging share the plain arrays.
 */
import { key, normal, scope, type Tensor, tensor } from '@cotangent/core'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  Add,
  AdditiveAttention,
  Attention,
  Average,
  add,
  additiveAttention,
  attention,
  average,
  Concatenate,
  concatenate,
  Dot,
  dense,
  dot,
  embedding,
  GroupQueryAttention,
  groupQueryAttention,
  input,
  type Layer,
  layerNormalization,
  lstm,
  Maximum,
  Minimum,
  MultiHeadAttention,
  Multiply,
  masking,
  maximum,
  minimum,
  model,
  multiHeadAttention,
  multiply,
  resetNames,
  Subtract,
  subtract,
} from '../src/index.js'
import { checkMerge, type MergeCheck } from './check-merge.js'

beforeEach(resetNames)

const layers: Record<string, MergeCheck> = {
  Add: { make: () => add(), fromConfig: Add.fromConfig, inputShapes: [[3], [3], [3]], outputShape: [3] },
  'Add of different ranks': { make: () => add(), fromConfig: Add.fromConfig, inputShapes: [[2, 3], [3]], outputShape: [2, 3] },
  Subtract: {
    make: () => subtract(),
    fromConfig: Subtract.fromConfig,
    inputShapes: [
      [2, 3],
      [2, 1],
    ],
    outputShape: [2, 3],
  },
  Multiply: { make: () => multiply(), fromConfig: Multiply.fromConfig, inputShapes: [[4], [4]], outputShape: [4] },
  Average: { make: () => average(), fromConfig: Average.fromConfig, inputShapes: [[3], [3], [3]], outputShape: [3] },
  Maximum: { make: () => maximum(), fromConfig: Maximum.fromConfig, inputShapes: [[5], [5]], outputShape: [5] },
  Minimum: { make: () => minimum(), fromConfig: Minimum.fromConfig, inputShapes: [[5], [5]], outputShape: [5] },
  Concatenate: {
    make: () => concatenate(),
    fromConfig: Concatenate.fromConfig,
    inputShapes: [
      [2, 3],
      [2, 1],
    ],
    outputShape: [2, 4],
  },
  'Concatenate along steps': {
    make: () => concatenate({ axis: 1 }),
    fromConfig: Concatenate.fromConfig,
    inputShapes: [
      [2, 3],
      [4, 3],
    ],
    outputShape: [6, 3],
  },
  Dot: { make: () => dot(1), fromConfig: Dot.fromConfig, inputShapes: [[4], [4]], outputShape: [1] },
  'Dot of matrices, cosines': {
    make: () => dot([2, 1], { normalize: true }),
    fromConfig: Dot.fromConfig,
    inputShapes: [
      [3, 4],
      [4, 2],
    ],
    outputShape: [3, 2],
  },
  Attention: {
    make: () => attention({ useScale: true }),
    fromConfig: Attention.fromConfig,
    inputShapes: [
      [3, 4],
      [5, 4],
    ],
    outputShape: [3, 4],
    weightShapes: [[]],
  },
  'Attention of sums': {
    make: () => attention({ useScale: true, scoreMode: 'concat' }),
    fromConfig: Attention.fromConfig,
    inputShapes: [
      [3, 4],
      [5, 4],
    ],
    outputShape: [3, 4],
    weightShapes: [[], []],
  },
  AdditiveAttention: {
    make: () => additiveAttention(),
    fromConfig: AdditiveAttention.fromConfig,
    inputShapes: [
      [3, 4],
      [5, 2],
      [5, 4],
    ],
    outputShape: [3, 2],
    weightShapes: [[4]],
  },
  GroupQueryAttention: {
    make: () => groupQueryAttention(3, 4, 2, { useCausalMask: true, slidingWindow: 2, useGate: true, useBias: false }),
    fromConfig: GroupQueryAttention.fromConfig,
    inputShapes: [
      [4, 5],
      [4, 2],
    ],
    outputShape: [4, 5],
    weightShapes: [
      [5, 4, 3],
      [2, 2, 3],
      [5, 4, 3],
      [2, 2, 3],
      [4, 3, 5],
    ],
  },
  'MultiHeadAttention along an axis of images, with a list of sizes': {
    make: () => multiHeadAttention(2, 3, { attentionAxes: -2, outputShape: [2, 2], useBias: false }),
    fromConfig: MultiHeadAttention.fromConfig,
    inputShapes: [
      [2, 3, 4],
      [2, 2, 5],
    ],
    outputShape: [2, 3, 2, 2],
    weightShapes: [
      [4, 2, 3],
      [5, 2, 3],
      [5, 2, 3],
      [2, 3, 2, 2],
    ],
  },
  'Attention with keys, causal': {
    make: () => attention({ useCausalMask: true }),
    fromConfig: Attention.fromConfig,
    inputShapes: [
      [4, 3],
      [4, 2],
      [4, 3],
    ],
    outputShape: [4, 2],
  },
  MultiHeadAttention: {
    make: () => multiHeadAttention(2, 3, { valueDim: 4, outputShape: 5, useCausalMask: true }),
    fromConfig: MultiHeadAttention.fromConfig,
    inputShapes: [
      [4, 6],
      [4, 2],
      [4, 3],
    ],
    outputShape: [4, 5],
    weightShapes: [[6, 2, 3], [2, 3], [3, 2, 3], [2, 3], [2, 2, 4], [2, 4], [2, 4, 5], [5]],
  },
  'MultiHeadAttention of a sequence with itself': {
    make: () => multiHeadAttention(2, 2, { useBias: false }),
    fromConfig: MultiHeadAttention.fromConfig,
    inputShapes: [
      [3, 4],
      [3, 4],
    ],
    outputShape: [3, 4],
    weightShapes: [
      [4, 2, 2],
      [4, 2, 2],
      [4, 2, 2],
      [2, 2, 4],
    ],
  },
}

test.each(Object.entries(layers))('checkMerge: %s', (_, check) => checkMerge(check))

/** Three axes of plain numbers. */
type Cube = number[][][]

const cube = (seed: number, [n, t, d]: readonly number[]): { x: Tensor; values: Cube } => {
  const values = Array.from({ length: n }, (_, i) =>
    Array.from({ length: t }, (_, j) => Array.from({ length: d }, (_, k) => Math.sin(seed + 7 * i + 3 * j + 1.7 * k))),
  )
  return { x: tensor(values), values }
}
const call = (layer: Layer, xs: readonly Tensor[], masks: readonly (Tensor | undefined)[] = xs.map(() => undefined), training = false) =>
  scope(() => layer.callAll(xs, { training, masks, key: key(1) }))
const close = async (y: Tensor, expected: Cube): Promise<void> => {
  expect(y.shape).toEqual([expected.length, expected[0].length, expected[0][0].length])
  const values = await y.data()
  for (const [i, v] of expected.flat(2).entries()) expect(values[i]).toBeCloseTo(v, 5)
}

/** Attention by its definition: softmax over the allowed scores of each row, then weighted means of values. */
function byDefinition(q: number[][], k: number[][], v: number[][], scale: number, allowed: (i: number, j: number) => boolean): number[][] {
  return q.map((row, i) => {
    const scores = k.map((other, j) =>
      allowed(i, j) ? scale * row.reduce((sum, x, f) => sum + x * other[f], 0) : Number.NEGATIVE_INFINITY,
    )
    const weights = scores.map((score) => Math.exp(score - Math.max(...scores)))
    const total = weights.reduce((a, b) => a + b, 0)
    return v[0].map((_, f) => weights.reduce((sum, w, j) => sum + (w / total) * v[j][f], 0))
  })
}

describe('Attention', () => {
  test('is the mean of values by softmax of scores, masked and causal', async () => {
    const [q, v, k] = [cube(1, [2, 3, 4]), cube(2, [2, 3, 5]), cube(3, [2, 3, 4])]
    const counts = [
      [true, true, false],
      [true, false, true],
    ]
    for (const causal of [false, true]) {
      const layer = attention({ useCausalMask: causal })
      const plain = call(layer, [q.x, v.x, k.x])
      await close(
        plain.outputs[0],
        q.values.map((rows, n) => byDefinition(rows, k.values[n], v.values[n], 1, (i, j) => !causal || j <= i)),
      )
      const mask = tensor(counts, { dtype: 'bool' })
      const masked = call(layer, [q.x, v.x, k.x], [undefined, mask, undefined])
      const allowed = (n: number) => (i: number, j: number) => counts[n][j] && (!causal || j <= i)
      await close(
        masked.outputs[0],
        q.values.map((rows, n) => byDefinition(rows, k.values[n], v.values[n], 1, allowed(n))),
      )
      expect(masked.masks).toEqual([undefined])
    }
  })
  test('masked steps of the query give 0, and its mask goes on', async () => {
    const [q, v] = [cube(1, [1, 3, 2]), cube(2, [1, 2, 2])]
    const mask = tensor([[true, false, true]], { dtype: 'bool' })
    const { outputs, masks } = call(attention(), [q.x, v.x], [mask, undefined])
    const expected = byDefinition(q.values[0], v.values[0], v.values[0], 1, () => true)
    expected[1] = [0, 0]
    await close(outputs[0], [expected])
    expect(masks[0]).toBe(mask)
  })
  test('dropout drops weights in training only', async () => {
    const [q, v] = [cube(1, [1, 3, 2]), cube(2, [1, 4, 2])]
    const layer = attention({ dropout: 0.5 })
    const values = async (training: boolean) => [...(await call(layer, [q.x, v.x], undefined, training).outputs[0].data())]
    expect(await values(true)).not.toEqual(await values(false))
    expect(await values(true)).toEqual(await values(true))
    expect(await values(false)).toEqual([...(await call(attention(), [q.x, v.x]).outputs[0].data())])
  })
  test('inputs that do not fit', () => {
    const sequence = (t: number, d: number) => input({ shape: [t, d] })
    expect(() => attention().apply(sequence(3, 2))).toThrow(/takes \[query, value\] or \[query, value, key\], got 1/)
    expect(() => attention().apply([sequence(3, 2), sequence(3, 4)])).toThrow(/as many features, got 2 and 4/)
    expect(() => attention().apply([sequence(3, 2), sequence(3, 4), sequence(5, 2)])).toThrow(
      /a value for every key, got 3 values and 5 keys/,
    )
    expect(() => attention().apply([sequence(3, 2), input({ shape: [2] })])).toThrow(/must be sequences/)
  })
})

describe('MultiHeadAttention', () => {
  test('is the definition with its projections, by plain numbers', async () => {
    const [q, v] = [cube(1, [2, 3, 4]), cube(2, [2, 5, 2])]
    const [heads, size, valueSize] = [2, 3, 2]
    const layer = multiHeadAttention(heads, size, { valueDim: valueSize, biasInitializer: 'randomNormal' })
    layer.buildAll([q.x.shape, v.x.shape], { key: key(5), dtype: 'float32', backend: q.x.backend })
    const [wq, bq, wk, bk, wv, bv, wo, bo] = await Promise.all(layer.weights.map((w) => w.array()))
    expect(layer.weights.map((w) => w.name.replace(layer.name, ''))).toEqual(
      ['query', 'key', 'value', 'attention_output'].flatMap((part) => [`/${part}/kernel`, `/${part}/bias`]),
    )
    const projected = (rows: number[][], w: unknown, b: unknown, h: number): number[][] =>
      rows.map((row) => (b as number[][])[h].map((bias, f) => row.reduce((sum, x, i) => sum + x * (w as Cube)[i][h][f], bias)))
    const counts = [
      [true, true, false, true, false],
      [true, true, true, true, true],
    ]
    for (const masked of [false, true]) {
      const expected = q.values.map((rows, n) => {
        const found = Array.from({ length: heads }, (_, h) =>
          byDefinition(
            projected(rows, wq, bq, h),
            projected(v.values[n], wk, bk, h),
            projected(v.values[n], wv, bv, h),
            1 / Math.sqrt(size),
            (_, j) => !masked || counts[n][j],
          ),
        )
        return rows.map((_, i) =>
          (bo as number[]).map((bias, f) =>
            found.reduce((sum, head, h) => sum + head[i].reduce((s, x, j) => s + x * (wo as Cube)[h][j][f], 0), bias),
          ),
        )
      })
      const mask = masked ? tensor(counts, { dtype: 'bool' }) : undefined
      await close(call(layer, [q.x, v.x], [undefined, mask]).outputs[0], expected)
    }
    layer.dispose()
  })
  test('with masked words, in a block as transformers have, a graph learns which sentences have a word', async () => {
    const x = input({ shape: [6] })
    const e = embedding(20, 8, { maskZero: true }).apply(x)
    const block = layerNormalization().apply(add().apply([e, multiHeadAttention(2, 4, { dropout: 0.1 }).apply([e, e])]))
    const graph = model({ inputs: x, outputs: dense(1, { activation: 'sigmoid' }).apply(lstm(4).apply(block)), seed: 1 })
    graph.compile({ optimizer: 'adam', loss: 'binaryCrossentropy', metrics: ['accuracy'] })
    graph.optimizer.learningRate = 0.01
    const rows = Array.from({ length: 64 }, (_, i) =>
      Array.from({ length: 6 }, (_, t) => (t < 3 + (i % 4) ? 1 + ((i * 7 + t * 5 + i * t) % 19) : 0)),
    )
    const { history } = await graph.fit(
      rows,
      rows.map((row) => [row.includes(3) ? 1 : 0]),
      { epochs: 40, batchSize: 16, verbose: 0 },
    )
    expect(history.accuracy.at(-1)).toBeGreaterThan(0.95)
    graph.dispose()
  })
  test('no step sees a later one with useCausalMask', async () => {
    const layer = multiHeadAttention(2, 3, { useCausalMask: true })
    const { x } = cube(1, [1, 5, 4])
    layer.buildAll([x.shape, x.shape], { key: key(5), dtype: 'float32', backend: x.backend })
    const changed = scope(() => x.add(tensor([0, 0, 0, 1, 1]).reshape([1, 5, 1])))
    const [a, b] = await Promise.all([x, changed].map(async (t) => (await call(layer, [t, t]).outputs[0].array()) as Cube))
    expect(b[0].slice(0, 3)).toEqual(a[0].slice(0, 3))
    expect(b[0][3]).not.toEqual(a[0][3])
  })
})

describe('values', () => {
  const pairs = fc
    .integer({ min: 1, max: 4 })
    .chain((n) => fc.tuple(fc.constant(n), fc.array(fc.float({ noNaN: true, min: -9, max: 9 }), { minLength: 3 * n, maxLength: 3 * n })))
  test('the element-wise layers are the arithmetic of numbers', async () => {
    const kinds: [Layer, (...xs: number[]) => number][] = [
      [add(), (a, b, c) => a + b + c],
      [multiply(), (a, b, c) => a * b * c],
      [average(), (a, b, c) => (a + b + c) / 3],
      [maximum(), Math.max],
      [minimum(), Math.min],
    ]
    await fc.assert(
      fc.asyncProperty(pairs, async ([n, values]) => {
        const parts = [0, 1, 2].map((i) => values.slice(i * n, (i + 1) * n))
        for (const [layer, formula] of kinds) {
          const y = call(
            layer,
            parts.map((part) => tensor([part])),
          )
          const got = await y.outputs[0].data()
          for (let i = 0; i < n; i++) expect(got[i]).toBeCloseTo(formula(...parts.map((part) => part[i])), 3)
        }
      }),
      { numRuns: 20 },
    )
  })
  test('Dot sums over any axis of each', async () => {
    const [a, b] = [cube(1, [2, 3, 4]), cube(2, [2, 4, 5])]
    const product = a.values.map((rows, n) =>
      rows.map((row) => b.values[n][0].map((_, j) => row.reduce((s, x, i) => s + x * b.values[n][i][j], 0))),
    )
    await close(call(dot([2, 1]), [a.x, b.x]).outputs[0], product)
    await close(call(dot([-1, -2]), [a.x, b.x]).outputs[0], product)
    const vector = scope(() => normal(key(1), [2, 4]))
    expect(call(dot([2, 1]), [a.x, vector]).outputs[0].shape).toEqual([2, 3])
    expect(() => dot(1).apply([input({ shape: [3] }), input({ shape: [4] })])).toThrow(
      /layer "dot_\d" \(Dot, axes 1\).*must have the same size/,
    )
    expect(() => dot(3).apply([input({ shape: [3] }), input({ shape: [3] })])).toThrow(/must be axes of the samples/)
    expect(() => new Dot(undefined as never)).toThrow(/axes must be a whole number, or two/)
  })
})

describe('masks', () => {
  const words = (name: string) => embedding(9, 2, { maskZero: true, name })
  const indices = [[1, 2, 0, 0]]
  const others = [[1, 0, 3, 0]]
  /** The steps that a graph's merge counts. A recurrent layer shows them: it repeats its last output at masked steps. */
  const maskBehind = async (merge: Layer, one: 'masked' | 'plain' = 'masked'): Promise<boolean[][] | undefined> => {
    const [a, b] = [input({ shape: [4] }), input({ shape: [4] })]
    const y = merge.apply([words('a').apply(a), (one === 'masked' ? words('b') : embedding(9, 2)).apply(b)])
    const graph = model({ inputs: [a, b], outputs: y, seed: 1 })
    const { masks } = scope(() => graph.callAll([tensor(indices), tensor(others)], { training: false, masks: [undefined, undefined] }))
    return masks[0] && ((await masks[0].array()) as boolean[][]).map((row) => row.map(Boolean))
  }
  test('element by element and along features: what all let through', async () => {
    for (const make of [add, multiply, average, maximum, concatenate])
      expect(await maskBehind(make())).toEqual([[true, false, false, false]])
    expect(await maskBehind(add(), 'plain')).toEqual([[true, true, false, false]])
    expect(await maskBehind(concatenate(), 'plain')).toEqual([[true, true, false, false]])
  })
  test('along steps side by side, and where there is none all count', async () => {
    expect(await maskBehind(concatenate({ axis: 1 }))).toEqual([[true, true, false, false, true, false, true, false]])
    expect(await maskBehind(concatenate({ axis: 1 }), 'plain')).toEqual([[true, true, false, false, true, true, true, true]])
  })
  test('none behind Dot, and a layer that takes none refuses it by name', async () => {
    expect(await maskBehind(dot(2))).toBeUndefined()
    const x = input({ shape: [4, 2] })
    const graph = model({ inputs: x, outputs: lstm(2).apply(masking().apply(x)), seed: 1 })
    expect(scope(() => graph.callAll([normal(key(1), [2, 4, 2])], { training: false, masks: [undefined] })).masks).toEqual([undefined])
  })
})
