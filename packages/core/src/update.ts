/**
 * Optimizer rules as data. A rule is written once as a formula over slots (the parameter and its state), inputs (the gradient) and
 * scalars; backends interpret it or compile it to one loop over memory.
 */
import { describeValue } from './arguments.js'
import type { Backend, UpdateKernel, UpdateProgram, UpdateValue } from './backends/backend.js'
import { BackendError, DTypeError, shapeError, ValueError } from './errors.js'
import { sameShape } from './shape.js'
import { type Parameter, Tensor } from './tensor.js'

/** A value in a formula under construction. */
export class UpdateExpression {
  readonly value: UpdateValue
  readonly #steps: { kernel: UpdateKernel; arguments: UpdateValue[] }[]

  constructor(value: UpdateValue, steps: { kernel: UpdateKernel; arguments: UpdateValue[] }[]) {
    this.value = value
    this.#steps = steps
  }

  #then(kernel: UpdateKernel, ...others: UpdateExpression[]): UpdateExpression {
    this.#steps.push({ kernel, arguments: [this.value, ...others.map((x) => x.value)] })
    return new UpdateExpression({ step: this.#steps.length - 1 }, this.#steps)
  }
  add(other: UpdateExpression): UpdateExpression {
    return this.#then('add', other)
  }
  sub(other: UpdateExpression): UpdateExpression {
    return this.#then('sub', other)
  }
  mul(other: UpdateExpression): UpdateExpression {
    return this.#then('mul', other)
  }
  div(other: UpdateExpression): UpdateExpression {
    return this.#then('div', other)
  }
  maximum(other: UpdateExpression): UpdateExpression {
    return this.#then('maximum', other)
  }
  minimum(other: UpdateExpression): UpdateExpression {
    return this.#then('minimum', other)
  }
  sqrt(): UpdateExpression {
    return this.#then('sqrt')
  }
  square(): UpdateExpression {
    return this.#then('square')
  }
  abs(): UpdateExpression {
    return this.#then('abs')
  }
  neg(): UpdateExpression {
    return this.#then('neg')
  }
}

/**
 * Writes an update program down.
 *
 * @param name one name, one formula: writing the same program down again is fine
 * @param build gets the slots, inputs and scalars by position, and returns what each slot becomes
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
  const steps: { kernel: UpdateKernel; arguments: UpdateValue[] }[] = []
  const make = (count: number, value: (i: number) => UpdateValue): UpdateExpression[] =>
    Array.from({ length: count }, (_, i) => new UpdateExpression(value(i), steps))
  const results = build(
    make(counts.slots, (slot) => ({ slot })),
    make(counts.inputs, (input) => ({ input })),
    make(counts.scalars, (scalar) => ({ scalar })),
  )
  if (results.length !== counts.slots) {
    throw new ValueError(`updateProgram "${name}": ${counts.slots} slots need as many results, got ${results.length}.`)
  }
  // A slot may keep its value or take an input's; max(x, x) makes a step of it.
  const stepOf = (result: UpdateExpression): UpdateExpression => ('step' in result.value ? result : result.maximum(result))
  const program = { name, steps, results: results.map((result) => (stepOf(result).value as { step: number }).step) }
  const formula = JSON.stringify(program)
  if ((formulas.get(name) ?? formula) !== formula) {
    throw new ValueError(`updateProgram: there is already another program named "${name}", and backends keep compiled programs by name.`)
  }
  formulas.set(name, formula)
  return program
}

/** The formula of every name: backends cache programs under their names, so one name may mean one formula only. */
const formulas = new Map<string, string>()

/** Runs a program on one parameter with its state (the slots, which change in place) and its gradient; all are of one shape. */
export function applyUpdate(
  program: UpdateProgram,
  slots: readonly Parameter[],
  inputs: readonly Tensor[],
  scalars: readonly number[],
): void {
  applyUpdates(program, [{ slots, inputs }], scalars)
}

/** Runs a program on many parameters at once, each with its state and gradient: one pass over all of an optimizer's memory. */
export function applyUpdates(
  program: UpdateProgram,
  targets: readonly { readonly slots: readonly Parameter[]; readonly inputs: readonly Tensor[] }[],
  scalars: readonly number[],
): void {
  if (targets.length === 0) return
  const { backend } = targets[0].slots[0]
  for (const { slots, inputs } of targets) requireUpdatable(program, backend, slots, inputs)
  if (!backend.fused.update) throw new BackendError(`${program.name}: the ${backend.name} backend has no update kernel.`)
  for (const { slots } of targets) for (const slot of slots) slot.beginUpdate()
  backend.fused.update(targets, program, scalars)
}

function requireUpdatable(program: UpdateProgram, backend: Backend, slots: readonly Parameter[], inputs: readonly Tensor[]): void {
  const [first] = slots
  for (const tensor of [...slots, ...inputs]) {
    if (!(tensor instanceof Tensor)) throw new ValueError(`${program.name}: expected parameters and tensors, got ${describeValue(tensor)}.`)
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
