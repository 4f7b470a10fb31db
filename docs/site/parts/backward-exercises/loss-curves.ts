/** `<loss-curves>`: losses of one or two trainings, as a picture with a sentence for those who do not see it. */
import { html, LitElement } from 'lit'
import { drawLosses, type Losses, styleOf } from './losses.js'

export class LossCurves extends LitElement {
  static override properties = { series: { attribute: false }, label: {}, picture: { state: true } }
  declare series: readonly Losses[]
  declare label: string
  declare picture: SVGSVGElement | undefined

  constructor() {
    super()
    this.series = []
    this.label = ''
  }

  protected override createRenderRoot(): HTMLElement {
    return this
  }

  protected override async updated(changed: Map<string, unknown>): Promise<void> {
    if (!changed.has('series') || this.series.length === 0) return
    const { series } = this
    const picture = await drawLosses(series, this.label, this.clientWidth || 600)
    if (series === this.series) this.picture = picture
  }

  protected override render(): unknown {
    return html`<figure class="be-plot">
      <figcaption class="be-legend">${this.series.map(({ name }, i) => {
        const { colour, dash } = styleOf(i)
        return html`<span><svg width="26" height="10" aria-hidden="true"><path d="M0 5h26" stroke=${colour} stroke-width="3" stroke-dasharray=${dash}></path></svg> ${name}</span>`
      })}</figcaption>
      <div style="min-height:160px">${this.picture}</div>
    </figure>`
  }
}
if (!customElements.get('loss-curves')) customElements.define('loss-curves', LossCurves)
