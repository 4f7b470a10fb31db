/** Draws digits in a terminal: side by side, two pixels to a character. */
import type { NDArray } from '@cotangent/datasets'

const SIZE = 28
/** The size of the box that MNIST's ink fits into, wherever the box lies in the image. */
const BOX = 20
const shades = ' ░▒▓█'

/** The box around the ink of image `index`, 20 × 20; 0 where it reaches over the edge. */
function inkBox({ data }: NDArray<Uint8Array>, index: number): (row: number, column: number) => number {
  const pixel = (row: number, column: number): number =>
    row < 0 || row >= SIZE || column < 0 || column >= SIZE ? 0 : data[(index * SIZE + row) * SIZE + column]
  const [rows, columns]: [number[], number[]] = [[], []]
  for (let row = 0; row < SIZE; row++) {
    for (let column = 0; column < SIZE; column++) {
      if (pixel(row, column) === 0) continue
      rows.push(row)
      columns.push(column)
    }
  }
  const start = (ink: number[]): number => {
    if (ink.length === 0) return (SIZE - BOX) / 2
    const [first, last] = [Math.min(...ink), Math.max(...ink)]
    return Math.floor((first + last + 1 - BOX) / 2)
  }
  const [top, left] = [start(rows), start(columns)]
  return (row, column) => pixel(top + row, left + column)
}

/** A byte as one of the 24 greys of a 256-colour terminal. */
const grey = (value: number): number => 232 + Math.round((value / 255) * 23)

/**
 * The lines that show one image, each 20 characters wide: half blocks in greys if there are colours, else shades.
 *
 * @param images [samples, 28, 28], ink is 255
 */
export function digitLines(images: NDArray<Uint8Array>, index: number, colours: boolean): string[] {
  const ink = inkBox(images, index)
  return Array.from({ length: BOX / 2 }, (_, line) => {
    const characters = Array.from({ length: BOX }, (_, column) => {
      const [upper, lower] = [ink(2 * line, column), ink(2 * line + 1, column)]
      if (colours) return `\u001b[38;5;${grey(upper)};48;5;${grey(lower)}m▀`
      return shades[Math.round(((upper + lower) / 2 / 255) * (shades.length - 1))]
    })
    return characters.join('') + (colours ? '\u001b[0m' : '')
  })
}

export interface Caption {
  readonly index: number
  /** A text of at most 20 characters. */
  readonly text: string
  readonly paint: (text: string) => string
}

/** Images side by side, with a caption under each. */
export function digitRow(images: NDArray<Uint8Array>, captions: readonly Caption[], colours: boolean, gap = '    '): string[] {
  const drawn = captions.map(({ index }) => digitLines(images, index, colours))
  const lines = Array.from({ length: BOX / 2 }, (_, line) => drawn.map((digit) => digit[line]).join(gap))
  const under = captions.map(({ text, paint }) => paint(text.padEnd(BOX))).join(gap)
  return [...lines, under].map((line) => (colours ? line : line.trimEnd()))
}
