/** The runs that are kept, and the document that is made of them. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { merged, readKept } from './kept.js'
import { keptNames, type RecordRow, type RunRecord } from './records.js'
import { document, withTables } from './speed-tables.js'

test('docs/speed.md has the figures of the kept runs (npm run bench -- tables)', () => {
  const text = readFileSync(document, 'utf8')
  expect(withTables(text)).toBe(text)
  expect(() => withTables('# Speed')).toThrow('has no place for the table "training"')
})

test('kept files have sound rows, with machine and day', () => {
  for (const name of keptNames) {
    for (const { machine, from, rows } of readKept(name)) {
      expect(machine.node, name).toMatch(/^v\d+/)
      expect(from.length).toBeGreaterThan(0)
      for (const { median = 0, min = 0, max = 0 } of rows) {
        expect(min, name).toBeLessThanOrEqual(median)
        expect(median).toBeLessThanOrEqual(max)
        expect(min).toBeGreaterThan(0)
      }
    }
  }
})

test('a row of a later run takes the place of all libraries of that row', () => {
  const row = (name: string, library: string, median: number): RecordRow => ({
    ...{ suite: 'models', name, shape: '1', library, threads: 1, unit: 'ms' },
    ...{ median, min: median, max: median },
  })
  const run = (node: string, rows: RecordRow[], cpu = 'one'): RunRecord => ({
    machine: { cpu, cores: 2, memoryGiB: 8, platform: 'p', node, v8: '1', simd256: false, load: { before: [1], after: [2] } },
    versions: {},
    date: '2026-01-01T00:00:00Z',
    rows,
  })
  const failed: RecordRow = { ...row('b', 'x', 1), median: undefined, error: 'no' }
  const [first, second] = merged([
    run('v1', [row('a', 'x', 1), row('a', 'y', 2), row('b', 'x', 3)]),
    run('v1', [row('a', 'x', 4), failed]),
    run('v2', [row('a', 'x', 5)]),
  ])
  expect(first.rows.map(({ name, library, median }) => `${name} ${library} ${median}`)).toEqual(['b x 3', 'a x 4'])
  expect(first.from).toHaveLength(2)
  expect(second.rows).toHaveLength(1)
  expect(() => merged([run('v1', []), run('v1', [], 'two')])).toThrow('come from two machines, one and two')
})
