/** The search: an index that the build made, loaded when somebody types. */
import { html, LitElement, nothing } from 'lit'
import type MiniSearch from 'minisearch'
import { fileUrl } from '../shared/site.js'

interface Found {
  id: string
  title: string
  heading: string
}

const SHOWN = 12

class SearchBox extends LitElement {
  static override properties = { found: { state: true }, asked: { state: true }, at: { state: true } }
  declare found: Found[]
  declare asked: string
  declare at: number
  #index: Promise<MiniSearch> | undefined

  constructor() {
    super()
    this.found = []
    this.asked = ''
    this.at = 0
  }

  protected override createRenderRoot(): HTMLElement {
    return this
  }

  override connectedCallback(): void {
    super.connectedCallback()
    addEventListener('keydown', (event) => {
      const inField = event.target instanceof HTMLElement && event.target.closest('input, textarea, select, [contenteditable]')
      if (event.key !== '/' || inField) return
      event.preventDefault()
      this.querySelector('input')?.focus()
    })
  }

  #load(): Promise<MiniSearch> {
    this.#index ??= (async () => {
      const [{ default: Search }, response] = await Promise.all([import('minisearch'), fetch(fileUrl('search/index.json'))])
      // As in build/search.ts.
      return Search.loadJSON(await response.text(), {
        fields: ['title', 'heading', 'text'],
        storeFields: ['url', 'title', 'heading'],
        idField: 'url',
      })
    })()
    return this.#index
  }

  async #search(text: string): Promise<void> {
    this.asked = text
    const index = await this.#load()
    if (this.asked !== text) return
    this.at = 0
    this.found = text.trim()
      ? (index.search(text, { prefix: true, fuzzy: 0.15, boost: { title: 3, heading: 2 } }).slice(0, SHOWN) as unknown as Found[])
      : []
  }

  #key(event: KeyboardEvent): void {
    if (event.key === 'Escape') this.found = []
    if (event.key === 'ArrowDown') this.at = Math.min(this.at + 1, this.found.length - 1)
    if (event.key === 'ArrowUp') this.at = Math.max(this.at - 1, 0)
    if (event.key === 'Enter' && this.found[this.at]) location.href = fileUrl(this.found[this.at].id)
    if (event.key.startsWith('Arrow')) event.preventDefault()
  }

  protected override render(): unknown {
    const open = this.asked.trim() !== ''
    return html`<style>
        search-box input { width: 220px; max-width: 40vw; }
        search-box .found { position: absolute; right: 0; top: calc(100% + 4px); width: min(420px, 92vw); max-height: 70vh; overflow: auto; margin: 0; padding: 6px; list-style: none; box-shadow: 0 8px 24px #0004; }
        search-box .found a { display: block; padding: 6px 8px; border-radius: 6px; color: var(--ink); text-decoration: none; }
        search-box .found .at a, search-box .found a:hover { background: var(--code); }
        search-box .found small { display: block; color: var(--muted); }
      </style>
      <input type="search" placeholder="Search  /" aria-label="Search" autocomplete="off" role="combobox" aria-autocomplete="list"
        aria-expanded=${open} aria-controls="found" .value=${this.asked}
        @focus=${() => void this.#load()} @input=${(event: Event) => void this.#search((event.target as HTMLInputElement).value)} @keydown=${this.#key} />
      ${
        open
          ? html`<ul class="found card" id="found" role="listbox" aria-label="Found">
              ${this.found.map(
                ({ id, title, heading }, i) => html`<li role="option" aria-selected=${i === this.at} class=${i === this.at ? 'at' : ''}>
                  <a href=${fileUrl(id)} tabindex="-1">${heading || title}${heading ? html`<small>${title}</small>` : nothing}</a></li>`,
              )}
              ${this.found.length === 0 ? html`<li role="option" aria-selected="false" class="muted">Nothing found.</li>` : nothing}
            </ul>`
          : html`<span id="found" hidden></span>`
      }`
  }
}
customElements.define('search-box', SearchBox)
