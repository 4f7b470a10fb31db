/** The frame of a page: head, header, list of pages, text, list of headings. */
import { relative } from './places.js'

export interface Page {
  /** The address from the top of the site. */
  readonly url: string
  /** The Markdown file that it is made from, if there is one. */
  readonly source?: string
  readonly title: string
  readonly html: string
  readonly headings: readonly { readonly level: number; readonly id: string; readonly text: string }[]
  /** Headings that belong together, by their ids: the list beside the text folds them. */
  readonly groups?: readonly { readonly title: string; readonly names: readonly string[] }[]
  /** The custom elements in the page. Each has a script of its name. */
  readonly elements: readonly string[]
}

export interface Listed {
  readonly title: string
  readonly pages: readonly { readonly url: string; readonly title: string }[]
}

/** Elements that stand in the text, as wide as it. */
const INLINE = new Set(['code-cell', 'run-example'])

export const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (character) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[character] as string)

/** No script but the site's own and what it makes itself, and no request to elsewhere, with or without a server's headers. */
const policy = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval' blob:",
  "worker-src 'self' blob:",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ')

/** The three doors of the front page, in the header where there is room. */
const doors = [
  { url: 'guides/cotangent.html', title: 'Use it' },
  { url: 'explorer.html', title: 'Learn backprop' },
  { url: 'lens.html', title: 'Look at the kernels' },
] as const

/** The end of a page: the pages before and after it in its section, and where its text comes from. A chapter of the book names its neighbours in its Markdown, too; that line is left out here. */
function ending({ url, source, html }: Page, sections: readonly Listed[], to: (url: string) => string): { text: string; end: string } {
  const section = sections.find(({ pages }) => pages.some((each) => each.url === url))
  const at = section?.pages.findIndex((each) => each.url === url) ?? -1
  const [before, after] = [section?.pages[at - 1], section?.pages[at + 1]]
  const link = (page: Listed['pages'][number] | undefined, rel: string, label: string): string =>
    page ? `<a class="${rel}" rel="${rel}" href="${to(page.url)}"><small>${label}</small> ${escaped(page.title)}</a>` : ''
  const turn =
    before || after
      ? `<nav class="turn" aria-label="Neighbours">${link(before, 'prev', 'Before:')}${link(after, 'next', 'Next:')}</nav>`
      : ''
  const from = source ? `<p class="origin"><a href="${to(`source.html#${source}`)}">The Markdown of this page</a></p>` : ''
  return { text: turn ? html.replace(/<p>(?:(?!<\/p>)[\s\S])*(?:←|Next:)(?:(?!<\/p>)[\s\S])*<\/p>\s*$/, '') : html, end: turn + from }
}

/** The list of headings. Groups are folded if there is more than a screen shows. */
function contentsOf(headings: Page['headings'], groups: NonNullable<Page['groups']>): string {
  const list = (links: readonly { id: string; text: string }[]): string =>
    `<ul>${links.map(({ id, text }) => `<li><a href="#${escaped(id)}">${escaped(text)}</a></li>`).join('')}</ul>`
  if (groups.length < 2) return list(headings)
  const open = headings.length <= 30 ? ' open' : ''
  return groups
    .map(
      ({ title, names }) =>
        `<details${open}><summary>${escaped(title)}</summary>${list(names.map((name) => ({ id: name, text: name })))}</details>`,
    )
    .join('')
}

/** @param base the path of the site on its server, for the page that is served at any address: 404.html. Other pages need none. */
export function layout(page: Page, sections: readonly Listed[], base?: string): string {
  const to = (url: string): string => escaped(base === undefined ? relative(page.url, url) : base + url)
  const list = sections
    .map(({ title, pages }, i) => {
      const links = pages.map((each) => {
        const here = each.url === page.url ? ' aria-current="page"' : ''
        return `<li><a href="${to(each.url)}"${here}>${escaped(each.title)}</a></li>`
      })
      // A page shows its own section, and the first two, which lead to the rest.
      const open = i < 2 || pages.some((each) => each.url === page.url) ? ' open' : ''
      return `<details${open}><summary>${escaped(title)}</summary><ul>${links.join('')}</ul></details>`
    })
    .join('')
  const { text, end } = ending(page, sections, to)
  // Cells of code are as wide as the text. Other elements take the place of the list of headings.
  const wide = page.elements.some((name) => !INLINE.has(name))
  const contents = wide ? [] : page.headings.filter(({ level }) => level === 2)
  const beside =
    contents.length < 2
      ? ''
      : `<nav class="contents" aria-label="On this page"><h2>On this page</h2>${contentsOf(contents, page.groups ?? [])}</nav>`
  return `<!doctype html>
<html lang="en" data-top="${to('index.html').replace(/index\.html$/, '')}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${escaped(page.title)}${page.url === 'index.html' ? '' : ' · Cotangent'}</title>
<link rel="icon" href="${to('icon.svg')}">
<link rel="stylesheet" href="${to('theme/katex/katex.min.css')}">
<link rel="stylesheet" href="${to('theme/site.css')}">
<script src="${to('theme/early.js')}"></script>
${['site-frame', 'search-box', ...page.elements].map((name) => `<script type="module" src="${to(`parts/${name}.js`)}"></script>`).join('\n')}
</head>
<body>
<a class="skip" href="#main">To the text</a>
<header class="top">
<button class="menu" aria-expanded="false" aria-controls="pages" aria-label="Pages" title="Pages"><span aria-hidden="true">☰</span></button>
<a class="brand" href="${to('index.html')}">Cotangent</a>
<nav class="links" aria-label="Doors">${doors.map(({ url, title }) => `<a href="${to(url)}"${url === page.url ? ' aria-current="page"' : ''}>${title}</a>`).join('')}</nav>
<search-box></search-box>
<button class="theme" aria-label="Light or dark" title="Light or dark"><span aria-hidden="true">◐</span></button>
</header>
<div class="columns">
<nav class="pages" id="pages" aria-label="Pages">${list}</nav>
<main id="main"${wide ? ' class="wide"' : ''}>
${text}${end}
</main>
${beside}
</div>
</body>
</html>
`
}
