/**
 * `npm run site:pictures` makes the pictures of the README: three reports of short runs, and three pages of the site (docs/dist, so `npm run site:build` comes first).
 * Chromium draws them and packs them as WebP. The runs take some minutes; `--reports folder` takes their pages from a folder if they are there, and keeps
 * them there if not. `--only site-front,report-gate` makes some of the pictures.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import type { Browser, Locator, Page } from 'playwright-core'
import { endWithReader } from '../../examples/lib/output.js'
import { launch } from '../../packages/core/test/browser/browsers.js'
import { top } from './build/places.js'
import { serveSite } from './walk/serve.js'

endWithReader()

/** The page of the README with all six stays below what a page may load. */
const LIMIT = 50_000
const folder = join(top, 'docs/pictures')

/** Runs that show what a report has, and do so within a minute or two. */
const runs = {
  'mnist-cnn-confusion': ['--limit', '24000'],
  'mnist-lstm-confusion': ['--limit', '8000'],
  'jena-lstm': ['--epochs', '3'],
} as const

/** The page of a run. */
function reportOf(id: keyof typeof runs, reports: string): string {
  const path = join(reports, `${id}.html`)
  if (!existsSync(path)) {
    console.log(`npm run example -- ${id} ${runs[id].join(' ')} --report`)
    execFileSync('npm', ['run', '--silent', 'example', '--', id, ...runs[id], '--report', path], { cwd: top, stdio: 'ignore' })
  }
  return pathToFileURL(path).href
}

/** The card of a report under a title. */
const card = (page: Page, title: string): Locator =>
  page
    .locator('.card')
    .filter({ has: page.getByRole('heading', { name: title }) })
    .first()

/** By Chromium's own encoder. At quality 1 it loses nothing, and a page of few colours is half of its PNG. */
async function webp(page: Page, png: Buffer): Promise<Buffer> {
  const packed = await page.evaluate(
    async (address) => {
      const image = new Image()
      image.src = address
      await image.decode()
      const canvas = document.createElement('canvas')
      canvas.width = image.width
      canvas.height = image.height
      canvas.getContext('2d')?.drawImage(image, 0, 0)
      const [whole, lossy] = [1, 0.9].map((quality) => canvas.toDataURL('image/webp', quality).split(',')[1])
      return whole.length < lossy.length ? whole : lossy
    },
    `data:image/png;base64,${png.toString('base64')}`,
  )
  return Buffer.from(packed, 'base64')
}

async function picture(browser: Browser, name: string, width: number, show: (page: Page) => Promise<Buffer>): Promise<void> {
  if (flags.only && !flags.only.split(',').includes(name)) return
  const page = await browser.newPage({
    viewport: { width, height: Math.round(width * 0.8) },
    deviceScaleFactor: 0.75,
    reducedMotion: 'reduce',
  })
  try {
    const packed = await webp(page, await show(page))
    if (packed.length > LIMIT) throw new Error(`${name} has ${packed.length} bytes; ${LIMIT} are allowed.`)
    writeFileSync(join(folder, `${name}.webp`), packed)
    console.log(`docs/pictures/${name}.webp: ${packed.length} bytes`)
  } finally {
    await page.close()
  }
}

const { values: flags } = parseArgs({
  options: { reports: { type: 'string', default: join(top, 'out/pictures') }, only: { type: 'string' } },
})
const reports = resolve(flags.reports)
mkdirSync(reports, { recursive: true })
const site = await serveSite()
const browser = await launch('chromium')
try {
  await picture(browser, 'report-digits', 620, async (page) => {
    await page.goto(reportOf('mnist-cnn-confusion', reports))
    return card(page, 'Most confidently wrong').screenshot()
  })
  await picture(browser, 'report-gate', 620, async (page) => {
    await page.goto(reportOf('mnist-lstm-confusion', reports))
    return card(page, 'Forget gate').screenshot()
  })
  await picture(browser, 'report-forecast', 620, async (page) => {
    await page.goto(reportOf('jena-lstm', reports))
    return card(page, 'Ten days of validation').screenshot()
  })

  await picture(browser, 'site-front', 1000, async (page) => {
    await page.goto(`${site.base}index.html`)
    await page.locator('train-digits .start').click()
    await page.locator('train-digits [role=status].good', { hasText: 'Done' }).waitFor({ timeout: 180_000 })
    return page.locator('train-digits').screenshot()
  })
  await picture(browser, 'site-explorer', 900, async (page) => {
    await page.goto(`${site.base}explorer.html#preset=xor&step=12`)
    await page.waitForFunction(() => {
      const explorer = document.querySelector('tape-explorer') as (HTMLElement & { step?: unknown; differences?: unknown }) | null
      return explorer?.step && explorer.differences
    })
    await page.locator('tape-explorer').evaluate((explorer) => scrollBy(0, explorer.getBoundingClientRect().top - 70))
    await page.waitForTimeout(500)
    return page.screenshot()
  })
  await picture(browser, 'site-exercise', 900, async (page) => {
    await page.goto(`${site.base}exercises.html#softmax`)
    await page.locator('code-editor[data-exercise="softmax"] .cm-content').waitFor()
    await page.locator('code-editor').evaluate((editor) => {
      ;(editor as HTMLElement & { value: string }).value =
        'export const vjp = ({ dY, y }, [x], ops) => [\n  () => ops.mul(dY, ops.mul(y, ops.sub(1, y))),\n]\n'
    })
    await page.getByRole('button', { name: 'Check', exact: true }).click()
    await page.locator('.be-verdict').waitFor()
    return page.screenshot()
  })
} finally {
  await browser.close()
  site.close()
}
