/** Golden cases, tokenizers and texts for the tests of byte-pair tokenizers. */
import { readFileSync } from 'node:fs'
import { wholesBelow } from '../src/keyed.js'
import type { BytePairTokenizer } from '../src/text/bpe/byte-pair-tokenizer.js'
import { type PatternName, patternNames } from '../src/text/bpe/patterns.js'
import { trainBytePairs } from '../src/text/bpe/train-byte-pairs.js'

export interface Case {
  name: string
  params: { vocabularySize: number; merges: number }
  inputs: { train_text: string }
  expected: {
    merges: [number, number][]
    merges_as_text: string[]
    encoded: { text: string; pieces: string[]; ids: number[]; tokens: string[] }[]
    decoded: { ids: number[]; text: string }[]
  }
}

/** The cases of a file of golden vectors. */
export function goldenCases(name: string): readonly Case[] {
  const path = new URL(`../../core/test/golden/${name}.json`, import.meta.url)
  return (JSON.parse(readFileSync(path, 'utf8')) as { cases: Case[] }).cases
}

export const cases = goldenCases('wave2/bpe')

export const english = cases[0].inputs.train_text
export const special = ['<|endoftext|>', '<|a b, c|>', '<|end']
export const byPattern = Object.fromEntries(
  patternNames.map((pattern) => [
    pattern,
    trainBytePairs([english, cases[2].inputs.train_text], { vocabularySize: 330, specialTokens: special, pattern }),
  ]),
) as Record<PatternName, BytePairTokenizer>
/** Texts of parts that patterns and streams could stumble over. */
export function textsFrom(seed: number, count: number): string[] {
  const parts = [
    ...[
      ' ',
      '  ',
      '\n',
      '\r\n',
      '\t',
      '\u00a0',
      '\ufeff',
      '\u0085',
      '\u3000',
      "'",
      "'l",
      'l',
      "'RE",
      '.',
      ',',
      '。',
      '_',
      '12345',
      '٣',
      '½',
    ],
    ...['fox', 'The', 'é', 'e\u0301', '日本', '안녕', '😀', '👩‍👩‍👧', '𠀀', '\u0000', '\ud83d', '\ude00', '\uffff', '<|', '|>', ...special],
  ]
  const data = wholesBelow([0, seed], count * 12, parts.length)
  return Array.from({ length: count }, (_, i) => Array.from(data.subarray(i * 12, i * 12 + 1 + (i % 12)), (part) => parts[part]).join(''))
}
