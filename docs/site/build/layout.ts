/** The frame of a page: head, header, list of pages, text, list of headings. */
import { relative } from './places.js'

export interface Page {
  /** The address from the top of the site. */
  readonly url: string
  readonly title: string
  readonly html: string
  readonly headings: readonly { readonly level: number; readonly id: string; readonly text: string }[]
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

export function layout(page: Page, sections: readonly Listed[]): string {
  const to = (url: string): string => escaped(relative(page.url, url))
  const list = sections
    .map(({ title, pages }) => {
      const links = pages.map((each) => {
        const here = each.url === page.url ? ' aria-current="page"' : ''
        return `<li><a href="${to(each.url)}"${here}>${escaped(each.title)}</a></li>`
      })
      return `<section><h2>${escaped(title)}</h2><ul>${links.join('')}</ul></section>`
    })
    .join('')
  // Cells of code are as wide as the text. Other elements take the place of the list of headings.
  const wide = page.elements.some((name) => !INLINE.has(name))
  const contents = wide ? [] : page.headings.filter(({ level }) => level === 2)
  const beside =
    contents.length < 2
      ? ''
      : `<nav class="contents" aria-label="On this page"><h2>On this page</h2><ul>${contents.map(({ id, text }) => `<li><a href="#${escaped(id)}">${escaped(text)}</a></li>`).join('')}</ul></nav>`
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
<button class="menu" aria-expanded="false" aria-controls="pages" aria-label="Pages">☰</button>
<a class="brand" href="${to('index.html')}">Cotangent</a>
<search-box></search-box>
<button class="theme" aria-label="Light or dark">◐</button>
</header>
<div class="columns">
<nav class="pages" id="pages" aria-label="Pages">${list}</nav>
<main id="main"${wide ? ' class="wide"' : ''}>
${page.html}</main>
${beside}
</div>
</body>
</html>
`
}
