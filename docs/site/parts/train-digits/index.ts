/**
 * `<train-digits>`: the front page. A button trains a small network on real digits, in a worker. Its matrix of mistakes fills meanwhile, and it reads what the reader
 * draws at any moment.
 */
import { html, LitElement, nothing, svg } from 'lit'
import { addCopy } from '../shared/copy-button.js'
import { Ended, Engine } from '../shared/engine.js'
import { onTheme, paintDigit, paintWeights } from '../shared/paint.js'
import './css.js'
import './matrix.js'
import './pad.js'
import type { DigitPad } from './pad.js'
import type { Batch, functions, Look, Progress, ReadDigit } from './worker.js'

const engine = new Engine<typeof functions>('train-digits')
const TILES = 18
const whole = new Intl.NumberFormat('en')
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`

class TrainDigits extends LitElement {
  static override properties = {
    phase: { state: true },
    loaded: { state: true },
    batch: { state: true },
    looks: { state: true },
    message: { state: true },
    probabilities: { state: true },
    examples: { state: true },
    reads: { state: true },
    open: { state: true },
  }
  declare phase: 'new' | 'loading' | 'training' | 'done'
  declare loaded: number
  declare batch: Batch | undefined
  declare looks: Look[]
  declare message: string
  /** The probabilities of the digit on the pad. */
  declare probabilities: readonly number[] | undefined
  /** Test digits to take, and what each is read as now. */
  declare examples: ReadDigit[]
  declare reads: (number | undefined)[]
  declare open: { truth: number; read: number; found: ReadDigit[] } | undefined
  #seed = 0
  #turn = 0
  #pixels: Float32Array | undefined
  #asked = false
  #asks = false
  #unwatch = (): void => {}

  constructor() {
    super()
    this.phase = 'new'
    this.loaded = 0
    this.looks = []
    this.message = ''
    this.examples = []
    this.reads = []
    this.dataset.part = ''
  }

  protected override createRenderRoot(): HTMLElement {
    return this
  }

  override connectedCallback(): void {
    super.connectedCallback()
    for (const code of document.querySelectorAll<HTMLElement>('main pre')) addCopy(code)
    this.#unwatch = onTheme(() => {
      for (const name of ['examples', 'open', 'looks']) this.requestUpdate(name)
    })
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#unwatch()
  }

  async #train(): Promise<void> {
    const again = this.phase === 'done'
    this.phase = again ? 'training' : 'loading'
    this.message = ''
    this.looks = []
    this.batch = undefined
    this.open = undefined
    this.#seed++
    try {
      const { right, count, seconds } = await engine.call('train', [this.#seed], {
        onProgress: (progress: Progress) => this.#hear(progress),
      })
      this.phase = 'done'
      this.message = `Done in ${seconds.toFixed(1)} s: it reads ${whole.format(right)} of ${whole.format(count)} new digits right. Draw one, or open a cell of the matrix.`
      this.#ask()
    } catch (error) {
      this.phase = 'new'
      const { name, message } = error as Error
      this.message =
        name === 'NoDigits'
          ? `There are no digits here to learn from. ${message} Build it with MNIST in the folder that COTANGENT_DATA names.`
          : error instanceof Ended
            ? message
            : `${name}: ${message}`
    }
  }

  #hear(progress: Progress): void {
    if (progress.kind === 'data') this.loaded = progress.share
    else if (progress.kind === 'batch') {
      this.phase = 'training'
      this.batch = progress
    } else {
      this.phase = 'training'
      this.looks = [...this.looks, progress]
      if (this.examples.length === 0) void this.#take()
      else void this.#reread()
      this.#ask()
    }
  }

  async #take(): Promise<void> {
    this.examples = await engine.call('examples', [this.#turn++])
    await this.#reread()
  }

  async #reread(): Promise<void> {
    this.reads = await engine.call('reads', [this.examples.map(({ index }) => index)])
  }

  /** Asks for the probabilities of the pad's digit: one question at a time, and then for the newest. */
  async #ask(): Promise<void> {
    this.#asks = true
    if (this.#asked) return
    this.#asked = true
    try {
      while (this.#asks) {
        this.#asks = false
        const pixels = this.#pixels
        const found = pixels && this.looks.length > 0 ? await engine.call('read', [pixels]) : undefined
        this.probabilities = this.#pixels ? found : undefined
      }
    } catch {
      // the worker ended; the button's message says why
    } finally {
      this.#asked = false
    }
  }

  async #cell(truth: number, read: number): Promise<void> {
    this.open = { truth, read, found: await engine.call('cell', [truth, read, TILES]) }
  }

  #show(digit: ReadDigit): void {
    const pad = this.querySelector('digit-pad') as DigitPad
    pad.show(digit.image)
    const { top } = pad.getBoundingClientRect()
    if (top < 0) pad.scrollIntoView({ block: 'center', behavior: 'smooth' })
  }

  protected override updated(changed: Map<string, unknown>): void {
    if (changed.has('examples')) this.#paint('.ten', this.examples)
    if (changed.has('open')) this.#paint('.found', this.open?.found ?? [])
    const filters = this.looks.at(-1)?.filters
    if (!filters || !changed.has('looks')) return
    const most = filters.reduce((most, w) => Math.max(most, Math.abs(w)), 0)
    this.querySelectorAll<HTMLCanvasElement>('.filters canvas').forEach((canvas, i) => {
      paintWeights(canvas, { values: filters, rows: 5, columns: 5, base: i, down: 40, across: 8 }, most)
    })
  }

  #paint(tiles: string, digits: readonly ReadDigit[]): void {
    this.querySelectorAll<HTMLCanvasElement>(`${tiles} canvas`).forEach((canvas, i) => {
      if (digits[i]) paintDigit(canvas, digits[i].image, 255)
    })
  }

  #trainCard(): unknown {
    const { phase, batch } = this
    const look = this.looks.at(-1)
    const busy = phase === 'loading' || phase === 'training'
    const share = batch ? batch.seen / batch.all : 0
    return html`<section class="card" aria-label="Train">
      <button class="primary start" ?disabled=${busy} @pointerenter=${() => engine.start()} @focus=${() => engine.start()} @click=${this.#train}>
        ${phase === 'new' ? 'Train on 12,000 real digits' : busy ? 'It learns …' : `Train again, seed ${this.#seed + 1}`}
      </button>
      ${
        look
          ? html`<p class="score">${percent(look.right / look.count)}</p>
            <p class="muted">of ${whole.format(look.count)} digits that it never learned from are read right</p>`
          : html`<p>A small network starts from random weights and learns to read handwriting: here, in this page, in a few seconds.</p>
            ${phase === 'loading' ? html`<p class="muted">Digits come: ${percent(this.loaded)} of 2 MB</p>` : nothing}`
      }
      <div class="bar" role="progressbar" aria-label="Training" aria-valuemin="0" aria-valuemax="100" aria-valuenow=${Math.round(100 * (phase === 'done' ? 1 : share))}>
        <i style="width:${100 * (phase === 'done' ? 1 : share)}%"></i>
      </div>
      <p class="muted numbers">${
        batch && busy
          ? `Epoch ${batch.epoch} of ${batch.epochs}, loss ${batch.loss.toFixed(3)}, ${batch.seconds.toFixed(1)} s`
          : phase === 'done'
            ? `Seed ${this.#seed}`
            : nothing
      }</p>
      ${this.looks.length > 1 ? curve(this.looks) : nothing}
      ${
        look
          ? html`<p class="muted numbers">What its first layer looks for: 8 patterns of 5 × 5</p>
            <div class="filters" role="img" aria-label="The eight kernels of the first layer, as they are now">${Array.from({ length: 8 }, () => html`<canvas></canvas>`)}</div>`
          : nothing
      }
      <p role="status" class=${phase === 'new' ? 'error' : 'good'}>${this.message}</p>
    </section>`
  }

  #drawCard(): unknown {
    const { probabilities, phase } = this
    const top = probabilities ? probabilities.indexOf(Math.max(...probabilities)) : -1
    const says = probabilities
      ? html`It reads <b>${top}</b>, ${percent(probabilities[top])} sure.`
      : phase === 'new'
        ? 'It has learned nothing yet: press the button.'
        : phase === 'done'
          ? 'Draw a digit, or take one below.'
          : 'Draw while it learns, and see it change its mind.'
    return html`<section class="card" aria-label="Draw">
      <h2>Draw a digit</h2>
      <div class="reading">
        <digit-pad @digit=${(event: CustomEvent<{ pixels: Float32Array | undefined }>) => {
          this.#pixels = event.detail.pixels
          void this.#ask()
        }}></digit-pad>
        <ol class="bars" start="0" aria-label="How sure it is of each digit">
          ${Array.from({ length: 10 }, (_, c) => {
            const share = probabilities?.[c] ?? 0
            return html`<li class=${c === top ? 'best' : ''}><span>${c}</span><span class="of"><i style="width:${100 * share}%"></i></span><span class="percent">${
              probabilities ? `${(100 * share).toFixed(share > 0.9995 ? 0 : 1)} %` : ''
            }</span></li>`
          })}
        </ol>
      </div>
      <p class="answer" role="status">${says}</p>
      ${
        this.examples.length > 0
          ? html`<p class="muted numbers">Or take one that it never learned from. Below each: what it reads now.</p>
            <ul class="tiles ten">${this.examples.map(
              (
                digit,
                i,
              ) => html`<li><button @click=${() => this.#show(digit)} aria-label="A ${digit.truth}, read as ${this.reads[i] ?? 'nothing yet'}">
                <canvas></canvas><span class=${this.reads[i] === digit.truth ? 'good' : 'wrong'}>${this.reads[i] === undefined ? '…' : `${this.reads[i]} ${this.reads[i] === digit.truth ? '✓' : '✗'}`}</span></button></li>`,
            )}</ul>
            <button @click=${this.#take}>Ten others</button>`
          : nothing
      }
    </section>`
  }

  #mixCard(): unknown {
    const { open } = this
    const look = this.looks.at(-1)
    return html`<section class="card mix" aria-label="What it mixes up">
      <h2>What it mixes up</h2>
      <digit-matrix .counts=${look?.counts} .chosen=${open ? 10 * open.truth + open.read : undefined}
        @cell=${(event: CustomEvent<{ truth: number; read: number }>) => this.#cell(event.detail.truth, event.detail.read)}></digit-matrix>
      ${
        open
          ? html`<p role="status">${open.found.length === 0 ? 'No' : open.found.length === TILES ? `The ${TILES} surest of` : open.found.length} test ${open.found.length === 1 ? 'digit' : 'digits'}
              ${open.truth === open.read ? html`<b>${open.truth}</b> read right.` : html`that ${open.found.length === 1 ? 'is' : 'are'} <b>${open.truth}</b> and read as <b>${open.read}</b>.`}</p>
            <ul class="tiles found">${open.found.map((digit) => {
              const sure = percent(digit.probabilities?.[open.read] ?? 0)
              return html`<li><button @click=${() => this.#show(digit)} aria-label="Put on the pad: ${sure} sure"><canvas></canvas>${sure}</button></li>`
            })}</ul>`
          : html`<p class="muted">${look ? 'Open a cell to see its digits.' : 'Numbers come here while it learns: a cell in the diagonal counts digits that are read right, any other one a kind of mistake.'}</p>`
      }
    </section>`
  }

  protected override render(): unknown {
    return html`<div class="parts">${this.#trainCard()}${this.#drawCard()}${this.#mixCard()}</div>`
  }
}

/** The share that is read right, look by look. */
function curve(looks: readonly Look[]): unknown {
  const last = looks[looks.length - 1]
  const x = (look: Look): number => 4 + (208 * look.seen) / Math.max(1, last.seen)
  const y = (share: number): number => 8 + 80 * (1 - share)
  const points = looks.map((look) => `${x(look).toFixed(1)},${y(look.right / look.count).toFixed(1)}`)
  return html`<svg class="curve" viewBox="0 0 262 96" role="img" aria-label="Share of digits read right, from ${percent(looks[0].right / looks[0].count)} to ${percent(last.right / last.count)}">
    ${[0, 0.5, 1].map((share) => svg`<line class="grid" x1="4" x2="212" y1=${y(share)} y2=${y(share)}></line><text x="217" y=${y(share) + 4}>${100 * share} %</text>`)}
    <polyline class="line" points=${points.join(' ')}></polyline>
    <circle cx=${x(last)} cy=${y(last.right / last.count)} r="4"></circle>
  </svg>`
}

customElements.define('train-digits', TrainDigits)
