/** Small pictures of numbers, one pixel for each: digits, and weights. CSS makes them larger. */
import { along, themes } from '../../../../packages/layers/src/report/view/theme.js'

export const themeNow = (): (typeof themes)['light'] => (document.documentElement.dataset.theme === 'dark' ? themes.dark : themes.light)

/** Calls a function when the page turns dark or light. Returns what ends that. */
export function onTheme(changed: () => void): () => void {
  const observer = new MutationObserver(changed)
  observer.observe(document.documentElement, { attributeFilter: ['data-theme'] })
  return () => observer.disconnect()
}

/** Where number (row, column) of a picture stands in the values. */
export interface Picture {
  readonly values: ArrayLike<number>
  readonly rows: number
  readonly columns: number
  readonly base?: number
  /** From one row to the next; `columns` by default. */
  readonly down?: number
  /** From one column to the next; 1 by default. */
  readonly across?: number
}

const colours = new Map<readonly string[], Uint32Array>()
/** 256 colours of a ramp, each as the four bytes of a pixel. */
function pixelsOf(ramp: readonly string[]): Uint32Array {
  let pixels = colours.get(ramp)
  if (!pixels) {
    const bytes = new Uint8ClampedArray(4 * 256)
    for (let i = 0; i < 256; i++) {
      const rgb = Number.parseInt(along(ramp, i / 255).slice(1), 16)
      bytes.set([rgb >> 16, (rgb >> 8) & 255, rgb & 255, 255], 4 * i)
    }
    pixels = new Uint32Array(bytes.buffer)
    colours.set(ramp, pixels)
  }
  return pixels
}

/** Infinities and NaN have the colour of errors. */
export const BROKEN = '#d6006e'
const [broken] = pixelsOf([BROKEN, BROKEN])

/** Paints a picture in the colours of a ramp, whose ends are `least` and `most`. A cell behind the last value stays empty. */
export function paint(canvas: HTMLCanvasElement, picture: Picture, ramp: readonly string[], least: number, most: number): void {
  const { values, rows, columns, base = 0, down = columns, across = 1 } = picture
  if (canvas.width !== columns) canvas.width = columns
  if (canvas.height !== rows) canvas.height = rows
  const context = canvas.getContext('2d')
  if (!context) return
  const known = pixelsOf(ramp)
  const image = context.createImageData(columns, rows)
  const pixels = new Uint32Array(image.data.buffer)
  const scale = 255 / (most - least)
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, at++) {
      const value = values[base + row * down + column * across]
      if (value === undefined) continue
      const place = (value - least) * scale
      pixels[at] = Number.isFinite(value) ? known[place > 0 ? Math.min(255, Math.round(place)) : 0] : broken
    }
  }
  context.putImageData(image, 0, 0)
}

/** Ink on paper, as the page's colours have it. */
export function paintDigit(canvas: HTMLCanvasElement, values: ArrayLike<number>, most: number, side = 28): void {
  const { card, ink } = themeNow()
  paint(canvas, { values, rows: side, columns: side }, rampOf(card, ink), 0, most)
}

const ramps = new Map<string, readonly string[]>()
/** The same list each time, so that its colours are made once. */
function rampOf(from: string, to: string): readonly string[] {
  const key = from + to
  if (!ramps.has(key)) ramps.set(key, [from, to])
  return ramps.get(key) as readonly string[]
}

/** Weights: the colour of nothing at 0, one hue below and another above. */
export const paintWeights = (canvas: HTMLCanvasElement, picture: Picture, most: number): void =>
  paint(canvas, picture, themeNow().diverging, -most, most)
