/** A matrix as coloured cells, drawn by Observable Plot: each cell a rectangle, or one picture where there are thousands. */
import * as Plot from '@observablehq/plot'
import { num, short } from './text.js'
import { inkOn, type Theme } from './theme.js'

export interface GridOptions {
  width: number
  theme: Theme
  rows: { label: string; names: readonly string[] }
  columns: { label: string; names: readonly string[] }
  values: readonly (readonly (number | null)[])[]
  color(value: number, row: number, column: number): string
  /** The text that a pointer shows beside a cell. */
  tip(row: number, column: number): string
  /** Square cells with their numbers in them, as far as there is room. */
  numbers?: boolean
}

interface Cell {
  row: number
  column: number
  value: number | null
  color: string
}

/** More cells than this are drawn as one picture, without tips. */
const MOST_CELLS = 2500

/** Which names stand on an axis: as many as there is room for, in round steps. */
function every(count: number, room: number, each: number): number[] {
  const least = (count * each) / Math.max(each, room)
  const step = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].find((round) => round >= least) ?? Math.ceil(least)
  return Array.from({ length: Math.ceil(count / step) }, (_, k) => k * step)
}

export function drawGrid({ width, theme, rows, columns, values, color, tip, numbers = false }: GridOptions): {
  plot: SVGSVGElement
  cells: Cell[]
  rects: SVGRectElement[]
} {
  const longest = Math.max(1, ...rows.names.map((name) => Math.min(16, name.length)))
  const marginLeft = 34 + longest * 7
  const longestColumn = Math.max(1, ...columns.names.map((name) => Math.min(16, name.length)))
  const room = Math.max(60, width - marginLeft - 12)
  const side = room / Math.max(1, columns.names.length)
  const cellHeight = numbers ? Math.min(46, side) : Math.max(3, Math.min(22, 420 / Math.max(1, rows.names.length)))
  const cellWidth = numbers ? Math.min(46, side) : side
  // Short names stay upright, and some are left out; long ones are turned.
  const turned = cellWidth < longestColumn * 7 && longestColumn > 5
  const marginBottom = 40 + (turned ? Math.min(16, longestColumn) * 6 : 8)
  const drawnWidth = numbers ? Math.ceil(marginLeft + 12 + cellWidth * columns.names.length) : width
  const height = Math.ceil(cellHeight * rows.names.length + marginBottom + 10)
  const asPicture = values.length * (values[0]?.length ?? 0) > MOST_CELLS
  const cells: Cell[] = (asPicture ? [] : values).flatMap((line, row) =>
    line.map((value, column) => ({ row, column, value, color: value === null ? theme.card : color(value, row, column) })),
  )
  const inset = !asPicture && Math.min(cellWidth, cellHeight) > 10 ? 0.5 : 0
  const axis = { tickSize: 0, tickPadding: 5 }
  const plot = Plot.plot({
    width: drawnWidth,
    height,
    marginLeft,
    marginBottom,
    marginTop: 10,
    marginRight: 12,
    padding: 0,
    style: { background: 'none', color: theme.ink, fontFamily: 'system-ui, sans-serif', fontSize: '12px', overflow: 'visible' },
    x: { type: 'band', domain: [...columns.names.keys()], label: columns.label || null, padding: 0, round: false },
    y: { type: 'band', domain: [...rows.names.keys()], label: rows.label || null, padding: 0, round: false },
    marks: [
      Plot.axisX({
        ...axis,
        ticks: every(columns.names.length, room, turned ? 16 : longestColumn * 7 + 8),
        tickFormat: (i: number) => short(columns.names[i], 16),
        tickRotate: turned ? -50 : 0,
        textAnchor: turned ? 'end' : 'middle',
        label: columns.label || null,
        labelAnchor: 'center',
        labelOffset: marginBottom - 6,
        labelArrow: 'none',
      }),
      Plot.axisY({
        ...axis,
        ticks: every(rows.names.length, cellHeight * rows.names.length, 14),
        tickFormat: (i: number) => short(rows.names[i], 16),
        label: rows.label || null,
        labelAnchor: 'center',
        labelOffset: marginLeft - 14,
        labelArrow: 'none',
      }),
      ...(asPicture
        ? [
            Plot.image([0], {
              src: () => pictureOf(values, color, theme),
              frameAnchor: 'middle',
              width: drawnWidth - marginLeft - 12,
              height: height - marginBottom - 10,
              preserveAspectRatio: 'none',
              imageRendering: 'pixelated',
            }),
          ]
        : [Plot.cell(cells, { x: 'column', y: 'row', fill: 'color', inset })]),
      ...(numbers && Math.min(cellWidth, cellHeight) >= 20
        ? [
            Plot.text(
              cells.filter(({ value }) => value !== null && value !== 0),
              {
                x: 'column',
                y: 'row',
                text: ({ value }: Cell) => num(value),
                fill: ({ color: under }: Cell) => inkOn(under),
                fontSize: Math.min(12, cellWidth / 3.2),
                pointerEvents: 'none',
              },
            ),
          ]
        : []),
      Plot.tip(cells, Plot.pointer({ x: 'column', y: 'row', title: ({ row, column }: Cell) => tip(row, column), stroke: theme.line })),
    ],
    color: { type: 'identity' },
  }) as SVGSVGElement
  const rects = asPicture ? [] : Array.from(plot.querySelectorAll<SVGRectElement>('g[aria-label="cell"] rect'))
  return { plot, cells, rects }
}

/** A pixel for each cell. */
function pictureOf(values: GridOptions['values'], color: GridOptions['color'], theme: Theme): string {
  const canvas = document.createElement('canvas')
  canvas.width = values[0].length
  canvas.height = values.length
  const context = canvas.getContext('2d')
  for (const [row, line] of values.entries())
    for (const [column, value] of line.entries()) {
      if (!context) break
      context.fillStyle = value === null ? theme.card : color(value, row, column)
      context.fillRect(column, row, 1, 1)
    }
  return canvas.toDataURL()
}
