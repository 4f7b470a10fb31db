/** The picture: clothes as training sees them, and the accuracies of both trainings by epoch. */
import { charts, gridY } from '../lib/plot.js'
import { legendItem, picture, svgPage, text } from '../lib/svg.js'
import type { AugmentResult, Curves } from './augment.js'

const SIDE = 28
const TILE = 40
const STEP = TILE + 4
const chart = { left: 440, right: 740, top: 64, bottom: 252 }
const colours = { plain: 'var(--wrong)', changed: 'var(--curve)' } as const
const TRAINING = '5 4'

interface Drawn {
  original: Float32Array
  /** Some pictures one behind the other. */
  seen: Float32Array
}

const bytes = (values: Float32Array): Uint8Array => Uint8Array.from(values, (value) => Math.round(255 * Math.min(1, Math.max(0, value))))

/** The picture as an SVG document. */
export async function augmentSvg(
  { plain, changed }: Pick<AugmentResult, 'plain' | 'changed'>,
  drawn: readonly Drawn[],
  seed: number,
): Promise<string> {
  const drawing = await charts()
  const { Plot } = drawing
  const size = SIDE * SIDE
  const tiles = drawn.flatMap(({ original, seen }, row) => {
    const y = chart.top + row * STEP
    const changes = Array.from({ length: seen.length / size }, (_, i) =>
      picture([24 + 12 + (i + 1) * STEP, y], TILE, bytes(seen.subarray(i * size, (i + 1) * size))),
    )
    return [picture([24, y], TILE, bytes(original)), ...changes]
  })
  const epochs = plain.training.length
  const least = 0.7
  const line = (values: readonly number[], stroke: string, strokeDasharray?: string) =>
    Plot.lineY(
      values.map((accuracy, i) => ({ epoch: i + 1, accuracy })).filter(({ accuracy }) => accuracy >= least),
      { x: 'epoch', y: 'accuracy', stroke, strokeWidth: 2, strokeDasharray },
    )
  const lines = ({ training, watched }: Curves, stroke: string) => [line(training, stroke, TRAINING), line(watched, stroke)]
  const key = (y: number, stroke: string) => [
    legendItem(chart.right + 16, y, 'training', `stroke="${stroke}" stroke-dasharray="${TRAINING}"`),
    legendItem(chart.right + 16, y + 20, 'others', `stroke="${stroke}"`),
  ]
  const percent = (value: number): string => `${(100 * value).toFixed(1)} %`
  const title = `2,000 clothes, ${epochs} epochs. Test: ${percent(plain.test)} as they are, ${percent(changed.test)} changed`
  const body = [
    text(24, 28, title, ' class="title"'),
    text(24, 54, 'a picture, and as six epochs see it'),
    ...tiles,
    text(chart.left, 54, 'accuracy by epoch'),
    drawing.chart([chart.left - 48, chart.top], {
      width: chart.right - chart.left + 48,
      height: chart.bottom - chart.top,
      margin: 0,
      marginLeft: 48,
      x: { domain: [1, epochs] },
      y: { domain: [least, 1] },
      marks: [
        ...gridY(drawing, { ticks: [0.7, 0.8, 0.9, 1], tickFormat: (value: number) => `${Math.round(100 * value)} %` }),
        Plot.axisX({
          label: null,
          tickSize: 0,
          tickPadding: 8,
          ticks: [...new Set([1, ...[1, 2, 3, 4].map((part) => Math.ceil((epochs * part) / 4))])],
          tickFormat: String,
        }),
        ...lines(plain, colours.plain),
        ...lines(changed, colours.changed),
      ],
    }),
    text(chart.right + 16, 84, 'as they are'),
    ...key(106, colours.plain),
    text(chart.right + 16, 164, 'changed'),
    ...key(186, colours.changed),
    text(chart.right + 16, chart.bottom + 20, `seed ${seed}`),
  ]
  return svgPage([880, 290], title, body)
}
