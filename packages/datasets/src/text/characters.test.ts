import { expect, test } from 'vitest'
import { DatasetError } from '../errors.js'
import { CharacterVocabulary } from './characters.js'

test('code points in their order, beyond 16 bits, too; the same again from its characters', () => {
  const vocabulary = new CharacterVocabulary('b😀a\uffff b')
  expect(vocabulary.characters).toEqual([' ', 'a', 'b', '\uffff', '😀'])
  expect([...vocabulary.encode('a😀 b')]).toEqual([1, 4, 0, 2])
  expect(vocabulary.decode(vocabulary.encode('😀b'))).toBe('😀b')
  expect(new CharacterVocabulary(vocabulary.characters.join('')).characters).toEqual(vocabulary.characters)
  expect(vocabulary.encode('').length).toBe(0)
})

test('a lone surrogate is a character of its own', () => {
  const vocabulary = new CharacterVocabulary('a\ud800')
  expect(vocabulary.decode(vocabulary.encode('\ud800a'))).toBe('\ud800a')
})

test.each<[string, () => unknown, string]>([
  ['an empty text', () => new CharacterVocabulary(''), 'CharacterVocabulary: the text is empty'],
  ['an unknown character', () => new CharacterVocabulary('ab').encode('a😀c'), '"😀" at 1 is not among the 2 characters.'],
  ['an unknown number', () => new CharacterVocabulary('ab').decode([0, 2]), 'tokens[1] is 2; tokens are whole numbers from 0 to 1.'],
  ['a negative number', () => new CharacterVocabulary('ab').decode(Int32Array.of(-1)), 'tokens[0] is -1'],
])('refuses %s', (_, run, message) => {
  expect(run).toThrow(DatasetError)
  expect(run).toThrow(message)
})
