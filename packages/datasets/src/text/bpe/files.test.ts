/** Files of byte-pair tokenizers, there and back; damaged ones and wrong arguments. */
import { describe, expect, test } from 'vitest'
import { byPattern, special, textsFrom } from '../../../test/byte-pairs.js'
import { DatasetError } from '../../errors.js'
import { bytePairsFromFiles, bytePairsFromJson } from './read.js'
import { trainBytePairs } from './train-byte-pairs.js'

const tokenizer = byPattern.gpt2

describe('files', () => {
  const { vocabulary, merges } = tokenizer.toFiles()

  test("GPT-2's", () => {
    const again = bytePairsFromFiles(vocabulary, merges, { specialTokens: special })
    for (const text of textsFrom(3, 100)) expect(again.encode(text)).toEqual(tokenizer.encode(text))
    expect(again.toFiles()).toEqual({ vocabulary, merges })
    expect(bytePairsFromFiles(vocabulary, merges).specialTokens).toEqual([{ text: '<|endoftext|>', id: tokenizer.id('<|endoftext|>') }])
    expect(bytePairsFromFiles(vocabulary, merges.replaceAll('\n', '\r\n')).merges).toEqual(tokenizer.merges)
  })

  test("Hugging Face's: merges as pairs, a normal form, and what is not used is kept", () => {
    const parsed = JSON.parse(tokenizer.toJson())
    parsed.model.merges = parsed.model.merges.map((pair: string) => pair.split(' '))
    parsed.model.unk_token = '<|endoftext|>'
    parsed.normalizer = { type: 'NFC' }
    parsed.post_processor = { type: 'TemplateProcessing', single: ['x'] }
    const again = bytePairsFromJson(JSON.stringify(parsed))
    expect(again.encode('e\u0301')).toEqual(tokenizer.encode('é'))
    const written = JSON.parse(again.toJson())
    expect(written.post_processor).toEqual(parsed.post_processor)
    expect(written.normalizer).toEqual(parsed.normalizer)
    expect(written.model.unk_token).toBe('<|endoftext|>')
    expect(written.model.merges).toEqual(tokenizer.merges.map((pair) => pair.join(' ')))
  })

  test('ignoreMerges: a piece that is a token stays whole', () => {
    const parsed = JSON.parse(tokenizer.toJson())
    parsed.model.ignore_merges = true
    parsed.model.vocab.zebra = 500
    expect([...bytePairsFromJson(JSON.stringify(parsed)).encode('zebra')]).toEqual([500])
  })

  test('a token like a number or __proto__ is a token', () => {
    const parsed = JSON.parse(`{"__proto__": 257, "7": 258}`)
    const vocab = JSON.parse(vocabulary)
    for (const name of Object.keys(vocab)) if (vocab[name] > 255) delete vocab[name]
    const text = JSON.stringify(vocab).replace(/}$/, ',"__proto__":257,"77":258}')
    expect(Object.keys(parsed).length).toBe(2)
    const read = bytePairsFromFiles(text, '#version: 0.2\n7 7\n')
    expect([...read.encode('77')]).toEqual([258])
    expect(read.id('__proto__')).toBe(257)
    expect(bytePairsFromFiles(read.toFiles().vocabulary, '').id('__proto__')).toBe(257)
  })

  // biome-ignore lint/suspicious/noExplicitAny: parsed JSON, to be damaged anywhere
  const changed = (change: (json: Record<string, any>) => void): string => {
    const parsed = JSON.parse(tokenizer.toJson())
    change(parsed)
    return JSON.stringify(parsed)
  }
  test.each<[string, () => unknown, string]>([
    ['no JSON', () => bytePairsFromJson('{"model":'), 'bytePairsFromJson: the text is not JSON'],
    ['a list', () => bytePairsFromJson('[]'), 'the text must be an object, found an empty array'],
    ['no model', () => bytePairsFromJson('{}'), 'model must be an object, found undefined'],
    [
      'another model',
      () =>
        bytePairsFromJson(
          changed((j) => {
            j.model.type = 'Unigram'
          }),
        ),
      'model.type is text "Unigram"; expected "BPE"',
    ],
    [
      'SentencePiece',
      () =>
        bytePairsFromJson(
          changed((j) => {
            j.model.byte_fallback = true
          }),
        ),
      'model.byte_fallback is true',
    ],
    [
      'no cutting',
      () =>
        bytePairsFromJson(
          changed((j) => {
            j.pre_tokenizer = null
          }),
        ),
      'pre_tokenizer must be an object, found null',
    ],
    [
      'Metaspace',
      () =>
        bytePairsFromJson(
          changed((j) => {
            j.pre_tokenizer = { type: 'Metaspace' }
          }),
        ),
      'pre_tokenizer is "Metaspace"',
    ],
    [
      'another pattern',
      () =>
        bytePairsFromJson(
          changed((j) => {
            j.pre_tokenizer = {
              type: 'Sequence',
              pretokenizers: [
                { type: 'Split', pattern: { Regex: '(a+)+$' }, behavior: 'Isolated' },
                { type: 'ByteLevel', use_regex: false },
              ],
            }
          }),
        ),
      'cuts texts by text "(a+)+$"; the patterns known are those of gpt2, llama3, qwen2',
    ],
    [
      'a lower-casing normalizer',
      () =>
        bytePairsFromJson(
          changed((j) => {
            j.normalizer = { type: 'Lowercase' }
          }),
        ),
      'normalizer is text "Lowercase"',
    ],
    [
      'a merge of one',
      () =>
        bytePairsFromJson(
          changed((j) => {
            j.model.merges[3] = 'a'
          }),
        ),
      'model.merges[3] must be two tokens, found text "a"',
    ],
    [
      'a merge of strangers',
      () =>
        bytePairsFromJson(
          changed((j) => {
            j.model.merges[3] = 'a 日'
          }),
        ),
      'merges[3] needs the token "日", which is not there.',
    ],
    [
      'a merge without a result',
      () =>
        bytePairsFromJson(
          changed((j) => {
            j.model.merges[3] = 'z z'
          }),
        ),
      'merges[3] needs the token "zz"',
    ],
    [
      'a number of text',
      () =>
        bytePairsFromJson(
          changed((j) => {
            j.model.vocab.a = '7'
          }),
        ),
      'model.vocab: "a" has the number text "7"',
    ],
    [
      'a number twice',
      () =>
        bytePairsFromJson(
          changed((j) => {
            j.model.vocab.a = 98
          }),
        ),
      'have the same number 98',
    ],
    [
      'a huge number',
      () =>
        bytePairsFromJson(
          changed((j) => {
            j.model.vocab.a = 2 ** 40
          }),
        ),
      'must be a whole number below 2^26, got 1099511627776',
    ],
    ['a line of three', () => bytePairsFromFiles(vocabulary, '#version: 0.2\nh e\na b c'), 'line 3 of the merges must be two tokens'],
    [
      'a special token that is not there',
      () => bytePairsFromFiles(vocabulary, merges, { specialTokens: ['<s>'] }),
      'the special token text "<s>" is not in the vocabulary',
    ],
    [
      'an unknown byte',
      () => bytePairsFromFiles('{"a": 0}', '').encode('ab'),
      'BytePairTokenizer.encode: the vocabulary has no token for the byte 98 ("b").',
    ],
    ['an unknown token', () => tokenizer.decode([0, 9999]), 'tokens[1] is 9999; tokens are whole numbers from 0 to 329.'],
    [
      'too small a vocabulary',
      () => trainBytePairs('a', { vocabularySize: 256, specialTokens: ['<s>'] }),
      'vocabularySize is 256; 256 bytes and 1 special tokens need more.',
    ],
    [
      'a special token twice',
      () => trainBytePairs('a', { vocabularySize: 300, specialTokens: ['<s>', '<s>'] }),
      'specialTokens[1] is "<s>" once more',
    ],
  ])('refuses %s', (_, run, message) => {
    expect(run).toThrow(DatasetError)
    expect(run).toThrow(message)
  })
})
