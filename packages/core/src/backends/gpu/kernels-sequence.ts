/**
 * Recurrent networks over whole sequences, forward. A launch cannot loop over the steps, since the threads of a device do not wait for each other
 * inside one: so each step is two launches (the product with the recurrent weights, then the cell; a GRU takes three, a simple network one), and the
 * steps are put together in the end. The composition of the ops would take some twenty a step. The number of the step is an argument, so that all
 * steps share their kernels.
 *
 * A step's buffer is laid out as the output is, [parts, n, u], the states first, so that the next step reads them there.
 */
import type { FusedKernels, Operand } from '../backend.js'
import { address } from './addressing.js'
import type { Engine } from './engine.js'
import { sumInto, tanhInto } from './rules.js'
import { assemble, counted, factor, gateInto, present, sharedInputs, stepAt, stepScalar } from './sequence-steps.js'
import { type Make, withTemporaries } from './temporaries.js'

type SequenceKernels = Required<Pick<FusedKernels, 'lstmSequence' | 'gruSequence' | 'simpleRnnSequence'>>

const product = { axisPerThread: true, floatAddresses: true }
const cells = { floatAddresses: true }

/** The expression of one of several names by the number of a part. */
const choose = (part: string, names: readonly string[]): string =>
  names.reduceRight((rest, name, i) => (rest === '' ? name : `(${part} === ${i} ? ${name} : ${rest})`), '')

/** A step's buffer of which only the states are read, [parts, n, u]. */
const initialStep = (make: Make, parts: number, states: readonly Operand[]): Operand =>
  make([parts, ...states[0].shape], { arrays: Object.fromEntries(states.map((x, i) => [`state${i}`, x])) }, ({ at: [part, ...cell] }) => {
    const [, units] = states[0].shape
    const values = states.map((_, i) => `state${i}[${address(cell, [units, 1])}]`)
    return `return ${choose(part, values)};`
  })

export function sequenceKernels(engine: Engine): SequenceKernels {
  return {
    // c' = f·c + i·c̃, h' = o·tanh(c')
    lstmSequence(out, [z, h, c, ...others], options) {
      const { weights, dropout, mask } = sharedInputs(others, options)
      const [, t, n, u] = out.shape
      if (out.size === 0) return engine.fill(out, 0)
      withTemporaries(engine, z, (make, release) => {
        let state = initialStep(make, 6, [h, c])
        const steps: Operand[] = []
        for (let s = 0; s < t; s++) {
          const scalars = { step: stepAt(s, t, options) }
          const gates = make(
            [n, 4 * u],
            { arrays: present({ z, state, weights, dropout }), scalars },
            ({ at: [row, gate] }) => {
              const hidden = (l: string): string => address([row, l], [u, 1])
              const at = (l: string) => `state[${hidden(l)}]${factor(dropout, hidden(l))} * weights[${address([l, gate], [4 * u, 1])}]`
              return `${sumInto('sum', u, at)}\nreturn z[${address([row, 'step', gate], [t * 4 * u, 4 * u, 1])}] + sum;`
            },
            product,
          )
          const before = state
          state = make(
            [6, n, u],
            { arrays: present({ gates, state: before, mask }), scalars: stepScalar(mask, s, t, options) },
            ({ at: [part, row, unit] }) => {
              const gate = (g: number) => `gates[${address([row, unit], [4 * u, 1], g * u)}]`
              const old = (p: number) => `state[${address([row, unit], [u, 1], p * n * u)}]`
              return `
const zi = ${gate(0)};
const zf = ${gate(1)};
const zc = ${gate(2)};
const zo = ${gate(3)};
${gateInto('i', 'zi', options)}
${gateInto('f', 'zf', options)}
${gateInto('o', 'zo', options)}
${tanhInto('g', 'zc')}
const oldH = ${old(0)};
const oldC = ${old(1)};
const next = f * oldC + i * g;
${tanhInto('squashed', 'next')}
const newC = ${counted(mask, row, 'next', 'oldC')};
const stepped = o * squashed;
const newH = ${counted(mask, row, 'stepped', 'oldH')};
return ${choose(part, ['newH', 'newC', 'i', 'f', 'g', 'o'])};`
            },
            cells,
          )
          steps.push(state)
          release(gates)
          if (s === 0) release(before)
        }
        assemble(engine, make, release, out, steps, 6, n * u)
      })
    },

    // h' = z·h + (1 − z)·h̃ with h̃ = tanh(x_h + (r·h)·U_h), the reset before the product
    gruSequence(out, [z, h, ...others], options) {
      const { weights, dropout, mask } = sharedInputs(others, options)
      const [, t, n, u] = out.shape
      if (out.size === 0) return engine.fill(out, 0)
      withTemporaries(engine, z, (make, release) => {
        let state = initialStep(make, 4, [h])
        const steps: Operand[] = []
        const input = (row: string, column: string, offset = 0) => `z[${address([row, 'step', column], [t * 3 * u, 3 * u, 1], offset)}]`
        for (let s = 0; s < t; s++) {
          const scalars = { step: stepAt(s, t, options) }
          const gates = make(
            [n, 2 * u],
            { arrays: present({ z, state, weights, dropout }), scalars },
            ({ at: [row, gate] }) => {
              const hidden = (l: string): string => address([row, l], [u, 1])
              const at = (l: string) => `state[${hidden(l)}]${factor(dropout, hidden(l))} * weights[${address([l, gate], [3 * u, 1])}]`
              return `${sumInto('sum', u, at)}\nconst inner = ${input(row, gate)} + sum;\n${gateInto('gate', 'inner', options)}\nreturn gate;`
            },
            product,
          )
          const candidates = make(
            [n, u],
            { arrays: present({ z, state, gates, weights, dropout }), scalars },
            ({ at: [row, unit] }) => {
              const hidden = (l: string): string => address([row, l], [u, 1])
              const at = (l: string) =>
                `gates[${address([row, l], [2 * u, 1], u)}] * state[${hidden(l)}]${factor(dropout, hidden(l))} * weights[${address([l, unit], [3 * u, 1], 2 * u)}]`
              return `${sumInto('sum', u, at)}\nconst inner = ${input(row, unit, 2 * u)} + sum;\n${tanhInto('squashed', 'inner')}\nreturn squashed;`
            },
            product,
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
          release(gates)
          release(candidates)
          if (s === 0) release(before)
        }
        assemble(engine, make, release, out, steps, 4, n * u)
      })
    },

    // h' = tanh(x + h·U)
    simpleRnnSequence(out, [z, h, ...others], options) {
      const { weights, dropout, mask } = sharedInputs(others, options)
      const [, t, n, u] = out.shape
      if (out.size === 0) return engine.fill(out, 0)
      withTemporaries(engine, z, (make, release) => {
        let state = h
        const steps: Operand[] = []
        for (let s = 0; s < t; s++) {
          state = make(
            [n, u],
            { arrays: present({ z, state, weights, dropout, mask }), scalars: { step: stepAt(s, t, options) } },
            ({ at: [row, unit] }) => {
              const hidden = (l: string): string => address([row, l], [u, 1])
              const at = (l: string) => `state[${hidden(l)}]${factor(dropout, hidden(l))} * weights[${address([l, unit], [u, 1])}]`
              return `
${sumInto('sum', u, at)}
const inner = z[${address([row, 'step', unit], [t * u, u, 1])}] + sum;
${tanhInto('squashed', 'inner')}
const oldH = state[${hidden(unit)}];
return ${counted(mask, row, 'squashed', 'oldH')};`
            },
            product,
          )
          steps.push(state)
        }
        assemble(engine, make, release, out, steps, 1, n * u)
      })
    },
  }
}
