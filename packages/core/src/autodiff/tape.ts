/**
 * The tape. While one is active, every op that touches a tracked tensor appends one plain record to it. The walk backwards (backward.ts) goes over
 * the records in reverse.
 *
 * Invariants:
 *
 * - Tapes nest and are synchronous.
 * - The tensors of a record stay alive as long as the tape is active.
 * - A derivative rule is made of public ops, so an outer tape can record it. So second derivatives need no code.
 *
 * The design follows D. Maclaurin's autograd for Python.
 */
import { describeValue, requireFunction } from '../arguments.js'
import { GradientError, showShape, ValueError } from '../errors.js'
import { isFloat } from '../tensor/dtype.js'
import { requireSynchronous } from '../tensor/scope.js'
import { Parameter, requireTensor, requireTensors, type Tensor } from '../tensor/tensor.js'
import { type Visit, walkBackwards } from './backward.js'
import { walkForwards } from './forward.js'
import type { Jvp, OpDefinition, Vjp } from './op.js'
import { currentPath, type Recorder, recordingOn } from './recording.js'
import { replayRecords } from './replay.js'

/** An op that has derivative rules, not a sentence why there are none. */
type DifferentiableOp = OpDefinition & { readonly vjp: Vjp<object>; readonly jvp: Jvp<object> }

/** One op that ran: everything needed to list it, print it, replay it and differentiate it. */
export interface TapeRecord {
  readonly op: DifferentiableOp
  readonly inputs: readonly Tensor[]
  readonly output: Tensor
  readonly options: object
  /** Where it was called: names of layers and composed ops, outermost first, e.g. "dense_1/softmax". */
  readonly path: string
}

/** One record in `Tape.toJSON`. Tensors are numbered in the order in which they first appear. */
export interface TapeRecordJSON {
  op: string
  inputs: { tensor: number; shape: readonly number[]; dtype: string; name?: string }[]
  output: { tensor: number; shape: readonly number[]; dtype: string }
  options: object
  path: string
  rule: string
}

/**
 * A list of records, in the order of computation. `record` makes one; `grad` and `valueAndGrad` make and free theirs.
 *
 * @example
 * ```ts
 * const x = tensor([2])
 * const tape = new Tape([x])
 * const y = tape.run(() => x.square())
 * const grads = tape.backward(y, tensor([1]), [x]) // grads[0] = [4]
 * ```
 */
export class Tape implements Recorder {
  /** The records, first op first. */
  readonly records: TapeRecord[] = []
  /** The sources, and the tensors that depend on one. */
  readonly #tracked: Set<Tensor>
  readonly #held = new Set<Tensor>()
  /** The version of each parameter at its first use. */
  readonly #versions = new Map<Parameter, number>()
  /** The ops where a path from a source ended, because they have no derivative. */
  readonly #breaks: { op: OpDefinition; inputs: readonly Tensor[]; reason: string }[] = []

  constructor(sources: readonly Tensor[]) {
    requireTensors('Tape', 'sources', sources)
    this.#tracked = new Set(sources)
  }

  /** Whether the walk backwards may still need this tensor. */
  holds(tensor: Tensor): boolean {
    return this.#held.has(tensor)
  }

  /** Whether this tensor is a source or depends on one. */
  tracks(tensor: Tensor): boolean {
    return this.#tracked.has(tensor)
  }

  /** @internal Appends a record if an input is tracked; a path that ends here is noted with the reason. */
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
    this.records.push({ op: op as DifferentiableOp, inputs, output, options, path: currentPath() })
  }

  /** Runs `fn` while this tape records; `what` names the caller in errors. */
  run<R>(fn: () => R, what = 'record'): R {
    requireFunction(what, 'fn', fn)
    return recordingOn(this, () => {
      const result = fn()
      requireSynchronous(what, result)
      return result
    })
  }

  /**
   * The cotangents of `sources`, given `seed`, the cotangent of `output`: walks the records in reverse (backward.ts). A source that the output
   * does not depend on gets undefined.
   *
   * @param visit called after each record, with the cotangent of its output and those that it adds to its inputs
   * @throws GradientError if a parameter changed after the tape used it.
   */
  backward(output: Tensor, seed: Tensor, sources: readonly Tensor[], visit?: Visit): (Tensor | undefined)[] {
    requireTensor('backward', 'the output', output)
    requireTensor('backward', 'the seed', seed)
    requireTensors('backward', 'sources', sources)
    this.#requireUnchanged()
    return walkBackwards(this, output, seed, sources, visit)
  }

  /**
   * The tangents of `outputs` while each source moves along its tangent: walks the records in their order (forward.ts). An output that does not move gets
   * undefined.
   */
  forward(outputs: readonly Tensor[], sources: readonly Tensor[], tangents: readonly Tensor[]): (Tensor | undefined)[] {
    requireTensors('forward', 'outputs', outputs)
    requireTensors('forward', 'sources', sources)
    requireTensors('forward', 'tangents', tangents)
    this.#requireUnchanged()
    return walkForwards(this, outputs, sources, tangents)
  }

  /**
   * The value of `output` if some tensors of the tape had other values: the records that depend on them run again, no others. A replaced output of a record
   * holds whatever its inputs are, so one can ask what an activation does.
   *
   * The new values may be of another backend or dtype if all tensors that no record made are replaced: so a tape runs again in float64.
   * Nothing is freed: call it inside a `scope` if memory matters.
   *
   * @param values the new value for each tensor
   * @throws ShapeError if a value has another shape, CotangentError for a record of `checkpoint` or `scan`: its function takes tensors from outside.
   * @example
   * ```ts
   * const x = tensor([1, 2])
   * const { result, tape } = record([x], () => {
   *   const h = x.square()
   *   return { h, y: h.sum() }
   * })
   * const y = tape.replay(result.y, new Map([[result.h, tensor([0, 4])]]))   // 4 in place of 5
   * ```
   */
  replay(output: Tensor, values: ReadonlyMap<Tensor, Tensor>): Tensor {
    requireTensor('replay', 'the output', output)
    if (!(values instanceof Map))
      throw new ValueError(`replay: values must be a Map, got ${describeValue(values)}. Write new Map([[x, value]]).`)
    this.#requireUnchanged()
    return replayRecords(this.records, output, values)
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

  /** Says why a result has no derivative by `source`: which op ended the path, or that the source was never used. */
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
    if (user) return `It was used (first by op "${user.op.name}"), but the result does not depend on the output.`
    return 'It was never used: no op took it, or its value was used as plain numbers.'
  }

  /** The tape as text, a line for each record: output, op, inputs, path. */
  toString(): string {
    return this.toJSON()
      .map((record, i) => {
        const inputs = record.inputs.map((x) => `${x.name ?? `%${x.tensor}`} ${showShape(x.shape)}`).join(', ')
        const options = Object.keys(record.options).length > 0 ? ` ${JSON.stringify(record.options)}` : ''
        const where = record.path ? `   in ${record.path}` : ''
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
    return this.records.map(({ op, inputs, output, options, path }) => ({
      op: op.name,
      inputs: inputs.map((x) => ({ ...show(x), ...(x instanceof Parameter ? { name: x.name } : {}) })),
      output: show(output),
      options,
      path,
      rule: op.rule,
    }))
  }
}

/**
 * Runs `fn` and returns its result, with a tape of every op that depends on `sources`. Nothing is freed: call it inside a `scope` if memory matters.
 *
 * @throws CotangentError if `fn` returns a Promise.
 * @example
 * ```ts
 * const x = tensor([1, 2])
 * const { tape } = record([x], () => x.square().sum())
 * tape.records.map(({ op }) => op.name).join() // 'square,sum'
 * ```
 */
export function record<R>(sources: readonly Tensor[], fn: () => R): { result: R; tape: Tape } {
  requireTensors('record', 'sources', sources)
  const tape = new Tape(sources)
  return { result: tape.run(fn, 'record'), tape }
}
