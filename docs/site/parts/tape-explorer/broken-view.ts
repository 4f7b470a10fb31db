/** Numbers that are not finite, and paths that end: where each begins. */
import { html, nothing, type TemplateResult } from 'lit'
import { brief } from '../shared/tensor-value.js'
import type { Recorded } from './data.js'
import type { Explorer } from './state.js'

export function brokenView(explorer: Explorer, recorded: Recorded): TemplateResult {
  const nameOf = (record: number): string => recorded.rows.find((row) => row.record === record)?.op ?? ''
  const last = recorded.sources.filter(({ why }) => why)
  return html`${recorded.broken.map(
    ({ backward, step, chain, message }) => html`<section class="card te-broken">
      <h2>${backward ? 'The walk back makes a number that is not finite' : `The loss is ${brief(recorded.value)}`}</h2>
      ${backward || chain.length === 0 ? nothing : html`<div class="te-chain"><span>Back to the first cause:</span>${chain.map((record, i) => html`${i > 0 ? html`<span aria-hidden="true">←</span>` : nothing}<button @click=${() => explorer.go(record)}>${record} ${nameOf(record)}</button>`)}</div>`}
      <pre>${message}</pre>
      ${step === undefined ? nothing : html`<button class="primary" @click=${() => explorer.go(step)}>Go to the record that made the first one</button>`}
    </section>`,
  )}
  ${recorded.stopped ? html`<section class="card te-broken"><h2>The walk back stopped</h2><p class="error">${recorded.stopped}</p></section>` : nothing}
  ${last.length > 0 ? html`<section class="card te-broken"><h2>The loss does not depend on ${last.map(({ tensor }) => recorded.tensors[tensor].name).join(', ')}</h2>${last.map(({ tensor, why }) => html`<p>${last.length > 1 ? html`<b>${recorded.tensors[tensor].name}</b>: ` : nothing}${why}</p>`)}</section>` : nothing}`
}
