/** The library's own text of an op, its derivative, or the kernel that ran. */
import { html, nothing, type TemplateResult } from 'lit'
import type { OpSources, Place } from '../../build/op-sources.js'
import { fileUrl } from '../shared/site.js'
import type { Kernel, Row } from './data.js'

let loaded: Promise<OpSources> | undefined

/** The file that the build made; loaded when somebody asks first. */
export function opSources(): Promise<OpSources> {
  loaded ??= fetch(fileUrl('data/op-sources.json')).then((response) => {
    if (!response.ok) throw new Error(`data/op-sources.json: ${response.status}`)
    return response.json() as Promise<OpSources>
  })
  loaded.catch(() => {
    loaded = undefined // the next click asks again
  })
  return loaded
}

/** A text to show: lines of a file, some of them marked. */
export interface Opened {
  readonly title: string
  readonly place?: Place
  /** Lines of the file. */
  readonly marked?: readonly [number, number]
  /** A remark beside the text, or in its place. */
  readonly note?: string
}

export async function openOp(row: Row, derivative: boolean): Promise<Opened> {
  const { ops, places } = await opSources()
  const found = ops[row.op]
  const title = derivative ? `The derivative of ${row.op}` : `The op ${row.op}`
  if (!found) return { title, note: `${row.op} is not defined in the library: your code makes it, with customGrad, checkpoint or scan.` }
  const place = places[found.place]
  if (!derivative) return { title, place }
  if (found.derivative) return { title, place, marked: found.derivative }
  return { title, place, note: `${row.op} has no rule of its own: it is differentiated through the ops that it is composed of.` }
}

export async function openKernel({ name, fused }: Kernel, float64: boolean): Promise<Opened> {
  const { kernels, places } = await opSources()
  const [primitive] = name.split(' ')
  const place = places[kernels[name] ?? kernels[primitive]]
  const title = `The kernel ${name}`
  const kind = fused ? `${name} is a fused kernel: it does in one pass what several primitives would.` : ''
  const where = float64 ? 'In float64 the reference backend runs, with plain loops; this is what emits the WebAssembly for float32.' : ''
  return { title, place, note: [kind, where].filter(Boolean).join(' ') || undefined }
}

export function sourceView(opened: Opened, close: () => void): TemplateResult {
  const { title, place, note, marked } = opened
  const lines = place && (place.from === place.to ? `line ${place.from}` : `lines ${place.from} to ${place.to}`)
  return html`<section class="card te-source-text" aria-label=${title}>
    <div class="row"><h3>${title}</h3><button style="margin-left:auto" @click=${close}>Close</button></div>
    ${note ? html`<p>${note}</p>` : nothing}
    ${
      place
        ? html`<p class="muted"><a href=${fileUrl(`source.html#${place.file}:${place.from}-${place.to}`)}>${place.file}</a>, ${lines}${marked ? html`; the derivative is marked` : nothing}</p>
        <code-editor readonly label=${title} first=${place.from} .value=${place.text}></code-editor>`
        : nothing
    }
  </section>`
}
