/** The frame of every plot: title, what it says, the plot, its legend, buttons for SVG and PNG, and its numbers as a table. */
import { type Child, h, s } from './dom.js'
import { type LegendItem, pictureOf, saveCsv, savePng, saveSvg, type Table } from './save.js'
import type { Stage } from './stage.js'
import { fileName, num } from './text.js'

export interface Drawing {
  plot: SVGSVGElement
  legend?: readonly LegendItem[]
}

export interface FigureSpec {
  title: string
  says?: string
  wide?: boolean
  /** One sentence that says what is seen. */
  sentence(): string
  /** Draws for a width in pixels. */
  draw(width: number): Drawing
  /** The numbers of the plot; none for pictures. */
  table?(): Table
  /** Elements between the title and the plot. */
  controls?: Child
  /** Elements beside the plot; below it where there is no room. */
  beside?: Child
  /** Whether the plot may be larger than its place and is then scrolled. */
  scroll?: boolean
  /** Whether parts of the plot can be chosen. Then it is no image to a screen reader. */
  interactive?: boolean
  level?: 'h2' | 'h3'
}

export interface Figure {
  element: HTMLElement
  /** Draws again, after the data changed. */
  redraw(): void
}

/** A place that scrolls, and that the keyboard reaches. */
export const scrolling = (label: string, ...children: Child[]): HTMLDivElement =>
  h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': label }, children)

/** Rows that are made at once; the rest comes on request. */
const ROWS = 500

/** A table, with a button that saves it. Text is on the left, numbers on the right. */
export function tableOf(stage: Stage, title: string, table: Table, rowHeads = false): HTMLElement {
  const numeric = table.columns.map(
    (_, c) => table.rows.length > 0 && table.rows.every((row) => row[c] === null || typeof row[c] === 'number'),
  )
  const cells = (row: readonly (string | number | null)[]): Child =>
    row.map((value, c) => {
      const text = typeof value === 'string' ? value : num(value)
      return c === 0 && rowHeads
        ? h('th', { scope: 'row', class: numeric[c] ? 'n' : undefined }, text)
        : h('td', { class: numeric[c] ? 'n' : undefined }, text)
    })
  const body = h(
    'tbody',
    {},
    table.rows.slice(0, ROWS).map((row) => h('tr', {}, cells(row))),
  )
  const csv = h(
    'button',
    { type: 'button', 'aria-label': `CSV: save the table “${title}”`, click: () => saveCsv(fileName(stage.title, title), table) },
    'CSV',
  )
  const more =
    table.rows.length > ROWS &&
    h(
      'button',
      {
        type: 'button',
        click: (event: Event) => {
          body.append(...table.rows.slice(ROWS).map((row) => h('tr', {}, cells(row))))
          ;(event.currentTarget as Element).remove()
        },
      },
      `Show all ${num(table.rows.length)} rows`,
    )
  return h(
    'div',
    {},
    scrolling(
      `Table: ${title}`,
      h(
        'table',
        {},
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            table.columns.map((name, c) => h('th', { scope: 'col', class: numeric[c] ? 'n' : undefined }, name)),
          ),
        ),
        body,
      ),
    ),
    h('div', { class: 'buttons' }, more, csv),
  )
}

/** Numbers that are made when somebody opens them. */
export function numbersOf(stage: Stage, title: string, table: () => Table): { element: HTMLDetailsElement; redraw(): void } {
  const place = h('div')
  const fill = (): void => {
    if (element.open) place.replaceChildren(tableOf(stage, title, table(), true))
  }
  const element: HTMLDetailsElement = h('details', { toggle: fill }, h('summary', {}, `Numbers`), place)
  return { element, redraw: fill }
}

export const legendOf = (items: readonly LegendItem[]): HTMLUListElement =>
  h(
    'ul',
    { class: 'legend' },
    items.map(({ name, color, dash }) =>
      h(
        'li',
        {},
        s(
          'svg',
          { width: 28, height: 8, 'aria-hidden': 'true' },
          s('line', { x2: 28, y1: 4, y2: 4, stroke: color, 'stroke-width': 2.5, 'stroke-dasharray': dash }),
        ),
        name,
      ),
    ),
  )

/** Buttons that save a picture. */
export function pictureButtons(stage: Stage, title: string, picture: () => SVGSVGElement | undefined): HTMLElement {
  const button = (kind: string, write: (name: string, svg: SVGSVGElement) => void): HTMLButtonElement =>
    h(
      'button',
      {
        type: 'button',
        'aria-label': `${kind}: save the picture “${title}”`,
        click: () => {
          const made = picture()
          if (made) write(fileName(stage.title, title), made)
        },
      },
      kind,
    )
  return h('div', { class: 'buttons' }, button('SVG', saveSvg), button('PNG', savePng))
}

export function figure(stage: Stage, spec: FigureSpec): Figure {
  const { title } = spec
  let drawn: Drawing | undefined
  const legend = h('div')
  const plot = spec.scroll ? scrolling(title) : h('div')
  plot.classList.add('plot')
  const numbers = spec.table && numbersOf(stage, title, spec.table)
  const redraw = stage.drawIn(plot, (width) => {
    drawn = spec.draw(width)
    drawn.plot.setAttribute('role', spec.interactive ? 'group' : 'img')
    drawn.plot.setAttribute('aria-label', spec.sentence())
    // Inside an image nothing is announced; names there would only confuse.
    if (!spec.interactive) for (const part of drawn.plot.querySelectorAll('[aria-label]')) part.removeAttribute('aria-label')
    plot.replaceChildren(drawn.plot)
    legend.replaceChildren(...(drawn.legend && drawn.legend.length > 0 ? [legendOf(drawn.legend)] : []))
  })
  const element = h(
    'figure',
    { class: `card${spec.wide ? ' wide' : ''}`, style: 'margin:0' },
    h(spec.level ?? 'h3', { style: 'margin-top:0' }, title),
    spec.says !== undefined && h('p', { class: 'says' }, spec.says),
    spec.controls,
    legend,
    spec.beside ? h('div', { class: 'beside' }, plot, h('div', {}, spec.beside)) : plot,
    h(
      'div',
      { class: 'foot' },
      numbers?.element,
      pictureButtons(stage, title, () => drawn && pictureOf(drawn.plot, title, drawn.legend ?? [], stage.theme)),
    ),
  )
  return {
    element,
    redraw() {
      redraw()
      numbers?.redraw()
    },
  }
}
