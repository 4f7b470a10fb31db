/** All ops in a page of a browser have the bits of Node, on one thread and on two, under a strict policy, in a worker. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { tested, without } from './browsers.js'
import { isolated, openSite, type Site, strict, withoutChromium } from './harness.js'
import * as node from './page.js'

let here: Awaited<ReturnType<typeof node.sweep>>
beforeAll(async () => {
  // Fused multiply-add is off: machines may lack it, and bits would depend on the machine.
  here = await node.sweep({ relaxedSimd: false })
})

describe.each(tested)('ops in %s', (browser) => {
  const lacks = without(browser)
  let site: Site<typeof node>
  beforeAll(async () => {
    if (!lacks) site = await openSite(new URL('./page.ts', import.meta.url), { browser })
  })
  afterAll(() => site?.close())

  const settings = [
    ['threads: 1', {}, 'call', 1],
    ['threads: 2', isolated, 'call', 2],
    [
      'threads: 2, in a worker, script-src self',
      { ...isolated, 'Content-Security-Policy': "script-src 'self' 'wasm-unsafe-eval' blob:" },
      'callInWorker',
      2,
    ],
    ['not isolated, script-src self', strict, 'call', 1],
  ] as const
  // In continuous integration the other browsers have every second one.
  const some = settings.filter((_, i) => browser === 'chromium' || process.env.COTANGENT_TESTS === 'all' || i % 2 === 1)
  test.skipIf(lacks).each(some)(
    `values, gradients and second derivatives have the bits of Node (%s)${lacks}`,
    async (_, headers, call, threads) => {
      const page = await site.open(headers)
      const there = await page[call]('sweep', { threads, relaxedSimd: false })
      expect(there.ops).toEqual(here.ops)
      expect(there.info).toMatchObject({ threads, relaxedSimd: false, ...(threads > 1 && { sharedMemory: true }) })
      if (threads > 1) expect(there.helped).toBeGreaterThan(0)
      if (call === 'call' && browser !== 'webkit') expect(page.workers()).toBe(threads - 1)
      expect(page.said).toEqual([])
      await page.close()
    },
  )
})

describe.skipIf(withoutChromium)(`pages in Chromium${withoutChromium}`, () => {
  let site: Site<typeof node>
  beforeAll(async () => {
    site = await openSite(new URL('./page.ts', import.meta.url))
  })
  afterAll(() => site?.close())

  // A page cannot call the garbage collector; it can only make a collection likely.
  test.each(['call', 'callInWorker'] as const)('a loop that disposes nothing can run for ever (%s)', async (call) => {
    const page = await site.open(isolated)
    expect(await page[call]('leakyLoop', 1000, { threads: 1 })).toBeLessThan(3 * 2 ** 30)
    expect(page.said).toEqual([])
    await page.close()
  })

  test('what a page throws arrives with its message', async () => {
    const page = await site.open()
    await expect(page.call('sweep', { threads: 99 })).rejects.toThrow('whole number from 1 to 16')
    await expect(page.callInWorker('sweep', { threads: 99 })).rejects.toThrow('whole number from 1 to 16')
    await page.close()
  })
})
