/** The index of the search: one entry for each part of a page under a heading, loaded when somebody searches. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import MiniSearch from 'minisearch'
import { out } from './places.js'

/** The same settings read the index in the page. */
export const settings = { fields: ['title', 'heading', 'text'], storeFields: ['url', 'title', 'heading'], idField: 'url' }

interface Searched {
  readonly url: string
  readonly title: string
  readonly html: string
}

const plain = (html: string): string =>
  html
    .replace(/<(svg|style|script|math)[\s\S]*?<\/\1>/g, ' ')
    .replace(/<[^>]+>/g, ' ')
    .replace(/&(lt|gt|amp|quot|#39);/g, (_, name: string) => ({ lt: '<', gt: '>', amp: '&', quot: '"', '#39': "'" })[name] as string)
    .replace(/\s+/g, ' ')
    .trim()

export function writeSearch(pages: readonly Searched[]): void {
  const search = new MiniSearch(settings)
  for (const { url, title, html } of pages) {
    // Each heading of level 2 or 3 begins a part of its own.
    const [first, ...parts] = html.split(/(?=<h[23] id=")/)
    search.add({ url, title, heading: '', text: plain(first) })
    for (const part of parts) {
      const [, id, heading] = /^<h[23] id="([^"]*)"[^>]*>([\s\S]*?)<\/h[23]>/.exec(part) ?? []
      if (id) search.add({ url: `${url}#${id}`, title, heading: plain(heading), text: plain(part) })
    }
  }
  mkdirSync(join(out, 'search'), { recursive: true })
  writeFileSync(join(out, 'search/index.json'), JSON.stringify(search))
}
