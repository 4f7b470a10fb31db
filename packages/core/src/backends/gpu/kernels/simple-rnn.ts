/** The simple recurrent network over a sequence, and its gradient. sequence-steps.ts says how a sequence runs. */
import type { FusedKernels, Operand } from '../../backend.js'
import type { Engine } from '../device/engine.js'
import { address } from '../source/addressing.js'
import { tanhInto } from '../source/rules.js'
import {
  assemble,
  cells,
  column,
  counted,
  factor,
  hidden,
  present,
  product,
  rows,
  sharedInputs,
  stepAt,
  stepProduct,
  stepScalar,
  transposed,
  viewStep,
  zeros,
} from './sequence-steps.js'
import { withTemporaries } from './temporaries.js'

export function simpleRnnKernels(engine: Engine): Required<Pick<FusedKernels, 'simpleRnnSequence' | 'simpleRnnSequenceGradient'>> {
  return {
    // h' = tanh(x + h·U)
    simpleRnnSequence(out, [z, h, ...others], options) {
      const { weights, dropout, mask } = sharedInputs(others, options)
      const [, t, n, u] = out.shape
      if (out.size === 0) return engine.fill(out, 0)
      withTemporaries(engine, z, (make, release, slot) => {
        let state = h
        const steps: Operand[] = []
        for (let s = 0; s < t; s++) {
          const scalars = { step: stepAt(s, t, options) }
          const input = viewStep(engine, slot, z, [n, t, u], scalars.step)
          state = stepProduct(
            engine,
            make,
            { rows: n, columns: u, length: u, a: hidden(u, dropout), b: column('weights', u), columnStep: 1 },
            { arrays: present({ z: input.x, state, weights, dropout, mask }), scalars },
            ({ sum, result, at, row }) => `
const ${result}Inner = z[${at(input.outer, 0, input.step)}] + ${sum};
${tanhInto(`${result}New`, `${result}Inner`)}
const ${result}Old = state[${at(u)}];
const ${result} = ${counted(mask, row, `${result}New`, `${result}Old`)};`,
          )
          steps.push(state)
          release(input.x)
        }
        assemble(engine, make, release, out, steps, 1, n * u)
      })
    },

    // A step's buffer has rows dZ [u], and the cotangent that a masked step passes on to h₋ [u].
    simpleRnnSequenceGradient(out, [dY, y, ...others], options) {
      const { weights, dropout, mask } = sharedInputs(others, options)
      const [, t, n, u] = y.shape
      if (out.size === 0) return engine.fill(out, 0)
      withTemporaries(engine, y, (make, release, slot) => {
        let dH = zeros(make, [n, u], product)
        const steps: Operand[] = []
        for (let s = t - 1; s >= 0; s--) {
          const carried = dH
          const [cotangent, value] = [dY, y].map((x) => viewStep(engine, slot, x, [1, t, n * u], s))
          const dZ = make(
            [n, 2 * u],
            { arrays: present({ dY: cotangent.x, y: value.x, carried, mask }), scalars: { taken: s, ...stepScalar(mask, s, t, options) } },
            ({ at: [row, column] }) => `
const part = Math.floor((${column} + 0.5) / ${u});
const unit = ${column} - part * ${u};
const h = y[${address(['taken', row, 'unit'], [value.step, u, 1])}];
const all = dY[${address(['taken', row, 'unit'], [cotangent.step, u, 1])}] + carried[${address([row, 'unit'], [u, 1])}];
const own = ${counted(mask, row, 'all', '0')};
return part === 0 ? own * (1 - h * h) : ${counted(mask, row, '0', 'all')};`,
            cells,
          )
          dH = stepProduct(
            engine,
            make,
            { rows: n, columns: u, length: u, a: rows('dZ', 2 * u), b: transposed(), columnStep: u },
            { arrays: present({ dZ, weights, dropout }) },
            ({ sum, result, at }) => `const ${result} = ${sum}${factor(dropout, at(u))} + dZ[${at(2 * u, u)}];`,
          )
          steps.unshift(dZ)
          for (const x of [cotangent.x, value.x, carried]) release(x)
        }
        const last = make(
          [n, 2 * u],
          { arrays: { dH } },
          ({ at: [row, column] }) => {
            const value = `dH[${address([row, 'unit'], [u, 1])}]`
            return `
const part = Math.floor((${column} + 0.5) / ${u});
const unit = ${column} - part * ${u};
const h = ${value};
return part === 0 ? h : 0;`
          },
          cells,
        )
        assemble(engine, make, release, out, [...steps, last], 1, u, 2 * u)
      })
    },
  }
}
