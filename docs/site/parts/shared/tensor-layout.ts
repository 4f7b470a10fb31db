/** The places of a tensor's numbers on the page: rows and columns in panels, and back from a cell to the place in the row-major values. */
import type { TensorValue } from './tensor-value.js'

/** Longer vectors go on in the next row. */
const LINE = 64
const PANELS = 64

/** Where the numbers stand: number (panel, row, column) has the place base + row·down + column·across. */
export interface Layout {
  readonly rows: number
  readonly columns: number
  readonly down: number
  readonly across: number
  readonly panels: readonly { readonly label: string; readonly base: number }[]
  /** How many panels there are in all. */
  readonly all: number
}

export function layoutOf({ shape, axes }: TensorValue): Layout {
  const size = shape.reduce((product, n) => product * n, 1)
  const one = [{ label: '', base: 0 }]
  if (shape.length < 2) {
    const columns = Math.min(size, LINE)
    return { rows: columns ? Math.ceil(size / columns) : 0, columns, down: columns, across: 1, panels: one, all: 1 }
  }
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, n) => product * n, 1))
  const [row, column] = axes ?? [shape.length - 2, shape.length - 1]
  const others = shape.map((_, axis) => axis).filter((axis) => axis !== row && axis !== column)
  const all = others.reduce((product, axis) => product * shape[axis], 1)
  const panels = Array.from({ length: Math.min(all, PANELS) }, (_, panel) => {
    let left = panel
    let base = 0
    const index: (number | string)[] = shape.map(() => ':')
    for (const axis of [...others].reverse()) {
      index[axis] = left % shape[axis]
      base += (left % shape[axis]) * strides[axis]
      left = Math.floor(left / shape[axis])
    }
    return { label: all === 1 ? '' : `[${index.join(', ')}]`, base }
  })
  return { rows: shape[row], columns: shape[column], down: strides[row], across: strides[column], panels, all }
}

export interface Cell {
  readonly panel: number
  readonly row: number
  readonly column: number
}

/** The index of each axis of a place in the row-major values. */
export function indexOf(shape: readonly number[], place: number): number[] {
  const index: number[] = []
  let left = place
  for (const n of [...shape].reverse()) {
    index.unshift(left % n)
    left = Math.floor(left / n)
  }
  return index
}

/** The place of a cell. */
export const placeOf = ({ down, across, panels }: Layout, { panel, row, column }: Cell): number =>
  panels[panel].base + row * down + column * across

/** Row and column of a place in a panel; undefined if it is in another. */
export function cellIn({ rows, columns, down, across, panels }: Layout, panel: number, place: number): Cell | undefined {
  const offset = place - panels[panel].base
  const outer = Math.max(down, across)
  const inner = Math.min(down, across)
  if (offset < 0) return undefined
  const first = Math.floor(offset / outer)
  const second = Math.floor((offset - first * outer) / inner)
  if (first * outer + second * inner !== offset) return undefined
  const [row, column] = down >= across ? [first, second] : [second, first]
  return row < rows && column < columns ? { panel, row, column } : undefined
}

/** The place so many cells further, in the order of reading, panel by panel; undefined if there is none. */
export function placeAfter(layout: Layout, place: number, cells: number): number | undefined {
  const { rows, columns, panels } = layout
  const count = rows * columns
  const cell = panels.map((_, panel) => cellIn(layout, panel, place)).find((each) => each !== undefined)
  const next = (cell ? cell.panel * count + cell.row * columns + cell.column : 0) + cells
  if (next < 0 || next >= count * panels.length) return undefined
  return placeOf(layout, { panel: Math.floor(next / count), row: Math.floor((next % count) / columns), column: next % columns })
}
