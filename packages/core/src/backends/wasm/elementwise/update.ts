/**
 * An optimizer's program (update.ts in core) compiled to one loop. For each element the loop reads every slot and input once,
 * computes the steps, and writes every slot once, in place. Compiled programs are kept under their names. For an embedding, a
 * program that allows it runs over the touched rows only (../shape/touched-rows.ts).
 *
 * A slot behind the first, the parameter itself, keeps no subnormal numbers: they become 0. A running mean of gradients that are 0 decays into them and never leaves,
 * since 0.9·x rounded is x in the end; and processors take several times as long for them. After a thousand steps of a perceptron Adam's update took 1.8 times
 * as long as at first.
 */
import type { FusedKernels, Operand, UpdateProgram, UpdateTarget, UpdateValue } from '../../backend.js'
import type { FunctionBuilder, Local, ModuleBuilder } from '../assembler/assembler.js'
import { storeSome } from '../assembler/elements.js'
import { f32x4, i32, i32x4, type Vector, v128 } from '../assembler/instructions.js'
import { address } from '../engine/address.js'
import type { Engine, KernelFunction } from '../engine/engine.js'
import { entry } from '../engine/made-once.js'
import { LooksAtValues } from '../engine/memory.js'
import { twoWidths, type Widths } from '../engine/two-widths.js'
import type { WidthCheck } from '../engine/width.js'
import { CALLS_PER_PART } from '../engine/worker-program.js'
import { keepsSlots, type TouchedRows } from '../shape/touched-rows.js'
import { floatFunctions } from './map.js'
import { floatZips } from './zip.js'

/** How many slots, inputs and scalars a program has. */
interface Counts {
  readonly slots: number
  readonly inputs: number
  readonly scalars: number
}

/** The parameters of a kernel: the named ones first, then slots, inputs and scalars. */
function parametersOf(counts: Counts, first: readonly string[]): Record<string, 'i32' | 'f32'> {
  const parameters: Record<string, 'i32' | 'f32'> = {}
  for (const name of first) parameters[name] = 'i32'
  for (let i = 0; i < counts.slots + counts.inputs; i++) parameters[`array${i}`] = 'i32'
  for (let i = 0; i < counts.scalars; i++) parameters[`scalar${i}`] = 'f32'
  return parameters
}

/** Writes `kernel(n, slots…, inputs…, scalars…)`: one update of n elements, so many vectors a turn. */
function emitUpdate(module: ModuleBuilder, program: UpdateProgram, counts: Counts, vectors: 1 | 2): void {
  module.export('kernel', parametersOf(counts, ['n']), null, (f, p) => {
    const arrays = Array.from({ length: counts.slots + counts.inputs }, (_, i) => p[`array${i}`] as Local<'i32'>)
    emitPass(f, program, counts.slots, p.n as Local<'i32'>, arrays, splatScalars(f, p, counts), vectors)
  })
}

/** Writes `kernel(list, runs, width, slots…, inputs…, scalars…)`: an update of some rows, each `width` long. The list holds runs of neighbouring rows, [first, count]. */
function emitRowsUpdate(module: ModuleBuilder, program: UpdateProgram, counts: Counts): void {
  module.export('kernel', parametersOf(counts, ['list', 'runs', 'width']), null, (f, p) => {
    const [list, runs, width] = [p.list, p.runs, p.width] as Local<'i32'>[]
    const bases = Array.from({ length: counts.slots + counts.inputs }, (_, i) => p[`array${i}`] as Local<'i32'>)
    const scalars = splatScalars(f, p, counts)
    const arrays = bases.map(() => f.local('i32'))
    const [n, offset] = [f.local('i32'), f.local('i32')]
    f.while(runs, () => {
      f.set(n, i32.mul(i32.load(list, 4), width))
      f.set(offset, i32.shl(i32.mul(i32.load(list), width), 2))
      arrays.forEach((array, i) => {
        f.set(array, i32.add(bases[i], offset))
      })
      emitPass(f, program, counts.slots, n, arrays, scalars, 1)
      f.advance(list, 8)
      f.advance(runs, -1)
    })
  })
}

const splatScalars = (f: FunctionBuilder, p: Record<string, Local<'i32' | 'f32'>>, counts: Counts): Local<'v128'>[] =>
  Array.from({ length: counts.scalars }, (_, i) => f.let(f32x4.splat(p[`scalar${i}`] as Local<'f32'>)))

/** Emits the update of n elements. Moves the pointers (slots first) and n. */
function emitPass(
  f: FunctionBuilder,
  program: UpdateProgram,
  slotCount: number,
  n: Local<'i32'>,
  arrays: readonly Local<'i32'>[],
  scalars: readonly Local<'v128'>[],
  most: 1 | 2,
): void {
  const [slots, inputs] = [arrays.slice(0, slotCount), arrays.slice(slotCount)]
  const at = (vector: number): Local<'v128'>[] => emitProgram(f, program, slots, inputs, scalars, 16 * vector)
  // Two vectors a turn pair to 256 bits, since all is read before anything is written. At 128 bits they would need too many registers.
  for (const vectors of most === 2 ? [2, 1] : [1])
    f.while(i32.geS(n, 4 * vectors), () => {
      const results = Array.from({ length: vectors }, (_, v) => at(v))
      for (const [i, slot] of slots.entries()) for (const [v, values] of results.entries()) f.do(v128.store(slot, values[i], 16 * v))
      for (const pointer of arrays) f.advance(pointer, 16 * vectors)
      f.advance(n, -4 * vectors)
    })
  f.if(n, () => {
    for (const [i, value] of at(0).entries()) storeSome(f, 'float32', slots[i], value, n)
  })
}

/** Emits the program's steps for four elements that begin `offset` bytes behind the pointers; returns the new values of the slots. */
function emitProgram(
  f: FunctionBuilder,
  program: UpdateProgram,
  slots: readonly Local<'i32'>[],
  inputs: readonly Local<'i32'>[],
  scalars: readonly Local<'v128'>[],
  offset: number,
): Local<'v128'>[] {
  const slotValues = slots.map((slot) => f.let(v128.load(slot, offset)))
  const inputValues = inputs.map((input) => f.let(v128.load(input, offset)))
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
      case 'sign':
        steps.push(f.let(floatFunctions[step.kernel](f, a)))
        break
      default:
        steps.push(f.let(floatZips[step.kernel](f, a, b)))
    }
  }
  return program.results.map((step, slot) => (slot === 0 ? steps[step] : f.let(flushed(f, steps[step]))))
}

/** The bits of a float's exponent; all 0 in zeros and subnormal numbers. */
const EXPONENT = 0x7f800000

/** x, but 0 where it is subnormal. */
const flushed = (f: FunctionBuilder, x: Local<'v128'>): Vector => v128.andNot(x, i32x4.eq(v128.and(x, f.splatInt(EXPONENT)), f.splatInt(0)))

/** The most targets in a job: the list of calls of a part has room for this many. A call has its kernel, its count of values, the elements, arrays and scalars. */
const targetsPerJob = ({ slots, inputs, scalars }: Counts): number => Math.floor((CALLS_PER_PART - 1) / (3 + slots + inputs + scalars))

/** Slots w and v: v ← g/(√g² + a), w ← w − v₋·v. */
const checked: UpdateProgram = {
  name: 'check',
  steps: [
    { kernel: 'square', arguments: [{ input: 0 }] },
    { kernel: 'sqrt', arguments: [{ step: 0 }] },
    { kernel: 'add', arguments: [{ step: 1 }, { scalar: 0 }] },
    { kernel: 'div', arguments: [{ input: 0 }, { step: 2 }] },
    { kernel: 'mul', arguments: [{ slot: 1 }, { step: 3 }] },
    { kernel: 'sub', arguments: [{ slot: 0 }, { step: 4 }] },
  ],
  results: [5, 3],
}

/** The self-test of updates at 256 bits. */
export const updateCheck: WidthCheck = {
  name: 'update',
  emit: (module) => emitUpdate(module, checked, { slots: 2, inputs: 1, scalars: 1 }, 2),
  run: ({ kernel }) => void kernel(1027, 0, 8192, 131072, 0.1),
}

/** The fused kernel `update`. The targets of an optimizer's step form one job, or a few if they are many, except those of which only some rows change. */
export function createUpdate(engine: Engine, touched: TouchedRows): NonNullable<FusedKernels['update']> {
  const compiled = new Map<string, Widths>()
  const compiledForRows = new Map<string, KernelFunction>()

  /** Updates only the rows that the gradient touches. Returns false if they are not known. */
  function updateRows(program: UpdateProgram, { slots, inputs }: UpdateTarget, scalars: readonly number[]): boolean {
    const rows = touched.runsOf(inputs[0].storage)
    if (!rows) return false
    const counts = { slots: slots.length, inputs: inputs.length, scalars: scalars.length }
    const run = entry(compiledForRows, program.name, () => engine.compileOne((module) => emitRowsUpdate(module, program, counts)))
    const { memory } = engine
    const list = memory.alloc(4 * rows.runs.length)
    memory.ints.set(rows.runs, list / 4)
    run(list, rows.runs.length / 2, rows.width, ...[...slots, ...inputs].map(address), ...scalars)
    memory.free(list, 4 * rows.runs.length)
    return true
  }

  function updateWhole(widths: Widths, group: readonly UpdateTarget[], scalars: readonly number[], perElement: number): void {
    /** All targets are laid end to end, each rounded up to cache lines; this is where each one starts. */
    const starts = [0]
    for (const target of group) starts.push(starts[starts.length - 1] + 16 * Math.ceil(target.slots[0].size / 16))
    const total = starts[group.length]
    widths(total, (run) =>
      engine.split(total, 16, total * perElement, (begin, end, call) => {
        group.forEach((target, i) => {
          const from = Math.max(0, begin - starts[i])
          const to = Math.min(target.slots[0].size, end - starts[i])
          if (from >= to) return
          const pointers = [...target.slots, ...target.inputs].map((operand: Operand) => address(operand) + 4 * from)
          call(run, to - from, ...pointers, ...scalars)
        })
      }),
    )
  }

  return (targets, program, scalars) => {
    const changing = targets.filter(({ slots }) => slots[0].size > 0)
    if (changing.length === 0) return
    const [{ slots, inputs }] = changing
    const counts = { slots: slots.length, inputs: inputs.length, scalars: scalars.length }
    const widths = entry(compiled, program.name, () =>
      twoWidths(engine, updateCheck, (module, wide) => emitUpdate(module, program, counts, wide ? 2 : 1)),
    )
    const isNoted = ({ storage }: Operand): boolean => (engine.collector ? touched.expects(storage) : touched.notes(storage))
    const byRows = inputs.length === 1 && changing.some((target) => isNoted(target.inputs[0])) && keepsSlots(program, scalars)
    if (engine.collector && byRows) throw new LooksAtValues()
    const whole = byRows ? changing.filter((target) => !updateRows(program, target, scalars)) : changing
    const perElement = 0.3 * (slots.length + inputs.length) + 0.1 * program.steps.length
    const most = targetsPerJob(counts)
    for (let first = 0; first < whole.length; first += most) updateWhole(widths, whole.slice(first, first + most), scalars, perElement)
    for (const target of changing) for (const slot of target.slots) touched.forget(slot.storage)
  }
}
