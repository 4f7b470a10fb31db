/** Checks of every page, whatever it shows. */
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { watchTasks } from './tasks.js'

/** Bytes, compressed, that a page may load before the reader does something. Data and what a click loads are aside. */
const FIRST_LOAD = 250_000
/** The lens begins to work when it is opened, so it loads the library. */
const HEAVIER: Readonly<Record<string, number>> = { 'lens.html': 300_000 }

interface Options {
  looks: readonly { width: number; dark: boolean }[]
  /** The path of axe's script. */
  axe: string
  screenshots?: string
  complaints(page: Page, base: string): string[]
}

/** Compressed as a server would. */
async function weigh(page: Page): Promise<() => Promise<number>> {
  const { gzipSync } = await import('node:zlib')
  const sizes: Promise<number>[] = []
  page.on('response', (response) => {
    if (/^https?:/.test(response.url()))
      sizes.push(
        response.body().then(
          (body) => (/\.(png|woff2|jpg)$/.test(response.url()) ? body.length : gzipSync(body).length),
          () => 0,
        ),
      )
  })
  return async () => (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}

export async function looksOf(
  browser: Browser,
  base: string,
  url: string,
  { looks, axe, screenshots, complaints }: Options,
): Promise<string[]> {
  const seen: string[] = []
  for (const { width, dark } of looks) {
    const look = `${width} px, ${dark ? 'dark' : 'light'}`
    // axe is put into the page from outside, which the page's policy would refuse.
    const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: dark ? 'dark' : 'light', bypassCSP: true })
    try {
      const page = await context.newPage()
      const found = complaints(page, base)
      const weight = await weigh(page)
      const tasks = await watchTasks(page, base)
      await page.goto(base + url, { waitUntil: 'networkidle' })
      const bytes = await weight()
      if (bytes > (HEAVIER[url] ?? FIRST_LOAD))
        found.push(`${look}: the page loads ${Math.round(bytes / 1000)} kB compressed; ${(HEAVIER[url] ?? FIRST_LOAD) / 1000} are allowed`)
      const wide = await page.evaluate(() => {
        const limit = document.documentElement.clientWidth
        if (document.documentElement.scrollWidth <= limit) return []
        return Array.from(document.querySelectorAll('main *'))
          .filter((element) => element.getBoundingClientRect().right > limit + 1 && !element.closest('pre, .scroller, .cm-scroller'))
          .slice(0, 5)
          .map((element) => `${element.tagName.toLowerCase()}.${element.className}: ${element.textContent?.slice(0, 40)}`)
      })
      if (wide.length > 0) found.push(`${look}: wider than the screen: ${wide.join(' | ')}`)
      if (screenshots)
        await page.screenshot({
          path: join(screenshots, `${url.replaceAll('/', '-')}-${width}-${dark ? 'dark' : 'light'}.png`),
          fullPage: true,
        })
      const slow = await tasks()
      await page.addScriptTag({ path: axe })
      const violations = await page.evaluate(async () => {
        const { axe } = globalThis as unknown as {
          axe: { run(): Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }> }
        }
        return (await axe.run()).violations.map(
          ({ id, nodes }) =>
            `${id}: ${nodes
              .slice(0, 3)
              .map(({ html, failureSummary }) => `${html.slice(0, 120)} – ${failureSummary.split('\n').at(-1)?.trim()}`)
              .join(' | ')}`,
        )
      })
      found.push(...violations.map((violation) => `${look}: ${violation}`))
      if (found.length > 0) throw new Error(found.join('\n'))
      seen.push([`${look}: ${Math.round(bytes / 1000)} kB`, ...slow].join('; '))
    } finally {
      await context.close()
    }
  }
  return seen
}
