/**
 * The browsers of tests and of the walk through the site: Chromium and Firefox by Playwright, WebKit by webkit.ts. Each must be on the system, none is downloaded. Without one its tests are skipped, and
 * `without` says what to do.
 */
import { existsSync } from 'node:fs'
import { type Browser, chromium, firefox } from 'playwright-core'
import { startWebKit, webKitLacks } from './webkit.js'

/** The browsers that Playwright drives. */
export type Driven = 'chromium' | 'firefox'
export type BrowserName = Driven | 'webkit'

/** The browsers to test in: every day Chromium, in continuous integration (COTANGENT_TESTS) all three. */
export const tested: readonly BrowserName[] = process.env.COTANGENT_TESTS ? ['chromium', 'firefox', 'webkit'] : ['chromium']

/** The task of a page: call an exported function of its module, itself or in a dedicated worker. */
export interface Asked {
  name: string
  values: unknown[]
  inWorker: boolean
}

/** The work of a page: it runs there, so it may name nothing outside of itself. */
export type There = (asked: Asked) => Promise<unknown>

/** A page that has loaded its module. */
export interface Tab {
  run(there: There, asked: Asked): Promise<unknown>
  /** The lines of the console so far, as `warning: …`. */
  readonly said: string[]
  /** The number of the page's workers. WebKit does not tell. */
  workers(): number
  close(): Promise<void>
}

export interface Started {
  /** Opens a page and waits until its module is loaded. */
  open(url: string): Promise<Tab>
  close(): Promise<void>
}

const firstOf = (paths: readonly (string | undefined)[]): string | undefined => paths.find((path) => path && existsSync(path))

/** A browser's program: that of its variable, or where systems install it. */
const executables = {
  chromium: firstOf([
    process.env.COTANGENT_CHROMIUM,
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ]),
  firefox: firstOf([process.env.COTANGENT_FIREFOX, '/usr/bin/firefox-esr', '/usr/bin/firefox']),
}

/** The reason why a browser is not here, for the names of skipped tests; empty if it is. */
export function without(name: BrowserName): string {
  if (name === 'webkit') return webKitLacks()
  if (executables[name]) return ''
  const [title, debian] = name === 'chromium' ? ['Chromium', 'chromium'] : ['Firefox', 'firefox-esr']
  return ` (skipped: no ${title} here; apt-get install ${debian}, or name one in COTANGENT_${name.toUpperCase()})`
}

/** Starts a browser of Playwright. `flags` are further ones for Chromium. */
export function launch(name: Driven, flags: readonly string[] = []): Promise<Browser> {
  const executablePath = executables[name]
  if (!executablePath) throw new Error(`launch:${without(name)}`)
  // Playwright's channel `moz-firefox` drives an unpatched Firefox by WebDriver BiDi.
  if (name === 'firefox') return firefox.launch({ executablePath, channel: 'moz-firefox' })
  return chromium.launch({ executablePath, args: [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), ...flags] })
}

async function startPlaywright(name: Driven, flags: readonly string[]): Promise<Started> {
  const browser = await launch(name, flags)
  return {
    async open(url) {
      const page = await browser.newPage()
      const said: string[] = []
      page.on('console', (message) => said.push(`${message.type()}: ${message.text()}`))
      page.on('pageerror', (error) => said.push(`uncaught: ${error.message}`))
      await page.goto(url)
      await page
        .waitForFunction(() => (globalThis as { tests?: unknown }).tests !== undefined)
        .catch((error) => {
          throw new Error(`The page did not load its module (${error}). Its console: ${said.join('\n') || 'nothing'}`)
        })
      return {
        run: (there, asked) => page.evaluate(there, asked),
        said,
        workers: () => page.workers().length,
        close: () => page.close(),
      }
    },
    close: () => browser.close(),
  }
}

/** Starts a browser. `flags` are further ones for Chromium. */
export function start(name: BrowserName, flags: readonly string[] = []): Promise<Started> {
  return name === 'webkit' ? startWebKit() : startPlaywright(name, flags)
}
