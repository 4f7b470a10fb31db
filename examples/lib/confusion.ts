/** Confusion matrices: how often a classifier takes one class for another. */
import { ndarray } from '@cotangent/datasets'
import { arrayText } from './numpy.js'
import { type Palette, palette } from './terminal.js'

/**
 * Counts by true and predicted class: row t, column p is the number of samples of class t that were taken for p.
 *
 * Shape: [n], [n] → classes × classes
 */
export function confusionMatrix(truth: ArrayLike<number>, predicted: ArrayLike<number>, classes: number): number[][] {
  if (truth.length !== predicted.length) throw new RangeError(`${truth.length} true classes, but ${predicted.length} predictions`)
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0))
  for (let i = 0; i < truth.length; i++) {
    for (const value of [truth[i], predicted[i]]) {
      if (!(Number.isInteger(value) && value >= 0 && value < classes))
        throw new RangeError(`sample ${i}: ${value} is not one of ${classes} classes`)
    }
    matrix[truth[i]][predicted[i]]++
  }
  return matrix
}

/** The matrix as aligned lines, with the numbers of the classes, and the share of each class that is right. A zero is a dot. */
export function confusionLines(matrix: readonly (readonly number[])[], { bold, dim, green, red }: Palette = palette(false)): string[] {
  const classes = matrix.map((_, i) => String(i))
  const width = Math.max(...matrix.flat().map((n) => String(n).length), ...classes.map((name) => name.length)) + 1
  const label = 'true '
  const margin = ' '.repeat(label.length + classes[classes.length - 1].length)
  const cell = (count: number, right: boolean): string => {
    const text = (count === 0 ? '·' : String(count)).padStart(width)
    if (right) return green(text)
    return count === 0 ? dim(text) : red(text)
  }
  const lines = matrix.map((row, i) => {
    const total = row.reduce((a, b) => a + b, 0)
    const share = total === 0 ? '–' : `${((100 * row[i]) / total).toFixed(1)} %`
    const name = classes[i].padStart(margin.length - label.length)
    return `${i === 0 ? label : ' '.repeat(label.length)}${bold(name)}${row.map((n, j) => cell(n, i === j)).join('')}${share.padStart(10)}`
  })
  const header = `${margin}${bold(classes.map((name) => name.padStart(width)).join(''))}${'right'.padStart(10)}`
  return [`${margin}${' '.repeat(width - 1)}predicted`, header, ...lines]
}

/** The matrix as Python prints scikit-learn's: `[[980   0]`, ` [  3 977]]`, columns as wide as the longest number. */
export const numpyText = (matrix: readonly (readonly number[])[]): string =>
  arrayText(ndarray(Int32Array.from(matrix.flat()), [matrix.length, matrix[0]?.length ?? 0]))
