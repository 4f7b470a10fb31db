/**
 * Reverse-mode differentiation. While a tape is active, every op that touches a watched tensor appends one plain record to it;
 * `backward` walks the records in reverse and asks each op's derivative rule to push the cotangent of the output to the inputs.
 *
 * Invariants: tapes nest and are synchronous; a record's tensors stay alive as long as the tape is active; a derivative
 * rule is made of public ops, so an outer tape can record it, and second derivatives exist by construction.
 *
 * Reference: Griewank & Walther, "Evaluating Derivatives" (2008), chapter 3; D. Maclaurin's autograd for the shape of the code.
 */
import { describeValue, requireFunction } from '../arguments.js'
import { GradientError, shapeError, showShape, ValueError } from '../errors.js'
import { isFloat } from '../tensor/dtype.js'
import { requireSynchronous, scope, scopeOfFresh, setTapeGuard } from '../tensor/scope.js'
import { sameShape } from '../tensor/shape.js'
import { Parameter, requireTensor, requireTensors, type Tensor } from '../tensor/tensor.js'
import { Cotangents } from './cotangents.js'
import type { OpDefinition } from './define-op.js'

/** One executed op: everything needed to list it, print it, replay it and differentiate it. */
export interface TapeRecord {
  readonly op: OpDefinition
  readonly inputs: readonly Tensor[]
  readonly output: Tensor
  readonly options: object
  /** Where it was called: names of layers and composed ops, outermost first, e.g. "dense_1/softmax". */
  readonly scope: string
}

/** What `Tape.toJSON` gives for one record. Tensors are numbered in order of appearance. */
export interface TapeRecordJSON {
  op: string
  inputs: { tensor: number; shape: readonly number[]; dtype: string; name?: string }[]
  output: { tensor: number; shape: readonly number[]; dtype: string }
  options: object
  scope: string
  rule: string
}

/** Active tapes, innermost last. */
const stack: Tape[] = []
/** Names that label records, outermost first. */
const labels: string[] = []

setTapeGuard((tensor) => stack.some((tape) => tape.holds(tensor)))

/** True while any tape records. */
export const isRecording = (): boolean => stack.length > 0

/** True if an active tape follows this tensor. */
export const isTracked = (tensor: Tensor): boolean => stack.some((tape) => tape.tracks(tensor))

/** Runs `fn` unseen by every active tape. */
export function withoutRecording<R>(fn: () => R): R {
  const paused = stack.splice(0)
  try {
    return fn()
  } finally {
    stack.push(...paused)
  }
}

/** Runs `fn` with a name that the records made in it carry. */
export function labelled<R>(name: string, fn: () => R): R {
  requireFunction('labelled', 'fn', fn, "labelled('encoder', () => …)")
  if (typeof name !== 'string') throw new ValueError(`labelled: name must be text, got ${describeValue(name)}.`)
  labels.push(name)
  try {
    return fn()
  } finally {
    labels.pop()
  }
}

/** Called by the dispatcher after every op. */
export function recordOp(op: OpDefinition, inputs: readonly Tensor[], output: Tensor, options: object): void {
  for (let i = 0; i < stack.length; i++) stack[i].record(op, inputs, output, options)
}

/** A list of records, and the walk backwards over it. */
export class Tape {
  readonly records: TapeRecord[] = []
  /** Tensors whose derivative may be asked for, or that depend on one. */
  readonly #tracked: Set<Tensor>
  readonly #held = new Set<Tensor>()
  /** Version of each parameter when first used. */
  readonly #versions = new Map<Parameter, number>()
  /** Where a path from a source ended: ops without a derivative. */
  readonly #breaks: { op: OpDefinition; inputs: readonly Tensor[]; reason: string }[] = []

  constructor(sources: readonly Tensor[]) {
    requireTensors('Tape', 'sources', sources)
    this.#tracked = new Set(sources)
  }

  /** Whether backward may still need this tensor. */
  holds(tensor: Tensor): boolean {
    return this.#held.has(tensor)
  }

  /** Whether this tensor depends on a source. */
  tracks(tensor: Tensor): boolean {
    return this.#tracked.has(tensor)
  }

  /** @internal */
  record(op: OpDefinition, inputs: readonly Tensor[], output: Tensor, options: object): void {
    let tracked = false
    for (let i = 0; i < inputs.length; i++) if (this.#tracked.has(inputs[i])) tracked = true
    if (!tracked) return
    if (typeof op.vjp !== 'function' || !isFloat(output.dtype)) {
      this.#breaks.push({ op, inputs, reason: typeof op.vjp === 'string' ? op.vjp : `its output is ${output.dtype}` })
      return
    }
    for (const input of inputs) {
      this.#held.add(input)
      if (input instanceof Parameter && !this.#versions.has(input)) this.#versions.set(input, input.version)
    }
    this.#held.add(output)
    this.#tracked.add(output)
    this.records.push({ op, inputs, output, options, scope: labels.join('/') })
  }

  /** Runs `fn` while this tape records; `what` names the caller in errors. */
  run<R>(fn: () => R, what = 'record'): R {
    requireFunction(what, 'fn', fn)
    stack.push(this)
    try {
      const result = fn()
      requireSynchronous(what, result)
      return result
    } finally {
      stack.splice(stack.lastIndexOf(this), 1)
    }
  }

  /**
   * The cotangents of `sources`, given `seed`, the cotangent of `output`: walks the records in reverse. A source that the output
   * does not depend on gets undefined.
   *
   * @param visit called after each record with the cotangent of its output and those it adds to its inputs
   */
  backward(
    output: Tensor,
    seed: Tensor,
    sources: readonly Tensor[],
    visit?: (record: TapeRecord, dY: Tensor, dInputs: readonly (Tensor | null)[]) => void,
  ): (Tensor | undefined)[] {
    requireTensor('backward', 'the output', output)
    requireTensor('backward', 'the seed', seed)
    requireTensors('backward', 'sources', sources)
    this.#requireUnchanged()
    const cotangents = new Cotangents([output, seed], sources, addCotangents, visit === undefined)
    for (let r = this.records.length - 1; r >= 0; r--) {
      const record = this.records[r]
      const { op, inputs, options, output: y } = record
      const dY = cotangents.get(y)
      if (!dY) continue
      const { result: dInputs, fresh } = scopeOfFresh(() =>
        labelled(`${record.scope ? `${record.scope}/` : ''}d${op.name}`, () => {
          const thunks = derivative(op, dY, y, inputs, options)
          return inputs.map((input, i) => {
            const thunk = thunks[i]
            return thunk && this.#tracked.has(input) ? thunk() : null
          })
        }),
      )
      dInputs.forEach((dInput, i) => {
        if (!dInput) return
        requireSameShape(op, i, inputs[i], dInput)
        cotangents.add(inputs[i], dInput, fresh.includes(dInput))
      })
      visit?.(record, dY, dInputs)
      cotangents.release(y)
    }
    return sources.map((source) => cotangents.get(source))
  }

  #requireUnchanged(): void {
    for (const [parameter, version] of this.#versions) {
      if (parameter.version === version) continue
      throw new GradientError(
        `backward: parameter "${parameter.name}" was changed (version ${version} → ${parameter.version}) after the tape used it, so the saved value is gone. ` +
          'Take the gradient first, then step the optimizer.',
      )
    }
  }

  /** Why a result has no derivative with respect to `source`: the ops that ended its paths, if any. */
  explainBreak(source: Tensor): string {
    const reached = new Set<Tensor>([source])
    const reaches = ({ inputs }: { inputs: readonly Tensor[] }): boolean => inputs.some((x) => reached.has(x))
    let user: TapeRecord | undefined
    for (const record of this.records) {
      if (!reaches(record)) continue
      user ??= record
      reached.add(record.output)
    }
    const breaks = this.#breaks.filter(reaches)
    if (breaks.length > 0) {
      const [{ op, reason }] = breaks
      const others = breaks.length > 1 ? ` (and ${breaks.length - 1} more such ops)` : ''
      return `The path ends at op "${op.name}", which has no derivative: ${reason.replace(/\.$/, '')}${others}.`
    }
    if (user) return `It was used (first by op "${user.op.name}"), but the result is not made of what came out.`
    return 'It was never used: no op took it, or its value was used as plain numbers.'
  }

  /** One line a record: op, inputs, output, scope. */
  toString(): string {
    return this.toJSON()
      .map((record, i) => {
        const inputs = record.inputs.map((x) => `${x.name ?? `%${x.tensor}`} ${showShape(x.shape)}`).join(', ')
        const options = Object.keys(record.options).length > 0 ? ` ${JSON.stringify(record.options)}` : ''
        const where = record.scope ? `   in ${record.scope}` : ''
        return `${String(i).padStart(3)}  %${record.output.tensor} ${showShape(record.output.shape)} = ${record.op}(${inputs})${options}${where}`
      })
      .join('\n')
  }

  /** The records as plain data. */
  toJSON(): TapeRecordJSON[] {
    const numbers = new Map<Tensor, number>()
    const numberOf = (tensor: Tensor): number => {
      if (!numbers.has(tensor)) numbers.set(tensor, numbers.size)
      return numbers.get(tensor) as number
    }
    const show = (tensor: Tensor): TapeRecordJSON['output'] => ({ tensor: numberOf(tensor), shape: tensor.shape, dtype: tensor.dtype })
    return this.records.map(({ op, inputs, output, options, scope: where }) => ({
      op: op.name,
      inputs: inputs.map((x) => ({ ...show(x), ...(x instanceof Parameter ? { name: x.name } : {}) })),
      output: show(output),
      options,
      scope: where,
      rule: op.rule,
    }))
  }
}

/** Set by define-op.ts: evaluates an op's derivative rule, adds two cotangents, makes another tensor over the same memory. */
let derivative: (op: OpDefinition, dY: Tensor, y: Tensor, inputs: readonly Tensor[], options: object) => readonly ((() => Tensor) | null)[]
let addCotangents: (a: Tensor, b: Tensor) => Tensor
let viewOf: (x: Tensor) => Tensor
/** @internal */
export function setDerivative(rule: typeof derivative, add: typeof addCotangents, view: typeof viewOf): void {
  derivative = rule
  addCotangents = add
  viewOf = view
}

function requireSameShape(op: OpDefinition, i: number, input: Tensor, dInput: Tensor): void {
  if (sameShape(input.shape, dInput.shape)) return
  throw shapeError(`derivative of ${op.name}`, `the cotangent of input ${i} has another shape than the input: the rule is wrong`, [
    { name: 'input', shape: input.shape },
    { name: 'cotangent', shape: dInput.shape },
  ])
}

/**
 * Runs `fn` and returns its result with the tape of every op that depends on `sources`. For looking at: nothing is freed, so call
 * it inside a `scope`.
 */
export function record<R>(sources: readonly Tensor[], fn: () => R): { result: R; tape: Tape } {
  requireTensors('record', 'sources', sources)
  const tape = new Tape(sources)
  return { result: tape.run(fn, 'record'), tape }
}

/** Everything the functions in grad.ts share: record f, check its value, walk back. */
export function differentiate(
  what: string,
  sources: readonly Tensor[],
  f: () => Tensor,
  seedOf: (value: Tensor) => Tensor,
): { value: Tensor; grads: (Tensor | undefined)[]; tape: Tape } {
  for (const source of sources) {
    requireTensor(what, 'an argument', source)
    source.requireLive(what)
    if (!isFloat(source.dtype))
      throw new GradientError(`${what}: cannot differentiate with respect to a tensor of ${source.dtype}. Cast it to float32.`)
  }
  return scope(() => {
    const tape = new Tape(sources)
    const value = tape.run(f, what)
    requireTensor(what, "the function's result", value)
    const seed = seedOf(value)
    const grads = tape.tracks(value) ? tape.backward(value, seed, sources) : sources.map(() => undefined)
    // Rules like dA = dB = dY hand one tensor to several sources. Each gets its own, so that freeing one leaves the others.
    const taken = new Set<Tensor>([value, seed])
    const own = grads.map((grad) => {
      const mine = grad && taken.has(grad) ? viewOf(grad) : grad
      if (mine) taken.add(mine)
      return mine
    })
    return { value, grads: own, tape }
  })
}
