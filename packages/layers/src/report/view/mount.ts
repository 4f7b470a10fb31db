/** Fills an element with a report. */
import type { Comparison } from '../comparison-record.js'
import type { RunRecord } from '../record.js'
import type { Mounted } from '../view-face.js'
import { compareView } from './compare-view.js'
import { h } from './dom.js'
import { RunView } from './run-view.js'
import { Stage } from './stage.js'
import { css } from './style.js'

/** The formats that this release draws. */
const VERSION = 1

/** Makes the shadow root in which a report stands, apart from the styles of the page around it. */
function stageIn(host: HTMLElement): Stage {
  const shadow = host.shadowRoot ?? host.attachShadow({ mode: 'open' })
  const root = h('main', { class: 'report' })
  shadow.replaceChildren(h('style', {}, css), root)
  return new Stage(root)
}

/** Shows a run, and later states of it. */
export function mount(host: HTMLElement, record: RunRecord): Mounted {
  const stage = stageIn(host)
  const view = new RunView(stage)
  view.update(record)
  return {
    update: (next) => view.update(next),
    news: (text) => view.news(text),
    dispose() {
      stage.dispose()
      host.shadowRoot?.replaceChildren()
    },
  }
}

/** Shows whatever a page holds: a run, a comparison, or why it cannot be shown. Returns the view of a run. */
export function show(host: HTMLElement, value: unknown): Mounted | undefined {
  const { format, version } = Object(value) as Partial<RunRecord | Comparison>
  try {
    if (version !== VERSION) throw new Error(`It has version ${String(version)} of the format, and this page draws version ${VERSION}.`)
    if (format === 'cotangent-run') return mount(host, value as RunRecord)
    if (format === 'cotangent-comparison') compareView(stageIn(host), value as Comparison)
    else throw new Error('It is no record of a run.')
  } catch (error) {
    problem(host, error)
  }
  return undefined
}

/** Says why there is no report. */
export function problem(host: HTMLElement, error: unknown): void {
  stageIn(host).root.append(
    h(
      'div',
      { class: 'inside' },
      h('h1', {}, 'This record cannot be shown'),
      h('p', { class: 'note' }, error instanceof Error ? error.message : String(error)),
    ),
  )
}
