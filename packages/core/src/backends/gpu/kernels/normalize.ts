/**
 * Normalisation: statistics of channels, which are the columns of x [n, c], and rows normalised to mean 0 and variance 1. The formulas are those of
 * ops/reduce/.
 */
import type { FusedKernels, Operand } from '../../backend.js'
import type { Engine } from '../device/engine.js'
import { address } from '../source/addressing.js'
import { literal, sumInto } from '../source/rules.js'
import { reduction } from './reduce.js'
import { type Make, withTemporaries } from './temporaries.js'

/** x [.., c] as rows of c: how many rows and how many channels. */
function rowsOf({ shape, size }: Operand): [rows: number, channels: number] {
  const channels = shape[shape.length - 1]
  return [size / channels, channels]
}

/** [2, n]: the mean of each row of x, then 1/√(variance + ε). One thread computes each. */
function rowStatistics(make: Make, x: Operand, epsilon: number): Operand {
  const [rows, channels] = rowsOf(x)
  return make([2, rows], { arrays: { x } }, ({ at: [which, row] }) => {
    const value = (l: string): string => `x[${address([row, l], [channels, 1])}]`
    return `
${sumInto('total', channels, value)}
const mean = total / ${channels};
${sumInto('squares', channels, (l) => `(${value(l)} - mean) * (${value(l)} - mean)`)}
return ${which} === 0 ? mean : 1 / Math.sqrt(squares / ${channels} + ${literal(epsilon)});`
  })
}

type NormalizeKernels = Required<Pick<FusedKernels, 'moments' | 'channelSums' | 'normalize' | 'layerNorm' | 'layerNormGradient'>>

export function normalizeKernels(engine: Engine): NormalizeKernels {
  return {
    moments(out, x) {
      const [length, inner] = rowsOf(x)
      const extent = { outer: 1, length, inner }
      const value = (l: string, i: string): string => `x[${address([l, i], [inner, 1])}]`
      withTemporaries(engine, x, (make) => {
        const sums = reduction(engine, make, 'sum', extent, { arrays: { x }, cell: (_, l, i) => value(l, i) })
        const means = make([inner], { arrays: sums.arrays }, ({ at: [i] }) => `${sums.body('0', i)}\nreturn result / ${length};`)
        const squares = reduction(engine, make, 'sum', extent, {
          arrays: { x, means },
          cell: (_, l, i) => `(${value(l, i)} - means[${i}]) * (${value(l, i)} - means[${i}])`,
        })
        engine.run(out, [2, inner], { arrays: { means, ...squares.arrays } }, ({ at: [which, i] }) => {
          return `${squares.body('0', i)}\nconst mean = means[${i}];\nreturn ${which} === 0 ? mean : result / ${length};`
        })
      })
    },

    channelSums(out, x, dY, center) {
      if (x.size === 0) return engine.fill(out, 0)
      const [length, inner] = rowsOf(x)
      withTemporaries(engine, x, (make) => {
        const { arrays, body } = reduction(
          engine,
          make,
          'sum',
          { outer: 2, length, inner },
          {
            arrays: { x, dY, center },
            cell: (which, l, i) => {
              const at = address([l, i], [inner, 1])
              return `(${which} === 0 ? dY[${at}] : dY[${at}] * (x[${at}] - center[${i}]))`
            },
          },
        )
        engine.run(out, [2, inner], { arrays }, ({ at: [which, i] }) => `${body(which, i)}\nreturn result;`)
      })
    },

    normalize(out, x, center, scale, shift) {
      if (x.size === 0) return engine.fill(out, 0)
      const arrays = { x, center, scale, ...(shift && { shift }) }
      engine.run(out, rowsOf(x), { arrays }, ({ flat, at: [, i] }) => {
        return `return (x[${flat}] - center[${i}]) * scale[${i}]${shift ? ` + shift[${i}]` : ''};`
      })
    },

    layerNorm(out, x, gamma, beta, epsilon) {
      if (x.size === 0) return engine.fill(out, 0)
      const [rows, channels] = rowsOf(x)
      withTemporaries(engine, x, (make) => {
        const statistics = rowStatistics(make, x, epsilon)
        const arrays = { x, statistics, ...(gamma && { gamma }), ...(beta && { beta }) }
        engine.run(out, [rows, channels], { arrays }, ({ flat, at: [row, i] }) => {
          const [mean, factor] = [0, 1].map((which) => `statistics[${address([row], [1], which * rows)}]`)
          const unit = `(x[${flat}] - ${mean}) * ${factor}`
          return `return ${unit}${gamma ? ` * gamma[${i}]` : ''}${beta ? ` + beta[${i}]` : ''};`
        })
      })
    },

    // With g = dY·gamma and unit = (x − mean)·factor: dX = factor·(g − mean(g) − unit·mean(g·unit))
    layerNormGradient(out, x, dY, gamma, epsilon) {
      if (x.size === 0) return engine.fill(out, 0)
      const [rows, channels] = rowsOf(x)
      withTemporaries(engine, x, (make) => {
        const statistics = rowStatistics(make, x, epsilon)
        const g = (at: string, i: string): string => `dY[${at}]${gamma ? ` * gamma[${i}]` : ''}`
        const known = { x, dY, statistics, ...(gamma && { gamma }) }
        const ofRow = (row: string): string =>
          `const mean = statistics[${address([row], [1])}];\nconst factor = statistics[${address([row], [1], rows)}];`
        const means = make([2, rows], { arrays: known }, ({ at: [which, row] }) => {
          const cell = (l: string): string => {
            const at = address([row, l], [channels, 1])
            return `(${which} === 0 ? ${g(at, l)} : ${g(at, l)} * (x[${at}] - mean) * factor)`
          }
          return `${ofRow(row)}\n${sumInto('sum', channels, cell)}\nreturn sum / ${channels};`
        })
        engine.run(out, [rows, channels], { arrays: { ...known, means } }, ({ flat, at: [row, i] }) => {
          const [direct, along] = [0, 1].map((which) => `means[${address([row], [1], which * rows)}]`)
          return `${ofRow(row)}\nconst unit = (x[${flat}] - mean) * factor;\nreturn factor * (${g(flat, i)} - ${direct} - unit * ${along});`
        })
      })
    },
  }
}
