/** A run as a page: what ran and what came of it. New states of the record change what differs, and leave the reader's settings alone. */
import type { RunRecord } from '../record.js'
import { h } from './dom.js'
import { tableOf } from './figure.js'
import { networkPart } from './network.js'
import { save as saveFile } from './save.js'
import { sectionPart } from './sections.js'
import type { Stage } from './stage.js'
import { bestOf, counted, duration, fileName, moment, smallerIsBetter } from './text.js'
import { TrainingPlots } from './training.js'

/** Elements that stand for parts of the record; a part is made again when its data changed. */
class Parts {
  readonly element: HTMLElement
  readonly #stage: Stage
  #made: { json: string; element: HTMLElement }[] = []

  constructor(stage: Stage, element: HTMLElement) {
    this.#stage = stage
    this.element = element
  }

  show<T>(data: readonly T[], make: (part: T) => HTMLElement): void {
    const before = this.#made
    this.#made = data.map((part, i) => {
      const json = JSON.stringify(part)
      return before[i]?.json === json ? before[i] : { json, element: make(part) }
    })
    for (const old of before) {
      if (this.#made.includes(old)) continue
      this.#stage.forget(old.element)
      old.element.remove()
    }
    for (const [i, { element }] of this.#made.entries())
      if (this.element.children[i] !== element) this.element.insertBefore(element, this.element.children[i] ?? null)
  }
}

const states = { running: 'Running', finished: 'Finished', stopped: 'Stopped' }

export class RunView {
  readonly #stage: Stage
  readonly #title = h('h1')
  readonly #badge = h('span', { class: 'badge', role: 'status' })
  readonly #meta = h('span')
  readonly #why = h('p', { class: 'note' })
  readonly #news = h('p', { class: 'meta' })
  readonly #contents = h('nav', { 'aria-label': 'Contents' })
  readonly #facts: Parts
  readonly #network: Parts
  readonly #training: TrainingPlots
  readonly #sections: Parts
  readonly #results = h('section', {}, h('h2', {}, 'Results'))
  #record?: RunRecord

  constructor(stage: Stage) {
    this.#stage = stage
    this.#facts = new Parts(stage, h('div'))
    this.#network = new Parts(stage, h('div'))
    this.#training = new TrainingPlots(stage)
    this.#sections = new Parts(stage, h('div', { class: 'cards' }))
    this.#results.append(this.#sections.element)
    stage.root.append(
      h(
        'div',
        { class: 'inside' },
        h(
          'header',
          {},
          h('div', {}, this.#title, h('p', { class: 'meta' }, this.#badge, this.#meta), this.#news),
          h(
            'div',
            { class: 'buttons' },
            h('button', { type: 'button', click: () => stage.switchTheme() }, 'Light or dark'),
            h('button', { type: 'button', click: () => this.#save() }, 'Save the record (JSON)'),
          ),
        ),
        this.#why,
        this.#contents,
        this.#facts.element,
        this.#network.element,
        this.#training.element,
        this.#results,
      ),
    )
  }

  #save(): void {
    if (this.#record)
      saveFile(`${fileName(this.#record.title)}.json`, new Blob([JSON.stringify(this.#record, null, 1)], { type: 'application/json' }))
  }

  /** A line about where the record comes from, such as that the page follows a run. */
  news(text: string): void {
    this.#news.textContent = text
  }

  update(record: RunRecord): void {
    this.#record = record
    const { title, state, why, started, seconds, facts, remarks, network, training, sections } = record
    this.#stage.title = title
    this.#title.textContent = title
    // Only a change is announced.
    const said = states[state] ?? state
    if (this.#badge.textContent !== said) this.#badge.textContent = said
    const { epochs, planned } = training
    const last = epochs.length === 0 ? 0 : epochs[epochs.length - 1] + 1
    this.#meta.textContent = `${last} of ${counted(planned, 'epoch')} · began ${moment(started)} · ${duration(seconds)}`
    this.#why.textContent = why ?? ''
    this.#why.hidden = !why
    this.#facts.show([{ facts, remarks, final: finalFigures(record) }], (part) => this.#overview(part))
    this.#network.show(network ? [network] : [], (part) => networkPart(this.#stage, part))
    this.#training.update(training)
    this.#results.hidden = sections.length === 0
    this.#sections.show(sections, (part) => sectionPart(this.#stage, part))
    this.#index()
  }

  #overview({ facts, remarks, final }: Pick<RunRecord, 'facts' | 'remarks'> & { final: ReturnType<typeof finalFigures> }): HTMLElement {
    const card = (title: string, inside: HTMLElement, wide = ''): HTMLElement =>
      h('div', { class: `card${wide}` }, h('h3', {}, title), inside)
    const factTable = tableOf(
      this.#stage,
      'Facts',
      { columns: ['fact', 'value'], rows: facts.map(({ name, value }) => [name, value]) },
      true,
    )
    factTable.classList.add('facts')
    return h(
      'section',
      {},
      h('h2', {}, 'What ran'),
      h(
        'div',
        { class: 'cards' },
        final.rows.length > 0 && card('Final figures', tableOf(this.#stage, 'Final figures', final, true)),
        facts.length > 0 && card('Facts', factTable),
        remarks.length > 0 &&
          card(
            'Remarks',
            h(
              'ul',
              { class: 'remarks' },
              remarks.map((remark) => h('li', {}, remark)),
            ),
            ' wide',
          ),
      ),
    )
  }

  /** Links to the headings. In a shadow root a fragment leads nowhere, so they scroll. */
  #index(): void {
    const headings = Array.from(this.#stage.root.querySelectorAll<HTMLElement>('h2')).filter(
      (heading) => !(heading.parentElement as HTMLElement).hidden,
    )
    const links = headings.map((heading) => {
      const go = (event: Event): void => {
        event.preventDefault()
        heading.tabIndex = -1
        heading.focus({ preventScroll: true })
        heading.scrollIntoView({ behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth' })
      }
      return h('a', { href: '#', click: go }, heading.textContent)
    })
    if (this.#contents.textContent !== links.map((link) => link.textContent).join('')) this.#contents.replaceChildren(...links)
  }
}

/** Last and best value of each name. */
export function finalFigures({ training: { history, epochs } }: RunRecord): { columns: string[]; rows: (string | number | null)[][] } {
  const rows = Object.entries(history).map(([name, values]) => {
    const best = bestOf(name, values)
    return [name, values.findLast((value) => value !== null) ?? null, best?.value ?? null, best ? epochs[best.at] + 1 : null]
  })
  const known = rows.some(([name]) => smallerIsBetter(String(name)) !== undefined)
  return known
    ? { columns: ['figure', 'last', 'best', 'in epoch'], rows }
    : { columns: ['figure', 'last'], rows: rows.map((row) => row.slice(0, 2)) }
}
