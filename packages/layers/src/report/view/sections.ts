/** Draws each section of a record by its kind. */
import type { HeatSection, ImagesSection, LinesSection, Section, TableSection, TextSection } from '../record.js'
import { confusionPart } from './confusion.js'
import { type Curve, drawCurves, legendFor } from './curves.js'
import { h } from './dom.js'
import { figure, pictureButtons, tableOf } from './figure.js'
import { drawGrid } from './grid.js'
import { sheetCanvas, tile, tilesSvg } from './images.js'
import { samplesPart } from './samples.js'
import { pictureOf } from './save.js'
import type { Stage } from './stage.js'
import { counted, num, short } from './text.js'
import { along, styleOf } from './theme.js'

function linesPart(stage: Stage, { title, says, x, y, series }: LinesSection): HTMLElement {
  const withUnit = ({ label, unit }: { label: string; unit?: string }): string => (unit === undefined ? label : `${label} (${unit})`)
  const curves = (): Curve[] => series.map(({ name, values }, i) => ({ name, values, ...styleOf(stage.theme, i) }))
  let log = y.log === true
  const made = figure(stage, {
    title,
    says,
    wide: true,
    controls: h(
      'div',
      { class: 'controls', style: 'margin:0' },
      h(
        'label',
        {},
        h('input', {
          type: 'checkbox',
          checked: log,
          change: (event: Event) => {
            log = (event.currentTarget as HTMLInputElement).checked
            made.redraw()
          },
        }),
        'Logarithmic axis',
      ),
    ),
    sentence: () => {
      const said = series.slice(0, 4).map(({ name, values }) => {
        const known = values.filter((value) => value !== null)
        const [low, high] = [
          known.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
          known.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY),
        ]
        return `${name} from ${num(low)} to ${num(high)}`
      })
      return `${title}: ${withUnit(y)} over ${withUnit(x)}, ${counted(x.values.length, 'point')}; ${said.join(', ')}${series.length > 4 ? ' and others' : ''}.`
    },
    draw(width) {
      const drawn = curves()
      return {
        plot: drawCurves({
          width,
          height: 300,
          theme: stage.theme,
          x: { label: withUnit(x), values: x.values },
          y: { label: withUnit(y), log },
          curves: drawn,
        }),
        legend: legendFor(drawn),
      }
    },
    table: () => ({
      columns: [withUnit(x), ...series.map(({ name }) => name)],
      rows: x.values.map((value, i) => [value, ...series.map(({ values }) => values[i] ?? null)]),
    }),
  })
  return made.element
}

function heatPart(stage: Stage, { title, says, rows, columns, values, diverging = false }: HeatSection): HTMLElement {
  const known = values.flat().filter((value) => value !== null)
  const low = known.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)
  const high = known.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  const reach = Math.max(Math.abs(low), Math.abs(high)) || 1
  const span = high - low || 1
  const color = (value: number): string =>
    diverging ? along(stage.theme.diverging, (value / reach + 1) / 2) : along(stage.theme.ramp, (value - low) / span)
  const key = h('div', { class: 'says', style: 'display:flex;gap:8px;align-items:center' })
  const made = figure(stage, {
    title,
    says,
    wide: true,
    controls: key,
    sentence: () =>
      `${title}: ${num(rows.names.length)} rows (${rows.label}) by ${num(columns.names.length)} columns (${columns.label}), values from ${num(low)} to ${num(high)}.`,
    draw(width) {
      const ends = diverging ? [-reach, reach] : [low, high]
      const stops = Array.from({ length: 9 }, (_, i) => color(ends[0] + ((ends[1] - ends[0]) * i) / 8))
      key.replaceChildren(
        num(ends[0]),
        h('span', {
          'aria-hidden': 'true',
          style: `height:12px;flex:0 1 180px;border:1px solid ${stage.theme.line};background:linear-gradient(to right,${stops.join(',')})`,
        }),
        num(ends[1]),
      )
      return drawGrid({
        width,
        theme: stage.theme,
        rows,
        columns,
        values,
        color,
        tip: (row, column) => `${rows.names[row]}, ${columns.names[column]}: ${num(values[row][column])}`,
      })
    },
    table: () => ({ columns: [rows.label, ...columns.names], rows: values.map((row, i) => [rows.names[i], ...row]) }),
  })
  return made.element
}

function imagesPart(stage: Stage, { title, says, images, columns, captions }: ImagesSection): HTMLElement {
  const place = h('div', { class: 'plot' })
  /** Without a wish, as many as fit, in rows of one length. */
  const across = (width: number): number => {
    if (columns) return Math.min(columns, images.count)
    const fits = Math.max(1, Math.floor(width / Math.max(66, images.width + 4)))
    return Math.ceil(images.count / Math.ceil(images.count / fits))
  }
  const sentence = `${title}: ${counted(images.count, 'image')} of ${images.height} by ${images.width} pixels.`
  stage.drawIn(place, (width) => {
    if (images.count === 0) return place.replaceChildren('There is no image.')
    if (captions) {
      const tiles = h(
        'ul',
        { class: 'tiles', style: columns ? `grid-template-columns:repeat(${columns},minmax(0,1fr))` : undefined },
        Array.from({ length: images.count }, (_, i) => h('li', {}, tile(images, i, captions[i] ?? `Image ${i + 1}`), captions[i] ?? '')),
      )
      return place.replaceChildren(tiles)
    }
    const canvas = sheetCanvas(images, across(width), width, stage.theme)
    canvas.setAttribute('aria-label', sentence)
    place.replaceChildren(canvas)
  })
  const items = Array.from({ length: images.count }, (_, i) => ({
    image: i,
    lines: captions?.[i] === undefined ? [] : [short(captions[i], 20)],
  }))
  return h(
    'section',
    { class: 'card wide' },
    h('h3', {}, title),
    says !== undefined && h('p', { class: 'says' }, says),
    place,
    h(
      'div',
      { class: 'foot' },
      pictureButtons(stage, title, () => pictureOf(tilesSvg(images, items, columns ?? 8, stage.theme, sentence), title, [], stage.theme)),
    ),
  )
}

const tablePart = (stage: Stage, { title, says, columns, rows }: TableSection): HTMLElement =>
  h(
    'section',
    { class: `card${columns.length > 4 ? ' wide' : ''}` },
    h('h3', {}, title),
    says !== undefined && h('p', { class: 'says' }, says),
    tableOf(stage, title, { columns, rows }),
  )

const textPart = ({ title, says, text }: TextSection): HTMLElement =>
  h(
    'section',
    { class: 'card wide' },
    h('h3', {}, title),
    says !== undefined && h('p', { class: 'says' }, says),
    h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': `Text: ${title}` }, h('pre', { class: 'wrap' }, text)),
  )

/** The element of a section. One that is damaged, or of a kind that this release does not know, says so and leaves the others alone. */
export function sectionPart(stage: Stage, section: Section): HTMLElement {
  try {
    switch (section.kind) {
      case 'confusion':
        return confusionPart(stage, section)
      case 'samples':
        return samplesPart(stage, section)
      case 'images':
        return imagesPart(stage, section)
      case 'lines':
        return linesPart(stage, section)
      case 'heat':
        return heatPart(stage, section)
      case 'table':
        return tablePart(stage, section)
      case 'text':
        return textPart(section)
    }
    return note(section, `This release cannot draw a section of the kind “${String((section as { kind?: unknown }).kind)}”.`)
  } catch (error) {
    return note(section, `This section is damaged: ${(error as Error).message}`)
  }
}

const note = (section: unknown, text: string): HTMLElement =>
  h(
    'section',
    { class: 'card wide' },
    h('h3', {}, String((Object(section) as Section).title ?? 'A section')),
    h('p', { class: 'note' }, text),
  )
