/** Some mutants of the files of every reader; `npm run fuzz` reads thousands. */
import { expect, test } from 'vitest'
import { fuzz } from './fuzz/fuzz.js'

test('damaged files load, or are refused by an error of ours that names the file', async () => {
  const { bad, counts } = await fuzz('mixed', 0, 1000)
  expect(bad).toEqual([])
  // Both happen: files that are all refused, or all read, would test nothing.
  expect(counts.get('loads')).toBeGreaterThan(100)
  expect(counts.get('refused')).toBeGreaterThan(400)
})
