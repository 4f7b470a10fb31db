/** `<run-view>`: one moment of one run: what the network says, its weights and gradients, and the tape of the step. A click on a tensor shows its numbers. */
import { html, LitElement, nothing } from 'lit'
import { onTheme, paintWeights } from '../shared/paint.js'
import { fileUrl } from '../shared/site.js'
import { brief, float32Digits, reach } from '../shared/tensor-value.js'
import '../shared/tensor-view.js'
import { momentEntries } from './code.js'
import { paintPlane, SIDE } from './plane.js'
import type { ShownRecord } from './run.js'
import type { View } from './worker.js'

/** A tensor that is shown with its numbers: by its name, so that it stays when the step changes. */
type Named = { readonly name: string; readonly shape: readonly number[]; readonly values: Float32Array }

const length = (values: Float32Array): number => Math.sqrt(values.reduce((sum, x) => sum + x * x, 0))
const sizes = (shape: readonly number[]): string => `[${shape.join(', ')}]`

export class RunView extends LitElement {
  static override properties = { view: { attribute: false }, label: {}, colour: {}, chosen: { state: true } }
  declare view: View | undefined
  declare label: string
  /** The number of its line in the chart. */
  declare colour: number
  declare chosen: string | undefined
  #unwatch = (): void => {}

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

  /** Tensors by their names. */
  #tensors(view: View): Map<string, Named> {
    const all: Named[] = view.parameters.flatMap(({ weight, gradient }) => [
      weight,
      { name: `gradient of ${weight.name}`, shape: weight.shape, values: gradient },
    ])
    for (const [i, { output, op, cotangent }] of view.tape.entries()) {
      all.push({ ...output, name: `${op} (record ${i})` })
      if (cotangent) all.push({ name: `cotangent of ${op} (record ${i})`, shape: output.shape, values: cotangent })
    }
    return new Map(all.map((each) => [each.name, each]))
  }

  protected override updated(): void {
    const { view } = this
    if (!view) return
    const tensors = this.#tensors(view)
    for (const canvas of this.querySelectorAll<HTMLCanvasElement>('canvas[data-tensor]')) {
      const found = tensors.get(canvas.dataset.tensor as string)
      if (!found) continue
      const columns = found.shape.at(-1) ?? 1
      // A tall matrix lies on its side, a long vector in lines.
      const rows = found.values.length / columns
      const wide = rows > columns && rows <= 800
      paintWeights(
        canvas,
        {
          values: found.values,
          rows: wide ? columns : rows,
          columns: wide ? rows : columns,
          down: wide ? 1 : columns,
          across: wide ? columns : 1,
        },
        reach(found.values),
      )
    }
    if (view.outlook.kind === 'points') {
      const { probabilities, x, y, hidden } = view.outlook
      const plane = this.querySelector<HTMLCanvasElement>('.plane')
      if (plane) paintPlane(plane, probabilities, x, y)
      for (const [layer, { values, units }] of hidden.entries())
        this.querySelectorAll<HTMLCanvasElement>(`[data-layer="${layer}"] canvas`).forEach((canvas, unit) => {
          paintWeights(canvas, { values, rows: SIDE, columns: SIDE, base: unit, down: SIDE * units, across: units }, 1)
        })
      return
    }
    const [{ weight }] = view.parameters
    const units = weight.shape[1]
    this.querySelectorAll<HTMLCanvasElement>('.images canvas').forEach((canvas, unit) => {
      paintWeights(
        canvas,
        { values: weight.values, rows: 28, columns: 28, base: unit, down: 28 * units, across: units },
        reach(weight.values),
      )
    })
  }

  #map(name: string, { shape }: { readonly shape: readonly number[] }): unknown {
    return html`<button class="map" aria-pressed=${name === this.chosen} title="${name} ${sizes(shape)}" aria-label="Show the numbers of ${name}" @click=${() => {
      this.chosen = this.chosen === name ? undefined : name
    }}><canvas data-tensor=${name}></canvas></button>`
  }

  /** The numbers of the tensor that was clicked, under its row. */
  #numbers(names: readonly string[], tensors: Map<string, Named>): unknown {
    const found = this.chosen !== undefined && names.includes(this.chosen) ? tensors.get(this.chosen) : undefined
    return found ? html`<tr><td colspan="4" class="numbers"><tensor-view .value=${found} .mode=${'both'}></tensor-view></td></tr>` : nothing
  }

  #outlook({ outlook, setup }: View): unknown {
    const share = `${((100 * outlook.right) / outlook.count).toFixed(1)} %`
    if (outlook.kind === 'digits')
      return html`<p class="muted">Of ${outlook.count} digits that it never learned from ${share} are read right. The weights of its hidden units, as images:</p>
        <div class="images" role="img" aria-label="The weights of ${setup.units} hidden units, 28 × 28 each">${Array.from({ length: setup.units }, () => html`<canvas></canvas>`)}</div>`
    return html`<div class="sides">
      <figure><canvas class="plane" width="480" height="480" role="img" aria-label="The plane, coloured by what the network says of each place; ${share} of the points are on their side"></canvas>
        <figcaption class="muted">${share} of ${outlook.count} points are on their side</figcaption></figure>
      <div>${outlook.hidden.map(
        ({ layer, units }, i) => html`<p class="muted">What the units of ${layer} say</p>
          <div class="units" data-layer=${i} role="img" aria-label="Outputs of ${units} units of ${layer} over the plane">${Array.from({ length: units }, () => html`<canvas></canvas>`)}</div>`,
      )}</div>
    </div>`
  }

  #record({ op, rule, path, inputs, output, cotangent }: ShownRecord, i: number, view: View, tensors: Map<string, Named>): unknown {
    const names = inputs.map(({ record, parameter }) =>
      record === undefined ? (parameter ?? 'constant') : `${record} ${view.tape[record].op}`,
    )
    return html`<tr>
      <th scope="row">${i}</th>
      <td class="op"><b>${op}</b>(${names.join(', ')})<br /><span class="muted">${path ? `in ${path}; ` : ''}<code>${rule}</code></span></td>
      <td>${this.#map(`${op} (record ${i})`, output)}<span class="muted">${sizes(output.shape)}</span></td>
      <td>${cotangent ? this.#map(`cotangent of ${op} (record ${i})`, output) : nothing}</td>
    </tr>
    ${this.#numbers([`${op} (record ${i})`, `cotangent of ${op} (record ${i})`], tensors)}`
  }

  protected override render(): unknown {
    const { view } = this
    if (!view)
      return html`<section class="card"><h2 class="run-${this.colour}">${this.label}</h2><p class="muted">It is played once, from its first step to its last …</p></section>`
    const tensors = this.#tensors(view)
    return html`<section class="card" aria-label=${this.label}>
      <h2 class="run-${this.colour}">${this.label}</h2>
      <p class="facts"><span>loss of the batch <b>${float32Digits(view.loss)}</b></span><span>epoch ${view.epoch + 1}, batch ${view.batch + 1}</span>
        <span>weights <code class="hash">${view.hash}</code></span>
        <span class="muted">${view.from === view.step ? (view.step === 0 ? 'drawn from the seed' : `kept at ${view.from}`) : `from ${view.from}, ${view.step - view.from} replayed`}, ${view.milliseconds.toFixed(0)} ms</span></p>
      ${this.#outlook(view)}
      <h3>Weights and gradients</h3>
      <div class="scroller" tabindex="0" role="region" aria-label="Weights and gradients, ${this.label}"><table>
        <thead><tr><th>parameter</th><th>weights, their length</th><th>gradient, its length</th></tr></thead>
        <tbody>${view.parameters.map(
          ({ weight, gradient }) => html`<tr><th scope="row">${weight.name}<br /><span class="muted">${sizes(weight.shape)}</span></th>
            <td>${this.#map(weight.name, weight)}<span class="muted">${brief(length(weight.values))}</span></td>
            <td>${this.#map(`gradient of ${weight.name}`, weight)}<span class="muted">${brief(length(gradient))}</span></td></tr>
            ${this.#numbers([weight.name, `gradient of ${weight.name}`], tensors)}`,
        )}</tbody></table></div>
      <h3>The tape of step ${view.step}</h3>
      <p class="muted"><a class="open" href="${fileUrl('explorer.html')}#${new URLSearchParams(momentEntries(view))}">Open this step in the tape explorer</a> and go through its tape, forward and
        backward, record by record. There the weights are computed again from the seed.</p>
      <div class="scroller" tabindex="0" role="region" aria-label="The tape, ${this.label}"><table>
        <thead><tr><th>#</th><th>op</th><th>output</th><th>cotangent</th></tr></thead>
        <tbody>${view.tape.map((each, i) => this.#record(each, i, view, tensors))}</tbody></table></div>
    </section>`
  }
}
customElements.define('run-view', RunView)
