/** Files made in the page: tables as CSV, plots as SVG and PNG, the record as JSON. */
import { s } from './dom.js'
import type { Theme } from './theme.js'

export interface Table {
  columns: readonly string[]
  rows: readonly (readonly (string | number | null)[])[]
}

/** Saves a file. */
export function save(name: string, content: Blob): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(content)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}

/** RFC 4180. A text that a spreadsheet would take for a formula gets an apostrophe before it. */
export function csvOf({ columns, rows }: Table): string {
  const field = (value: string | number | null): string => {
    if (value === null) return ''
    if (typeof value === 'number') return String(value)
    const safe = /^[=+\-@\t\r]/.test(value) && !/^[+-]?[\d.]/.test(value) ? `'${value}` : value
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
  }
  return [columns, ...rows].map((row) => row.map(field).join(',')).join('\r\n')
}

export const saveCsv = (name: string, table: Table): void => save(`${name}.csv`, new Blob(['\ufeff', csvOf(table)], { type: 'text/csv' }))

/** An entry of a legend. */
export interface LegendItem {
  name: string
  color: string
  dash: string
}

const MARGIN = 16

/** A plot with its title and legend, as a picture of its own. */
export function pictureOf(plot: SVGSVGElement, title: string, legend: readonly LegendItem[], theme: Theme): SVGSVGElement {
  const copy = plot.cloneNode(true) as SVGSVGElement
  const width = Number(plot.getAttribute('width'))
  const height = Number(plot.getAttribute('height'))
  const inner = width - 2 * MARGIN
  const lines: { item: LegendItem; x: number; y: number }[] = []
  let [x, y] = [0, 0]
  for (const item of legend) {
    const needs = 44 + item.name.length * 7
    if (x > 0 && x + needs > inner) [x, y] = [0, y + 20]
    lines.push({ item, x, y })
    x += needs
  }
  const top = MARGIN + 24 + (legend.length > 0 ? y + 24 : 0)
  for (const [name, value] of Object.entries({ x: MARGIN, y: top })) copy.setAttribute(name, String(value))
  copy.removeAttribute('role')
  return s(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      width: width + 2 * MARGIN,
      height: height + top + MARGIN,
      viewBox: `0 0 ${width + 2 * MARGIN} ${height + top + MARGIN}`,
      'font-family': 'system-ui, sans-serif',
      color: theme.ink,
      style: `color:${theme.ink};--plot-background:${theme.card}`,
    },
    s('title', {}, plot.getAttribute('aria-label') ?? title),
    s('rect', { width: '100%', height: '100%', fill: theme.card }),
    s('text', { x: MARGIN, y: MARGIN + 14, fill: theme.ink, 'font-size': 16, 'font-weight': 600 }, title),
    lines.map(({ item, x, y }) =>
      s(
        'g',
        { transform: `translate(${MARGIN + x},${MARGIN + 36 + y})` },
        s('line', { x2: 26, stroke: item.color, 'stroke-width': 2, 'stroke-dasharray': item.dash }),
        s('text', { x: 32, y: 4, fill: theme.ink, 'font-size': 12 }, item.name),
      ),
    ),
    copy,
  )
}

const xml = (svg: SVGSVGElement): string => new XMLSerializer().serializeToString(svg)

export const saveSvg = (name: string, svg: SVGSVGElement): void => save(`${name}.svg`, new Blob([xml(svg)], { type: 'image/svg+xml' }))

/** Draws the picture with twice its pixels. */
export async function savePng(name: string, svg: SVGSVGElement): Promise<void> {
  const image = new Image()
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(xml(svg))}`
  await image.decode()
  const canvas = document.createElement('canvas')
  const [width, height] = [Number(svg.getAttribute('width')), Number(svg.getAttribute('height'))]
  // Browsers refuse larger canvases.
  const scale = Math.min(2, 16_000 / Math.max(width, height))
  canvas.width = Math.round(width * scale)
  canvas.height = Math.round(height * scale)
  canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height)
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'))
  if (blob) save(`${name}.png`, blob)
}
