/** Curves over one axis, drawn by Observable Plot. */
import * as Plot from '@observablehq/plot'
import type { LegendItem } from './save.js'
import { num, short } from './text.js'
import type { Theme } from './theme.js'

export interface Curve {
  name: string
  color: string
  dash: string
  values: readonly (number | null)[]
  /** A name at the end of the line, where lines need telling apart without colours. */
  end?: string
}

export interface CurvesOptions {
  width: number
  height?: number
  theme: Theme
  x: { label: string; values: readonly number[]; whole?: boolean }
  y: { label: string; log?: boolean }
  curves: readonly Curve[]
  /** The share of the past in a running mean, 0 to below 1. */
  smoothing?: number
}

/** The running mean, with the start corrected: mₖ = (1−a) Σ aᵏ⁻ⁱ xᵢ / (1 − aᵏ). What was not measured stays empty. */
export function smoothed(values: readonly (number | null)[], share: number): (number | null)[] {
  let [mean, weight] = [0, 0]
  return values.map((value) => {
    if (value === null) return null
    mean = share * mean + (1 - share) * value
    weight = share * weight + (1 - share)
    return mean / weight
  })
}

/** Numbers of points of which the smallest and largest of each stretch are kept, so that thousands draw fast and no peak is lost. */
export function thinned(values: readonly (number | null)[], most: number): number[] {
  const all = Array.from(values.keys())
  if (values.length <= 2 * most) return all
  const size = values.length / most
  const kept: number[] = []
  for (let k = 0; k < most; k++) {
    const part = all.slice(Math.floor(k * size), Math.floor((k + 1) * size)).filter((i) => values[i] !== null)
    const by = (a: number, b: number): number => (values[a] as number) - (values[b] as number)
    if (part.length === 0) {
      kept.push(Math.floor(k * size))
      continue
    }
    const low = part.reduce((a, b) => (by(b, a) < 0 ? b : a))
    const high = part.reduce((a, b) => (by(b, a) > 0 ? b : a))
    kept.push(...[...new Set([low, high])].sort((a, b) => a - b))
  }
  return kept
}

/** Round places on an axis of whole numbers. */
function wholeTicks(low: number, high: number, most: number): number[] {
  const span = Math.max(1, high - low)
  const step = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 100_000].find((each) => span / each <= most) ?? span
  const ticks: number[] = []
  for (let at = Math.ceil(low / step) * step; at <= high; at += step) ticks.push(at)
  return ticks
}

/** 1, 2 and 5 of each power of ten; powers alone where there are many. */
function logTicks(values: readonly number[]): number[] {
  const [least, most] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))]
  const [low, high] = [Math.floor(Math.log10(least)), Math.ceil(Math.log10(most))]
  const step = Math.ceil((high - low) / 6)
  return Array.from({ length: high - low + 1 }, (_, i) => low + i)
    .filter((power) => power % step === 0)
    .flatMap((power) => (high - low > 3 ? [1] : [1, 2, 5]).map((n) => Number(`${n}e${power}`)))
    .filter((tick) => tick >= least && tick <= most)
}

interface Point {
  x: number
  y: number | null
  curve: Curve
}

/** Whether an axis can be logarithmic: some value is above zero. */
export const allowsLog = (curves: readonly Curve[]): boolean =>
  curves.some(({ values }) => values.some((value) => value !== null && value > 0))

/** Below the plot: the numbers of x and their name. */
const MARGIN_BOTTOM = 38

export function drawCurves({ width, height = 250, theme, x, y, curves, smoothing = 0 }: CurvesOptions): SVGSVGElement {
  const log = y.log === true && allowsLog(curves)
  const pointsOf = (curve: Curve, values: readonly (number | null)[]): Point[] =>
    thinned(values, Math.max(50, width)).map((i) => {
      const value = values[i]
      return { x: x.values[i], y: value === null || (log && value <= 0) ? null : value, curve }
    })
  const raw = curves.map((curve) => pointsOf(curve, curve.values))
  const lines = smoothing > 0 ? curves.map((curve) => pointsOf(curve, smoothed(curve.values, smoothing))) : raw
  const all = lines.flat().filter(({ y: value }) => value !== null)
  // A point between gaps is no line.
  const lonely = lines.flatMap((line) =>
    line.filter(({ y: value }, i) => value !== null && (line.length <= 25 || (!(line[i - 1]?.y != null) && !(line[i + 1]?.y != null)))),
  )
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const value of x.values) [low, high] = [Math.min(low, value), Math.max(high, value)]
  if (!Number.isFinite(low)) [low, high] = [0, 1]
  const ends = curves.some(({ end }) => end !== undefined)
  const plot = Plot.plot({
    width,
    height,
    marginLeft: 54,
    marginRight: ends ? 26 : 14,
    marginBottom: MARGIN_BOTTOM,
    marginTop: 22,
    style: { background: 'none', color: theme.ink, fontFamily: 'system-ui, sans-serif', fontSize: '12px', overflow: 'visible' },
    x: {
      label: x.label,
      domain: low === high ? [low - 1, high + 1] : [low, high],
      ...(x.whole && { ticks: wholeTicks(low, high, width / 50), tickFormat: (value: number) => String(value) }),
    },
    y: {
      label: y.label,
      type: log ? 'log' : 'linear',
      grid: true,
      nice: !log,
      ticks: log ? logTicks(all.map(({ y: value }) => value as number)) : 6,
      tickFormat: (value: number) => num(value),
      ...(all.length === 0 && { domain: [0, 1] }),
    },
    marks: [
      ...(smoothing > 0
        ? raw.map((line, i) => Plot.lineY(line, { x: 'x', y: 'y', stroke: curves[i].color, strokeOpacity: 0.28, strokeWidth: 1 }))
        : []),
      ...lines.map((line, i) =>
        Plot.lineY(line, { x: 'x', y: 'y', stroke: curves[i].color, strokeWidth: 2, strokeDasharray: curves[i].dash || undefined }),
      ),
      Plot.dot(lonely, { x: 'x', y: 'y', r: 2.5, fill: (point: Point) => point.curve.color }),
      ...(ends
        ? [
            Plot.text(
              lines.flatMap((line) => line.filter(({ y: value }) => value !== null).slice(-1)),
              {
                x: 'x',
                y: 'y',
                text: (point: Point) => point.curve.end ?? '',
                dx: 6,
                textAnchor: 'start',
                fontWeight: 600,
                className: 'ends',
                fill: 'currentColor',
                stroke: theme.card, // another curve may pass behind it
                strokeWidth: 4,
              },
            ),
          ]
        : []),
      Plot.tip(
        all,
        Plot.pointer({
          x: 'x',
          y: 'y',
          title: ({ x: at, y: value, curve }: Point) => `${short(curve.name, 40)}\n${x.label} ${num(at)}: ${num(value)}`,
          stroke: theme.line,
        }),
      ),
    ],
  }) as SVGSVGElement
  if (ends) spreadEnds(plot, height - MARGIN_BOTTOM)
  return plot
}

/** Pixels between two names at the ends of curves. */
const LINE = 13

/** Moves names at the ends of curves apart where curves end at the same place; none goes below the axis, where its numbers are. */
function spreadEnds(plot: SVGSVGElement, lowest: number): void {
  const ends = Array.from(plot.querySelectorAll<SVGTextElement>('g.ends text'), (element) => {
    const [x, y] = (/translate\(([^)]+)\)/.exec(element.getAttribute('transform') ?? '')?.[1] ?? '0,0').split(',').map(Number)
    return { element, x, y }
  }).sort((a, b) => a.y - b.y)
  for (const [i, end] of ends.entries())
    for (const above of ends.slice(0, i)) if (Math.abs(above.x - end.x) < LINE && end.y < above.y + LINE) end.y = above.y + LINE
  for (const [i, end] of Array.from(ends.entries()).reverse()) {
    end.y = Math.min(end.y, lowest)
    for (const below of ends.slice(i + 1)) if (Math.abs(below.x - end.x) < LINE && end.y > below.y - LINE) end.y = below.y - LINE
    end.element.setAttribute('transform', `translate(${end.x},${end.y})`)
  }
}

export const legendFor = (curves: readonly Curve[]): LegendItem[] =>
  curves.map(({ name, color, dash, end }) => ({ name: end === undefined ? name : `${end}: ${name}`, color, dash }))
