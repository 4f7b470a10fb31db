/** Links of the finished site: each leads to a file, each fragment to an element of that page. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { out } from '../build/places.js'

/** The addresses of all pages, from the top of the site. */
export const pageUrls = (): string[] =>
  (readdirSync(out, { recursive: true }) as string[]).filter((path) => path.endsWith('.html') && statSync(join(out, path)).isFile()).sort()

/** Each broken link as `page: link`. Fragments of pages that a script fills, as source.html, are not looked at. */
export function brokenLinks(): string[] {
  const ids = new Map<string, Set<string>>()
  const idsOf = (path: string): Set<string> => {
    let found = ids.get(path)
    if (!found) {
      found = new Set(Array.from(readFileSync(join(out, path), 'utf8').matchAll(/\sid="([^"]+)"/g), ([, id]) => id))
      ids.set(path, found)
    }
    return found
  }
  const broken: string[] = []
  for (const page of pageUrls()) {
    for (const [, link] of readFileSync(join(out, page), 'utf8').matchAll(/\s(?:href|src)="([^"]*)"/g)) {
      if (/^[a-z]+:/.test(link)) continue
      const [path, fragment] = link.replaceAll('&amp;', '&').split('#')
      const named = path === '' ? page : normalize(join(dirname(page), decodeURIComponent(path)))
      const file = existsSync(join(out, named)) && statSync(join(out, named)).isDirectory() ? join(named, 'index.html') : named
      if (relative(out, join(out, file)).startsWith('..') || !existsSync(join(out, file))) broken.push(`${page}: ${link} (no such file)`)
      else if (fragment && file.endsWith('.html') && !scripted(file) && !idsOf(file).has(decodeURIComponent(fragment)))
        broken.push(`${page}: ${link} (no such place)`)
    }
  }
  return broken
}

/** Pages whose fragment says what their script shows. */
const scripted = (path: string): boolean =>
  /<(source-view|tape-explorer|time-machine|kernel-lens|backward-exercises)/.test(readFileSync(join(out, path), 'utf8'))
