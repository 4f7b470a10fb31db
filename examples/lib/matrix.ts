/** A confusion matrix as a picture: counts on cells that are the stronger in colour the more there are. */
import { thousands } from './experiment.js'
import { charts } from './plot.js'
import { largeText, svgPage, text } from './svg.js'

const [CELL, LEFT, TOP] = [56, 74, 60]
const margins = { marginLeft: LEFT, marginRight: 2, marginTop: 2, marginBottom: 58 }
/** The strongest colour of a cell: its number is easy to read on it, on light and on dark pages. */
const MOST = 0.6
const rules = `${largeText}
.counts text { fill: var(--ink) }`

interface Cell {
  truth: number
  predicted: number
  count: number
  /** How much of its colour it has. */
  share: number
}

/**
 * The matrix as an SVG document. Right readings and mistakes have a colour each. That of mistakes is measured by the most frequent one: beside thousands that are right nobody would see them.
 *
 * @param counts row t, column p: the number of samples of class t that were read as p
 * @param title above the matrix
 */
export async function confusionSvg(
  { labels, counts }: { labels: readonly string[]; counts: readonly (readonly number[])[] },
  title: string,
): Promise<string> {
  const { Plot, chart } = await charts()
  const most = Math.max(1, ...counts.flatMap((row, t) => row.filter((_, p) => p !== t)))
  const cells = counts.flatMap((row, truth) => {
    const sum = row.reduce((a, b) => a + b, 0)
    return row.map((count, predicted): Cell => {
      const share = truth === predicted ? count / Math.max(1, sum) : Math.sqrt(count / most)
      return { truth, predicted, count, share: MOST * share }
    })
  })
  const there = cells.filter(({ count }) => count > 0)
  const size = labels.length * CELL
  const axis = { tickSize: 0, tickPadding: 8, tickFormat: (i: number) => labels[i], labelAnchor: 'center', labelArrow: 'none' } as const
  const place = { x: 'predicted', y: 'truth' }
  const total = (some: readonly Cell[]): string => thousands(some.reduce((sum, { count }) => sum + count, 0))
  const isRight = ({ truth, predicted }: Cell): boolean => truth === predicted
  const body = [
    text(0, 18, title, ' class="title"'),
    text(0, 44, `${total(cells.filter(isRight))} of ${total(cells)} are read right`),
    chart([0, TOP], {
      ...margins,
      width: LEFT + size + margins.marginRight,
      height: margins.marginTop + size + margins.marginBottom,
      x: { type: 'band', domain: [...labels.keys()], padding: 0, round: false },
      y: { type: 'band', domain: [...labels.keys()], padding: 0, round: false },
      opacity: { type: 'identity' },
      marks: [
        Plot.axisX({ ...axis, label: 'read as', labelOffset: 52 }),
        Plot.axisY({ ...axis, label: 'is', labelOffset: 56 }),
        Plot.cell(cells, { ...place, fill: 'var(--line)', fillOpacity: 0.25, inset: 1 }),
        ...[true, false].map((right) =>
          Plot.cell(
            there.filter((cell) => isRight(cell) === right),
            { ...place, fill: right ? 'var(--right)' : 'var(--wrong)', fillOpacity: 'share', inset: 1 },
          ),
        ),
        Plot.text(there, { ...place, text: ({ count }: Cell) => thousands(count), className: 'counts' }),
      ],
    }),
  ]
  return svgPage([LEFT + size, TOP + size + margins.marginTop + margins.marginBottom], title, body, rules)
}
