/**
 * `<source-view>`: a source file of the repository, or the list of a folder. The page's hash says which, and which lines: `#packages/core/src/autodiff/tape.ts:24-32`.
 */
import { html, LitElement, nothing } from 'lit'
import type { CodeEditor } from '../shared/code-editor.js'
import '../shared/code-editor.js'
import { fileUrl } from '../shared/site.js'

interface Shown {
  path: string
  from?: number
  to?: number
}

function asked(): Shown {
  const [, path = '', from, to] = /^#?([^:]*)(?::(\d+)(?:-(\d+))?)?$/.exec(decodeURIComponent(location.hash)) ?? []
  return { path, from: from ? Number(from) : undefined, to: to ? Number(to) : undefined }
}

class SourceView extends LitElement {
  static override properties = { shown: { state: true }, text: { state: true }, list: { state: true }, failed: { state: true } }
  declare shown: Shown
  declare text: string | undefined
  declare list: string[]
  declare failed: string | undefined

  constructor() {
    super()
    this.shown = asked()
    this.list = []
    this.dataset.part = ''
  }

  protected override createRenderRoot(): HTMLElement {
    return this
  }

  override connectedCallback(): void {
    super.connectedCallback()
    addEventListener('hashchange', this.#show)
    void this.#show()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    removeEventListener('hashchange', this.#show)
  }

  readonly #show = async (): Promise<void> => {
    this.shown = asked()
    const { path, from, to } = this.shown
    this.text = undefined
    this.failed = undefined
    const all = this.list.length > 0 ? this.list : ((await (await fetch(fileUrl('sources/index.json'))).json()) as string[])
    this.list = all
    if (path === '' || path.endsWith('/')) return
    if (!all.includes(path)) {
      this.failed = `There is no source "${path}" here.`
      return
    }
    const text = await (await fetch(fileUrl(`sources/${path}.txt`))).text()
    if (asked().path !== path) return
    this.text = text
    await this.updateComplete
    const editor = this.querySelector<CodeEditor>('code-editor')
    if (!from) return
    editor?.mark(from, to ?? from)
    editor?.reveal(from)
  }

  /** The path with a link for each of its folders. */
  #path(path: string): unknown {
    const parts = path.split('/').filter((part) => part !== '')
    return parts.map((part, i) => {
      const folder = `${parts.slice(0, i + 1).join('/')}/`
      return i === parts.length - 1 ? html`<strong>${part}</strong>` : html`<a href="#${folder}">${part}</a> / `
    })
  }

  #folder(path: string): unknown {
    const inside = this.list.filter((each) => each.startsWith(path)).map((each) => each.slice(path.length))
    const names = [...new Set(inside.map((each) => (each.includes('/') ? each.slice(0, each.indexOf('/') + 1) : each)))]
    return html`<ul>${names.map((name) => html`<li><a href="#${path}${name}">${name}</a></li>`)}</ul>`
  }

  protected override render(): unknown {
    const { path } = this.shown
    return html`<p><a href="#">Sources</a> / ${this.#path(path)}
        ${this.text === undefined ? nothing : html` · <a href=${fileUrl(`sources/${path}.txt`)}>as text</a>`}</p>
      ${this.failed ? html`<p class="error">${this.failed}</p>` : nothing}
      ${this.text === undefined ? (path === '' || path.endsWith('/') ? this.#folder(path) : nothing) : html`<code-editor label=${path} readonly .value=${this.text}></code-editor>`}`
  }
}
customElements.define('source-view', SourceView)
