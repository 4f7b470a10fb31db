/** The controls that curves share: how much they are smoothed, and whether their axis is logarithmic. */
import { h, newId } from './dom.js'

export class CurveControls {
  readonly element: HTMLElement
  /** The share of the past in a running mean. */
  smoothing = 0
  log = false

  /** @param changed called after the reader changed something */
  constructor(changed: () => void) {
    const said = h('output', {}, 'none')
    const id = newId()
    const slider = h('input', {
      id,
      type: 'range',
      min: 0,
      max: 0.95,
      step: 0.05,
      value: 0,
      input: (event: Event) => {
        this.smoothing = Number((event.currentTarget as HTMLInputElement).value)
        said.textContent = this.smoothing === 0 ? 'none' : String(this.smoothing)
        changed()
      },
    })
    const log = h('input', {
      type: 'checkbox',
      change: (event: Event) => {
        this.log = (event.currentTarget as HTMLInputElement).checked
        changed()
      },
    })
    this.element = h(
      'div',
      { class: 'controls' },
      h('label', { for: id }, 'Smoothing', slider, said),
      h('label', {}, log, 'Logarithmic axis'),
    )
  }
}
