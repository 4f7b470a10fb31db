/** The picture of the comparison: accuracy and time by the number of images, for both ways of training. */

import type { Images } from '../lib/images.js'
import { type Axis, lineChart, middle, picture, svgPage, text } from '../lib/svg.js'
import type { Compared, Trained } from './transfer.js'

const SIDE = 28
const TILE = 40
const rules = `
.nothing { stroke: var(--wrong) }
.frozen { stroke: var(--curve) }
.dot.nothing { fill: var(--wrong) }
.dot.frozen { fill: var(--curve) }`

/** The first image of each digit, side by side from `left` on. */
function row({ x, y }: Images, left: number): string[] {
  return Array.from({ length: 5 }, (_, digit) => {
    const at = y.data.indexOf(digit)
    const pixels = Uint8Array.from(x.data.subarray(at * SIDE * SIDE, (at + 1) * SIDE * SIDE), (value) => Math.round(255 * value))
    return picture([left + digit * (TILE + 4), 48], TILE, pixels)
  })
}

/** The picture as an SVG document. */
export function transferSvg(compared: readonly Compared[], { low, high, seed }: { low: Images; high: Images; seed: number }): string {
  const last = compared.length - 1
  const x: Axis = {
    from: Math.log10(compared[0].each) - 0.1,
    to: Math.log10(compared[last].each) + 0.1,
    ticks: compared.map(({ each }) => Math.log10(each)),
    show: (value) => Math.round(10 ** value).toLocaleString('en-US'),
  }
  const line = (kind: 'frozen' | 'nothing', value: (trained: Trained) => number) => ({
    kind,
    dots: true,
    points: compared.map(({ each, frozen, fromNothing }) => [Math.log10(each), value(kind === 'frozen' ? frozen : fromNothing)] as const),
  })
  const both = (value: (trained: Trained) => number) => [line('nothing', value), line('frozen', value)]
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
    text(632, 60, 'convolutions of 0 to 4, frozen'),
    text(632, 82, 'all learned from nothing'),
    `<line class="curve frozen" x1="602" x2="624" y1="56" y2="56"/>`,
    `<line class="curve nothing" x1="602" x2="624" y1="78" y2="78"/>`,
    text(52, 128, 'accuracy on the 4,861 test digits'.replace('4,861', high.y.shape[0].toLocaleString('en-US'))),
    ...lineChart({
      box: { left: 52, right: 420, top: 144, bottom: 340 },
      x,
      y: { from: least, to: 1, ticks: steps(least, 1, Math.round((1 - least) / 0.05)), show: (value) => `${Math.round(100 * value)} %` },
      lines: both(({ accuracy }) => accuracy),
    }),
    text(236, 384, 'training images of each digit', middle),
    text(486, 128, 'seconds of processor time for training'),
    ...lineChart({
      box: { left: 486, right: 836, top: 144, bottom: 340 },
      x,
      y: { from: 0, to: most, ticks: steps(0, most, 4), show: (value) => String(Math.round(10 * value) / 10) },
      lines: both(({ seconds }) => seconds),
    }),
    text(661, 384, `training images of each digit; seed ${seed}`, middle),
  ]
  return svgPage([860, 400], title, body, rules)
}
