/** Byte-pair tokenizers: golden vectors, every string there and back, any place to cut a stream, files there and back, huge texts. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { byPattern, english, goldenCases, textsFrom } from '../../../test/byte-pairs.js'
import { BytePairTokenizer } from './byte-pair-tokenizer.js'
import { patternNames, piecesOf, wellFormed } from './patterns.js'
import { bytePairsFromJson } from './read.js'
import { trainBytePairs } from './train-byte-pairs.js'

const cases = goldenCases('wave2/bpe')

describe('golden bpe', () => {
  test('has its cases', () => expect(cases.length).toBe(4))
  test.each(cases.map((c) => [c.name, c] as const))('%s', (_, { params, inputs, expected }) => {
    const tokenizer = trainBytePairs(inputs.train_text, { vocabularySize: params.vocabularySize })
    expect(tokenizer.merges.map((pair) => pair.join(' '))).toEqual(expected.merges_as_text)
    expect(tokenizer.merges.map((pair) => pair.map((token) => tokenizer.id(token)))).toEqual(expected.merges)
    for (const { text, pieces, ids, tokens } of expected.encoded) {
      expect([...piecesOf('test', text, 'gpt2')]).toEqual(pieces)
      expect([...tokenizer.encode(text)]).toEqual(ids)
      expect(ids.map((id) => tokenizer.token(id))).toEqual(tokens)
      expect(tokenizer.decode(ids)).toBe(text)
    }
    for (const { ids, text } of expected.decoded) expect(tokenizer.decode(ids)).toBe(text)
  })
})

const tokenizer = byPattern.gpt2

async function gathered(stream: AsyncIterable<Int32Array>): Promise<number[]> {
  const out: number[] = []
  for await (const tokens of stream) for (const token of tokens) out.push(token)
  return out
}

/** The text in chunks of 1 … 9 characters, surrogate pairs cut, too. */
function* chunksOf(text: string, seed: number): Generator<string> {
  for (let at = 0, i = seed; at < text.length; i++) {
    const length = 1 + ((i * 7919) % 9)
    yield text.slice(at, at + length)
    at += length
  }
}

describe.each(patternNames)('%s: any text', (pattern) => {
  const tokenizer = byPattern[pattern]
  const texts = textsFrom(1, 600)

  test('comes back; half a pair as U+FFFD', () => {
    for (const text of texts) {
      for (const specialTokens of [true, false]) expect(tokenizer.decode(tokenizer.encode(text, { specialTokens }))).toBe(wellFormed(text))
      expect([...piecesOf('test', wellFormed(text), pattern)].join('')).toBe(wellFormed(text))
    }
  })

  test('in chunks has the tokens of the whole', async () => {
    for (const [i, text] of texts.entries()) {
      for (const specialTokens of [true, false]) {
        const whole = [...tokenizer.encode(text, { specialTokens })]
        expect(await gathered(tokenizer.encodeStream(chunksOf(text, i), { specialTokens })), JSON.stringify(text)).toEqual(whole)
      }
    }
  })

  test('comes back token by token', async () => {
    for (const text of texts.slice(0, 100)) {
      let out = ''
      for await (const part of tokenizer.decodeStream(tokenizer.encode(text))) out += part
      expect(out).toBe(wellFormed(text))
    }
  })

  test('has the same tokens by a tokenizer that was written and read', () => {
    const again = bytePairsFromJson(tokenizer.toJson())
    for (const text of texts) expect(again.encode(text)).toEqual(tokenizer.encode(text))
    expect(again.toJson()).toBe(tokenizer.toJson())
  })
})

test('every byte, and every single code unit', () => {
  const all = String.fromCharCode(...Array.from({ length: 0x10000 }, (_, i) => i))
  expect(tokenizer.decode(tokenizer.encode(all))).toBe(wellFormed(all))
  const bytes = Array.from({ length: 256 }, (_, i) => i)
  expect(tokenizer.decode(bytes)).toBe(new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(bytes)))
})

test('a heap of pairs gives what the plain rule gives', () => {
  const rank = new Map(tokenizer.merges.map(([a, b], i) => [`${a} ${b}`, i]))
  const plain = (piece: string): string[] => {
    let tokens = Array.from(new TextEncoder().encode(piece), (byte) => tokenizer.token(byte)!)
    for (;;) {
      const ranks = tokens.slice(1).map((token, i) => rank.get(`${tokens[i]} ${token}`) ?? Infinity)
      const least = Math.min(...ranks)
      if (least === Infinity) return tokens
      const out: string[] = []
      for (let i = 0; i < tokens.length; i++) out.push(ranks[i] === least ? tokens[i] + tokens[++i] : tokens[i])
      tokens = out
    }
  }
  for (const text of textsFrom(2, 200)) {
    const pieces = [...piecesOf('test', wellFormed(text), 'gpt2')]
    const ids = tokenizer.encode(text, { specialTokens: false })
    expect(Array.from(ids, (id) => tokenizer.token(id))).toEqual(pieces.flatMap(plain))
  }
})

describe('streams', () => {
  test('of a ReadableStream, giving tokens before the end', async () => {
    const stream = new ReadableStream<string>({
      start(controller) {
        for (const chunk of chunksOf(english.repeat(20), 3)) controller.enqueue(chunk)
        controller.close()
      },
    })
    let parts = 0
    const ids: number[] = []
    for await (const tokens of tokenizer.encodeStream(stream as unknown as AsyncIterable<string>)) {
      parts++
      ids.push(...tokens)
    }
    expect(ids).toEqual([...tokenizer.encode(english.repeat(20))])
    expect(parts).toBeGreaterThan(100)
  })
  test('a character of several tokens waits for its last byte', async () => {
    const parts: string[] = []
    const { ids } = cases[2].expected.encoded[1]
    for await (const part of tokenizer.decodeStream([[240, 159], 152, [128], 104])) parts.push(part)
    expect(parts).toEqual(['😀', 'h'])
    expect(ids.length).toBeGreaterThan(0)
    const broken: string[] = []
    for await (const part of tokenizer.decodeStream([240, 159])) broken.push(part)
    expect(broken).toEqual(['\ufffd'])
  })
  test('refuse text, and chunks that are no text', async () => {
    expect(() => tokenizer.encodeStream('text' as never)).toThrow(
      'BytePairTokenizer.encodeStream: chunks must be a stream or list of texts',
    )
    await expect(gathered(tokenizer.encodeStream(['a', 1] as never))).rejects.toThrow('chunk 1 must be text, got 1.')
    expect(() => tokenizer.decodeStream(3 as never)).toThrow('tokens must be a stream or list of tokens, got 3.')
  })
})

describe('special tokens', () => {
  test('the longest is found, or none with specialTokens: false', () => {
    const [id] = [tokenizer.id('<|endoftext|>')]
    expect([...tokenizer.encode('<|endoftext|>')]).toEqual([id])
    expect(tokenizer.encode('<|endoftext|>', { specialTokens: false }).length).toBeGreaterThan(3)
    expect(tokenizer.decode(tokenizer.encode('a<|endoftext|>b'), { skipSpecialTokens: true })).toBe('ab')
    expect(tokenizer.size).toBe(330)
  })
  test('take along the white space that they strip, in streams, too', async () => {
    const stripping = new BytePairTokenizer({
      vocabulary: tokenizer.vocabulary,
      merges: tokenizer.merges,
      addPrefixSpace: true,
      specialTokens: [
        { text: '<mask>', id: 400, stripLeft: true, stripRight: true },
        { text: 'word', id: 401, special: false },
      ],
    })
    const text = 'a b  <mask> \n c,word,  d <mask>'
    const ids = stripping.encode(text)
    expect(stripping.decode(ids)).toBe(' a b<mask> c,word ,  d<mask>')
    expect(stripping.decode(ids, { skipSpecialTokens: true })).toBe(' a b c,word ,  d')
    for (let seed = 0; seed < 20; seed++) expect(await gathered(stripping.encodeStream(chunksOf(text, seed)))).toEqual([...ids])
    expect(bytePairsFromJson(stripping.toJson()).encode(text)).toEqual(ids)
  })
})

describe('huge', () => {
  // A step for each pair of pieces would take minutes; these take seconds on the slowest machine.
  test.each([
    ['one piece', 'abcab'.repeat(60_000)],
    ['white space', ' '.repeat(300_000)],
    ['marks', '<'.repeat(300_000)],
    ['different words', Array.from({ length: 60_000 }, (_, i) => i.toString(36)).join(' ')],
  ])('%s', async (_, text) => {
    for (const one of [byPattern.gpt2, byPattern.llama3]) expect(one.decode(one.encode(text))).toBe(text)
    const chunks = Array.from({ length: 100 }, (_, i) => text.slice((i * text.length) / 100, ((i + 1) * text.length) / 100))
    expect(await gathered(tokenizer.encodeStream(chunks))).toEqual([...tokenizer.encode(text)])
  })
  test('a run of letters that the pattern has no memory for is an error of ours', () => {
    expect(() => tokenizer.encode('日'.repeat(2 ** 24))).toThrow('BytePairTokenizer.encode: the text has millions of letters in a row')
  })
  test('training on one long piece', () => {
    expect(trainBytePairs('abcab'.repeat(50_000), { vocabularySize: 280 }).merges.length).toBeGreaterThan(10)
  })
})

const root = process.env.COTANGENT_DATA
const why = root ? '' : ' (COTANGENT_DATA is not set)'
test.skipIf(why)(`Shakespeare: 2,000 tokens learned, the text there and back${why}`, () => {
  const text = readFileSync(`${root}/shakespeare/input.txt`, 'utf8')
  const tokenizer = trainBytePairs(text, { vocabularySize: 2000 })
  const tokens = tokenizer.encode(text)
  expect(tokenizer.merges.slice(0, 3)).toEqual([
    ['Ġ', 't'],
    ['h', 'e'],
    ['Ġ', 'a'],
  ])
  expect(text.length / tokens.length).toBeGreaterThan(2.8)
  expect(tokenizer.decode(tokens)).toBe(text)
})
