/// <reference lib="esnext.disposable" preserve="true" />
/**
 * A tensor is a shape, a dtype and memory on a backend. It does not compute: ops do (ops/). Its chaining methods call them (chain.ts).
 *
 * Invariants:
 *
 * - Shape, dtype and values never change, except the values of a Parameter, through `assign` and updates.
 * - Storage is reference counted; a reshape of a tensor shares it.
 * - Once a tensor is disposed, every use of it throws.
 *
 * The file is a little over 300 lines because Tensor and Parameter share their private helpers.
 */
import { describeValue, requireBoolean, requireOptions } from '../arguments.js'
import type { Backend, Operand, Storage } from '../backends/backend.js'
import { BackendError, CotangentError, DisposedError, shapeError, showShape, ValueError } from '../errors.js'
import { debugging, requireBackend } from '../runtime.js'
import { stepListener } from '../step-listener.js'
import { COPY_KEY, thisCopy } from './copies.js'
import { type DType, hostArray, requireKnownDType, type TypedArray } from './dtype.js'
import { reclaim, reclaimable, unwatch, watch, withNet, withRoom } from './finalizer.js'
import { formatTensor } from './format.js'
import { discard, own } from './scope.js'
import { checkShape, type Shape, sameShape, sizeOf } from './shape.js'

/** Nested arrays of numbers, as `tensor()` takes them and `array()` returns them. */
export type NestedArray = number | boolean | readonly NestedArray[]

let tensorCount = 0
/** How many tensors are alive, parameters included. */
export const liveTensors = (): number => tensorCount

/** @internal For tensors that a function freed by a rule of its own: the rule, for the message when they are used. */
export const freedBy = new WeakMap<Tensor, string>()

/**
 * An array of numbers of one dtype, with any number of axes, on a backend. `tensor`, `zeros` and others make one; ops and the chaining methods compute.
 *
 * @example
 * ```ts
 * const x = tensor([[1, 2], [3, 4]])   // [2, 2]
 * console.log(x.rank, x.size, x.dtype)   // 2 4 float32
 * console.log(await x.add(1).array())   // [[2, 3], [4, 5]]
 * ```
 */
export class Tensor<S extends Shape = Shape> implements Operand {
  /** The sizes of the axes, outermost first. */
  readonly shape: S
  /** The type of the elements. */
  readonly dtype: DType
  /** The number of elements. */
  readonly size: number
  /** @internal The memory. A Parameter swaps it. */
  storage: Storage
  /** Whether the memory was given back. */
  disposed = false
  /** @internal Set by `keep`. */
  kept = false
  /** @internal Where the tensor was made and freed, under debug({ leaks: true }). */
  trace?: { made?: string; freed?: string }

  /** For ops; others make tensors with `tensor`, `zeros` and so on. Takes over one reference of `storage`. */
  constructor(storage: Storage, shape: S, managed = true) {
    this.storage = storage
    this.shape = shape
    this.dtype = storage.dtype
    this.size = storage.size
    tensorCount++
    if (debugging.leaks) this.trace = { made: stackOf('made') }
    if (managed) own(this)
  }

  /** The number of axes. */
  get rank(): number {
    return this.shape.length
  }

  /** The backend that holds the memory. */
  get backend(): Backend {
    return this.storage.backend
  }

  /**
   * Gives the memory back now. A second call does nothing.
   *
   * An op that changes nothing, such as a cast to the same dtype, returns its argument and no copy. Disposing its result disposes the argument.
   */
  dispose(): void {
    if (this.disposed) return
    this.disposed = true
    tensorCount--
    unwatch(this)
    releaseStorage(this.storage)
    if (this.trace) this.trace.freed = stackOf('freed')
  }

  /** Called at the end of the block of `using t = …`: disposes the tensor. If an active tape still needs it, the surrounding scope does that later. */
  [Symbol.dispose](): void {
    discard(this)
  }

  /** Exempts this tensor from every scope: it lives until `dispose()`. Returns it. */
  keep(): this {
    this.kept = true
    return this
  }

  /** @internal The function that the finalizer calls. It holds the storage, not the tensor. */
  releaser(): () => void {
    const { storage } = this
    return () => {
      tensorCount--
      releaseStorage(storage)
    }
  }

  /** Throws a DisposedError if the tensor is disposed; `use` begins the message. */
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
   * A copy of the values, row by row, in the typed array of the dtype; a bool is a byte, 0 or 1.
   *
   * If tensors that nobody refers to any more may hold much memory, this also waits until they have given it back (see `reclaim`).
   *
   * @throws DisposedError if the tensor is disposed.
   */
  async data(): Promise<TypedArray> {
    this.requireLive('data')
    const values = await this.backend.read(this.storage)
    if (reclaimable()) await reclaim()
    return values
  }

  /** A copy of the values as nested arrays of numbers; a scalar gives a number. */
  async array(): Promise<NestedArray> {
    return nest(await this.data(), this.shape)
  }

  /**
   * The value of a tensor with one element.
   *
   * @throws ShapeError if it has more or none.
   */
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

  /**
   * A copy on another backend.
   *
   * @throws BackendError if that backend does not have the dtype.
   */
  async to(backend: Backend): Promise<Tensor<S>> {
    requireBackend('to', backend)
    const values = await this.data()
    return withRoom(() => fromHost(backend, values, this.shape, this.dtype))
  }

  /** Dtype, shape, backend, and the values as NumPy prints them (not on WebGPU, which cannot read at once). */
  toString(): string {
    if (this.disposed) return `Tensor(disposed, ${this.dtype} ${showShape(this.shape)})`
    const head = `${this.dtype} ${showShape(this.shape)} on ${this.backend.name}`
    const values = this.backend.readSync?.(this.storage)
    return values ? `Tensor(${head})\n${formatTensor(values, this.shape, this.dtype)}` : `Tensor(${head})`
  }

  /** @internal The mark of the copy of this package that made the tensor. */
  get [COPY_KEY](): object {
    return thisCopy
  }

  /** The text that `console.log` shows in Node. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }

  /** Always throws: `a < b` or `a + b` on tensors is a mistake. Use `a.less(b)`, `a.add(b)`. */
  valueOf(): never {
    throw new CotangentError('A tensor is not a number: use ops (a.add(b), a.less(b)) or read it first (await t.item()).')
  }
}

/**
 * A weight: a named tensor whose values training changes. Ops take it as they take any tensor. `assign` replaces its values and counts up `version`, so a tape
 * notices that a value it saved is gone.
 *
 * @example
 * ```ts
 * const w = new Parameter(tensor([1, 2]), { name: 'w' })
 * w.assign(tensor([3, 4]))
 * console.log(await w.array(), w.version)   // [3, 4] 1
 * ```
 */
export class Parameter<S extends Shape = Shape> extends Tensor<S> {
  /** The name, for messages, tapes and files. */
  name: string
  /** Whether optimizers change it. */
  trainable: boolean
  /** How often the value was replaced or updated. */
  version = 0

  /** Takes over `value`: do not use it afterwards. If it is a parameter, the new one has a copy and both can be used. */
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
   * Replaces the value. Takes over `value`: do not use it afterwards. If it is a parameter, this one has a copy and both can be used.
   *
   * @throws ShapeError unless shape and dtype are the same.
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
    const before = this.storage
    this.version++
    const inPlace = before.references === 1 && before !== value.storage && !(value instanceof Parameter) && !this.backend.info?.().gpu
    if (inPlace && value.backend === this.backend) {
      // The parameter stays where it is: recorded steps know the place. (A device makes new memory for every result.)
      copyValues(before, value.storage)
      value.dispose()
      this.#changed(before)
      return
    }
    unwatch(this)
    value.storage.references++
    this.storage = value.storage
    if (!(value instanceof Parameter)) value.dispose()
    this.#changed(before)
    releaseStorage(before)
    watch(this, true)
  }

  /**
   * @internal Called before a kernel changes the values in place. Counts up the version. If a reshape shares the memory, the parameter gets its own, so that
   * the reshape keeps the old values.
   */
  beginUpdate(): void {
    this.requireLive('update')
    this.version++
    const before = this.storage
    if (before.references === 1) {
      this.#changed(before)
      return
    }
    const { backend, size, dtype } = this
    const after = newStorage(backend, size, dtype)
    copyValues(after, before)
    unwatch(this)
    this.storage = after
    this.#changed(before)
    releaseStorage(before)
    watch(this, true)
  }

  /** Says that the value changed: steps that were recorded with the memory before are no longer right. */
  #changed(before: Storage): void {
    if (before !== this.storage) before.left = (before.left ?? 0) + 1
    stepListener()?.changed(this, before)
  }
}

/** Throws unless `value` is a tensor. `name` is the name of the argument. */
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

/** The error for a value that is no tensor where one is expected. */
export function notATensor(what: string, name: string, value: unknown, expected = 'a tensor'): ValueError {
  const numbers = typeof value === 'number' || Array.isArray(value) || ArrayBuffer.isView(value)
  const hint = numbers ? ' Make one of numbers with tensor(…).' : ''
  return new ValueError(`${what}: ${name} must be ${expected}, got ${describeValue(value)}.${hint}`)
}

/** Fresh memory with unspecified content and one reference. Only this function asks a backend for memory, so no backend gets a size that is none. */
export function newStorage(backend: Backend, size: number, dtype: DType): Storage {
  if (!Number.isSafeInteger(size) || size < 0) throw new ValueError(`A tensor of ${size} elements cannot be made.`)
  try {
    return { handle: backend.alloc(size, dtype), backend, dtype, size, references: 1 }
  } catch (error) {
    throw withNet(error)
  }
}

function copyValues(to: Storage, from: Storage): void {
  const flat = (storage: Storage): Operand => ({ storage, shape: [storage.size], dtype: storage.dtype, size: storage.size })
  to.backend.kernels.copy(flat(to), flat(from), { axis: [0], start: [0], step: [1], fill: 0 })
}

function releaseStorage(storage: Storage): void {
  if (--storage.references === 0) storage.backend.free(storage)
}

/** Throws a DTypeError if there is no such dtype, a BackendError if the backend does not have it. */
export function requireBackendDType(what: string, backend: Backend, dtype: DType): void {
  if (backend.dtypes.has(dtype)) return
  requireKnownDType(what, dtype)
  throw new BackendError(`${what}: the ${backend.name} backend has no ${dtype}. Use float32, or the reference backend for float64.`)
}

/**
 * A tensor of the shape with unspecified values, for an op to fill.
 *
 * @throws ValueError if the shape is none, BackendError if the backend has no room for it.
 */
export function emptyTensor<S extends Shape>(backend: Backend, shape: S, dtype: DType): Tensor<S> {
  checkShape('tensor', shape)
  return new Tensor(newStorage(backend, sizeOf(shape), dtype), shape)
}

/** A tensor of host values that are already in the array type of the dtype. */
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

/** A host array of zeros with the dtype and size of the tensor. */
export const hostLike = (tensor: Tensor): TypedArray => hostArray(tensor.dtype, tensor.size)
