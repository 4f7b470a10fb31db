/** Types as text, with links to the parts of the reference. */
import { escaped } from './layout.js'
import { relative } from './places.js'

/** The address of a name's part of a page, from the top of the site. */
export type Address = (name: string) => string | undefined

const linked = (name: string, address: Address): string => {
  const url = address(name)
  return url ? `<a href="/${url}">${name}</a>` : name
}

/** A type in HTML. Names in quotes are values. */
export const typeHtml = (type: string, address: Address): string =>
  type.replace(/"[^"]*"|[A-Z]\w*|[&<>|]/g, (found) =>
    /^[A-Z]/.test(found) ? linked(found, address) : found === '|' ? '&#124;' : escaped(found).replaceAll('|', '&#124;'),
  )

/** A type for a cell of a table: quotes as programs have them, and of a long list of values the first few. */
export function shortType(type: string): string {
  const parts = type.replace(/^SpelledOptions<(\w+)>$/, '$1').split(' | ')
  const values = parts.every((part) => /^"[^"]*"$/.test(part))
  return values && parts.length > 8 ? `${parts.slice(0, 6).join(' | ')} | …` : parts.join(' | ')
}

/** Coloured code with links for the names of types. Text with quotes is a value. */
export const linkCode = (html: string, page: string, address: Address): string =>
  html.replace(/>([^<>]*[A-Z][^<>]*)</g, (whole, text: string) =>
    /["']|&quot;/.test(text)
      ? whole
      : `>${text.replace(/\b[A-Z]\w*/g, (name) => {
          const url = address(name)
          return url ? `<a href="${relative(page, url)}">${name}</a>` : name
        })}<`,
  )
