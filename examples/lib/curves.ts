/**
 * The plots that the documents draw after training: accuracy (if it was measured) and loss by epoch, side by side in one SVG.
 *
 * The colours are those of the documents' plots, lighter where the page is dark; the test curve is also dashed, so that it can be told without colours.
 */
import type { History } from '@cotangent/layers'
import { type Charts, charts, gridY } from './plot.js'
import { legendItem, middle, svgPage, text } from './svg.js'

interface Point {
  epoch: number
  value: number
  series: 'train' | 'test'
}

/** With fewer epochs than this the curve has dots, since a line through one point shows nothing. */
const FEW_EPOCHS = 12
const TICKS = 10
const TICKS_Y = 6
const [WIDTH, HEIGHT, BETWEEN] = [372, 250, 24]
/** Above a chart: its title and the names of its curves. */
const HEAD = 52
/** Of the title: the height of a line, and the width of a letter. */
const [LINE, LETTER] = [19, 7.5]
const margins = { marginLeft: 62, marginRight: 12, marginTop: 10, marginBottom: 46 }
const rules = `
svg { --train: #1f77b4; --test: #ff7f0e }
@media (prefers-color-scheme: dark) { svg { --train: #58a6ff; --test: #ff9e4a } }`
const dashes = { train: undefined, test: '6 3' }
const each = ['train', 'test'] as const

/** The points of a value and of its `val_` twin; values that are not finite are left out. */
function points({ epoch, history }: Pick<History, 'epoch' | 'history'>, name: string): Point[] {
  const curve = (series: Point['series'], values: readonly number[] = []): Point[] =>
    values.map((value, i) => ({ epoch: epoch[i], value, series })).filter((point) => Number.isFinite(point.value))
  return [...curve('train', history[name]), ...curve('test', history[`val_${name}`])]
}

/** Whole epochs at equal distances, at most TICKS of them. */
function epochTicks(epoch: readonly number[]): number[] {
  const step = Math.ceil(epoch.length / TICKS)
  return epoch.filter((_, i) => i % step === 0)
}

/** Small and large numbers as 2.5e-5, which is short; for others the library knows how many digits tell the ticks apart. */
const numbersOf = (most: number): ((value: number) => string) | undefined =>
  most >= 0.01 && most < 1e5 ? undefined : (value) => (value === 0 ? '0' : Number(value.toPrecision(3)).toExponential())

/** A text in lines of at most so many letters. */
function lines(words: string, most: number): string[] {
  const found = ['']
  for (const word of words.split(' ')) {
    const line = `${found[found.length - 1]} ${word}`.trim()
    if (line.length <= most || found[found.length - 1] === '') found[found.length - 1] = line
    else found.push(word)
  }
  return found
}

function panel(
  drawing: Charts,
  [left, top]: readonly [number, number],
  label: string,
  values: readonly Point[],
  epoch: readonly number[],
): string[] {
  const { Plot, chart } = drawing
  const of = (series: Point['series']): Point[] => values.filter((point) => point.series === series)
  const shown = each.filter((series) => of(series).length > 0)
  const few = epoch.length < FEW_EPOCHS
  const [first = 0, last = 0] = [epoch[0], epoch[epoch.length - 1]]
  const center = left + (WIDTH + margins.marginLeft - margins.marginRight) / 2
  const measured = values.map(({ value }) => value)
  const [least, most] = measured.length > 0 ? [Math.min(...measured), Math.max(...measured)] : [0, 1]
  const around = Math.abs(least) / 10 || 1
  const place = { x: 'epoch', y: 'value' }
  const axis = { labelAnchor: 'center', labelArrow: 'none' } as const
  return [
    text(center, top + 16, `model ${label}`, `${middle} class="title"`),
    ...shown.map((series, i) => {
      const x = center - 74 * (shown.length / 2 - i)
      const dash = dashes[series] === undefined ? '' : ` stroke-dasharray="${dashes[series]}"`
      return legendItem(x, top + 40, series, `stroke="var(--${series})"${dash}`)
    }),
    chart([left, top + HEAD], {
      ...margins,
      width: WIDTH,
      height: HEIGHT,
      x: { domain: first === last ? [first - 1, last + 1] : [first, last] },
      y: { nice: TICKS_Y, domain: least < most ? [least, most] : [least - around, least + around] },
      marks: [
        ...gridY(drawing, {
          ...axis,
          label,
          labelOffset: margins.marginLeft - 4,
          ticks: TICKS_Y,
          tickFormat: numbersOf(Math.max(Math.abs(least), Math.abs(most))),
        }),
        Plot.axisX({ ...axis, label: 'epoch', ticks: epochTicks(epoch), tickFormat: String }),
        ...shown.map((series) =>
          Plot.lineY(of(series), { ...place, stroke: `var(--${series})`, strokeWidth: 2, strokeDasharray: dashes[series] }),
        ),
        ...(few ? shown.map((series) => Plot.dot(of(series), { ...place, fill: `var(--${series})`, r: 3.5 })) : []),
      ],
    }),
  ]
}

/**
 * The curves as an SVG document.
 *
 * @param title what was trained, above both plots
 */
export async function curvesSvg(history: Pick<History, 'epoch' | 'history'>, title: string): Promise<string> {
  const drawing = await charts()
  const accuracy = ['accuracy', 'acc'].find((name) => name in history.history)
  const panels = [...(accuracy ? [['accuracy', accuracy]] : []), ['loss', 'loss']]
  const width = panels.length * (WIDTH + BETWEEN) - BETWEEN
  const words = lines(title, width / LETTER)
  const top = words.length * LINE + 12
  const body = [
    ...words.map((line, i) => text(width / 2, 14 + i * LINE, line, middle)),
    ...panels.flatMap(([label, name], i) => panel(drawing, [i * (WIDTH + BETWEEN), top], label, points(history, name), history.epoch)),
  ]
  return svgPage([width, top + HEAD + HEIGHT], title, body, rules)
}
