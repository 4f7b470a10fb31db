/** A picture of results beside a document's: for each experiment a line with the document's figure, its band, and our seeds. Each line has a scale of its own. */
import { largeText, middle, svgPage, text } from '../lib/svg.js'
import { type Planned, planned } from './plan.js'
import type { Result, Results } from './results.js'
import { figure, verdictOf } from './tables.js'

const [LEFT, WIDTH, ROW, TOP] = [200, 400, 52, 64]
/** Figures nearer to the document's would be written over it. */
const NEAR = 80
const rules = `${largeText}
.band { fill: var(--line) }
.document { stroke: var(--ink); stroke-width: 3 }
.seed { fill: var(--curve); fill-opacity: 0.75 }
.end { font-size: 13px }`

/** The experiments that can be drawn: with a figure of the document, and results on its data. */
const drawable = (document: string, results: Results): { plan: Planned; value: number; found: readonly Result[] }[] =>
  planned.flatMap((plan) => {
    const { reported } = plan
    const found = results.get(plan.id) ?? []
    const comparable = plan.document === document && found.length > 0 && verdictOf(plan, found).says !== 'other data'
    return comparable && reported?.value !== undefined ? [{ plan, value: reported.value, found }] : []
  })

/** @returns undefined if there is nothing to draw */
export function bandSvg(document: string, results: Results): string | undefined {
  const rows = drawable(document, results)
  if (rows.length === 0) return undefined
  const body = rows.flatMap(({ plan, value, found }, i) => {
    const seeds = found.map(({ result }) => result.value)
    const range = Math.max(...seeds) - Math.min(...seeds)
    const [least, most] = [Math.min(...seeds, value - range), Math.max(...seeds, value + range)]
    const spread = most - least || 1
    const at = (x: number): string => (LEFT + WIDTH * (0.1 + (0.8 * (x - least)) / spread)).toFixed(1)
    const y = TOP + i * ROW
    const end = (x: number, place: number, attributes: string): string[] =>
      Math.abs(Number(at(value)) - place) < NEAR ? [] : [text(place, y + 28, show(x), ` class="end"${attributes}`)]
    const show = (x: number): string => figure(plan.reported?.metric ?? '', x)
    return [
      text(0, y + 5, plan.id, ' class="end"'),
      `<rect class="band" x="${at(value - range)}" y="${y - 10}" width="${(Number(at(value + range)) - Number(at(value - range))).toFixed(1)}" height="20" rx="3"/>`,
      `<line class="document" x1="${at(value)}" x2="${at(value)}" y1="${y - 14}" y2="${y + 14}"/>`,
      ...seeds.map((seed) => `<circle class="seed" cx="${at(seed)}" cy="${y}" r="6"/>`),
      ...end(least, LEFT, ''),
      ...end(most, LEFT + WIDTH, ' text-anchor="end"'),
      text(Number(at(value)), y + 28, show(value), `${middle} class="end"`),
    ]
  })
  const legend = [
    `<line class="document" x1="${LEFT}" x2="${LEFT}" y1="8" y2="28"/>`,
    text(LEFT + 10, 24, 'the document', ' class="end"'),
    `<rect class="band" x="${LEFT + 116}" y="10" width="26" height="16" rx="3"/>`,
    text(LEFT + 148, 24, 'its band', ' class="end"'),
    `<circle class="seed" cx="${LEFT + 226}" cy="18" r="6"/>`,
    text(LEFT + 240, 24, 'our seeds', ' class="end"'),
  ]
  return svgPage([LEFT + WIDTH + 4, TOP + rows.length * ROW], `Results of document ${document} beside ours`, [...legend, ...body], rules)
}
