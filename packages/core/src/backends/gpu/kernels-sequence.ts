/**
 * Recurrent networks over whole sequences, forward. A launch cannot loop over the steps, since the threads of a device do not wait for each other
 * inside one: so each step is two launches (the gates from the product with the recurrent weights, then the states; a GRU takes three, a simple network one), and the
 * steps are put together in the end. The composition of the ops would take some twenty a step. The number of the step is an argument, so that all
 * steps share their kernels.
 *
 * A step's buffer is laid out as the output is, [parts, n, u], the states first, so that the next step reads them there.
 */
import type { FusedKernels, Operand } from '../backend.js'
import { address } from './addressing.js'
import type { DotOperand } from './dot-source.js'
import type { Engine } from './engine.js'
import { between, tanhInto } from './rules.js'
import { assemble, counted, gateInto, present, product, sharedInputs, stepAt, stepProduct, stepScalar, viewStep } from './sequence-steps.js'
import { type Make, withTemporaries } from './temporaries.js'

type SequenceKernels = Required<Pick<FusedKernels, 'lstmSequence' | 'gruSequence' | 'simpleRnnSequence'>>

const cells = { floatAddresses: true }

/** The states before, times dropout factors if there are any: rows of a step's product. */
const hidden =
  (units: number, dropout: Operand | undefined) =>
  (row: string): DotOperand => {
    const start = { at: [[row, units] as const] }
    return { array: 'state', start, step: 1, times: dropout && { array: 'dropout', start, step: 1 } }
  }

/** A matrix by its columns, from one on. */
const column = (array: string, width: number, first = 0): DotOperand => ({ array, start: { at: [], offset: first }, step: width })

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
const ${result}Clamped = ${between(`${result}Inner`, -15, 15)};
const ${result} = ${result}Part === 2 ? Math.tanh(${result}Clamped) : ${result}Gate;`,
          )
          const before = state
          state = make(
            [6, n, u],
            { arrays: present({ gates, state: before, mask }), scalars: stepScalar(mask, s, t, options) },
            ({ at: [part, row, unit] }) => {
              const gate = (g: number) => `gates[${address([row, unit], [4 * u, 1], g * u)}]`
              return `
const next = ${part} < 2 ? ${gate(1)} * state[${address([row, unit], [u, 1], n * u)}] + ${gate(0)} * ${gate(2)} : 0;
const nextClamped = ${between('next', -15, 15)};
const stepped = ${part} === 0 ? ${gate(3)} * Math.tanh(nextClamped) : next;
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

    // h' = z·h + (1 − z)·h̃ with h̃ = tanh(x_h + (r·h)·U_h), the reset before the product
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
  }
}
