/**
 * `<kernel-lens>`: an op under the lens of the bench. Formula and derivative, the WebAssembly that the engine compiled with its inner loop in words, a roofline that is
 * measured in the page, the speed beside a loop in JavaScript and beside another kernel, and the kernels for a GPU.
 *
 * The file is longer than 300 lines because the cards of the page share one state.
 */

import loopsText from 'text:../../../../bench/lens/plain.ts'
import variantText from 'text:../../../../bench/lens/streamed-columns.ts'
import formulas from 'site:formulas'
import type { GpuSource } from '@cotangent/core/gpu'
import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit'
import { explained } from '../../../../bench/lens/explained.js'
import type { Look, SeenKernel, Speed } from '../../../../bench/lens/look.js'
import { lensOps } from '../../../../bench/lens/ops.js'
import type { CodeField } from '../shared/code-field.js'
import '../shared/code-field.js'
import { Ended, Engine, EngineError } from '../shared/engine.js'
import { fileUrl } from '../shared/site.js'
import { styles } from './css.js'
import { productView, type SeenTile, sumOf, tileOf } from './product-view.js'
import { type Dot, drawRoofline, type Roof, roofAt } from './roofline.js'
import type { functions, VariantFound } from './worker.js'

const engine = new Engine<typeof functions>('kernel-lens')
const LIMIT = 30_000

/** Four digits or so, with a thin space between thousands. */
const whole = (value: number): string => Math.round(value).toLocaleString('en').replaceAll(',', ' ')
const short = (value: number): string => (value >= 1000 ? whole(value) : String(Number(value.toPrecision(3))))
const bytesText = (bytes: number): string =>
  bytes < 1024 ? `${bytes} B` : bytes < 2 ** 20 ? `${short(bytes / 1024)} KiB` : `${short(bytes / 2 ** 20)} MiB`

/** The function of an op, out of the file of loops, with its comment. */
function loopOf(name: string): string {
  const at = loopsText.indexOf(`export function ${name}(`)
  return loopsText.slice(loopsText.lastIndexOf('/**', at), loopsText.indexOf('\n}\n', at) + 3)
}

const wordsOf = (error: unknown): string =>
  error instanceof EngineError && !(error instanceof Ended)
    ? `${error.line ? `Line ${error.line}: ` : ''}${error.message}`
    : (error as Error).message

type Wait = 'look' | 'speed' | 'variant' | 'gpu'

class KernelLens extends LitElement {
  static override properties = Object.fromEntries(
    ['op', 'sizes', 'seen', 'kernel', 'whole', 'at', 'cell', 'measured', 'dots', 'variant', 'tile', 'gpu', 'waits', 'errors'].map(
      (name) => [name, { state: true }],
    ),
  )
  declare op: string
  declare sizes: number[]
  declare seen: Look | undefined
  declare kernel: number
  declare whole: boolean
  /** The statement that is explained. */
  declare at: number
  declare cell: [number, number]
  declare measured: Speed | undefined
  declare dots: Dot[]
  declare variant: VariantFound | undefined
  declare tile: { mr: number; nr: number; unroll: number }
  declare gpu: GpuSource[] | undefined
  declare waits: Wait | undefined
  declare errors: Partial<Record<Wait, string>>
  #measures = false
  #asked = 0
  #roofWidth = 0

  constructor() {
    super()
    this.dataset.part = ''
    this.kernel = 0
    this.whole = false
    this.at = -1
    this.dots = []
    this.errors = {}
    this.tile = { mr: 4, nr: 8, unroll: 1 }
    this.#fromHash()
  }

  protected override createRenderRoot(): HTMLElement {
    return this
  }

  override connectedCallback(): void {
    super.connectedCallback()
    addEventListener('hashchange', this.#hashChanged)
    void this.#look()
  }

  override disconnectedCallback(): void {
    removeEventListener('hashchange', this.#hashChanged)
    super.disconnectedCallback()
  }

  #hashChanged = (): void => {
    const before = `${this.op} ${this.sizes}`
    this.#fromHash()
    if (before !== `${this.op} ${this.sizes}`) void this.#look()
  }

  #fromHash(): void {
    const asked = new URLSearchParams(location.hash.slice(1))
    const op = lensOps.find(({ name }) => name === asked.get('op')) ?? lensOps[0]
    const given = asked.get('sizes')?.split(',').map(Number) ?? []
    this.op = op.name
    this.sizes = op.sizes.map(({ value, least, most }, i) => (given[i] >= least && given[i] <= most ? Math.floor(given[i]) : value))
    const [i = 0, j = 0] = asked.get('cell')?.split(',').map(Number) ?? []
    this.cell = [Number.isInteger(i) ? i : 0, Number.isInteger(j) ? j : 0]
  }

  #toHash(): void {
    const cell = this.op === 'matMul' ? `&cell=${this.cell}` : ''
    history.replaceState(null, '', `#op=${this.op}&sizes=${this.sizes}${cell}`)
  }

  get #definition() {
    return lensOps.find(({ name }) => name === this.op) ?? lensOps[0]
  }

  /** Runs a call of the worker; its error is shown where its answer would be. */
  async #wait<T>(what: Wait, call: () => Promise<T>): Promise<T | undefined> {
    const asked = ++this.#asked
    this.waits = what
    this.errors = { ...this.errors, [what]: undefined }
    try {
      const answer = await call()
      return asked === this.#asked || what !== 'look' ? answer : undefined
    } catch (error) {
      this.errors = { ...this.errors, [what]: wordsOf(error) }
      return undefined
    } finally {
      if (this.#asked === asked) this.waits = undefined
    }
  }

  async #look(): Promise<void> {
    this.#toHash()
    this.variant = undefined
    this.measured = undefined
    this.gpu = undefined
    const seen = await this.#wait('look', () => engine.call('look', [this.op, this.sizes], { limit: LIMIT }))
    if (!seen) return
    this.seen = seen
    this.kernel = 0
    const tile = tileOf(seen.kernels[0])
    if (this.op === 'matMul') this.cell = [Math.min(this.cell[0], this.sizes[0] - 1), Math.min(this.cell[1], this.sizes[2] - 1)]
    this.at = this.#firstOf(seen.kernels[0], tile)
    await this.updateComplete
    if (this.#measures) void this.measure()
  }

  /** The statement to begin with: a multiplication, else any in the loop. */
  #firstOf(kernel: SeenKernel, tile?: SeenTile): number {
    const { from = 0, to = 0 } = kernel.loop ?? {}
    const found = kernel.statements.findIndex((statement, i) => {
      if (i < from || i > to) return false
      return tile ? statement.sets === sumOf(tile, this.cell) : ['multiply-add', 'arithmetic', 'load'].includes(statement.purpose)
    })
    return found < 0 ? from : found
  }

  async measure(): Promise<void> {
    this.#measures = true
    const editor = this.querySelector<CodeField>('.loop code-field')
    editor?.mark()
    const measured = await this.#wait('speed', async () => {
      try {
        return await engine.call('speed', [this.op, this.sizes, editor?.value ?? loopOf(this.op)], { limit: LIMIT })
      } catch (error) {
        if (error instanceof EngineError) editor?.mark(error.line)
        throw error
      }
    })
    if (!measured || !this.seen) return
    this.measured = measured
    const { flops, bytes, sizes, op } = this.seen
    const dot = (name: string, ms: number, now: boolean): Dot => ({ name, intensity: flops / bytes, gflops: flops / ms / 1e6, now })
    if (flops > 0)
      this.dots = [
        ...this.dots
          .filter(({ name }) => !name.startsWith('loop'))
          .map((each) => ({ ...each, now: false }))
          .slice(-12),
        dot(`${op} ${sizes.join('×')}`, measured.ours.median, true),
        dot('loop', measured.theirs.median, true),
      ]
  }

  async #study(code: string | null = null): Promise<void> {
    const found = await this.#wait('variant', () => engine.call('variant', [this.sizes, this.tile, code], { limit: LIMIT }))
    if (found) this.variant = found
  }

  async #translate(): Promise<void> {
    const found = await this.#wait('gpu', () => engine.call('gpu', [this.op, this.sizes], { limit: LIMIT }))
    if (found) this.gpu = found
  }

  #choose(name: string): void {
    this.op = name
    this.sizes = this.#definition.sizes.map(({ value }) => value)
    this.cell = [0, 0]
    const editor = this.querySelector<CodeField>('.loop code-field')
    if (editor) editor.value = loopOf(name)
    void this.#look()
  }

  #size(i: number, value: number): void {
    const { least, most } = this.#definition.sizes[i]
    this.sizes = this.sizes.map((each, at) => (at === i ? Math.max(least, Math.min(most, Math.floor(value) || least)) : each))
    void this.#look()
  }

  #move(cell: [number, number]): void {
    this.cell = cell
    const kernel = this.seen?.kernels[this.kernel]
    const tile = kernel && tileOf(kernel)
    if (kernel && tile) this.at = this.#firstOf(kernel, tile)
    this.#toHash()
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has('measured') || changed.has('dots')) void this.#roof()
    if (changed.has('at') && changed.has('cell'))
      this.querySelector('.lines [aria-pressed="true"]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }

  get #roofOf(): Roof | undefined {
    return this.measured && { peak: this.measured.limits.gflops, bandwidth: this.measured.limits.gigabytesPerSecond }
  }

  async #roof(): Promise<void> {
    const place = this.querySelector<HTMLElement>('.roof')
    const roof = this.#roofOf
    if (!place || !roof) return
    this.#roofWidth = place.clientWidth
    place.replaceChildren(await drawRoofline(roof, this.dots, Math.min(560, Math.max(280, this.#roofWidth))))
  }

  protected override render(): TemplateResult {
    const { seen, waits } = this
    const op = this.#definition
    return html`<style>${styles.cssText}</style>
      <div class="card">
        <div class="row">
          <label>Op <select aria-label="Op" @change=${(event: Event) => this.#choose((event.target as HTMLSelectElement).value)}>
            ${lensOps.map(({ name, title }) => html`<option value=${name} ?selected=${name === this.op}>${title}</option>`)}
          </select></label>
          ${op.sizes.map(
            ({ name, about, least, most }, i) => html`<label title=${about}>${name}
              <input type="number" aria-label="${name}: ${about}" min=${least} max=${most} .value=${String(this.sizes[i])}
                @change=${(event: Event) => this.#size(i, Number((event.target as HTMLInputElement).value))} /></label>`,
          )}
          <span class="muted" role="status">${waits === 'look' ? 'Compiles and counts …' : ''}</span>
        </div>
        ${this.#error('look')}
      </div>
      ${
        seen
          ? html`<div class="grid" aria-busy=${waits === 'look'}>
              ${this.#meaning(seen)} ${this.op === 'matMul' ? this.#product(seen) : this.#counts(seen)} ${this.#code(seen)}
              ${this.op === 'matMul' ? this.#counts(seen) : nothing} ${this.#roofCard(seen)} ${this.#loop(seen)}
              ${this.op === 'matMul' ? this.#variants() : nothing} ${this.#onGpu()}
            </div>`
          : nothing
      }`
  }

  #error(what: Wait): TemplateResult | typeof nothing {
    const message = this.errors[what]
    return message ? html`<p class="error" role="alert">${message}</p>` : nothing
  }

  #meaning({ shapes, records, check }: Look): TemplateResult {
    const { source, kernel } = this.#definition
    return html`<section class="card">
      <h2>What it computes</h2>
      <div class="formula" .innerHTML=${formulas[this.op]}></div>
      <p>${Object.entries(shapes).map(([name, shape], i) => html`${i > 0 ? ', ' : ''}${name} <code>[${shape.join(', ')}]</code>`)}</p>
      <h2>Its derivative</h2>
      <p class="muted">${records.length === 1 ? 'The rule, as the registry has it:' : 'Its composition on the tape; each has a rule of its own:'}</p>
      ${records.map(({ op: name, rule }) => html`<p><code>${name}</code>: <code class="rule">${rule}</code></p>`)}
      <h2>Its values</h2>
      <p class="check ${check.sound ? 'good' : 'error'}">${check.sound ? '✓' : '✗'} ${whole(check.values)} values beside the reference backend in float64: they differ by at most
        ${check.largest.toExponential(1)}, and the largest is ${short(check.top)}.</p>
      <p><a href=${fileUrl(`source.html#${source}`)}>The op's source</a> · <a href=${fileUrl(`source.html#${kernel}`)}>the kernel's</a></p>
    </section>`
  }

  #product({ kernels, sizes }: Look): TemplateResult {
    const tile = tileOf(kernels[this.kernel])
    return html`<section class="card product"><h2>One product, four ways to see it</h2>
      <p class="muted">Move over C, or type a cell. Its row and column light up, its term in the derivative stands below, its instruction is marked in the kernel, and the sizes above move the dot in the roofline.</p>
      ${productView(sizes, this.cell, tile, (cell) => this.#move(cell))}</section>`
  }

  #code({ kernels, idle }: Look): TemplateResult {
    const kernel = kernels[this.kernel]
    const { statements, loop, parameters } = kernel
    const tile = this.op === 'matMul' ? tileOf(kernel) : undefined
    const sum = tile && sumOf(tile, this.cell)
    const shown = this.whole || !loop ? [0, statements.length - 1] : [loop.from, loop.to]
    const all = kernels.reduce((total, { total: { instructions } }) => total + instructions, 0)
    const depth = Math.min(...statements.slice(shown[0], shown[1] + 1).map((each) => each.depth))
    const chosen = statements[this.at]
    // A kernel of thousands of statements is drawn in part.
    const most = 600
    const rows = statements.slice(shown[0], Math.min(shown[1] + 1, shown[0] + most))
    return html`<section class="card all"><h2>The kernel that ran</h2>
      <div class="row">
        <label>Function <select aria-label="Function" @change=${(event: Event) => {
          this.kernel = Number((event.target as HTMLSelectElement).value)
          this.at = this.#firstOf(kernels[this.kernel])
        }}>${kernels.map(
          ({ name, total }, i) =>
            html`<option value=${i} ?selected=${i === this.kernel}>${name}, ${((100 * total.instructions) / all).toFixed(total.instructions / all > 0.1 ? 0 : 1)} % of the instructions</option>`,
        )}</select></label>
        <label><input type="checkbox" .checked=${this.whole} @change=${(event: Event) => {
          this.whole = (event.target as HTMLInputElement).checked
        }} /> all of it</label>
      </div>
      <p><code>${kernel.name}(${parameters.map(({ name }) => name).join(', ')})</code>, ${whole(statements.length)} statements${idle.length > 0 ? html`; compiled with it, and not called: ${idle.join(', ')}` : nothing}.
        ${loop ? html`The inner loop turned <b>${whole(loop.turns)}</b> times.` : 'It has no loop that ran.'}</p>
      <p class="muted"><span class="key load">load</span><span class="key multiply-add">multiply-add</span><span class="key arithmetic">other arithmetic</span><span class="key store">store</span> The numbers at the left: how often a statement ran.</p>
      <div class="code">
        <div class="lines" role="group" aria-label="Statements" tabindex="0">
          ${rows.map((each, row) => {
            const i = shown[0] + row
            const inside = this.whole && loop && i >= loop.from && i <= loop.to
            return html`<button class="${each.purpose} ${inside ? 'in' : ''} ${sum && each.sets === sum && each.purpose === 'multiply-add' ? 'lit' : ''}" aria-pressed=${i === this.at}
              @click=${() => {
                this.at = i
              }} @focus=${() => {
                this.at = i
              }} @keydown=${this.#arrows}><span class="runs">${whole(each.runs)}</span><span>${'  '.repeat(Math.max(0, each.depth - depth))}${each.text}</span></button>`
          })}
          ${shown[1] - shown[0] >= most ? html`<p class="muted" style="padding:0 10px">${whole(shown[1] - shown[0] + 1 - most)} statements more.</p>` : nothing}
        </div>
        <div class="about" aria-live="polite" tabindex="0" role="region" aria-label="The statement, instruction by instruction">
          ${
            chosen
              ? html`<p><code>${chosen.text}</code></p><dl>${chosen.words.map(
                  (word) =>
                    html`<dt>${word}</dt><dd>${explained({ name: word.split(' ')[0], operands: word.slice(word.indexOf(' ') + 1) })}</dd>`,
                )}</dl>`
              : nothing
          }
        </div>
      </div></section>`
  }

  #arrows = (event: KeyboardEvent): void => {
    const button = event.currentTarget as HTMLElement
    const next = event.key === 'ArrowDown' ? button.nextElementSibling : event.key === 'ArrowUp' ? button.previousElementSibling : null
    if (!(next instanceof HTMLButtonElement)) return
    event.preventDefault()
    next.focus()
  }

  #counts({ kernels, flops, bytes }: Look): TemplateResult {
    const kernel = kernels[this.kernel]
    const turn = kernel.loop?.turn
    const { total } = kernel
    const rows: [string, number | undefined, number][] = [
      ['instructions', turn?.instructions, total.instructions],
      ['multiply-adds of four', turn?.multiplyAdds, total.multiplyAdds],
      ['flops', turn?.flops, total.flops],
      ['loads', turn?.loads, total.loads],
      ['stores', turn?.stores, total.stores],
      ['bytes read', turn?.bytesRead, total.bytesRead],
      ['bytes written', turn?.bytesWritten, total.bytesWritten],
    ]
    return html`<section class="card"><h2>Counted, not estimated</h2>
      <table><thead><tr><th>${kernel.name}</th><th>a turn of the loop</th><th>the whole call</th></tr></thead>
        <tbody>${rows.map(([name, one, all]) => html`<tr><td>${name}</td><td>${one === undefined ? '–' : short(one)}</td><td>${whole(all)}</td></tr>`)}</tbody></table>
      <p>The op needs ${whole(flops)} flops for ${bytesText(bytes)} of operands and result, each counted once: <b>${short(flops / bytes)} flops a byte</b>.
        ${turn && turn.bytesRead > 0 ? html`The loop makes ${short(turn.flops / turn.bytesRead)} flops for each byte that it reads out of the nearest cache.` : nothing}</p></section>`
  }

  #roofCard({ flops, bytes }: Look): TemplateResult {
    const { measured } = this
    const roof = this.#roofOf
    const busy = measured && measured.quiet === 0
    const reached = measured ? flops / measured.ours.median / 1e6 : 0
    return html`<section class="card"><h2>The roofline of this machine</h2>
      <div class="row"><button class="primary measure" ?disabled=${this.waits !== undefined} @click=${() => void this.measure()}>${this.waits === 'speed' ? 'Measures …' : 'Measure here'}</button>
        <span class="muted">Two seconds, in this page, one thread.</span></div>
      <div class="roof"></div>
      ${
        measured && roof
          ? html`<p>Peak <b>${short(roof.peak)} GFLOP/s</b>, multiply-adds in registers; copying <b>${short(roof.bandwidth)} GB/s</b> within as many bytes.
              ${
                flops > 0
                  ? html`At ${short(flops / bytes)} flops a byte the roof is ${short(roofAt(roof, flops / bytes))} GFLOP/s, and the op reached <b class="reached">${short(reached)}</b>, ${Math.round((100 * reached) / roofAt(roof, flops / bytes))} % of it.`
                  : html`The op makes no flops: it moved ${short(bytes / measured.ours.median / 1e6)} GB/s.`
              }</p>
              ${busy ? html`<p class="busy">Other programs took part of the core all the time: these figures say little. Try once more when it is quiet.</p>` : html`<p class="muted">${measured.quiet} of ${measured.of} pairs were undisturbed; the figures are theirs.</p>`}`
          : html`<p class="muted">Not measured yet. A roof has two parts: how fast this machine multiplies, and how fast it moves bytes. Which one holds depends on the flops that an op makes of each byte.</p>`
      }</section>`
  }

  #loop({ op }: Look): TemplateResult {
    const { measured } = this
    return html`<section class="card ${this.op === 'matMul' ? 'all' : ''} loop"><h2>Beside plain JavaScript</h2>
      <p class="muted">The same in a loop. Change it: it is checked against the library's values, then timed in turns with the kernel.</p>
      <code-field label="A loop in JavaScript" .value=${loopOf(op)} @run=${() => void this.measure()}></code-field>
      <div class="row" style="margin:8px 0"><button ?disabled=${this.waits !== undefined} class="race" @click=${() => void this.measure()}>${this.waits === 'speed' ? 'Measures …' : 'Check it and time both'}</button>
        <button @click=${() => {
          const editor = this.querySelector<CodeField>('.loop code-field')
          if (editor) editor.value = loopOf(this.op)
        }}>As it was</button></div>
      ${this.#error('speed')}
      ${
        measured
          ? html`<p role="status">The kernel takes ${short(measured.ours.median)} ms, the loop ${short(measured.theirs.median)} ms: the loop takes
              <b class="ratio">${short(measured.ratio.median)} times</b> as long (${short(measured.ratio.min)} to ${short(measured.ratio.max)}).
              ${measured.quiet === 0 ? 'The machine was busy: no verdict.' : measured.ratio.min <= 1 && measured.ratio.max >= 1 ? 'The range contains 1, which says nothing.' : nothing}</p>`
          : nothing
      }</section>`
  }

  #variants(): TemplateResult {
    const { variant, tile } = this
    const choice = (name: 'mr' | 'nr' | 'unroll', label: string, values: number[]): TemplateResult => html`<label>${label}
      <select aria-label=${label} @change=${(event: Event) => {
        this.tile = { ...tile, [name]: Number((event.target as HTMLSelectElement).value) }
        void this.#study()
      }}>${values.map((value) => html`<option ?selected=${value === tile[name]}>${value}</option>`)}</select></label>`
    return html`<section class="card all variants"><h2>Your variant beside ours</h2>
      <p>The kernel is written by TypeScript when it is first needed, so another register tile is a few numbers. A larger tile loads less for each multiplication, until the processor runs out of registers
        (16 on x64) and moves sums to memory and back.</p>
      <div class="row">${choice('mr', 'rows', [1, 2, 3, 4, 5, 6, 8])} ${choice('nr', 'columns', [4, 8, 12, 16, 24])} ${choice('unroll', 'steps of k a turn', [1, 2, 4])}
        <button class="primary try" ?disabled=${this.waits !== undefined} @click=${() => void this.#study()}>${this.waits === 'variant' ? 'Checks and times …' : 'Check it and time both'}</button></div>
      <details><summary>Write the kernel yourself</summary>
        <p class="muted">The default export writes the module. It gets the tile chosen above. This one is the bench's example; the same file runs with <code>npm run bench -- lens matMul ${this.sizes.join('x')} --variant file.ts</code>.</p>
        <code-field label="A kernel in TypeScript" .value=${variantText} @run=${(event: Event) => void this.#study((event.target as CodeField).value)}></code-field>
        <div class="row" style="margin:8px 0"><button class="own" ?disabled=${this.waits !== undefined} @click=${() => void this.#study(this.querySelector<CodeField>('.variants code-field')?.value ?? null)}>Check my kernel and time both</button></div>
      </details>
      ${this.#error('variant')}
      ${
        variant
          ? html`<p role="status" class="found">✓ Right on ${variant.products} products of many shapes. Tile ${variant.tile.mr} × ${variant.tile.nr}: ${variant.loop.accumulators} sums of four, ${variant.loop.vectorLoads} vector loads and
              ${variant.loop.splats} splats for ${variant.loop.multiplyAdds} multiply-adds a turn. It is <b>${short(1 / variant.ratio.median)} times</b> as fast as ours, ${variant.ourTile.mr} × ${variant.ourTile.nr}
              (${short(1 / variant.ratio.max)} to ${short(1 / variant.ratio.min)}; ${variant.quiet} of ${variant.of} pairs undisturbed${variant.quiet === 0 ? ', so no verdict' : ''}).</p>
              <details><summary>Its inner loop</summary><pre tabindex="0">${variant.text.join('\n')}</pre></details>`
          : nothing
      }</section>`
  }

  #onGpu(): TemplateResult {
    const { gpu } = this
    return html`<section class="card all"><h2>The same on a GPU</h2>
      <p>The <code>gpu</code> backend writes its kernels as JavaScript, and gpu.js translates them to WGSL for WebGPU. The translation needs no GPU, so it runs here in any case; nothing else does.</p>
      <div class="row"><button class="translate" ?disabled=${this.waits !== undefined} @click=${() => void this.#translate()}>${this.waits === 'gpu' ? 'Translates …' : 'Show the kernels'}</button>
        <span class="muted">Loads gpu.js, about 150 kB.</span></div>
      ${this.#error('gpu')}
      ${gpu?.map(
        ({ javascript, wgsl, threads }, i) => html`<h3>Kernel ${i + 1} of ${gpu.length}, ${threads.join(' × ')} threads</h3>
          <details open><summary>As the backend writes it</summary><pre tabindex="0" class="javascript">${javascript}</pre></details>
          <details><summary>As WGSL</summary><pre tabindex="0" class="wgsl">${wgsl}</pre></details>`,
      )}</section>`
  }
}
customElements.define('kernel-lens', KernelLens)
