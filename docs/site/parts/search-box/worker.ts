/** Reads the index, which takes longer than a page may be busy, and answers. */
import MiniSearch, { type SearchResult } from 'minisearch'
import { serve } from '../shared/serve.js'
import { type Kind, type Part, settings } from './settings.js'

export interface Found {
  readonly url: string
  readonly title: string
  readonly heading: string
}
export interface Group {
  readonly kind: Kind
  readonly found: readonly Found[]
}

/** So many of each kind. */
const SHOWN = 6

let index: Promise<MiniSearch<Part>> | undefined

/** A name that is typed to its end comes first, then names that begin so. */
function nearness(asked: string, heading: string): number {
  const [wanted, name] = [asked.trim().toLowerCase(), heading.toLowerCase()]
  if (name === wanted) return 100
  if (name.startsWith(wanted) || name.split('.').at(-1) === wanted) return 4
  return 1
}

export const functions = {
  /** Loads the index. */
  async open(address: string): Promise<void> {
    index ??= fetch(address)
      .then((response) => {
        if (!response.ok) throw new Error(`The index of the search did not load (${response.status}).`)
        return response.text()
      })
      .then((text) => MiniSearch.loadJSON(text, settings))
    // A request that failed is made again for the next word.
    index.catch(() => {
      index = undefined
    })
    await index
  },

  /** The best finds, by kind; the kind of the best comes first. */
  async find(address: string, asked: string): Promise<Group[]> {
    await functions.open(address)
    const search = (await index) as MiniSearch<Part>
    const options = {
      prefix: true,
      fuzzy: (term: string) => (term.length > 4 ? 0.15 : false),
      boost: { name: 4 },
      boostDocument: (_: unknown, __: string, stored?: Record<string, unknown>) =>
        nearness(asked, String(stored?.heading || stored?.title)),
    }
    // All words first; some of them if no part has all.
    const all = search.search(asked, { ...options, combineWith: 'AND' })
    const results: SearchResult[] = all.length > 0 ? all : search.search(asked, options)
    const groups = new Map<Kind, Found[]>()
    for (const { id, title, heading, kind } of results) {
      const group = groups.get(kind) ?? []
      groups.set(kind, group)
      if (group.length < SHOWN) group.push({ url: id, title, heading })
    }
    return Array.from(groups, ([kind, found]) => ({ kind, found }))
  },
}
serve(functions)
