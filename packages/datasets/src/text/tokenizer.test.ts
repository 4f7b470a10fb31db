import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { DatasetError } from '../errors.js'
import { type MatrixMode, type Text, Tokenizer } from './tokenizer.js'
import { tokenizerFromJson } from './tokenizer-json.js'

interface Matrix {
  shape: number[]
  data: number[]
}
interface Case {
  case_kind: string
  name: string
  params: { num_words?: number; oov_token?: string; char_level?: boolean }
  inputs: { fit_texts: Text[]; texts: Text[] }
  expected: {
    word_index: Record<string, number>
    word_index_order: string[]
    word_counts: [string, number][]
    word_docs: Record<string, number>
    index_docs: Record<string, number>
    document_count: number
    sequences: number[][]
  } & Record<`matrix_${MatrixMode}`, Matrix>
}

const golden = new URL('../../../core/test/golden/preprocessing.json', import.meta.url)
const { cases } = JSON.parse(readFileSync(golden, 'utf8')) as { cases: Case[] }
const tokenizers = cases.filter((c) => c.case_kind === 'tokenizer')

describe('golden preprocessing', () => {
  test.each(tokenizers.map((c) => [c.name, c] as const))('tokenizer %s', (_, { params, inputs, expected }) => {
    const { num_words: numWords, oov_token: oovToken, char_level: charLevel } = params
    const fitted = new Tokenizer({ numWords, oovToken, charLevel }).fitOnTexts(inputs.fit_texts)
    for (const tokenizer of [fitted, tokenizerFromJson(fitted.toJson())]) {
      expect(Object.fromEntries(tokenizer.wordIndex)).toEqual(expected.word_index)
      expect([...tokenizer.wordIndex.keys()]).toEqual(expected.word_index_order)
      expect([...tokenizer.wordCounts]).toEqual(expected.word_counts)
      expect(Object.fromEntries(tokenizer.wordDocs)).toEqual(expected.word_docs)
      expect(Object.fromEntries(tokenizer.indexDocs)).toEqual(expected.index_docs)
      expect(tokenizer.documentCount).toBe(expected.document_count)
      expect([...tokenizer.indexWord]).toEqual(expected.word_index_order.map((word, i) => [i + 1, word]))
      expect(tokenizer.textsToSequences(inputs.texts)).toEqual(expected.sequences)
      for (const mode of ['binary', 'count', 'freq', 'tfidf'] as const) {
        const { shape, data } = tokenizer.textsToMatrix(inputs.texts, mode)
        expect(shape).toEqual(expected[`matrix_${mode}`].shape)
        // Golden values have ten digits.
        data.forEach((x, i) => {
          expect(x).toBeCloseTo(expected[`matrix_${mode}`].data[i], 9)
        })
      }
    }
  })
  test('has the eight tokenizer cases', () => expect(tokenizers).toHaveLength(8))
})

const samples = ['The cat sat on the mat.', 'The dog ate my homework.']

test("document 002's two dictionaries, as printed", () => {
  const tokenizer = new Tokenizer({ numWords: 1000 })
  tokenizer.fitOnTexts(samples)
  const python = (entries: Iterable<[string, number]>, item: (word: string, n: number) => string): string =>
    Array.from(entries, ([word, n]) => item(word, n)).join(', ')
  expect(`{${python(tokenizer.wordIndex, (word, n) => `'${word}': ${n}`)}}`).toBe(
    "{'the': 1, 'cat': 2, 'sat': 3, 'on': 4, 'mat': 5, 'dog': 6, 'ate': 7, 'my': 8, 'homework': 9}",
  )
  expect(`OrderedDict([${python(tokenizer.wordCounts, (word, n) => `('${word}', ${n})`)}])`).toBe(
    "OrderedDict([('the', 3), ('cat', 1), ('sat', 1), ('on', 1), ('mat', 1), ('dog', 1), ('ate', 1), ('my', 1), ('homework', 1)])",
  )
  expect(tokenizer.textsToMatrix(samples).shape).toEqual([2, 1000])
})

describe('Tokenizer', () => {
  test('numbers anew when fitted on more texts', () => {
    const tokenizer = new Tokenizer().fitOnTexts(['a a b']).fitOnTexts(['b b c'])
    expect([...tokenizer.wordIndex]).toEqual([
      ['b', 1],
      ['a', 2],
      ['c', 3],
    ])
    expect([...tokenizer.indexDocs].sort()).toEqual([
      [1, 2],
      [2, 1],
      [3, 1],
    ])
    expect(tokenizer.documentCount).toBe(2)
  })

  test('takes words that objects have for themselves', () => {
    const tokenizer = new Tokenizer({ filters: '' }).fitOnTexts(['constructor __proto__ tostring 2010 __proto__'])
    const again = tokenizerFromJson(tokenizer.toJson())
    expect([...again.wordIndex.keys()]).toEqual(['__proto__', 'constructor', 'tostring', '2010'])
    expect(again.textsToSequences(['2010 hasownproperty __proto__'])).toEqual([[4, 1]])
  })

  test('an empty text is a text', () => {
    const tokenizer = new Tokenizer({ numWords: 3 }).fitOnTexts(['', 'a'])
    expect(tokenizer.documentCount).toBe(2)
    expect(tokenizer.textsToSequences(['', '...', 'a'])).toEqual([[], [], [1]])
    expect([...tokenizer.textsToMatrix(['', 'a'], 'freq').data]).toEqual([0, 0, 0, 0, 1, 0])
  })

  test('back to texts: what is unknown or not below numWords is dropped, or the oov token', () => {
    const texts = ['one two two three', 'two three three four']
    const plain = new Tokenizer({ numWords: 3 }).fitOnTexts(texts)
    expect(plain.sequencesToTexts([[1, 2, 3, 99], []])).toEqual(['two three', ''])
    const oov = new Tokenizer({ numWords: 3, oovToken: '?' }).fitOnTexts(texts)
    expect(oov.sequencesToTexts([[2, 1, 3, 99, 0]])).toEqual(['two ? ? ? ?'])
  })

  test('fits on sequences, for tfidf', () => {
    const tokenizer = new Tokenizer({ numWords: 4 }).fitOnSequences([[1, 2, 1], Int32Array.of(2)])
    expect([...tokenizer.indexDocs]).toEqual([
      [1, 1],
      [2, 2],
    ])
    const { data } = tokenizer.sequencesToMatrix([[1, 1, 3]], 'tfidf')
    expect([...data]).toEqual([0, (1 + Math.log(2)) * Math.log(1 + 2 / 2), 0, Math.log(1 + 2 / 1)])
  })

  test('indices beyond the matrix are left out, but count for the length', () => {
    const tokenizer = new Tokenizer({ numWords: 3 })
    expect([...tokenizer.sequencesToMatrix([[1, 2, 7, 7]], 'freq').data]).toEqual([0, 0.25, 0.25])
  })

  test.each<[string, () => unknown, string]>([
    ['numWords of a half', () => new Tokenizer({ numWords: 0.5 }), 'Tokenizer: numWords must be a whole number, at least 0, got 0.5.'],
    [
      'one text for a list',
      () => new Tokenizer().fitOnTexts('abc'),
      'Tokenizer.fitOnTexts: texts must be a list of texts, got one text: pass [text].',
    ],
    ['a matrix of unknown width', () => new Tokenizer().sequencesToMatrix([[1]]), 'how wide is the matrix?'],
    [
      'tfidf without documents',
      () => new Tokenizer({ numWords: 3 }).sequencesToMatrix([[1]], 'tfidf'),
      "'tfidf' needs the counts of documents",
    ],
    [
      'an unknown mode',
      () => new Tokenizer({ numWords: 3 }).sequencesToMatrix([[1]], 'idf' as 'freq'),
      "mode must be 'binary', 'count', 'freq' or 'tfidf', got text \"idf\".",
    ],
    ['a negative index', () => new Tokenizer({ numWords: 3 }).sequencesToMatrix([[1], [2, -1]]), 'sequences[1][1] is -1'],
  ])('refuses %s', (_, run, message) => {
    expect(run).toThrow(DatasetError)
    expect(run).toThrow(message)
  })
})

describe('what is no text', () => {
  test.each<[string, unknown[], string]>([
    ['null', ['a', null], 'texts[1] must be text or a list of words, got null.'],
    ['a number', ['a', 'b', 3], 'texts[2] must be text or a list of words, got 3.'],
    ['null among words', [['a', null]], 'texts[0][1] must be text, got null.'],
    ['a Promise', [Promise.resolve('a')], 'texts[0] must be text or a list of words, got a Promise: await it first.'],
  ])('%s is refused, and nothing is counted', (_, texts, message) => {
    const tokenizer = new Tokenizer().fitOnTexts(['x x', 'y'])
    const before = tokenizer.toJson()
    expect(() => tokenizer.fitOnTexts(texts as string[])).toThrow(new DatasetError(`Tokenizer.fitOnTexts: ${message}`))
    expect(() => tokenizer.textsToSequences(texts as string[])).toThrow(new DatasetError(`Tokenizer.textsToSequences: ${message}`))
    expect(() => tokenizer.textsToMatrix(texts as string[])).toThrow(new DatasetError(`Tokenizer.textsToMatrix: ${message}`))
    expect(tokenizer.toJson()).toBe(before)
  })
  test('a sequence that is none, and nothing is counted', () => {
    const tokenizer = new Tokenizer({ numWords: 5 }).fitOnSequences([[1, 2]])
    expect(() => tokenizer.fitOnSequences([[1], ['2' as unknown as number]])).toThrow(
      'sequences[1][0] is text "2"; indices are whole numbers',
    )
    expect(tokenizer.documentCount).toBe(1)
    expect([...tokenizer.indexDocs]).toEqual([
      [1, 1],
      [2, 1],
    ])
  })
  test("options in Keras' spelling", () => {
    const { numWords, charLevel, oovToken } = new Tokenizer({ num_words: 3, char_level: true, oov_token: '?' })
    expect({ numWords, charLevel, oovToken }).toEqual({ numWords: 3, charLevel: true, oovToken: '?' })
  })
})

describe('JSON', () => {
  test("is Keras', byte for byte", () => {
    const tokenizer = new Tokenizer({ numWords: 5, oovToken: 'é' }).fitOnTexts(['b "a b'])
    expect(tokenizer.toJson()).toBe(
      String.raw`{"class_name": "Tokenizer", "config": {"num_words": 5, "filters": "!\"#$%&()*+,-./:;<=>?@[\\]^_${'`'}{|}~\t\n", "lower": true, "split": " ", "char_level": false, "oov_token": "\u00e9", "document_count": 1, "word_counts": "{\"b\": 2, \"a\": 1}", "word_docs": "{\"b\": 1, \"a\": 1}", "index_docs": "{\"2\": 1, \"3\": 1}", "index_word": "{\"1\": \"\\u00e9\", \"2\": \"b\", \"3\": \"a\"}", "word_index": "{\"\\u00e9\": 1, \"b\": 2, \"a\": 3}"}}`,
    )
  })

  const good = new Tokenizer().fitOnTexts(['a b']).toJson()
  test.each<[string, string, string]>([
    ['text that is no JSON', 'x', 'tokenizerFromJson: the text is not JSON'],
    ['another class', good.replace('Tokenizer', 'Pickler'), 'class_name is "Pickler"; expected "Tokenizer"'],
    ['no config', '{"class_name": "Tokenizer"}', 'config is missing'],
    ['an option of another type', good.replace('"lower": true', '"lower": 1'), 'config.lower is 1; expected boolean'],
    ['a table that is none', good.replace(/"word_docs": "[^}]*}"/, '"word_docs": "[1]"'), 'config.word_docs is not a JSON object'],
    [
      'a nested table',
      good.replace(/"word_docs": "[^}]*}"/, '"word_docs": "{\\"a\\": {\\"b\\": 1}}"'),
      'config.word_docs is not a flat table',
    ],
    ['a count that is none', good.replace('\\"a\\": 1', '\\"a\\": -1'), 'config.word_counts: "a" has no count'],
    ['an index that is none', good.replace('"{\\"1\\": \\"a\\"', '"{\\"x\\": \\"a\\"'), 'config.index_word: "x" is not an index'],
    ['a missing table', good.replace('"word_index"', '"word_indices"'), 'config.word_index is not a JSON text'],
  ])('refuses %s', (_, json, message) => {
    expect(() => tokenizerFromJson(json)).toThrow(DatasetError)
    expect(() => tokenizerFromJson(json)).toThrow(message)
  })
})
