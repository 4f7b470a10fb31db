/**
 * The GRU with the reset after the product, over a sequence, and its gradient. sequence-steps.ts says how a sequence runs.
 *
 * There is one recurrent product, q = h₋·U + b, for all three gates. So a step takes two launches, forward and backward.
 */
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

export function gruResetAfterKernels(
  engine: Engine,
): Required<Pick<FusedKernels, 'gruResetAfterSequence' | 'gruResetAfterSequenceGradient'>> {
  return {
    // z, r = σ(x + q), each of its part of x and q;  h̃ = tanh(x_h + r·q_h),  h' = z·h + (1 − z)·h̃
    gruResetAfterSequence(out, [z, h, recurrent, bias, ...rest], options) {
      const { weights, dropout, mask } = sharedInputs([recurrent, ...rest], options)
      const [, t, n, u] = out.shape
      if (out.size === 0) return engine.fill(out, 0)
      withTemporaries(engine, z, (make, release, slot) => {
        let state = initialStep(make, 5, [h])
        const steps: Operand[] = []
        for (let s = 0; s < t; s++) {
          const scalars = { step: stepAt(s, t, options) }
          const input = viewStep(engine, slot, z, [n, t, 3 * u], scalars.step)
          const products = stepProduct(
            engine,
            make,
            { rows: n, columns: 3 * u, length: u, a: hidden(u, dropout), b: column('weights', 3 * u), columnStep: 1 },
            { arrays: present({ state, weights, bias, dropout }) },
            ({ sum, result, column }) => `const ${result} = ${sum} + bias[${column}];`,
          )
          const before = state
          state = make(
            [5, n, u],
            { arrays: present({ z: input.x, products, state: before, mask }), scalars },
            ({ at: [part, row, unit] }) => {
              const x = (gate: number) => `z[${address([row, 'step', unit], [input.outer, input.step, 1], gate * u)}]`
              const q = (gate: number) => `products[${address([row, unit], [3 * u, 1], gate * u)}]`
              return `
const intoUpdate = ${x(0)} + ${q(0)};
${gateInto('update', 'intoUpdate', options)}
const intoReset = ${x(1)} + ${q(1)};
${gateInto('reset', 'intoReset', options)}
const q = ${q(2)};
const intoCandidate = ${x(2)} + reset * q;
${tanhInto('candidate', 'intoCandidate')}
const oldH = state[${address([row, unit], [u, 1])}];
const mixed = update * oldH + (1 - update) * candidate;
const newH = ${counted(mask, row, 'mixed', 'oldH')};
return ${choose(part, ['newH', 'update', 'reset', 'candidate', 'q'])};`
            },
            cells,
          )
          steps.push(state)
          release(input.x)
          release(products)
          if (s === 0) release(before)
        }
        assemble(engine, make, release, out, steps, 5, n * u)
      })
    },

    // A step's buffer has rows dz, dr, dh̃, dq, and the cotangent that reaches h₋ directly, [u] each.
    gruResetAfterSequenceGradient(out, [dY, y, initial, ...others], options) {
      const { weights, dropout, mask } = sharedInputs(others, options)
      const [, t, n, u] = y.shape
      if (out.size === 0) return engine.fill(out, 0)
      withTemporaries(engine, y, (make, release, slot) => {
        let dH = zeros(make, [n, u], product)
        const steps: Operand[] = []
        for (let s = t - 1; s >= 0; s--) {
          const carried = dH
          const [cotangent, value] = [dY, y].map((x) => viewStep(engine, slot, x, [5, t, n * u], s))
          const earlier = viewStep(engine, slot, y, [5, t, n * u], Math.max(0, s - 1))
          const dZ = make(
            [n, 5, u],
            {
              arrays: present({ dY: cotangent.x, y: value.x, earlier: earlier.x, initial, carried, mask }),
              scalars: { taken: s, before: Math.max(0, s - 1), ...stepScalar(mask, s, t, options) },
            },
            ({ at: [row, part, unit] }) => {
              const of = (x: string, view: StepView, which: number, when = 'taken') =>
                `${x}[${address([when, row, unit], [view.step, u, 1], which * view.outer)}]`
              const d = (which: number) => of('dY', cotangent, which)
              const [update, reset, candidate, q] = [1, 2, 3, 4].map((which) => of('y', value, which))
              return `
const update = ${update};
const reset = ${reset};
const candidate = ${candidate};
const earlierH = ${of('earlier', earlier, 0, 'before')};
const initialH = initial[${address([row, unit], [u, 1])}];
const oldH = taken > 0 ? earlierH : initialH;
const all = ${d(0)} + carried[${address([row, unit], [u, 1])}];
const own = ${counted(mask, row, 'all', '0')};
const toUpdate = ${d(1)} + own * (oldH - candidate);
${gateBackInto('dUpdate', 'toUpdate', 'update', options)}
const dCandidate = (${d(3)} + own * (1 - update)) * (1 - candidate * candidate);
const toReset = ${d(2)} + dCandidate * ${q};
${gateBackInto('dReset', 'toReset', 'reset', options)}
const dProduct = ${d(4)} + dCandidate * reset;
const passed = own * update + ${counted(mask, row, '0', 'all')};
return ${choose(part, ['dUpdate', 'dReset', 'dCandidate', 'dProduct', 'passed'])};`
            },
            cells,
          )
          // (dz, dr, dq)·Uᵀ
          const gates = { length: 2 * u, a: rows('dZ', 5 * u), b: transposed() }
          const candidate = { length: u, a: rows('dZ', 5 * u, 3 * u), b: transposed(2 * u) }
          dH = stepProduct(
            engine,
            make,
            { rows: n, columns: u, columnStep: 3 * u, ...gates, also: candidate },
            { arrays: present({ dZ, weights, dropout }) },
            ({ sum, result, at }) => `const ${result} = ${sum}${factor(dropout, at(u))} + dZ[${at(5 * u, 4 * u)}];`,
          )
          steps.unshift(dZ)
          for (const x of [cotangent.x, value.x, earlier.x, carried]) release(x)
        }
        const last = make(
          [n, 5, u],
          { arrays: { dH } },
          ({ at: [row, part, unit] }) => `
const h = dH[${address([row, unit], [u, 1])}];
return ${part} === 0 ? h : 0;`,
          cells,
        )
        assemble(engine, make, release, out, [...steps, last], 1, 4 * u, 5 * u)
      })
    },
  }
}
