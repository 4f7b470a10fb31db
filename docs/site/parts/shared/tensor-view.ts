/**
 * `<tensor-view>`: a tensor as numbers, as a heat map, or both. Rows and columns are the last two axes; each index of the axes before them gets a panel of its own.
 * The colour of 0 is that of nothing; red is below, blue above. Hovering, or the arrow keys, say index and value.
 *
 * ```ts
 * html`<tensor-view .value=${{ shape: [2, 3], values: [1, 2, 3, 4, 5, 6], name: 'W' }} .mode=${'both'} .mark=${4} @pick=${…}></tensor-view>`
 * ```
 *
 * It sends `pick` for a click or Enter and `point` while the pointer or the keys are on a number, both with `detail: { index }`, the place in the row-major
 * values; `point` has no index when they leave.
 */
import { html, LitElement, nothing, type TemplateResult } from 'lit'
import { along, inkOn } from '../../../../packages/layers/src/report/view/theme.js'
import { BROKEN, onTheme, paintWeights, themeNow } from './paint.js'
import { cellIn, indexOf, type Layout, layoutOf, placeAfter, placeOf } from './tensor-layout.js'
import { brief, reach, summaryOf, type TensorMode, type TensorValue } from './tensor-value.js'

/** Numbers are written if there are at most so many, in at most so many columns. */
const WRITTEN = 200
const COLUMNS = 12
/** A map of more numbers is painted in a task of its own. */
const LARGE = 20_000

const colour = (value: number, most: number): string =>
  Number.isFinite(value) ? along(themeNow().diverging, 0.5 + value / most / 2) : BROKEN

const styles = new CSSStyleSheet()
styles.replaceSync(`
  tensor-view { display: block; min-width: 0; font-size: 0.85rem; }
  tensor-view .tv-head { display: flex; flex-wrap: wrap; gap: 0 10px; font-family: var(--mono); min-height: 1.6em; }
  tensor-view .tv-body { display: flex; flex-wrap: wrap; gap: 8px; overflow: auto; padding: 2px; max-width: 100%; max-height: 340px; }
  tensor-view .tv-panel { margin: 0; flex: none; max-width: 100%; }
  tensor-view .tv-panel:has(.tv-cells) { max-width: none; }
  tensor-view .tv-panel figcaption { font-size: 0.78rem; color: var(--muted); font-family: var(--mono); }
  tensor-view .tv-cells { display: inline-grid; gap: 1px; font-family: var(--mono); font-variant-numeric: tabular-nums; }
  tensor-view .tv-cells span { padding: 1px 5px; text-align: right; white-space: pre; min-width: 3.2em; border-radius: 2px; }
  tensor-view .tv-map { position: relative; display: inline-block; max-width: 100%; border: 1px solid var(--line); line-height: 0; }
  tensor-view canvas { image-rendering: pixelated; max-width: 100%; display: block; }
  tensor-view .tv-mark { outline: 2px solid var(--ink); outline-offset: -1px; }
  tensor-view .tv-wrong { outline: 2px dashed var(--bad); outline-offset: -2px; box-shadow: inset 0 0 0 2px var(--card); }
  tensor-view .tv-map i { position: absolute; pointer-events: none; min-width: 3px; min-height: 3px; }
`)
document.adoptedStyleSheets.push(styles)

export class TensorView extends LitElement {
  static override properties = {
    value: { attribute: false },
    mode: {},
    mark: { attribute: false },
    wrong: { attribute: false },
    most: { attribute: false },
    at: { state: true },
  }
  declare value: TensorValue | undefined
  declare mode: TensorMode
  /** The place of a number that is outlined. */
  declare mark: number | undefined
  /** The places of numbers that are wrong: they have a dashed frame. */
  declare wrong: readonly number[] | undefined
  /** The end of the colours, for several tensors that share it; by default the largest size in this one. */
  declare most: number | undefined
  /** The place under the pointer, or where the keys are. */
  declare at: number | undefined
  #layout: Layout | undefined
  /** The value that the maps show, its scale and theme. */
  #painted: { value: TensorValue; most: number; theme: string | undefined; mode: TensorMode } | undefined

  #unwatch = (): void => {}

  constructor() {
    super()
    this.mode = 'both'
  }

  protected override createRenderRoot(): HTMLElement {
    return this
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#unwatch = onTheme(() => this.requestUpdate())
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#unwatch()
  }

  protected override willUpdate(changed: Map<string, unknown>): void {
    if (!changed.has('value') || !this.value) return
    this.#layout = layoutOf(this.value)
    if (changed.get('value') !== this.value) this.at = undefined
  }

  protected override updated(): void {
    const { value } = this
    const layout = this.#layout
    if (!value || !layout) return
    const most = this.most ?? reach(value.values)
    const theme = document.documentElement.dataset.theme
    // A hover or a mark changes no colour.
    if (this.#painted?.value === value && this.#painted.most === most && this.#painted.theme === theme && this.#painted.mode === this.mode)
      return
    const painted = { value, most, theme, mode: this.mode }
    this.#painted = painted
    this.querySelectorAll<HTMLCanvasElement>('canvas').forEach((canvas, panel) => {
      const paint = (): void => {
        if (this.#painted === painted) paintWeights(canvas, { ...layout, values: value.values, base: layout.panels[panel].base }, most)
      }
      // A large one gets a task of its own, so that the page answers in between.
      if (layout.rows * layout.columns > LARGE) setTimeout(paint)
      else paint()
    })
  }

  #send(name: 'pick' | 'point', index: number | undefined): void {
    this.dispatchEvent(new CustomEvent(name, { detail: { index }, bubbles: true }))
  }

  #point(place: number | undefined): void {
    if (place === this.at) return
    this.at = place
    this.#send('point', place)
  }

  /** The place of the number under the pointer. */
  #placeAt(event: MouseEvent): number | undefined {
    const target = event.target as HTMLElement
    const written = target.closest<HTMLElement>('[data-place]')
    if (written) return Number(written.dataset.place)
    const layout = this.#layout
    const map = target.closest<HTMLElement>('[data-panel]')
    if (!map || !layout || !this.value) return undefined
    const box = map.querySelector('canvas')?.getBoundingClientRect()
    if (!box?.width) return undefined
    const column = Math.floor(((event.clientX - box.left) / box.width) * layout.columns)
    const row = Math.floor(((event.clientY - box.top) / box.height) * layout.rows)
    if (column < 0 || row < 0 || column >= layout.columns || row >= layout.rows) return undefined
    const place = placeOf(layout, { panel: Number(map.dataset.panel), row, column })
    return place < this.value.values.length ? place : undefined
  }

  #keys(event: KeyboardEvent): void {
    const layout = this.#layout
    if (!layout || !this.value || event.ctrlKey || event.metaKey || event.altKey) return
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: layout.columns, ArrowUp: -layout.columns }[event.key]
    if (event.key === 'Enter' && this.at !== undefined) this.#send('pick', this.at)
    else if (step === undefined) return
    else if (this.at === undefined) this.#point(layout.panels[0]?.base)
    else {
      const place = placeAfter(layout, this.at, step)
      if (place !== undefined && place < this.value.values.length) this.#point(place)
    }
    event.preventDefault()
    event.stopPropagation()
  }

  #numbers(value: TensorValue, layout: Layout, panel: number, most: number): TemplateResult {
    const cells: TemplateResult[] = []
    const wrong = new Set(this.wrong)
    for (let row = 0; row < layout.rows; row++) {
      for (let column = 0; column < layout.columns; column++) {
        const place = placeOf(layout, { panel, row, column })
        if (place >= value.values.length) continue
        const back = colour(value.values[place], most)
        const style = this.mode === 'both' ? `background:${back};color:${inkOn(back)}` : ''
        const marked = place === this.mark || place === this.at
        const kinds = [...(marked ? ['tv-mark'] : []), ...(wrong.has(place) ? ['tv-wrong'] : [])].join(' ')
        cells.push(html`<span data-place=${place} style=${style} class=${kinds}>${brief(value.values[place])}</span>`)
      }
    }
    return html`<div class="tv-cells" style="grid-template-columns:repeat(${layout.columns},max-content)">${cells}</div>`
  }

  #map(layout: Layout, panel: number): TemplateResult {
    const { rows, columns } = layout
    const most = layout.panels.length > 1 ? 120 : 280
    const pixel = Math.max(1, Math.min(layout.panels.length > 1 ? 10 : 18, Math.floor(most / Math.max(rows, columns))))
    const marked = [this.mark, this.at].map((place) => ({ place, kind: 'tv-mark' }))
    const wrong = (this.wrong ?? []).slice(0, WRITTEN).map((place) => ({ place, kind: 'tv-wrong' }))
    const outlines = [...wrong, ...marked].map(({ place, kind }) => {
      const cell = place === undefined ? undefined : cellIn(layout, panel, place)
      if (!cell) return nothing
      return html`<i class=${kind} style="left:${(100 * cell.column) / columns}%;top:${(100 * cell.row) / rows}%;width:${100 / columns}%;height:${100 / rows}%"></i>`
    })
    return html`<div class="tv-map" data-panel=${panel}>
      <canvas width=${columns} height=${rows} style="width:${columns * pixel}px;aspect-ratio:${columns}/${rows}"></canvas>${outlines}
    </div>`
  }

  protected override render(): unknown {
    const { value } = this
    const layout = this.#layout
    if (!value || !layout) return nothing
    const { shape, values } = value
    const name = value.name ?? ''
    const most = this.most ?? reach(values)
    const cells = layout.rows * layout.columns * layout.panels.length
    const written = this.mode !== 'map' && cells <= WRITTEN && layout.columns <= COLUMNS
    const body =
      cells === 0
        ? html`<span class="muted">It has no numbers.</span>`
        : layout.panels.map(({ label }, panel) => {
            const content = written ? this.#numbers(value, layout, panel, most) : this.#map(layout, panel)
            return html`<figure class="tv-panel">${label ? html`<figcaption>${label}</figcaption>` : nothing}${content}</figure>`
          })
    const at = this.at ?? this.mark
    const said =
      at === undefined ? '' : `${shape.length > 0 ? `[${indexOf(shape, at).join(', ')}] = ` : ''}${String(values[at]).replace('-', '−')}`
    return html`<div class="tv-head">
        ${name ? html`<b>${name}</b>` : nothing}<span class="muted">[${shape.join(', ')}]</span><output>${said}</output>
      </div>
      <div class="tv-body" tabindex="0" role="application" aria-label="${name || 'Tensor'} of shape ${shape.join(' × ') || 'scalar'}; arrow keys read its numbers"
        @pointermove=${(event: PointerEvent) => this.#point(this.#placeAt(event))} @pointerleave=${() => this.#point(undefined)}
        @blur=${() => this.#point(undefined)} @keydown=${this.#keys}
        @click=${(event: MouseEvent) => {
          const place = this.#placeAt(event)
          if (place !== undefined) this.#send('pick', place)
        }}>${body}</div>
      ${written || cells === 0 ? nothing : html`<div class="muted">${summaryOf(values)}${layout.all > layout.panels.length ? `; ${layout.panels.length} of ${layout.all} panels are shown` : ''}</div>`}`
  }
}
if (!customElements.get('tensor-view')) customElements.define('tensor-view', TensorView)
