/** The result of a check, as the page shows it. */
import { html, nothing, type TemplateResult } from 'lit'
import '../shared/tensor-view.js'
import { brief } from '../shared/tensor-value.js'
import './loss-curves.js'
import type { Compared } from './check.js'
import type { Trained } from './trainings.js'
import type { Checked } from './worker.js'

/** It does not break within a shape. */
const shown = (shape: readonly number[]): string => `[${shape.join(',\u00a0')}]`
const listed = (names: readonly string[]): string =>
  names.length > 1 ? `${names.slice(0, -1).join(', ')} and ${names.at(-1)}` : names.join('')
/** The index of each axis of a place. */
const indexOf = (shape: readonly number[], place: number): number[] => {
  let left = place
  return [...shape]
    .reverse()
    .map((n) => {
      const index = left % n
      left = Math.floor(left / n)
      return index
    })
    .reverse()
}

function comparison({ name, shape, analytic, numeric, wrong }: Compared): TemplateResult {
  const [first] = wrong
  const count = analytic.length
  const most = Math.max(...analytic.concat(numeric).filter(Number.isFinite).map(Math.abs), 0) || 1
  const at = shape.length > 0 ? ` at [${indexOf(shape, first).join(', ')}]` : ''
  return html`<p><b>The derivative by ${name}</b>: ${wrong.length} of ${count} ${count === 1 ? 'number differs' : 'numbers differ'}.
      ${wrong.length > 1 ? 'The first,' : 'It,'}${at}, is <b>${brief(analytic[first])}</b> by your rule and <b>${brief(numeric[first])}</b> by central differences.</p>
    <div class="be-both">
      <tensor-view .value=${{ shape, values: analytic, name: 'your rule' }} .most=${most} .wrong=${wrong}></tensor-view>
      <tensor-view .value=${{ shape, values: numeric, name: 'central differences' }} .most=${most}></tensor-view>
    </div>`
}

export function verdictOf({ passed, cases }: Checked): string {
  const numbers = cases.reduce((sum, each) => sum + each.checked, 0)
  return passed
    ? `✓ Right. ${numbers} derivatives in ${cases.length} cases agree with central differences.`
    : `✗ Not yet: ${cases.filter((each) => each.passed).length} of ${cases.length} cases are right.`
}

/** @param chosen the case that is looked at */
export function resultOf(checked: Checked, chosen: number, choose: (i: number) => void): TemplateResult {
  const { passed, cases, diagnosis, printed } = checked
  const look = cases[chosen]
  const line = look.told?.line
  const right = look.compared.filter(({ wrong }) => wrong.length === 0).map(({ name }) => name)
  return html`
    <p class="be-verdict ${passed ? 'good' : ''}">${verdictOf(checked)}</p>
    ${diagnosis ? html`<div class="be-diagnosis"><h3>${diagnosis.title}</h3><p>${diagnosis.text}</p></div>` : nothing}
    <ul class="be-cases" aria-label="Cases">${cases.map(
      (each, i) => html`<li><button aria-pressed=${i === chosen} @click=${() => choose(i)}>
        <span class=${each.passed ? 'good' : ''}>${each.passed ? '✓' : '✗'}</span> ${each.hidden ? html`<span class="muted">hidden:</span> ` : nothing}${each.name}
        <code>${each.shapes.map(shown).join(' ')}</code></button></li>`,
    )}</ul>
    ${
      look.passed
        ? html`<p>All ${look.checked} derivatives of this case agree.</p>`
        : html`${look.compared.filter(({ wrong }) => wrong.length > 0).map(comparison)}
          ${right.length > 0 ? html`<p class="muted">Right is the derivative by ${listed(right)}.</p>` : nothing}
          <p class="error">${line ? `Line ${line}: ` : ''}${look.told?.name}: ${look.message}</p>`
    }
    ${printed.length > 0 ? html`<details><summary>What the code printed</summary><pre tabindex="0">${printed.join('\n')}</pre></details>` : nothing}`
}

const last = (values: readonly number[]): string => {
  const value = values[values.length - 1]
  return Number.isFinite(value) ? brief(value) : 'no number any more'
}

export function trainedOf({ task, right, wrong, asked }: Trained): TemplateResult {
  const says = `After ${right.length} steps the loss is ${last(right)} with the right rule; with yours it is ${last(wrong)}${wrong.length < right.length ? ` after ${wrong.length} steps` : ''}.`
  return html`<p class="be-text">${task} Both trainings begin with the same weights and see the same data. Your rule was asked ${asked} times. <b>${says}</b></p>
    <loss-curves .series=${[{ name: 'the right rule', values: right }, { name: 'your rule', values: wrong }]}></loss-curves>`
}
