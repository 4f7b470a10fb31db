/** The tape as a list with arcs, and as a graph. Both show where the walk is. */
import { html, nothing, svg, type TemplateResult } from 'lit'
import type { Recorded, Row } from './data.js'
import { type Graph, HIGH, layoutOf, MOST, pathOf, WIDE } from './graph.js'

/** Where the reader is: a record, and in which direction the walk goes there. No record at the end. */
export interface Here {
  readonly record?: number
  readonly backward: boolean
}

export const ROW = 30
/** Of a longer list only the rows around those that show are in the page. */
export const WHOLE = 200
const AROUND = 60
const GUTTER = 56

const shape = (sizes: readonly number[]): string => `[${sizes.join(', ')}]`

/** `h = tanh(c)` */
export const formula = ({ tensors }: Recorded, { op, inputs, output }: Row): string =>
  `${tensors[output].name} = ${op}(${inputs.map((input) => tensors[input].name).join(', ')})`

/** Whether the walk has been at the record. */
function done(row: Row, { record, backward }: Here): boolean {
  if (row.record === undefined) return true
  if (record === undefined) return true
  return backward ? row.record >= record : row.record <= record
}

/** The arrows of the flow now: forward from the makers of the inputs to the record; backward from its users to it, and from it to the makers. */
function flowsAt(recorded: Recorded, { record, backward }: Here): (from: number | undefined, to: number) => '' | 'in' | 'out' {
  const at = record === undefined ? -1 : recorded.rows.findIndex((row) => row.record === record)
  return (from, to) => {
    if (to === at) return backward ? 'out' : 'in'
    if (from === at && at >= 0) return backward ? 'in' : 'out'
    return ''
  }
}

/** Layouts and arcs take a while to make, and stay the same from step to step. */
const graphs = new WeakMap<Recorded, Graph>()
const arcsOf = new WeakMap<Recorded, readonly { from: number; to: number; d: string }[]>()
function kept<K extends object, V>(map: WeakMap<K, V>, key: K, make: () => V): V {
  const value = map.get(key) ?? make()
  map.set(key, value)
  return value
}

function arcs(recorded: Recorded, here: Here, first: number, end: number): TemplateResult[] {
  const flows = flowsAt(recorded, here)
  const all = kept(arcsOf, recorded, () => {
    const made = new Map(recorded.rows.map(({ output }, row) => [output, row]))
    return recorded.rows.flatMap(({ inputs }, to) =>
      [...new Set(inputs)].flatMap((input) => {
        const from = made.get(input)
        if (from === undefined) return []
        const [y0, y1] = [from, to].map((row) => row * ROW + ROW / 2)
        const left = GUTTER - 1.3 * Math.min(GUTTER - 6, 16 + 6 * Math.sqrt(2 * (to - from - 1)))
        return [{ from, to, d: `M${GUTTER - 4},${y0 + 5}C${left},${y0 + 7} ${left},${y1 - 7} ${GUTTER - 4},${y1 - 5}` }]
      }),
    )
  })
  return all.flatMap(({ from, to, d }) => {
    if (to < first || from >= end) return []
    const kind = flows(from, to)
    return svg`<path class="te-arc ${kind && `te-${kind}`}" d=${d}/>`
  })
}

/** @param top the first row that shows, about */
export function listOf(recorded: Recorded, here: Here, go: (record: number) => void, top: number): TemplateResult {
  const { rows, tensors } = recorded
  const whole = rows.length <= WHOLE
  const first = whole ? 0 : Math.max(0, top - AROUND)
  const end = whole ? rows.length : Math.min(rows.length, top + 2 * AROUND)
  return html`<div class="te-list" style="--row:${ROW}px;--gutter:${GUTTER}px">
    <svg aria-hidden="true" width=${GUTTER} height=${rows.length * ROW} viewBox="0 0 ${GUTTER} ${rows.length * ROW}">${arcs(recorded, here, first, end)}</svg>
    <ol aria-label="Records of the tape, in the order of computation" style="height:${rows.length * ROW}px;padding-top:${first * ROW}px">${rows
      .slice(first, end)
      .map((row) => {
        const { output, path, record, ends, visited } = row
        const sizes = html`<span class="muted">${shape(tensors[output].shape)}</span>${path ? html` <span class="te-path">${path}</span>` : nothing}`
        if (record === undefined)
          return html`<li class="te-ends"><span title=${ends ?? ''}>✕ ${formula(recorded, row)} ends the path</span> ${sizes}</li>`
        const current = record === here.record
        return html`<li class="${done(row, here) ? 'te-done' : ''} ${here.backward && !visited ? 'te-passed' : ''}">
        <button aria-current=${current ? 'step' : nothing} @click=${() => go(record)}>
          <span class="te-number">${record}</span><span class="te-formula">${formula(recorded, row)}</span> ${sizes}
          ${here.backward && visited && done(row, here) ? html`<span class="te-back" title="The walk back has been here">d${tensors[output].name} ✓</span>` : nothing}
        </button></li>`
      })}</ol></div>`
}

const cut = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text)

export function graphOf(recorded: Recorded, here: Here, go: (record: number) => void): TemplateResult {
  if (recorded.rows.length > MOST)
    return html`<p class="muted">The graph is drawn for up to ${MOST} records. This tape has ${recorded.rows.length}: the list shows them.</p>`
  const { nodes, edges, width, height } = kept(graphs, recorded, () => layoutOf(recorded))
  const flows = flowsAt(recorded, here)
  const { rows, tensors } = recorded
  const drawn = edges.map((edge) => {
    const kind = flows(edge.from, edge.to)
    return { kind, path: svg`<path class="te-edge ${kind && `te-${kind}`}" d=${pathOf(edge)}/>` }
  })
  return html`<div class="te-graph" tabindex="0" role="region" aria-label="The tape as a graph"><svg width=${width} height=${height} viewBox="0 0 ${width} ${height}" role="group" aria-label="Records as boxes; values flow downward">
    ${drawn.filter(({ kind }) => !kind).map(({ path }) => path)}${drawn.filter(({ kind }) => kind).map(({ path }) => path)}
    ${nodes.map(({ row, tensor, x, y }) => {
      const { name, shape: sizes, source } = tensors[tensor]
      const at = `translate(${x - WIDE / 2},${y - HIGH / 2})`
      if (row === undefined)
        return svg`<g transform=${at} class="te-leaf ${source ? 'te-source' : ''}"><rect width=${WIDE} height=${HIGH} rx=${HIGH / 2}></rect>
          <text x=${WIDE / 2} y="17">${cut(name, 13)}</text><text class="te-small" x=${WIDE / 2} y="32">${cut(shape(sizes), 16)}</text></g>`
      const { op, record, visited } = rows[row]
      if (record === undefined)
        return svg`<g transform=${at} class="te-box te-ends"><rect width=${WIDE} height=${HIGH} rx="6"></rect>
          <text x=${WIDE / 2} y="17">${cut(op, 13)}</text><text class="te-small" x=${WIDE / 2} y="32">ends the path</text></g>`
      const classes = [
        'te-box',
        done(rows[row], here) ? 'te-done' : '',
        record === here.record ? 'te-now' : '',
        here.backward && !visited ? 'te-passed' : '',
      ]
      return svg`<g transform=${at} class=${classes.join(' ')} role="button" tabindex="0"
          @click=${() => go(record)} @keydown=${(event: KeyboardEvent) => {
            if (event.key !== 'Enter' && event.key !== ' ') return
            event.preventDefault()
            go(record)
          }}><title>Record ${record}: ${formula(recorded, rows[row])}</title><rect width=${WIDE} height=${HIGH} rx="6"></rect>
          <text x=${WIDE / 2} y="17">${cut(op, 13)}</text><text class="te-small" x=${WIDE / 2} y="32">${cut(`${name} ${shape(sizes)}`, 17)}</text></g>`
    })}</svg></div>`
}
