/**
 * Parts of pictures in SVG. Colours are CSS variables with a second set for dark pages. A picture has a background of its own, since it cannot know that of the page around it.
 * Charts are drawn by plot.ts.
 */
import type { NDArray } from '@cotangent/datasets'
import { greyPng } from './digit-grid.js'

const style = `
svg { color: var(--ink); --page: #ffffff; --ink: #1f2328; --soft: #59636e; --line: #d1d9e0; --curve: #0969da; --right: #1a7f37; --wrong: #cf222e }
@media (prefers-color-scheme: dark) { svg { --page: #0d1117; --ink: #f0f6fc; --soft: #9198a1; --line: #3d444d; --curve: #4493f8; --right: #3fb950; --wrong: #f85149 } }
text { font: 13px system-ui, sans-serif; fill: var(--soft) }
.title { font-size: 15px; font-weight: 600; fill: var(--ink) }
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

/** Around the body, so that nothing touches the edge of the background. */
const PADDING = 12

/** The whole document. `rules` are more CSS. */
export function svgPage(size: readonly [width: number, height: number], title: string, body: readonly string[], rules = ''): string {
  const [width, height] = size.map((each) => each + 2 * PADDING)
  const box = `${-PADDING} ${-PADDING} ${width} ${height}`
  const head = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="${box}" role="img">`
  const background = `<rect x="${-PADDING}" y="${-PADDING}" width="${width}" height="${height}" fill="var(--page)"/>`
  return [head, `<title>${escaped(title)}</title>`, `<style>${style}${rules}\n</style>`, background, ...body, '</svg>', ''].join('\n')
}

/** A piece of a curve with its name, for a legend. `style` is that of the curve. */
export const legendItem = (x: number, y: number, words: string, style: string): string =>
  `<line x1="${x}" x2="${x + 22}" y1="${y - 4}" y2="${y - 4}" stroke-width="2" ${style}/>\n${text(x + 30, y, words)}`

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
