/** Reads and writes model files in a page, HDF5, zip and the others, with the results of Node. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openSite, type Site, withoutChromium } from '../../../core/test/browser/harness.js'
import * as node from '../model-files.js'

describe.skipIf(withoutChromium)(`model files in Chromium${withoutChromium}`, () => {
  let site: Site<typeof node>
  beforeAll(async () => {
    site = await openSite(new URL('../model-files.ts', import.meta.url))
  })
  afterAll(() => site?.close())

  test('every format gives back what was saved, with the bits of Node', async () => {
    const here = await node.roundTrips()
    expect([here.h5, here.keras]).toEqual([here.itself, here.itself])
    expect(new Set(Object.entries(here).flatMap(([name, value]) => (/weights|tfjs/.test(name) ? [value] : []))).size).toBe(1)
    const page = await site.open()
    expect(await page.call('roundTrips')).toEqual(here)
    expect(page.said).toEqual([])
    await page.close()
  })
})
