/**
 * `<digit-matrix>`: what digits are, and as what they are read. A click or Enter on a cell sends `cell` with `detail: { truth, read }`; arrow keys go from cell to
 * cell.
 */
import { html, LitElement } from 'lit'
import { along, inkOn } from '../../../../packages/layers/src/report/view/theme.js'
import { onTheme, themeNow } from '../shared/paint.js'

const CLASSES = 10
const all = Array.from({ length: CLASSES }, (_, c) => c)
const MOVES: Record<string, [number, number]> = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }

export class DigitMatrix extends LitElement {
  static override properties = { counts: { attribute: false }, chosen: { attribute: false }, at: { state: true } }
  /** counts[10·truth + read] */
  declare counts: readonly number[] | undefined
  /** The cell that is open, as 10·truth + read. */
  declare chosen: number | undefined
  /** The cell that Tab reaches. */
  declare at: number
  #unwatch = (): void => {}

  constructor() {
    super()
    this.at = 0
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

  #open(cell: number): void {
    this.at = cell
    this.dispatchEvent(new CustomEvent('cell', { detail: { truth: Math.floor(cell / CLASSES), read: cell % CLASSES } }))
  }

  #key(event: KeyboardEvent): void {
    const move = MOVES[event.key]
    if (!move) return
    event.preventDefault()
    const within = (n: number): number => Math.min(CLASSES - 1, Math.max(0, n))
    this.at = CLASSES * within(Math.floor(this.at / CLASSES) + move[0]) + within((this.at % CLASSES) + move[1])
    this.querySelectorAll<HTMLElement>('button')[this.at].focus()
  }

  protected override render(): unknown {
    const { counts } = this
    const theme = themeNow()
    const sums = all.map((truth) => all.reduce((sum, read) => sum + (counts?.[CLASSES * truth + read] ?? 0), 0))
    const worst = Math.max(1, ...(counts ?? []).filter((_, cell) => cell % (CLASSES + 1) !== 0))
    const cellOf = (truth: number, read: number): unknown => {
      const cell = CLASSES * truth + read
      const n = counts?.[cell] ?? 0
      // The root shows single errors beside hundreds that are right.
      const colour =
        truth === read ? along(theme.right, Math.sqrt(n / Math.max(1, sums[truth]))) : along(theme.ramp, Math.sqrt(n / worst) * 0.85)
      const label = truth === read ? `${truth} read right: ${n} of ${sums[truth]}` : `${truth} read as ${read}: ${n} of ${sums[truth]}`
      return html`<td><button style="background:${colour};color:${inkOn(colour)}" tabindex=${cell === this.at ? 0 : -1} aria-label=${label} title=${label}
        aria-pressed=${cell === this.chosen} ?disabled=${!counts} @focus=${() => {
          this.at = cell
        }} @click=${() => this.#open(cell)}>${n || ''}</button></td>`
    }
    return html`<table @keydown=${this.#key}>
      <caption class="muted">rows: what it is; columns: read as</caption>
      <thead><tr><td></td>${all.map((read) => html`<th scope="col">${read}</th>`)}</tr></thead>
      <tbody>${all.map((truth) => html`<tr><th scope="row">${truth}</th>${all.map((read) => cellOf(truth, read))}</tr>`)}</tbody>
    </table>`
  }
}
customElements.define('digit-matrix', DigitMatrix)
