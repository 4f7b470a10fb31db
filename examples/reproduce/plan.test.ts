/** A run gives its figure and what is small of its report: no images. */
import { useBackend } from '@cotangent/core'
import { expect, test, vi } from 'vitest'
import type { Settings } from '../lib/arguments.js'
import { type Planned, planned } from './plan.js'

const absent = process.env.COTANGENT_DATA === undefined ? ' (needs COTANGENT_DATA)' : ''

async function runs(id: string, settings: Settings): Promise<void> {
  const plan = planned.find((each) => each.id === id) as Planned
  await useBackend('wasm')
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined)
  const write = vi.spyOn(process.stdout, 'write').mockImplementation(() => true)
  try {
    const { sections = [], weights } = await plan.run({ seed: 1, ...settings }, false)
    expect(weights).toMatch(/^[\da-f]{64}$/)
    expect(sections.map((section) => Object.keys(section))).toEqual([['kind', 'title', 'says', 'labels', 'counts']])
    const [matrix] = sections
    const counts = matrix.kind === 'confusion' ? matrix.counts.flat() : []
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(10_000)
  } finally {
    for (const spy of [log, write]) spy.mockRestore()
  }
}

test('an experiment', () => runs('mnist-mlp', { epochs: 1, limit: 500 }))
test.skipIf(absent)(`an example that belongs to no document${absent}`, () => runs('augment', { epochs: 1 }))
