/** Reads some mutants of the files of every reader. `npm run fuzz` reads thousands. */
import { expect, test } from 'vitest'
import { fuzz } from './fuzz/fuzz.js'

test('damaged files load, or are refused by an error of ours that names the file', async () => {
  const { bad, counts } = await fuzz('mixed', 0, 1000)
  expect(bad).toEqual([])
  // Some files are read and some refused: otherwise this would test nothing.
  expect(counts.get('loads')).toBeGreaterThan(100)
  expect(counts.get('refused')).toBeGreaterThan(400)
})
