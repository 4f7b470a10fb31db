/**
 * The picture of the README, as one SVG: a learning curve, and digits with what the network reads in them.
 *
 * Digits are grey PNGs on tiles of their own.
 */
import type { NDArray } from '@cotangent/datasets'
import { type Charts, charts, gridY } from './plot.js'
import { middle, picture, svgPage, text } from './svg.js'

/** A test image, the digit it shows and the digit the network read. */
export interface Reading {
  /** Its row in the images. */
  readonly index: number
  readonly truth: number
  readonly predicted: number
}

export interface Learned {
  readonly title: string
  /** The loss of each training batch, in order. */
  readonly losses: readonly number[]
  readonly batchesPerEpoch: number
  /** Shape [samples, 28, 28]; ink is 255. */
  readonly images: NDArray<Uint8Array>
  /** Two rows of five. */
  readonly first: readonly Reading[]
  /** One row of five. */
  readonly mistakes: readonly Reading[]
}

const SIDE = 28
/** A point of the curve is the mean loss of this many batches: a single batch's loss jumps too much to show the trend. */
const BATCHES_PER_POINT = 16
const [WIDTH, HEIGHT] = [860, 326]
const plot = { left: 52, right: 420, top: 64, bottom: 286 }
const digits = { left: 486, top: 64, tile: 56, step: 74 }

/** The means of consecutive groups of `size` values; the last group may be shorter. */
export function groupMeans(values: readonly number[], size: number): number[] {
  return Array.from({ length: Math.ceil(values.length / size) }, (_, g) => {
    const group = values.slice(g * size, (g + 1) * size)
    return group.reduce((sum, value) => sum + value, 0) / group.length
  })
}

function curve(drawing: Charts, { losses, batchesPerEpoch }: Learned): string {
  const { Plot, chart } = drawing
  const points = groupMeans(losses, BATCHES_PER_POINT).map((loss, g) => ({
    batch: Math.min(losses.length, (g + 0.5) * BATCHES_PER_POINT),
    loss,
  }))
  const top = Math.max(0.5, Math.ceil(2 * Math.max(...points.map(({ loss }) => loss))) / 2)
  const epochs = Math.round(losses.length / batchesPerEpoch)
  const ends = Array.from({ length: epochs - 1 }, (_, i) => (i + 1) * batchesPerEpoch)
  return chart([0, plot.top], {
    width: plot.right,
    height: plot.bottom - plot.top,
    margin: 0,
    marginLeft: plot.left,
    x: { domain: [0, losses.length] },
    y: { domain: [0, top] },
    marks: [
      ...gridY(drawing, { ticks: Array.from({ length: 2 * top + 1 }, (_, i) => i / 2), tickFormat: (loss: number) => loss.toFixed(1) }),
      Plot.ruleX(ends, { stroke: 'var(--line)', strokeDasharray: '2 4' }),
      Plot.axisX({
        label: null,
        tickSize: 0,
        tickPadding: 8,
        ticks: Array.from({ length: epochs }, (_, i) => (i + 0.5) * batchesPerEpoch),
        tickFormat: (_: number, i: number) => `epoch ${i + 1}`,
      }),
      Plot.lineY(points, { x: 'batch', y: 'loss', stroke: 'var(--curve)', strokeWidth: 2 }),
    ],
  })
}

function digit({ data }: NDArray<Uint8Array>, { index, truth, predicted }: Reading, column: number, row: number): string[] {
  const [x, y] = [digits.left + column * digits.step, digits.top + row * (digits.step + 12)]
  const right = truth === predicted
  const words = right ? `✓ ${predicted}` : `✗ ${predicted}, is ${truth}`
  return [
    picture([x, y], digits.tile, data.subarray(index * SIDE * SIDE, (index + 1) * SIDE * SIDE)),
    text(x + digits.tile / 2, y + digits.tile + 16, words, `${middle} class="${right ? 'right' : 'wrong'}"`),
  ]
}

/** The picture as an SVG document. */
export async function learnedSvg(learned: Learned): Promise<string> {
  const drawing = await charts()
  const { images, first, mistakes, title } = learned
  const tiles = [...first.slice(0, 10), ...mistakes.slice(0, 5)]
  const body = [
    text(plot.left, 24, title, ' class="title"'),
    text(plot.left, 48, `training loss, mean of ${BATCHES_PER_POINT} batches`),
    curve(drawing, learned),
    text(digits.left, 48, 'first test digits; below, the mistakes it is surest of'),
    ...tiles.flatMap((reading, i) => digit(images, reading, i % 5, i < 10 ? Math.floor(i / 5) : 2)),
  ]
  return svgPage([WIDTH, HEIGHT], title, body)
}
