/** Parts of pictures in SVG. Colours are CSS variables with a second set for dark pages. */
import type { NDArray } from '@cotangent/datasets'
import { greyPng } from './digit-grid.js'

const style = `
svg { --ink: #1f2328; --soft: #59636e; --line: #d1d9e0; --curve: #0969da; --right: #1a7f37; --wrong: #cf222e }
@media (prefers-color-scheme: dark) { svg { --ink: #f0f6fc; --soft: #9198a1; --line: #3d444d; --curve: #4493f8; --right: #3fb950; --wrong: #f85149 } }
text { font: 13px system-ui, sans-serif; fill: var(--soft) }
.title { font-size: 15px; font-weight: 600; fill: var(--ink) }
.grid { stroke: var(--line) }
.curve { fill: none; stroke: var(--curve); stroke-width: 2; stroke-linejoin: round }
.right { fill: var(--right); font-weight: 600 }
.wrong { fill: var(--wrong); font-weight: 600 }
image { image-rendering: pixelated }`

/** Letters that can be read on a phone, too, where a figure of 650 pixels is half as wide. */
export const largeText = '\ntext { font-size: 16px }\n.title { font-size: 18px }'

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

/** A line of words at a point of its base line. `attributes` begins with a space. */
export const text = (x: number, y: number, words: string, attributes = ''): string =>
  `<text x="${x}" y="${y}"${attributes}>${escaped(words)}</text>`

/** The attribute of a text whose middle is at its point. */
export const middle = ' text-anchor="middle"'
const right = ' text-anchor="end"'

/** The whole document. `rules` are more CSS. */
export function svgPage(size: readonly [width: number, height: number], title: string, body: readonly string[], rules = ''): string {
  const [width, height] = size
  const head = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`
  return [head, `<title>${escaped(title)}</title>`, `<style>${style}${rules}\n</style>`, ...body, '</svg>', ''].join('\n')
}

export interface Axis {
  readonly from: number
  readonly to: number
  readonly ticks: readonly number[]
  show(value: number): string
}

export interface Line {
  readonly points: readonly (readonly [x: number, y: number])[]
  /** The class of the line. */
  readonly kind: string
  /** Words beside the last point. */
  readonly label?: string
  /** How far the words are moved down. */
  readonly down?: number
  readonly dots?: boolean
}

export interface Chart {
  readonly box: { readonly left: number; readonly right: number; readonly top: number; readonly bottom: number }
  readonly x: Axis
  readonly y: Axis
  readonly lines: readonly Line[]
}

/** Lines in a box, with a grid at the ticks of y. */
export function lineChart({ box, x, y, lines }: Chart): string[] {
  const along = (value: number): number => box.left + ((box.right - box.left) * (value - x.from)) / (x.to - x.from)
  const up = (value: number): number => box.bottom - ((box.bottom - box.top) * (value - y.from)) / (y.to - y.from)
  const at = ([a, b]: readonly [number, number]): [string, string] => [along(a).toFixed(1), up(b).toFixed(1)]
  return [
    ...y.ticks.flatMap((value) => [
      `<line class="grid" x1="${box.left}" x2="${box.right}" y1="${up(value).toFixed(1)}" y2="${up(value).toFixed(1)}"/>`,
      text(box.left - 8, Math.round(up(value)) + 4, y.show(value), right),
    ]),
    ...x.ticks.map((value) => text(Math.round(along(value)), box.bottom + 20, x.show(value), middle)),
    ...lines.flatMap(({ points, kind, label, down = 0, dots }) => [
      `<polyline class="curve ${kind}" points="${points.map((point) => at(point).join()).join(' ')}"/>`,
      ...(dots ? points.map((point) => `<circle class="dot ${kind}" cx="${at(point)[0]}" cy="${at(point)[1]}" r="3.5"/>`) : []),
      ...(label === undefined
        ? []
        : [text(Math.round(along(points[points.length - 1][0])) + 9, Math.round(up(points[points.length - 1][1])) + 4 + down, label)]),
    ]),
  ]
}

/** A square image of grey bytes, row by row. */
export function picture([x, y]: readonly [number, number], shown: number, pixels: Uint8Array, side = 28): string {
  const png = greyPng(pixels, side, side).toString('base64')
  return `<image x="${x}" y="${y}" width="${shown}" height="${shown}" href="data:image/png;base64,${png}"/>`
}

/** Images side by side, `columns` in a row, each pixel `scale` wide. 16 greys are enough for the eye, and take half of the bytes that 256 would take. */
export function sheet(
  { data, shape }: NDArray<Uint8Array>,
  columns: number,
  { x, y, scale }: { x: number; y: number; scale: number },
): string {
  const [count, height, width] = shape
  const [wide, high] = [columns * width, Math.ceil(count / columns) * height]
  const pixels = new Uint8Array(wide * high)
  for (let i = 0; i < count; i++) {
    const at = Math.floor(i / columns) * height * wide + (i % columns) * width
    for (let row = 0; row < height; row++) {
      const from = (i * height + row) * width
      pixels.set(
        data.subarray(from, from + width).map((value) => Math.round(value / 17) * 17),
        at + row * wide,
      )
    }
  }
  const png = greyPng(pixels, wide, high).toString('base64')
  return `<image x="${x}" y="${y}" width="${wide * scale}" height="${high * scale}" href="data:image/png;base64,${png}"/>`
}
