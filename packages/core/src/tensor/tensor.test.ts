/**
 * Tensors as a user meets them: making, reading, printing, dtypes, chaining, and the messages of shape errors. The file is longer than 300 lines because it has one
 * case for each message.
 */
import { describe, expect, test, vi } from 'vitest'
import { make, reference, valuesOf, wasm } from '../../test/helpers.js'
import { numpyPrints } from '../../test/numpy-prints.js'
import * as c from '../index.js'
import { formatTensor } from './format.js'

type Tensor = c.Tensor
type DType = c.DType
const { tensor } = c

describe('tensor()', () => {
  const kind = (t: Tensor): [DType, readonly number[]] => [t.dtype, t.shape]
  test('takes numbers, nested arrays, booleans and typed arrays', () => {
    expect(kind(tensor(5))).toEqual(['float32', []])
    expect(kind(tensor([1, 2]))).toEqual(['float32', [2]])
    expect(kind(tensor([[[1], [2]]]))).toEqual(['float32', [1, 2, 1]])
    expect(kind(tensor([true, false]))).toEqual(['bool', [2]])
    expect(kind(tensor([true, 2]))).toEqual(['float32', [2]])
    expect(kind(tensor(true))).toEqual(['bool', []])
    expect(kind(tensor([]))).toEqual(['float32', [0]])
    expect(kind(tensor([[], []]))).toEqual(['float32', [2, 0]])
    expect(kind(tensor(new Int32Array(3)))).toEqual(['int32', [3]])
    expect(kind(tensor(new Uint8Array(4), { shape: [2, 2] }))).toEqual(['uint8', [2, 2]])
    expect(kind(tensor(new Float64Array(2)))).toEqual(['float32', [2]])
    expect(kind(tensor([1, 2, 3, 4], { shape: [2, 2], dtype: 'int32' }))).toEqual(['int32', [2, 2]])
  })
  test('copies: changing the array later changes nothing', () => {
    const source = new Float32Array([1, 2])
    const t = tensor(source)
    source[0] = 9
    expect(valuesOf(t)).toEqual([1, 2])
  })
  test('NaN and infinity are values like others', () => {
    expect(valuesOf(tensor([NaN, Infinity, -Infinity]))).toEqual([NaN, Infinity, -Infinity])
  })
  test('converts as cast does: truncates, saturates, NaN to 0', () => {
    for (const backend of [reference, wasm]) {
      const x = [1.9, -1.9, 300, -5, NaN, 0.5, 0]
      expect(valuesOf(tensor(x, { dtype: 'uint8', backend }))).toEqual([1, 0, 255, 0, 0, 0, 0])
      expect(valuesOf(tensor(x, { dtype: 'int32', backend })).map((v) => v + 0)).toEqual([1, -1, 300, -5, 0, 0, 0])
      expect(valuesOf(tensor(x, { dtype: 'bool', backend }))).toEqual([1, 1, 1, 1, 1, 1, 0])
      expect(valuesOf(tensor(x, { backend }).cast('uint8'))).toEqual([1, 0, 255, 0, 0, 0, 0])
      expect(valuesOf(tensor(x, { backend }).cast('int32')).map((v) => v + 0)).toEqual([1, -1, 300, -5, 0, 0, 0])
      expect(valuesOf(tensor([3e9, -3e9], { backend }).cast('int32'))).toEqual([2 ** 31 - 1, -(2 ** 31)])
    }
  })
  test.each([
    [[[1, 2], [3]], /nested arrays must be regular: values\[1\] has 1 items where 2 was expected/],
    [[[1, 2], 3], /values\[1\] is 3, expected an array of 2/],
    [[1, [2]], /values\[1\] has 1 items where a number was expected/],
    [[[[1]], [[2, 3]]], /values\[1\]\[0\] has 2 items where 1 was expected/],
    [[1, 'a'], /values\[1\] is text "a", expected a number/],
    [[1, null], /values\[1\] is null, expected a number/],
    [undefined, /values is undefined, expected a number/],
  ])('refuses %j', (values, message) => {
    expect(() => tensor(values as never)).toThrow(c.ValueError)
    expect(() => tensor(values as never)).toThrow(message)
  })
  test('values that do not fill the shape, and wrong shapes, are errors', () => {
    expect(() => tensor([1, 2, 3], { shape: [2, 2] })).toThrow(/tensor: 3 values do not fill \[2, 2\], which has 4 elements/)
    expect(() => tensor([1], { shape: [-1] })).toThrow(/a shape holds whole numbers, at least 0, got \[-1\]/)
    expect(() => c.zeros([1.5])).toThrow(c.ValueError)
    expect(() => c.broadcastTo(tensor([1]), [-1])).toThrow(c.ValueError)
  })
})

describe('making tensors', () => {
  test('full, zeros, ones, scalar and the …Like', () => {
    expect(valuesOf(c.full([2], 7))).toEqual([7, 7])
    const x = make([1, 2, 3], [3, 1])
    for (const [like, v] of [
      [c.zerosLike(x), 0],
      [c.onesLike(x), 1],
    ] as const) {
      expect([like.shape, like.dtype, like.backend, valuesOf(like)]).toEqual([[3, 1], 'float64', reference, [v, v, v]])
    }
    expect(c.scalar(3).shape).toEqual([])
  })
  test('arange, linspace, eye', () => {
    expect(valuesOf(c.arange(3))).toEqual([0, 1, 2])
    expect(valuesOf(c.arange(5, 0, -2))).toEqual([5, 3, 1])
    expect(valuesOf(c.arange(2, 2))).toEqual([])
    expect(c.arange(3, undefined, 1, { dtype: 'int32' }).dtype).toBe('int32')
    expect(() => c.arange(0, 5, 0)).toThrow(/cannot count from 0 to 5 by 0/)
    expect(valuesOf(c.linspace(0, 1, 5))).toEqual([0, 0.25, 0.5, 0.75, 1])
    expect(valuesOf(c.linspace(3, 9, 1))).toEqual([3])
    for (const n of [7, 11, 50, 94]) {
      expect(valuesOf(c.linspace(0, 1.1, n, { dtype: 'float64', backend: reference })).at(-1)).toBe(1.1)
    }
    expect(valuesOf(c.eye(2, 3))).toEqual([1, 0, 0, 0, 1, 0])
  })
  test('oneHot: an index out of range gives zeros, a wrong depth is an error', () => {
    expect(valuesOf(tensor([1, -1, 2], { dtype: 'int32' }).oneHot(2))).toEqual([0, 1, 0, 0, 0, 0])
    expect(() => tensor([1]).oneHot(2.5)).toThrow(/depth must be a whole number/)
  })
})

describe('reading', () => {
  test('array() nests, item() takes one, data() copies', async () => {
    expect(await tensor([[1, 2], [3, 4]]).array()).toEqual([[1, 2], [3, 4]]) // biome-ignore format: one line
    expect(await tensor(4).array()).toBe(4)
    expect(await c.zeros([2, 0]).array()).toEqual([[], []])
    expect(await tensor([[7]]).item()).toBe(7)
    expect(await tensor([true, false]).array()).toEqual([1, 0])
    const x = tensor([1, 2])
    const data = await x.data()
    data[0] = 99
    expect([...(await x.data())]).toEqual([1, 2])
    expect(data).toBeInstanceOf(Float32Array)
  })
  test('item() of many says how many', async () => {
    await expect(tensor([1, 2]).item()).rejects.toThrow(/item: a tensor with one element was expected, this one has 2\n {2}x {2}\[2\]/)
  })
  test('a tensor is not a number', () => {
    const x = tensor([1]) as unknown as number
    expect(() => x + 1).toThrow(/A tensor is not a number: use ops/)
    expect(() => x < 2).toThrow(c.CotangentError)
  })
})

describe('printing', () => {
  test.each(numpyPrints.map((row) => [`${row[0]} [${row[1]}]`, row] as const))('as NumPy: %s', (_, [dtype, shape, values, text]) => {
    expect(formatTensor(dtype === 'float32' ? Float32Array.from(values) : values, shape, dtype)).toBe(text)
  })
  test('print, toString and console.log show values, shape, dtype and backend', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => {})
    await c.print(tensor([[1, 2.5]]))
    expect(log).toHaveBeenCalledWith('[[1.  2.5]]')
    log.mockRestore()
    expect(String(tensor([1, 2], { dtype: 'int32' }))).toBe('Tensor(int32 [2] on wasm)\n[1 2]')
    const { inspect } = await import('node:util')
    expect(inspect(tensor([true], { backend: reference }))).toBe('Tensor(bool [1] on reference)\n[ True]')
  })
})

describe('dtypes', () => {
  const all: DType[] = ['bool', 'uint8', 'int32', 'float32', 'float64']
  const of = (dtype: DType): Tensor => make([1, 0], [2], dtype)
  test('a mix of two gives the wider one', () => {
    const table = Object.fromEntries(all.map((a) => [a, all.map((b) => c.where(make([1, 0], [2], 'bool'), of(a), of(b)).dtype).join(' ')]))
    expect(table).toEqual({
      bool: 'bool uint8 int32 float32 float64',
      uint8: 'uint8 uint8 int32 float32 float64',
      int32: 'int32 int32 int32 float32 float64',
      float32: 'float32 float32 float32 float32 float64',
      float64: 'float64 float64 float64 float64 float64',
    })
    expect(c.add(of('bool'), of('float32')).dtype).toBe('float32')
    expect(c.less(of('uint8'), of('float64')).dtype).toBe('bool')
  })
  test('division and powers are floating, whole numbers included', () => {
    expect(c.div(of('int32'), of('int32')).dtype).toBe('float32')
    expect(valuesOf(tensor([7, 1], { dtype: 'int32' }).div(2))).toEqual([3.5, 0.5])
    expect(tensor([2], { dtype: 'int32' }).pow(2).dtype).toBe('float32')
    expect(of('int32').mean().dtype).toBe('float32')
    expect(c.matMul(make([1, 2], [1, 2], 'int32'), make([3, 4], [2, 1], 'int32')).dtype).toBe('float32')
  })
  test('a number takes the dtype of its tensor if that can hold it', () => {
    const whole = tensor([1, 2], { dtype: 'int32' })
    expect([whole.add(2).dtype, valuesOf(whole.add(2))]).toEqual(['int32', [3, 4]])
    expect([whole.add(2.5).dtype, valuesOf(whole.add(2.5))]).toEqual(['float32', [3.5, 4.5]])
    expect(whole.mul(3e9).dtype).toBe('float32')
    expect(make([1]).add(2.5).dtype).toBe('float64')
    expect([tensor([true]).add(1).dtype, valuesOf(tensor([true, false]).mul(3))]).toEqual(['int32', [3, 0]])
    expect(whole.floorDiv(2).dtype).toBe('int32')
    expect([tensor(new Uint8Array([255])).add(1).dtype, tensor(new Uint8Array([255])).div(255).dtype]).toEqual(['int32', 'float32'])
  })
  test('arithmetic on bytes is an error that says what to do', () => {
    const bytes = tensor(new Uint8Array([200, 100]))
    expect(() => bytes.add(bytes)).toThrow(c.DTypeError)
    expect(() => bytes.add(bytes)).toThrow("add: a is uint8, but only float32, float64, int32 will do. Cast it first: x.cast('float32').")
    expect(() => bytes.exp()).toThrow(/exp: x is uint8/)
    expect(valuesOf(bytes.sum())).toEqual([300])
    expect(() => tensor([true]).add(tensor([true]))).toThrow(/add: a is bool/)
    expect(() => tensor([1]).gather(tensor([true]))).toThrow(
      "gather: indices is bool, but only int32 will do. Cast it first: x.cast('int32').",
    )
    expect(() => tensor([1]).logicalNot()).toThrow(/logicalNot: x is float32, but only bool will do/)
  })
})

describe('errors show what does not fit', () => {
  const message = (f: () => unknown): string => {
    try {
      f()
    } catch (error) {
      expect(error).toBeInstanceOf(c.CotangentError)
      return `${(error as Error).name}: ${(error as Error).message}`
    }
    throw new Error('no error')
  }
  const zeros = (...shape: number[]): Tensor => c.zeros(shape)

  test('matMul: inner dimensions, marked', () => {
    expect(message(() => c.matMul(zeros(32, 784), zeros(128, 10)))).toBe(
      [
        'ShapeError: matMul: inner dimensions differ (784 vs 128)',
        '  a  [32, 784]    b  [128, 10]',
        '          ^^^         ^^^',
        '  Axis -1 of a must have as many elements as axis -2 of b.',
      ].join('\n'),
    )
  })
  test('matMul: the hint names the transposition that would fit', () => {
    expect(message(() => c.matMul(zeros(32, 784), zeros(10, 784)))).toContain('\n  If b is stored as [out, in], pass { transposeB: true }.')
    expect(message(() => c.matMul(zeros(784, 32), zeros(784, 10)))).toContain(
      '\n  If a is stored as [in, batch], pass { transposeA: true }.',
    )
    expect(message(() => c.matMul(zeros(4, 3), zeros(4, 5), { transposeB: true }))).toContain(
      '  Axis -1 of a must have as many elements as axis -1 of b.',
    )
  })
  test('matMul of batches shows the shapes as they were given', () => {
    expect(message(() => c.matMul(zeros(5, 32, 784), zeros(128, 10)))).toContain(
      '  a  [5, 32, 784]    b  [128, 10]\n             ^^^         ^^^',
    )
  })
  test('matMul: a missing batch axis', () => {
    const text = message(() => c.matMul(zeros(784), zeros(784, 10)))
    expect(text).toContain('both operands need at least 2 axes, a has 1')
    expect(text).toContain('For one sample add a batch axis: a.expandDims(0).')
    expect(message(() => c.matMul(zeros(3, 4), zeros(4)))).toContain('For a vector add an axis: b.expandDims(1).')
  })
  test('matMul with an inner size of 0 is zeros, for batches too', () => {
    expect(valuesOf(c.matMul(zeros(2, 3, 0), zeros(0, 2)))).toEqual(new Array(12).fill(0))
    expect(c.matMul(zeros(0, 3, 4), zeros(4, 2)).shape).toEqual([0, 3, 2])
  })
  test('broadcasting', () => {
    expect(message(() => zeros(2, 3).add(zeros(4, 1)))).toBe(
      [
        'ShapeError: add: shapes do not broadcast (2 vs 4)',
        '  a  [2, 3]    b  [4, 1]',
        '      ^            ^',
        '  Sizes are compared from the right; each pair must be equal or one of them 1. Reshape or expandDims one of the two.',
      ].join('\n'),
    )
    expect(message(() => c.broadcastTo(zeros(2), [3, 5]))).toContain('  x  [2]    to  [3, 5]\n      ^             ^')
  })
  test('reshape', () => {
    expect(message(() => zeros(2, 3).reshape([4]))).toContain('reshape: 6 elements do not fill [4], which has 4')
    expect(message(() => zeros(2, 3).reshape([4, -1]))).toContain('reshape: 6 elements do not divide into [4, -1]')
    expect(message(() => zeros(2, 3).reshape([-1, -1]))).toContain('only one axis may be -1')
    expect(message(() => zeros(2, 3).squeeze(1))).toContain('squeeze: axis 1 has size 3, not 1\n  x  [2, 3]\n         ^')
  })
  test('slice, pad, split, concat, transpose, tile', () => {
    expect(message(() => zeros(2, 3).slice([0, 2], [1, 2]))).toContain(
      'slice: axis 1 has 3 elements, asked for 2 from 2\n  x  [2, 3]\n         ^',
    )
    expect(message(() => zeros(2).slice([0, 0]))).toContain('x has 1 axes, 2 were given')
    expect(message(() => zeros(2).pad([]))).toContain(
      'one pair [before, after] of whole numbers, at least 0, is needed for each of the 1 axes',
    )
    expect(message(() => zeros(7).split(2))).toContain('axis 0 has 7 elements, which do not split into 2 equal parts')
    expect(message(() => c.concat([zeros(2, 3), zeros(2, 4)]))).toContain(
      'concat: sizes differ on axis 1, and only axis 0 may differ\n  first  [2, 3]    other  [2, 4]\n             ^                ^',
    )
    expect(message(() => c.concat([]))).toContain('at least one tensor is needed')
    expect(message(() => c.concat([zeros(1), make([1])]))).toContain('dtypes differ (float32 and float64)')
    expect(message(() => zeros(2, 3).transpose([0, 0]))).toContain('axes must name each of the 2 axes once, got [0, 0]')
    expect(message(() => zeros(2, 3).tile([2]))).toContain('one count for each of the 2 axes is needed')
  })
  test('axes', () => {
    expect(message(() => zeros(2, 3).sum({ axis: 2 }))).toContain('sum: axis 2 is out of range (rank 2: axes run from -2 to 1)')
    expect(message(() => zeros().sum({ axis: 0 }))).toContain('a scalar has no axes')
    expect(message(() => zeros(2, 3).sum({ axis: [0, -2] }))).toContain('axes [0, -2] name one axis twice')
    expect(message(() => zeros(0, 3).max({ axis: 0 }))).toContain('max: there is no value over an axis of size 0')
  })
  test('windows', () => {
    expect(message(() => c.conv2d(zeros(1, 3, 28, 28), zeros(3, 3, 3, 8)))).toContain('conv2d: channels differ (28 vs 3)')
    expect(message(() => c.conv2d(zeros(28, 28, 1), zeros(3, 3, 1, 8)))).toContain('both x and the filter need 4 axes')
    expect(message(() => c.maxPool2d(zeros(1, 1, 5, 5), [2, 2]))).toContain(
      "Use a smaller window or padding 'same', or check that the channel axis is the last one.",
    )
    expect(message(() => c.maxPool2d(zeros(1, 4, 4, 1), [2, 2], { padding: 'SAME' as 'same' }))).toContain(
      `padding must be 'valid', 'same' or 'causal', got text "SAME". Did you mean 'same'?`,
    )
    expect(message(() => c.conv2d(zeros(1, 4, 4, 1), zeros(2, 2, 1, 1), { strides: [0, 1] }))).toContain(
      'strides must be two whole numbers, at least 1, got [0, 1]',
    )
    expect(message(() => c.fold(zeros(1, 2, 2, 2, 2, 1), [9, 9]))).toContain('fold: size [9, 9] has 8 × 8 window positions')
    expect(message(() => c.scatterAdd(zeros(3, 2), c.zeros([2], { dtype: 'int32' }), 4))).toContain(
      'the first axes of x must be those of the indices',
    )
  })
  test('class numbers where one-hot rows belong', () => {
    expect(message(() => c.softmaxCrossEntropy(zeros(4, 10), zeros(5)))).toContain(
      'Labels have the shape of the logits, or are class numbers, one for each row.',
    )
  })
  test('an argument that is not a tensor', () => {
    expect(message(() => c.square(3 as unknown as Tensor))).toBe(
      'ValueError: square: x must be a tensor, got 3. Make one of numbers with tensor(…).',
    )
    expect(message(() => c.add([1] as unknown as Tensor, zeros(1)))).toContain(
      'add: an operand must be a tensor or a number, got an array of 1',
    )
    expect(message(() => c.add(1, 2 as unknown as Tensor))).toContain('at least one operand must be a tensor')
    expect(message(() => c.clip(zeros(1), 2, 1))).toContain('min 2 must not be above max 1')
  })
  test('context is added once, to the message and to the stack that an uncaught error prints', () => {
    let error: Error | undefined
    try {
      zeros(2).add(zeros(3))
    } catch (e) {
      error = c.addContext(c.addContext(e, 'in layer "dense_2" (Dense, units 10)'), 'in layer "dense_2" (Dense, units 10)') as Error
    }
    expect(error?.message.split('in layer "dense_2"')).toHaveLength(2)
    expect(error?.stack).toContain('in layer "dense_2" (Dense, units 10)')
  })
})

describe('chaining', () => {
  test('every method is there and calls the op of its name', () => {
    const x = make([0.25, 0.5])
    const methods = Object.getOwnPropertyNames(c.Tensor.prototype).filter((name) => name in c && name !== 'constructor')
    expect(methods.length).toBeGreaterThan(60)
    for (const name of ['neg', 'tanh', 'relu', 'softmax', 'sum', 'max', 'flatten'] as const) {
      const op = (c as unknown as Record<string, (t: Tensor) => Tensor>)[name]
      expect(valuesOf(x[name]())).toEqual(valuesOf(op(x)))
    }
  })
})
