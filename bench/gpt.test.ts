/** The row `gpt` in a small size: our libraries learn it, and installed peers compute the same from the same weights. */
import { describe, expect, test } from 'vitest'
import { type LibraryName, libraryEntry } from './adapter.js'
import { startContestant } from './contestant.js'
import { type GptWorkload, gpt, gptFlops, textsOf } from './gpt.js'
import { cotangent } from './libraries/cotangent.js'
import { cotangentCore } from './libraries/cotangent-core.js'
import { howToInstall, peerVersions } from './peers.js'

const small: GptWorkload = { ...gpt, vocabulary: 11, context: 8, layers: 2, heads: 2, width: 16, batch: 6 }

test('texts follow their rule, and what comes next is what came next', () => {
  const [{ ids, next }, second] = textsOf(small, 7)
  expect(textsOf(small, 7)[0]).toEqual({ ids, next })
  expect(second).not.toEqual({ ids, next })
  const followed = [...ids].filter((id, i) => next[i] === (id * 3 + 1) % 11).length
  expect(followed).toBeGreaterThan(0.6 * ids.length)
  expect(followed).toBeLessThan(ids.length)
  for (let i = 0; i < ids.length - 1; i++) if (i % 8 !== 7) expect(ids[i + 1]).toBe(next[i])
})

test('a step of the whole row is 4 GFLOP', () => {
  // 6 for each of the 794,752 numbers of its matrices and each character, and attention's products of 64 × 64.
  expect(gptFlops(gpt)).toBe(6 * 768 * (4 * 12 * 128 ** 2 + 65 * 128) + 3 * 4 * (2 * 2 * 12 * 64 * 64 * 128))
})

test.each([
  ['layers', cotangent],
  ['core', cotangentCore],
] as const)('ours learn it, in %s', async (_, make) => {
  const prepared = await make().prepare(small, 7)
  const first = Number(await prepared.run(1))
  expect(first).toBeGreaterThan(0.8 * Math.log(11))
  expect(Number(await prepared.run(150))).toBeLessThan(0.7 * first)
  prepared.dispose()
})

describe.each(['torch-1', 'jax'] as const)('%s', (library: LibraryName) => {
  const { peer = '' } = libraryEntry(library)
  const version = peerVersions(peer)?.[peer]
  // PyTorch 1 has no attention of its own.
  const because =
    version === undefined ? howToInstall(peer) : /^1\b/.test(version) && peer === 'torch' ? `PyTorch ${version} is too old` : undefined
  test.skipIf(because !== undefined)(
    `has our losses from the same weights${because === undefined ? '' : ` (skipped: ${because})`}`,
    { timeout: 120_000 },
    async () => {
      const workload = { ...small, fixedWeights: true }
      const ours = await cotangentCore().prepare(workload, 7)
      const contestant = await startContestant(library)
      try {
        await contestant.prepare(workload, 7)
        for (let step = 0; step < 12; step++) {
          const expected = Number(await ours.run(1))
          expect(Math.abs((await contestant.run(1)).value / expected - 1), `step ${step}`).toBeLessThan(1e-4)
        }
      } finally {
        contestant.close()
        ours.dispose()
      }
    },
  )
})
