/**
 * `<tape-explorer>`: the reader's code, its tape, and the walk over it, record by record. The address holds code and step; ← and → step.
 *
 * The page keeps no numbers: it asks the worker for those of a step. The editor is loaded when somebody edits, because it is larger than all the rest.
 */
import { html, LitElement, nothing, type PropertyValues } from 'lit'
import type { CodeEditor } from '../shared/code-editor.js'
import { Ended, Engine, EngineError, type Told } from '../shared/engine.js'
import type { TensorMode } from '../shared/tensor-value.js'
import '../shared/tensor-view.js'
import { codeOf, type RunStep } from '../time-machine/code.js'
import { brokenView } from './broken-view.js'
import { codeView } from './code-view.js'
import { styles } from './css.js'
import type { Differences, Recorded, Step } from './data.js'
import { hashOf, type Place, placeIn } from './place.js'
import { presets } from './presets.js'
import { recordView } from './record-view.js'
import type { Opened } from './source-panel.js'
import type { Explorer } from './state.js'
import { stepsView } from './steps-view.js'
import { tapeCard } from './tape-card.js'
import { type Here, ROW } from './tape-view.js'
import type { functions } from './worker.js'

document.adoptedStyleSheets.push(styles)

const engine = new Engine<typeof functions>('tape-explorer')
/** Milliseconds without a sign of life. */
const LIMIT = 5000

const told = (error: unknown): Told =>
  error instanceof EngineError ? error : { name: error instanceof Ended ? 'Stopped' : 'Error', message: String((error as Error).message) }

/** Changes of these draw the page anew. */
const STATE = [
  ...['preset', 'moment', 'momentLoss', 'replayed', 'changed', 'running', 'error', 'lines', 'rich', 'float64'],
  ...['recorded', 'graph', 'top', 'at', 'step', 'differences', 'mode', 'opened'],
]

class TapeExplorer extends LitElement implements Explorer {
  static override properties = Object.fromEntries(STATE.map((name) => [name, { state: true }]))
  declare preset: string | undefined
  declare moment: RunStep | undefined
  declare momentLoss: number | undefined
  declare replayed: number | undefined
  declare changed: boolean
  declare running: boolean
  declare error: Told | undefined
  declare lines: string[]
  declare rich: boolean
  declare float64: boolean
  declare recorded: Recorded | undefined
  declare graph: boolean
  declare top: number
  declare at: number
  declare step: Step | undefined
  declare differences: Differences | undefined
  declare mode: TensorMode
  declare opened: Opened | undefined
  code = ''
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
    this.code = code ?? (moment ? codeOf(moment) : found.code)
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
    if (field) field.value = this.code
  }

  write(): void {
    const { preset, moment, float64, graph, at } = this
    this.#hash = hashOf({ preset, code: this.ours ? undefined : this.code, moment, float64, graph, step: at })
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

  get ours(): boolean {
    return this.preset !== undefined || (this.moment !== undefined && this.code === codeOf(this.moment))
  }

  get last(): number {
    return 2 * (this.recorded?.records ?? 0)
  }

  get here(): Here {
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
    const code = this.code
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
      const recorded = await engine.call('record', [code, this.float64 ? 'float64' : 'float32', this.ours], {
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
      this.changed = this.code !== code
      this.at = first
      this.step = step
      this.differences = undefined
      this.write()
      await this.#compare()
    } catch (error) {
      if (run !== this.#run) return
      this.recorded = undefined
      this.step = undefined
      this.error = told(error)
      const { line } = this.error
      if (line) {
        await this.enrich()
        this.querySelector<CodeEditor>('.te-code code-editor')?.mark(line)
      }
    } finally {
      if (run === this.#run) this.running = false
    }
  }

  async go(at: number): Promise<void> {
    if (!this.recorded) return
    const run = this.#run
    this.at = Math.max(0, Math.min(this.last, at))
    this.write()
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

  async enrich(): Promise<void> {
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

  edited(event: Event): void {
    const { value } = event.target as CodeEditor | HTMLTextAreaElement
    if (value === this.code) return
    this.code = value
    this.preset = this.moment ? undefined : presets.find(({ code }) => code === value)?.id
    this.changed = true
  }

  choose(id: string): void {
    this.#take({ preset: id, float64: this.float64, graph: this.graph, step: 0 })
    this.#fill()
    this.opened = undefined
    this.run()
  }

  async open(opening: Promise<Opened>): Promise<void> {
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
    const { record } = this.here
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

  protected override render(): unknown {
    const { recorded } = this
    return html`<div class="te-top">${codeView(this)}
        ${recorded ? tapeCard(this, recorded) : html`<div class="card te-tape muted">${this.running ? 'The code runs …' : 'No tape: the code did not run to its end.'}</div>`}</div>
      ${recorded ? html`<div class="te-detail">${stepsView(this, recorded)}${brokenView(this, recorded)}${recordView(this, recorded)}</div>` : nothing}`
  }
}
customElements.define('tape-explorer', TapeExplorer)
