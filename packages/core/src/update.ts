/**
 * Optimizer rules as data. A rule is a formula over slots (the parameter and its state), inputs (the gradient) and scalars, such as w − rate·g. It is
 * written once. A backend interprets it or compiles it to one loop over memory.
 */
import { describeValue, requireFunction, requireNumeric, requireOptions, requireWhole } from './arguments.js'
import { rangeOf } from './autodiff/non-finite.js'
import type { Backend, UpdateKernel, UpdateProgram, UpdateValue } from './backends/backend.js'
import { BackendError, DTypeError, NonFiniteError, shapeError, ValueError } from './errors.js'
import { debugging } from './runtime.js'
import { sameShape } from './tensor/shape.js'
import { Parameter, requireTensors, type Tensor } from './tensor/tensor.js'

/**
 * A value in the formula of an update program. Its methods make further values, as in w − rate·g: `w.sub(rate.mul(g))`.
 *
 * @example
 * ```ts
 * const program = updateProgram('decay', { slots: 1, inputs: 0, scalars: 1 }, ([w], _, [rate]) => [w.sub(rate.mul(w))])
 * console.log(program.steps.map(({ kernel }) => kernel)) // ['mul', 'sub']
 * ```
 */
export class UpdateExpression {
  /** The place of this value in the program: a slot, an input, a scalar or a step. */
  readonly value: UpdateValue
  readonly #steps: { kernel: UpdateKernel; arguments: UpdateValue[] }[]

  constructor(value: UpdateValue, steps: { kernel: UpdateKernel; arguments: UpdateValue[] }[]) {
    this.value = value
    this.#steps = steps
  }

  #then(kernel: UpdateKernel, ...others: UpdateExpression[]): UpdateExpression {
    for (const other of others) {
      if (other instanceof UpdateExpression) continue
      const hint = typeof other === 'number' ? ' A constant is a scalar of the program: count it in `scalars`.' : ''
      throw new ValueError(
        `updateProgram: ${kernel} takes a slot, an input, a scalar or a value computed from these, got ${describeValue(other)}.${hint}`,
      )
    }
    this.#steps.push({ kernel, arguments: [this.value, ...others.map((x) => x.value)] })
    return new UpdateExpression({ step: this.#steps.length - 1 }, this.#steps)
  }
  /** this + other. */
  add(other: UpdateExpression): UpdateExpression {
    return this.#then('add', other)
  }
  /** this − other. */
  sub(other: UpdateExpression): UpdateExpression {
    return this.#then('sub', other)
  }
  /** this·other. */
  mul(other: UpdateExpression): UpdateExpression {
    return this.#then('mul', other)
  }
  /** this / other. */
  div(other: UpdateExpression): UpdateExpression {
    return this.#then('div', other)
  }
  /** The larger of the two. */
  maximum(other: UpdateExpression): UpdateExpression {
    return this.#then('maximum', other)
  }
  /** The smaller of the two. */
  minimum(other: UpdateExpression): UpdateExpression {
    return this.#then('minimum', other)
  }
  /** √this. */
  sqrt(): UpdateExpression {
    return this.#then('sqrt')
  }
  /** this². */
  square(): UpdateExpression {
    return this.#then('square')
  }
  /** |this|. */
  abs(): UpdateExpression {
    return this.#then('abs')
  }
  /** −this. */
  neg(): UpdateExpression {
    return this.#then('neg')
  }
  /** 1, −1 or 0: the sign of this. */
  sign(): UpdateExpression {
    return this.#then('sign')
  }
}

/**
 * Writes down an optimizer's formula as an update program.
 *
 * @param name names the formula: each name has one formula, which may be written down more than once
 * @param build gets the slots, inputs and scalars by position, and returns the new value of each slot
 * @throws ValueError if `build` does not return a value for each slot, or if the name has another formula.
 * @example
 * ```ts
 * const descent = updateProgram('sgd', { slots: 1, inputs: 1, scalars: 1 }, ([w], [g], [rate]) => [w.sub(rate.mul(g))])
 * ```
 */
export function updateProgram(
  name: string,
  counts: { slots: number; inputs: number; scalars: number },
  build: (slots: UpdateExpression[], inputs: UpdateExpression[], scalars: UpdateExpression[]) => UpdateExpression[],
): UpdateProgram {
  if (typeof name !== 'string') throw new ValueError(`updateProgram: name must be text, got ${describeValue(name)}.`)
  const what = `updateProgram "${name}"`
  requireOptions(what, counts ?? null, COUNTS)
  for (const count of COUNTS) requireWhole(what, count, counts[count], { least: 0, most: 64 })
  requireFunction(what, 'build', build, '([w], [g], [rate]) => [w.sub(rate.mul(g))]')
  const steps: { kernel: UpdateKernel; arguments: UpdateValue[] }[] = []
  const make = (count: number, value: (i: number) => UpdateValue): UpdateExpression[] =>
    Array.from({ length: count }, (_, i) => new UpdateExpression(value(i), steps))
  const results = build(
    make(counts.slots, (slot) => ({ slot })),
    make(counts.inputs, (input) => ({ input })),
    make(counts.scalars, (scalar) => ({ scalar })),
  )
  if (!Array.isArray(results) || results.length !== counts.slots || !results.every((result) => result instanceof UpdateExpression)) {
    const got = Array.isArray(results) ? results.length : describeValue(results)
    throw new ValueError(`${what}: build must return an array with the new values of ${counts.slots} slots, got ${got}.`)
  }
  // A slot may keep its value or take that of an input, which is no step: max(x, x) = x makes it one.
  const stepOf = (result: UpdateExpression): UpdateExpression => ('step' in result.value ? result : result.maximum(result))
  const program = { name, steps, results: results.map((result) => (stepOf(result).value as { step: number }).step) }
  const formula = JSON.stringify(program)
  if ((formulas.get(name) ?? formula) !== formula) {
    throw new ValueError(`updateProgram: there is already another program named "${name}", and backends keep compiled programs by name.`)
  }
  formulas.set(name, formula)
  return program
}

const COUNTS = ['slots', 'inputs', 'scalars'] as const

/** The formula of each name. Backends keep compiled programs by name, so a name may have one formula only. */
const formulas = new Map<string, string>()

/**
 * Runs an update program on one parameter. `slots` are the parameter and its state, which change in place; `inputs` is its gradient.
 *
 * Shape: slots and inputs all have the shape of the parameter
 *
 * @throws ShapeError if the shapes differ, DTypeError if the dtypes do, ValueError if the program takes other numbers of slots, inputs or scalars.
 * @example
 * ```ts
 * const descent = updateProgram('descent', { slots: 1, inputs: 1, scalars: 1 }, ([w], [g], [rate]) => [w.sub(rate.mul(g))])
 * const w = new Parameter(tensor([1, 2]))
 * applyUpdate(descent, [w], [tensor([10, 20])], [0.5])
 * console.log(await w.array()) // [-4, -8]
 * ```
 */
export function applyUpdate(
  program: UpdateProgram,
  slots: readonly Parameter[],
  inputs: readonly Tensor[],
  scalars: readonly number[],
): void {
  update('applyUpdate', program, [{ slots, inputs }], scalars)
}

/**
 * Runs an update program on many parameters, in one pass over the memory of an optimizer. Each target is as in `applyUpdate`.
 *
 * Shape: the slots and inputs of a target all have the shape of its parameter
 *
 * @throws ShapeError, DTypeError and ValueError as `applyUpdate`.
 * @example
 * ```ts
 * const halve = updateProgram('halve', { slots: 1, inputs: 0, scalars: 1 }, ([w], _, [half]) => [w.mul(half)])
 * const [a, b] = [new Parameter(tensor([2])), new Parameter(tensor([4, 6]))]
 * applyUpdates(halve, [{ slots: [a], inputs: [] }, { slots: [b], inputs: [] }], [0.5])
 * console.log(await a.array(), await b.array()) // [1] [2, 3]
 * ```
 */
export function applyUpdates(
  program: UpdateProgram,
  targets: readonly { readonly slots: readonly Parameter[]; readonly inputs: readonly Tensor[] }[],
  scalars: readonly number[],
): void {
  update('applyUpdates', program, targets, scalars)
}

/** The parameters to update, each with its state and gradient. */
type Targets = Parameters<typeof applyUpdates>[1]

function update(what: string, program: UpdateProgram, targets: Targets, scalars: readonly number[]): void {
  requireUpdate(what, program, targets, scalars)
  if (targets.length === 0) return
  const { backend } = targets[0].slots[0]
  for (const { slots, inputs } of targets) requireUpdatable(program, backend, slots, inputs)
  if (!backend.fused.update) throw new BackendError(`${program.name}: the ${backend.name} backend has no update kernel.`)
  for (const { slots } of targets) for (const slot of slots) slot.beginUpdate()
  backend.fused.update(targets, program, scalars)
  if (debugging.nonFinite) requireFiniteSlots(program, targets)
}

/** Names the parameter that an update made infinite or NaN, which no op would tell before the next step. */
function requireFiniteSlots({ name }: UpdateProgram, targets: Targets): void {
  for (const { slots, inputs } of targets)
    for (const [i, slot] of slots.entries()) {
      const [low, high] = rangeOf(slot)
      if (low > high || Number.isFinite(high - low)) continue // low > high: of nothing
      const whose = i === 0 ? '' : `state ${i} of `
      const ranges = inputs.map((x, k) => `\n  input ${k}: ${rangeOf(x).join(' to ')}`).join('')
      throw new NonFiniteError(`${name}: after the update, ${whose}parameter "${slots[0].name}" is not finite: ${low} to ${high}.${ranges}`)
    }
}

/** Throws unless the arguments are of the right kinds, and as many as the program takes. */
function requireUpdate(what: string, program: UpdateProgram, targets: Targets, scalars: readonly number[]): void {
  if (typeof program !== 'object' || program === null || !Array.isArray(program.steps)) {
    throw new ValueError(`${what}: expected a program, got ${describeValue(program)}. Make one with updateProgram.`)
  }
  if (!Array.isArray(targets)) throw new ValueError(`${what}: targets must be an array, got ${describeValue(targets)}.`)
  if (!Array.isArray(scalars)) throw new ValueError(`${what}: scalars must be an array of numbers, got ${describeValue(scalars)}.`)
  const wanted = wants(program)
  if (scalars.length < wanted.scalars) {
    throw new ValueError(`${what}: "${program.name}" takes ${wanted.scalars} scalars, got ${scalars.length}.`)
  }
  for (let i = 0; i < scalars.length; i++) requireNumeric(what, `scalars[${i}]`, scalars[i])
  for (const { slots, inputs } of targets) {
    requireTensors(what, 'slots', slots)
    requireTensors(what, 'inputs', inputs)
    const bad = slots.findIndex((slot) => !(slot instanceof Parameter))
    if (bad >= 0) throw new ValueError(`${what}: slots[${bad}] is ${describeValue(slots[bad])}, but only a Parameter can be changed.`)
    if (slots.length !== program.results.length || inputs.length < wanted.inputs) {
      const got = `${slots.length} and ${inputs.length}`
      throw new ValueError(
        `${what}: "${program.name}" takes ${program.results.length} slots and ${wanted.inputs} inputs for each parameter, got ${got}.`,
      )
    }
  }
}

const wanted = new WeakMap<UpdateProgram, { inputs: number; scalars: number }>()
/** How many inputs and scalars a program reads. */
function wants(program: UpdateProgram): { inputs: number; scalars: number } {
  let counts = wanted.get(program)
  if (!counts) {
    counts = { inputs: 0, scalars: 0 }
    for (const { arguments: values } of program.steps) {
      for (const value of values) {
        if ('input' in value) counts.inputs = Math.max(counts.inputs, value.input + 1)
        if ('scalar' in value) counts.scalars = Math.max(counts.scalars, value.scalar + 1)
      }
    }
    wanted.set(program, counts)
  }
  return counts
}

function requireUpdatable(program: UpdateProgram, backend: Backend, slots: readonly Parameter[], inputs: readonly Tensor[]): void {
  const [first] = slots
  for (const tensor of [...slots, ...inputs]) {
    tensor.requireLive(program.name)
    if (!sameShape(tensor.shape, first.shape)) {
      throw shapeError(program.name, `gradient and state must have the shape of parameter "${first.name}"`, [
        { name: 'parameter', shape: first.shape },
        { name: 'other', shape: tensor.shape },
      ])
    }
    if (tensor.dtype !== first.dtype) {
      throw new DTypeError(`${program.name}: parameter "${first.name}" is ${first.dtype}, another tensor ${tensor.dtype}. Cast it first.`)
    }
    if (tensor.backend !== backend) {
      throw new BackendError(
        `${program.name}: parameter "${first.name}" is on "${backend.name}", another tensor on "${tensor.backend.name}".`,
      )
    }
  }
}
