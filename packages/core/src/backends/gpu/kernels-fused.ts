/** Fused kernels: one LSTM step and optimizer programs. (conv2d stands with the windows.) */
import type { FusedKernels, Operand, UpdateProgram, UpdateValue } from '../backend.js'
import { address } from './addressing.js'
import type { Handle } from './device.js'
import { type Engine, operandOf } from './engine.js'
import { sigmoidInto, sumInto, tanhInto } from './rules.js'
import { updateSources } from './scalar-sources.js'

/** The steps that a result needs, in order: what other slots need is not computed. */
function neededSteps(program: UpdateProgram, result: number): number[] {
  const needed = new Set<number>()
  const visit = (step: number): void => {
    needed.add(step)
    for (const value of program.steps[step].arguments) if ('step' in value) visit(value.step)
  }
  visit(result)
  return [...needed].sort((a, b) => a - b)
}

export function fusedKernels(engine: Engine): Required<Pick<FusedKernels, 'lstmCell' | 'update'>> {
  return {
    // Two launches: the gates' pre-activations z [n, 4u], then h' and c' from them, so that no product is computed twice.
    //   i, f, o = σ(z_i, z_f, z_o),  g = tanh(z_c),  c' = f·c + i·g,  h' = o·tanh(c')
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

    // one launch per slot over the values the slots had before; they change together at the end
    update(targets, program, scalars) {
      for (const { slots, inputs } of targets) {
        const results: Handle[] = program.results.map((result) => {
          const steps = neededSteps(program, result)
          const arrays: Record<string, Operand> = {}
          const numbers: Record<string, number> = {}
          const nameOf = (value: UpdateValue): string => {
            if ('step' in value) return `step${value.step}`
            if ('scalar' in value) {
              numbers[`scalar${value.scalar}`] = scalars[value.scalar]
              return `scalar${value.scalar}`
            }
            const [name, operand] =
              'slot' in value ? [`slot${value.slot}`, slots[value.slot]] : [`input${value.input}`, inputs[value.input]]
            arrays[name] = operand
            return name
          }
          // names are collected first: the parameters must be known before the body is asked for
          for (const step of steps) for (const value of program.steps[step].arguments) nameOf(value)
          return engine.compute(
            [slots[0].size],
            { arrays: Object.fromEntries(Object.entries(arrays).map(([name, x]) => [`${name}Values`, x])), scalars: numbers },
            ({ flat }) => {
              const lines = Object.keys(arrays).map((name) => `const ${name} = ${name}Values[${flat}];`)
              for (const step of steps) {
                const { kernel, arguments: values } = program.steps[step]
                const [a, b = a] = values.map(nameOf)
                lines.push(`const step${step} = ${updateSources[kernel](a, b)};`)
              }
              return [...lines, `return step${result};`].join('\n')
            },
          )
        })
        slots.forEach((slot, i) => {
          engine.swapIn(slot, results[i])
        })
      }
    },
  }
}
