/** A picture of results beside a document's: for each experiment a line with the document's figure, its band, and our seeds. Each line has a scale of its own. */
import { charts } from '../lib/plot.js'
import { svgPage } from '../lib/svg.js'
import { type Planned, planned } from './plan.js'
import type { Result, Results } from './results.js'
import { figure, verdictOf } from './tables.js'

const [LEFT, WIDTH, ROW, TOP] = [200, 400, 52, 40]
/** Figures nearer to the document's would be written over it. */
const NEAR = 80
/** How a seed, the document's figure and its band look, in the legend and in the rows. */
const seed = { fill: 'var(--curve)', fillOpacity: 0.75, r: 6 } as const
const line = { stroke: 'var(--ink)', strokeWidth: 3 } as const
const band = { fill: 'var(--line)', rx: 3 } as const

/** The experiments that can be drawn: with a figure of the document, and results on its data. */
const drawable = (document: string, results: Results): { plan: Planned; value: number; found: readonly Result[] }[] =>
  planned.flatMap((plan) => {
    const { reported } = plan
    const found = results.get(plan.id) ?? []
    const comparable = plan.document === document && found.length > 0 && verdictOf(plan, found).says !== 'other data'
    return comparable && reported?.value !== undefined ? [{ plan, value: reported.value, found }] : []
  })

/** Whether there is something to draw. */
export const hasBand = (document: string, results: Results): boolean => drawable(document, results).length > 0

/** A thing at a place of a row, both ends of a band, or words. */
interface Place {
  y: string
  x: number
  to?: number
  words?: string
}

/** @returns undefined if there is nothing to draw */
export async function bandSvg(document: string, results: Results): Promise<string | undefined> {
  const found = drawable(document, results)
  if (found.length === 0) return undefined
  // Each row has a scale of its own, so a place in it is a share of the width.
  const rows = found.map(({ plan, value, found }) => {
    const y = plan.id
    const seeds = found.map(({ result }) => result.value)
    const range = Math.max(...seeds) - Math.min(...seeds)
    const [least, most] = [Math.min(...seeds, value - range), Math.max(...seeds, value + range)]
    const at = (x: number): number => 0.1 + (0.8 * (x - least)) / (most - least || 1)
    const show = (x: number): string => figure(plan.reported?.metric ?? '', x)
    const isFree = ({ x }: Place): boolean => WIDTH * Math.abs(at(value) - x) >= NEAR
    return {
      band: { y, x: at(value - range), to: at(value + range) },
      value: { y, x: at(value), words: show(value) },
      seeds: seeds.map((each): Place => ({ y, x: at(each) })),
      first: [{ y, x: 0, words: show(least) }].filter(isFree),
      last: [{ y, x: 1, words: show(most) }].filter(isFree),
    }
  })
  const { Plot, chart } = await charts()
  const words = { x: 'x', y: 'y', text: 'words', dy: 25 } as const
  const height = rows.length * ROW
  const chartOfRows = chart([0, TOP], {
    width: LEFT + WIDTH,
    height,
    margin: 0,
    marginLeft: LEFT,
    x: { domain: [0, 1], axis: null },
    y: { type: 'band', domain: rows.map(({ value }) => value.y), padding: 0, round: false },
    marks: [
      Plot.axisY({ label: null, tickSize: 0, textAnchor: 'start', tickPadding: LEFT }),
      Plot.barX(
        rows.map((row) => row.band),
        { x1: 'x', x2: 'to', y: 'y', insetTop: 16, insetBottom: 16, ...band },
      ),
      Plot.tickX(
        rows.map(({ value }) => value),
        { x: 'x', y: 'y', insetTop: 12, insetBottom: 12, ...line },
      ),
      Plot.dot(
        rows.flatMap(({ seeds }) => seeds),
        { x: 'x', y: 'y', ...seed },
      ),
      Plot.text(
        rows.map(({ value }) => value),
        words,
      ),
      Plot.text(
        rows.flatMap(({ first }) => first),
        { ...words, textAnchor: 'start' },
      ),
      Plot.text(
        rows.flatMap(({ last }) => last),
        { ...words, textAnchor: 'end' },
      ),
    ],
  })
  // The legend is a row, too.
  const legend = [
    { x: 0, words: 'the document' },
    { x: 116, to: 142, words: 'its band' },
    { x: 226, words: 'our seeds' },
  ]
  const chartOfLegend = chart([LEFT, 0], {
    width: WIDTH,
    height: 36,
    margin: 0,
    x: { domain: [0, WIDTH], axis: null },
    y: { axis: null },
    marks: [
      Plot.tickX(legend.slice(0, 1), { x: 'x', insetTop: 8, insetBottom: 8, ...line }),
      Plot.barX(legend.slice(1, 2), { x1: 'x', x2: 'to', insetTop: 10, insetBottom: 10, ...band }),
      Plot.dot(legend.slice(2), { x: 'x', ...seed }),
      Plot.text(legend, { x: ({ x, to = x }) => to, text: 'words', dx: 12, textAnchor: 'start' }),
    ],
  })
  return svgPage([LEFT + WIDTH, TOP + height], `Results of document ${document} beside ours`, [chartOfLegend, chartOfRows])
}
