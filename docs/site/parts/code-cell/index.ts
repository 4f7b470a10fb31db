/**
 * `<code-cell>`: code of a page that runs. In Markdown it is a fence with the words `ts live`; without script it is read as any other code.
 */
import { html, LitElement, nothing } from 'lit'
import type { CodeEditor } from '../shared/code-editor.js'
import '../shared/code-editor.js'
import { Engine, EngineError, type Told } from '../shared/engine.js'
import type { functions } from './worker.js'

/** All cells of a page share a worker; a cell that does not end takes it down, and the next run starts another. */
const engine = new Engine<typeof functions>('code-cell')
/** Milliseconds without a sign of life. */
const LIMIT = 10_000

class CodeCell extends LitElement {
  static override properties = { lines: { state: true }, error: { state: true }, running: { state: true } }
  declare lines: string[]
  declare error: Told | undefined
  declare running: boolean
  #code = ''

  constructor() {
    super()
    this.lines = []
    this.running = false
    this.#code = this.querySelector('pre')?.textContent?.trimEnd() ?? ''
    this.replaceChildren()
    this.dataset.part = ''
  }

  protected override createRenderRoot(): HTMLElement {
    return this
  }

  async run(): Promise<void> {
    const editor = this.querySelector('code-editor') as CodeEditor
    this.running = true
    this.error = undefined
    this.lines = []
    editor.mark()
    try {
      await engine.call('run', [editor.value], {
        limit: LIMIT,
        onProgress: (line: string) => {
          this.lines = [...this.lines, line]
        },
      })
    } catch (error) {
      this.error = error instanceof EngineError ? error : { name: 'Stopped', message: String((error as Error).message) }
      editor.mark(this.error.line)
    } finally {
      this.running = false
    }
  }

  protected override render(): unknown {
    return html`<code-editor label="Code that runs" .value=${this.#code} @run=${this.run}></code-editor>
      <div class="row" style="margin:6px 0">
        <button class="primary" ?disabled=${this.running} @click=${this.run}>${this.running ? 'Runs …' : 'Run'}</button>
        <button @click=${() => {
          ;(this.querySelector('code-editor') as CodeEditor).value = this.#code
        }}>As it was</button>
        <span class="muted">Ctrl-Enter runs it</span>
      </div>
      <div role="status">
        ${this.lines.length > 0 ? html`<pre>${this.lines.join('\n')}</pre>` : nothing}
        ${this.error ? html`<p class="error">${this.error.line ? `Line ${this.error.line}: ` : ''}${this.error.name}: ${this.error.message}</p>` : nothing}
      </div>`
  }
}
customElements.define('code-cell', CodeCell)
