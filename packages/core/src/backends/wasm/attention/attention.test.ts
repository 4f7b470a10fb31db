/** Attention in blocks: values and gradients of the reference for ragged sizes, all that closes scores, and sizes beyond scratch memory; threads change no bit; no block of memory is as large as the scores. */
import { afterAll, describe, expect, test } from 'vitest'
import { threadedBackend } from '../../../../test/threads.js'
import * as c from '../../../index.js'
import { Engine } from '../engine/engine.js'
import { scratchOf } from '../engine/memory.js'
import { createBackendOn } from '../index.js'

interface Case {
  /** Samples, queries, keys, heads of keys, heads of queries for each, numbers of a key, numbers of a value. */
  readonly sizes: readonly [b: number, t: number, s: number, groups: number, share: number, d: number, e: number]
  readonly causal?: boolean
  /** The shape of a mask, of which three quarters are closed. */
  readonly mask?: readonly number[]
  /** The shape of a bias, of which a third is −∞. */
  readonly bias?: readonly number[]
}

/** Sizes that fill tiles, units and blocks, and that do not. */
const cases: readonly Case[] = [
  { sizes: [2, 64, 64, 2, 1, 32, 32], causal: true },
  { sizes: [1, 131, 131, 1, 2, 5, 3], causal: true },
  { sizes: [1, 70, 9, 1, 1, 8, 16], causal: true },
  { sizes: [1, 9, 150, 2, 1, 11, 4], causal: true },
  { sizes: [2, 65, 130, 2, 3, 3, 17] },
  { sizes: [1, 1, 1, 1, 1, 1, 1] },
  { sizes: [1, 2, 3, 1, 1, 0, 2], causal: true },
  { sizes: [1, 2, 3, 1, 1, 2, 0] },
  { sizes: [1, 0, 3, 1, 1, 2, 2] },
  { sizes: [2, 66, 131, 1, 2, 7, 7], mask: [2, 1, 1, 131] },
  { sizes: [1, 67, 133, 2, 1, 4, 6], mask: [67, 133], causal: true },
  { sizes: [2, 33, 70, 1, 2, 9, 2], bias: [2, 33, 70], causal: true },
  { sizes: [1, 66, 65, 1, 1, 6, 5], mask: [1, 1, 66, 65], bias: [66, 1] },
  { sizes: [1, 3, 17_000, 1, 1, 2, 2], mask: [3, 17_000] },
  { sizes: [1, 2, 3, 1, 1, 12_000, 1], causal: true },
]

/** y, then the cotangents of query, key, value and bias. */
function run(backend: c.Backend, { sizes: [b, t, s, groups, share, d, e], causal = false, mask, bias }: Case): Float32Array[] {
  const shapes = [
    [b, t, groups * share, d],
    [b, s, groups, d],
    [b, s, groups, e],
    [b, t, groups * share, e],
  ]
  return c.withBackend(backend, () =>
    c.scope(() => {
      const [query, key, value, dY] = shapes.map((shape, i) => c.normal(c.key(i), shape, { dtype: 'float32' }))
      const draw = (seed: number, shape: readonly number[]): c.Tensor => c.uniform(c.key(seed), [...shape], { dtype: 'float32' })
      const open = mask && draw(5, mask).greater(0.75)
      const biases = bias ? [c.where(draw(6, bias).greater(1 / 3), draw(7, bias), -Infinity)] : []
      const attend = (q: c.Tensor, k: c.Tensor, v: c.Tensor, given?: c.Tensor): c.Tensor =>
        c.scaledDotProductAttention(q, k, v, { causal, mask: open, bias: given })
      const { value: y, grads } = c.vjp(attend as (...xs: c.Tensor[]) => c.Tensor, [query, key, value, ...biases], dY)
      return [y, ...grads].map((x) => backend.readSync?.(x.storage) as Float32Array)
    }),
  )
}

const reference = c.createReferenceBackend()
const wasm = [true, false].map((relaxedSimd) => {
  const engine = new Engine({ threads: 1, relaxedSimd })
  return { name: `wasm, relaxedSimd ${relaxedSimd}`, engine, backend: createBackendOn(engine) }
})
const names = ['y', 'dQuery', 'dKey', 'dValue', 'dBias']

afterAll(async () => {
  for (const { backend } of wasm) await backend.dispose?.()
})

describe.each(cases)('$sizes causal $causal mask $mask bias $bias', (each) => {
  const want = run(reference, each)
  test.each(wasm)('$name', ({ backend, engine }) => {
    // Scratch memory holds whatever an earlier kernel left; none of it may come through.
    engine.memory.floats.fill(Number.NaN, scratchOf(0) / 4, scratchOf(1) / 4)
    for (const [i, got] of run(backend, each).entries()) {
      const size = want[i].reduce((most, x) => Math.max(most, Math.abs(x)), 1)
      const worst = got.reduce((most, x, j) => Math.max(most, Number.isNaN(x) ? Infinity : Math.abs(x - want[i][j])), 0)
      expect(worst / size, names[i]).toBeLessThan(2e-5)
    }
    expect(backend.memory().buffers).toBe(0)
  })
})

test('threads change no bit', async () => {
  const all = (backend: c.Backend): Float32Array[] => cases.slice(0, 10).flatMap((each) => run(backend, each))
  const want = all(wasm[0].backend)
  for (const threads of [2, 8]) {
    const { backend, helped } = await threadedBackend({ threads })
    expect(all(backend)).toEqual(want)
    expect(helped()).toBeGreaterThan(0)
    await backend.dispose?.()
  }
})

test('no block of memory is as large as the scores, nor as those of one head', () => {
  const engine = new Engine({ threads: 1 })
  const backend = createBackendOn(engine)
  let largest = 0
  const alloc = engine.memory.alloc.bind(engine.memory)
  engine.memory.alloc = (bytes) => {
    largest = Math.max(largest, bytes)
    return alloc(bytes)
  }
  run(backend, { sizes: [1, 400, 400, 2, 1, 4, 4], causal: true })
  expect(largest).toBeLessThan(4 * 400 * 400 * 0.1)
})
