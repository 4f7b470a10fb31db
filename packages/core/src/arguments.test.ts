import { describe, expect, test } from 'vitest'
import {
  describeValue,
  editDistance,
  nearest,
  requireBoolean,
  requireChoice,
  requireFunction,
  requireNumber,
  requireOptions,
  requireWhole,
} from './arguments.js'
import { tensor } from './index.js'

describe('describeValue', () => {
  test.each<[unknown, string]>([
    [null, 'null'],
    [undefined, 'undefined'],
    ['abc', 'text "abc"'],
    ['x'.repeat(40), `text "${'x'.repeat(27)}…"`],
    [3n, 'the BigInt 3n'],
    [Number.NaN, 'NaN'],
    [true, 'true'],
    [[], 'an empty array'],
    [[1, 2], 'an array of 2'],
    [new Float32Array(3), 'a Float32Array of 3'],
    [new ArrayBuffer(3), 'an ArrayBuffer'],
    [Promise.resolve(1), 'a Promise: await it first'],
    [{}, 'an empty object'],
    [{ a: 1, b: 2, c: 3, d: 4, e: 5 }, 'an object with a, b, c, d, …'],
    [new Map(), 'a Map'],
    [Math.max, 'the function max'],
  ])('%o', (value, words) => expect(describeValue(value)).toBe(words))
  test('a tensor', () => {
    expect(describeValue(tensor([[1, 2]]))).toBe('a tensor of float32 [1, 2]')
    expect(describeValue(Object.create(null))).toBe('an empty object')
  })
})

describe('options', () => {
  test('an object of known keys passes', () => {
    requireOptions('sum', undefined, ['axis'])
    requireOptions('sum', { axis: 1 }, ['axis'])
  })
  test('an unknown key is named, and the nearest suggested', () => {
    expect(() => requireOptions('sum', { axes: 1 }, ['axis', 'keepDims'])).toThrow(
      'sum: there is no option "axes". Did you mean "axis"? Options: axis, keepDims.',
    )
    expect(() => requireOptions('abs', { axis: 1 }, [])).toThrow('abs: there is no option "axis". It takes no options.')
  })
  test.each([1, 'axis', null, [1], new Float32Array(2), Promise.resolve({}), tensor([1])])('not an object of options: %o', (value) => {
    expect(() => requireOptions('sum', value, ['axis'], 'x.sum({ axis: 1 })')).toThrow(
      /^sum: expected an object of options, got .*Write x\.sum/,
    )
  })
})

describe('numbers', () => {
  test('numbers in the range pass', () => {
    requireNumber('f', 'a', -0.5)
    requireNumber('f', 'a', 0.5, { above: 0, below: 1 })
    requireWhole('f', 'a', 3, { least: 3, most: 3 })
  })
  test.each(['0.15', Number.NaN, Infinity, 1n, null, undefined, [1]])('%o is not a number', (value) => {
    expect(() => requireNumber('sgd', 'learningRate', value)).toThrow(/^sgd: learningRate must be a number, got /)
  })
  test('text that reads as a number gets a hint', () => {
    expect(() => requireNumber('sgd', 'learningRate', '0.15', { least: 0 })).toThrow(
      'sgd: learningRate must be a number, at least 0, got text "0.15". Convert it first: Number("0.15").',
    )
  })
  test.each([
    [1, { above: 1 }, 'above 1'],
    [2, { least: 0, below: 2 }, 'from 0 and below 2'],
    [-1, { least: 0, most: 1 }, 'from 0 to 1'],
  ])('out of range: %o', (value, range, words) => {
    expect(() => requireNumber('f', 'a', value, range)).toThrow(`f: a must be a number ${words}, got ${value}.`)
  })
  test.each([0.5, 2 ** 60, '3', Number.NaN])('%o is not a whole number', (value) => {
    expect(() => requireWhole('f', 'a', value)).toThrow(/^f: a must be a whole number, got /)
  })
})

test('booleans, choices, functions', () => {
  requireBoolean('f', 'a', true)
  requireChoice('f', 'a', null, ['x', null])
  requireFunction('f', 'a', () => 1)
  expect(() => requireBoolean('f', 'a', 'true')).toThrow('f: a must be true or false, got text "true".')
  expect(() => requireChoice('f', 'padding', 'smae', ['valid', 'same', null])).toThrow(
    `f: padding must be 'valid', 'same' or null, got text "smae". Did you mean 'same'?`,
  )
  expect(() => requireFunction('scope', 'its argument', 3, 'scope(() => …)')).toThrow(
    'scope: its argument must be a function, got 3. Write scope(() => …).',
  )
})

test('edit distance', () => {
  expect(editDistance('kitten', 'sitting')).toBe(3)
  expect(editDistance('', 'abc')).toBe(3)
  expect(editDistance('adma', 'adam')).toBe(1)
  expect(nearest('rmsprpo', ['adam', 'rmsprop'])).toBe('rmsprop')
  expect(nearest('q', [])).toBeUndefined()
  expect(nearest('x'.repeat(1e6), ['adam'])).toBeUndefined()
})
