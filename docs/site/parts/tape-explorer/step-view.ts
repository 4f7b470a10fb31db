/** The view of one step: values forward, cotangents backward, and central differences beside. */
import { html, nothing, type TemplateResult } from 'lit'
import type { TensorMode, TensorValue } from '../shared/tensor-value.js'
import type { BackwardStep, Checked, Differences, EndStep, ForwardStep, Kept, Part, Recorded, Row } from './data.js'

const known = new WeakMap<TensorValue, Map<string, TensorValue>>()
/** The value with a name. It is the same object each time, so that a view that is drawn stays as it is. */
function named(value: TensorValue, name: string, values = value.values): TensorValue {
  const names = known.get(value) ?? new Map<string, TensorValue>()
  known.set(value, names)
  const made = names.get(name) ?? { ...value, name, values }
  names.set(name, made)
  return made
}
const view = (value: TensorValue, mode: TensorMode, most?: number): TemplateResult =>
  html`<tensor-view .value=${value} .mode=${mode} .most=${most}></tensor-view>`

export const bytes = (count: number): string =>
  count < 1000 ? `${count} B` : count < 1e6 ? `${(count / 1000).toPrecision(3)} kB` : `${(count / 1e6).toPrecision(3)} MB`

/** 5e-8 as text: 5·10⁻⁸. */
function power(value: number): string {
  if (value === 0) return '0'
  const [digits, exponent] = value.toExponential(0).split('e')
  const raised = [...String(Number(exponent))].map((c) => (c === '-' ? '⁻' : '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(c)])).join('')
  return `${digits}·10${raised}`
}

/** More than float32 loses on the way. */
const TOLERANCE = 1e-3

function verdict(checked: Checked, size: number): TemplateResult {
  const { error, compared } = checked
  const some = compared < size ? ` (${compared} of ${size} numbers compared)` : ''
  if (Number.isNaN(error)) return html`<p class="te-verdict muted">No central difference: a number on the way is not finite${some}.</p>`
  if (error < TOLERANCE)
    return html`<p class="te-verdict good">They agree: the largest difference is ${power(error)} of the largest number${some}.</p>`
  return html`<p class="te-verdict te-differs">They differ by ${power(error)} of the largest number${some}. At a kink, such as 0 of relu or two equal maxima, that is right. Elsewhere the rule is wrong, or another one on purpose.</p>`
}

/** A cotangent, and central differences beside it. */
function compared(
  value: TensorValue,
  name: string,
  checked: Checked | null | undefined,
  waiting: boolean,
  mode: TensorMode,
): TemplateResult {
  const complete = checked && checked.compared === value.values.length
  return html`<div class="te-pair">${view(named(value, name), mode)}
    ${complete ? view(named(value, 'central difference', checked.differences), mode) : nothing}
    ${checked ? verdict(checked, value.values.length) : waiting ? html`<p class="te-verdict muted">Central differences …</p>` : nothing}</div>`
}

export function forwardView(recorded: Recorded, row: Row, step: ForwardStep, mode: TensorMode): TemplateResult {
  const { tensors } = recorded
  return html`<div class="te-flow">
    <section class="card"><h3>Goes in</h3>${step.inputs.map((value, i) => view(named(value, tensors[row.inputs[i]].name), mode))}</section>
    <section class="card te-result"><h3>Comes out</h3>${view(named(step.output, tensors[row.output].name), mode)}</section>
  </div>`
}

/** Each part of a sum, and who sent it. */
function partsView(recorded: Recorded, parts: readonly Part[], name: string, mode: TensorMode): TemplateResult {
  const rowOf = (record: number): Row => recorded.rows.find((row) => row.record === record) as Row
  return html`<div class="te-parts">${parts.map(
    ({ record, input, value }, i) =>
      html`${i > 0 ? html`<span class="te-plus" aria-hidden="true">+</span>` : nothing}<div>
        ${view(named(value, `part ${i + 1} of ${name}`), mode)}<span class="muted">from record ${record}, ${rowOf(record).op}${rowOf(record).inputs.length > 1 ? `, input ${input}` : ''}</span></div>`,
  )}</div>`
}

export function backwardView(
  recorded: Recorded,
  row: Row,
  step: BackwardStep,
  differences: Differences | undefined,
  mode: TensorMode,
): TemplateResult {
  const { tensors } = recorded
  const output = tensors[row.output].name
  const waiting = !differences
  const uses = step.parts.length
  return html`<div class="te-flow">
    <section class="card"><h3>Arrives: d${output}, the derivative of the loss by ${output}</h3>
      ${compared(step.arrives, `d${output}`, differences?.arrives, waiting, mode)}
      ${row.output === recorded.loss && uses === 0 ? html`<p class="muted">The walk begins: the derivative of the loss by itself is 1.</p>` : nothing}
      ${uses > 1 ? html`<p>${output} was used ${uses} times, so d${output} is the <b>sum of ${uses} parts</b>:</p>${partsView(recorded, step.parts, `d${output}`, mode)}` : nothing}
    </section>
    <section class="card te-result"><h3>Sends, by <code>${row.rule}</code></h3>
      ${row.inputs.map((tensor, i) => {
        const { name } = tensors[tensor]
        const sent = step.sends[i]
        if (!sent) return html`<p class="muted">${name}: nothing. No source stands behind it.</p>`
        const before = step.before[i]
        return html`${compared(sent, `to ${name}`, differences?.sends[i], waiting, mode)}
          ${before > 0 ? html`<p class="te-adds">This is part ${before + 1} of d${name}: it is added to what is there.</p>` : nothing}`
      })}
      ${differences?.why ? html`<p class="muted">${differences.why}</p>` : nothing}
    </section>
    <details class="te-values"><summary>Values that the rule may use: inputs and output of the record</summary>
      <div class="te-pair">${step.inputs.map((value, i) => view(named(value, tensors[row.inputs[i]].name), mode))}${view(named(step.output, output), mode)}</div>
    </details>
  </div>`
}

export function endView(recorded: Recorded, step: EndStep, mode: TensorMode): TemplateResult {
  return html`<div class="te-end">${step.sources.map(({ tensor, value, gradient, parts }, i) => {
    const { name } = recorded.tensors[tensor]
    const why = recorded.sources[i].why
    return html`<section class="card"><h3>${name}</h3><div class="te-pair">${view(named(value, name), mode)}
      ${gradient ? view(named(gradient, `d${name}`), mode) : nothing}</div>
      ${gradient && parts.length > 1 ? html`<details><summary>d${name} is the sum of ${parts.length} parts: ${name} was used so often</summary>${partsView(recorded, parts, `d${name}`, mode)}</details>` : nothing}
      ${why ? html`<p class="te-differs">The loss does not depend on ${name}. ${why}</p>` : nothing}
      ${!gradient && !why ? html`<p class="muted">${recorded.stopped ? 'The walk back stopped before it came here.' : 'It is the loss itself.'}</p>` : nothing}</section>`
  })}</div>`
}

const HIGH = 56
const WIDE = 600

/** A bar for each step: outputs that the tape holds, and cotangents above them; as two paths, because a tape may be long. */
function barsOf({ records, held, alive }: Recorded): { held: string; cotangents: string; most: number } {
  const steps = Array.from({ length: 2 * records }, (_, step) => {
    const record = step < records ? step : 2 * records - 1 - step
    return step < records ? [held[record], 0] : [held[records - 1], alive[record]?.peak ?? 0]
  })
  const most = Math.max(1, ...steps.map(([a, b]) => a + b))
  const wide = WIDE / Math.max(1, steps.length)
  const bar = (step: number, size: number, above: number): string =>
    `M${step * wide},${HIGH - (above / most) * HIGH}v${(-size / most) * HIGH}h${wide - Math.min(2, wide / 5)}v${(size / most) * HIGH}z`
  return {
    held: steps.map(([a], step) => bar(step, a, 0)).join(''),
    cotangents: steps.map(([a, b], step) => bar(step, b, a)).join(''),
    most,
  }
}

const drawn = new WeakMap<Recorded, ReturnType<typeof barsOf>>()

function bars(recorded: Recorded, at: number): TemplateResult {
  const known = drawn.get(recorded) ?? barsOf(recorded)
  drawn.set(recorded, known)
  const wide = WIDE / Math.max(1, 2 * recorded.records)
  return html`<svg class="te-bars" viewBox="0 0 ${WIDE} ${HIGH}" preserveAspectRatio="none" role="img" aria-label="Bytes at each step: at most ${bytes(known.most)}">
    <rect class="te-at" x=${at * wide} y="0" width=${Math.max(wide, 2)} height=${HIGH}></rect>
    <path class="te-held" d=${known.held}></path><path class="te-cotangents" d=${known.cotangents}></path></svg>`
}

export function memoryView(recorded: Recorded, at: number, kept: readonly Kept[], waiting: readonly number[] | undefined): TemplateResult {
  const { tensors, records, held, alive } = recorded
  const forward = at < records
  const record = forward ? at : 2 * records - 1 - at
  const total = forward ? held[record] : held[records - 1]
  const now = alive[record]
  return html`<section class="card te-memory"><h3>Memory at this moment</h3>
    ${bars(recorded, at)}
    <p><span class="te-key te-held"></span>outputs that the tape holds: <b>${bytes(total)}</b>
      ${forward || !now ? nothing : html`<span class="te-key te-cotangents"></span>cotangents: <b>${bytes(now.before)}</b>, at most ${bytes(now.peak)} while the rule runs`}</p>
    ${waiting && waiting.length > 0 ? html`<p class="muted">Cotangents that wait: ${waiting.map((tensor) => `d${tensors[tensor].name}`).join(', ')}. One is freed when its record is done. Outputs live until the tape ends.</p>` : nothing}
    <details><summary>${forward ? 'What the tape holds so far' : `What the rest of the walk may still use: ${bytes(kept.reduce((sum, { bytes }) => sum + bytes, 0))}`}</summary>
      <div class="scroller" tabindex="0" role="region" aria-label="Values that are held"><table><thead><tr><th>value</th><th>bytes</th><th>records that have it</th></tr></thead>
      <tbody>${kept.slice(0, 100).map(({ tensor, bytes: count, users }) => html`<tr><td><code>${tensors[tensor].name}</code> [${tensors[tensor].shape.join(', ')}]</td><td>${bytes(count)}</td><td>${users.join(', ')}</td></tr>`)}</tbody></table></div>
    </details></section>`
}
