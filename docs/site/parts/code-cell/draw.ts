/** Draws plots of cells with Observable Plot. It is loaded with the first plot. */
import * as Plot from '@observablehq/plot'
import { thinned } from '../../../../packages/layers/src/report/view/curves.js'
import { num } from '../../../../packages/layers/src/report/view/text.js'
import { dashes } from '../../../../packages/layers/src/report/view/theme.js'
import { type PlotPicture, type Series, textOf } from './pictures.js'

/** The colours of site.css, so that a plot follows the reader's light or dark. */
const colour = (i: number): string => `var(--series-${(i % 4) + 1})`
const dash = (i: number): string => dashes[i % dashes.length]

function marks({ x, y, dots }: Series, i: number, log: boolean, width: number): Plot.Markish[] {
  const value = (k: number): number | null => (Number.isFinite(y[k]) && !(log && y[k] <= 0) ? y[k] : null)
  if (dots) {
    const points = Array.from(x, (place, k) => ({ x: place, y: value(k) }))
    const symbol = (['circle', 'square', 'triangle', 'diamond'] as const)[i % 4]
    return [
      Plot.dot(points, {
        x: 'x',
        y: 'y',
        symbol,
        r: points.length > 100 ? 2.5 : 4,
        fill: colour(i),
        stroke: 'var(--card)',
        strokeWidth: 0.7,
      }),
    ]
  }
  const points = thinned(
    Array.from(y, (_, k) => value(k)),
    width,
  ).map((k) => ({ x: x[k], y: value(k) }))
  return [Plot.lineY(points, { x: 'x', y: 'y', stroke: colour(i), strokeWidth: 2.2, strokeDasharray: dash(i) || undefined })]
}

function legend(series: readonly Series[]): HTMLElement {
  const list = document.createElement('p')
  list.className = 'legend'
  for (const [i, { name, dots }] of series.entries()) {
    const item = document.createElement('span')
    const stroke = dots ? 'stroke-width="8" stroke-dasharray="8 30"' : `stroke-width="3" stroke-dasharray="${dash(i)}"`
    item.innerHTML = `<svg width="26" height="10" aria-hidden="true"><path d="M${dots ? 9 : 0} 5h26" stroke="${colour(i)}" ${stroke}/></svg> `
    item.append(name)
    list.append(item)
  }
  return list
}

/** @param width of the place for it, in pixels */
export function drawPlot(picture: PlotPicture, width: number): HTMLElement {
  const { title, xLabel, yLabel, log, series } = picture
  const size = Math.max(260, Math.min(width, 640))
  const plot = Plot.plot({
    width: size,
    height: Math.round(size < 420 ? size * 0.7 : size * 0.45),
    marginLeft: 52,
    marginRight: 14,
    marginTop: 24,
    marginBottom: 38,
    style: { background: 'none', color: 'var(--ink)', fontFamily: 'system-ui, sans-serif', fontSize: '12px', overflow: 'visible' },
    x: { label: xLabel || null, ticks: size / 80 },
    y: { label: yLabel || null, grid: true, type: log ? 'log' : 'linear', ticks: 6, tickFormat: (value: number) => num(value) },
    marks: series.flatMap((each, i) => marks(each, i, log, size)),
  }) as SVGSVGElement
  // The picture has one name. Plot names its parts, too, which a reader of the screen would not reach.
  for (const part of plot.querySelectorAll('[aria-label], [aria-description]')) {
    part.removeAttribute('aria-label')
    part.removeAttribute('aria-description')
  }
  plot.setAttribute('role', 'img')
  plot.setAttribute('aria-label', textOf(picture))
  const figure = document.createElement('figure')
  if (title) {
    const caption = document.createElement('figcaption')
    caption.textContent = title
    figure.append(caption)
  }
  figure.append(legend(series), plot)
  return figure
}
