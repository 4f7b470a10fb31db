/** Debian's browsers, headless. Playwright's channel `moz-firefox` drives an unpatched Firefox by WebDriver BiDi. */
import { existsSync } from 'node:fs'
import { type Browser, chromium, firefox } from 'playwright-core'

const firstOf = (paths: readonly (string | undefined)[]): string | undefined => paths.find((path) => path && existsSync(path))

export const executables = {
  chromium: firstOf([process.env.COTANGENT_CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']),
  firefox: firstOf([process.env.COTANGENT_FIREFOX, '/usr/bin/firefox-esr', '/usr/bin/firefox']),
}

export type BrowserName = keyof typeof executables

export function launch(name: BrowserName): Promise<Browser> {
  const executablePath = executables[name]
  if (!executablePath) throw new Error(`There is no ${name} here: apt-get install ${name === 'firefox' ? 'firefox-esr' : name}.`)
  if (name === 'firefox') return firefox.launch({ executablePath, channel: 'moz-firefox' })
  return chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] })
}
