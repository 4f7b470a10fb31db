/** The line about the training whose step the code imports: its loss beside that of the time machine. */
import { html, type TemplateResult } from 'lit'
import { fileUrl } from '../shared/site.js'
import { float32Digits } from '../shared/tensor-value.js'
import type { RunStep } from '../time-machine/code.js'
import { hashFor } from '../time-machine/setup.js'
import type { Recorded } from './data.js'

export function momentView(
  { setup, step }: RunStep,
  /** The loss of the time machine, once the step is replayed. */
  known: number | undefined,
  /** The step that is replayed now. */
  replayed: number | undefined,
  /** Undefined while the code runs. */
  recorded: Recorded | undefined,
): TemplateResult {
  const machine = html`<a href="${fileUrl('time-machine.html')}${hashFor({ setup, step, knob: undefined, other: '' })}">time machine</a>`
  if (known === undefined) return html`<p class="te-moment">The training runs again from its seed: ${replayed ?? 0} of ${step} steps.</p>`
  const loss = html`<b>${float32Digits(known)}</b>`
  if (!recorded) return html`<p class="te-moment">The ${machine} has the loss ${loss} at step ${step}.</p>`
  return html`<p class="te-moment">${
    recorded.value === known
      ? html`The loss is ${loss}, bit for bit as in the ${machine} at step ${step}.`
      : html`The ${machine} has the loss ${loss} at step ${step}; ${recorded.backend === 'wasm' ? `this code gives ${float32Digits(recorded.value)}` : `in float64 it is ${recorded.value}`}.`
  }</p>`
}
