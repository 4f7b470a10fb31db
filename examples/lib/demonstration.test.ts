/** Demonstrations get the flags that they take, and those for the engine count before they run. */
import { fileURLToPath } from 'node:url'
import { useBackend } from '@cotangent/core'
import { expect, test } from 'vitest'
import { runDemonstration } from './demonstration.js'

test('--threads counts', async () => {
  const seen: unknown[] = []
  const run = async (): Promise<void> => void seen.push((await useBackend('wasm')).info?.().threads)
  const lesson = { id: 'lesson', title: 'A lesson', flags: ['threads'], run } as const
  await runDemonstration(lesson, { threads: 2 })
  expect(seen).toEqual([2])
})

test('what the run gave is handed on', async () => {
  const lesson = { id: 'lesson', title: 'A lesson', flags: [], run: async () => 42 } as const
  expect(await runDemonstration(lesson, {})).toBe(42)
})

test('a flag that means nothing to it is a mistake', async () => {
  const lesson = { id: 'lesson', title: 'A lesson', flags: ['seed'], run: () => undefined } as const
  await expect(runDemonstration(lesson, { epochs: 2 })).rejects.toThrow('--epochs means nothing to lesson. It takes --seed.')
})

test('an --out that cannot be written to is refused before the run', async () => {
  let runs = 0
  const lesson = { id: 'lesson', title: 'A lesson', flags: ['out'], run: () => runs++ } as const
  await expect(runDemonstration(lesson, { out: fileURLToPath(import.meta.url) })).rejects.toThrow(/--out: can't write into/)
  expect(runs).toBe(0)
})
