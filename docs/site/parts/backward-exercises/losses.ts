/** Curves of losses, drawn by Observable Plot; it is loaded with the first picture. */
import { num } from '../../../../packages/layers/src/report/view/text.js'
import { dashes } from '../../../../packages/layers/src/report/view/theme.js'

export interface Losses {
  readonly name: string
  readonly values: readonly number[]
}

const colour = (i: number): string => `var(--series-${i + 1})`

/** @param width of the place for it, in pixels */
export async function drawLosses(series: readonly Losses[], label: string, width: number): Promise<SVGSVGElement> {
  const Plot = await import('@observablehq/plot')
  const size = Math.max(260, Math.min(width, 640))
  // A loss that runs away must not make the other one a flat line.
  const start = Math.max(...series.map(({ values }) => values[0]).filter(Number.isFinite), 0)
  const most = Math.max(...series[0].values.filter(Number.isFinite), start)
  const plot = Plot.plot({
    width: size,
    height: Math.round(size * (size < 420 ? 0.6 : 0.42)),
    marginLeft: 52,
    marginBottom: 38,
    style: { background: 'none', color: 'var(--ink)', fontSize: '12px', overflow: 'visible' },
    x: { label: 'step', ticks: size / 80 },
    y: { label: 'loss', grid: true, domain: [0, 1.25 * most], ticks: 6, tickFormat: (value: number) => num(value) },
    marks: series.map(({ values }, i) =>
      Plot.lineY(
        values.map((value, step) => ({ step, value: Number.isFinite(value) ? value : null })),
        { x: 'step', y: 'value', stroke: colour(i), strokeWidth: 2.2, strokeDasharray: dashes[i] || undefined, clip: true },
      ),
    ),
  }) as SVGSVGElement
  // The picture has one name; Plot names its parts, too.
  for (const part of plot.querySelectorAll('[aria-label], [aria-description]')) {
    part.removeAttribute('aria-label')
    part.removeAttribute('aria-description')
  }
  plot.setAttribute('role', 'img')
  plot.setAttribute('aria-label', label)
  return plot
}

export const styleOf = (i: number): { colour: string; dash: string } => ({ colour: colour(i), dash: dashes[i] })
