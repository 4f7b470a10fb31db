import { expect, test } from 'vitest'
import { ndarray } from './array.js'
import { DatasetError } from './errors.js'
import { type RowChoice, takeRows } from './take-rows.js'

const x = ndarray(
  Float64Array.from({ length: 12 }, (_, i) => i),
  [4, 3],
)
const y = ndarray(new Uint8Array([7, 0, 9, 4]), [4])

test.each<[string, RowChoice, number[]]>([
  ['positions, in their order and twice', [3, 1, 3], [3, 1, 3]],
  ['positions from the end', [-1, -4], [3, 0]],
  ['a typed array', new Int32Array([2]), [2]],
  ['a mask', [true, false, false, true], [0, 3]],
  ['a condition on other data', (row) => y.data[row] < 5, [1, 3]],
  ['none', [], []],
  ['none by a mask', [false, false, false, false], []],
])('%s', (_, which, rows) => {
  const taken = takeRows(x, which)
  expect(taken.shape).toEqual([rows.length, 3])
  expect(taken.data).toBeInstanceOf(Float64Array)
  expect([...taken.data]).toEqual(rows.flatMap((row) => [row * 3, row * 3 + 1, row * 3 + 2]))
})

test('labels, images, and a copy that shares nothing', () => {
  const some = takeRows(y, [1, 2])
  expect(some).toEqual({ shape: [2], data: new Uint8Array([0, 9]) })
  some.data[0] = 1
  expect(y.data[1]).toBe(0)
  expect(takeRows(ndarray(new Uint8Array(8), [2, 2, 2]), [0]).shape).toEqual([1, 2, 2])
  expect(takeRows(ndarray(new Uint8Array(0), [2, 0]), [1]).shape).toEqual([1, 0])
})

test.each<[unknown, string]>([
  [[4], 'takeRows: which[0] is 4; positions of 4 rows are whole numbers from -4 to 3.'],
  [[0, -5], 'which[1] is -5'],
  [[0.5], 'which[0] is 0.5'],
  [['1'], 'which[0] is text "1"'],
  [[true, false], 'takeRows: the mask has 2 entries, and the array 4 rows.'],
  [[true, false, 1, true], 'which[2] is 1; a mask has true and false alone.'],
  [() => 1, 'must return true or false, got 1 for row 0'],
  [null, 'which must be positions, a list of true and false, or a function, got null. Write takeRows(x, [0, 2])'],
  [3, 'got 3'],
])('refuses %o', (which, message) => {
  expect(() => takeRows(x, which as RowChoice)).toThrow(DatasetError)
  expect(() => takeRows(x, which as RowChoice)).toThrow(message)
})

test('refuses what is no array', () => {
  expect(() => takeRows([1, 2] as never, [0])).toThrow('takeRows: array must be { shape, data }')
  expect(() => takeRows(ndarray(new Uint8Array(1), []), [0])).toThrow('has no axes')
})

test('a mask of bytes, as a tensor of truth values has it, is told from positions', () => {
  const x = ndarray(new Uint8Array([1, 2, 3, 4]), [4])
  expect(() => takeRows(x, Uint8Array.of(1, 0, 1, 0))).toThrow('Write takeRows(x, Array.from(mask, Boolean))')
  expect([...takeRows(x, Uint8Array.of(1, 3)).data]).toEqual([2, 4])
})
