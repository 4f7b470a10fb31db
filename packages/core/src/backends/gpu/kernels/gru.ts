/** The GRU with the reset before the product, over a sequence, and its gradient. sequence-steps.ts says how a sequence runs. */
import type { FusedKernels, Operand } from '../../backend.js'
import type { Engine } from '../device/engine.js'
import { address } from '../source/addressing.js'
import { tanhInto } from '../source/rules.js'
import {
  assemble,
  cells,
  choose,
  column,
  counted,
  factor,
  gateBackInto,
  gateInto,
  hidden,
  initialStep,
  present,
  product,
  rows,
  type StepView,
  sharedInputs,
  stepAt,
  stepProduct,
  stepScalar,
  transposed,
  viewStep,
  zeros,
} from './sequence-steps.js'
import { withTemporaries } from './temporaries.js'

export function gruKernels(engine: Engine): Required<Pick<FusedKernels, 'gruSequence' | 'gruSequenceGradient'>> {
  return {
    // h̃ = tanh(x_h + (r·h)·U_h),  h' = z·h + (1 − z)·h̃
    gruSequence(out, [z, h, ...others], options) {
      const { weights, dropout, mask } = sharedInputs(others, options)
      const [, t, n, u] = out.shape
      if (out.size === 0) return engine.fill(out, 0)
      withTemporaries(engine, z, (make, release, slot) => {
        let state = initialStep(make, 4, [h])
        const steps: Operand[] = []
        for (let s = 0; s < t; s++) {
          const scalars = { step: stepAt(s, t, options) }
          const input = viewStep(engine, slot, z, [n, t, 3 * u], scalars.step)
          const gates = stepProduct(
            engine,
            make,
            { rows: n, columns: 2 * u, length: u, a: hidden(u, dropout), b: column('weights', 3 * u), columnStep: 1 },
            { arrays: present({ z: input.x, state, weights, dropout }), scalars },
            ({ sum, result, at }) =>
              `const ${result}Inner = z[${at(input.outer, 0, input.step)}] + ${sum};\n${gateInto(result, `${result}Inner`, options)}`,
          )
          const reset = (row: string) => ({
            array: 'gates',
            start: { at: [[row, 2 * u] as const], offset: u },
            step: 1,
            times: hidden(u, dropout)(row),
          })
          const candidates = stepProduct(
            engine,
            make,
            { rows: n, columns: u, length: u, a: reset, b: column('weights', 3 * u, 2 * u), columnStep: 1 },
            { arrays: present({ z: input.x, state, gates, weights, dropout }), scalars },
            ({ sum, result, at }) =>
              `const ${result}Inner = z[${at(input.outer, 2 * u, input.step)}] + ${sum};\n${tanhInto(result, `${result}Inner`)}`,
          )
          const before = state
          state = make(
            [4, n, u],
            { arrays: present({ gates, candidates, state: before, mask }), scalars: stepScalar(mask, s, t, options) },
            ({ at: [part, row, unit] }) => `
const update = gates[${address([row, unit], [2 * u, 1])}];
const reset = gates[${address([row, unit], [2 * u, 1], u)}];
const candidate = candidates[${address([row, unit], [u, 1])}];
const oldH = state[${address([row, unit], [u, 1])}];
const mixed = update * oldH + (1 - update) * candidate;
const newH = ${counted(mask, row, 'mixed', 'oldH')};
return ${choose(part, ['newH', 'update', 'reset', 'candidate'])};`,
            cells,
          )
          steps.push(state)
          release(input.x)
          release(gates)
          release(candidates)
          if (s === 0) release(before)
        }
        assemble(engine, make, release, out, steps, 4, n * u)
      })
    },

    // The first launch gives [n, 3u]: dZ of the update gate, dZ of the candidate, and the cotangent that reaches h₋ directly. Then come B = dh̃·U_hᵀ, and all of dZ.
    gruSequenceGradient(out, [dY, y, initial, ...others], options) {
      const { weights, dropout, mask } = sharedInputs(others, options)
      const [, t, n, u] = y.shape
      if (out.size === 0) return engine.fill(out, 0)
      const cell = (x: string, view: StepView, part: number, row: string, unit: string, step = 'taken') =>
        `${x}[${address([step, row, unit], [view.step, u, 1], part * view.outer)}]`
      withTemporaries(engine, y, (make, release, slot) => {
        let dH = zeros(make, [n, u], product)
        const steps: Operand[] = []
        for (let s = t - 1; s >= 0; s--) {
          const carried = dH
          const [cotangent, value] = [dY, y].map((x) => viewStep(engine, slot, x, [4, t, n * u], s))
          const earlier = viewStep(engine, slot, y, [4, t, n * u], Math.max(0, s - 1))
          const sequences = { dY: cotangent.x, y: value.x, earlier: earlier.x, initial }
          const before = (row: string, unit: string) => `
const earlierH = ${cell('earlier', earlier, 0, row, unit, 'before')};
const initialH = initial[${address([row, unit], [u, 1])}];
const oldH = taken > 0 ? earlierH : initialH;`
          const scalars = { taken: s, before: Math.max(0, s - 1), ...stepScalar(mask, s, t, options) }
          const direct = make(
            [n, 3 * u],
            { arrays: present({ ...sequences, carried, mask }), scalars },
            ({ at: [row, column] }) => `
const part = Math.floor((${column} + 0.5) / ${u});
const unit = ${column} - part * ${u};
const z = ${cell('y', value, 1, row, 'unit')};
const candidate = ${cell('y', value, 3, row, 'unit')};
${before(row, 'unit')}
const all = ${cell('dY', cotangent, 0, row, 'unit')} + carried[${address([row, 'unit'], [u, 1])}];
const own = ${counted(mask, row, 'all', '0')};
const toZ = ${cell('dY', cotangent, 1, row, 'unit')} + own * (oldH - candidate);
${gateBackInto('dUpdate', 'toZ', 'z', options)}
const dCandidate = (${cell('dY', cotangent, 3, row, 'unit')} + own * (1 - z)) * (1 - candidate * candidate);
const passed = own * z + ${counted(mask, row, '0', 'all')};
return part === 0 ? dUpdate : (part === 1 ? dCandidate : passed);`,
            cells,
          )
          const dOperand = stepProduct(
            engine,
            make,
            {
              rows: n,
              columns: u,
              length: u,
              a: rows('direct', 3 * u, u),
              b: transposed(2 * u),
              columnStep: 3 * u,
            },
            { arrays: { direct, weights } },
            ({ sum, result }) => `const ${result} = ${sum};`,
          )
          const dZ = make(
            [n, 3 * u],
            { arrays: present({ direct, dOperand, ...sequences, dropout }), scalars: { taken: s, before: Math.max(0, s - 1) } },
            ({ at: [row, column] }) => `
const part = Math.floor((${column} + 0.5) / ${u});
const unit = ${column} - part * ${u};
const r = ${cell('y', value, 2, row, 'unit')};
${before(row, 'unit')}
const toR = ${cell('dY', cotangent, 2, row, 'unit')} + dOperand[${address([row, 'unit'], [u, 1])}] * oldH${factor(dropout, address([row, 'unit'], [u, 1]))};
${gateBackInto('dReset', 'toR', 'r', options)}
const dUpdate = direct[${address([row, 'unit'], [3 * u, 1])}];
const dCandidate = direct[${address([row, 'unit'], [3 * u, 1], u)}];
return part === 0 ? dUpdate : (part === 1 ? dReset : dCandidate);`,
            cells,
          )
          dH = stepProduct(
            engine,
            make,
            { rows: n, columns: u, length: 2 * u, a: rows('dZ', 3 * u), b: transposed(), columnStep: 3 * u },
            { arrays: present({ dZ, dOperand, direct, y: value.x, weights, dropout }), scalars: { step: s } },
            ({ sum, result, at }) => `
const ${result}Through = dOperand[${at(u)}] * y[${at(u, 2 * value.outer, value.step)}] + ${sum};
const ${result} = ${result}Through${factor(dropout, at(u))} + direct[${at(3 * u, 2 * u)}];`,
          )
          steps.unshift(dZ)
          for (const x of [carried, direct, dOperand, cotangent.x, value.x, earlier.x]) release(x)
        }
        const final = dH
        const last = make(
          [n, 3 * u],
          { arrays: { final } },
          ({ at: [row, column] }) => `
const part = Math.floor((${column} + 0.5) / ${u});
const unit = ${column} - part * ${u};
const h = final[${address([row, 'unit'], [u, 1])}];
return part === 0 ? h : 0;`,
          cells,
        )
        assemble(engine, make, release, out, [...steps, last], 1, 3 * u)
      })
    },
  }
}
