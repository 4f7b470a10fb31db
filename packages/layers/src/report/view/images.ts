/** Images of a record: bytes to pixels, drawn by canvas without smoothing. */
import type { ImageSheet } from '../record.js'
import { h, s } from './dom.js'
import type { Theme } from './theme.js'

const decoded = new WeakMap<ImageSheet, Uint8Array>()

function bytesOf(sheet: ImageSheet): Uint8Array {
  let bytes = decoded.get(sheet)
  if (!bytes) {
    bytes = Uint8Array.from(atob(sheet.bytes), (c) => c.charCodeAt(0))
    decoded.set(sheet, bytes)
  }
  return bytes
}

/** Draws image `i` of a sheet at a place of a canvas. */
function paint(context: CanvasRenderingContext2D, sheet: ImageSheet, i: number, x: number, y: number): void {
  const { height, width, channels, ink } = sheet
  const bytes = bytesOf(sheet)
  const pixels = context.createImageData(width, height)
  for (let p = 0; p < width * height; p++) {
    for (let c = 0; c < 3; c++) {
      const value = bytes[(i * width * height + p) * channels + (channels === 3 ? c : 0)] ?? 0
      pixels.data[4 * p + c] = ink ? 255 - value : value
    }
    pixels.data[4 * p + 3] = 255
  }
  context.putImageData(pixels, x, y)
}

const isImage = (sheet: ImageSheet, i: number): boolean => i >= 0 && i < sheet.count && sheet.width > 0 && sheet.height > 0

/** How many times larger an image is shown, so that it is about 84 pixels wide. */
const scaleOf = ({ width }: ImageSheet): number => Math.max(1, Math.round(84 / width))

/** One image as a canvas. */
export function tile(sheet: ImageSheet, i: number, label: string): HTMLCanvasElement | undefined {
  if (!isImage(sheet, i)) return undefined
  const canvas = h('canvas', { width: sheet.width, height: sheet.height, role: 'img', 'aria-label': label })
  canvas.style.width = `${sheet.width * scaleOf(sheet)}px`
  const context = canvas.getContext('2d')
  if (context) paint(context, sheet, i, 0, 0)
  return canvas
}

/** Images beside each other on one canvas: as large as they fit into a width, up to their usual size, in whole multiples of their pixels. */
export function sheetCanvas(sheet: ImageSheet, columns: number, room: number, theme: Theme): HTMLCanvasElement {
  // Lines between sheets of paper; space between others, whose edges may be of any grey.
  const gap = sheet.ink ? 2 : 4
  const fits = Math.floor((room / columns - gap) / sheet.width)
  const scale = Math.max(1, Math.min(scaleOf(sheet), fits))
  const [w, t] = [sheet.width * scale + gap, sheet.height * scale + gap]
  const canvas = h('canvas', { width: columns * w - gap, height: Math.ceil(sheet.count / columns) * t - gap, role: 'img' })
  const one = h('canvas', { width: sheet.width, height: sheet.height })
  const [context, small] = [canvas.getContext('2d'), one.getContext('2d')]
  if (context && small) {
    context.imageSmoothingEnabled = false
    context.fillStyle = theme.line
    for (let i = 0; i < sheet.count; i++) {
      const [x, y] = [(i % columns) * w, Math.floor(i / columns) * t]
      if (sheet.ink) context.fillRect(x - gap, y - gap, w + gap, t + gap)
      paint(small, sheet, i, 0, 0)
      context.drawImage(one, x, y, w - gap, t - gap)
    }
  }
  return canvas
}

/** Images with texts below them, as SVG, to be saved. */
export function tilesSvg(
  sheet: ImageSheet,
  items: readonly { image: number; lines: readonly string[] }[],
  columns: number,
  theme: Theme,
  label: string,
): SVGSVGElement {
  const scale = scaleOf(sheet)
  const [w, t] = [Math.max(96, sheet.width * scale) + 8, sheet.height * scale]
  const text = Math.max(0, ...items.map(({ lines }) => lines.length))
  const [cellHeight, rows] = [t + 6 + 15 * text, Math.ceil(items.length / columns)]
  return s(
    'svg',
    {
      width: columns * w,
      height: rows * cellHeight,
      viewBox: `0 0 ${columns * w} ${rows * cellHeight}`,
      'aria-label': label,
      'font-family': 'system-ui, sans-serif',
    },
    items.map(({ image, lines }, i) => {
      const [x, y] = [(i % columns) * w, Math.floor(i / columns) * cellHeight]
      return s(
        'g',
        { transform: `translate(${x},${y})` },
        isImage(sheet, image) &&
          s('image', {
            width: sheet.width * scale,
            height: t,
            href: tile(sheet, image, '')?.toDataURL(),
            style: 'image-rendering:pixelated',
          }),
        lines.map((line, k) => s('text', { y: t + 13 + 15 * k, 'font-size': 11, fill: theme.ink }, line)),
      )
    }),
  )
}
