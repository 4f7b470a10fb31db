/**
 * Loops over a leading axis, as one record on the tape. The output of that record holds the carried values after every step, so backward starts each step
 * from them, and has the values inside of one step at a time.
 *
 * The form of the function is that of `jax.lax.scan`.
 */
import { describeValue, requireFunction } from '../arguments.js'
import { DTypeError, shapeError, ValueError } from '../errors.js'
import { isFloat } from '../tensor/dtype.js'
import { discard, scope } from '../tensor/scope.js'
import { type Shape, sameShape, sizeOf } from '../tensor/shape.js'
import { requireTensor, requireTensors, Tensor } from '../tensor/tensor.js'
import { type OpDefinition, ops } from './op.js'
import { once, recomputing, runUnseen } from './recompute.js'
import { isRecording, recordOp } from './recording.js'
import { runAgain } from './replay.js'
import { Tape } from './tape.js'

/** One tensor, or several. */
export type Tensors = Tensor | readonly Tensor[]

/** As many tensors, of any shapes. */
export type SameTensors<T extends Tensors> = T extends Tensor ? Tensor : { [K in keyof T]: Tensor }

/** A step of `scan` returns the values for the next step, and those that are collected. */
export interface ScanStep<Y extends Tensors> {
  carry: Tensors
  output?: Y
}

/**
 * Runs `step` for each entry along the leading axis of xs, one after the other, and hands the carried values on. A tape sees one record, which keeps the
 * carried values alone; the walk backwards runs each step again.
 *
 * Shape:    carry keeps its shapes; xs [t, ..x], of which a step gets [..x]; outputs [..y] are collected as [t, ..y]
 * Gradient: to init, to xs, and to tensors that the step closes over, such as weights; of any order (higher ones keep the values of all steps)
 *
 * @throws ShapeError if a step changes the shape of a carried value, DTypeError if carried values and outputs are not floats of one dtype.
 * @example
 * ```ts
 * const decay = (sum: Tensor, x: Tensor) => {
 *   const next = sum.mul(0.5).add(x)
 *   return { carry: next, output: next }
 * }
 * const { carry, outputs } = scan(decay, scalar(0), tensor([1, 2, 3]))
 * console.log(await carry.item(), await outputs.array())   // 4.25 [1, 2.5, 4.25]
 * ```
 */
export function scan<const C extends Tensors, const X extends Tensors, Y extends Tensors = Tensor>(
  step: (carry: SameTensors<C>, x: SameTensors<X>) => ScanStep<Y>,
  init: C,
  xs: X,
): { carry: SameTensors<C>; outputs: SameTensors<Y> }
export function scan(step: (carry: never, x: never) => ScanStep<Tensors>, init: Tensors, xs: Tensors): unknown {
  requireFunction('scan', 'step', step, 'scan((carry, x) => ({ carry, output }), init, xs)')
  const loop = new Loop(step as Step, init, xs)
  return scope(() => {
    const { y, moving, inputs } = runUnseen([...loop.init, ...loop.xs], () => loop.rows())
    const unrolled = recomputing(() => ({ sources: moving, run: () => loop.rows() }))
    const op: OpDefinition = {
      name: 'scan',
      rule: '(step by step from the last, each computed again)',
      samples: [],
      vjp: (at, taken, namespace) => {
        // While the derivative is itself being recorded, all steps, which are made of ops with rules.
        if (isRecording()) return unrolled.vjp(at, taken, namespace)
        const grads = once(() => loop.backward(at.y, at.dY, moving))
        return moving.map((_, i) => () => grads()[i])
      },
      jvp: unrolled.jvp,
      call: (given) => runAgain('scan', given, inputs, () => loop.rows()),
    }
    recordOp(op, inputs, y, {})
    return loop.results(y)
  })
}

type Step = (carry: Tensors, x: Tensors) => ScanStep<Tensors>

/** A loop over steps. It packs what a step gives, carried values first, into a row, because an op has one output. */
class Loop {
  readonly init: readonly Tensor[]
  readonly xs: readonly Tensor[]
  readonly #count: number
  readonly #step: (carry: readonly Tensor[], x: readonly Tensor[]) => ScanStep<Tensors>
  readonly #carryIsList: boolean
  /** Shapes of carried values, and of outputs, which the first step shows. */
  readonly #carried: readonly Shape[]
  #collected: readonly Shape[] = []
  #output: 'none' | 'one' | 'list' = 'none'

  constructor(step: Step, init: Tensors, xs: Tensors) {
    this.init = listOf('init', init)
    this.xs = listOf('xs', xs)
    this.#count = this.xs[0]?.shape[0] ?? 0
    for (const [i, { shape }] of this.xs.entries()) {
      if (shape.length > 0 && shape[0] === this.#count) continue
      throw shapeError('scan', `xs[${i}] must have as many entries on its leading axis as xs[0]`, [
        { name: 'xs[0]', shape: this.xs[0].shape, bad: [0] },
        { name: `xs[${i}]`, shape, bad: [0] },
      ])
    }
    if (this.#count === 0)
      throw new ValueError('scan: there is no step, so nobody knows the shape of the outputs: xs need at least one entry.')
    requireOneFloat('init', this.init, this.init[0])
    this.#carryIsList = Array.isArray(init)
    this.#carried = this.init.map((x) => x.shape)
    this.#step = (carry, x) => step(this.#carryIsList ? carry : carry[0], Array.isArray(xs) ? x : x[0])
  }

  /** All steps: [t, w]. */
  rows(): Tensor {
    let carry = this.init
    const rows: Tensor[] = []
    for (let k = 0; k < this.#count; k++) {
      const done = scope(() => this.#run(carry, this.#entries(k)))
      carry = done.carry
      rows.push(done.row)
    }
    return ops.stack(rows)
  }

  /** One step: its row [w], and the values for the next. */
  #run(before: readonly Tensor[], x: readonly Tensor[]): { row: Tensor; carry: readonly Tensor[] } {
    const result = this.#step(before, x)
    if (typeof result !== 'object' || result === null || !('carry' in result))
      throw new ValueError(`scan: step must return { carry, output }, got ${describeValue(result)}.`)
    const carry = listOf("the step's carry", result.carry)
    const output = result.output === undefined ? [] : listOf("the step's output", result.output)
    requireOneFloat("the step's carry", carry, this.init[0])
    requireOneFloat("the step's output", output, this.init[0])
    requireShapes("the step's carry", carry, this.#carried)
    if (this.#output === 'none') this.#collected = output.map((y) => y.shape)
    requireShapes("the step's output", output, this.#collected)
    if (result.output !== undefined) this.#output = Array.isArray(result.output) ? 'list' : 'one'
    return { row: ops.concat([...carry, ...output].map((value) => ops.flatten(value))), carry }
  }

  /** The carried values of the last row, and the outputs of all. */
  results(rows: Tensor): { carry: Tensors; outputs: Tensors | undefined } {
    const carry = this.#carryIn(rows, this.#count)
    const outputs = unpacked(ops.slice(rows, [0, this.#width]), this.#collected, [this.#count])
    return { carry: this.#carryIsList ? carry : carry[0], outputs: this.#output === 'list' ? outputs : outputs[0] }
  }

  /** The cotangents of `moving`, tensors that the steps use, when the rows have cotangent dY: from the last step to the first. */
  backward(rows: Tensor, dY: Tensor, moving: readonly Tensor[]): Tensor[] {
    const width = dY.shape[1]
    const total = new Map(moving.map((x) => [x, ops.zerosLike(x)]))
    const add = (x: Tensor, addend: Tensor | undefined): void => {
      const before = total.get(x)
      if (!before || !addend) return
      total.set(x, ops.add(before, addend))
      discard(before)
    }
    const dXs: Tensor[][] = []
    let dCarry: readonly Tensor[] = this.init.map((x) => ops.zerosLike(x))
    for (let k = this.#count - 1; k >= 0; k--) {
      const step = scope(() => {
        const carry = this.#carryIn(rows, k)
        const x = this.#entries(k)
        const sources = [...carry, ...x, ...moving]
        const tape = new Tape(sources)
        const row = tape.run(() => this.#run(carry, x).row)
        const later = ops.concat(dCarry.map((d) => ops.flatten(d)))
        const dRow = ops.add(ops.reshape(ops.slice(dY, [k, 0], [1, width]), [width]), ops.pad(later, [[0, width - this.#width]]))
        const grads = tape.backward(row, dRow, sources)
        const whole = [...carry, ...x].map((source, i) => grads[i] ?? ops.zerosLike(source))
        return { dCarry: whole.slice(0, carry.length), dX: whole.slice(carry.length), dMoving: grads.slice(whole.length) }
      })
      dCarry = step.dCarry
      dXs.unshift(step.dX)
      for (const [i, x] of moving.entries()) add(x, step.dMoving[i])
    }
    for (const [i, x] of this.init.entries()) add(x, dCarry[i])
    for (const [i, x] of this.xs.entries()) if (total.has(x)) add(x, ops.stack(dXs.map((dX) => dX[i])))
    return moving.map((x) => total.get(x) as Tensor)
  }

  get #width(): number {
    return this.#carried.reduce((n, shape) => n + sizeOf(shape), 0)
  }

  /** The carried values that step k begins with, as tensors of their own. */
  #carryIn(rows: Tensor, k: number): Tensor[] {
    return k === 0 ? this.init.map((x) => ops.viewOf(x)) : unpacked(ops.slice(rows, [k - 1, 0], [1, this.#width]), this.#carried)
  }

  /** The part of xs that step k gets. */
  #entries(k: number): Tensor[] {
    return this.xs.map((x) => ops.reshape(ops.slice(x, [k], [1]), x.shape.slice(1)))
  }
}

/** The columns of packed rows as tensors: [n, w] → [..lead, ..shape] each. */
function unpacked(rows: Tensor, shapes: readonly Shape[], lead: Shape = []): Tensor[] {
  let begin = 0
  return shapes.map((shape) => {
    const size = sizeOf(shape)
    begin += size
    return ops.reshape(ops.slice(rows, [0, begin - size], [-1, size]), [...lead, ...shape])
  })
}

function listOf(name: string, value: Tensors): readonly Tensor[] {
  if (value instanceof Tensor) return [value]
  if (!Array.isArray(value)) requireTensor('scan', name, value)
  requireTensors('scan', name, value as readonly Tensor[])
  if ((value as readonly Tensor[]).length === 0) throw new ValueError(`scan: ${name} is an empty array; at least one tensor is needed.`)
  return value as readonly Tensor[]
}

/** Rows hold values of one dtype. */
function requireOneFloat(name: string, tensors: readonly Tensor[], { dtype }: Tensor): void {
  const bad = tensors.find((x) => !isFloat(x.dtype) || x.dtype !== dtype)
  if (bad)
    throw new DTypeError(`scan: ${name} must be floats of one dtype, got ${bad.dtype}${bad.dtype === dtype ? '' : ` beside ${dtype}`}.`)
}

function requireShapes(name: string, tensors: readonly Tensor[], shapes: readonly Shape[]): void {
  if (tensors.length !== shapes.length)
    throw new ValueError(`scan: ${name} has ${tensors.length} tensors, expected ${shapes.length} as before.`)
  const i = tensors.findIndex((x, j) => !sameShape(x.shape, shapes[j]))
  if (i < 0) return
  throw shapeError('scan', `${name} must keep its shape from step to step`, [
    { name: 'now', shape: tensors[i].shape },
    { name: 'before', shape: shapes[i] },
  ])
}
