/** The record of a step: its formula, rule and kernels, the numbers that flow (step-view.ts), and the source that was opened. */
import { html, nothing, type TemplateResult } from 'lit'
import type { TensorMode } from '../shared/tensor-value.js'
import type { Kernel, Recorded, Row } from './data.js'
import { openKernel, openOp, sourceView } from './source-panel.js'
import type { Explorer } from './state.js'
import { backwardView, endView, forwardView, memoryView } from './step-view.js'
import { formula } from './tape-view.js'

function facts(explorer: Explorer, recorded: Recorded, row: Row, kernels: readonly Kernel[], backward: boolean): TemplateResult {
  return html`<div class="te-facts">
    <span>${backward ? 'Rule' : 'Its derivative will be'} <code>${row.rule}</code></span>
    ${row.path ? html`<span>In <code>${row.path}</code></span>` : html`<span class="muted">In no layer</span>`}
    ${row.options ? html`<span>Options <code>${row.options}</code></span>` : nothing}
    <span class="muted">On the ${recorded.backend} backend</span>
  </div>
  <div class="row">
    <button @click=${() => explorer.open(openOp(row, false))}>Source of ${row.op}</button>
    <button @click=${() => explorer.open(openOp(row, true))}>Its derivative</button>
    ${
      kernels.length > 0
        ? html`<span>${backward ? 'Kernels of the rule:' : kernels.length === 1 ? 'Kernel:' : 'Kernels:'}</span>${kernels
            .slice(0, 12)
            .map(
              (kernel) =>
                html`<button title=${kernel.shapes} @click=${() => explorer.open(openKernel(kernel, explorer.float64))}>${kernel.name}${kernel.fused ? ' (fused)' : ''}</button>`,
            )}${kernels.length > 12 ? html`<span class="muted">and ${kernels.length - 12} more</span>` : nothing}`
        : html`<span class="muted">${backward ? 'The rule runs no kernel: it passes dY on, or gives it another shape.' : 'No kernel runs: the output is the memory of the input under another shape.'}</span>`
    }
  </div>`
}

/** The heading of a step, and how its numbers are shown. */
function heading(explorer: Explorer, text: unknown): TemplateResult {
  return html`<div class="row te-heading"><h2>${text}</h2>
    <select aria-label="How numbers are shown" @change=${(event: Event) => {
      explorer.mode = (event.target as HTMLSelectElement).value as TensorMode
    }}><option value="both">numbers and colours</option><option value="numbers">numbers</option><option value="map">heat maps</option></select></div>`
}

export function recordView(explorer: Explorer, recorded: Recorded): TemplateResult {
  const { step } = explorer
  if (!step) return html`<p class="muted">…</p>`
  if (step.kind === 'end')
    return html`${heading(explorer, 'The gradients: what the loss would gain if a number grew by a little')}${endView(recorded, step, explorer.mode)}`
  const row = recorded.rows.find(({ record }) => record === step.record) as Row
  const head = heading(explorer, html`<code>${formula(recorded, row)}</code>`)
  if (step.kind === 'passed')
    return html`${head}<p>The walk passes this record: ${recorded.stopped ? 'it stopped before' : `the loss does not depend on ${recorded.tensors[row.output].name}`}.</p>`
  const backward = step.kind === 'backward'
  return html`${head}${facts(explorer, recorded, row, backward ? step.kernels : row.kernels, backward)}
    ${
      explorer.opened
        ? sourceView(explorer.opened, () => {
            explorer.opened = undefined
          })
        : nothing
    }
    ${backward ? backwardView(recorded, row, step, explorer.differences, explorer.mode) : forwardView(recorded, row, step, explorer.mode)}
    ${memoryView(recorded, explorer.at, step.kept, backward ? step.waiting : undefined)}`
}
