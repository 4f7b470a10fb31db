/** Softmax and softmax cross-entropy, row by row; the maximum of the row is subtracted first. */
import type { FusedKernels, Operand } from '../../backend.js'
import type { Engine } from '../device/engine.js'
import { address } from '../source/addressing.js'
import { maxOf, sumInto } from '../source/rules.js'
import { logOf } from '../source/scalar.js'
import { withTemporaries } from './temporaries.js'

/** exp of the difference to the maximum. The difference is at most 0, unless it is NaN; NaN stays. */
const exponential = (difference: string): string => `(${difference} <= 0 ? Math.exp(${difference}) : ${difference})`

/** Statements that set `top` to the maximum of a row of x and `total` to the sum of exp(x − top). */
const rowStatistics = (row: string, classes: number): string => `
let top = x[${address([row, '0'], [classes, 1])}];
for (let l = 0; l < ${classes}; l++) {
  const v = x[${address([row, 'l'], [classes, 1])}];
  top = ${maxOf('v', 'top')};
}
${sumInto('total', classes, (l) => exponential(`x[${address([row, l], [classes, 1])}] - top`))}`

const rowsOf = ({ shape, size }: Operand): [rows: number, classes: number] => {
  const classes = shape[shape.length - 1]
  return [size / classes, classes]
}

export function softmaxKernels(engine: Engine): Required<Pick<FusedKernels, 'softmax' | 'softmaxCrossEntropy'>> {
  return {
    // Two threads for each row compute its two statistics, once.
    softmax(out, x) {
      if (x.size === 0) return engine.fill(out, 0)
      const [rows, classes] = rowsOf(x)
      withTemporaries(engine, x, (make) => {
        const statistics = make([2, rows], { arrays: { x } }, ({ at: [which, row] }) => {
          return `${rowStatistics(row, classes)}\nreturn ${which} === 0 ? top : total;`
        })
        engine.run(out, [rows, classes], { arrays: { x, statistics } }, ({ flat, at: [row] }) => {
          const [top, total] = [0, 1].map((which) => `statistics[${address([row], [1], which * rows)}]`)
          return `const difference = x[${flat}] - ${top};\nreturn ${exponential('difference')} / ${total};`
        })
      })
    },

    softmaxCrossEntropy(out, logits, labels) {
      if (logits.size === 0) return engine.fill(out, 0)
      const [rows, classes] = rowsOf(logits)
      engine.run(out, [rows], { arrays: { x: logits, labels } }, ({ at: [row] }) => {
        const at = (l: string): string => address([row, l], [classes, 1])
        return `
${rowStatistics(row, classes)}
const logTotal = ${logOf('total')};
${sumInto('sum', classes, (l) => `(labels[${at(l)}] === 0 ? 0 : labels[${at(l)}] * (x[${at(l)}] - top - logTotal))`)}
return -sum;`
      })
    },
  }
}
