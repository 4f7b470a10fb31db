/** Tiny Shakespeare: a text made to order always, the real one from COTANGENT_DATA when it is set. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { key } from '@cotangent/core'
import { expect, test } from 'vitest'
import { gzip, tempDir } from '../../test/helpers.js'
import { failure, fakeFetch } from '../../test/tiny.js'
import type { LoadOptions } from '../locating/dataset.js'
import { nodeHost } from '../locating/host.js'
import { tokenWindows } from '../sequence/token-windows.js'
import { CharacterVocabulary } from '../text/characters.js'
import { loadText } from './load.js'
import { publishedShakespeare } from './published.js'

const text = 'To be, or not to be\n'
const bytes = new TextEncoder().encode(text)
const [file] = publishedShakespeare.files
const tiny = {
  ...publishedShakespeare,
  files: [{ ...file, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }],
}
const load = async (options: LoadOptions, env = {}) =>
  loadText(options, await nodeHost({ env, home: await tempDir(), packageRoots: [] }), tiny)

async function folderWith(name: string, content: Uint8Array | string): Promise<string> {
  const dir = await tempDir()
  await mkdir(join(dir, 'shakespeare'))
  await writeFile(join(dir, 'shakespeare', name), content)
  return dir
}

test.each([
  ['input.txt', bytes],
  ['input.txt.gz', gzip(bytes)],
  ['tinyshakespeare.txt', bytes],
])('%s in a folder', async (name, content) => {
  const dir = await folderWith(name, content)
  const data = await load({ dir })
  expect(data).toEqual({
    text,
    trainText: 'To be, or not to b',
    validationText: 'e\n',
    source: `directory ${join(dir, 'shakespeare')}`,
  })
  expect((await load({}, { COTANGENT_DATA: dir })).text).toBe(text)
})

test('from the published address, once; then from the cache', async () => {
  const cache = { COTANGENT_CACHE: await tempDir() }
  const fetch = fakeFetch(() => new Response(bytes))
  expect((await load({ fetch }, cache)).text).toBe(text)
  expect(fetch.asked).toEqual(['https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt'])
  expect((await load({ download: false }, cache)).source).toContain('cache')
})

test('another text is refused, or taken with verify: false if it is UTF-8', async () => {
  const dir = await folderWith('input.txt', 'To be, or not to me\n')
  expect(await failure(load({ dir }))).toContain("not Tiny Shakespeare's input.txt: expected SHA-256")
  expect((await load({ dir, verify: false })).text).toBe('To be, or not to me\n')
  const broken = await folderWith('input.txt', Uint8Array.of(0x54, 0xff))
  expect(await failure(load({ dir: broken, verify: false }))).toMatch(/input\.txt is not UTF-8$/)
})

test('nowhere: what to put where', async () => {
  expect(await failure(load({ download: false }))).toContain(
    'Tiny Shakespeare is not on this machine and was not downloaded: put input.txt',
  )
})

const root = process.env.COTANGENT_DATA
const why = !root ? ' (COTANGENT_DATA is not set)' : existsSync(join(root, 'shakespeare')) ? '' : ' (COTANGENT_DATA has no shakespeare)'
test.skipIf(why)(`the real text: sizes, split and numbers of characters as in nanoGPT${why}`, async () => {
  const host = await nodeHost({ env: { COTANGENT_DATA: root }, home: await tempDir(), packageRoots: [] })
  const { text, trainText, validationText, source } = await loadText({ download: false }, host)
  expect(source).toContain('COTANGENT_DATA')
  expect([text.length, trainText.length, validationText.length]).toEqual([1115394, 1003854, 111540])
  expect(text.split('\n').length - 1).toBe(40000)
  expect(trainText + validationText).toBe(text)
  const vocabulary = new CharacterVocabulary(text)
  expect(vocabulary.characters.join('')).toBe("\n !$&',-.3:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
  expect([...vocabulary.encode('First')]).toEqual([18, 47, 56, 57, 58])
  const tokens = vocabulary.encode(text)
  expect(vocabulary.decode(tokens)).toBe(text)
  const [[x, y]] = tokenWindows(tokens, { length: 64, batchSize: 12, key: key(1) })
  expect(vocabulary.decode(x.data.subarray(1, 64))).toBe(vocabulary.decode(y.data.subarray(0, 63)))
  expect(text).toContain(vocabulary.decode(x.data.subarray(64, 128)))
})
