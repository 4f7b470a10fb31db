/**
 * Listens to one step and writes down the kernels that it calls: their names, operands and options, in order. Nothing changes for the step itself; each call
 * is made as always.
 *
 * An operand is written down as the number of a *value*: memory that the step was given (an input), that was there before (a parameter), or that the step
 * made (a block). What differs from step to step (keys, numbers of `eachStep`) is written down as the object that holds it: a later step changes
 * the object's contents.
 *
 * A step that cannot be done again without its program is refused, with the reason: values read on the host, tensors that outlive the step.
 */
import { foldOf, type Key } from '../../../random.js'
import type { Changeable, StepListener } from '../../../step-listener.js'
import type { DType, TypedArray } from '../../../tensor/dtype.js'
import type { Backend, Operand, Storage } from '../../backend.js'

/** Memory that kernels of the step read or write. */
export interface Value {
  readonly dtype: DType
  readonly size: number
  /** The position of the argument that it came with. */
  readonly input?: number
  /** Memory that was there before the step. */
  readonly storage?: Storage
  /** The parameter that had this memory when the step began, if the step gave it another. */
  parameter?: Changeable
}

/** An operand of a recorded call. */
export class RecordedOperand {
  readonly value: number
  readonly shape: readonly number[]
  readonly dtype: DType
  readonly size: number

  constructor(value: number, { shape, dtype, size }: Omit<Operand, 'storage'>) {
    this.value = value
    this.shape = shape
    this.dtype = dtype
    this.size = size
  }
}

/** A call of a kernel; or values of the host that are written; or something that must happen before the next call. */
export type Recorded =
  | { readonly kind: 'kernel'; readonly table: 'kernels' | 'fused'; readonly name: string; readonly values: readonly unknown[] }
  | { readonly kind: 'write'; readonly to: number; readonly data: TypedArray }
  /** Values that are drawn anew in each step. */
  | { readonly kind: 'draw'; readonly to: number; readonly make: () => TypedArray }
  | { readonly kind: 'fold'; readonly from: Key; readonly index: number; readonly made: [number, number] }
  /** Values that are checked on the host. */
  | { readonly kind: 'check'; readonly of: number; readonly check: (values: TypedArray) => void }
  | { readonly kind: 'numbers'; readonly held: number[]; readonly make: () => readonly number[] }

/** A step, written down. */
export interface Recording {
  readonly calls: readonly Recorded[]
  readonly values: readonly Value[]
  /** The values that parameters have after the step, where they got other memory. */
  readonly assigned: ReadonlyMap<Changeable, number>
  /** How often the value of each parameter changed. */
  readonly changes: ReadonlyMap<Changeable, number>
  /** Must be as they were, or the program runs. */
  readonly guards: readonly { readonly now: () => unknown; readonly was: unknown }[]
  /** Keys and arrays whose contents change from step to step, in the order in which they came up. */
  readonly changing: readonly object[]
}

/** The step cannot be recorded; the message says why. */
export class Refusal extends Error {}

type Method = (...values: unknown[]) => unknown

/** Records the steps of a backend. */
export class Recorder implements StepListener {
  readonly #backend: Backend
  readonly #calls: Recorded[] = []
  readonly #values: Value[] = []
  /** The values of memory by address, for blocks of the step that are alive. */
  readonly #blocks = new Map<unknown, number>()
  readonly #outside = new Map<Storage, number>()
  readonly #assigned = new Map<Changeable, Storage>()
  readonly #changes = new Map<Changeable, number>()
  readonly #guards: { now: () => unknown; was: unknown }[] = []
  readonly #changing = new Map<object, number>()
  /** Whether values are drawn that are written down as such. */
  #drawing?: { keyed: boolean }
  #refusal?: string
  #read?: Backend['readSync']

  /**
   * @param inputs the memory of each argument that is a tensor
   * @param keys the arguments that are keys
   */
  constructor(backend: Backend, inputs: readonly Storage[], keys: readonly Key[]) {
    this.#backend = backend
    for (const [input, storage] of inputs.entries())
      if (!this.#outside.has(storage)) this.#outside.set(storage, this.#add({ dtype: storage.dtype, size: storage.size, input }))
    for (const key of keys) this.#noteChanging(key)
  }

  /** Runs the program of a step while every call of the backend is written down. */
  listen<R>(program: () => R): R {
    const backend = this.#backend as { -readonly [K in keyof Backend]: Backend[K] }
    const { kernels, fused, alloc, write, read, readSync, free } = backend
    this.#read = readSync
    const listened = <Table extends object>(name: 'kernels' | 'fused', table: Table): Table =>
      new Proxy(table, {
        get: (own, kernel) => {
          const method = (own as Record<string | symbol, Method | undefined>)[kernel]
          return method && ((...values: unknown[]) => this.#kernel(name, String(kernel), values, method))
        },
      })
    const reads =
      <M extends (storage: Storage) => unknown>(method: M) =>
      (storage: Storage): unknown => {
        this.refuse('it reads values of tensors on the host')
        return method.call(this.#backend, storage)
      }
    backend.kernels = listened('kernels', kernels)
    backend.fused = listened('fused', fused)
    backend.alloc = (size, dtype) => {
      const handle = alloc.call(backend, size, dtype)
      this.#blocks.set(handle, this.#add({ dtype, size }))
      return handle
    }
    backend.free = (storage) => {
      if (!this.#blocks.delete(storage.handle) && !storage.left) this.refuse('it frees a tensor that it did not make')
      free.call(backend, storage)
    }
    backend.write = (storage, data) => {
      write.call(backend, storage, data)
      this.#calls.push({ kind: 'write', to: this.#valueOf(storage), data: data.slice() })
    }
    backend.read = reads(read) as typeof read
    if (readSync) backend.readSync = reads(readSync) as typeof readSync
    try {
      return program()
    } finally {
      Object.assign(backend, { kernels, fused, alloc, write, read, readSync, free })
    }
  }

  /** The step as it was written down. @param results the memory of its results */
  finish(results: readonly Storage[]): { recording: Recording; results: number[] } {
    const assigned = new Map<Changeable, number>()
    for (const [parameter, before] of this.#assigned) {
      const after = this.#blocks.get(parameter.storage.handle)
      if (parameter.storage === before) continue
      if (after === undefined) this.refuse('a parameter shares the memory of another')
      else assigned.set(parameter, after)
      const value = this.#outside.get(before)
      if (value !== undefined) this.#values[value].parameter = parameter
    }
    const numbers = results.map((storage) => this.#valueOf(storage))
    const known = new Set([...numbers, ...assigned.values()])
    for (const value of this.#blocks.values()) if (!known.has(value)) this.refuse('a tensor that it makes is kept')
    if (this.#refusal !== undefined) throw new Refusal(this.#refusal)
    const recording = {
      calls: this.#calls,
      values: this.#values,
      assigned,
      changes: this.#changes,
      guards: this.#guards,
      changing: [...this.#changing.keys()],
    }
    return { recording, results: numbers }
  }

  refuse(why: string): void {
    this.#refusal ??= why
  }

  changed(parameter: Changeable, before: Storage): void {
    const value = this.#outside.get(before)
    // A recorded step may work on a copy of an argument, so that the parameter itself would stay as it was.
    if (value !== undefined && this.#values[value].input !== undefined) this.refuse('it changes a parameter that is one of its arguments')
    this.#changes.set(parameter, (this.#changes.get(parameter) ?? 0) + 1)
    if (parameter.storage === before) return
    if (before.references > 1 && !this.#blocks.has(before.handle)) this.refuse('a parameter shares its memory')
    if (!this.#assigned.has(parameter)) this.#assigned.set(parameter, before)
  }

  folded(from: Key, index: number, made: Key): void {
    if (!this.#changing.has(from)) return
    if (this.#drawing) {
      this.#drawing.keyed = true // folding is part of the drawing, which is done again as a whole
      return
    }
    this.#noteChanging(made)
    this.#calls.push({ kind: 'fold', from, index, made: made as [number, number] })
  }

  drawn(from: object): void {
    if (!this.#changing.has(from)) return
    if (this.#drawing) this.#drawing.keyed = true
    else this.refuse('the host computes with a random key')
  }

  writes(storage: Storage, make: () => TypedArray): void {
    const drawing = { keyed: false }
    this.#drawing = drawing
    let data: TypedArray
    try {
      data = make()
    } finally {
      this.#drawing = undefined
    }
    const { length } = this.#calls
    this.#backend.write(storage, data)
    if (!drawing.keyed) return
    this.#calls.length = length // it was written down as values that stay the same
    this.#calls.push({ kind: 'draw', to: this.#valueOf(storage), make })
  }

  checks(storage: Storage, check: (values: TypedArray) => void): void {
    if (this.#read) check(this.#read(storage))
    this.#calls.push({ kind: 'check', of: this.#valueOf(storage), check })
  }

  eachStep(make: () => readonly number[], guard?: () => unknown): readonly number[] {
    if (guard) this.#guards.push({ now: guard, was: guard() })
    const held = [...make()]
    this.#noteChanging(held)
    this.#calls.push({ kind: 'numbers', held, make })
    return held
  }

  #kernel(table: 'kernels' | 'fused', name: string, values: readonly unknown[], method: Method): unknown {
    this.#calls.push({ kind: 'kernel', table, name, values: values.map((value) => this.#written(value)) })
    return method(...values)
  }

  /** An argument of a kernel, with the numbers of values in the place of operands. */
  #written(value: unknown): unknown {
    if (typeof value !== 'object' || value === null || this.#changing.has(value)) return value
    if (isOperand(value)) return new RecordedOperand(this.#valueOf(value.storage), value)
    if (Array.isArray(value)) return value.map((item) => this.#written(item))
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, this.#written(item)]))
  }

  #valueOf(storage: Storage): number {
    const block = this.#blocks.get(storage.handle)
    if (block !== undefined) return block
    const known = this.#outside.get(storage)
    if (known !== undefined) return known
    const value = this.#add({ dtype: storage.dtype, size: storage.size, storage })
    this.#outside.set(storage, value)
    return value
  }

  #add(value: Value): number {
    this.#values.push(value)
    return this.#values.length - 1
  }

  #noteChanging(held: object): void {
    this.#changing.set(held, this.#changing.size)
  }
}

const isOperand = (value: object): value is Operand => 'storage' in value && 'shape' in value

/** Makes a key again that was made of another. */
export function foldAgain({ from, index, made }: Extract<Recorded, { kind: 'fold' }>): void {
  const [a, b] = foldOf(from, index)
  made[0] = a
  made[1] = b
}
