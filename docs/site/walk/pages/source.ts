/** A link of the reference leads to the lines of the source. The search finds a name. */
import type { Page } from 'playwright-core'

export async function walk(page: Page, base: string): Promise<string[]> {
  await page.goto(`${base}reference/elementwise.html#tanh`)
  await page.click('#tanh + .from a')
  await page.waitForSelector('source-view .cm-marked')
  const line = await page.textContent('source-view .cm-marked')
  if (!line?.includes("unary('tanh'") && !line?.includes('tanh')) throw new Error(`The source view marks "${line}", which is not tanh.`)

  await page.fill('search-box input', 'softmaxCrossEntropy')
  await page.waitForSelector('search-box .found a')
  const first = await page.textContent('search-box .found a')
  if (!first?.includes('softmaxCrossEntropy')) throw new Error(`The first thing found for softmaxCrossEntropy is "${first}".`)
  await page.keyboard.press('Enter')
  await page.waitForFunction(() => location.hash.length > 1 && location.pathname.includes('reference'))

  await page.goto(`${base}reference/elementwise.html#tanh`)
  const example = page.locator('run-example').filter({ hasText: 'tanh(tensor([0, 1]))' }).first()
  await example.locator('button').click()
  await page.waitForSelector('code-cell .primary')
  await page.click('code-cell .primary')
  await page.waitForSelector('code-cell [role=status] pre')
  const said = await page.textContent('code-cell [role=status] pre')
  if (!said?.includes('0.76159')) throw new Error(`The example of tanh printed "${said}".`)
  return [
    'a link of the reference leads to the lines of tanh',
    'the search finds softmaxCrossEntropy first',
    `the example of tanh runs: ${said.replace(/\s+/g, ' ')}`,
  ]
}
