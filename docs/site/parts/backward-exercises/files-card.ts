/** `<exercise-files>`: saves what the reader has written as a file, loads one, clears all. It sends `loaded` with the progress, and `cleared`. */
import { html, LitElement } from 'lit'
import { save } from '../../../../packages/layers/src/report/view/save.js'
import { asFile, fromFile, type Progress } from './progress.js'

class ExerciseFiles extends LitElement {
  static override properties = { progress: { attribute: false }, clearing: { state: true }, note: { state: true } }
  declare progress: Progress
  /** Whether it asks if all shall go. */
  declare clearing: boolean
  declare note: string

  constructor() {
    super()
    this.progress = {}
    this.clearing = false
    this.note = ''
  }

  protected override createRenderRoot(): HTMLElement {
    return this
  }

  #save(): void {
    save('exercises.json', new Blob([asFile(this.progress)], { type: 'application/json' }))
  }

  async #load(event: Event): Promise<void> {
    const input = event.target as HTMLInputElement
    const [file] = input.files ?? []
    if (!file) return
    try {
      const loaded = fromFile(await file.text())
      this.dispatchEvent(new CustomEvent('loaded', { detail: loaded }))
      this.note = `Loaded, with ${Object.values(loaded).filter(({ solved }) => solved).length} solved exercises.`
    } catch (error) {
      this.note = (error as Error).message
    }
    input.value = ''
  }

  #clear(): void {
    this.clearing = false
    this.dispatchEvent(new CustomEvent('cleared'))
    this.note = 'All is as at the beginning.'
  }

  protected override render(): unknown {
    const ask = (clearing: boolean) => (): void => {
      this.clearing = clearing
    }
    return html`<p class="muted be-text">What you write stays in this browser. Save it as a file to take it to another one.</p>
      <div class="row">
        <button @click=${this.#save}>Save as a file</button>
        <span><input type="file" id="be-upload" accept=".json,application/json" @change=${this.#load}><label for="be-upload">Load a file</label></span>
        ${
          this.clearing
            ? html`<button @click=${this.#clear}>Yes, clear all exercises</button><button @click=${ask(false)}>Keep them</button>`
            : html`<button @click=${ask(true)}>Clear all</button>`
        }
        <span class="muted" role="status">${this.note}</span>
      </div>`
  }
}
customElements.define('exercise-files', ExerciseFiles)
