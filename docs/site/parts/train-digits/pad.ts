/**
 * `<digit-pad>`: a field to draw a digit with finger, pen or mouse, and beside it what the network gets. It sends `digit` whenever the drawing changes, with
 * `detail: { pixels }`, 28 × 28 numbers from 0 to 1, or undefined if the field is empty.
 */
import { html, LitElement, nothing } from 'lit'
import { onTheme, paintDigit, themeNow } from '../shared/paint.js'
import { asMnist, type Stroke, trace } from './drawn.js'

/** The field is this many units wide and high; so many pixels, too. */
const FIELD = 280
/** The width of the pen on the field. */
const PEN = 18

export class DigitPad extends LitElement {
  static override properties = { drawn: { state: true } }
  /** The input of the network. */
  declare drawn: Float32Array | undefined
  #strokes: [number, number][][] = []
  /** A digit of the test set in the place of a drawing. */
  #image: ArrayLike<number> | undefined
  #drawing: number | undefined
  #unwatch = (): void => {}

  protected override createRenderRoot(): HTMLElement {
    return this
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#unwatch = onTheme(() => this.#paint())
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#unwatch()
  }

  /** Shows a digit of bytes, 0 to 255. */
  show(image: ArrayLike<number>): void {
    this.#strokes = []
    this.#image = image
    this.#changed(Float32Array.from(image, (x) => x / 255))
  }

  clear(): void {
    this.#strokes = []
    this.#image = undefined
    this.#changed(undefined)
  }

  #changed(pixels: Float32Array | undefined): void {
    this.drawn = pixels
    this.#paint()
    this.dispatchEvent(new CustomEvent('digit', { detail: { pixels } }))
  }

  #point(event: PointerEvent): [number, number] {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect()
    return [((event.clientX - box.left) / box.width) * FIELD, ((event.clientY - box.top) / box.height) * FIELD]
  }

  #down(event: PointerEvent): void {
    if (event.button !== 0 || this.#drawing !== undefined) return
    event.preventDefault()
    ;(event.currentTarget as HTMLElement).setPointerCapture(event.pointerId)
    this.#drawing = event.pointerId
    this.#image = undefined
    this.#strokes.push([this.#point(event)])
    this.#changed(asMnist(this.#strokes))
  }

  #move(event: PointerEvent): void {
    if (event.pointerId !== this.#drawing) return
    this.#strokes.at(-1)?.push(this.#point(event))
    this.#changed(asMnist(this.#strokes))
  }

  #up(event: PointerEvent): void {
    if (event.pointerId === this.#drawing) this.#drawing = undefined
  }

  protected override updated(): void {
    this.#paint()
  }

  #paint(): void {
    const [field, seen] = this.querySelectorAll('canvas')
    const context = field?.getContext('2d')
    if (!context) return
    paintDigit(seen, this.drawn ?? new Float32Array(28 * 28), 1)
    context.clearRect(0, 0, FIELD, FIELD)
    if (this.#image) {
      context.imageSmoothingEnabled = false
      context.drawImage(seen, 0, 0, FIELD, FIELD)
      return
    }
    context.strokeStyle = themeNow().ink
    trace(context, this.#strokes as Stroke[], PEN)
  }

  protected override render(): unknown {
    return html`<div class="field">
        <canvas class="paper" width=${FIELD} height=${FIELD} role="img" aria-label="Field to draw a digit in. With a keyboard, take one of the digits below."
          @pointerdown=${this.#down} @pointermove=${this.#move} @pointerup=${this.#up} @pointercancel=${this.#up}></canvas>
        ${this.drawn ? nothing : html`<span class="hint">Draw a digit here</span>`}
      </div>
      <div class="seen">
        <canvas width="28" height="28" role="img" aria-label="The 28 × 28 pixels that the network gets"></canvas>
        <span class="muted">what the network gets</span>
        <button @click=${this.clear} ?disabled=${!this.drawn}>Clear</button>
      </div>`
  }
}
customElements.define('digit-pad', DigitPad)
