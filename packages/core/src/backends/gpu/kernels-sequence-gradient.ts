/**
 * Back through recurrent networks over sequences, from what came out of them: two launches a step (four of a GRU), then one buffer of them all;
 * kernels-sequence.ts says why.
 *
 * A step's first launch gives dZ of the step and, beside it in the same row, what goes on to the states before it without the recurrent product; the second
 * gives dH₋ = (dZ·Uᵀ)∘m plus that. The formulas are those of the ops' derivatives (`lstmSequenceGradient` and its neighbours).
 */
import type { FusedKernels, Operand } from '../backend.js'
import { address } from './addressing.js'
import type { DotOperand } from './dot-source.js'
import type { Engine } from './engine.js'
import { between } from './rules.js'
import {
  assemble,
  counted,
  factor,
  gateBackInto,
  present,
  product,
  type StepView,
  sharedInputs,
  stepProduct,
  stepScalar,
  viewStep,
  zeros,
} from './sequence-steps.js'
import { withTemporaries } from './temporaries.js'

type GradientKernels = Required<Pick<FusedKernels, 'lstmSequenceGradient' | 'gruSequenceGradient' | 'simpleRnnSequenceGradient'>>

const cells = { floatAddresses: true }

/** Rows of a matrix, from a column on. */
const rows =
  (array: string, width: number, first = 0) =>
  (row: string): DotOperand => ({ array, start: { at: [[row, width]], offset: first }, step: 1 })

/** The recurrent weights by their rows, as the columns of a product. */
const transposed: DotOperand = { array: 'weights', start: { at: [] }, step: 1 }

export function sequenceGradientKernels(engine: Engine): GradientKernels {
  return {
    // rows of a step: dZ [4u], dC₋ [u], and what dH₋ gets of a masked step [u]
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
              // the gates' cotangents and values lie at the gates' places among the parts
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
const cellClamped = ${between('cell', -15, 15)};
const squashed = ${part} < 5 ? Math.tanh(cellClamped) : 0;
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
            { rows: n, columns: u, length: 4 * u, a: rows('dZ', 6 * u), b: transposed, columnStep: 4 * u },
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

    // first [n, 3u]: dZ of the update gate, dZ of the candidate, and what goes to h₋ directly; then B = dh̃·U_hᵀ, and dZ as a whole
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
              b: { ...transposed, start: { at: [], offset: 2 * u } },
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
            { rows: n, columns: u, length: 2 * u, a: rows('dZ', 3 * u), b: transposed, columnStep: 3 * u },
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

    // rows of a step: dZ [u], and what dH₋ gets of a masked step [u]
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
            { rows: n, columns: u, length: u, a: rows('dZ', 2 * u), b: transposed, columnStep: u },
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
