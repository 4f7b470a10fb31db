/**
 * `<code-editor>`: an editor for TypeScript. `value` is its text; it sends `change` when the reader edits, and `run` for Ctrl-Enter. `mark(line)` shows where an
 * error happened.
 */
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands'
import { javascript } from '@codemirror/lang-javascript'
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from '@codemirror/language'
import { Compartment, EditorState, StateEffect, StateField } from '@codemirror/state'
import { Decoration, EditorView, highlightActiveLine, keymap, lineNumbers } from '@codemirror/view'
import { tags } from '@lezer/highlight'

/** Contrast of at least 4.5 to the card, light and dark. */
const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier], color: 'var(--series-2)' },
  { tag: [tags.string, tags.special(tags.string), tags.regexp], color: 'var(--series-3)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--series-1)' },
  { tag: [tags.function(tags.variableName), tags.function(tags.propertyName), tags.typeName], color: 'var(--series-4)' },
  { tag: [tags.lineComment, tags.blockComment], color: 'var(--muted)', fontStyle: 'italic' },
])

const look = EditorView.theme({
  '&': { fontSize: '14px', backgroundColor: 'var(--card)', color: 'var(--ink)', border: '1px solid var(--line)', borderRadius: '8px' },
  '&.cm-focused': { outline: '3px solid var(--accent)', outlineOffset: '1px' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.55' },
  '.cm-gutters': { backgroundColor: 'transparent', color: 'var(--muted)', border: 'none' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'color-mix(in srgb, var(--accent) 6%, transparent)' },
  '.cm-content': { caretColor: 'var(--ink)' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)' },
  '&.cm-focused .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'color-mix(in srgb, var(--accent) 25%, transparent) !important',
  },
  // Letters of all colours keep a contrast of 4.5 on it; the bar at the left shows it to everybody.
  '.cm-marked': { backgroundColor: 'color-mix(in srgb, var(--bad) 6%, transparent) !important', boxShadow: 'inset 4px 0 var(--bad)' },
})

const setMark = StateEffect.define<{ from: number; to: number } | undefined>()
const marked = StateField.define({
  create: () => Decoration.none,
  update(marks, transaction) {
    let now = transaction.docChanged ? Decoration.none : marks
    for (const effect of transaction.effects) {
      if (!effect.is(setMark)) continue
      const { from, to } = effect.value ?? { from: 1, to: 0 }
      const { doc } = transaction.state
      const colour = Decoration.line({ class: 'cm-marked' })
      const lines = Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i).filter((line) => line >= 1 && line <= doc.lines)
      now = Decoration.set(lines.map((line) => colour.range(doc.line(line).from)))
    }
    return now
  },
  provide: (field) => EditorView.decorations.from(field),
})

export class CodeEditor extends HTMLElement {
  #view: EditorView | undefined
  #text = ''
  readonly #reading = new Compartment()

  /** The name of the field, for screen readers. */
  get label(): string {
    return this.getAttribute('label') ?? 'Code'
  }

  /** The number of the first line, for a part of a file. */
  get first(): number {
    return Number(this.getAttribute('first') ?? 1)
  }

  get value(): string {
    return this.#view?.state.doc.toString() ?? this.#text
  }

  set value(text: string) {
    this.#text = text
    const view = this.#view
    if (view && view.state.doc.toString() !== text) view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } })
  }

  set readonly(value: boolean) {
    this.toggleAttribute('readonly', value)
    this.#view?.dispatch({ effects: this.#reading.reconfigure(EditorState.readOnly.of(value)) })
  }

  /** Colours a line, counted from 1, or lines up to another; none without a number. The next edit takes the colour away. */
  mark(line?: number, to = line): void {
    this.#view?.dispatch({ effects: setMark.of(line === undefined || to === undefined ? undefined : { from: line, to }) })
  }

  /** Scrolls to a line, counted from 1. */
  reveal(line: number): void {
    const view = this.#view
    if (!view || line < 1 || line > view.state.doc.lines) return
    view.dispatch({ effects: EditorView.scrollIntoView(view.state.doc.line(line).from, { y: 'center' }) })
  }

  /** Puts the caret before a character, counted from 0. */
  focusAt(place: number): void {
    const view = this.#view
    if (!view) return
    view.focus()
    view.dispatch({ selection: { anchor: Math.min(place, view.state.doc.length) } })
  }

  connectedCallback(): void {
    if (this.#view) return
    this.style.display = 'block'
    const run = (): boolean => this.dispatchEvent(new CustomEvent('run', { bubbles: true }))
    this.#view = new EditorView({
      parent: this,
      state: EditorState.create({
        doc: this.#text,
        extensions: [
          // Escape, then Tab leaves the field (CodeMirror's own rule).
          keymap.of([{ key: 'Mod-Enter', run }, indentWithTab, ...defaultKeymap, ...historyKeymap]),
          history(),
          lineNumbers({ formatNumber: (line) => String(line + this.first - 1) }),
          indentOnInput(),
          bracketMatching(),
          highlightActiveLine(),
          javascript({ typescript: true }),
          syntaxHighlighting(colours),
          marked,
          look,
          this.#reading.of(EditorState.readOnly.of(this.hasAttribute('readonly'))),
          EditorView.contentAttributes.of({ 'aria-label': this.label }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) this.dispatchEvent(new CustomEvent('change', { bubbles: true }))
          }),
        ],
      }),
    })
    this.#view.scrollDOM.tabIndex = 0
  }

  disconnectedCallback(): void {
    this.#text = this.value
    this.#view?.destroy()
    this.#view = undefined
  }
}
if (!customElements.get('code-editor')) customElements.define('code-editor', CodeEditor)
