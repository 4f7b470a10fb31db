/// <reference lib="esnext.disposable" preserve="true" />
/**
 * A tensor is a shape, a dtype and a buffer on a backend. It does not compute: ops do (ops/), and its chaining methods call
 * them (chain.ts attaches them once).
 *
 * Invariants: shape, dtype and values never change, except a Parameter's values, through `assign`; storage may be shared with a reshape of the
 * tensor and is reference counted; once disposed, every use throws.
 */
import { describeValue, requireBoolean, requireOptions } from '../arguments.js'
import type { Backend, Operand, Storage } from '../backends/backend.js'
import { BackendError, CotangentError, DisposedError, shapeError, showShape, ValueError } from '../errors.js'
import { debugging, requireBackend } from '../runtime.js'
import { COPY_KEY, thisCopy } from './copies.js'
import { type DType, hostArray, requireKnownDType, type TypedArray } from './dtype.js'
import { reclaim, reclaimable, unwatch, watch, withNet, withRoom } from './finalizer.js'
import { formatTensor } from './format.js'
import { discard, own } from './scope.js'
import { checkShape, type Shape, sameShape, sizeOf } from './shape.js'

/** Nested arrays of numbers, as `tensor()` takes and `array()` gives them. */
export type NestedArray = number | boolean | readonly NestedArray[]

let tensorCount = 0
/** Live tensors, parameters included. */
export const liveTensors = (): number => tensorCount

/** @internal Of tensors that a function freed by a rule of its own: the rule, for the message when they are used. */
export const freedBy = new WeakMap<Tensor, string>()

export class Tensor<S extends Shape = Shape> implements Operand {
  readonly shape: S
  readonly dtype: DType
  readonly size: number
  /** @internal The memory; a Parameter swaps it. */
  storage: Storage
  /** True once the memory was given back. */
  disposed = false
  /** @internal Set by `keep`. */
  kept = false
  /** @internal Where it was made, and freed, under debug({ leaks: true }). */
  trace?: { made?: string; freed?: string }

  /** Takes over one reference of `storage`. Use `tensor`, `zeros`, … to make tensors; this is for ops. */
  constructor(storage: Storage, shape: S, managed = true) {
    this.storage = storage
    this.shape = shape
    this.dtype = storage.dtype
    this.size = storage.size
    tensorCount++
    if (debugging.leaks) this.trace = { made: stackOf('made') }
    if (managed) own(this)
  }

  /** Number of axes. */
  get rank(): number {
    return this.shape.length
  }

  get backend(): Backend {
    return this.storage.backend
  }

  /**
   * Gives the memory back now. A second call does nothing. Mind that an op that changes nothing (a cast to the same dtype, a reshape to
   * the same shape) gives back its argument, not a copy.
   */
  dispose(): void {
    if (this.disposed) return
    this.disposed = true
    tensorCount--
    unwatch(this)
    releaseStorage(this.storage)
    if (this.trace) this.trace.freed = stackOf('freed')
  }

  /** `using t = …` disposes at the end of the block; a tensor that an active tape still needs is left to the scope around. */
  [Symbol.dispose](): void {
    discard(this)
  }

  /** Exempts this tensor from every scope; it lives until `dispose()`. */
  keep(): this {
    this.kept = true
    return this
  }

  /** @internal What the finalizer calls; holds the storage, not the tensor. */
  releaser(): () => void {
    const { storage } = this
    return () => {
      tensorCount--
      releaseStorage(storage)
    }
  }

  /** Throws a DisposedError if the memory is gone. */
  requireLive(use: string): void {
    if (!this.disposed) return
    const rule = freedBy.get(this)
    if (rule) throw new DisposedError(`${use}: this tensor (${this.dtype} ${showShape(this.shape)}) was disposed. ${rule}`)
    const { made, freed } = this.trace ?? {}
    const where = this.trace
      ? `\n  It was made${made} \n  and freed${freed}`
      : ' Call debug({ leaks: true }) first to see where it was made and freed.'
    throw new DisposedError(
      `${use}: this tensor (${this.dtype} ${showShape(this.shape)}) was disposed. Tensors made in a scope end with it: ` +
        `return them from it, or keep() them.${where}`,
    )
  }

  /**
   * A copy of the values, row-major, in the typed array of the dtype (bool as 0 and 1 bytes).
   *
   * If tensors that nobody refers to any more may hold much memory, this also waits until they have given it back; see `reclaim`.
   */
  async data(): Promise<TypedArray> {
    this.requireLive('data')
    const values = await this.backend.read(this.storage)
    if (reclaimable()) await reclaim()
    return values
  }

  /** The values as nested arrays of numbers; a scalar gives a number. */
  async array(): Promise<NestedArray> {
    return nest(await this.data(), this.shape)
  }

  /** The value of a tensor with one element. */
  async item(): Promise<number> {
    if (this.size !== 1) {
      throw shapeError(
        'item',
        `a tensor with one element was expected, this one has ${this.size}`,
        [{ name: 'x', shape: this.shape }],
        'Use data() or array(), or reduce it first.',
      )
    }
    return (await this.data())[0]
  }

  /** A copy on another backend. */
  async to(backend: Backend): Promise<Tensor<S>> {
    requireBackend('to', backend)
    const values = await this.data()
    return withRoom(() => fromHost(backend, values, this.shape, this.dtype))
  }

  /** Shape, dtype and, where the backend can read at once, the values as NumPy prints them. */
  toString(): string {
    if (this.disposed) return `Tensor(disposed, ${this.dtype} ${showShape(this.shape)})`
    const head = `${this.dtype} ${showShape(this.shape)} on ${this.backend.name}`
    const values = this.backend.readSync?.(this.storage)
    return values ? `Tensor(${head})\n${formatTensor(values, this.shape, this.dtype)}` : `Tensor(${head})`
  }

  /** @internal The copy of this package that it belongs to. */
  get [COPY_KEY](): object {
    return thisCopy
  }

  /** The text that console.log shows in Node. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }

  /** Tensors have no order and no single value: comparing or adding them as numbers is a mistake. */
  valueOf(): never {
    throw new CotangentError('A tensor is not a number: use ops (a.add(b), a.less(b)) or read it first (await t.item()).')
  }
}

/**
 * A named slot for a tensor that training changes. It is a tensor, so ops take it as it is; `assign` swaps its memory and counts up
 * `version`, by which a tape notices that a value it saved is gone.
 */
export class Parameter<S extends Shape = Shape> extends Tensor<S> {
  name: string
  /** Whether optimizers change it. */
  trainable: boolean
  /** Times the value was replaced. */
  version = 0

  /** Takes the value over: do not use `value` afterwards. Of another parameter it takes a copy. */
  constructor(value: Tensor<S>, options: { name?: string; trainable?: boolean } = {}) {
    requireTensor('Parameter', 'value', value)
    requireOptions('Parameter', options, ['name', 'trainable'])
    const { name = 'parameter', trainable = true } = options
    if (typeof name !== 'string') throw new ValueError(`Parameter: name must be text, got ${describeValue(name)}.`)
    requireBoolean('Parameter', 'trainable', trainable)
    value.requireLive('parameter')
    value.storage.references++
    super(value.storage, value.shape, false)
    if (!(value instanceof Parameter)) value.dispose()
    this.kept = true
    this.name = name
    this.trainable = trainable
    watch(this, true)
  }

  /**
   * Replaces the value; shape and dtype must match. The memory of `value` is taken over: do not use it afterwards. Of another parameter
   * it takes a copy (made when one of the two changes).
   */
  assign(value: Tensor): void {
    this.requireLive('assign')
    requireTensor(`assign to "${this.name}"`, 'the value', value)
    value.requireLive('assign')
    if (!sameShape(value.shape, this.shape) || value.dtype !== this.dtype) {
      throw shapeError(
        `assign to "${this.name}"`,
        `${value.dtype} ${showShape(value.shape)} does not fit ${this.dtype} ${showShape(this.shape)}`,
        [
          { name: 'parameter', shape: this.shape },
          { name: 'value', shape: value.shape },
        ],
      )
    }
    unwatch(this)
    const before = this.storage
    value.storage.references++
    this.storage = value.storage
    if (!(value instanceof Parameter)) value.dispose()
    releaseStorage(before)
    this.version++
    watch(this, true)
  }

  /**
   * @internal Before a kernel changes the values in place: gives the parameter memory of its own, so that a reshape that shares it keeps the
   * old values, and counts up the version.
   */
  beginUpdate(): void {
    this.requireLive('update')
    this.version++
    const before = this.storage
    if (before.references === 1) return
    const { backend, size, dtype } = this
    const after = newStorage(backend, size, dtype)
    const flat = (storage: Storage): Operand => ({ storage, shape: [size], dtype, size })
    backend.kernels.copy(flat(after), flat(before), { axis: [0], start: [0], step: [1], fill: 0 })
    unwatch(this)
    releaseStorage(before)
    this.storage = after
    watch(this, true)
  }
}

/** Throws unless `value` is a tensor; `name` is what the caller calls the argument. */
export function requireTensor(what: string, name: string, value: unknown): asserts value is Tensor {
  if (!(value instanceof Tensor)) throw notATensor(what, name, value)
}

/** Throws unless `value` is an array of tensors. */
export function requireTensors(what: string, name: string, value: unknown): asserts value is readonly Tensor[] {
  if (!Array.isArray(value)) {
    const example = value instanceof Tensor ? ` Put it into one: [${name}].` : ''
    throw new ValueError(`${what}: ${name} must be an array of tensors, got ${describeValue(value)}.${example}`)
  }
  for (let i = 0; i < value.length; i++) if (!(value[i] instanceof Tensor)) throw notATensor(what, `${name}[${i}]`, value[i])
}

/** The error for what is no tensor where one is expected. */
export function notATensor(what: string, name: string, value: unknown, expected = 'a tensor'): ValueError {
  const numbers = typeof value === 'number' || Array.isArray(value) || ArrayBuffer.isView(value)
  const hint = numbers ? ' Make one of numbers with tensor(…).' : ''
  return new ValueError(`${what}: ${name} must be ${expected}, got ${describeValue(value)}.${hint}`)
}

/** Fresh memory with unspecified content and one reference. The one place that asks a backend for memory: no size gets there that is none. */
export function newStorage(backend: Backend, size: number, dtype: DType): Storage {
  if (!Number.isSafeInteger(size) || size < 0) throw new ValueError(`A tensor of ${size} elements cannot be made.`)
  try {
    return { handle: backend.alloc(size, dtype), backend, dtype, size, references: 1 }
  } catch (error) {
    throw withNet(error)
  }
}

function releaseStorage(storage: Storage): void {
  if (--storage.references === 0) storage.backend.free(storage)
}

/** Throws a DTypeError where there is no such dtype, a BackendError where the backend does not know it. */
export function requireBackendDType(what: string, backend: Backend, dtype: DType): void {
  if (backend.dtypes.has(dtype)) return
  requireKnownDType(what, dtype)
  throw new BackendError(`${what}: the ${backend.name} backend has no ${dtype}. Use float32, or the reference backend for float64.`)
}

/**
 * A tensor of the shape with unspecified values, for an op to fill.
 *
 * Throws a ValueError for sizes that are none, and a BackendError where the backend has no such room.
 */
export function emptyTensor<S extends Shape>(backend: Backend, shape: S, dtype: DType): Tensor<S> {
  checkShape('tensor', shape)
  return new Tensor(newStorage(backend, sizeOf(shape), dtype), shape)
}

/** A tensor from host values that already have the dtype's array type. */
export function fromHost<S extends Shape>(backend: Backend, values: TypedArray, shape: S, dtype: DType): Tensor<S> {
  requireBackendDType('tensor', backend, dtype)
  const out = emptyTensor(backend, shape, dtype)
  backend.write(out.storage, values)
  return out
}

function stackOf(what: string): string {
  const lines = new Error(what).stack?.split('\n').slice(3) ?? []
  return lines.length > 0 ? `:\n${lines.join('\n')}` : ' (no stack)'
}

/** Flat row-major values as nested arrays. */
export function nest(values: ArrayLike<number>, shape: Shape): NestedArray {
  let next = 0
  const build = (axis: number): NestedArray =>
    axis === shape.length ? values[next++] : Array.from({ length: shape[axis] }, () => build(axis + 1))
  return build(0)
}

/** An empty host array of the tensor's type, for callers that fill it. */
export const hostLike = (tensor: Tensor): TypedArray => hostArray(tensor.dtype, tensor.size)
