/** The visitor's machine: rows are measured, each with a verdict or a reason why there is none; a file is kept and loaded, and a wrong one is refused. */
import type { Page } from 'playwright-core'
import { savedBy } from '../saved.js'

export async function walk(page: Page, base: string): Promise<string[]> {
  const seen: string[] = []
  await page.goto(`${base}your-machine.html`)
  await page.locator('your-machine [data-row] svg').nth(4).waitFor({ timeout: 30_000 })
  const record = await page.locator('your-machine .figure').first().innerText()
  if (!/The record: \d/.test(record)) throw new Error(`machine: the first row shows no record: "${record}"`)
  seen.push(`machine: ${record}`)

  await page.locator('your-machine .measure').click()
  await page.waitForFunction(() => !document.querySelector<HTMLButtonElement>('your-machine .keep')?.disabled, undefined, {
    timeout: 120_000,
  })
  const figures = await page.locator('your-machine .figure').allInnerTexts()
  for (const figure of figures) {
    if (!/^[\d.]+ (ms|GFLOP\/s).*\d+ of \d+ samples undisturbed/.test(figure)) throw new Error(`machine: a row says "${figure}"`)
    const [, quiet] = /(\d+) of \d+ samples/.exec(figure) ?? []
    if (Number(quiet) < 5 !== figure.includes('no verdict')) throw new Error(`machine: a verdict with ${quiet} quiet samples: "${figure}"`)
  }
  seen.push(`machine: ${figures.length} rows; ${await page.locator('your-machine .verdict').innerText()}`)

  const file = await savedBy(page, () => page.locator('your-machine .keep').click())
  await page
    .locator('your-machine input[type=file]')
    .setInputFiles({ name: 'x.json', mimeType: 'application/json', buffer: Buffer.from('{"rows":[]}') })
  await page.locator('your-machine [role=alert]').waitFor()
  seen.push(`machine: ${await page.locator('your-machine [role=alert]').innerText()}`)
  await page
    .locator('your-machine input[type=file]')
    .setInputFiles({ name: 'run.json', mimeType: 'application/json', buffer: Buffer.from(file) })
  await page.locator('your-machine .loaded').waitFor()
  const loaded = await page.locator('your-machine .loaded').innerText()
  if (!/5 rows/.test(loaded)) throw new Error(`machine: the kept file was not read: "${loaded}"`)
  seen.push(`machine: ${loaded}`)
  return seen
}
