/**
 * Optimizer programs compiled to one loop: every slot and input is read once, every slot written once, in place. Programs are
 * cached under their names.
 */
import type { FusedKernels, UpdateProgram, UpdateValue } from '../backend.js'
import type { FunctionBuilder, Local, ModuleBuilder } from './assembler.js'
import { entry } from './caching.js'
import { storeSome } from './elements.js'
import type { Engine, KernelFunction } from './engine.js'
import { f32x4, i32, v128 } from './instructions.js'
import { floatFunctions } from './map.js'
import { address } from './operand.js'
import { floatZips } from './zip.js'

/** Writes `kernel(n, slots…, inputs…, scalars…)`. */
function emitUpdate(module: ModuleBuilder, program: UpdateProgram, slotCount: number, inputCount: number, scalarCount: number): void {
  const parameters: Record<string, 'i32' | 'f32'> = { n: 'i32' }
  for (let i = 0; i < slotCount; i++) parameters[`slot${i}`] = 'i32'
  for (let i = 0; i < inputCount; i++) parameters[`input${i}`] = 'i32'
  for (let i = 0; i < scalarCount; i++) parameters[`scalar${i}`] = 'f32'
  module.export('kernel', parameters, null, (f, p) => {
    const n = p.n as Local<'i32'>
    const slots = Array.from({ length: slotCount }, (_, i) => p[`slot${i}`] as Local<'i32'>)
    const inputs = Array.from({ length: inputCount }, (_, i) => p[`input${i}`] as Local<'i32'>)
    const scalars = Array.from({ length: scalarCount }, (_, i) => f.let(f32x4.splat(p[`scalar${i}`] as Local<'f32'>)))
    const four = (): Local<'v128'>[] => emitProgram(f, program, slots, inputs, scalars)
    f.while(i32.geS(n, 4), () => {
      four().forEach((value, i) => {
        f.do(v128.store(slots[i], value))
      })
      for (const pointer of [...slots, ...inputs]) f.advance(pointer, 16)
      f.advance(n, -4)
    })
    f.if(n, () => {
      four().forEach((value, i) => {
        storeSome(f, 'float32', slots[i], value, n)
      })
    })
  })
}

/** Emits the program's steps on four elements; the values that the slots take. */
function emitProgram(
  f: FunctionBuilder,
  program: UpdateProgram,
  slots: readonly Local<'i32'>[],
  inputs: readonly Local<'i32'>[],
  scalars: readonly Local<'v128'>[],
): Local<'v128'>[] {
  const slotValues = slots.map((slot) => f.let(v128.load(slot)))
  const inputValues = inputs.map((input) => f.let(v128.load(input)))
  const steps: Local<'v128'>[] = []
  const valueOf = (value: UpdateValue): Local<'v128'> =>
    'slot' in value
      ? slotValues[value.slot]
      : 'input' in value
        ? inputValues[value.input]
        : 'scalar' in value
          ? scalars[value.scalar]
          : steps[value.step]
  for (const step of program.steps) {
    const [a, b] = step.arguments.map(valueOf)
    switch (step.kernel) {
      case 'sqrt':
      case 'square':
      case 'abs':
      case 'neg':
        steps.push(f.let(floatFunctions[step.kernel](f, a)))
        break
      default:
        steps.push(f.let(floatZips[step.kernel](f, a, b)))
    }
  }
  return program.results.map((step) => steps[step])
}

/** Most targets in a job: the list of a part's calls has room for so many. */
const TARGETS_PER_JOB = 16

/** The fused kernel `update`. All targets of an optimizer's step are one job. */
export function createUpdate(engine: Engine): NonNullable<FusedKernels['update']> {
  const compiled = new Map<string, KernelFunction>()
  return (targets, program, scalars) => {
    const changing = targets.filter(({ slots }) => slots[0].size > 0)
    if (changing.length === 0) return
    const [{ slots, inputs }] = changing
    const run = entry(compiled, program.name, () =>
      engine.compileOne((module) => emitUpdate(module, program, slots.length, inputs.length, scalars.length)),
    )
    for (let first = 0; first < changing.length; first += TARGETS_PER_JOB) {
      const group = changing.slice(first, first + TARGETS_PER_JOB)
      /** Where each target starts in the elements of all, each rounded up to cache lines. */
      const starts = [0]
      for (const target of group) starts.push(starts[starts.length - 1] + 16 * Math.ceil(target.slots[0].size / 16))
      const total = starts[group.length]
      const perElement = 0.3 * (slots.length + inputs.length) + 0.1 * program.steps.length
      engine.split(total, 16, total * perElement, (begin, end, call) => {
        group.forEach((target, i) => {
          const from = Math.max(0, begin - starts[i])
          const to = Math.min(target.slots[0].size, end - starts[i])
          if (from >= to) return
          const pointers = [...target.slots, ...target.inputs].map((operand) => address(operand) + 4 * from)
          call(run, to - from, ...pointers, ...scalars)
        })
      })
    }
  }
}
