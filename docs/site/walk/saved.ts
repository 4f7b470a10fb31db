/** The content of a file that a page gives the browser to save. Not every driver tells of downloads. */
import type { Page } from 'playwright-core'

export async function savedBy(page: Page, click: () => Promise<void>): Promise<string> {
  await page.evaluate(() => {
    const make = URL.createObjectURL
    URL.createObjectURL = (blob: Blob) => {
      URL.createObjectURL = make
      Object.assign(window, { saved: blob.text() })
      return make.call(URL, blob)
    }
  })
  await click()
  return page.evaluate(() => (window as unknown as { saved: Promise<string> }).saved)
}
