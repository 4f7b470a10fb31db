/** The reader's code: where it begins, the editor, the errors and what it printed. */
import { html, nothing, type TemplateResult } from 'lit'
import { momentView } from './moment-view.js'
import { presets } from './presets.js'
import type { Explorer } from './state.js'

export function codeView(explorer: Explorer): TemplateResult {
  const { moment, error, lines } = explorer
  const preset = presets.find(({ id }) => id === explorer.preset)
  return html`<div class="te-code">
    <div class="row">
      <label>Begin with <select @change=${(event: Event) => explorer.choose((event.target as HTMLSelectElement).value)}>
        ${explorer.preset ? nothing : html`<option value="" selected disabled>${moment && explorer.ours ? `step ${moment.step} of a training` : 'your own code'}</option>`}
        ${presets.map(({ id, title }) => html`<option value=${id} ?selected=${id === explorer.preset}>${title}</option>`)}</select></label>
    </div>
    <p class="muted">Your code ends with a number called <code>loss</code>. It is differentiated by every <code>Parameter</code>, those of layers included; without one,
      by the tensors that you named. <code>const sources = [W, b]</code> chooses others.</p>
    ${
      explorer.rich
        ? html`<code-editor label="Code of which the tape is made" .value=${explorer.code} @change=${(event: Event) => explorer.edited(event)} @run=${() => explorer.run()}></code-editor>`
        : html`<textarea aria-label="Code of which the tape is made" spellcheck="false" autocapitalize="off" .value=${explorer.code} @input=${(event: Event) => explorer.edited(event)}
          @focus=${() => explorer.enrich()} @pointerenter=${() => explorer.enrich()}></textarea>`
    }
    <div class="row">
      <button class="primary" @click=${() => explorer.run()}>${explorer.running ? 'Runs …' : 'Run'}</button>
      <label>in <select @change=${(event: Event) => {
        explorer.float64 = (event.target as HTMLSelectElement).value === 'float64'
        explorer.run()
      }}>
        <option value="float32" ?selected=${!explorer.float64}>float32, WebAssembly, fused kernels</option>
        <option value="float64" ?selected=${explorer.float64}>float64, plain loops, no fused kernels</option></select></label>
      <span class="muted">${explorer.changed ? 'Changed. Ctrl-Enter runs it.' : ''}</span>
    </div>
    <div role="status">
      ${error ? html`<p class="error">${error.line ? `Line ${error.line}: ` : ''}${error.name}: ${error.message}</p>` : nothing}
      ${lines.length > 0 ? html`<pre class="te-said" tabindex="0">${lines.join('\n')}</pre>` : nothing}
    </div>
    ${preset && !error ? html`<p><b>Look:</b> ${preset.look}</p>` : nothing}
    ${moment ? momentView(moment, explorer.momentLoss, explorer.replayed, explorer.running ? undefined : explorer.recorded) : nothing}
  </div>`
}
