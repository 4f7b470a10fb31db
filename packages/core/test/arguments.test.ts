/** Wrong arguments that people really write: each error shows the right call. (junk.test.ts checks that wrong arguments are refused at all.) */
import { describe, expect, test } from 'vitest'
import type { Tensor } from '../src/index.js'
import * as c from '../src/index.js'
import { valuesOf } from './helpers.js'

/** The exports without types, as plain JavaScript sees them. */
const js = c as unknown as Record<string, (...args: unknown[]) => unknown>
const x = c
  .tensor([
    [1, 2],
    [3, 4],
  ])
  .keep()
const method = (name: string, ...args: unknown[]): unknown => (x as unknown as Record<string, (...a: unknown[]) => unknown>)[name](...args)

describe('the right call is shown', () => {
  test.each<[string, () => unknown, string]>([
    ['an axis in place of options', () => method('sum', 1), 'sum: expected an object of options, got 1. Write x.sum({ axis: 1 }).'],
    ['axes one by one', () => method('transpose', 0, 1), 'transpose: takes one argument, got 0, 1. Write x.transpose([0, 1]).'],
    ['sizes one by one', () => method('reshape', 4, 1), 'Write x.reshape([4, 1]).'],
    ['an axis for softmax', () => js.softmax(x, 0), 'softmax: expected an object of options, got 0. Write softmax(x, { axis: 0 }).'],
    ['a shape in place of options', () => js.tensor([1, 2], [2, 1]), 'Write tensor(values, { shape: [2, 3] }).'],
    ['a third operand', () => js.add(x, x, x), 'add: takes two operands'],
    ['a size for a shape', () => js.zeros(3), 'zeros: a shape is an array of whole numbers, got 3. Write [3].'],
    ['parts one by one', () => js.concat(x, x), 'concat: parts must be an array of tensors, got a tensor of float32 [2, 2].'],
    [
      'numbers for a matrix',
      () => js.matMul(x, [[1]]),
      'matMul: b must be a tensor, got an array of 1. Make one of numbers with tensor(…).',
    ],
    [
      'one number for a window',
      () => js.maxPool2d(c.ones([1, 2, 2, 1]), 2),
      'maxPool2d: poolSize must be two whole numbers, at least 1, got 2. Write [2, 2].',
    ],
    ['a seed for a key', () => js.normal(7, [2]), 'normal: expected a random key, got 7. Make one of a seed: key(7).'],
    ['a name for a backend', () => js.withBackend('reference', () => 1), "Get one first: await getBackend('reference')."],
    ['one parameter for a list', () => js.valueAndGrad(x, () => x), 'Put it into one: [parameters].'],
    ['no parameters', () => c.valueAndGrad([], () => x.sum()), 'A model has weights once it is built'],
    ['a dtype of others', () => js.zeros([2], { dtype: 'float16' }), 'zeros: there is no dtype "float16". Did you mean "float32"?'],
    ['a wide integer', () => js.tensor([2], { dtype: 'int64' }), 'tensor: there is no dtype "int64". Did you mean "int32"?'],
    ['a name of Object.prototype', () => js.tensor([2], { dtype: 'constructor' }), 'tensor: there is no dtype "constructor"'],
    ['a misspelt option', () => js.sum(x, { keepdims: true }), 'sum: there is no option "keepdims". Did you mean "keepDims"?'],
    [
      'a gate of another name',
      () => js.lstmSequence(c.ones([1, 1, 1]), c.ones([1, 4]), c.ones([1, 4]), undefined, { recurrentActivation: 'hard_sigmoid' }),
      "Did you mean 'hardSigmoid'?",
    ],
    [
      'text among numbers',
      () =>
        js.tensor([
          [1, 2],
          [3, '4'],
        ]),
      'tensor: values[1][1] is text "4", expected a number.',
    ],
    ['integers of 64 bits', () => js.tensor(BigInt64Array.of(1n, 2n)), 'Convert them first: Int32Array.from(values, Number).'],
    [
      'a number in a program',
      () => c.updateProgram('wrong', { slots: 1, inputs: 0, scalars: 0 }, ([w]) => [w.mul(0.5 as never)]),
      'count it in `scalars`',
    ],
  ])('%s', (_, call, message) => {
    expect(call).toThrow(message)
    expect(call).toThrow(c.CotangentError)
  })
  test('an array that holds itself', () => {
    const values: unknown[] = []
    values[0] = values
    expect(() => js.tensor(values)).toThrow('tensor: values are nested more than 64 deep')
  })
  test('what arrays add when they call an op is fine', () => {
    expect([x, x].map(c.relu).map((y) => valuesOf(y))).toEqual([
      [1, 2, 3, 4],
      [1, 2, 3, 4],
    ])
    expect(valuesOf([x, x, x].reduce(c.add as (a: Tensor, b: Tensor) => Tensor))).toEqual([3, 6, 9, 12])
  })
})

describe('the engine survives a size that is no number', () => {
  test('layerNorm of a scalar', async () => {
    expect(() => c.layerNorm(c.scalar(2))).toThrow('layerNorm: a scalar has no last axis')
    expect(Number.isSafeInteger(c.memory().bytes)).toBe(true)
    expect([...(await c.ones([3]).add(1).data())]).toEqual([2, 2, 2])
  })
  test('a shape rule that gives NaN', () => {
    const call = c.defineOp({
      name: 'test-bad-shape',
      rule: '',
      shape: ([a]) => ({ shape: [a.shape[7]], dtype: a.dtype }),
      forward: () => {},
      vjp: 'a test',
      samples: [],
    })
    expect(() => call([x], {})).toThrow(/a shape holds whole numbers, at least 0, got \[undefined\].*\n.*in op test-bad-shape/)
    c.registry.delete('test-bad-shape')
  })
})

describe('indices', () => {
  const rows = c.tensor([[10], [20], [30]]).keep()
  test('lists, whole floats and bytes pick rows', () => {
    expect(valuesOf(rows.gather([2, 0]))).toEqual([30, 10])
    expect(valuesOf(rows.gather(c.arange(3)))).toEqual([10, 20, 30])
    expect(valuesOf(rows.gather(c.tensor([1, 2], { dtype: 'uint8' })))).toEqual([20, 30])
    expect(valuesOf(c.scatterAdd(rows, c.tensor([1, 1, 0]), 2))).toEqual([30, 30])
  })
  test('NaN and fractions are named', () => {
    expect(() => rows.gather(c.tensor([0, Number.NaN]))).toThrow('gather: indices are whole numbers, but element 1 of [2] is NaN.')
    expect(() => rows.gather([0.5])).toThrow('gather: indices must be an array of whole numbers, got [0.5].')
    expect(() => c.oneHot(c.tensor([0, 1.5]), 3)).toThrow('oneHot: indices are whole numbers, but element 1 of [2] is 1.5.')
    expect(valuesOf(c.oneHot(c.tensor([2, -1]), 3))).toEqual([0, 0, 1, 0, 0, 0])
  })
})

describe('gradients', () => {
  test('a function of any number of tensors gives a list, even for one', () => {
    const f = (...ws: Tensor[]): Tensor => ws.map((w) => w.square().sum()).reduce((a, b) => a.add(b))
    const one = c.grad(f)(x)
    expect(one.map(valuesOf)).toEqual([[2, 4, 6, 8]])
    expect(valuesOf(c.grad((w) => w.square().sum())(x))).toEqual([2, 4, 6, 8])
  })
  test('a value from before the last call says the rule', async () => {
    const w = new c.Parameter(c.tensor([3]))
    const first = c.valueAndGrad([w], () => w.square().sum())
    const second = c.valueAndGrad([w], () => w.square().sum())
    await expect(first.value.item()).rejects.toThrow(
      /lives until the next call with the same first parameter: read it before .* or keep\(\) it/,
    )
    expect(await second.value.item()).toBe(9)
  })
})

describe('an op called through the registry', () => {
  const call = (name: string, ...xs: Tensor[]): Tensor => c.registry.get(name)?.call(xs, {}) as Tensor
  const one = c.ones([2, 3, 4])
  test.each<[string, () => Tensor, string]>([
    ['affine on a batch of matrices', () => call('affine', one, c.ones([4, 2]), c.ones([2])), 'affine: x·W + b needs x [.., k]'],
    ['gather from more than a matrix', () => call('gather', one, c.tensor([0], { dtype: 'int32' })), 'gather: x must be a matrix'],
    ['a cotangent of another shape', () => call('geluGradient', one, c.ones([4])), 'geluGradient: x and dY must have one shape'],
  ])('%s is refused: its kernel would read beyond its inputs', (_, run, message) => {
    expect(run).toThrow(message)
  })
})
