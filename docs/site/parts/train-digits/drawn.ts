/**
 * A drawn digit as MNIST has digits: scaled so that it just fits into 20 × 20 pixels, and placed in 28 × 28 so that its centre of mass is in the middle. The strokes are
 * drawn again at that size, so that the pen has the same width for a small drawing and a large one.
 */

/** Points of a stroke, in any unit. */
export type Stroke = readonly (readonly [x: number, y: number])[]

const SIDE = 28
const BOX = 20
/** The width of the pen in pixels of MNIST: then a digit has as much ink as one of MNIST on average. */
const PEN = 2.5
/** Dots of the raster in a pixel, along each side: their mean is the grey of the pixel. */
const FINE = 8

let raster: CanvasRenderingContext2D | undefined

function fresh(): CanvasRenderingContext2D {
  if (!raster) {
    const canvas = document.createElement('canvas')
    canvas.width = canvas.height = SIDE * FINE
    raster = canvas.getContext('2d', { willReadFrequently: true }) as CanvasRenderingContext2D
  }
  raster.setTransform(1, 0, 0, 1, 0, 0)
  raster.clearRect(0, 0, SIDE * FINE, SIDE * FINE)
  return raster
}

/** Draws strokes: lines through the middles between points, so that corners are round. */
export function trace(context: CanvasRenderingContext2D, strokes: readonly Stroke[], width: number): void {
  context.lineWidth = width
  context.lineCap = context.lineJoin = 'round'
  for (const points of strokes) {
    context.beginPath()
    context.moveTo(...points[0])
    for (let i = 1; i < points.length - 1; i++) {
      const [[x, y], [nextX, nextY]] = [points[i], points[i + 1]]
      context.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2)
    }
    context.lineTo(...(points.at(-1) as [number, number]))
    context.stroke()
  }
}

/** Ink from 0 to 1 in 28 × 28 pixels, row by row. */
function render(strokes: readonly Stroke[], scale: number, left: number, top: number): Float32Array {
  const context = fresh()
  context.setTransform(scale * FINE, 0, 0, scale * FINE, left * FINE, top * FINE)
  trace(context, strokes, PEN / scale)
  const { data } = context.getImageData(0, 0, SIDE * FINE, SIDE * FINE)
  const pixels = new Float32Array(SIDE * SIDE)
  for (let y = 0; y < SIDE * FINE; y++)
    for (let x = 0; x < SIDE * FINE; x++)
      pixels[Math.floor(y / FINE) * SIDE + Math.floor(x / FINE)] += data[4 * (y * SIDE * FINE + x) + 3] / 255 / FINE ** 2
  return pixels
}

/** [28, 28] from 0 to 1; undefined if nothing is drawn. */
export function asMnist(strokes: readonly Stroke[]): Float32Array | undefined {
  const points = strokes.flat()
  if (points.length === 0) return undefined
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)]
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)]
  const scale = (BOX - PEN) / Math.max(right - left, bottom - top, 1e-9)
  const most = (BOX - PEN) * 10 // a dot stays a dot
  const factor = Math.min(scale, most)
  const middle = [SIDE / 2 - (factor * (left + right)) / 2, SIDE / 2 - (factor * (top + bottom)) / 2]
  const first = render(strokes, factor, middle[0], middle[1])
  let [ink, x, y] = [0, 0, 0]
  first.forEach((value, i) => {
    ink += value
    x += value * ((i % SIDE) + 0.5)
    y += value * (Math.floor(i / SIDE) + 0.5)
  })
  // MNIST's centres of mass lie in the middle of pixel 14 of 0 … 27.
  const middleOfMnist = 14.5
  return render(strokes, factor, middle[0] + middleOfMnist - x / ink, middle[1] + middleOfMnist - y / ink)
}
