/** The two GPTs: one network, learned from a small text; writing with a cache is writing without one. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expectNoLeaks, key, scope, tensor } from '@cotangent/core'
import { CharacterVocabulary, tokenWindows } from '@cotangent/datasets'
import { describe, expect, test, vi } from 'vitest'
import { trainCore, trainLayers } from './gpt.js'
import { type Cache, createGpt, forward, rateAt, type Sizes, write } from './gpt-core.js'
import { gptModel, toCore } from './gpt-layers.js'
import type { Text } from './text.js'

const sizes: Sizes = { vocabulary: 11, context: 8, layers: 2, heads: 2, width: 32 }
const poem = 'the cat sat on the mat. the rat sat on the cat. '.repeat(40)
const vocabulary = new CharacterVocabulary(poem)
const tokens = vocabulary.encode(poem)
const text: Text = {
  source: 'a poem',
  data: { name: 'A poem', source: 'a poem', train: tokens.length },
  vocabulary,
  batches: (length, seed) => tokenWindows(tokens, { length, batchSize: 12, key: key(seed) }),
  validation: (length) => tokenWindows(tokens, { length, batchSize: 64 }),
}
const quietly = async <R>(run: () => Promise<R>): Promise<R> => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined)
  try {
    return await run()
  } finally {
    log.mockRestore()
  }
}

describe('the network', () => {
  test('sees no later character: logits of the first five do not change with the sixth', async () => {
    const gpt = createGpt(sizes, key(1))
    const logits = async (ids: number[]) => [...(await scope(() => forward(gpt, tensor([ids], { dtype: 'int32' }))).data())]
    const [a, b] = [await logits([1, 2, 3, 4, 5, 6]), await logits([1, 2, 3, 4, 5, 9])]
    expect(a.slice(0, 5 * 11)).toEqual(b.slice(0, 5 * 11))
    expect(a.slice(5 * 11)).not.toEqual(b.slice(5 * 11))
  })

  test('with a cache, character by character, it gives what it gives at once', async () => {
    const gpt = createGpt(sizes, key(2))
    const ids = [3, 1, 4, 1, 5, 9, 2, 6]
    const whole = await scope(() => forward(gpt, tensor([ids], { dtype: 'int32' }))).data()
    const cache: Cache = []
    const parts: number[] = []
    for (const id of ids) parts.push(...(await forward(gpt, tensor([[id]], { dtype: 'int32' }), cache).data()))
    for (const [i, value] of parts.entries()) expect(value).toBeCloseTo(whole[i], 5)
  })

  test('in layers it is the same function', async () => {
    const model = gptModel(sizes, { seed: 3, steps: 10 })
    const gpt = toCore(model)
    const ids = [[1, 2, 3, 4, 5, 6, 7, 8]]
    const ours = await scope(() => forward(gpt, tensor(ids, { dtype: 'int32' }))).data()
    const theirs = await (await model.predict(ids)).data()
    expect(theirs.length).toBe(ours.length)
    for (const [i, value] of theirs.entries()) expect(value).toBeCloseTo(ours[i], 5)
    expect(gpt.parameters.reduce((sum, { size }) => sum + size, 0)).toBe(model.countParams())
  })
})

test('nanoGPT has 804,096 parameters at this size', () => {
  const gpt = createGpt({ vocabulary: 65, context: 64, layers: 4, heads: 4, width: 128 }, key(1))
  expect(gpt.parameters.reduce((sum, { size }) => sum + size, 0)).toBe(804_096)
})

test('the rate rises for 100 steps and falls to a tenth', () => {
  expect(rateAt(0, 2000)).toBeCloseTo(1e-3 / 101, 10)
  expect(rateAt(100, 2000)).toBeCloseTo(1e-3, 10)
  expect(rateAt(1050, 2000)).toBeCloseTo(5.5e-4, 10)
  expect(rateAt(2000, 2000)).toBeCloseTo(1e-4, 10)
  expect(rateAt(3000, 2000)).toBeCloseTo(1e-4, 10)
})

describe.each([
  ['core', trainCore],
  ['layers', trainLayers],
] as const)('in %s', (_, train) => {
  test('it learns the poem, writes it, and leaves nothing behind', async () => {
    await expectNoLeaks(async () => {
      const { validationLoss, written } = await quietly(() => train({ seed: 1, steps: 400, prompt: 'the cat' }, { sizes, text }))
      expect(validationLoss).toBeLessThan(0.6)
      const words = written.split(/[ .]+/).slice(1, -1)
      expect(words.filter((word) => ['the', 'cat', 'sat', 'on', 'mat', 'rat'].includes(word)).length).toBeGreaterThan(0.8 * words.length)
    })
  })
})

test('a training in layers that stopped goes on with the bits of one that did not', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'gpt-'))
  try {
    const failing: Text = {
      ...text,
      batches: (length, seed) => {
        const all = text.batches(length, seed)
        const at = (step: number) => {
          if (step === 25) throw new Error('the power failed')
          return all.at(step)
        }
        return { ...all, at }
      },
    }
    const whole = await quietly(() => trainLayers({ seed: 1, steps: 40, prompt: 'the cat' }, { sizes, text }))
    await quietly(() => trainLayers({ seed: 1, steps: 40, prompt: 'the cat', out: dir }, { sizes, text: failing, pause: 10 })).catch(
      () => undefined,
    )
    const again = await quietly(() => trainLayers({ seed: 1, steps: 40, prompt: 'the cat', out: dir }, { sizes, text }))
    expect(again.validationLoss).toBe(whole.validationLoss)
    expect(again.written).toBe(whole.written)
  } finally {
    rmSync(dir, { recursive: true })
  }
})

test('a draw depends on the seed; top-k 1 takes the likeliest', async () => {
  const gpt = createGpt(sizes, key(4))
  const drawn = async (seed: number, topK: number) => {
    const ids: number[] = []
    for await (const id of write(gpt, [1], { count: 12, seed: key(seed), topK, temperature: 2 })) ids.push(id)
    return ids
  }
  expect(await drawn(1, 11)).toEqual(await drawn(1, 11))
  expect(await drawn(1, 11)).not.toEqual(await drawn(2, 11))
  expect(await drawn(1, 1)).toEqual(await drawn(2, 1))
})
