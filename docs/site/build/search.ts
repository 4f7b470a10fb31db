/** The index of the search: one entry for each part of a page under a heading. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import MiniSearch from 'minisearch'
import { type Kind, type Part, settings } from '../parts/search-box/settings.js'
import { out } from './places.js'

interface Searched {
  readonly url: string
  readonly title: string
  readonly html: string
}

const kindOf = (url: string): Kind =>
  url.startsWith('reference/') ? 'reference' : url.startsWith('book/') ? 'book' : /^(documents\/|results\.)/.test(url) ? 'result' : 'guide'

const plain = (html: string): string =>
  html
    .replace(/<(svg|style|script|math)[\s\S]*?<\/\1>/g, ' ')
    .replace(/<[^>]+>/g, ' ')
    .replace(/&(lt|gt|amp|quot|#39);/g, (_, name: string) => ({ lt: '<', gt: '>', amp: '&', quot: '"', '#39': "'" })[name] as string)
    .replace(/\s+/g, ' ')
    .trim()

/** Code says much that nobody looks for. In the reference a name is found by its heading and by what its comment says. */
const withoutCode = (html: string): string =>
  html.replace(/<pre[\s\S]*?<\/pre>|<p class="from">[\s\S]*?<\/p>|<code class="member">[\s\S]*?<\/code>/g, ' ')

export function writeSearch(pages: readonly Searched[]): void {
  const search = new MiniSearch<Part>(settings)
  for (const { url, title, html } of pages) {
    const kind = kindOf(url)
    const text = (part: string): string => plain(kind === 'reference' ? withoutCode(part) : part)
    // Each heading of level 2 or 3 begins a part of its own.
    const [first, ...parts] = html.split(/(?=<h[23] id=")/)
    search.add({ url, title, heading: '', kind, text: text(first) })
    for (const part of parts) {
      const [, id, heading] = /^<h[23] id="([^"]*)"[^>]*>([\s\S]*?)<\/h[23]>/.exec(part) ?? []
      // A class is found with the function that makes it, and so are its options.
      const also = Array.from(part.matchAll(/<span class="also" id="(\w+)"/g), ([, name]) => name).join(' ')
      if (id) search.add({ url: `${url}#${id}`, title, heading: plain(heading), kind, also, text: text(part) })
    }
  }
  mkdirSync(join(out, 'search'), { recursive: true })
  writeFileSync(join(out, 'search/index.json'), JSON.stringify(search))
}
