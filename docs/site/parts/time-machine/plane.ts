/** The plane of points, painted: what the network says everywhere, and the samples on it. */
import { paint, themeNow } from '../shared/paint.js'

/** The plane is shown from −LIMIT to LIMIT in both directions. */
export const LIMIT = 1.4
/** Places of the raster along each side. */
export const SIDE = 40

const raster = typeof document === 'undefined' ? undefined : document.createElement('canvas')

/** Paints probabilities of class 1, [SIDE·SIDE], and samples with a border in the page's colour. */
export function paintPlane(canvas: HTMLCanvasElement, probabilities: Float32Array, x: Float32Array, y: ArrayLike<number>): void {
  const context = canvas.getContext('2d')
  if (!context || !raster) return
  const { diverging, card, series } = themeNow()
  paint(raster, { values: probabilities, rows: SIDE, columns: SIDE }, diverging, -0.25, 1.25)
  const { width } = canvas
  context.imageSmoothingEnabled = true
  context.imageSmoothingQuality = 'high'
  context.drawImage(raster, 0, 0, width, width)
  context.lineWidth = width / 240
  context.strokeStyle = card
  for (let i = 0; i < y.length; i++) {
    const place = (value: number): number => ((value / LIMIT + 1) / 2) * width
    context.fillStyle = y[i] === 1 ? series[0] : series[1]
    context.beginPath()
    context.arc(place(x[2 * i]), place(-x[2 * i + 1]), width / 80, 0, 2 * Math.PI)
    context.fill()
    context.stroke()
  }
}
