/** The picture: clothes as training sees them, and the accuracies of both trainings by epoch. */
import { lineChart, picture, svgPage, text } from '../lib/svg.js'
import type { AugmentResult, Curves } from './augment.js'

const SIDE = 28
const TILE = 40
const STEP = TILE + 4
const chart = { left: 440, right: 740, top: 64, bottom: 252 }
const rules = `
.plain { stroke: var(--wrong) }
.changed { stroke: var(--curve) }
.training { stroke-dasharray: 5 4 }`

interface Drawn {
  original: Float32Array
  /** Some pictures one behind the other. */
  seen: Float32Array
}

const bytes = (values: Float32Array): Uint8Array => Uint8Array.from(values, (value) => Math.round(255 * Math.min(1, Math.max(0, value))))

/** The picture as an SVG document. */
export function augmentSvg({ plain, changed }: Pick<AugmentResult, 'plain' | 'changed'>, drawn: readonly Drawn[], seed: number): string {
  const size = SIDE * SIDE
  const tiles = drawn.flatMap(({ original, seen }, row) => {
    const y = chart.top + row * STEP
    const changes = Array.from({ length: seen.length / size }, (_, i) =>
      picture([24 + 12 + (i + 1) * STEP, y], TILE, bytes(seen.subarray(i * size, (i + 1) * size))),
    )
    return [picture([24, y], TILE, bytes(original)), ...changes]
  })
  const epochs = plain.training.length
  const points = (values: readonly number[]) => values.map((value, i) => [i + 1, value] as const)
  const lines = (kind: string, { training, watched }: Curves) => [
    { kind: `${kind} training`, points: points(training) },
    { kind, points: points(watched) },
  ]
  const least = 0.7
  const key = (y: number, kind: string, words: string) => [
    `<line class="curve ${kind}" x1="${chart.right + 16}" x2="${chart.right + 38}" y1="${y - 4}" y2="${y - 4}"/>`,
    text(chart.right + 46, y, words),
  ]
  const percent = (value: number): string => `${(100 * value).toFixed(1)} %`
  const title = `2,000 clothes, ${epochs} epochs. Test: ${percent(plain.test)} as they are, ${percent(changed.test)} changed`
  const body = [
    text(24, 28, title, ' class="title"'),
    text(24, 54, 'a picture, and as six epochs see it'),
    ...tiles,
    text(chart.left, 54, 'accuracy by epoch'),
    ...lineChart({
      box: chart,
      x: { from: 1, to: epochs, ticks: [...new Set([1, ...[1, 2, 3, 4].map((part) => Math.ceil((epochs * part) / 4))])], show: String },
      y: { from: least, to: 1, ticks: [0.7, 0.8, 0.9, 1], show: (value) => `${Math.round(100 * value)} %` },
      lines: [...lines('plain', plain), ...lines('changed', changed)].map(({ kind, points }) => ({
        kind,
        points: points.filter(([, value]) => value >= least),
      })),
    }),
    text(chart.right + 16, 84, 'as they are'),
    ...key(106, 'plain training', 'training'),
    ...key(126, 'plain', 'others'),
    text(chart.right + 16, 164, 'changed'),
    ...key(186, 'changed training', 'training'),
    ...key(206, 'changed', 'others'),
    text(chart.right + 16, chart.bottom + 20, `seed ${seed}`),
  ]
  return svgPage([880, 290], title, body, rules)
}
