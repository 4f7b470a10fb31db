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
import { along, inkOn, themes } from '../../../../packages/layers/src/report/view/theme.js'

export interface TensorValue {
  readonly shape: readonly number[]
  readonly values: ArrayLike<number>
  readonly name?: string
  /** The axes that are rows and columns; the last two by default. For images [n, h, w, c] these are [1, 2]. */
  readonly axes?: readonly [number, number]
}
export type TensorMode = 'numbers' | 'map' | 'both'

/** Longer vectors go on in the next row. */
const LINE = 64
/** Numbers are written if there are at most so many, in at most so many columns. */
const WRITTEN = 200
const COLUMNS = 12
const PANELS = 64
/** A map of more numbers is painted in a task of its own. */
const LARGE = 20_000

/** A number in a few characters: four digits that count. */
export function brief(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  const size = Math.abs(value)
  const sign = value < 0 ? '−' : ''
  if (size === Infinity) return `${sign}∞`
  if (size === 0) return '0'
  if (size >= 1e5 || size < 1e-3) return sign + size.toExponential(1).replace('e+', 'e').replace('e-', 'e−')
  return sign + (Number.isInteger(size) ? String(size) : size.toPrecision(4))
}

/** Where the numbers stand: number (panel, row, column) has the place base + row·down + column·across. */
interface Layout {
  readonly rows: number
  readonly columns: number
  readonly down: number
  readonly across: number
  readonly panels: readonly { readonly label: string; readonly base: number }[]
  /** How many panels there are in all. */
  readonly all: number
}

function layoutOf({ shape, axes }: TensorValue): Layout {
  const size = shape.reduce((product, n) => product * n, 1)
  const one = [{ label: '', base: 0 }]
  if (shape.length < 2) {
    const columns = Math.min(size, LINE)
    return { rows: columns ? Math.ceil(size / columns) : 0, columns, down: columns, across: 1, panels: one, all: 1 }
  }
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, n) => product * n, 1))
  const [row, column] = axes ?? [shape.length - 2, shape.length - 1]
  const others = shape.map((_, axis) => axis).filter((axis) => axis !== row && axis !== column)
  const all = others.reduce((product, axis) => product * shape[axis], 1)
  const panels = Array.from({ length: Math.min(all, PANELS) }, (_, panel) => {
    let left = panel
    let base = 0
    const index: (number | string)[] = shape.map(() => ':')
    for (const axis of [...others].reverse()) {
      index[axis] = left % shape[axis]
      base += (left % shape[axis]) * strides[axis]
      left = Math.floor(left / shape[axis])
    }
    return { label: all === 1 ? '' : `[${index.join(', ')}]`, base }
  })
  return { rows: shape[row], columns: shape[column], down: strides[row], across: strides[column], panels, all }
}

/** The index of each axis of a place in the row-major values. */
function indexOf(shape: readonly number[], place: number): number[] {
  const index: number[] = []
  let left = place
  for (const n of [...shape].reverse()) {
    index.unshift(left % n)
    left = Math.floor(left / n)
  }
  return index
}

/** The largest finite size of a number: the end of the colours. 1 if all are 0. */
export function reach(values: ArrayLike<number>): number {
  let most = 0
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i])
    if (size > most && size < Infinity) most = size
  }
  return most || 1
}

const themeNow = (): (typeof themes)['light'] => (document.documentElement.dataset.theme === 'dark' ? themes.dark : themes.light)
/** Infinities and NaN have the colour of errors. */
const BROKEN = '#d6006e'
const colour = (value: number, most: number): string =>
  Number.isFinite(value) ? along(themeNow().diverging, 0.5 + value / most / 2) : BROKEN

/** Views that redraw when the page turns dark or light. */
const shown = new Set<TensorView>()
new MutationObserver(() => {
  for (const view of shown) view.requestUpdate('value')
}).observe(document.documentElement, { attributeFilter: ['data-theme'] })

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

  constructor() {
    super()
    this.mode = 'both'
  }

  protected override createRenderRoot(): HTMLElement {
    return this
  }

  override connectedCallback(): void {
    super.connectedCallback()
    shown.add(this)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    shown.delete(this)
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
        if (this.#painted === painted) this.#paint(canvas, layout, layout.panels[panel].base, value.values, most)
      }
      // A large one gets a task of its own, so that the page answers in between.
      if (layout.rows * layout.columns > LARGE) setTimeout(paint)
      else paint()
    })
  }

  /** One pixel for each number; the style of the canvas makes them larger. */
  #paint(canvas: HTMLCanvasElement, { rows, columns, down, across }: Layout, base: number, values: ArrayLike<number>, most: number): void {
    const context = canvas.getContext('2d')
    if (!context || rows * columns === 0) return
    const image = context.createImageData(columns, rows)
    const known = Array.from({ length: 257 }, (_, i) => colour((i / 128 - 1) * most, most)).map((hex) => Number.parseInt(hex.slice(1), 16))
    const broken = Number.parseInt(BROKEN.slice(1), 16)
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const place = base + row * down + column * across
        if (place >= values.length) continue
        const value = values[place]
        const rgb = Number.isFinite(value) ? known[Math.round((Math.min(1, Math.max(-1, value / most)) + 1) * 128)] : broken
        const at = 4 * (row * columns + column)
        image.data[at] = rgb >> 16
        image.data[at + 1] = (rgb >> 8) & 255
        image.data[at + 2] = rgb & 255
        image.data[at + 3] = 255
      }
    }
    context.putImageData(image, 0, 0)
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
    const place = layout.panels[Number(map.dataset.panel)].base + row * layout.down + column * layout.across
    return place < this.value.values.length ? place : undefined
  }

  #keys(event: KeyboardEvent): void {
    const layout = this.#layout
    if (!layout || !this.value || event.ctrlKey || event.metaKey || event.altKey) return
    const count = layout.rows * layout.columns
    const order = (place: number): number => {
      const panel = layout.panels.findIndex(({ base }) => this.#cell(place, base) !== undefined)
      const cell = panel < 0 ? undefined : this.#cell(place, layout.panels[panel].base)
      return cell ? panel * count + cell.row * layout.columns + cell.column : 0
    }
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: layout.columns, ArrowUp: -layout.columns }[event.key]
    if (event.key === 'Enter' && this.at !== undefined) this.#send('pick', this.at)
    else if (step === undefined) return
    else if (this.at === undefined) this.#point(layout.panels[0]?.base)
    else {
      const next = order(this.at) + step
      if (next >= 0 && next < count * layout.panels.length) {
        const place =
          layout.panels[Math.floor(next / count)].base +
          Math.floor((next % count) / layout.columns) * layout.down +
          (next % layout.columns) * layout.across
        if (place < this.value.values.length) this.#point(place)
      }
    }
    event.preventDefault()
    event.stopPropagation()
  }

  /** Row and column of a place in the panel that begins at `base`; undefined if it is in another. */
  #cell(place: number, base: number): { row: number; column: number } | undefined {
    const layout = this.#layout as Layout
    const { rows, columns, down, across } = layout
    const offset = place - base
    const outer = Math.max(down, across)
    const inner = Math.min(down, across)
    if (offset < 0) return undefined
    const first = Math.floor(offset / outer)
    const second = Math.floor((offset - first * outer) / inner)
    if (first * outer + second * inner !== offset) return undefined
    const [row, column] = down >= across ? [first, second] : [second, first]
    return row < rows && column < columns ? { row, column } : undefined
  }

  #numbers(value: TensorValue, layout: Layout, base: number, most: number): TemplateResult {
    const cells: TemplateResult[] = []
    const wrong = new Set(this.wrong)
    for (let row = 0; row < layout.rows; row++) {
      for (let column = 0; column < layout.columns; column++) {
        const place = base + row * layout.down + column * layout.across
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
      const cell = place === undefined ? undefined : this.#cell(place, layout.panels[panel].base)
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
        : layout.panels.map(({ label, base }, panel) => {
            const content = written ? this.#numbers(value, layout, base, most) : this.#map(layout, panel)
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
      ${written || cells === 0 ? nothing : html`<div class="muted">${this.#summary(values, layout)}</div>`}`
  }

  /** A few numbers, where there are too many to write. */
  #summary(values: ArrayLike<number>, layout: Layout): string {
    let least = Infinity
    let most = -Infinity
    let sum = 0
    let broken = 0
    for (let i = 0; i < values.length; i++) {
      const value = values[i]
      if (!Number.isFinite(value)) {
        broken++
        continue
      }
      least = Math.min(least, value)
      most = Math.max(most, value)
      sum += value
    }
    const count = values.length - broken
    const range = count > 0 ? `${brief(least)} to ${brief(most)}, mean ${brief(sum / count)}` : ''
    const first = Array.from({ length: Math.min(4, values.length) }, (_, i) => brief(values[i])).join('  ')
    return [
      range,
      broken > 0 ? `${broken} not finite` : '',
      `first: ${first}${values.length > 4 ? ' …' : ''}`,
      layout.all > layout.panels.length ? `${layout.panels.length} of ${layout.all} panels are shown` : '',
    ]
      .filter(Boolean)
      .join('; ')
  }
}
if (!customElements.get('tensor-view')) customElements.define('tensor-view', TensorView)
