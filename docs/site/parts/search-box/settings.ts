/** The form of the index: the build writes it, the worker reads it. */
import type { Options } from 'minisearch'

/** The kinds of pages, as the list of what was found groups them. */
export type Kind = 'reference' | 'book' | 'guide' | 'result'

/** A part of a page, under one heading. `url` leads to it from the top of the site. */
export interface Part {
  readonly url: string
  readonly title: string
  /** Empty for what stands before the first heading of level 2. */
  readonly heading: string
  readonly kind: Kind
  /** Other names of the same thing. */
  readonly also?: string
  readonly text: string
}

/** Words that stand in every part. */
const COMMON = new Set(
  'a an and are as at be but by can each for from has have if in into is it its not of on one or so than that the then there they this to was what where which with you your'.split(
    ' ',
  ),
)

export const settings: Options<Part> = {
  fields: ['name', 'text'],
  storeFields: ['title', 'heading', 'kind'],
  idField: 'url',
  extractField: (part, field) => (field === 'name' ? `${part.heading || part.title} ${part.also ?? ''}` : part[field as keyof Part]),
  // Numbers of tables are half of all terms, and nobody looks for them.
  processTerm: (term) => {
    const lower = term.toLowerCase()
    return COMMON.has(lower) || !/\p{L}/u.test(lower) ? null : lower
  },
}
