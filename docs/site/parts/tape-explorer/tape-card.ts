/** The tape beside the code: what it is of, and its records as a list or a graph. */
import { html, type TemplateResult } from 'lit'
import { brief } from '../shared/tensor-value.js'
import type { Recorded } from './data.js'
import type { Explorer } from './state.js'
import { graphOf, listOf, ROW } from './tape-view.js'

export function tapeCard(explorer: Explorer, recorded: Recorded): TemplateResult {
  const { here } = explorer
  const go = (record: number): void => {
    explorer.go(here.backward ? 2 * recorded.records - 1 - record : record)
  }
  const show = (graph: boolean) => (): void => {
    explorer.graph = graph
    explorer.write()
  }
  const names = recorded.sources.map(({ tensor }) => `${recorded.tensors[tensor].name} [${recorded.tensors[tensor].shape.join(', ')}]`)
  return html`<div class="card te-tape">
    <div class="row">
      <b>${recorded.records} ${recorded.records === 1 ? 'record' : 'records'}</b><span>loss = ${brief(recorded.value)}</span>
      <div class="row" style="margin-left:auto" role="group" aria-label="How the tape is drawn">
        <button aria-pressed=${!explorer.graph} @click=${show(false)}>List</button><button aria-pressed=${explorer.graph} @click=${show(true)}>Graph</button></div>
    </div>
    <div class="row muted"><span>Sources: ${names.slice(0, 8).join(', ')}${names.length > 8 ? ` and ${names.length - 8} more` : ''}</span></div>
    ${
      explorer.graph
        ? graphOf(recorded, here, go)
        : html`<div class="te-scroll" tabindex="0" role="region" aria-label="The tape as a list" @scroll=${(event: Event) => {
            explorer.top = 20 * Math.floor((event.target as HTMLElement).scrollTop / ROW / 20)
          }}>${listOf(recorded, here, go, explorer.top)}</div>`
    }
  </div>`
}
