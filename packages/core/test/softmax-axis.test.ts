/** `axis` of softmax and its kin, and class numbers as labels. */
import { describe, expect, test } from 'vitest'
import { logSoftmax, logSumExp, oneHot, softmax, softmaxCrossEntropy, type Tensor, tensor, transpose, ValueError } from '../src/index.js'
import { make, near, valuesOf } from './helpers.js'

const x = () =>
  make(
    Array.from({ length: 24 }, (_, i) => Math.sin(3 * i)),
    [2, 3, 4],
  )

describe('axis', () => {
  test.each([
    ['softmax', softmax],
    ['logSoftmax', logSoftmax],
  ] as const)('%s over the middle axis is that of rows', (_, f) => {
    const rows = f(transpose(x(), [0, 2, 1]))
    expect(valuesOf(f(x(), { axis: 1 }))).toEqual(valuesOf(transpose(rows, [0, 2, 1])))
    expect(valuesOf(x()[f.name as 'softmax']({ axis: -2 }))).toEqual(valuesOf(f(x(), { axis: 1 })))
  })
  test('map passes no axis', () => {
    expect([tensor([0, 0])].map(softmax as (x: Tensor) => Tensor).map(valuesOf)).toEqual([[0.5, 0.5]])
  })
  test('logSumExp over several axes is ln of their sum', () => {
    for (const axis of [0, 1, [0, 2], [0, 1, 2]]) {
      for (const keepDims of [false, true]) {
        const [got, want] = [logSumExp(x(), { axis, keepDims }), x().exp().sum({ axis, keepDims }).log()]
        expect(got.shape).toEqual(want.shape)
        expect(near(valuesOf(got), valuesOf(want))).toBe(true)
      }
    }
  })
})

describe('class numbers', () => {
  test('are one-hot rows', () => {
    const numbers = make([0, 3, 1, 2, 3, 0], [2, 3], 'int32')
    expect(valuesOf(softmaxCrossEntropy(x(), numbers))).toEqual(valuesOf(softmaxCrossEntropy(x(), oneHot(numbers, 4, 'float64'))))
  })
  test('must be those of a class, and whole numbers', () => {
    const logits = tensor([[1, 2, 3]])
    expect(() => softmaxCrossEntropy(logits, tensor([3], { dtype: 'int32' }))).toThrow(ValueError)
    expect(() => softmaxCrossEntropy(logits, tensor([0.5]))).toThrow('labels are whole numbers, but element 0 of [1] is 0.5')
  })
})
