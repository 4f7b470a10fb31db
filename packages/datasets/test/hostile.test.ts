/** Small files that ask for gigabytes, read in a separate process. The result is an error of ours, and the memory stays near the size of the file. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

interface Reading {
  said: string
  megabytes: number
}

/** The files ask for 600 MB to 2 GB. The limit leaves room for the text of commas, 64 MB, and for putting files together. */
const MOST_MEGABYTES = 120

const program = join(import.meta.dirname, 'hostile-process.ts')
const args = ['--max-old-space-size=300', '--conditions=@cotangent/source', '--import', 'tsx', program]
const readings = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as Record<string, Reading>

test.each([
  ['zip entries over one block', 'shares its bytes with another entry'],
  ['stored entries that lie about their size', '0 is stored, but its sizes differ: 1048576 and 0 bytes'],
  ['an honest bomb', 'zip data: unpacks to 671088640 bytes, more than the 268435456 expected at most'],
  ['an honest bomb in a .npz', '.npz data: unpacks to 671088640 bytes, more than the 268435456 expected at most'],
  ['a pickle of lists', 'more lists than its header announces, or other values'],
  ['a pickle of lists, announced', 'it holds 4194304 lists, more than the 1048576 expected at most'],
  ['a pickle of tuples', 'more lists than its header announces, or other values'],
  ['a pickle of names that skip', 'memo number 1000 out of order'],
  ['a header of commas', 'CSV: line 1: expected "Date Time" and columns of the station, found ""'],
  ['a row of commas', 'CSV: line 2: expected 5 values, found more than 15'],
])('%s', (name, message) => {
  expect(readings[name].said).toContain('DatasetError: ')
  expect(readings[name].said).toContain(message)
  expect(readings[name].megabytes).toBeLessThan(MOST_MEGABYTES)
})
