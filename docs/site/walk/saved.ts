/** Files that a page gives the browser to save. Not every driver tells of downloads, so this listens where the page makes the file's address. */
import type { Page } from 'playwright-core'

/** The text of the file that the page saves when `press` is done. */
export async function savedBy(page: Page, press: () => Promise<void>): Promise<string> {
  await page.evaluate(() => {
    const make = URL.createObjectURL
    URL.createObjectURL = (blob: Blob) => {
      URL.createObjectURL = make
      Object.assign(window, { saved: blob.text() })
      return make.call(URL, blob)
    }
  })
  await press()
  return page.evaluate(() => (window as unknown as { saved: Promise<string> }).saved)
}
