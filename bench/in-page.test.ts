/** The rows of a page: they exist, run, have kept figures to stand beside, and say when nothing can be said. */
import { expect, test } from 'vitest'
import { measureRow, onOneThread } from './in-page.js'
import { readKept } from './kept.js'
import { isCalm, pageRows, timesAsFast } from './page-rows.js'

onOneThread()

test('each row has kept figures on one thread', () => {
  const kept = [...readKept('training'), ...readKept('kernels'), ...readKept('recorded')].flatMap(({ rows }) => rows)
  for (const { name, library } of pageRows)
    expect(
      kept.some((row) => row.name === name && row.library === library && row.threads === 1),
      `${name} of ${library}`,
    ).toBe(true)
})

test.each([pageRows[0], pageRows[4]])('a row is measured: $title', async (row) => {
  const found = await measureRow(row, 1)
  expect(found).toMatchObject({ name: row.name, library: row.library, threads: 1 })
  const { median = 0, min = 0, max = 0, peak = 0, quiet } = found
  expect(min).toBeGreaterThan(0)
  expect(min).toBeLessThanOrEqual(median)
  expect(median).toBeLessThanOrEqual(max)
  expect(peak).toBeGreaterThan(0)
  expect(quiet?.of).toBeGreaterThanOrEqual(3)
})

test('few quiet samples give no verdict, and speed has a direction', () => {
  expect(isCalm({ quiet: { samples: 4, of: 90 } })).toBe(false)
  expect(isCalm({})).toBe(false)
  expect(isCalm({ quiet: { samples: 5, of: 90 } })).toBe(true)
  expect(timesAsFast(2, 4, 'ms')).toBe(2)
  expect(timesAsFast(2, 4, 'GFLOP/s')).toBe(0.5)
})
