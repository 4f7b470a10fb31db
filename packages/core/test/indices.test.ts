/** Whole numbers that name positions: plain lists, and tensors of any dtype that holds whole numbers, do the same in every op that takes them. */
import { describe, expect, test } from 'vitest'
import * as c from '../src/index.js'

type Tensor = c.Tensor
const { tensor } = c
const x = (): Tensor =>
  tensor([
    [1, 2],
    [3, 4],
    [5, 6],
  ])
const column = (): Tensor => tensor([1, 3, 5])

/** The same numbers in each form. */
const forms = (list: number[]): Record<string, () => c.Indices> => ({
  int32: () => tensor(list, { dtype: 'int32' }),
  uint8: () => tensor(Uint8Array.from(list)),
  float32: () => tensor(list),
  list: () => list,
})

const tuples = (i: c.Indices): c.Indices => (i instanceof c.Tensor ? i.reshape([-1, 1]) : i.map((n) => [n as number]))
const calls: Record<string, (i: c.Indices) => Tensor> = {
  gather: (i) => c.gather(x(), i),
  'x.gather': (i) => x().transpose().gather(i, { axis: 1 }),
  scatterAdd: (i) => c.scatterAdd(x(), i, 3),
  at: (i) => x().at(i as Tensor),
  updateAt: (i) =>
    x().updateAt(
      [i as Tensor],
      tensor([
        [7, 8],
        [9, 0],
        [1, 2],
      ]),
    ),
  takeAlongAxis: (i) => c.takeAlongAxis(column(), i),
  scatterAlongAxis: (i) => c.scatterAlongAxis(column(), i, 3),
  gatherNd: (i) => c.gatherNd(x(), tuples(i)),
  scatterNd: (i) => c.scatterNd(tuples(i), x(), [3, 2]),
  scatterUpdate: (i) => c.scatterUpdate(x(), tuples(i), x()),
  segmentSum: (i) => c.segmentSum(x(), i, { numSegments: 3 }),
  segmentMean: (i) => c.segmentMean(x(), i, { numSegments: 3 }),
  segmentMax: (i) => c.segmentMax(x(), i, { numSegments: 3 }),
  oneHot: (i) => c.oneHot(i, 3),
  binCount: (i) => c.binCount(i, 3),
  softmaxCrossEntropy: (i) =>
    c.softmaxCrossEntropy(
      tensor([
        [1, 2, 3],
        [4, 4, 5],
        [6, 1, 2],
      ]),
      i,
    ),
}

describe.each(Object.entries(calls))('%s', (name, call) => {
  test('takes lists, arange and other tensors of whole numbers', async () => {
    const [first, ...others] = await Promise.all(Object.values(forms([0, 2, 1])).map((make) => call(make()).array()))
    for (const other of others) expect(other).toEqual(first)
    expect(await call(c.arange(3)).array()).toEqual(await call([0, 1, 2]).array())
  })
  test('refuses fractions and typed arrays by its name', () => {
    expect(() => call(tensor([0, 0.5, 1]))).toThrow(new RegExp(`^${name.replace('x.', '')}: .*whole numbers`))
    expect(() => call([0, 0.5, 1])).toThrow(new RegExp(`^${name.replace('x.', '')}: .*whole number`))
  })
})

describe('negative indices', () => {
  test('at, updateAt, takeAlongAxis and the tuples count from the end', async () => {
    expect(await x().at([-1, 0]).array()).toEqual([
      [5, 6],
      [1, 2],
    ])
    expect(await c.takeAlongAxis(column(), [-1, 0]).array()).toEqual([5, 1])
    expect(await c.gatherNd(x(), [[-1, 0]]).array()).toEqual([5])
  })
  test('gather names the call that takes them', () => {
    expect(() => c.gather(x(), [0, -1])).toThrow(
      /index -1 at position 1 is out of range: there are 3 rows \(0 to 2\)[\s\S]*gather counts from 0\. Negative indices count from the end in x\.at\(indices\)\./,
    )
    expect(() => x().gather([-1], { axis: 1 })).toThrow("Negative indices count from the end in x.at(':', indices).")
    expect(() => c.gather(x(), [3])).toThrow(/^(?![\s\S]*Negative)/)
  })
  test('at names itself', () => {
    expect(() => x().at([0, 3])).toThrow('at: index 3 at position 1 is out of range: axis 0 has 3 elements (-3 to 2)')
    expect(() => x().updateAt([[0, 3]], 0)).toThrow('updateAt: index 3 at position 1')
  })
})

test('class numbers as lists: one-hot rows, out of range, batches', async () => {
  const logits = tensor([
    [
      [1, 2, 3],
      [4, 4, 5],
    ],
  ])
  const byNumber = await c.softmaxCrossEntropy(logits, [[2, 0]]).array()
  expect(byNumber).toEqual(await c.softmaxCrossEntropy(logits, c.oneHot([[2, 0]], 3)).array())
  expect(byNumber).toEqual(
    await c
      .softmaxCrossEntropy(logits, [
        [
          [0, 0, 1],
          [1, 0, 0],
        ],
      ])
      .array(),
  )
  expect(() => c.softmaxCrossEntropy(logits, [[2, 3]])).toThrow('element 1 of the labels is 3, but there are 3 classes (from 0).')
  expect(() => c.softmaxCrossEntropy(logits, [2, 0])).toThrow('logits and labels have different shapes')
})

test.each([
  ['segmentSum', () => c.segmentSum(c.tensor([1, 2]), [0, 4], { numSegments: 2 })],
  ['segmentMean', () => c.segmentMean(c.tensor([1, 2]), [0, 4], { numSegments: 2 })],
  ['binCount', () => c.binCount([0, 4], 2)],
] as const)('%s names itself first where an index is out of range', (op, call) => {
  expect(call).toThrow(new RegExp(`^${op}: index 4 at position 1 is out of range: there are 2 rows \\(0 to 1\\)\\.$`))
})
