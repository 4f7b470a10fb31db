/** CHANGELOG.md is merged as a union of lines, so that a line that two branches changed stands there twice, with the same beginning. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

/** Characters after which two lines are taken for the same: items of a family begin alike, but not as far. */
const BEGINNING = 40

test('no line of the changelog stands there twice', () => {
  const lines = readFileSync(new URL('../../CHANGELOG.md', import.meta.url), 'utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.length > 0)
  expect(lines.length).toBeGreaterThan(80)
  const beginnings = lines.map((line) => line.slice(0, BEGINNING))
  expect(lines.filter((_, i) => beginnings.indexOf(beginnings[i]) !== i)).toEqual([])
})
