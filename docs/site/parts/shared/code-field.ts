/**
 * `<code-field>`: a plain field for code that becomes an editor when somebody goes into it. A page that shows code loads without the editor, which is larger than most
 * pages. It has the face of `<code-editor>`: `value`, `change`, `run`, `mark(line)`.
 */
import type { CodeEditor } from './code-editor.js'

export class CodeField extends HTMLElement {
  #editor: CodeEditor | undefined
  #text = ''
  readonly #plain = document.createElement('textarea')
  #opening: Promise<CodeEditor> | undefined

  get value(): string {
    return this.#editor?.value ?? (this.#plain.isConnected ? this.#plain.value : this.#text)
  }

  set value(text: string) {
    this.#text = text
    this.#plain.value = text
    this.#plain.rows = Math.min(20, text.split('\n').length)
    if (this.#editor) this.#editor.value = text
  }

  /** Colours a line, counted from 1; none without a number. */
  mark(line?: number): void {
    if (this.#editor) this.#editor.mark(line)
    else if (line !== undefined) void this.#open().then((editor) => editor.mark(line))
  }

  connectedCallback(): void {
    if (this.#editor || this.#plain.isConnected) return
    this.style.display = 'block'
    const plain = this.#plain
    plain.setAttribute('aria-label', this.getAttribute('label') ?? 'Code')
    plain.spellcheck = false
    plain.autocapitalize = 'off'
    plain.addEventListener('focus', () => void this.#open())
    plain.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return
      event.preventDefault()
      this.dispatchEvent(new CustomEvent('run', { bubbles: true }))
    })
    this.append(plain)
  }

  /** Puts the editor in the place of the field, with what was typed meanwhile and the caret where it was. */
  #open(): Promise<CodeEditor> {
    this.#opening ??= import('./code-editor.js').then(({ CodeEditor }) => {
      const editor = new CodeEditor()
      editor.setAttribute('label', this.getAttribute('label') ?? 'Code')
      const { value, selectionStart } = this.#plain
      const entered = document.activeElement === this.#plain
      editor.value = value
      this.replaceChildren(editor)
      this.#editor = editor
      if (entered) editor.focusAt(selectionStart)
      return editor
    })
    return this.#opening
  }
}
if (!customElements.get('code-field')) customElements.define('code-field', CodeField)
