/** A row's chart: how many times as fast as our own figure in the record, on one axis, with ranges. */
import { asPicture } from '../shared/picture.js'
import type { Recorded } from './record.js'

/** A line of the chart. */
export interface Mark extends Pick<Recorded, 'who' | 'median' | 'least' | 'most'> {
  kind: 'record' | 'you' | 'before'
  /** Undisturbed. */
  calm: boolean
}

export async function drawRow(marks: readonly Mark[], title: string, width: number): Promise<Element> {
  const Plot = await import('@observablehq/plot')
  const colour = ({ kind }: Mark): string => ({ record: 'var(--muted)', you: 'var(--series-2)', before: 'var(--series-1)' })[kind]
  const narrow = width < 480
  const [least, most] = [Math.min(0.5, ...marks.map((each) => each.least)) * 0.9, Math.max(2, ...marks.map((each) => each.most)) * 1.1]
  return asPicture(
    Plot.plot({
      width,
      height: 58 + 26 * marks.length,
      marginLeft: narrow ? 10 : 190,
      marginTop: 12,
      marginBottom: 42,
      marginRight: 16,
      style: { background: 'none', color: 'var(--ink)', fontSize: '12px', overflow: 'visible' },
      x: {
        type: 'log',
        label: 'times as fast as Cotangent in Node 20, one thread →',
        domain: [least, most],
        ticks: 4,
        tickFormat: (x: number) => String(Number(x.toPrecision(2))),
        grid: true,
      },
      y: { domain: marks.map(({ who }) => who), label: null, axis: narrow ? null : 'left', tickSize: 0 },
      ariaLabel: title,
      ariaDescription: `${marks.map(({ who, median }) => `${who}: ${median.toPrecision(3)} times as fast`).join('. ')}.`,
      marks: [
        Plot.ruleX([1], { stroke: 'var(--line)' }),
        Plot.ruleY(marks, { y: 'who', x1: 'least', x2: 'most', stroke: colour, strokeWidth: 3, strokeOpacity: 0.45 }),
        Plot.dot(marks, {
          y: 'who',
          x: 'median',
          r: ({ kind }: Mark) => (kind === 'record' ? 4 : 6),
          fill: ({ calm, ...mark }: Mark) => (calm ? colour({ calm, ...mark }) : 'var(--card)'),
          stroke: colour,
          strokeWidth: 2,
        }),
        ...(narrow
          ? [
              Plot.text(marks, {
                y: 'who',
                x: () => least,
                text: 'who',
                dy: -10,
                textAnchor: 'start',
                fill: 'var(--ink)',
                stroke: 'var(--card)',
                strokeWidth: 4,
              }),
            ]
          : []),
      ],
    }),
  )
}
