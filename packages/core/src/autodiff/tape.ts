/**
 * The tape. While one is active, every op that touches a watched tensor appends one plain record to it; the walk backwards (backward.ts) goes over
 * the records in reverse.
 *
 * Invariants: tapes nest and are synchronous; a record's tensors stay alive as long as the tape is active; a derivative
 * rule is made of public ops, so an outer tape can record it, and second derivatives exist by construction.
 *
 * Reference: D. Maclaurin's autograd, for the shape of the code.
 */
import { requireFunction } from '../arguments.js'
import { GradientError, showShape } from '../errors.js'
import { isFloat } from '../tensor/dtype.js'
import { requireSynchronous } from '../tensor/scope.js'
import { Parameter, requireTensor, requireTensors, type Tensor } from '../tensor/tensor.js'
import { type Visit, walkBackwards } from './backward.js'
import type { OpDefinition, Vjp } from './op.js'
import { currentPath, type Recorder, recordingOn } from './recording.js'

/** An op that has a derivative rule, not a sentence why there is none. */
type DifferentiableOp = OpDefinition & { readonly vjp: Vjp<object> }

/** One executed op: everything needed to list it, print it, replay it and differentiate it. */
export interface TapeRecord {
  readonly op: DifferentiableOp
  readonly inputs: readonly Tensor[]
  readonly output: Tensor
  readonly options: object
  /** Where it was called: names of layers and composed ops, outermost first, e.g. "dense_1/softmax". */
  readonly path: string
}

/** One record in `Tape.toJSON`. Tensors are numbered in order of appearance. */
export interface TapeRecordJSON {
  op: string
  inputs: { tensor: number; shape: readonly number[]; dtype: string; name?: string }[]
  output: { tensor: number; shape: readonly number[]; dtype: string }
  options: object
  path: string
  rule: string
}

/** A list of records, in the order of computation. */
export class Tape implements Recorder {
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
   * @param visit called after each record with the cotangent of its output and those it adds to its inputs
   */
  backward(output: Tensor, seed: Tensor, sources: readonly Tensor[], visit?: Visit): (Tensor | undefined)[] {
    requireTensor('backward', 'the output', output)
    requireTensor('backward', 'the seed', seed)
    requireTensors('backward', 'sources', sources)
    this.#requireUnchanged()
    return walkBackwards(this, output, seed, sources, visit)
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

  /** One line a record: op, inputs, output, path. */
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
 * Runs `fn` and returns its result with the tape of every op that depends on `sources`. For looking at: nothing is freed, so call
 * it inside a `scope`.
 */
export function record<R>(sources: readonly Tensor[], fn: () => R): { result: R; tape: Tape } {
  requireTensors('record', 'sources', sources)
  const tape = new Tape(sources)
  return { result: tape.run(fn, 'record'), tape }
}
