/** `at` and `updateAt` against Python's slices written out as loops, and against values of NumPy. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { arange, grad, reshape, ShapeError, tensor, updateAt, ValueError } from '../src/index.js'
import { holds } from './arbitraries.js'
import { make, valuesOf } from './helpers.js'

const x = () => reshape(arange(24), [2, 3, 4])

/** The positions that Python's slice takes of n, by counting. */
function sliced(n: number, begin: number | undefined, end: number | undefined, step: number): number[] {
  const positions: number[] = []
  const clamp = (i: number): number => Math.min(step > 0 ? n : n - 1, Math.max(step > 0 ? 0 : -1, i < 0 ? i + n : i))
  const from = begin === undefined ? (step > 0 ? 0 : n - 1) : clamp(begin)
  const to = end === undefined ? (step > 0 ? n : -1) : clamp(end)
  for (let i = from; step > 0 ? i < to : i > to; i += step) positions.push(i)
  return positions
}

test('slices are Python slices, and updateAt writes where at reads', () => {
  const bound = fc.option(fc.integer({ min: -9, max: 9 }), { nil: undefined })
  const step = fc.integer({ min: -4, max: 4 }).filter((s) => s !== 0)
  fc.assert(
    fc.property(fc.nat({ max: 7 }), bound, bound, step, (n, begin, end, by) =>
      holds(() => {
        const values = Array.from({ length: n }, (_, i) => i + 1)
        const index = `${begin ?? ''}:${end ?? ''}:${by}`
        const want = sliced(n, begin, end, by)
        const written = values.map((v, i) => (want.includes(i) ? 0 : v))
        return (
          valuesOf(make(values).at(index)).join() === want.map((i) => values[i]).join() &&
          valuesOf(make(values).updateAt([index], 0)).join() === written.join()
        )
      }),
    ),
    { numRuns: 300 },
  )
})

describe('at', () => {
  test.each([
    ['a number takes the axis away', [1], [3, 4], [12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23]],
    ['a negative one counts from the end', [-1, -1, -1], [], [23]],
    ['the ellipsis', ['...', 0], [2, 3], [0, 4, 8, 12, 16, 20]],
    ['a new axis', [0, null, 1], [1, 4], [4, 5, 6, 7]],
    ['steps', ['::-1', 1, '1::2'], [2, 2], [17, 19, 5, 7]],
    ['a list', [':', [2, 0], 0], [2, 2], [8, 0, 20, 12]],
    [
      'a nested list',
      [
        0,
        0,
        [
          [3, -1],
          [0, 1],
        ],
      ],
      [2, 2],
      [3, 3, 0, 1],
    ],
    ['lists in pairs', [[0, 1], [2, 0], ':2'], [2, 2], [8, 9, 12, 13]],
    ['lists apart come first', [[0, 1], ':', [0, 3]], [2, 3], [0, 4, 8, 15, 19, 23]],
    ['nothing', [], [2, 3, 4], Array.from({ length: 24 }, (_, i) => i)],
    ['an empty slice', ['5:'], [0, 3, 4], []],
  ] as const)('%s', (_, index, shape, values) => {
    const y = x().at(...index)
    expect(y.shape).toEqual(shape)
    expect(valuesOf(y)).toEqual(values)
  })
  test('places read twice add up in the gradient', () => {
    const dX = grad((t) =>
      t
        .at([0, 2, 0])
        .mul(tensor([1, 2, 4]))
        .sum(),
    )(tensor([5, 6, 7]))
    expect(valuesOf(dX)).toEqual([5, 0, 2])
  })
  test('refuses what is no index', () => {
    expect(() => x().at(2)).toThrow('at: index 2 is out of range: axis 0 has 2 elements (-2 to 1).')
    expect(() => x().at(':', [3])).toThrow(ValueError)
    expect(() => x().at(0, 0, 0, 0)).toThrow(ShapeError)
    expect(() => x().at('1-2')).toThrow("at: '1-2' is no slice.")
    expect(() => x().at('...', '...')).toThrow("at: '...' occurs twice.")
    expect(() => x().at([[0], 1])).toThrow('at: indices mix lists and 1.')
    expect(() => x().at([[0], [1, 1]])).toThrow('at: lists of indices differ in shape, [1] and [2].')
  })
})

describe('updateAt', () => {
  test('broadcasts, and the last value at a place counts', () => {
    expect(valuesOf(updateAt(x(), [0, ':2', '::3'], tensor([-1, -2])).at(0, ':2'))).toEqual([-1, 1, 2, -2, -1, 5, 6, -2])
    expect(valuesOf(updateAt(tensor([1, 2, 3]), [[0, 0]], tensor([8, 9])))).toEqual([9, 2, 3])
  })
  test('has the gradients of what it keeps and of what it writes', () => {
    const f = (t: ReturnType<typeof x>, v: ReturnType<typeof x>) =>
      updateAt(t, [[0, 0]], v)
        .mul(tensor([1, 2, 3]))
        .sum()
    const [dX, dValue] = grad(f)(tensor([1, 2, 3]), tensor([8, 9]))
    expect(valuesOf(dX)).toEqual([0, 2, 3])
    expect(valuesOf(dValue)).toEqual([0, 1])
  })
  test('refuses a value that does not fit', () => {
    expect(() => updateAt(x(), [0], tensor([1, 2, 3]))).toThrow('updateAt: the value does not fit the places')
  })
})
