/** `<your-machine>`: some rows of the bench run in the page, beside the figures that are kept in the repository. */
import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit'
import { isCalm, LEAST_QUIET, pageRows, timesAsFast } from '../../../../bench/page-rows.js'
import type { RecordRow } from '../../../../bench/records.js'
import { save } from '../../../../packages/layers/src/report/view/save.js'
import { Engine } from '../shared/engine.js'
import { drawRow, type Mark } from './chart.js'
import { figures, ownOf, type PageRecord, type PageRow, pageRecord, readPageRecord, recordedOn, recordOf } from './record.js'
import type { functions, Told } from './worker.js'

const engine = new Engine<typeof functions>('your-machine')
/** Seconds of each row; with data and warming up the whole takes about 15. */
const SECONDS = 2
const LIMIT = 60_000

const short = (value: number): string => String(Number(value.toPrecision(3)))
const idOf = ({ name, library }: Pick<PageRow, 'name' | 'library'>): string => `${name} ${library}`

class YourMachine extends LitElement {
  static override properties = {
    rows: { state: true },
    earlier: { state: true },
    started: { state: true },
    error: { state: true },
    done: { state: true },
  }
  declare rows: RecordRow[]
  /** A file that was loaded. */
  declare earlier: PageRecord | undefined
  declare started: number | undefined
  declare error: string
  declare done: PageRecord | undefined

  constructor() {
    super()
    this.dataset.part = ''
    this.rows = []
    this.error = ''
  }

  protected override createRenderRoot(): HTMLElement {
    return this
  }

  async measure(): Promise<void> {
    this.rows = []
    this.done = undefined
    this.error = ''
    this.started = 0
    try {
      await engine.call('measure', [SECONDS], {
        limit: LIMIT,
        onProgress: (told: Told) => {
          if ('row' in told) this.rows = [...this.rows, told.row]
          else this.started = told.started
        },
      })
      this.done = pageRecord(this.rows)
    } catch (error) {
      this.error = (error as Error).message
    } finally {
      this.started = undefined
    }
  }

  #keep(): void {
    if (!this.done) return
    save(
      `cotangent-${this.done.date.slice(0, 16).replaceAll(':', '')}.json`,
      new Blob([`${JSON.stringify(this.done, null, 1)}\n`], { type: 'application/json' }),
    )
  }

  async #load(event: Event): Promise<void> {
    const [file] = (event.target as HTMLInputElement).files ?? []
    if (!file) return
    this.error = ''
    try {
      this.earlier = readPageRecord(await file.text())
    } catch (error) {
      this.earlier = undefined
      this.error = `${file.name}: ${(error as Error).message}`
    }
  }

  #markOf(row: PageRow, found: RecordRow | undefined, kind: 'you' | 'before', who: string): Mark[] {
    const base = ownOf(row)?.median
    if (!found || !base) return []
    const { median, min, max } = figures(found)
    const [middle, one, other] = [median, min, max].map((figure) => timesAsFast(figure, base, found.unit))
    return [
      { who, median: middle, least: Math.min(one, other), most: Math.max(one, other), kind, calm: kind === 'before' || isCalm(found) },
    ]
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has('rows') || changed.has('earlier')) void this.#draw()
  }

  override firstUpdated(): void {
    void this.#draw()
  }

  async #draw(): Promise<void> {
    for (const row of pageRows) {
      const place = this.querySelector<HTMLElement>(`[data-row="${idOf(row)}"]`)
      if (!place) continue
      const same = ({ name, library }: RecordRow): boolean => name === row.name && library === row.library
      const marks: Mark[] = [
        ...recordOf(row).map((each): Mark => ({ ...each, kind: 'record', calm: true })),
        ...this.#markOf(row, this.earlier?.rows.find(same), 'before', 'the loaded file'),
        ...this.#markOf(row, this.rows.find(same), 'you', 'this page, now'),
      ]
      place.replaceChildren(await drawRow(marks, row.title, Math.min(760, Math.max(280, place.clientWidth))))
    }
  }

  protected override render(): TemplateResult {
    const { started, rows, done } = this
    const calm = rows.filter(isCalm).length
    return html`<style>
        your-machine .rows { display: grid; gap: 14px; margin-top: 14px; }
        your-machine .busy { color: var(--bad); }
        your-machine h2 { font-size: 1.1rem; margin: 0 0 4px; }
        your-machine progress { width: 180px; accent-color: var(--accent); }
        your-machine label.file { border: 1px solid var(--line); border-radius: 6px; padding: 4px 12px; cursor: pointer; font-size: 0.92rem; }
        your-machine label.file:focus-within { outline: 3px solid var(--accent); outline-offset: 1px; }
        your-machine label.file input { position: absolute; opacity: 0; width: 1px; height: 1px; min-height: 0; padding: 0; border: 0; }
      </style>
      <div class="card">
        <div class="row">
          <button class="primary measure" ?disabled=${started !== undefined} @click=${() => void this.measure()}>${started === undefined ? 'Measure this machine' : 'Measures …'}</button>
          <button class="keep" ?disabled=${!done} @click=${() => this.#keep()}>Keep as a file</button>
          <label class="file">Load a file to compare<input type="file" accept="application/json,.json" @change=${(event: Event) => void this.#load(event)} /></label>
          ${started === undefined ? nothing : html`<progress max=${pageRows.length} value=${rows.length} aria-label="Rows done"></progress>`}
        </div>
        <p class="verdict" role="status">${
          started !== undefined
            ? html`${pageRows[started].title} …`
            : done
              ? calm === rows.length
                ? html`<span class="good">Done. The machine was quiet enough: each row has a verdict.</span>`
                : html`<span class="busy">The machine was too busy for a verdict in ${rows.length - calm} of ${rows.length} rows: fewer than ${LEAST_QUIET} samples were undisturbed. Their dots are hollow.</span>`
              : html`<span class="muted">About 15 seconds, one thread, in this page. Nothing leaves it.</span>`
        }</p>
        ${this.error ? html`<p class="error" role="alert">${this.error}</p>` : nothing}
        ${this.earlier ? html`<p class="muted loaded">Loaded: ${this.earlier.date.slice(0, 16).replace('T', ' ')}, ${this.earlier.rows.length} rows.</p>` : nothing}
      </div>
      <div class="rows">${pageRows.map((row) => {
        const found = rows.find(({ name, library }) => name === row.name && library === row.library)
        return html`<section class="card"><h2>${row.title}</h2>
          <p class="figure">${found ? this.#figure(row, found) : html`<span class="muted">The record: ${short(ownOf(row)?.median ?? Number.NaN)} ${ownOf(row)?.unit}.</span>`}</p>
          <div data-row=${idOf(row)}></div></section>`
      })}</div>
      <p class="muted">Grey: the record, ${recordedOn()}, one thread each. Lines are ranges, dots medians.</p>`
  }

  #figure(row: PageRow, found: RecordRow): TemplateResult {
    const { median, min, max } = figures(found)
    const own = ownOf(row)
    const share = found.peak === undefined ? undefined : found.unit === 'ms' ? found.peak / median : median / found.peak
    return html`<b>${short(median)} ${found.unit}</b> (${short(min)} to ${short(max)}; ${found.quiet?.samples ?? 0} of ${found.quiet?.of ?? 0} samples undisturbed).
      ${
        isCalm(found)
          ? html`${own?.median ? html`The record is ${short(own.median)}.` : nothing} ${share === undefined ? nothing : html`It reaches ${Math.round(100 * share)} % of the multiply-adds that this page can do.`}`
          : html`<span class="busy">Too busy: no verdict.</span>`
      }`
  }
}
customElements.define('your-machine', YourMachine)
