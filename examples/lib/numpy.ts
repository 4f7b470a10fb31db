/** Arrays as NumPy prints them by default: up to eight digits, lines of 75 characters, only the corners of arrays of more than 1,000 elements. */
import type { NDArray } from '@cotangent/datasets'

const LINE = 75
/** An array with more elements than this is shown by its corners. */
const THRESHOLD = 1000
/** Items at each end of an axis, if the middle is left out. */
const EDGE = 3
const DIGITS = 8

/** The positions shown along an axis; null stands for the dots. */
function shown(length: number, cornersOnly: boolean): (number | null)[] {
  const all = Array.from({ length }, (_, i) => i)
  return cornersOnly && length > 2 * EDGE ? [...all.slice(0, EDGE), null, ...all.slice(-EDGE)] : all
}

/** The number with the fewest digits that is this float32: 0.1, not 0.10000000149011612. */
function shortest(value: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const near = Number(value.toPrecision(digits))
    if (Math.fround(near) === value) return near
  }
  return value
}

/** Pads all numbers to one width. Whole numbers are padded on the left; others have their points below each other, and blanks for zeros at the end. */
function aligned(values: readonly number[], whole: boolean): (value: number) => string {
  // NumPy keeps the point of 1.0: "1."
  const split = (value: number): [string, string] => {
    const [left, right] = value.toFixed(DIGITS).split('.')
    return [left, right.replace(/0+$/, '')]
  }
  if (whole) {
    const width = Math.max(...values.map((value) => String(value).length))
    return (value) => String(value).padStart(width)
  }
  const parts = values.map(split)
  const [before, after] = [0, 1].map((side) => Math.max(...parts.map((part) => part[side].length)))
  return (value) => {
    const [left, right] = split(value)
    return `${left.padStart(before)}.${right.padEnd(after)}`
  }
}

/** Breaks words into lines with room for a bracket; all lines but the first begin with `indent`. */
function wrapped(words: readonly string[], indent: string, width: number): string {
  const lines: string[] = []
  let line = indent
  for (const word of words) {
    if (line.length + word.length > width && line.length > indent.length) {
      lines.push(line.trimEnd())
      line = indent
    }
    line += `${word} `
  }
  return [...lines, line.slice(0, -1)].join('\n').slice(indent.length)
}

/**
 * An array with one or two axes, as `print(array)` shows it.
 *
 * Numbers never have an exponent here. NumPy uses exponents if magnitudes differ by more than a factor of 1,000.
 */
export function arrayText({ shape, data }: NDArray): string {
  if (shape.length === 0 || shape.length > 2) throw new RangeError(`arrayText: an array with ${shape.length} axes; it prints one or two`)
  const cornersOnly = data.length > THRESHOLD
  const [rows, columns] = shape.length === 2 ? shape : [1, shape[0]]
  const [down, across] = [shown(rows, cornersOnly), shown(columns, cornersOnly)]
  const at = (row: number, column: number): number => {
    const value = data[row * columns + column]
    return data instanceof Float32Array ? shortest(value) : value
  }
  const values = down.flatMap((row) => (row === null ? [] : across.flatMap((column) => (column === null ? [] : [at(row, column)]))))
  const text = aligned(values, !(data instanceof Float32Array || data instanceof Float64Array))
  const axes = shape.length
  const indent = ' '.repeat(axes)
  const lines = down.map((row) => {
    if (row === null) return '...'
    const words = across.map((column) => (column === null ? '...' : text(at(row, column))))
    return `[${wrapped(words, indent, LINE - axes)}]`
  })
  return axes === 2 ? `[${lines.join('\n ')}]` : lines[0]
}
