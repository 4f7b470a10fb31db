/** Markdown to HTML: headings with anchors, code in colours, formulas, and links that lead to pages of the site. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import katex from 'katex'
import MarkdownIt, { type MarkdownIt as Parser } from 'markdown-it'
import anchor from 'markdown-it-anchor'
import { createHighlighter } from 'shiki'
import { hash, keep, kept } from './cache.js'
import { top } from './places.js'

/** The parts of a page besides its text. */
export interface Rendered {
  html: string
  /** The first heading of level 1. */
  title: string
  /** Headings of levels 2 and 3, for the list beside the text. */
  headings: { level: number; id: string; text: string }[]
  /** The text between tags, for the search. */
  plain: string
}

/** Puts links into coloured code: a fence of `ts signature`. */
export type LinkCode = (html: string) => string

/** Gives the address, as seen from the page, of what a link in its source names; undefined leaves the link as it is. */
export type Resolve = (target: string) => string | undefined

const LANGUAGES = ['ts', 'js', 'json', 'sh', 'python', 'html', 'wasm', 'wgsl', 'glsl', 'text'] as const
/** Both are made for reading with little contrast sensitivity; the page's own colours choose one. */
const themes = { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' } as const

export const slug = (text: string): string =>
  text
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-')

/** A formula as HTML, with MathML for screen readers. */
export const typeset = (formula: string, displayMode: boolean): string =>
  katex.renderToString(formula, { displayMode, throwOnError: true, output: 'htmlAndMathml', strict: 'error' })

/** `$…$` inside a line and `$$…$$` as a paragraph. A dollar that is followed by a space, or whose other one is before a digit, is a dollar. */
function formulas(markdown: Parser): void {
  markdown.inline.ruler.after('escape', 'formula', (state, silent) => {
    const found = /^\$(\$?)(?!\s)((?:\\.|[^$\\])+?)(?<!\s)\$\1(?!\d)/.exec(state.src.slice(state.pos))
    if (!found) return false
    if (!silent) state.push('formula', '', 0).content = typeset(found[2], found[1] === '$')
    state.pos += found[0].length
    return true
  })
  markdown.renderer.rules.formula = (tokens, index) => tokens[index].content
}

/** A renderer of Markdown. Making one loads grammars, so that a build makes one. With `names` the anchors of headings are the headings themselves. */
export async function createMarkdown(): Promise<{
  render(source: string, resolve: Resolve, names?: LinkCode): Rendered
  /** Call it when all pages are rendered: the next build is quicker. */
  done(): void
}> {
  // To colour all code again takes seconds, so what did not change is taken from the build before.
  const maker = hash([readFileSync(join(top, 'docs/package-lock.json'), 'utf8'), ...Object.values(themes)])
  const before = kept<Record<string, string>>('code', maker) ?? {}
  const colored: Record<string, string> = {}
  const highlighter = await createHighlighter({ themes: Object.values(themes), langs: LANGUAGES.filter((each) => each !== 'text') })
  const markdown = new MarkdownIt({
    html: true,
    linkify: true,
    highlight: (code, language) => {
      const lang = (LANGUAGES as readonly string[]).includes(language) ? language : 'text'
      const key = hash([lang, code])
      const html = colored[key] ?? before[key] ?? highlighter.codeToHtml(code.trimEnd(), { lang, themes, defaultColor: false })
      colored[key] = html
      return html
    },
  })
  markdown.use(anchor, {
    // Names of the reference keep their case: dense makes a Dense.
    slugifyWithState: (text, state) => (state.env.names ? text : slug(text)),
    permalink: anchor.permalink.headerLink({ safariReaderFix: true }),
  })
  markdown.use(formulas)
  // A fence of `ts live` is a cell that runs; one of `text printed` behind it, what it prints, is part of the cell. One of `ts example` becomes a cell at a click.
  const fence = markdown.renderer.rules.fence as NonNullable<typeof markdown.renderer.rules.fence>
  markdown.renderer.rules.fence = (tokens, index, options, env, self) => {
    const marked = (at: number, word: string): boolean => tokens[at]?.type === 'fence' && tokens[at].info.split(' ').includes(word)
    if (marked(index, 'printed') && marked(index - 1, 'live')) return ''
    const code = fence(tokens, index, options, env, self)
    const { names } = env as { names?: LinkCode }
    if (names && marked(index, 'signature')) return names(code)
    if (marked(index, 'example')) return `<run-example>${code}</run-example>\n`
    if (!marked(index, 'live')) return code
    return `<code-cell>${code}${marked(index + 1, 'printed') ? fence(tokens, index + 1, options, env, self) : ''}</code-cell>\n`
  }
  // A wide table gets a scroller of its own, so that the page stays as wide as the screen.
  markdown.renderer.rules.table_open = (_tokens, _index, _options, env) =>
    `<div class="scroller" tabindex="0" role="region" aria-label="Table ${++(env as { tables: number }).tables}"><table>\n`
  markdown.renderer.rules.table_close = () => '</table></div>\n'

  const render = (source: string, resolve: Resolve, names?: LinkCode): Rendered => {
    const env = { names, tables: 0 }
    const tokens = markdown.parse(source, env)
    const headings: Rendered['headings'] = []
    let title = ''
    const plain: string[] = []
    tokens.forEach((token, at) => {
      if (token.type === 'inline')
        plain.push(token.children?.map((child) => (child.type === 'softbreak' ? ' ' : child.content)).join('') ?? '')
      if (token.type === 'fence') plain.push(token.content)
      if (token.type === 'heading_open') {
        const text = (tokens[at + 1].children ?? [])
          .filter(({ type }) => type === 'text' || type === 'code_inline')
          .map(({ content }) => content)
          .join('')
        const level = Number(token.tag.slice(1))
        if (level === 1 && !title) title = text
        if (level === 2 || level === 3) headings.push({ level, id: String(token.attrGet('id')), text })
      }
      for (const child of token.children ?? []) {
        // Pictures below the screen are loaded when somebody scrolls there.
        if (child.type === 'image') child.attrSet('loading', 'lazy')
        const name = child.type === 'link_open' ? 'href' : child.type === 'image' ? 'src' : undefined
        const target = name && child.attrGet(name)
        if (name && typeof target === 'string' && !target.startsWith('#') && !/^[a-z]+:/.test(target))
          child.attrSet(name, resolve(target) ?? target)
      }
    })
    // A corner of a table has nothing to say.
    const html = markdown.renderer.render(tokens, markdown.options, env).replace(/<th( style="[^"]*")?><\/th>/g, '<td></td>')
    return { html, title, headings, plain: plain.join('\n') }
  }
  return { render, done: () => keep('code', maker, colored) }
}
