/** `<exercise-digits>`: a network learns digits with the rules that the reader has solved, and says whose rule was asked how often. */
import { html, LitElement, nothing, type TemplateResult } from 'lit'
import { Engine, EngineError, type Told } from '../shared/engine.js'
import type { Progress as Learning, Usage } from './digits.js'
import { inDigits, ladder } from './ladder.js'
import './loss-curves.js'
import type { Progress } from './progress.js'
import type { DigitsResult, DigitsTold, functions } from './worker.js'

const STEPS = 300
/** Milliseconds without a sign of life. */
const LIMIT = 20_000

class ExerciseDigits extends LitElement {
  static override properties = {
    progress: { attribute: false },
    running: { state: true },
    loading: { state: true },
    learning: { state: true },
    result: { state: true },
    error: { state: true },
  }
  declare progress: Progress
  declare running: boolean
  declare loading: number | undefined
  declare learning: Learning | undefined
  declare result: DigitsResult | undefined
  declare error: Told | undefined
  /** Its own, so that it learns on while the reader checks other rules. */
  readonly #engine = new Engine<typeof functions>('backward-exercises')
  titleOf: (id: string) => string = (id) => id

  constructor() {
    super()
    this.progress = {}
    this.running = false
  }

  protected override createRenderRoot(): HTMLElement {
    return this
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#engine.end()
  }

  async #run(): Promise<void> {
    const codes = Object.fromEntries(
      inDigits.flatMap((id): [string, string][] => (this.progress[id]?.solved ? [[id, this.progress[id].solved]] : [])),
    )
    this.running = true
    this.error = undefined
    this.learning = undefined
    this.result = undefined
    this.loading = 0
    try {
      this.result = await this.#engine.call('digits', [codes, STEPS], {
        limit: LIMIT,
        onProgress: (told: DigitsTold) => {
          if ('loading' in told) this.loading = told.loading
          else this.learning = told
        },
      })
    } catch (error) {
      this.error = error instanceof EngineError ? error : { name: 'Stopped', message: String((error as Error).message) }
    } finally {
      this.#engine.end()
      this.running = false
    }
  }

  #table(usage: readonly Usage[]): TemplateResult {
    return html`<div class="scroller" tabindex="0" role="region" aria-label="Whose rules"><table>
      <thead><tr><th>operation</th><th>rule</th><th>asked</th></tr></thead>
      <tbody>${usage.map(
        ({ id, own, times }) => html`<tr>
          <td><a href="#${id}">${this.titleOf(id)}</a></td>
          <td>${own ? html`<b class="good">yours</b>` : html`<span class="muted">the library's</span>`}</td>
          <td>${own ? `${times} times` : '–'}</td></tr>`,
      )}</tbody></table></div>`
  }

  protected override render(): unknown {
    const now = this.result ?? this.learning
    const mine = inDigits.filter((id) => this.progress[id]?.solved)
    const usage =
      now?.usage ?? inDigits.map((id) => ({ id, op: ladder.find((each) => each.id === id)?.op ?? id, own: mine.includes(id), times: 0 }))
    return html`
      <p>${mine.length} of the ${inDigits.length} rules are yours.</p>
      <div class="row">
        <button class="primary" ?disabled=${this.running} @click=${this.#run}>${this.running ? 'It learns …' : mine.length > 0 ? 'Train with my rules' : "Train with the library's rules"}</button>
        ${
          this.running
            ? html`<progress max="1" value=${this.learning ? this.learning.step / this.learning.steps : 0} aria-label="Steps"></progress>
              <span class="muted">${this.learning ? `step ${this.learning.step} of ${this.learning.steps}` : `digits are loaded: ${Math.round(100 * (this.loading ?? 0))} %`}</span>`
            : nothing
        }
      </div>
      <div role="status">${
        this.result
          ? html`<p><b class="be-accuracy">${(100 * this.result.accuracy).toFixed(1)} % of ${this.result.tested} digits that it has never seen are recognised</b>, after
              ${this.result.steps} steps in ${this.result.seconds.toFixed(1)} s.${this.result.real ? '' : ' The digits were drawn by this page: the site was built without MNIST.'}</p>`
          : nothing
      }${this.error ? html`<p class="error">${this.error.name}: ${this.error.message}</p>` : nothing}</div>
      ${now && now.losses.length > 1 ? html`<loss-curves .series=${[{ name: 'loss of each batch', values: now.losses }]}></loss-curves>` : nothing}
      ${this.#table(usage)}`
  }
}
customElements.define('exercise-digits', ExerciseDigits)

export type { ExerciseDigits }
