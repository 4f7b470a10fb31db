/** Optimizer programs (update.ts in core): one launch for each slot computes all steps that the slot needs. */
import type { FusedKernels, Operand, UpdateProgram, UpdateValue } from '../../backend.js'
import type { Handle } from '../device/device.js'
import type { Engine } from '../device/engine.js'
import { updateSources } from '../source/scalar.js'

/** The steps that a result depends on, in order. Steps that only other slots need are left out. */
function neededSteps(program: UpdateProgram, result: number): number[] {
  const needed = new Set<number>()
  const visit = (step: number): void => {
    needed.add(step)
    for (const value of program.steps[step].arguments) if ('step' in value) visit(value.step)
  }
  visit(result)
  return [...needed].sort((a, b) => a - b)
}

export function updateKernels(engine: Engine): Required<Pick<FusedKernels, 'update'>> {
  return {
    // Each launch reads the values the slots had before; the slots change together at the end.
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
          // Names are collected first: the parameters must be known before the body is asked for.
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
