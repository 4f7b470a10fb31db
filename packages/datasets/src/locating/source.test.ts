/** Every place data may come from and their order, with a dataset of a few bytes and directories of the test's own. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { filesIn, gzip, tempDir } from '../../test/helpers.js'
import { failure, fakeFetch, isTiny, load, offline, online, packedNames, put, tiny, tinyFiles, tinyPacked } from '../../test/tiny.js'
import { loadImages } from '../mnist/image-dataset.js'
import type { LoadOptions } from './dataset.js'
import { nodeHost } from './host.js'

describe('dir', () => {
  test.each([
    ['a folder of its name', 'tiny', false],
    ['a folder of its name, packed', 'tiny', true],
    ['the directory itself', '.', true],
    ['a folder as other tools make it', 'Tiny/raw', false],
  ])('finds the files in %s', async (_, folder, packed) => {
    const dir = await tempDir()
    await put(join(dir, folder), { packed })
    const data = await load({ dir })
    isTiny(data)
    expect(data.source).toBe(`directory ${join(dir, folder)}`)
  })

  test('accepts the spelling with a dot', async () => {
    const dir = await tempDir()
    for (const [name, bytes] of Object.entries(tinyFiles)) await writeFile(join(dir, name.replace('-idx', '.idx')), bytes)
    isTiny(await load({ dir }))
  })

  test('without the files is an error, even if another source has them', async () => {
    const dir = await tempDir()
    const fetch = online()
    const message = await failure(load({ dir, fetch }, { env: { COTANGENT_DATA: await put(await tempDir()) } }))
    expect(message).toBe(
      `Tiny: no files in the directory ${dir}: expected ${packedNames.join(', ')} (packed or unpacked) there or in ${join(dir, 'tiny')}`,
    )
    expect(fetch.asked).toEqual([])
  })

  test('that does not exist is named', async () => {
    const dir = join(await tempDir(), 'nothing')
    expect(await failure(load({ dir }))).toBe(`Tiny: directory ${dir} is not a directory`)
  })

  test('with some of the files names the missing ones', async () => {
    const dir = await put(await tempDir(), { change: { 't10k-images-idx3-ubyte': undefined } })
    expect(await failure(load({ dir }))).toBe(
      `Tiny: directory ${dir} is incomplete: ${dir} lacks t10k-images-idx3-ubyte.gz (or t10k-images-idx3-ubyte)`,
    )
  })

  test('with a truncated file names it, what was expected and what was found', async () => {
    const cut = tinyFiles['train-images-idx3-ubyte'].subarray(0, 20)
    const dir = await put(await tempDir(), { change: { 'train-images-idx3-ubyte': cut } })
    expect(await failure(load({ dir }))).toContain(
      `${join(dir, 'train-images-idx3-ubyte')}: expected the 28 bytes of Tiny's train-images-idx3-ubyte, found 20 (truncated?)`,
    )
  })

  test('with a truncated packed file says so', async () => {
    const cut = gzip(tinyFiles['train-labels-idx1-ubyte']).subarray(0, 22)
    const dir = await put(await tempDir(), { packed: true, change: { 'train-labels-idx1-ubyte': cut } })
    expect(await failure(load({ dir }))).toContain(
      `${join(dir, 'train-labels-idx1-ubyte.gz')}: truncated or damaged gzip data, 22 bytes long (`,
    )
  })

  test('with other content is refused, or taken with verify: false and said so', async () => {
    const other = Uint8Array.from(tinyFiles['train-labels-idx1-ubyte'])
    other[8] = 7
    const dir = await put(await tempDir(), { change: { 'train-labels-idx1-ubyte': other } })
    const message = await failure(load({ dir }))
    expect(message).toMatch(
      /train-labels-idx1-ubyte: not Tiny's train-labels-idx1-ubyte: expected SHA-256 \w{64}, found \w{64} \(damaged, or/,
    )
    expect(message).toContain('pass { verify: false }')
    const data = await load({ dir, verify: false })
    expect(data.yTrain.data[0]).toBe(7)
    expect(data.source).toBe(`directory ${dir} (not verified)`)
  })

  test('with verify: false still has to hold images and as many labels', async () => {
    const dir = await put(await tempDir(), { change: { 'train-labels-idx1-ubyte': tinyFiles['t10k-labels-idx1-ubyte'] } })
    expect(await failure(load({ dir, verify: false }))).toContain('3 training images, but 2 labels')
    await put(dir, { change: { 'train-labels-idx1-ubyte': tinyFiles['train-images-idx3-ubyte'] } })
    expect(await failure(load({ dir, verify: false }))).toContain(
      'train-labels-idx1-ubyte: expected uint8 with 1 axes, found uint8 of shape [3, 2, 2]',
    )
    await put(dir, { change: { 'train-images-idx3-ubyte': tinyFiles['train-images-idx3-ubyte'].subarray(0, 20) } })
    expect(await failure(load({ dir, verify: false }))).toContain(
      'truncated: uint8 of shape [3, 2, 2] is 28 bytes with its header, found 20',
    )
  })

  test('verify: false needs a dir', async () => {
    expect(await failure(load({ verify: false }))).toBe('Tiny: { verify: false } is for own data and needs { dir }')
  })
})

describe('order', () => {
  test('COTANGENT_DATA, cache, npm package, system package, download', async () => {
    const data = await tempDir()
    const cache = await tempDir()
    const app = await tempDir()
    const system = await tempDir()
    const npm = join(app, 'node_modules', 'tiny-data')
    const fetch = online()
    const options = { fetch }
    const env = { COTANGENT_DATA: data, COTANGENT_CACHE: join(cache, 'a') }
    const around = { env, packageRoots: ['/nonexistent', join(app, 'src', 'deep')], system }

    await put(join(data, 'tiny'))
    await put(join(cache, 'a', 'tiny'))
    await put(join(npm, 'data'))
    await writeFile(join(npm, 'package.json'), '{ "name": "tiny-data", "version": "1.0.0" }')
    await put(system)

    expect((await load(options, around)).source).toBe(`COTANGENT_DATA ${join(data, 'tiny')}`)
    env.COTANGENT_DATA = await tempDir()
    expect((await load(options, around)).source).toBe(`cache ${join(cache, 'a', 'tiny')}`)
    env.COTANGENT_CACHE = join(cache, 'b')
    const fromNpm = await load(options, around)
    isTiny(fromNpm)
    expect(fromNpm.source).toBe(`npm package tiny-data (${join(npm, 'data')})`)
    around.packageRoots = []
    expect((await load(options, around)).source).toBe(`package dataset-tiny (${system})`)
    around.system = '/nonexistent'
    expect(fetch.asked).toEqual([])
    const downloaded = await load(options, around)
    isTiny(downloaded)
    expect(downloaded.source).toBe(`download from https://first.example/tiny/ (kept in ${join(cache, 'b', 'tiny')})`)
    expect((await load({ fetch: offline }, around)).source).toBe(`cache ${join(cache, 'b', 'tiny')}`)
  })

  test('the cache is COTANGENT_CACHE, XDG_CACHE_HOME/cotangent or ~/.cache/cotangent', async () => {
    const home = await tempDir()
    const rootOf = async (env: Record<string, string>) => (await nodeHost({ env, home }))?.cacheRoot
    expect(await rootOf({})).toBe(join(home, '.cache', 'cotangent'))
    expect(await rootOf({ XDG_CACHE_HOME: '/x' })).toBe('/x/cotangent')
    expect(await rootOf({ XDG_CACHE_HOME: 'relative' })).toBe(join(home, '.cache', 'cotangent'))
    expect(await rootOf({ XDG_CACHE_HOME: '/x', COTANGENT_CACHE: '/c' })).toBe('/c')
  })

  test('COTANGENT_DATA that does not exist, or holds part of the dataset, is an error', async () => {
    const COTANGENT_DATA = join(await tempDir(), 'typo')
    expect(await failure(load({ fetch: online() }, { env: { COTANGENT_DATA } }))).toBe(
      `Tiny: COTANGENT_DATA ${COTANGENT_DATA} is not a directory`,
    )
    await put(COTANGENT_DATA, { change: { 'train-labels-idx1-ubyte': undefined } })
    expect(await failure(load({ fetch: online() }, { env: { COTANGENT_DATA } }))).toContain('is incomplete')
  })

  test('nowhere: one sentence with what to put where, and the places tried', async () => {
    const cache = join(await tempDir(), 'cache')
    const [sentence, ...places] = (await failure(load({}, { env: { COTANGENT_CACHE: cache } }))).split('\n')
    expect(sentence).toBe(
      `Tiny is not on this machine and was not downloaded: put ${packedNames.join(', ')} (packed or unpacked) into ${join(cache, 'tiny')}, ` +
        'or into a directory passed as { dir } or named by COTANGENT_DATA, or run "npm install tiny-data", or install the Debian package dataset-tiny.',
    )
    expect(places).toEqual([
      'Tried:',
      '  - COTANGENT_DATA: not set',
      `  - cache: no files in ${join(cache, 'tiny')}`,
      '  - npm package tiny-data: not installed',
      '  - package dataset-tiny: no files in /nonexistent/tiny',
      '  - https://first.example/tiny/train-images-idx3-ubyte.gz: fetch failed (getaddrinfo ENOTFOUND first.example)',
      '  - https://second.example/tiny/train-images-idx3-ubyte.gz: fetch failed (getaddrinfo ENOTFOUND first.example)',
    ])
    expect(await filesIn(cache)).toEqual([])
  })

  test('download: false never asks the network', async () => {
    const fetch = online()
    expect(await failure(load({ fetch, download: false }))).toContain('  - download: turned off')
    expect(fetch.asked).toEqual([])
  })
})

describe('in a browser', () => {
  const inPage = (options: LoadOptions) => loadImages(tiny(), options, null)

  test('loads from baseUrl', async () => {
    const data = await inPage({ baseUrl: '/data/', fetch: fakeFetch((url) => new Response(tinyPacked(url))) })
    isTiny(data)
    expect(data.source).toBe('download from /data/')
  })
  test.each<[string, LoadOptions]>([
    ['nothing', {}],
    ['a dir', { dir: 'data' }],
    ['no network', { baseUrl: '/data/', download: false }],
  ])('says how with %s', async (_, options) => {
    expect(await failure(inPage({ fetch: online(), ...options }))).toBe(
      `Tiny: a page reads its data over HTTP: put ${packedNames.join(', ')} on your server and pass the address of their folder as { baseUrl }.`,
    )
  })
  test('lists what failed', async () => {
    const fetch = fakeFetch(() => new Response('', { status: 404 }))
    expect(await failure(inPage({ baseUrl: '/data', fetch }))).toContain('Tried:\n  - /data/train-images-idx3-ubyte.gz: HTTP 404')
  })
})
