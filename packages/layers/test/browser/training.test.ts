/**
 * Training in a page of a browser, with and without the headers that threads need. The bits are those of Node, and the console has one sentence at most. The test of
 * the pool (threads.test.ts of the wasm backend) covers a worker that is lost in the middle of a kernel.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Headers, isolated, type OpenPage, openSite, type Site, withoutChromium } from '../../../core/test/browser/harness.js'
import * as node from '../training.js'

/** Events of a page may be late on a busy machine. A second, vitest's default, is too short. */
const patient = { timeout: 120_000 }

describe.skipIf(withoutChromium)(`training in Chromium${withoutChromium}`, () => {
  let site: Site<typeof node>
  let here: node.Trained
  beforeAll(async () => {
    site = await openSite(new URL('../training.ts', import.meta.url))
    const { losses, weights } = await node.trainConfigured({ relaxedSimd: false })
    here = { losses, weights }
    expect(here.losses.at(-1)).toBeLessThan(here.losses[0])
  })
  afterAll(() => site?.close())

  /** Opens a page, and afterwards compares what it said on its console. */
  async function inPage(headers: Headers, said: unknown[], work: (page: OpenPage<typeof node>) => Promise<void>): Promise<void> {
    const page = await site.open(headers)
    await work(page)
    expect(page.said).toEqual(said)
    await page.close()
  }

  test('an isolated page trains on two threads, with the bits of Node', () =>
    inPage(isolated, [], async (page) => {
      const info = { threads: 2, relaxedSimd: false, sharedMemory: true }
      expect(await page.call('trainConfigured', { threads: 2, relaxedSimd: false })).toMatchObject({ ...here, info })
      await expect.poll(() => page.workers(), patient).toBe(1)
      expect(await page.call('trainShared', { threads: 2, relaxedSimd: false })).toMatchObject({ ...here, info })
    }))

  test('with fused multiply-add, two threads have the bits of one', async () => {
    let one: Awaited<ReturnType<typeof node.trainConfigured>>
    await inPage(isolated, [], async (page) => {
      one = await page.call('trainConfigured', { threads: 1 })
      expect(one.info?.threads).toBe(1)
      expect(page.workers()).toBe(0)
    })
    await inPage(isolated, [], async (page) =>
      expect(await page.call('trainShared', { threads: 2 })).toEqual({ ...one, info: { ...one.info, threads: 2 } }),
    )
  })

  test("a worker of the page, where the engine may sleep, trains on two threads of its own, with Node's bits", () =>
    inPage(isolated, [], async (page) => {
      const info = { threads: 2, relaxedSimd: false, sharedMemory: true }
      expect(await page.callInWorker('trainShared', { threads: 2, relaxedSimd: false })).toMatchObject({ ...here, info })
    }))

  test('a page that is not isolated trains on one thread, and says so once', () =>
    inPage({}, [expect.stringMatching(/^warning: wasm: threads need shared memory .* runs on one thread\.$/)], async (page) => {
      const info = { threads: 1, relaxedSimd: false, sharedMemory: false }
      expect(await page.call('trainConfigured', { threads: 2, relaxedSimd: false })).toMatchObject({ ...here, info })
    }))

  // Asked for, and left to the engine.
  test.each([{ threads: 2 }, {}])('a page whose policy forbids workers goes on with one thread, and says so once (%o)', (options) =>
    inPage(
      { ...isolated, 'Content-Security-Policy': "worker-src 'none'" },
      [
        expect.stringMatching(/^error: .*Content Security Policy/), // the browser's own
        expect.stringMatching(
          /^warning: wasm: this page is cross-origin isolated, but its workers do not start; .* one thread\. .* "worker-src blob:"; configure/,
        ),
      ],
      async (page) => {
        expect(await page.call('trainConfigured', { ...options, relaxedSimd: false })).toMatchObject(here)
        await expect.poll(() => page.call('threadsNow'), patient).toBe(1)
        expect(await page.call('train')).toMatchObject(here)
      },
    ),
  )
})
