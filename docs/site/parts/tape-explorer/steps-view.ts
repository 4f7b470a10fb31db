/** The buttons and the slider that go from step to step. */
import { html, nothing, type TemplateResult } from 'lit'
import type { Recorded } from './data.js'
import type { Explorer } from './state.js'

export function stepsView(explorer: Explorer, recorded: Recorded): TemplateResult {
  const { at, last, here } = explorer
  const { record, backward } = here
  const where =
    record === undefined
      ? 'The gradients'
      : `${backward ? 'Backward' : 'Forward'} ${backward ? at - recorded.records + 1 : at + 1} of ${recorded.records}: record ${record}`
  const button = (label: string, text: string, to: number, off: boolean): TemplateResult =>
    html`<button aria-label=${/\w/.test(text) ? nothing : label} title=${label} ?disabled=${off} @click=${() => explorer.go(to)}>${text}</button>`
  return html`<div class="te-steps row" role="group" aria-label="Steps">
    ${button('To the first record', 'Start', 0, at === 0)}
    ${button('One step back', '←', at - 1, at === 0)}
    ${button('One step on', '→', at + 1, at === last)}
    ${button('To where the walk back begins', 'Backward', recorded.records, at === recorded.records)}
    ${button('To the gradients', 'Gradients', last, at === last)}
    <input type="range" min="0" max=${last} .value=${String(at)} aria-label="Step" aria-valuetext=${where}
      @input=${(event: Event) => explorer.go(Number((event.target as HTMLInputElement).value))}>
    <span class="te-where" aria-live="polite">${where}</span>
  </div>`
}
