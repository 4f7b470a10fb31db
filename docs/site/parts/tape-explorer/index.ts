/**
 * `<tape-explorer>`: the reader's code, its tape, and the walk over it, record by record. The address holds code and step; ← and → step.
 *
 * The page keeps no numbers: it asks the worker for those of a step. The editor is loaded when somebody edits, because it is larger than all the rest.
 */
import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit'
import type { CodeEditor } from '../shared/code-editor.js'
import { Ended, Engine, EngineError, type Told } from '../shared/engine.js'
import '../shared/tensor-view.js'
import { brief, type TensorMode } from '../shared/tensor-view.js'
import { codeOf, type RunStep } from '../time-machine/code.js'
import { styles } from './css.js'
import type { Differences, Kernel, Recorded, Row, Step } from './data.js'
import { momentView } from './moment-view.js'
import { hashOf, type Place, placeIn } from './place.js'
import { presets } from './presets.js'
import { type Opened, openKernel, openOp, sourceView } from './source-panel.js'
import { backwardView, endView, forwardView, memoryView } from './step-view.js'
import { formula, graphOf, type Here, listOf, ROW } from './tape-view.js'
import type { functions } from './worker.js'

document.adoptedStyleSheets.push(styles)

const engine = new Engine<typeof functions>('tape-explorer')
/** Milliseconds without a sign of life. */
const LIMIT = 5000

const told = (error: unknown): Told =>
  error instanceof EngineError ? error : { name: error instanceof Ended ? 'Stopped' : 'Error', message: String((error as Error).message) }

class TapeExplorer extends LitElement {
  static override properties = Object.fromEntries(
    [
      'recorded',
      'step',
      'differences',
      'at',
      'error',
      'lines',
      'running',
      'preset',
      'moment',
      'momentLoss',
      'replayed',
      'float64',
      'graph',
      'mode',
      'opened',
      'rich',
      'changed',
    ].map((name) => [name, { state: true }]),
  )
  declare recorded: Recorded | undefined
  declare step: Step | undefined
  declare differences: Differences | undefined
  /** The step: forward from 0, then backward, then the gradients. */
  declare at: number
  declare error: Told | undefined
  declare lines: string[]
  declare running: boolean
  /** The preset whose code this is; undefined for the reader's own. */
  declare preset: string | undefined
  /** The step of a training whose numbers the code imports, and the loss that the time machine has there. */
  declare moment: RunStep | undefined
  declare momentLoss: number | undefined
  /** The step that the worker replays now. */
  declare replayed: number | undefined
  declare float64: boolean
  declare graph: boolean
  declare mode: TensorMode
  declare opened: Opened | undefined
  /** Whether the editor is loaded; until then there is a plain field. */
  declare rich: boolean
  /** Whether the code was changed since it ran. */
  declare changed: boolean
  /** The first row of the list that shows, in steps of some rows. */
  declare top: number
  #code = ''
  #run = 0
  #hash = ''

  constructor() {
    super()
    this.dataset.part = ''
    this.replaceChildren()
    this.at = 0
    this.top = 0
    this.lines = []
    this.running = false
    this.mode = 'both'
    this.rich = false
    this.changed = false
    this.float64 = false
    this.graph = false
    this.#take(placeIn(location.hash))
  }

  protected override createRenderRoot(): HTMLElement {
    return this
  }

  override connectedCallback(): void {
    super.connectedCallback()
    addEventListener('hashchange', this.#hashChanged)
    document.addEventListener('keydown', this.#keys)
    this.run(this.at)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    removeEventListener('hashchange', this.#hashChanged)
    document.removeEventListener('keydown', this.#keys)
  }

  #take({ preset, code, moment, float64, graph, step }: Place): void {
    const found = presets.find(({ id }) => id === preset) ?? presets[0]
    this.preset = code === undefined && !moment ? found.id : undefined
    this.moment = moment
    this.#code = code ?? (moment ? codeOf(moment) : found.code)
    this.float64 = float64
    this.graph = graph
    this.at = step
  }

  readonly #hashChanged = (): void => {
    if (location.hash === this.#hash || !/^#(preset|code|moment|numbers|view|step)=/.test(location.hash)) return
    this.#take(placeIn(location.hash))
    this.#fill()
    this.run(this.at)
  }

  #fill(): void {
    const field = this.querySelector<CodeEditor | HTMLTextAreaElement>('.te-code code-editor, .te-code textarea')
    if (field) field.value = this.#code
  }

  #write(): void {
    const { preset, moment, float64, graph, at } = this
    this.#hash = hashOf({ preset, code: this.#ours ? undefined : this.#code, moment, float64, graph, step: at })
    history.replaceState(null, '', this.#hash)
  }

  readonly #keys = (event: KeyboardEvent): void => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    const from = event.target as HTMLElement
    if (!step || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return
    // Keys belong to the explorer if the focus is in it, or on what holds it, such as the page.
    if (!from.contains(this) && !this.contains(from)) return
    if (from.closest('input, textarea, select, [contenteditable], .cm-editor, .tv-body')) return
    event.preventDefault()
    this.go(this.at + step)
  }

  /** Whether the code is a preset's or a moment's, not the reader's own. */
  get #ours(): boolean {
    return this.preset !== undefined || (this.moment !== undefined && this.#code === codeOf(this.moment))
  }

  get #last(): number {
    return 2 * (this.recorded?.records ?? 0)
  }

  /** The record of a step, and the direction. */
  get #here(): Here {
    const records = this.recorded?.records ?? 0
    if (this.at >= 2 * records) return { backward: true }
    return this.at < records ? { record: this.at, backward: false } : { record: 2 * records - 1 - this.at, backward: true }
  }

  async run(at = 0): Promise<void> {
    const run = ++this.#run
    if (this.running) engine.end('A newer run took its place.')
    this.running = true
    this.error = undefined
    this.lines = []
    this.replayed = undefined
    const code = this.#code
    try {
      const { moment } = this
      this.momentLoss =
        moment &&
        (await engine.call('replay', [moment], {
          limit: LIMIT,
          onProgress: (step: number) => {
            if (run === this.#run) this.replayed = step
          },
        }))
      if (run !== this.#run) return
      const recorded = await engine.call('record', [code, this.float64 ? 'float64' : 'float32', this.#ours], {
        limit: LIMIT,
        onProgress: (line: string) => {
          if (run === this.#run && this.lines.length < 200) this.lines = [...this.lines, line]
        },
      })
      // The old tape stays on the page until the first step of the new one is there.
      const first = Math.max(0, Math.min(2 * recorded.records, at))
      const step = await engine.call('step', [first], { limit: LIMIT })
      if (run !== this.#run) return
      this.recorded = recorded
      this.changed = this.#code !== code
      this.at = first
      this.step = step
      this.differences = undefined
      this.#write()
      await this.#compare()
    } catch (error) {
      if (run !== this.#run) return
      this.recorded = undefined
      this.step = undefined
      this.error = told(error)
      const { line } = this.error
      if (line) {
        await this.#enrich()
        this.querySelector<CodeEditor>('.te-code code-editor')?.mark(line)
      }
    } finally {
      if (run === this.#run) this.running = false
    }
  }

  /** Goes to a step. Numbers come from the worker; what is on the page stays until they are there. */
  async go(at: number): Promise<void> {
    if (!this.recorded) return
    const run = this.#run
    this.at = Math.max(0, Math.min(this.#last, at))
    this.#write()
    const wanted = this.at
    try {
      const step = await engine.call('step', [wanted], { limit: LIMIT })
      if (run !== this.#run || this.at !== wanted) return
      this.step = step
      this.differences = undefined
      await this.#compare()
    } catch (error) {
      if (run === this.#run && this.at === wanted) this.error = told(error)
    }
  }

  /** Gets the central differences of the step that is shown. */
  async #compare(): Promise<void> {
    const { step } = this
    if (step?.kind !== 'backward') return
    const differences = await engine.call('differences', [step.record], { limit: LIMIT })
    if (this.step === step) this.differences = differences
  }

  /** Replaces the plain field by the editor. */
  async #enrich(): Promise<void> {
    await import('../shared/code-editor.js')
    if (!this.rich) {
      const field = this.querySelector<HTMLTextAreaElement>('.te-code textarea')
      const focused = field !== null && document.activeElement === field
      const caret = field?.selectionStart ?? 0
      this.rich = true
      await this.updateComplete
      if (focused) this.querySelector<CodeEditor>('.te-code code-editor')?.focusAt(caret)
    }
  }

  #edited(event: Event): void {
    const { value } = event.target as CodeEditor | HTMLTextAreaElement
    if (value === this.#code) return
    this.#code = value
    this.preset = this.moment ? undefined : presets.find(({ code }) => code === value)?.id
    this.changed = true
  }

  #choose(id: string): void {
    this.#take({ preset: id, float64: this.float64, graph: this.graph, step: 0 })
    this.#fill()
    this.opened = undefined
    this.run()
  }

  async #open(opening: Promise<Opened>): Promise<void> {
    try {
      const [opened] = await Promise.all([opening, import('../shared/code-editor.js')])
      this.opened = opened
      await this.updateComplete
      const { place, marked } = opened
      const editor = this.querySelector<CodeEditor>('.te-source-text code-editor')
      if (place && marked) editor?.mark(marked[0] - place.from + 1, marked[1] - place.from + 1)
      this.querySelector('.te-source-text')?.scrollIntoView({ block: 'nearest' })
    } catch (error) {
      this.opened = { title: 'The source', note: `It did not load: ${(error as Error).message}` }
    }
  }

  protected override updated(changed: PropertyValues): void {
    if (!changed.has('at') && !changed.has('recorded') && !changed.has('graph')) return
    // The list scrolls to the record; the page does not.
    const { record } = this.#here
    const row = this.recorded?.rows.findIndex((each) => each.record === record) ?? -1
    const list = this.querySelector<HTMLElement>('.te-scroll')
    if (list && row >= 0) {
      const most = row * ROW - ROW
      const least = (row + 2) * ROW - list.clientHeight
      list.scrollTop = Math.min(most, Math.max(least, list.scrollTop))
    }
    const graph = this.querySelector<HTMLElement>('.te-graph')
    const now = graph?.querySelector('.te-now')?.getBoundingClientRect()
    if (!graph || !now) return
    const outer = graph.getBoundingClientRect()
    graph.scrollTop += (now.top + now.bottom - outer.top - outer.bottom) / 2
    graph.scrollLeft += (now.left + now.right - outer.left - outer.right) / 2
  }

  #codeView(): TemplateResult {
    const preset = presets.find(({ id }) => id === this.preset)
    return html`<div class="te-code">
      <div class="row">
        <label>Begin with <select @change=${(event: Event) => this.#choose((event.target as HTMLSelectElement).value)}>
          ${this.preset ? nothing : html`<option value="" selected disabled>${this.moment && this.#ours ? `step ${this.moment.step} of a training` : 'your own code'}</option>`}
          ${presets.map(({ id, title }) => html`<option value=${id} ?selected=${id === this.preset}>${title}</option>`)}</select></label>
      </div>
      <p class="muted">Your code ends with a number called <code>loss</code>. It is differentiated by every <code>Parameter</code>, those of layers included; without one,
        by the tensors that you named. <code>const sources = [W, b]</code> chooses others.</p>
      ${
        this.rich
          ? html`<code-editor label="Code of which the tape is made" .value=${this.#code} @change=${this.#edited} @run=${() => this.run()}></code-editor>`
          : html`<textarea aria-label="Code of which the tape is made" spellcheck="false" autocapitalize="off" .value=${this.#code} @input=${this.#edited}
            @focus=${this.#enrich} @pointerenter=${this.#enrich}></textarea>`
      }
      <div class="row">
        <button class="primary" @click=${() => this.run()}>${this.running ? 'Runs …' : 'Run'}</button>
        <label>in <select @change=${(event: Event) => {
          this.float64 = (event.target as HTMLSelectElement).value === 'float64'
          this.run()
        }}>
          <option value="float32" ?selected=${!this.float64}>float32, WebAssembly, fused kernels</option>
          <option value="float64" ?selected=${this.float64}>float64, plain loops, no fused kernels</option></select></label>
        <span class="muted">${this.changed ? 'Changed. Ctrl-Enter runs it.' : ''}</span>
      </div>
      <div role="status">
        ${this.error ? html`<p class="error">${this.error.line ? `Line ${this.error.line}: ` : ''}${this.error.name}: ${this.error.message}</p>` : nothing}
        ${this.lines.length > 0 ? html`<pre class="te-said" tabindex="0">${this.lines.join('\n')}</pre>` : nothing}
      </div>
      ${preset && !this.error ? html`<p><b>Look:</b> ${preset.look}</p>` : nothing}
      ${this.moment ? momentView(this.moment, this.momentLoss, this.replayed, this.running ? undefined : this.recorded) : nothing}
    </div>`
  }

  #tapeView(recorded: Recorded): TemplateResult {
    const here = this.#here
    const go = (record: number): void => {
      this.go(here.backward ? 2 * recorded.records - 1 - record : record)
    }
    const show = (graph: boolean) => (): void => {
      this.graph = graph
      this.#write()
    }
    const names = recorded.sources.map(({ tensor }) => `${recorded.tensors[tensor].name} [${recorded.tensors[tensor].shape.join(', ')}]`)
    return html`<div class="card te-tape">
      <div class="row">
        <b>${recorded.records} ${recorded.records === 1 ? 'record' : 'records'}</b><span>loss = ${brief(recorded.value)}</span>
        <div class="row" style="margin-left:auto" role="group" aria-label="How the tape is drawn">
          <button aria-pressed=${!this.graph} @click=${show(false)}>List</button><button aria-pressed=${this.graph} @click=${show(true)}>Graph</button></div>
      </div>
      <div class="row muted"><span>Sources: ${names.slice(0, 8).join(', ')}${names.length > 8 ? ` and ${names.length - 8} more` : ''}</span></div>
      ${
        this.graph
          ? graphOf(recorded, here, go)
          : html`<div class="te-scroll" tabindex="0" role="region" aria-label="The tape as a list" @scroll=${(event: Event) => {
              this.top = 20 * Math.floor((event.target as HTMLElement).scrollTop / ROW / 20)
            }}>${listOf(recorded, here, go, this.top)}</div>`
      }
    </div>`
  }

  #brokenView(recorded: Recorded): TemplateResult {
    const nameOf = (record: number): string => recorded.rows.find((row) => row.record === record)?.op ?? ''
    const last = recorded.sources.filter(({ why }) => why)
    return html`${recorded.broken.map(
      ({ backward, step, chain, message }) => html`<section class="card te-broken">
        <h2>${backward ? 'The walk back makes a number that is not finite' : `The loss is ${brief(recorded.value)}`}</h2>
        ${backward || chain.length === 0 ? nothing : html`<div class="te-chain"><span>Back to the first cause:</span>${chain.map((record, i) => html`${i > 0 ? html`<span aria-hidden="true">←</span>` : nothing}<button @click=${() => this.go(record)}>${record} ${nameOf(record)}</button>`)}</div>`}
        <pre>${message}</pre>
        ${step === undefined ? nothing : html`<button class="primary" @click=${() => this.go(step)}>Go to the record that made the first one</button>`}
      </section>`,
    )}
    ${recorded.stopped ? html`<section class="card te-broken"><h2>The walk back stopped</h2><p class="error">${recorded.stopped}</p></section>` : nothing}
    ${last.length > 0 ? html`<section class="card te-broken"><h2>The loss does not depend on ${last.map(({ tensor }) => recorded.tensors[tensor].name).join(', ')}</h2>${last.map(({ tensor, why }) => html`<p>${last.length > 1 ? html`<b>${recorded.tensors[tensor].name}</b>: ` : nothing}${why}</p>`)}</section>` : nothing}`
  }

  #stepsView(recorded: Recorded): TemplateResult {
    const { record, backward } = this.#here
    const where =
      record === undefined
        ? 'The gradients'
        : `${backward ? 'Backward' : 'Forward'} ${backward ? this.at - recorded.records + 1 : this.at + 1} of ${recorded.records}: record ${record}`
    const button = (label: string, text: string, at: number, off: boolean): TemplateResult =>
      html`<button aria-label=${/\w/.test(text) ? nothing : label} title=${label} ?disabled=${off} @click=${() => this.go(at)}>${text}</button>`
    return html`<div class="te-steps row" role="group" aria-label="Steps">
      ${button('To the first record', 'Start', 0, this.at === 0)}
      ${button('One step back', '←', this.at - 1, this.at === 0)}
      ${button('One step on', '→', this.at + 1, this.at === this.#last)}
      ${button('To where the walk back begins', 'Backward', recorded.records, this.at === recorded.records)}
      ${button('To the gradients', 'Gradients', this.#last, this.at === this.#last)}
      <input type="range" min="0" max=${this.#last} .value=${String(this.at)} aria-label="Step" aria-valuetext=${where}
        @input=${(event: Event) => this.go(Number((event.target as HTMLInputElement).value))}>
      <span class="te-where" aria-live="polite">${where}</span>
    </div>`
  }

  #facts(recorded: Recorded, row: Row, kernels: readonly Kernel[], backward: boolean): TemplateResult {
    return html`<div class="te-facts">
      <span>${backward ? 'Rule' : 'Its derivative will be'} <code>${row.rule}</code></span>
      ${row.path ? html`<span>In <code>${row.path}</code></span>` : html`<span class="muted">In no layer</span>`}
      ${row.options ? html`<span>Options <code>${row.options}</code></span>` : nothing}
      <span class="muted">On the ${recorded.backend} backend</span>
    </div>
    <div class="row">
      <button @click=${() => this.#open(openOp(row, false))}>Source of ${row.op}</button>
      <button @click=${() => this.#open(openOp(row, true))}>Its derivative</button>
      ${
        kernels.length > 0
          ? html`<span>${backward ? 'Kernels of the rule:' : kernels.length === 1 ? 'Kernel:' : 'Kernels:'}</span>${kernels
              .slice(0, 12)
              .map(
                (kernel) =>
                  html`<button title=${kernel.shapes} @click=${() => this.#open(openKernel(kernel, this.float64))}>${kernel.name}${kernel.fused ? ' (fused)' : ''}</button>`,
              )}${kernels.length > 12 ? html`<span class="muted">and ${kernels.length - 12} more</span>` : nothing}`
          : html`<span class="muted">${backward ? 'The rule runs no kernel: it passes dY on, or gives it another shape.' : 'No kernel runs: the output is the memory of the input under another shape.'}</span>`
      }
    </div>`
  }

  /** The heading of a step, and how its numbers are shown. */
  #heading(text: unknown): TemplateResult {
    return html`<div class="row te-heading"><h2>${text}</h2>
      <select aria-label="How numbers are shown" @change=${(event: Event) => {
        this.mode = (event.target as HTMLSelectElement).value as TensorMode
      }}><option value="both">numbers and colours</option><option value="numbers">numbers</option><option value="map">heat maps</option></select></div>`
  }

  #detailView(recorded: Recorded): TemplateResult {
    const { step } = this
    if (!step) return html`<p class="muted">…</p>`
    if (step.kind === 'end')
      return html`${this.#heading('The gradients: what the loss would gain if a number grew by a little')}${endView(recorded, step, this.mode)}`
    const row = recorded.rows.find(({ record }) => record === step.record) as Row
    const heading = this.#heading(html`<code>${formula(recorded, row)}</code>`)
    if (step.kind === 'passed')
      return html`${heading}<p>The walk passes this record: ${recorded.stopped ? 'it stopped before' : `the loss does not depend on ${recorded.tensors[row.output].name}`}.</p>`
    const backward = step.kind === 'backward'
    return html`${heading}${this.#facts(recorded, row, backward ? step.kernels : row.kernels, backward)}
      ${
        this.opened
          ? sourceView(this.opened, () => {
              this.opened = undefined
            })
          : nothing
      }
      ${backward ? backwardView(recorded, row, step, this.differences, this.mode) : forwardView(recorded, row, step, this.mode)}
      ${memoryView(recorded, this.at, step.kept, backward ? step.waiting : undefined)}`
  }

  protected override render(): unknown {
    const { recorded } = this
    return html`<div class="te-top">${this.#codeView()}
        ${recorded ? this.#tapeView(recorded) : html`<div class="card te-tape muted">${this.running ? 'The code runs …' : 'No tape: the code did not run to its end.'}</div>`}</div>
      ${recorded ? html`<div class="te-detail">${this.#stepsView(recorded)}${this.#brokenView(recorded)}${this.#detailView(recorded)}</div>` : nothing}`
  }
}
customElements.define('tape-explorer', TapeExplorer)
