/** The picture of the comparison: accuracy and time by the number of images, for both ways of training. */

import { thousands } from '../lib/experiment.js'
import type { Images } from '../lib/images.js'
import { type Charts, charts, gridY } from '../lib/plot.js'
import { legendItem, middle, picture, svgPage, text } from '../lib/svg.js'
import type { Compared, Trained } from './transfer.js'

const SIDE = 28
const TILE = 40
const colours = { nothing: 'var(--wrong)', frozen: 'var(--curve)' } as const

/** The first image of each digit, side by side from `left` on. */
function row({ x, y }: Images, left: number): string[] {
  return Array.from({ length: 5 }, (_, digit) => {
    const at = y.data.indexOf(digit)
    const pixels = Uint8Array.from(x.data.subarray(at * SIDE * SIDE, (at + 1) * SIDE * SIDE), (value) => Math.round(255 * value))
    return picture([left + digit * (TILE + 4), 48], TILE, pixels)
  })
}

interface Measured {
  /** The value of a training. */
  of(trained: Trained): number
  domain: readonly [number, number]
  ticks: readonly number[]
  show(value: number): string
}

/** The values of both ways by the number of images, from `left` on. */
function values(drawing: Charts, left: number, compared: readonly Compared[], { of, domain, ticks, show }: Measured): string {
  const { Plot, chart } = drawing
  // On the library's own logarithmic axis only powers of ten have their number.
  const x = ({ each }: Compared): number => Math.log10(each)
  const ways = { nothing: (row: Compared) => of(row.fromNothing), frozen: (row: Compared) => of(row.frozen) }
  return chart([left - 52, 144], {
    width: 420,
    height: 226,
    margin: 0,
    marginLeft: 52,
    marginRight: 18,
    marginBottom: 30,
    x: { domain: [x(compared[0]) - 0.1, x(compared[compared.length - 1]) + 0.1] },
    y: { domain },
    marks: [
      ...gridY(drawing, { ticks, tickFormat: show }),
      Plot.axisX({
        label: null,
        tickSize: 0,
        tickPadding: 8,
        ticks: compared.map(x),
        tickFormat: (_: number, i: number) => thousands(compared[i].each),
      }),
      ...(['nothing', 'frozen'] as const).flatMap((way) => [
        Plot.lineY(compared, { x, y: ways[way], stroke: colours[way], strokeWidth: 2 }),
        Plot.dot(compared, { x, y: ways[way], fill: colours[way], r: 3.5 }),
      ]),
    ],
  })
}

/** The picture as an SVG document. */
export async function transferSvg(
  compared: readonly Compared[],
  { low, high, seed }: { low: Images; high: Images; seed: number },
): Promise<string> {
  const drawing = await charts()
  const worst = Math.min(...compared.flatMap(({ frozen, fromNothing }) => [frozen.accuracy, fromNothing.accuracy]))
  const least = Math.min(0.95, Math.floor(20 * worst) / 20)
  const longest = Math.max(...compared.flatMap(({ frozen, fromNothing }) => [frozen.seconds, fromNothing.seconds]))
  const unit = 10 ** Math.floor(Math.log10(longest))
  const most = Math.ceil(longest / unit) * unit
  const steps = (from: number, to: number, count: number): number[] =>
    Array.from({ length: count + 1 }, (_, i) => from + ((to - from) * i) / count)
  const title = 'Convolutions that learned on 0 to 4 serve 5 to 9'
  const body = [
    text(52, 28, title, ' class="title"'),
    ...row(low, 52),
    text(314, 73, '→ frozen →', middle),
    ...row(high, 360),
    legendItem(602, 60, 'convolutions of 0 to 4, frozen', `stroke="${colours.frozen}"`),
    legendItem(602, 82, 'all learned from nothing', `stroke="${colours.nothing}"`),
    text(52, 128, `accuracy on the ${thousands(high.y.shape[0])} test digits`),
    values(drawing, 52, compared, {
      of: ({ accuracy }) => accuracy,
      domain: [least, 1],
      ticks: steps(least, 1, Math.round((1 - least) / 0.05)),
      show: (value) => `${Math.round(100 * value)} %`,
    }),
    text(236, 384, 'training images of each digit', middle),
    text(486, 128, 'seconds of processor time for training'),
    values(drawing, 486, compared, {
      of: ({ seconds }) => seconds,
      domain: [0, most],
      ticks: steps(0, most, 4),
      show: (value) => String(Math.round(10 * value) / 10),
    }),
    text(661, 384, `training images of each digit; seed ${seed}`, middle),
  ]
  return svgPage([860, 400], title, body)
}
