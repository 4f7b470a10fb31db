import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { DatasetError } from '../errors.js'
import { md5 } from './md5.js'
import { hashingTrick, oneHot, textToWordSequence } from './words.js'

interface Case {
  case_kind: string
  name: string
  params: { n: number; hash_function: 'md5'; filters?: string; lower?: boolean; split?: string }
  inputs: { text: string }
  expected: { output: unknown[] }
}

const golden = new URL('../../../core/test/golden/preprocessing.json', import.meta.url)
const { cases } = JSON.parse(readFileSync(golden, 'utf8')) as { cases: Case[] }
const named = (kind: string) => cases.filter((c) => c.case_kind === kind).map((c) => [c.name, c] as const)

describe('golden preprocessing', () => {
  test.each(named('wordseq'))('wordseq %s', (_, { params, inputs, expected }) => {
    expect(textToWordSequence(inputs.text, params)).toEqual(expected.output)
  })
  test.each(named('md5'))('md5 %s', (_, { params, inputs, expected }) => {
    expect(hashingTrick(inputs.text, params.n, { hashFunction: params.hash_function })).toEqual(expected.output)
  })
  test('has its cases', () => expect([named('wordseq').length, named('md5').length]).toEqual([3, 2]))
})

describe('textToWordSequence', () => {
  test.each<[string, string[], Parameters<typeof textToWordSequence>[1]?]>([
    ['', []],
    [' !?\t\n ', []],
    ['a\u00a0b c', ['a\u00a0b', 'c']],
    ['ÉTÉ Ünter', ['été', 'ünter']],
    ['a-b]c^d\\e', ['a', 'b', 'c', 'd', 'e']],
    ['a, b', ['a,', 'b'], { filters: '' }],
    ['a.b', ['a', 'b'], { split: '$&' }],
    ['a😀b', ['a', 'b'], { filters: '😀' }],
    ['aXYb.c', ['a', 'b', 'c'], { split: 'XY', lower: false }],
  ])('%j', (text, words, options) => expect(textToWordSequence(text, options)).toEqual(words))

  test('refuses an empty separator', () => {
    expect(() => textToWordSequence('a', { split: '' })).toThrow(DatasetError)
  })
})

describe('hashingTrick', () => {
  test.each(['', 'a', 'x'.repeat(55), 'x'.repeat(56), 'x'.repeat(64), '수 日本 😀'.repeat(40)])('md5 of %j', (text) => {
    expect(Buffer.from(md5(text)).toString('hex')).toBe(createHash('md5').update(text).digest('hex'))
  })

  test('by default and as oneHot: in range, the same word the same number, the same in every run', () => {
    const numbers = oneHot('the cat and the dog', 50)
    expect(numbers).toEqual(hashingTrick('the cat and the dog', 50))
    expect(numbers[0]).toBe(numbers[3])
    // FNV-1a of "a" is 0xe40c292c.
    expect(oneHot('a', 50)).toEqual([(0xe40c292c % 49) + 1])
    expect(new Set(oneHot('a b c d e f g h i j k', 2))).toEqual(new Set([1]))
  })

  test('takes a function, and no negative remainder', () => {
    expect(hashingTrick('a bb', 10, { hashFunction: (word) => -word.length })).toEqual([9, 8])
  })

  test.each<[string, () => unknown, string]>([
    ['n = 1', () => hashingTrick('a', 1), 'hashingTrick: n must be a whole number from 2 to 4294967296, got 1.'],
    [
      'an unknown function',
      () => hashingTrick('a', 5, { hashFunction: 'sha1' as 'md5' }),
      "hashingTrick: hashFunction must be 'hash' or 'md5', got text \"sha1\".",
    ],
    [
      'a function without a number',
      () => hashingTrick('a', 5, { hashFunction: () => Number.NaN }),
      'the hash of "a" must be a whole number, got NaN.',
    ],
  ])('refuses %s', (_, run, message) => {
    expect(run).toThrow(DatasetError)
    expect(run).toThrow(message)
  })
})
