/** `<loss-curves>`: losses of one or two trainings, as a picture. The script that draws is loaded with the first one. */
import { html, LitElement } from 'lit'
import type { PlotPicture } from '../code-cell/pictures.js'

export interface Losses {
  readonly name: string
  readonly values: readonly number[]
}

/** A loss that runs away must not make the others flat lines: it leaves the picture at the top. */
function pictureOf(series: readonly Losses[]): PlotPicture {
  const finite = series[0].values.filter(Number.isFinite)
  const most = 1.25 * Math.max(...finite, ...series.map(({ values }) => values[0]).filter(Number.isFinite))
  const shown = (values: readonly number[]): number[] => {
    const leaves = values.findIndex((value) => !(value <= most))
    return values.map((value, i) => (i === leaves ? most : value <= most ? value : Number.NaN))
  }
  return {
    kind: 'plot',
    title: '',
    xLabel: 'step',
    yLabel: 'loss',
    log: false,
    series: series.map(({ name, values }) => ({ name, x: values.map((_, step) => step), y: shown(values), dots: false })),
  }
}

export class LossCurves extends LitElement {
  static override properties = { series: { attribute: false }, picture: { state: true } }
  declare series: readonly Losses[]
  declare picture: HTMLElement | undefined

  constructor() {
    super()
    this.series = []
  }

  protected override createRenderRoot(): HTMLElement {
    return this
  }

  protected override async updated(changed: Map<string, unknown>): Promise<void> {
    if (!changed.has('series') || this.series.length === 0) return
    const { series } = this
    const { drawPlot } = await import('../code-cell/draw.js')
    await new Promise((resolve) => setTimeout(resolve)) // reading the script and drawing are two tasks
    if (series === this.series) this.picture = drawPlot(pictureOf(series), this.clientWidth || 600)
  }

  protected override render(): unknown {
    return html`<div class="be-plot">${this.picture}</div>`
  }
}
if (!customElements.get('loss-curves')) customElements.define('loss-curves', LossCurves)
