/** All ops in a page of a browser have the bits of Node, on one thread and on two. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isolated, openSite, type Site, withoutChromium } from './harness.js'
import * as node from './page.js'

describe.skipIf(withoutChromium)(`ops in Chromium${withoutChromium}`, () => {
  let site: Site<typeof node>
  beforeAll(async () => {
    site = await openSite(new URL('./page.ts', import.meta.url))
  })
  afterAll(() => site?.close())

  // Fused multiply-add is off: machines may lack it, and bits would depend on the machine.
  test.each([1, 2])('values, gradients and second derivatives have the bits of Node (threads: %i)', async (threads) => {
    const page = await site.open(isolated)
    const there = await page.call('sweep', { threads, relaxedSimd: false })
    expect(there.ops).toEqual((await node.sweep({ relaxedSimd: false })).ops)
    expect(there.info).toMatchObject({ threads, relaxedSimd: false, sharedMemory: true })
    expect(page.workers()).toBe(threads - 1)
    if (threads > 1) expect(there.helped).toBeGreaterThan(0)
    expect(page.said).toEqual([])
    await page.close()
  })

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
