/** The gpu backend on headless-gl (WebGL 1 on the system's OpenGL), if it is installed. Its trainings are in the layers' gpu-training.test.ts. */
import { describe, expect, test } from 'vitest'
import { registry } from '../../src/index.js'
import { withoutHeadlessGl } from '../headless-gl.js'
import * as checks from './checks.js'

const ops = [...registry.values()].filter((op) => op.samples.length > 0)

describe.skipIf(withoutHeadlessGl)(`headlessgl${withoutHeadlessGl}`, () => {
  test('the op sweep', async () => {
    const found = await checks.sweep('headlessgl')
    expect(found).toEqual({ mode: 'headlessgl', ops: ops.length, cases: expect.any(Number), wrong: [], buffers: 0 })
  }, 1_200_000)

  test('NaN and infinity, bad indices, evicted kernels, backends in a row', async () => {
    expect(await checks.notFinite('headlessgl')).toEqual([
      [0, 1, 0, 0, 0],
      [1, 0, 0, 0, 1],
      [1, 0, 1, 1, 1],
    ])
    expect(await checks.misplacedNaN('headlessgl')).toEqual([])
    const indices = await checks.badIndices('headlessgl')
    expect(indices.uploaded).toMatch(/ValueError: .*index 3 at position 1/)
    expect(indices.atCall).toContain('index 3 at position 1')
    expect(indices).toMatchObject({ afterwards: [1, 2, 3, 4, 5, 6], good: [3, 4, 5, 6] })
    const { values, kernels, afterwards } = await checks.evicted('headlessgl')
    expect(values).toEqual([1, 2, 3, 4, 5, 6].map((n) => new Array(n).fill(n * n)))
    expect(kernels).toBe(12)
    expect(afterwards.kernels).toBeLessThanOrEqual(3)
    expect(await checks.again('headlessgl', 20)).toEqual([361, 4])
  })

  test('rows taken many times', async () => {
    expect(await checks.manyIndices('headlessgl')).toBe(0)
  })

  test('long reductions', async () => {
    expect(await checks.longReductions('headlessgl')).toEqual([])
    expect(await checks.longReductions('headlessgl', { integer: 1000, turns: 500 })).toEqual([])
  })

  test('outputs wider than a texture, and more elements than float32 counts', async () => {
    expect(await checks.wide('headlessgl', 20_000)).toBe(0)
    expect(await checks.long('headlessgl')).toBe(0)
    await expect(checks.wide('headlessgl', 20_000, true)).rejects.toThrow(/larger than/)
    expect(await checks.huge('headlessgl')).toBe(0)
    expect(await checks.tall('headlessgl')).toBe(0)
  })
})
