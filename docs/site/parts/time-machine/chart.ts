/** The losses of runs over their steps, with a line at the step that is shown. A click moves it. */
import { html, nothing, svg } from 'lit'
import { STEPS } from './setup.js'

const WIDTH = 800
const HEIGHT = 150
/** Powers of ten of the axis. */
const [LOW, HIGH] = [-3.3, 1]

const TICKS = [1, 0.1, 0.01, 0.001]

const x = (step: number): number => (WIDTH * step) / STEPS
const y = (loss: number): number => HEIGHT * (1 - (Math.min(HIGH, Math.max(LOW, Math.log10(loss))) - LOW) / (HIGH - LOW))

const lines = new WeakMap<Float32Array, string>()
/** The points of a line. Losses that are there do not change. */
function lineOf(losses: Float32Array): string {
  let line = lines.get(losses)
  if (line === undefined) {
    line = Array.from(losses, (loss, step) => (Number.isNaN(loss) ? '' : `${x(step)},${y(loss).toFixed(1)}`))
      .filter(Boolean)
      .join(' ')
    lines.set(losses, line)
  }
  return line
}

export function chart(
  runs: readonly (Float32Array | undefined)[],
  names: readonly string[],
  step: number,
  go: (step: number) => void,
): unknown {
  const last = runs.map((losses) => losses?.[step])
  const says = names
    .map((name, i) => `${name}: ${last[i] === undefined || Number.isNaN(last[i]) ? 'not known yet' : last[i].toPrecision(3)}`)
    .join('; ')
  return html`<div class="chart">
    <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="Loss of each step, on a scale of powers of ten. At step ${step}: ${says}"
      @click=${(event: MouseEvent) => {
        const box = (event.currentTarget as Element).getBoundingClientRect()
        go(Math.round(((event.clientX - box.left) / box.width) * STEPS))
      }}>
      ${TICKS.map((loss) => svg`<line class="grid" x1="0" x2=${WIDTH} y1=${y(loss)} y2=${y(loss)}></line>`)}
      ${runs.map((losses, i) => (losses ? svg`<polyline class="run-${i}" points=${lineOf(losses)}></polyline>` : nothing))}
      <line class="now" x1=${x(step)} x2=${x(step)} y1="0" y2=${HEIGHT}></line>
    </svg>
    ${TICKS.map((loss) => html`<span class="tick" style="top:${(100 * y(loss)) / HEIGHT}%">${loss}</span>`)}
  </div>`
}
