/** The raw reviews of IMDB, a few made to order; the real ones are in imdb.test.ts. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createTar } from 'nanotar'
import { describe, expect, test } from 'vitest'
import { gzip, tempDir } from '../../test/helpers.js'
import { failure } from '../../test/tiny.js'
import { nodeHost } from '../locating/host.js'
import { loadReviewsOn, type ReviewOptions, rankReviews } from './reviews.js'

/** The contents of the folders of reviews made for the test. */
const dataTree: Record<string, Record<string, string>> = {
  'train/neg': { '0_1.txt': 'Bad.', '10_2.txt': 'Very  bad!', '1_4.txt': '', 'notes.md': 'no review' },
  'train/pos': { '3_9.txt': 'Good\r\nfilm', '2_10.txt': 'Très bon' },
}

async function writeTree(dir: string): Promise<string> {
  for (const [folder, files] of Object.entries(dataTree)) {
    await mkdir(join(dir, folder), { recursive: true })
    for (const [name, text] of Object.entries(files)) await writeFile(join(dir, folder, name), text)
  }
  return dir
}
const tar = (inside: (folder: string) => boolean): Uint8Array =>
  gzip(
    createTar(
      Object.entries(dataTree)
        .filter(([folder]) => inside(folder))
        .flatMap(([folder, files]) => Object.entries(files).map(([name, data]) => ({ name: `aclImdb/${folder}/${name}`, data })))
        // The order in an archive is not that of names.
        .reverse(),
    ),
  )

describe('loadReviews', () => {
  const expected = {
    texts: ['Bad.', 'Very  bad!', '', 'Très bon', 'Good\nfilm'],
    names: ['neg/0_1.txt', 'neg/10_2.txt', 'neg/1_4.txt', 'pos/2_10.txt', 'pos/3_9.txt'],
    labels: { shape: [5], data: Uint8Array.of(0, 0, 0, 1, 1) },
  }
  const load = async (options: ReviewOptions, env = {}) =>
    loadReviewsOn(options, await nodeHost({ env, home: await tempDir(), packageRoots: [] }))

  test('from a tree, bad ones first, by name', async () => {
    const dir = await tempDir()
    await writeTree(join(dir, 'imdb/aclImdb'))
    expect(await load({ dir })).toMatchObject(expected)
    expect(await load({}, { COTANGENT_DATA: dir })).toMatchObject(expected)
    expect(await load({ dir: join(dir, 'imdb/aclImdb') })).toMatchObject(expected)
  })

  test('from archives', async () => {
    const dir = await tempDir()
    for (const half of ['neg', 'pos'])
      await writeFile(
        join(dir, `aclImdb_train_${half}.tar.gz`),
        tar((folder) => folder.endsWith(half)),
      )
    expect(await load({ dir })).toMatchObject(expected)
    const whole = await tempDir()
    await writeFile(
      join(whole, 'aclImdb_v1.tar.gz'),
      tar(() => true),
    )
    expect(await load({ dir: whole })).toMatchObject(expected)
  })

  test('a truncated archive, one that is none, one without reviews', async () => {
    const dir = await tempDir()
    const path = join(dir, 'aclImdb_train_neg.tar.gz')
    const good = tar((folder) => folder.endsWith('neg'))
    await writeFile(path, good.subarray(0, 100))
    expect(await failure(load({ dir }))).toContain(`${path}: truncated or damaged gzip data`)
    await writeFile(path, gzip(new Uint8Array(3000).fill(65)))
    expect(await failure(load({ dir }))).toContain(path)
    await writeFile(path, good)
    expect(await failure(load({ dir }))).toContain(`${dir} has no train/pos, only the other half`)
    await writeFile(
      join(dir, 'aclImdb_train_pos.tar.gz'),
      tar((folder) => folder.endsWith('neg')),
    )
    expect(await failure(load({ dir }))).toContain('there are no train/pos/*.txt in ')
  })

  test('an archive whose sizes lead back to its start, or nowhere, or whose files have one name', async () => {
    const dir = await tempDir()
    const path = join(dir, 'aclImdb_train_neg.tar.gz')
    const entry = (name: string) => ({ name: `aclImdb/train/neg/${name}`, data: 'x' })
    const good = createTar([entry('a.txt'), entry('b.txt')])
    const sized = (size: string): Uint8Array => {
      const bytes = good.slice()
      bytes.set(new TextEncoder().encode(size.padEnd(12, '\0')), 1024 + 124)
      // With a checksum that is right: the sum of the bytes, its own eight as blanks.
      const sum = bytes.subarray(1024, 1536).reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 32 : byte), 0)
      bytes.set(new TextEncoder().encode(`${sum.toString(8).padStart(6, '0')}\0 `), 1024 + 148)
      return bytes
    }
    for (const bytes of [sized('-2000'), sized('x'), sized(''), good.with(1024 + 5, 65)]) {
      await writeFile(path, gzip(bytes))
      expect(await failure(load({ dir }))).toBe(
        `${path}: no tar archive, or a truncated or damaged one (its header at byte 1024 is damaged)`,
      )
    }
    await writeFile(path, gzip(createTar([entry('a.txt'), entry('a.txt')])))
    expect(await failure(load({ dir }))).toContain('two files of it have one name')
  })

  test('nowhere: what to put where', async () => {
    const message = await failure(load({ part: 'test' }))
    expect(message).toMatch(
      /^IMDB's reviews \(test\) are not on this machine: download aclImdb_v1\.tar\.gz from https:\/\/ai\.stanford\.edu/,
    )
  })

  test('ranks words as the archive was made: ASCII case only, apostrophes stay, unknown words go', () => {
    const words = new Map([
      ["it's", 1],
      ['Été', 2],
      ['a', 3],
      ['b', 4],
      ['\u0096', 5],
    ])
    expect(rankReviews(["IT'S Été,été A-B \u0096\n", ''], words)).toEqual([Int32Array.of(1, 2, 3, 4, 5), new Int32Array(0)])
  })
})
