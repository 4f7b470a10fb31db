/** Downloads good and bad, from a fetch that is a table; the cache never holds part of a file. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { filesIn, gzip, tempDir } from '../../test/helpers.js'
import {
  breaksOff,
  failure,
  fakeFetch,
  isTiny,
  load,
  names,
  offline,
  online,
  packedNames,
  put,
  tinyFiles,
  tinyPacked,
} from '../../test/tiny.js'

describe('download', () => {
  const cached = async () => {
    const COTANGENT_CACHE = await tempDir()
    return { env: { COTANGENT_CACHE }, cache: COTANGENT_CACHE }
  }

  test('reports each file and keeps what it got, as it came', async () => {
    const { env, cache } = await cached()
    const urls: string[] = []
    isTiny(await load({ fetch: online(), onDownload: (url) => urls.push(url) }, { env }))
    expect(urls).toEqual(packedNames.map((name) => `https://first.example/tiny/${name}`))
    expect(await filesIn(cache)).toEqual([...packedNames].sort())
  })

  test('takes a file that the server unpacked', async () => {
    const { env, cache } = await cached()
    const fetch = fakeFetch((url) => new Response(new Uint8Array(tinyFiles[url.replace(/^.*\/|\.gz$/g, '')])))
    isTiny(await load({ fetch }, { env }))
    expect(await filesIn(cache)).toEqual([...names].sort())
  })

  test('baseUrl takes the place of the published addresses', async () => {
    const fetch = online()
    const { source } = await load({ fetch, baseUrl: 'http://mirror.example/data' })
    expect(fetch.asked[0]).toBe('http://mirror.example/data/train-images-idx3-ubyte.gz')
    expect(source).toContain('download from http://mirror.example/data (kept in')
  })

  const wrong = gzip(Uint8Array.from(tinyFiles['train-images-idx3-ubyte'], (x, i) => (i === 20 ? x ^ 1 : x)))
  const bad: [string, (url: string) => Response, RegExp][] = [
    [
      'a wrong checksum',
      () => new Response(new Uint8Array(wrong)),
      /not Tiny's train-images-idx3-ubyte: expected SHA-256 \w{64}, found \w{64}/,
    ],
    ['HTTP 404', () => new Response('no', { status: 404, statusText: 'Not Found' }), /gz: HTTP 404 Not Found/],
    ['a body that breaks off', (url) => breaksOff(tinyPacked(url)), /gz: terminated/],
    ['a body that ends early', (url) => new Response(tinyPacked(url).subarray(0, 25)), /gz: truncated or damaged gzip data, 25 bytes long/],
    ['a page instead of the file', () => new Response('<!doctype html>'), /expected the 28 bytes .* found 15 \(an HTML page\?\)/],
    ['an endless body', () => new Response(new Uint8Array(1 << 20)), /the response is longer than the 4124 bytes expected at most/],
    ['an empty response', () => new Response(null), /the response is empty/],
  ]
  test.each(bad)('%s at one address: the next one is used', async (_, answer) => {
    const { env, cache } = await cached()
    const fetch = fakeFetch((url) => (url.startsWith('https://first') ? answer(url) : new Response(tinyPacked(url))))
    const data = await load({ fetch }, { env })
    isTiny(data)
    expect(data.source).toContain('download from https://second.example/tiny (kept')
    expect(await filesIn(cache)).toEqual([...packedNames].sort())
    isTiny(await load({ fetch: offline }, { env }))
  })
  test.each(bad)('%s everywhere: an error that says so, nothing in the cache', async (_, answer, message) => {
    const { env, cache } = await cached()
    expect(await failure(load({ fetch: fakeFetch(answer) }, { env }))).toMatch(message)
    expect(await filesIn(cache)).toEqual([])
  })

  test('a later file that fails leaves only whole files, and the next run goes on from there', async () => {
    const { env, cache } = await cached()
    const fetch = fakeFetch((url) => (url.includes('t10k-images') ? breaksOff(tinyPacked(url)) : new Response(tinyPacked(url))))
    await failure(load({ fetch }, { env }))
    expect(await filesIn(cache)).toEqual(['train-images-idx3-ubyte.gz', 'train-labels-idx1-ubyte.gz'])
    const again = online()
    isTiny(await load({ fetch: again }, { env }))
    expect(again.asked.map((url) => url.replace(/^.*\//, ''))).toEqual(['t10k-images-idx3-ubyte.gz', 't10k-labels-idx1-ubyte.gz'])
  })

  test.each([false, true])('a damaged file in the cache (packed: %s) is named, passed over and mended', async (packed) => {
    const { env, cache } = await cached()
    const change = { 'train-images-idx3-ubyte': Uint8Array.of(31, 139, 1) }
    await put(join(cache, 'tiny'), { packed, change })
    const message = await failure(load({}, { env }))
    expect(message).toContain(`cache: ${join(cache, 'tiny', 'train-images-idx3-ubyte')}${packed ? '.gz' : ''}: truncated or damaged`)
    const fetch = online()
    isTiny(await load({ fetch }, { env }))
    expect(fetch.asked).toHaveLength(1)
    isTiny(await load({ fetch: offline }, { env }))
  })

  test('an aborted download rejects with the reason of the signal and keeps nothing', async () => {
    const { env, cache } = await cached()
    const controller = new AbortController()
    const reason = new Error('enough')
    const fetch = fakeFetch((url) => {
      controller.abort(reason)
      return breaksOff(tinyPacked(url))
    })
    await expect(load({ fetch, signal: controller.signal }, { env })).rejects.toBe(reason)
    expect(fetch.asked).toHaveLength(1)
    expect(await filesIn(cache)).toEqual([])
  })

  test('a cache that cannot be written does not stop it', async () => {
    const COTANGENT_CACHE = join(await tempDir(), 'file')
    await writeFile(COTANGENT_CACHE, '')
    const data = await load({ fetch: online() }, { env: { COTANGENT_CACHE } })
    isTiny(data)
    expect(data.source).toMatch(/^download from https:\/\/first\.example\/tiny\/ \(not kept: E/)
  })

  test('several at once leave whole files', async () => {
    const { env, cache } = await cached()
    for (const data of await Promise.all(Array.from({ length: 8 }, () => load({ fetch: online() }, { env })))) isTiny(data)
    expect(await filesIn(cache)).toEqual([...packedNames].sort())
  })
})
