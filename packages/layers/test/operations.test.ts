/** Operations on symbolic tensors: shapes that are known before there are values, files of every format, training, errors. */
import { type DType, grad, key, normal, type Tensor, tensor } from '@cotangent/core'
import { beforeEach, describe, expect, test } from 'vitest'
import { kinds } from '../src/graph/operations/kinds.js'
import {
  dense,
  input,
  type Model,
  model,
  modelFromBytes,
  modelFromJSON,
  modelToBytes,
  modelToJSON,
  Operation,
  type OperationName,
  type OperationOptions,
  operation,
  resetNames,
  Sequential,
  type SymbolicTensor,
} from '../src/index.js'
import type { Json } from '../src/io/keras-object.js'
import { jsonOfZip } from './keras-files.js'

beforeEach(resetNames)

/** Operations of two tensors [n, 2, 3], with options that they need; others take one tensor of that shape. */
const options: Partial<Record<OperationName, OperationOptions>> = {
  mean: { axis: [1, -1] },
  sum: { axis: 1, keepDims: true },
  max: { axis: -1 },
  argMax: { axis: 1 },
  cumSum: { axis: 1 },
  clip: { min: -0.5, max: 0.5 },
  cast: { dtype: 'int32' },
  reshape: { shape: [-1, 3, 2] },
  transpose: { axes: [0, 2, 1] },
  squeeze: { axis: 1 },
  flip: { axis: [1, 2] },
  tile: { repeats: [1, 2, 1] },
  repeat: { repeats: 2, axis: 1 },
  at: { index: [':', null, '-1::-1', 1] },
  concat: { axis: 1 },
  einsum: { equation: 'bij,bkj->bik' },
  softmax: { axis: 1 },
  gather: { axis: 1, constants: { 1: [1, -1, 0] } },
  takeAlongAxis: { axis: 1, constants: { 1: [[[0, 1, -1]]] } },
  pad: {
    pads: [
      [0, 0],
      [1, 2],
      [2, 1],
    ],
    mode: 'reflect',
  }, // prettier
  roll: { shift: [1, -1], axis: [1, 2] },
  broadcastTo: { shape: [4, 2, 3] },
  split: { parts: [1, 2], axis: 2 },
  unstack: { num: 2, axis: 1 },
  topK: { k: 2 },
  cumProd: { axis: 1 },
  dot: { constants: { 1: [[1], [2], [-1]] } },
  expandDims: { axis: [1, -1] },
  moments: { axes: [1], keepDims: true },
  threshold: { threshold: 0.1, value: -1 },
  oneHot: { depth: 3 },
  norm: { axis: -1, ord: 3 },
  maxPool: { poolSize: 2, strides: 1, padding: 'same' },
  averagePool: { poolSize: 2 },
  resize: { size: [3, 5] },
  extractPatches: { size: 2, strides: [1, 2] },
  depthToSpace: { blockSize: 2 },
  spaceToDepth: { blockSize: 2 },
}
/** The inputs' shapes where these are not [2, 3]. */
const shapes: Partial<Record<OperationName, number[][]>> = {
  squeeze: [[1, 3]],
  matMul: [
    [2, 3],
    [3, 2],
  ], // prettier
  gather: [[2, 3]],
  dot: [[2, 3]],
  takeAlongAxis: [[2, 3]],
  glu: [[2, 4]],
  resize: [[2, 4, 3]],
  extractPatches: [[3, 4, 2]],
  rgbToGrayscale: [[2, 2, 3]],
  depthToSpace: [[2, 1, 8]],
  spaceToDepth: [[2, 4, 3]],
  scaledDotProductAttention: [
    [3, 2, 4],
    [3, 2, 4],
    [3, 2, 4],
  ], // prettier
}
const samples = (name: OperationName): number[][] =>
  shapes[name] ?? Array.from({ length: { list: 2, any: 2 }[String(kinds[name].operands)] ?? Number(kinds[name].operands) }, () => [2, 3])
/** Ops whose inputs are truth values, or positive. */
const prepared = (name: OperationName, x: SymbolicTensor, i: number): SymbolicTensor => {
  if (name.startsWith('logical') || name === 'any' || name === 'all' || (name === 'where' && i === 0)) return x.greater(0)
  if (name === 'oneHot') return x.greater(0).cast('int32')
  if (/^a(sin|cos|tanh)$/.test(name)) return x.tanh()
  return /^(log|log1p|log2|log10|sqrt|rsqrt|pow|reciprocal|acosh)$/.test(name) ? x.abs().add(name === 'acosh' ? 1 : 0.5) : x
}
const graphOf = (name: OperationName): Model => {
  const inputs = samples(name).map((shape, i) => input({ shape, name: `x${i}` }))
  const given = inputs.map((x, i) => prepared(name, x, i))
  const reduces = ['prod', 'min', 'std', 'variance', 'any', 'all', 'logSumExp'].includes(name)
  const ys = operation(name, options[name] ?? (reduces ? { axis: [1] } : {})).applyAll(given)
  return model({ inputs, outputs: ys, seed: 3 })
}
const data = (m: Model): Tensor[] => m.inputs.map((x, i) => normal(key(i + 5), [4, ...(x.shape.slice(1) as number[])]))
const valuesOf = async (m: Model): Promise<number[]> => {
  const ys = m.applyAll(data(m))
  expect(ys.map(({ shape }) => shape)).toEqual(m.outputs.map(({ shape }, k) => shape.map((n, i) => n ?? (i === 0 ? 4 : ys[k].shape[i]))))
  return (await Promise.all(ys.map(async (y) => Array.from(await y.data(), Number)))).flat()
}

describe('each operation', () => {
  test.each(Object.keys(kinds) as OperationName[])('%s: its shape is that of its values, and files give it back', async (name) => {
    const m = graphOf(name)
    const values = await valuesOf(m)
    expect(values.some((value) => Number.isNaN(value))).toBe(false)
    const { layer } = m.outputs[0]
    expect((layer as Operation).getConfig()).toEqual(Operation.fromConfig(JSON.parse(JSON.stringify(layer.getConfig()))).getConfig())
    for (const copy of [
      await modelFromBytes(await modelToBytes(m, { format: 'keras' })),
      await modelFromBytes(await modelToBytes(m, { format: 'h5' })),
      modelFromJSON(modelToJSON(m)),
    ]) {
      expect(copy.layers.map(({ className }) => className)).toEqual(m.layers.map(({ className }) => className))
      expect(await valuesOf(copy)).toEqual(values)
    }
  })
})

/** Expected values: Python's math, of the float32 numbers. */
test.each<[OperationName, number[], number[], number[]]>([
  ['asinh', [-1e-4, 0, 1e-4, 2, -1e20], [-1e-4, 0, 1e-4, 1.4436355, -46.744849], [1, 1, 1, 0.4472136, 1e-20]],
  ['acosh', [1.0001220703125, 2, 1e20], [0.015624841, 1.3169579, 46.744849], [63.998047, 0.57735027, 1e-20]],
  ['exp2', [-3, 0, 1.5, 10], [0.125, 1, 2.8284271, 1024], [0.0866434, Math.LN2, 1.9605163, 709.78271]],
])('%s keeps its digits for small and large numbers, and so does its derivative', async (name, xs, values, slopes) => {
  const f = (x: Tensor): Tensor => kinds[name].run([x], {}) as Tensor
  const x = tensor(xs)
  const near = async (y: Tensor, expected: readonly number[]): Promise<void> => {
    for (const [i, value] of (await y.data()).entries())
      expect(Math.abs(value - expected[i])).toBeLessThanOrEqual(2e-6 * Math.abs(expected[i]))
  }
  await near(f(x), values)
  await near(grad((t: Tensor) => f(t).sum())(x), slopes)
})

describe('methods of symbolic tensors', () => {
  test('compute what the methods of tensors compute', async () => {
    const [a, b] = [input({ shape: [4, 3] }), input({ shape: [4, 3] })]
    const f = <X extends Tensor | SymbolicTensor>(x: X, y: X): X => {
      const [p, q] = [x as Tensor, y as Tensor]
      const centred = p.sub(p.mean({ axis: 1, keepDims: true })).div(q.square().add(1).sqrt())
      const mixed = centred
        .maximum(0.25)
        .matMul(q.transpose([0, 2, 1]))
        .tanh()
        .at(':', '1:3')
        .softmax({ axis: 1 })
      return mixed.reshape([-1, 8]).pow(2).clip(0, 0.5).expandDims(1).squeeze([1]).neg() as unknown as X
    }
    const net = model({ inputs: [a, b], outputs: f(a, b) })
    const [x, y] = data(net)
    expect(net.output.shape).toEqual([null, 8])
    expect(await net.apply([x, y]).array()).toEqual(await f(x, y).array())
  })

  test('constants may be nested arrays, on either side by operation', async () => {
    const x = input({ shape: [3] })
    const y = operation('sub', { constants: { 0: [1, 2, 3] } }).apply(x.mul([2, 2, 0.5]))
    const net = model({ inputs: x, outputs: operation('where', { constants: { 2: 0 } }).apply([y.greater(0), y]) })
    expect(await net.apply(tensor([[1, -1, 4]])).array()).toEqual([[0, 4, 1]])
  })

  test('batches of one keep their axis', async () => {
    const x = input({ shape: [1, 3] })
    const net = model({ inputs: x, outputs: x.squeeze(1) })
    expect(net.apply(tensor([[[1, 2, 3]]])).shape).toEqual([1, 3])
  })

  test('dtypes in files are those of the values', async () => {
    const x = input({ shape: [3] })
    const casts: DType[] = ['int32', 'bool']
    const net = model({
      inputs: x,
      outputs: [x.greater(0).logicalNot().cast('float32'), ...casts.map((dtype) => x.cast(dtype).cast('float32'))],
    })
    const text = JSON.stringify(jsonOfZip(await modelToBytes(net, { format: 'keras' })))
    expect(
      [...text.matchAll(/"dtype":"(\w+)","keras_history":\["(\w+?)_?\d*"/g)].map(([, dtype, name]) => `${name} ${dtype}`).sort(),
    ).toEqual(['cast bool', 'cast int32', 'greater bool', 'input float32', 'input float32', 'input float32', 'logical_not bool'])
  })
})

describe('as layers', () => {
  test('train with what is around them; a softmax at the end gives its logits to the loss', async () => {
    const x = input({ shape: [4] })
    const hidden = dense(8).apply(x)
    const net = model({
      inputs: x,
      outputs: dense(3)
        .apply(hidden.mul(hidden.sigmoid()).add(x.mean({ axis: -1, keepDims: true })))
        .softmax(),
      seed: 2,
    })
    expect(net.finalActivations).toEqual(['softmax'])
    net.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy' })
    const { history } = await net.fit(
      normal(key(1), [30, 4]),
      Array.from({ length: 30 }, (_, i) => i % 3),
      { epochs: 5, verbose: 0 },
    )
    expect(history.loss[4]).toBeLessThan(history.loss[0])
  })

  test('have rows in the summary, and names as Keras makes them', () => {
    const x = input({ shape: [4], name: 'x' })
    const net = model({ inputs: x, outputs: x.mul(2).div(x).reshape([-1, 2, 2]) })
    expect(net.layers.map(({ name, className }) => [name, className])).toEqual([
      ['x', 'InputLayer'],
      ['multiply_1', 'Multiply'],
      ['true_divide_1', 'TrueDivide'],
      ['reshape_1', 'Reshape'],
    ])
    expect(net.summaryLines().join('\n')).toContain('true_divide_1 (TrueDivide)')
  })

  test('stand in a Sequential, too', async () => {
    const stack = new Sequential([dense(3, { inputShape: [2] }), operation('mul', { constants: { 1: 3 } }), operation('square')], {
      seed: 1,
    })
    expect(await modelFromJSON(modelToJSON(stack)).layers.map(({ className }) => className)).toEqual(['Dense', 'Multiply', 'Square'])
    const copy = await modelFromBytes(await modelToBytes(stack, { format: 'keras' }))
    expect(await copy.apply(tensor([[1, 2]])).array()).toEqual(await stack.apply(tensor([[1, 2]])).array())
  })

  test('share nothing with the merge layers of the same class', async () => {
    const x = input({ shape: [2] })
    const net = model({ inputs: x, outputs: x.add(1).add(x) })
    const object = jsonOfZip(await modelToBytes(net, { format: 'keras' })) as unknown as { config: { layers: Json[] } }
    expect(object.config.layers.map(({ module }) => module)).toEqual(['keras.layers', 'keras.src.ops.numpy', 'keras.src.ops.numpy'])
  })
})

describe('errors', () => {
  const x = input({ shape: [4, 3], name: 'x' })
  test.each([
    [() => x.add(input({ shape: [5] })), /\[\?, 4, 3\] and \[\?, 5\] do not fit: 3 and 5 differ.*layer "add_\d+" \(Add\)/s],
    [() => x.mean({ axis: 3 }), /axis 3 is none of \[\?, 4, 3\]/],
    [() => x.mean({ axes: 1 } as never), /mean|Mean.*axes/i],
    [() => x.mean(1 as never), /mean: expected options with axis, keepDims, such as \{ axis: 1 \}, got 1/],
    [() => x.reshape([2, 5]), /\[\?, 4, 3\] has 12·\? elements, which do not fill \[2, 5\]/],
    [() => x.reshape([-1, 12]).at(':', 12), /position 12 is out of range in \[\?, 12\]/],
    [() => x.add(tensor([1]) as never), /add: a tensor of values is no part of a graph/],
    [() => x.add(undefined as never), /add: takes a symbolic tensor/],
    [() => x.add('a' as never), /constants are numbers or nested arrays of them/],
    [() => x.matMul(x), /\[\?, 4, 3\] and \[\?, 4, 3\] do not fit: 3 and 4 differ/],
    [() => x.transpose([0, 1]), /must name each axis of \[\?, 4, 3\] once/],
    [() => x.squeeze(1), /axis 1 of \[\?, 4, 3\] has not size 1/],
    [() => operation('concat', { axis: 1 }).apply([x, x.at(':', 0)]), /do not fit/],
    [() => operation('where').apply([x, x]), /takes 3 operands, got 2 inputs/],
    [() => operation('where').apply(x), /takes 3 operands, got 1 inputs/],
    [() => operation('nonsense' as never), /There is no operation "nonsense"/],
    [() => operation('mean', { keep_dims: true } as never), /keepDims/],
    [() => operation('einsum', { equation: 'bi->b' }).apply(x), /"bi" does not fit/],
    [() => operation('einsum').apply(x), /Einsum: equation/],
  ])('%s', (make, message) => {
    expect(make).toThrow(message as RegExp)
  })
})
