/**
 * The module `page` of cells: `plot` and `show`. They make plain data. The page draws it; elsewhere it is text, so that the same code runs in Node.
 *
 * ```ts
 * await plot({ 'x²': (x) => x * x }, { from: -2, to: 2 })
 * await plot({ loss: [2, 1, 0.5] }, { x: [0, 10, 20], log: true })
 * await plot({ corners: [[0, 0], [1, 0], [1, 1]] })   // pairs are dots
 * await show(tensor([[1, 2], [3, 4]]), 'x')
 * ```
 */

/** Points of a curve, joined by a line, or of dots. */
export interface Series {
  readonly name: string
  readonly x: readonly number[]
  readonly y: readonly number[]
  readonly dots: boolean
}

export interface PlotPicture {
  readonly kind: 'plot'
  readonly title: string
  readonly xLabel: string
  readonly yLabel: string
  /** A logarithmic axis y. */
  readonly log: boolean
  readonly series: readonly Series[]
}

export interface TensorPicture {
  readonly kind: 'tensor'
  readonly name: string
  readonly shape: readonly number[]
  readonly values: readonly number[]
}

export type Picture = PlotPicture | TensorPicture

interface TensorLike {
  readonly shape: readonly number[]
  data(): Promise<ArrayLike<number>>
}
type Numbers = TensorLike | ArrayLike<number> | readonly ArrayLike<number>[] | number

export interface PlotOptions {
  /** The places of curves that are lists of numbers; 0, 1, 2, … by default. */
  readonly x?: Numbers
  /** The ends of the axis x for functions; −1 and 1 by default. */
  readonly from?: number
  readonly to?: number
  readonly title?: string
  readonly xLabel?: string
  readonly yLabel?: string
  readonly log?: boolean
}

const isTensor = (value: unknown): value is TensorLike => typeof (value as TensorLike | undefined)?.data === 'function'
const isList = (value: unknown): value is ArrayLike<unknown> => Array.isArray(value) || ArrayBuffer.isView(value)

/** Shape and numbers of a tensor, a number or nested lists. */
async function read(what: string, value: unknown): Promise<{ shape: readonly number[]; values: number[] }> {
  if (isTensor(value)) return { shape: value.shape, values: Array.from(await value.data()) }
  if (typeof value === 'number') return { shape: [], values: [value] }
  if (!isList(value)) throw new Error(`${what} must be a tensor or a list of numbers, not ${value === null ? 'null' : typeof value}.`)
  const rows = await Promise.all(Array.from(value, (each) => read(what, each)))
  const shape = rows[0]?.shape ?? []
  if (rows.some((row) => String(row.shape) !== String(shape))) throw new Error(`${what} has rows of different lengths.`)
  return { shape: [rows.length, ...shape], values: rows.flatMap(({ values }) => values) }
}

/** How many points of a function are drawn. */
const SAMPLES = 201

async function readSeries(name: string, value: unknown, { x, from = -1, to = 1 }: PlotOptions): Promise<Series> {
  const what = `plot: "${name}"`
  if (typeof value === 'function') {
    const places = Array.from({ length: SAMPLES }, (_, i) => from + ((to - from) * i) / (SAMPLES - 1))
    return { name, x: places, y: places.map((place) => Number(value(place))), dots: false }
  }
  const { shape, values } = await read(what, value)
  if (shape.length === 2 && shape[1] === 2)
    return { name, x: values.filter((_, i) => i % 2 === 0), y: values.filter((_, i) => i % 2 === 1), dots: true }
  if (shape.length !== 1)
    throw new Error(
      `${what} has the shape [${shape.join(', ')}]. A curve is a list [n], dots are pairs [n, 2]. For other tensors use show().`,
    )
  const places = x === undefined ? Array.from(values.keys()) : (await read('plot: x', x)).values
  if (places.length !== values.length) throw new Error(`${what} has ${values.length} numbers, but x has ${places.length}.`)
  return { name, x: places, y: values, dots: false }
}

/** @param send gets each picture */
export const pictureModule = (send: (picture: Picture) => void) => ({
  /** Draws curves and dots by name: a function, a list of numbers or a tensor [n] is a curve; pairs or a tensor [n, 2] are dots. */
  async plot(series: Readonly<Record<string, Numbers | ((x: number) => number)>>, options: PlotOptions = {}): Promise<void> {
    if (typeof series !== 'object' || series === null || isTensor(series) || isList(series))
      throw new Error('plot: name what you draw, as in plot({ loss: losses }).')
    const { title = '', xLabel = '', yLabel = '', log = false } = options
    const read = await Promise.all(Object.entries(series).map(([name, value]) => readSeries(name, value, options)))
    send({ kind: 'plot', title, xLabel, yLabel, log, series: read })
  },
  /** Shows a tensor as numbers and as a map of colours. */
  async show(value: Numbers, name = ''): Promise<void> {
    send({ kind: 'tensor', name, ...(await read('show', value)) })
  },
})

const brief = (value: number): string => {
  if (value === 0 || !Number.isFinite(value)) return String(value)
  const size = Math.abs(value)
  return size >= 1e-3 && size < 1e5 ? String(Number(value.toPrecision(3))) : value.toExponential(1).replace('e+', 'e')
}

const BARS = '▁▂▃▄▅▆▇█'
const SHADES = ' ░▒▓█'
const level = (marks: string, value: number, low: number, high: number): string =>
  Number.isFinite(value) && high > low
    ? marks[Math.min(marks.length - 1, Math.floor(((value - low) / (high - low)) * marks.length))]
    : marks[0]
const finite = (values: readonly number[]): readonly [number, number] =>
  values.filter(Number.isFinite).reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity])

/** A curve in one line, such as `▁▂▄█`. */
function spark(values: readonly number[], log: boolean): string {
  const [count, scaled] = [Math.min(32, values.length), log ? values.map((value) => Math.log10(value)) : values]
  const picked = Array.from({ length: count }, (_, i) => scaled[Math.round((i * (values.length - 1)) / Math.max(1, count - 1))])
  const [low, high] = finite(picked)
  return picked.map((value) => level(BARS, value, low, high)).join('')
}

/** The picture as text. */
export function textOf(picture: Picture): string {
  if (picture.kind === 'plot') {
    const width = Math.max(...picture.series.map(({ name }) => name.length))
    const lines = picture.series.map(({ name, y, dots }) => {
      const ends = `${brief(y[0])} → ${brief(y[y.length - 1])}`
      return `${name.padEnd(width)}  ${dots ? `${y.length} dots` : `${spark(y, picture.log)}  ${ends}`}`
    })
    return [...(picture.title ? [picture.title] : []), ...lines].join('\n')
  }
  const { name, shape, values } = picture
  const head = `${name ? `${name} ` : ''}[${shape.join(', ')}]`
  const columns = shape.at(-1) ?? 1
  const rows = Array.from({ length: columns > 0 ? values.length / columns : 0 }, (_, r) => values.slice(r * columns, (r + 1) * columns))
  if (values.length > 64 || columns > 10) {
    const [low, high] = finite(values)
    const range = `${head} from ${brief(low)} to ${brief(high)}`
    if (shape.length !== 2 || columns > 36) return range
    return [
      range,
      ...rows.map((row) =>
        row
          .map((value) => level(SHADES, value, low, high).repeat(2))
          .join('')
          .trimEnd(),
      ),
    ].join('\n')
  }
  const cells = rows.map((row) => row.map(brief))
  const width = Math.max(...cells.flat().map(({ length }) => length))
  return [head, ...cells.map((row) => `  ${row.map((cell) => cell.padStart(width)).join('  ')}`)].join('\n')
}
