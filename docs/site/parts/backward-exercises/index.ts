/**
 * `<backward-exercises>`: the reader writes backward rules. Its content in Markdown is what is read without script: a heading and a text for each exercise of
 * ladder.ts, and one for the digits at the end. The address says which exercise is open: `#softmax`, with code as `#softmax?code=…`.
 */
import { html, LitElement, nothing, type TemplateResult } from 'lit'
import { keyed } from 'lit/directives/keyed.js'
import type { CodeEditor } from '../shared/code-editor.js'
import '../shared/code-editor.js'
import { Engine, EngineError, type Told } from '../shared/engine.js'
import { atAddress, linkTo } from './address.js'
import { css } from './css.js'
import './digits-card.js'
import './files-card.js'
import { type Exercise, ladder } from './ladder.js'
import { ladderView } from './ladder-view.js'
import { clear, load, type Progress, save } from './progress.js'
import { resultOf, trainedOf, verdictOf } from './result.js'
import { type Solution, solutionOf, solutionView } from './solution.js'
import { type Text, takeTexts } from './texts.js'
import type { Trained } from './trainings.js'
import type { Checked, functions } from './worker.js'

/** Milliseconds without a sign of life: of a case of the check, of a training. */
const CHECK_LIMIT = 5000
const TRAIN_LIMIT = 20_000

class BackwardExercises extends LitElement {
  static override properties = {
    open: { state: true },
    progress: { state: true },
    busy: { state: true },
    checked: { state: true },
    chosen: { state: true },
    trained: { state: true },
    error: { state: true },
    solution: { state: true },
    note: { state: true },
  }
  /** The exercise that is open. */
  declare open: string
  declare progress: Progress
  declare busy: 'check' | 'train' | undefined
  declare checked: Checked | undefined
  /** The case of the result that is looked at. */
  declare chosen: number
  declare trained: Trained | undefined
  declare error: Told | undefined
  declare solution: Solution | undefined
  declare note: string
  /** The parts of the Markdown text, by the id of their heading. */
  #texts: ReadonlyMap<string, Text> = new Map()
  readonly #engine = new Engine<typeof functions>('backward-exercises')
  #saving: ReturnType<typeof setTimeout> | undefined
  /** Code that came with a link and is not kept until it is changed or checked. */
  #linked: string | undefined
  /** The code that the result is of. */
  #judged = ''

  constructor() {
    super()
    this.dataset.part = ''
    this.progress = load()
    this.chosen = 0
    this.note = ''
    this.open = ladder[0].id
  }

  protected override createRenderRoot(): HTMLElement {
    return this
  }

  /** The first drawing is a task of its own, after that in which the scripts were read: the page stays free in between. */
  protected override async scheduleUpdate(): Promise<void> {
    if (!this.hasUpdated) await new Promise((resolve) => setTimeout(resolve))
    await super.scheduleUpdate()
  }

  override connectedCallback(): void {
    if (this.#texts.size === 0) this.#texts = takeTexts(this)
    this.#readAddress()
    super.connectedCallback()
    addEventListener('hashchange', this.#addressChanged)
    addEventListener('pagehide', this.#keep)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    removeEventListener('hashchange', this.#addressChanged)
    removeEventListener('pagehide', this.#keep)
    this.#engine.end()
  }

  #readAddress(): boolean {
    const there = atAddress(location.hash)
    if (!there) return false
    this.open = there.id
    this.#linked = there.code
    this.note = there.code === undefined ? '' : 'This code came with the link.'
    return true
  }

  readonly #addressChanged = async (): Promise<void> => {
    this.#keep()
    if (!this.#readAddress()) return
    this.#forget()
    this.solution = undefined
    await this.updateComplete
    this.querySelector('.be-task')?.scrollIntoView({ block: 'nearest' })
  }

  /** Drops what was said of the code before. */
  #forget(): void {
    if (this.busy) this.#engine.end()
    this.busy = undefined
    this.checked = undefined
    this.trained = undefined
    this.error = undefined
  }

  get #exercise(): Exercise {
    return ladder.find(({ id }) => id === this.open) as Exercise
  }

  get #editor(): CodeEditor {
    return this.querySelector('code-editor') as CodeEditor
  }

  readonly #titleOf = (id: string): string => this.#texts.get(id)?.title ?? id

  #put(id: string, change: Progress[string]): void {
    this.progress = { ...this.progress, [id]: { ...this.progress[id], ...change } }
    if (!save(this.progress)) this.note = 'This browser keeps nothing for this page. Save your exercises as a file before you leave.'
  }

  #edited(): void {
    this.#engine.start()
    clearTimeout(this.#saving)
    this.#saving = setTimeout(this.#keep, 400)
  }

  /** Keeps what stands in the editor. */
  readonly #keep = (): void => {
    if (this.#saving === undefined) return
    clearTimeout(this.#saving)
    this.#saving = undefined
    this.#linked = undefined
    const id = this.#editor.dataset.exercise as string
    this.#put(id, { code: this.#editor.value })
  }

  async #check(): Promise<void> {
    if (this.busy) return
    const { id } = this.#exercise
    const code = this.#editor.value
    this.#forget()
    this.#editor.mark()
    this.busy = 'check'
    this.#judged = code
    this.#linked = undefined
    // Now, not when the answer is there: the reader may have written on by then.
    this.#put(id, { code })
    try {
      const checked = await this.#engine.call('check', [id, code], { limit: CHECK_LIMIT })
      const first = checked.cases.findIndex(({ passed }) => !passed)
      this.chosen = Math.max(0, first)
      this.checked = checked
      if (checked.passed) this.#put(id, { solved: code })
      this.#editor.mark(checked.cases[this.chosen].told?.line)
    } catch (error) {
      this.#failed(error)
    } finally {
      if (this.open === id) this.busy = undefined
    }
  }

  async #train(): Promise<void> {
    this.busy = 'train'
    this.error = undefined
    try {
      this.trained = await this.#engine.call('train', [this.#exercise.id, this.#judged], { limit: TRAIN_LIMIT })
    } catch (error) {
      this.#failed(error)
    } finally {
      this.busy = undefined
    }
  }

  #failed(error: unknown): void {
    if (error instanceof Error && error.message === 'ended') return // another exercise was opened
    this.error = error instanceof EngineError ? error : { name: 'Stopped', message: String((error as Error).message) }
    this.#editor.mark(this.error.line)
  }

  async #solve(): Promise<void> {
    try {
      this.solution = await solutionOf(this.open)
    } catch (error) {
      this.error = { name: 'Error', message: (error as Error).message }
    }
  }

  async #link(): Promise<void> {
    this.note = await linkTo(this.open, this.#editor.value)
  }

  /** Takes what a file holds, or nothing, in the place of all that is here. */
  #replace(progress: Progress): void {
    clearTimeout(this.#saving)
    this.#saving = undefined
    this.progress = progress
    this.solution = undefined
    this.#linked = undefined
    this.#forget()
  }

  protected override render(): unknown {
    const exercise = this.#exercise
    const entry = this.progress[exercise.id] ?? {}
    const code = this.#linked ?? entry.code ?? exercise.start
    const text = this.#texts.get(exercise.id)
    const digits = [...this.#texts].find(([id]) => !ladder.some((each) => each.id === id))?.[1]
    return html`<style>${css}</style>
      <div class="be">
        ${ladderView(exercise.id, this.progress, this.#titleOf)}
        <div class="be-work">
          <div class="be-task">${text?.nodes}</div>
          ${keyed(exercise.id, html`<code-editor label="The rule of ${exercise.op}" data-exercise=${exercise.id} .value=${code} @run=${this.#check} @change=${this.#edited} @focusin=${() => this.#engine.start()}></code-editor>`)}
          ${this.#buttons(entry.hints ?? 0, entry.solved !== undefined)}
          ${this.#hints(exercise, entry.hints ?? 0)}
          <p class="skip" role="status">${this.checked ? verdictOf(this.checked) : ''}</p>
          ${this.#results(exercise)}
          ${this.solution ? solutionView(this.solution, (code) => this.#reset(code)) : nothing}
        </div>
      </div>
        ${
          digits
            ? html`<section class="be-digits card">${digits.nodes}
            <exercise-digits .titleOf=${this.#titleOf} .progress=${this.progress}></exercise-digits></section>`
            : nothing
        }
      <exercise-files class="be-files" .progress=${this.progress} @loaded=${({ detail }: CustomEvent<Progress>) => {
        save(detail)
        this.#replace(detail)
      }} @cleared=${() => {
        clear()
        this.#replace({})
      }}></exercise-files>`
  }

  #buttons(hints: number, solved: boolean): TemplateResult {
    return html`<div class="row">
        <button class="primary" ?disabled=${this.busy !== undefined} @click=${this.#check}>${this.busy === 'check' ? 'Checks …' : 'Check'}</button>
        ${hints < 3 ? html`<button @click=${() => this.#put(this.open, { hints: hints + 1 })}>Hint ${hints + 1} of 3</button>` : nothing}
        ${(hints >= 3 || solved) && !this.solution ? html`<button @click=${this.#solve}>Show the library's solution</button>` : nothing}
        <button @click=${() => this.#reset(this.#exercise.start)}>As it was</button>
        <button @click=${this.#link}>Link with my code</button>
        <span class="muted">Ctrl-Enter checks it; Escape, then Tab leaves the field</span>
      </div>
      <p class="muted" role="status" style="margin:0" ?hidden=${!this.note}>${this.note}</p>`
  }

  #reset(code: string): void {
    this.#linked = undefined
    this.#editor.value = code
    this.#put(this.open, { code })
    this.#forget()
  }

  #hints({ hints }: Exercise, count: number): unknown {
    return count > 0
      ? html`<ol class="be-hints" aria-label="Hints">${hints.slice(0, count).map((hint) => html`<li>${hint}</li>`)}</ol>`
      : nothing
  }

  #results(exercise: Exercise): unknown {
    const { checked, trained, error } = this
    const next = ladder[ladder.indexOf(exercise) + 1]
    // A rule that stops with an error would stop the training, too.
    const trains = checked && !checked.passed && checked.cases[0].compared.length > 0
    return html`${error ? html`<p class="error" role="alert">${error.line ? `Line ${error.line}: ` : ''}${error.name}: ${error.message}</p>` : nothing}
      ${
        checked
          ? html`<section class="card" aria-label="What the check found">${resultOf(checked, this.chosen, (i) => {
              this.chosen = i
              this.#editor.mark(checked.cases[i].told?.line)
            })}
            ${checked.passed && next ? html`<p><a href="#${next.id}">Next: ${this.#titleOf(next.id)}</a></p>` : nothing}
            ${trains ? html`<button ?disabled=${this.busy !== undefined} @click=${this.#train}>${this.busy === 'train' ? 'Trains …' : 'Train with this rule, beside the right one'}</button>` : nothing}
            ${trained ? trainedOf(trained) : nothing}</section>`
          : nothing
      }`
  }
}
customElements.define('backward-exercises', BackwardExercises)
