/**
 * The search. The build made an index; a worker loads it when somebody comes to the field, so that the page stays free. What is found stands in a list by the kind of
 * page. The focus stays in the field: arrows choose, Enter opens, Escape closes the list and gives the focus back to where it was.
 */
import { html, LitElement, nothing } from 'lit'
import { Engine } from '../shared/engine.js'
import { fileUrl } from '../shared/site.js'
import { style } from './css.js'
import type { Found, functions, Group } from './worker.js'

const engine = new Engine<typeof functions>('search-box')
const index = (): string => fileUrl('search/index.json')
const titles: Record<Group['kind'], string> = { reference: 'Reference', book: 'The book', guide: 'Guides', result: 'Results' }

class SearchBox extends LitElement {
  static override properties = {
    groups: { state: true },
    asked: { state: true },
    open: { state: true },
    at: { state: true },
    failed: { state: true },
  }
  declare groups: readonly Group[] | undefined
  declare asked: string
  declare open: boolean
  declare at: number
  declare failed: string
  /** The element that had the focus before. */
  #before: HTMLElement | undefined

  constructor() {
    super()
    this.asked = ''
    this.open = false
    this.at = 0
    this.failed = ''
  }

  protected override createRenderRoot(): HTMLElement {
    return this
  }

  override connectedCallback(): void {
    super.connectedCallback()
    document.addEventListener('keydown', this.#slash)
    document.addEventListener('pointerdown', this.#outside)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    document.removeEventListener('keydown', this.#slash)
    document.removeEventListener('pointerdown', this.#outside)
  }

  /** A slash leads here from everywhere but a field. */
  readonly #slash = (event: KeyboardEvent): void => {
    const inField = event.target instanceof HTMLElement && event.target.closest('input, textarea, select, [contenteditable]')
    if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || inField) return
    event.preventDefault()
    this.#before = document.activeElement instanceof HTMLElement ? document.activeElement : undefined
    const field = this.#field
    field?.focus()
    field?.select()
  }

  readonly #outside = (event: Event): void => {
    if (!this.contains(event.target as Node)) this.open = false
  }

  get #field(): HTMLInputElement | null {
    return this.querySelector('input')
  }

  get #all(): readonly Found[] {
    return this.groups?.flatMap(({ found }) => found) ?? []
  }

  readonly #focused = (event: FocusEvent): void => {
    if (event.relatedTarget instanceof HTMLElement) this.#before = event.relatedTarget
    // The first word waits for the index, and says why it did not come.
    engine.call('open', [index()]).catch(() => {})
    this.open = this.asked.trim() !== ''
  }

  async #search(text: string): Promise<void> {
    this.asked = text
    this.open = text.trim() !== ''
    if (!this.open) {
      this.groups = undefined
      return
    }
    try {
      const groups = await engine.call('find', [index(), text])
      if (this.asked !== text) return
      this.groups = groups
      this.failed = ''
      this.at = 0
    } catch (error) {
      if (this.asked !== text) return
      this.groups = undefined
      this.failed = (error as Error).message
    }
  }

  readonly #key = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') {
      event.preventDefault()
      this.open = false
      if (this.#before?.isConnected) this.#before.focus()
      else this.#field?.blur()
      return
    }
    if (event.key === 'Enter') {
      const chosen = this.open && this.#all[this.at]
      if (chosen) this.#go(chosen)
      return
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    const count = this.#all.length
    if (!step || count === 0) return
    event.preventDefault()
    if (this.open) this.at = (this.at + step + count) % count
    this.open = true
    void this.updateComplete.then(() => this.querySelector(`#found-${this.at}`)?.scrollIntoView({ block: 'nearest' }))
  }

  #go({ url }: Found): void {
    this.open = false
    location.href = fileUrl(url)
  }

  #list(): unknown {
    const { groups, failed } = this
    if (failed) return html`<p class="error">${failed}</p>`
    if (!groups) return html`<p class="muted">Reading the index …</p>`
    if (groups.length === 0) return html`<p class="muted">Nothing found for “${this.asked}”.</p>`
    let i = 0
    return groups.map(
      ({
        kind,
        found,
      }) => html`<div role="group" aria-labelledby="found-${kind}"><span class="kind" id="found-${kind}" role="presentation">${titles[kind]}</span>
        ${found.map(({ url, title, heading }) => {
          const at = i++
          return html`<a role="option" id="found-${at}" tabindex="-1" href=${fileUrl(url)} aria-selected=${at === this.at}
            @click=${() => {
              this.open = false
            }}>${heading || title}${heading ? html`<small>${title}</small>` : nothing}</a>`
        })}</div>`,
    )
  }

  protected override render(): unknown {
    const count = this.#all.length
    return html`<style>${style}</style>
      <input type="search" placeholder="Search  /" aria-label="Search" autocomplete="off" autocapitalize="off" spellcheck="false" role="combobox" aria-autocomplete="list"
        aria-expanded=${this.open && count > 0} aria-controls="found" aria-activedescendant=${this.open && count > 0 ? `found-${this.at}` : nothing} .value=${this.asked}
        @focus=${this.#focused} @input=${(event: Event) => void this.#search((event.target as HTMLInputElement).value)} @keydown=${this.#key} />
      <div class="found card" id="found" role=${count > 0 ? 'listbox' : nothing} aria-label=${count > 0 ? 'Found' : nothing} ?hidden=${!this.open}>${this.open ? this.#list() : nothing}</div>
      <span class="said" role="status">${!this.open || !this.groups ? '' : count === 0 ? 'Nothing found.' : `${count} found.`}</span>`
  }
}
customElements.define('search-box', SearchBox)
