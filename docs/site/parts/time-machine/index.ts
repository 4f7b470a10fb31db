/**
 * `<time-machine>`: a slider moves through the steps of a training, and of another one beside it that differs in one knob. Each run has a worker of its own. Setup and step
 * stand in the address.
 */
import { html, LitElement, nothing } from 'lit'
import { Engine } from '../shared/engine.js'
import { chart } from './chart.js'
import './css.js'
import './run-view.js'
import { hashFor, knobs, type Place, placeIn, type Setup, STEPS, setupsOf, visits } from './setup.js'
import type { functions, View } from './worker.js'

/** Milliseconds from one step to the next when it plays. */
const PACE = 50

class Seat {
  readonly engine = new Engine<typeof functions>('time-machine')
  setup = ''
  ready = false
  losses: Float32Array | undefined
  view: View | undefined
  wanted: number | undefined
  asking = false
}

class TimeMachine extends LitElement {
  static override properties = { place: { state: true }, playing: { state: true }, message: { state: true } }
  declare place: Place
  declare playing: boolean
  declare message: string
  readonly #seats = [new Seat(), new Seat()]
  #hash = ''
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor() {
    super()
    this.dataset.part = ''
    this.replaceChildren()
    this.place = placeIn(location.hash)
    this.playing = false
    this.message = ''
  }

  protected override createRenderRoot(): HTMLElement {
    return this
  }

  override connectedCallback(): void {
    super.connectedCallback()
    addEventListener('hashchange', this.#hashChanged)
    this.#go(this.place)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    removeEventListener('hashchange', this.#hashChanged)
    clearTimeout(this.#timer)
    for (const { engine } of this.#seats) engine.end()
  }

  readonly #hashChanged = (): void => {
    if (location.hash === this.#hash || !/^#problem=/.test(location.hash)) return
    this.#go(placeIn(location.hash))
  }

  #go(place: Place): void {
    this.place = place
    const setups = setupsOf(place)
    for (const [i, seat] of this.#seats.entries()) {
      if (setups[i]) void this.#seat(seat, setups[i])
      else seat.view = undefined
    }
  }

  #write(): void {
    this.#hash = hashFor(this.place)
    history.replaceState(null, '', this.#hash)
  }

  /** Sees to it that a seat has this run, at the step of the place. */
  async #seat(seat: Seat, setup: Setup): Promise<void> {
    const name = JSON.stringify(setup)
    if (seat.setup === name) return this.#visit(seat)
    seat.setup = name
    seat.ready = false
    seat.losses = undefined
    this.message = ''
    try {
      const losses = await seat.engine.call('prepare', [setup], {
        onProgress: (losses: Float32Array) => {
          if (seat.setup !== name) return
          seat.losses = losses
          this.requestUpdate()
        },
      })
      if (seat.setup !== name || !losses) return
      seat.losses = losses
      seat.ready = true
      await this.#visit(seat)
    } catch (error) {
      if (seat.setup !== name) return
      seat.setup = ''
      this.#fail(error as Error)
    }
  }

  /** Asks for the step of the place: one question at a time, and then for the newest. */
  async #visit(seat: Seat): Promise<void> {
    seat.wanted = this.place.step
    if (!seat.ready || seat.asking) return
    seat.asking = true
    try {
      while (seat.wanted !== undefined && seat.ready) {
        const step: number = seat.wanted
        seat.wanted = undefined
        const { setup } = seat
        if (seat.view?.step === step && JSON.stringify(seat.view.setup) === setup) continue
        const view = await seat.engine.call('at', [step])
        if (seat.setup === setup && view) seat.view = view
        this.requestUpdate()
      }
    } catch (error) {
      this.#fail(error as Error)
    } finally {
      seat.asking = false
    }
  }

  #fail({ name, message }: Error): void {
    this.playing = false
    this.message = name === 'NoDigits' ? `There are no digits here: ${message} The other data are drawn by the page.` : message
  }

  #step(step: number): void {
    this.#go({ ...this.place, step: Math.min(STEPS, Math.max(0, step)) })
    this.#write()
  }

  #set(change: Partial<Place>): void {
    this.#pause()
    this.#go({ ...this.place, ...change })
    this.#write()
  }

  #pause(): void {
    this.playing = false
    clearTimeout(this.#timer)
  }

  #play(): void {
    if (this.playing) {
      this.#pause()
      return
    }
    this.playing = true
    if (this.place.step >= STEPS) this.#step(0)
    const next = (): void => {
      if (!this.playing) return
      const busy = this.#seats.some(({ asking }) => asking)
      if (!busy && this.place.step >= STEPS) {
        this.#pause()
        return
      }
      if (!busy) this.#step(this.place.step + 1)
      this.#timer = setTimeout(next, PACE)
    }
    next()
  }

  #select(
    knob: keyof Setup,
    value: string | number,
    label: string,
    changed: (value: string | number) => void,
    but?: string | number,
  ): unknown {
    const { values } = knobs[knob]
    return html`<label>${label}<select aria-label=${label} @change=${(event: Event) => changed(values[Number((event.target as HTMLSelectElement).value)].value)}>
      ${values.map((each, i) => (each.value === but ? nothing : html`<option value=${i} ?selected=${each.value === value}>${each.title}</option>`))}
    </select></label>`
  }

  #controls(): unknown {
    const { setup, knob, other } = this.place
    const names = Object.keys(knobs) as (keyof Setup)[]
    /** The value of a knob nearest behind that of the run. */
    const another = (name: keyof Setup): string | number => {
      const values = knobs[name].values.map(({ value }) => value)
      return values[(values.indexOf(setup[name]) + 1) % values.length]
    }
    return html`<section class="card" aria-label="Knobs">
      <div class="knobs">${names.map((name) =>
        this.#select(name, setup[name], knobs[name].title, (value) => {
          const changed = { ...setup, [name]: value }
          const same = name === knob && value === other
          this.#set(same ? { setup: changed, knob: undefined } : { setup: changed })
        }),
      )}</div>
      <div class="beside">
        <label>Beside it<select aria-label="A run beside it that differs in" @change=${(event: Event) => {
          const name = (event.target as HTMLSelectElement).value as keyof Setup | ''
          this.#set(name ? { knob: name, other: another(name) } : { knob: undefined })
        }}>
          <option value="" ?selected=${!knob}>no other run</option>
          ${names.map((name) => html`<option value=${name} ?selected=${name === knob}>the same, but ${knobs[name].title.toLowerCase()}</option>`)}
        </select></label>
        ${knob ? this.#select(knob, other, `Its ${knobs[knob].title.toLowerCase()}`, (value) => this.#set({ other: value }), setup[knob]) : nothing}
      </div>
      <p class="try"><span class="muted">Worth a visit:</span> ${visits.map(({ title, place }) => html`<a href=${hashFor(place)}>${title}</a>`)}</p>
    </section>`
  }

  protected override render(): unknown {
    const { step, setup, knob, other } = this.place
    const titleOf = (name: keyof Setup, value: string | number): string =>
      `${knobs[name].title}: ${knobs[name].values.find((each) => each.value === value)?.title}`
    const labels = knob ? [titleOf(knob, setup[knob]), titleOf(knob, other)] : ['The run']
    const seats = this.#seats.slice(0, labels.length)
    return html`${this.#controls()}
      <section class="card drive" aria-label="Time">
        <div class="row">
          <button @click=${this.#play} aria-label=${this.playing ? 'Pause' : 'Play'}>${this.playing ? '❚❚' : '▶'}</button>
          <button @click=${() => this.#step(step - 1)} title="One step back">−1</button>
          <input type="range" min="0" max=${STEPS} .value=${String(step)} aria-label="Step" @input=${(event: Event) => {
            this.#pause()
            this.#step(Number((event.target as HTMLInputElement).value))
          }} />
          <button @click=${() => this.#step(step + 1)} title="One step on">+1</button>
          <output>${step} / ${STEPS}</output>
        </div>
        ${chart(
          seats.map(({ losses }) => losses),
          labels,
          step,
          (to) => {
            this.#pause()
            this.#step(to)
          },
        )}
        <p class="error" role="status">${this.message}</p>
      </section>
      <div class="runs ${knob ? 'two' : ''}">${seats.map(
        ({ view, ready }, i) =>
          html`<run-view class=${view && !ready ? 'stale' : ''} .view=${view} .label=${labels[i]} .colour=${i}></run-view>`,
      )}</div>`
  }
}
customElements.define('time-machine', TimeMachine)
