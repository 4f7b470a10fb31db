/** The book: chapters lead from one to the next, their cells print what the text says, and nothing is cut off on a phone. */
import type { Page } from 'playwright-core'
import { need } from '../need.js'

/** Runs a cell and gives the lines that it printed; throws for an error that it shows. */
async function run(page: Page, index: number): Promise<string[]> {
  const cell = page.locator('code-cell').nth(index)
  await cell.locator('button.primary').click()
  await cell.locator('button.primary:enabled').waitFor()
  const error = cell.locator('.error')
  if ((await error.count()) > 0) throw new Error(`${page.url()}, cell ${index + 1}: ${await error.textContent()}`)
  return (await cell.locator('.output pre').allTextContents()).join('\n').split('\n').filter(Boolean)
}

export async function walk(page: Page, base: string): Promise<string[]> {
  const seen: string[] = []
  const size = page.viewportSize()

  // From chapter to chapter by the links at their ends.
  await page.setViewportSize({ width: 390, height: 800 })
  await page.goto(new URL('book/index.html', base).href)
  await page.locator('main a', { hasText: 'Begin:' }).click()
  const titles: string[] = []
  for (;;) {
    await page.locator('code-cell button.primary').first().waitFor()
    titles.push((await page.locator('h1').textContent()) ?? '')
    const wide = await page.evaluate(() =>
      [document.documentElement, ...document.querySelectorAll('.katex-display')]
        .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth + 1)
        .map(({ textContent, tagName }) => (tagName === 'HTML' ? 'the page' : (textContent?.slice(-40) ?? ''))),
    )
    need(wide.length === 0, `wider than a phone in "${titles.at(-1)}": ${wide.join('; ')}`)
    // A formula that was not read as one stands there with its dollars.
    const raw = await page.locator('main :is(p, li, summary, td)').evaluateAll((all) =>
      all.flatMap((each) => {
        const copy = each.cloneNode(true) as Element
        for (const part of copy.querySelectorAll('code, .katex, code-cell')) part.remove()
        return copy.textContent?.includes('$') ? [copy.textContent.slice(0, 80)] : []
      }),
    )
    need(raw.length === 0, `a dollar in the text of "${titles.at(-1)}": ${raw.join('; ')}`)
    // The first cell of every third chapter prints what the page says before it runs; pictures take the place of their text.
    if (titles.length % 3 === 1) {
      const before = (await page.locator('code-cell').first().locator('pre.before').textContent())?.split('\n') ?? []
      for (const line of await run(page, 0))
        need(before.includes(line), `"${titles.at(-1)}" says that its first cell prints something other than "${line}"`)
    }
    const next = page.locator('main a', { hasText: 'Next:' })
    if ((await next.count()) === 0) break
    await next.click()
    await page.waitForFunction((title) => document.querySelector('h1')?.textContent !== title, titles.at(-1))
  }
  const listed = await page.locator('.pages a[aria-current]').textContent()
  need(titles.length === 14 && titles.every((title, i) => title.startsWith(`${i + 1}. `)), `the chapters are ${titles.join(', ')}`)
  need(listed === titles.at(-1), `the list at the left marks "${listed}"`)
  seen.push(`${titles.length} chapters at 390 pixels, linked one to the next`)
  if (size) await page.setViewportSize(size)

  // Pictures.
  await page.goto(new URL('book/10-recurrence.html', base).href)
  const cells = await page.locator('code-cell').count()
  for (let i = 0; i < cells; i++) await run(page, i)
  await page.locator('code-cell svg[role=img]').nth(3).waitFor()
  const named = (await page.locator('code-cell svg[role=img]').first().getAttribute('aria-label')) ?? ''
  need(named.includes('w = 0.9'), `a plot is called "${named}"`)
  await page.goto(new URL('book/09-convolution.html', base).href)
  await run(page, 0)
  await page.locator('code-cell tensor-view').nth(1).waitFor()
  seen.push('plots of vanishing gradients, and tensors as maps')

  // The reader's own code: the address brings it; an error has its line; what is changed is in the address.
  const code = "import { matMul, ones } from '@cotangent/core'\n\nmatMul(ones([2, 3]), ones([4, 5]))"
  await page.goto('about:blank')
  await page.goto(new URL(`book/05-matmul.html#cell-1=${encodeURIComponent(code)}`, base).href)
  const editor = page.locator('code-cell').first().locator('.cm-content')
  await editor.click()
  await page.keyboard.press('ControlOrMeta+End')
  await page.keyboard.type(' // so')
  await page.keyboard.press('Control+Enter')
  const error = page.locator('code-cell').first().locator('.error')
  await error.waitFor()
  const message = (await error.textContent()) ?? ''
  need(/^Line 3: ShapeError: matMul: inner dimensions differ/.test(message), `a wrong shape is told as "${message}"`)
  need(decodeURIComponent(page.url()).endsWith(`${code} // so`), `the address holds ${page.url()}`)
  await page.locator('code-cell').first().locator('button', { hasText: 'As it was' }).click()
  need(!page.url().includes('#'), 'the address keeps code that is as it was')
  need((await editor.innerText()).includes('const w = tensor'), 'a cell does not go back to its code')
  seen.push('an error names its line; the address brings code and holds what is changed')
  return seen
}
