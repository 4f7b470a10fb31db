/**
 * `<code-cell>`: code of a page that runs. In Markdown it is a fence with the words `ts live`; without script it is read as any other code. A fence `text printed`
 * behind it holds what the code prints; the cell shows it until the reader runs the code. The cell's number and the reader's changed code stand in the address.
 */
import { html, LitElement, nothing } from 'lit'
import type { CodeEditor } from '../shared/code-editor.js'
import '../shared/code-editor.js'
import { Engine, EngineError, type Told } from '../shared/engine.js'
import { css } from './css.js'
import type { Picture } from './pictures.js'
import type { functions } from './worker.js'

/** All cells of a page share a worker; a cell that does not end takes it down, and the next run starts another. */
const engine = new Engine<typeof functions>('code-cell')
/** Milliseconds without a sign of life. */
const LIMIT = 10_000
/** A tensor of more numbers is a map of colours alone. */
const LARGE = 64

const sheet = document.createElement('style')
sheet.textContent = css
document.head.append(sheet)

/** Text that follows other text is one block. */
type Item = string | Picture

class CodeCell extends LitElement {
  static override properties = { items: { state: true }, error: { state: true }, running: { state: true }, changed: { state: true } }
  declare items: Item[]
  declare error: Told | undefined
  declare running: boolean
  declare changed: boolean
  #code = ''
  /** The output that the page gives for the code. */
  #printed = ''
  #ran = false
  /** The place in the address: `#cell-2=…`. */
  #place = ''
  /** The drawing of each picture. */
  readonly #drawn = new WeakMap<object, HTMLElement>()

  constructor() {
    super()
    this.items = []
    this.running = false
    this.changed = false
    const [code, printed] = this.querySelectorAll('pre')
    this.#code = code?.textContent?.trimEnd() ?? ''
    this.#printed = printed?.textContent?.trimEnd() ?? ''
    this.replaceChildren()
    this.dataset.part = ''
  }

  protected override createRenderRoot(): HTMLElement {
    return this
  }

  get #editor(): CodeEditor {
    return this.querySelector('code-editor') as CodeEditor
  }

  protected override firstUpdated(): void {
    this.#place = `#cell-${[...document.querySelectorAll('code-cell')].indexOf(this) + 1}`
    this.id = this.#place.slice(1)
    if (!location.hash.startsWith(`${this.#place}=`)) return
    this.#editor.value = decodeURIComponent(location.hash.slice(this.#place.length + 1))
    this.changed = true
    this.scrollIntoView({ block: 'center' })
  }

  #edited(): void {
    this.changed = this.#editor.value.trimEnd() !== this.#code
  }

  #asItWas(): void {
    this.#editor.value = this.#code
    this.#keep()
    this.#ran = false
    this.items = []
    this.error = undefined
    this.#editor.mark()
  }

  /** Puts changed code into the address. */
  #keep(): void {
    const code = this.#editor.value
    this.#edited()
    if (this.changed) history.replaceState(null, '', `${this.#place}=${encodeURIComponent(code)}`)
    else if (location.hash.startsWith(`${this.#place}=`)) history.replaceState(null, '', location.pathname + location.search)
  }

  async run(): Promise<void> {
    const editor = this.#editor
    this.#keep()
    this.running = true
    this.#ran = true
    this.error = undefined
    editor.mark()
    // Lines may come faster than a page can show them: they are shown together.
    const items: Item[] = []
    let due = 0
    const shown = (): void => {
      cancelAnimationFrame(due)
      this.items = [...items]
    }
    this.items = []
    try {
      await engine.call('run', [editor.value], {
        limit: LIMIT,
        onProgress: (item: Item) => {
          items.push(item)
          cancelAnimationFrame(due)
          due = requestAnimationFrame(shown)
        },
      })
    } catch (error) {
      this.error = error instanceof EngineError ? error : { name: 'Stopped', message: String((error as Error).message) }
      editor.mark(this.error.line)
    } finally {
      this.running = false
      shown()
    }
  }

  /** A picture; its script is loaded with the first one. */
  #picture(picture: Picture): unknown {
    if (picture.kind === 'tensor') {
      void import('../shared/tensor-view.js')
      const { name, shape, values } = picture
      return html`<tensor-view .value=${{ shape, values, ...(name && { name }) }} .mode=${values.length > LARGE ? 'map' : 'both'}></tensor-view>`
    }
    let place = this.#drawn.get(picture)
    if (!place) {
      place = document.createElement('div')
      place.className = 'picture'
      this.#drawn.set(picture, place)
      const there = place
      void import('./draw.js').then(({ drawPlot }) => there.replaceChildren(drawPlot(picture, this.clientWidth)))
    }
    return place
  }

  #output(): unknown {
    if (!this.#ran) return this.#printed ? html`<pre class="before" tabindex="0">${this.#printed}</pre>` : nothing
    const blocks: (string | Picture)[] = []
    for (const item of this.items) {
      const last = blocks.at(-1)
      if (typeof item === 'string' && typeof last === 'string') blocks[blocks.length - 1] = `${last}\n${item}`
      else blocks.push(item)
    }
    return blocks.map((block) => (typeof block === 'string' ? html`<pre tabindex="0">${block}</pre>` : this.#picture(block)))
  }

  protected override render(): unknown {
    return html`<code-editor label="Code that runs" .value=${this.#code} @run=${this.run} @change=${this.#edited}></code-editor>
      <div class="row">
        <button class="primary" ?disabled=${this.running} @click=${this.run}>${this.running ? 'Runs …' : 'Run'}</button>
        <button ?disabled=${this.running || (!this.changed && !this.#ran)} @click=${this.#asItWas}>As it was</button>
        <span class="muted">Ctrl-Enter runs it</span>
      </div>
      <div class="output" role="status" aria-label="What the code prints">
        ${this.#output()}
        ${this.error ? html`<p class="error">${this.error.line ? `Line ${this.error.line}: ` : ''}${this.error.name}: ${this.error.message}</p>` : nothing}
      </div>`
  }
}
customElements.define('code-cell', CodeCell)
