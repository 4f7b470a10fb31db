/**
 * `npm run site:walk`: opens the finished site (docs/dist) in Chromium and Firefox from a path below the top, under a strict policy of scripts. First the walk of each
 * page (walk/pages/<name>.ts): it does what a reader would. Then every page is opened in Chromium at two widths, light and dark: axe finds nothing, nothing is wider than the
 * screen, the console is silent, no request goes elsewhere, the first load is small, no link is broken.
 *
 * `--short` is the form for every change: Chromium alone, every page with an element of its own and some of the others, once each. `--only explorer,book` chooses walks, `--pages speed.html` pages. `--screenshots folder` keeps pictures.
 */
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Browser, Page } from 'playwright-core'
import { endWithReader } from '../../../examples/lib/output.js'
import { type Driven, launch, without } from '../../../packages/core/test/browser/browsers.js'
import { out } from '../build/places.js'
import { brokenLinks, pageUrls } from './links.js'
import { looksOf } from './looks.js'
import { walks } from './pages/index.js'
import { serveSite } from './serve.js'
import { watchTasks } from './tasks.js'

endWithReader()

const { values: flags } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    only: { type: 'string' },
    pages: { type: 'string' },
    screenshots: { type: 'string' },
    browser: { type: 'string' },
  },
})

const unknown = (flags.only?.split(',') ?? []).filter((name) => !Object.hasOwn(walks, name))
if (unknown.length > 0) throw new Error(`There is no walk "${unknown.join('", "')}". There are: ${Object.keys(walks).join(', ')}.`)

/** One page of this many is looked at in the short form. */
const TEXTS = 8

let passed = 0
const failures: string[] = []
async function check(name: string, run: () => Promise<readonly string[]>): Promise<void> {
  const begun = performance.now()
  try {
    const seen = await run()
    passed += Math.max(1, seen.length)
    console.log(`✓ ${name} (${((performance.now() - begun) / 1000).toFixed(1)} s)`)
    for (const line of seen) console.log(`    ${line}`)
  } catch (error) {
    failures.push(name)
    console.log(`✗ ${name}\n    ${String((error as Error).message).replaceAll('\n', '\n    ')}`)
  }
}

/** Everything that a page must not do: speak on the console, fail to load something, ask elsewhere. */
function complaints(page: Page, base: string): string[] {
  const found: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') found.push(`console: ${message.text()}`)
  })
  page.on('pageerror', (error) => found.push(`uncaught: ${error.message}`))
  page.on('request', (request) => {
    if (!request.url().startsWith(base) && !/^(blob|data):/.test(request.url())) found.push(`a request to elsewhere: ${request.url()}`)
  })
  page.on('response', (response) => {
    if (response.status() >= 400) found.push(`${response.status()}: ${response.url()}`)
  })
  return found
}

/** For the short form: every page with an element of its own, and some of those that are text alone. */
const sample = (urls: readonly string[]): string[] =>
  urls.filter(
    (url, i) =>
      i % TEXTS === 0 || /<(?!code-cell|run-example|search-box)[a-z]+-[a-z-]+/.test(readFileSync(join(out, url), 'utf8').split('<main')[1]),
  )

async function walkAll(browser: Browser, name: Driven, base: string): Promise<void> {
  for (const each of flags.only?.split(',') ?? Object.keys(walks)) {
    const notes: string[] = []
    await check(`${each} in ${name}`, async () => {
      const context = await browser.newContext({ viewport: { width: 1280, height: 900 } })
      const page = await context.newPage()
      const found = complaints(page, base)
      const tasks = await watchTasks(page, base)
      try {
        const seen = await walks[each](page, base)
        notes.push(...(await tasks()))
        if (found.length > 0) throw new Error(found.join('\n'))
        return seen
      } finally {
        if (flags.screenshots) await page.screenshot({ path: join(flags.screenshots, `walk-${each}-${name}.png`) }).catch(() => {})
        await context.close()
      }
    })
    for (const note of notes) console.log(`    ${note}`)
  }
}

if (without('chromium') && flags.short) {
  console.log(
    'No Chromium here, so that the walk is skipped: apt-get install chromium, or name one in COTANGENT_CHROMIUM.\n0 passed, 0 failed, 1 skipped',
  )
  process.exit()
}
const names = (['chromium', 'firefox'] as const).filter((name) =>
  flags.browser ? name === flags.browser : !(flags.short && name === 'firefox'),
)
if (flags.screenshots) mkdirSync(flags.screenshots, { recursive: true })
const site = await serveSite()
try {
  await check('links', async () => {
    const broken = brokenLinks()
    if (broken.length > 0) throw new Error(broken.join('\n'))
    return [`all links of ${pageUrls().length} pages`]
  })
  for (const name of names) {
    const browser = await launch(name)
    try {
      await walkAll(browser, name, site.base)
      if (name !== 'chromium' || flags.only) continue
      const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js')
      for (const url of flags.pages?.split(',') ?? (flags.short ? sample(pageUrls()) : pageUrls())) {
        const looks = flags.short
          ? [{ width: 390, dark: false }]
          : [390, 1280].flatMap((width) => [
              { width, dark: false },
              { width, dark: true },
            ])
        await check(url, () => looksOf(browser, site.base, url, { looks, axe, screenshots: flags.screenshots, complaints }))
      }
    } finally {
      await browser.close()
    }
  }
} finally {
  site.close()
}
console.log(`${passed} passed, ${failures.length} failed`)
if (failures.length > 0) process.exitCode = 1
