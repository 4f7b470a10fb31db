/** The LSTM: one step, a whole sequence, and the sequence's gradient. sequence-steps.ts says how a sequence runs. */
import type { FusedKernels, Operand } from '../../backend.js'
import { type Engine, operandOf } from '../device/engine.js'
import { address } from '../source/addressing.js'
import { between, sigmoidInto, sumInto, tanhInto } from '../source/rules.js'
import {
  assemble,
  cells,
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

export function lstmKernels(engine: Engine): Required<Pick<FusedKernels, 'lstmCell' | 'lstmSequence' | 'lstmSequenceGradient'>> {
  return {
    // Two launches: the gates' pre-activations z [n, 4u], then h' and c' from them, so that no product is computed twice.
    //   i, f, o = σ(z_i, z_f, z_o),  c̃ = tanh(z_c),  c' = f·c + i·c̃,  h' = o·tanh(c')
    lstmCell(out, x, h, c, kernel, recurrentKernel, bias) {
      const [n, inputs] = x.shape
      const units = h.shape[1]
      const z = engine.compute(
        [n, 4 * units],
        { arrays: { x, h, kernel, recurrentKernel, bias } },
        ({ at: [row, gate] }) => `
${sumInto('fromX', inputs, (l) => `x[${address([row, l], [inputs, 1])}] * kernel[${address([l, gate], [4 * units, 1])}]`)}
${sumInto('fromH', units, (l) => `h[${address([row, l], [units, 1])}] * recurrentKernel[${address([l, gate], [4 * units, 1])}]`)}
return fromX + fromH + bias[${gate}];`,
        { axisPerThread: true },
      )
      engine.run(out, [2, n, units], { arrays: { gates: operandOf(z, x, [n, 4 * units]), c } }, ({ at: [which, row, unit] }) => {
        const gate = (g: number) => `gates[${address([row, unit], [4 * units, 1], g * units)}]`
        return `
const zi = ${gate(0)};
const zf = ${gate(1)};
const zc = ${gate(2)};
const zo = ${gate(3)};
${sigmoidInto('i', 'zi')}
${sigmoidInto('f', 'zf')}
${sigmoidInto('o', 'zo')}
${tanhInto('g', 'zc')}
const next = f * c[${address([row, unit], [units, 1])}] + i * g;
${tanhInto('squashed', 'next')}
return ${which} === 0 ? o * squashed : next;`
      })
      engine.release(z)
    },

    // c' = f·c + i·c̃, h' = o·tanh(c')
    lstmSequence(out, [z, h, c, ...others], options) {
      const { weights, dropout, mask } = sharedInputs(others, options)
      const [, t, n, u] = out.shape
      if (out.size === 0) return engine.fill(out, 0)
      withTemporaries(engine, z, (make, release, slot) => {
        let state = initialStep(make, 6, [h, c])
        const steps: Operand[] = []
        for (let s = 0; s < t; s++) {
          const scalars = { step: stepAt(s, t, options) }
          const input = viewStep(engine, slot, z, [n, t, 4 * u], scalars.step)
          const gates = stepProduct(
            engine,
            make,
            { rows: n, columns: 4 * u, length: u, a: hidden(u, dropout), b: column('weights', 4 * u), columnStep: 1 },
            { arrays: present({ z: input.x, state, weights, dropout }), scalars },
            ({ sum, result, column, at }) => `
const ${result}Inner = z[${at(input.outer, 0, input.step)}] + ${sum};
const ${result}Part = Math.floor((${column} + 0.5) / ${u});
${gateInto(`${result}Gate`, `${result}Inner`, options)}
${tanhInto(`${result}Candidate`, `${result}Inner`, `${result}Part === 2`)}
const ${result} = ${result}Part === 2 ? ${result}Candidate : ${result}Gate;`,
          )
          const before = state
          state = make(
            [6, n, u],
            { arrays: present({ gates, state: before, mask }), scalars: stepScalar(mask, s, t, options) },
            ({ at: [part, row, unit] }) => {
              const gate = (g: number) => `gates[${address([row, unit], [4 * u, 1], g * u)}]`
              return `
const next = ${part} < 2 ? ${gate(1)} * state[${address([row, unit], [u, 1], n * u)}] + ${gate(0)} * ${gate(2)} : 0;
${tanhInto('squashed', 'next', `${part} === 0`)}
const stepped = ${part} === 0 ? ${gate(3)} * squashed : next;
const afterStates = ${part} - 2;
const which = ${between('afterStates', 0, 3)};
return ${part} < 2 ? ${counted(mask, row, 'stepped', `state[${address([part, row, unit], [n * u, u, 1])}]`)} : gates[${address([row, 'which', unit], [4 * u, u, 1])}];`
            },
            product,
          )
          steps.push(state)
          release(input.x)
          release(gates)
          if (s === 0) release(before)
        }
        assemble(engine, make, release, out, steps, 6, n * u)
      })
    },

    // A step's buffer has rows dZ [4u], dC₋ [u], and the cotangent that a masked step passes on to h₋ [u].
    lstmSequenceGradient(out, [dY, y, initialC, ...others], options) {
      const { weights, dropout, mask } = sharedInputs(others, options)
      const [, t, n, u] = y.shape
      if (out.size === 0) return engine.fill(out, 0)
      withTemporaries(engine, y, (make, release, slot) => {
        let dH = zeros(make, [n, u], product)
        let later = zeros(make, [n, 6 * u], cells)
        const steps: Operand[] = []
        for (let s = t - 1; s >= 0; s--) {
          const [carriedH, carriedC] = [dH, later]
          const [cotangent, value] = [dY, y].map((x) => viewStep(engine, slot, x, [6, t, n * u], s))
          const earlier = viewStep(engine, slot, y, [6, t, n * u], Math.max(0, s - 1))
          later = make(
            [n, 6, u],
            {
              arrays: present({ dY: cotangent.x, y: value.x, earlier: earlier.x, initialC, carriedH, carriedC, mask }),
              scalars: { taken: s, before: Math.max(0, s - 1), ...stepScalar(mask, s, t, options) },
            },
            ({ at: [row, part, unit] }) => {
              const of = (x: string, view: StepView, which: string, offset = 0, step = 'taken') =>
                `${x}[${address([which, step, row, unit], [view.outer, view.step, u, 1], offset * view.outer)}]`
              const [c, i, f, g, o] = ['1', '2', '3', '4', '5'].map((which) => of('y', value, which))
              // Among the parts, the gates' values and cotangents stand in the gates' order.
              return `
const gatePart = ${part} + 2;
const which = ${between('gatePart', 2, 5)};
const earlierC = ${of('earlier', earlier, '1', 0, 'before')};
const initial = initialC[${address([row, unit], [u, 1])}];
const oldC = taken > 0 ? earlierC : initial;
const allH = ${of('dY', cotangent, '0')} + carriedH[${address([row, unit], [u, 1])}];
const allC = ${of('dY', cotangent, '1')} + carriedC[${address([row, unit], [6 * u, 1], 4 * u)}];
const ownH = ${counted(mask, row, 'allH', '0')};
const ownC = ${counted(mask, row, 'allC', '0')};
const cell = ${c};
${tanhInto('squashed', 'cell', `${part} < 5`)}
const dCell = ownC + ownH * ${o} * (1 - squashed * squashed);
const through = ${part} === 0 ? dCell * ${g} : (${part} === 1 ? dCell * oldC : (${part} === 2 ? dCell * ${i} : ownH * squashed));
const gate = ${of('y', value, 'which')};
const toGate = ${of('dY', cotangent, 'which')} + through;
${gateBackInto('dGate', 'toGate', 'gate', options)}
const dZ = ${part} === 2 ? toGate * (1 - gate * gate) : dGate;
const dC = dCell * ${f} + ${counted(mask, row, '0', 'allC')};
return ${part} < 4 ? dZ : (${part} === 4 ? dC : ${counted(mask, row, '0', 'allH')});`
            },
            product,
          )
          dH = stepProduct(
            engine,
            make,
            { rows: n, columns: u, length: 4 * u, a: rows('dZ', 6 * u), b: transposed(), columnStep: 4 * u },
            { arrays: present({ dZ: later, weights, dropout }) },
            ({ sum, result, at }) => `const ${result} = ${sum}${factor(dropout, at(u))} + dZ[${at(6 * u, 5 * u)}];`,
          )
          steps.unshift(later)
          for (const x of [cotangent.x, value.x, earlier.x, carriedH]) release(x)
          if (s === t - 1) release(carriedC)
        }
        const last = make(
          [n, 6 * u],
          { arrays: { dH, later } },
          ({ at: [row, column] }) => `
const part = Math.floor((${column} + 0.5) / ${u});
const unit = ${column} - part * ${u};
const h = dH[${address([row, 'unit'], [u, 1])}];
const c = later[${address([row, 'unit'], [6 * u, 1], 4 * u)}];
return part === 0 ? h : (part === 1 ? c : 0);`,
          cells,
        )
        assemble(engine, make, release, out, [...steps, last], 1, 4 * u, 6 * u)
      })
    },
  }
}
