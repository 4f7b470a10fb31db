/**
 * A recorded step that can be done again: a list of functions without arguments (lower.ts), each a kernel with its addresses, in the order of the recording.
 *
 * An argument is copied to its planned place. A large one that lies at the same address in step after step, as the batch of a training does, is read where it
 * lies instead, by a second list that is made for this address.
 */
import type { Key } from '../../../random.js'
import type { Backend, Operand, Storage } from '../../backend.js'
import { elementBytes } from '../assembler/elements.js'
import type { Engine } from '../engine/engine.js'
import type { Temporary } from '../engine/memory.js'
import { type Arena, arenaOf, grow, shrink } from './arena.js'
import { type Chain, fuse } from './fuse.js'
import { type Lowered, lower } from './lower.js'
import { type Plan, planMemory } from './plan.js'
import type { Recorded, Recording, Value } from './recorder.js'

/** Bytes from which on an argument is worth reading where it lies. */
const LARGE = 16384
/** The times in a row that large arguments must have lain at the same addresses before a list is made for these. It doubles with each list. */
const SAME_BEFORE = 2

/** An argument that the step reads. */
interface Input {
  readonly value: number
  readonly input: number
  readonly bytes: number
}

/** A recorded step on its engine. */
export class Replay {
  readonly backend: Backend
  readonly #engine: Engine
  readonly #recording: Recording
  readonly #calls: readonly (Recorded | Chain)[]
  readonly #plan: Plan
  readonly #arena: Arena
  /** The arguments that are always copied. */
  readonly #small: readonly Input[]
  readonly #large: readonly Input[]
  /** Memory of its own, for values that never change. */
  readonly #constants = new Map<number, number>()
  /** For arguments at their planned places. */
  #planned: Lowered = { list: [], kernels: [], effect: 0 }
  /** For large arguments at other addresses. */
  #direct?: { readonly addresses: readonly number[]; readonly lowered: Lowered }
  /** Where the large arguments lay last, and how often they have lain there. */
  readonly #seen: { addresses: number[]; times: number; needed: number } = { addresses: [], times: 0, needed: SAME_BEFORE }
  /** The version of the arena for which the list was made. */
  #version = -1
  /** The memory outside, and where it was. */
  readonly #outside: { storage: Storage; at: unknown; left?: number }[]

  constructor(engine: Engine, backend: Backend, recording: Recording, results: readonly number[]) {
    this.#engine = engine
    this.backend = backend
    this.#recording = recording
    const kept = new Set([...results, ...recording.assigned.values()])
    this.#calls = fuse(recording.calls, kept)
    this.#plan = planMemory(this.#calls, recording.values, kept)
    const inputs = recording.values.flatMap(({ input }, value) =>
      input === undefined || this.#plan.places[value] === undefined ? [] : [{ value, input, bytes: this.#bytesOf(value) }],
    )
    this.#small = inputs.filter(({ bytes }) => bytes < LARGE)
    this.#large = inputs.filter(({ bytes }) => bytes >= LARGE)
    this.#arena = arenaOf(engine)
    const outside = [...recording.values.map(outsideOf), ...[...recording.assigned.keys()].map(({ storage }) => storage)]
    this.#outside = outside.flatMap((storage) => (storage ? [{ storage, at: storage.handle, left: storage.left }] : []))
    this.#arena.users++
    try {
      this.#prepare()
    } catch (error) {
      this.dispose()
      throw error
    }
  }

  /** The bytes of the memory that it works in. */
  get bytes(): number {
    return this.#plan.bytes
  }

  /** The number of calls of kernels in a step. */
  get length(): number {
    return this.#planned.list.length
  }

  /** Whether memory outside is gone, or a parameter has other memory: it can never be done again. */
  get stale(): boolean {
    for (const { storage, at, left } of this.#outside) if (storage.handle !== at || storage.left !== left) return true
    return false
  }

  /** Whether nothing else uses the memory of parameters, which change in place, and what decides on the ops is as it was. */
  get fits(): boolean {
    for (const parameter of this.#recording.changes.keys()) if (parameter.storage.references !== 1) return false
    for (const { now, was } of this.#recording.guards) if (!Object.is(now(), was)) return false
    return true
  }

  /**
   * Does the step. The values of its results lie where `at` says until the next step.
   *
   * @returns false if a kernel refused its input before anything outside had changed
   */
  run(inputs: readonly Storage[], keys: readonly Key[]): boolean {
    if (this.#version !== this.#arena.version) this.#prepare()
    const { changing, assigned, changes } = this.#recording
    const { list, kernels, effect } = this.#large.length === 0 ? this.#planned : this.#loweredFor(inputs)
    for (const { value, input, bytes } of this.#small) this.#copy(this.at(value), inputs[input].handle as number, bytes)
    for (let i = 0; i < keys.length; i++) {
      const held = changing[i] as [number, number]
      held[0] = keys[i][0]
      held[1] = keys[i][1]
    }
    const { observer } = this.#engine
    let i = 0
    try {
      if (!observer) for (; i < list.length; i++) list[i]()
      else
        for (const { name, values, end } of kernels)
          observer(name, values, () => {
            for (; i < end; i++) list[i]()
          })
    } catch (error) {
      if (i < effect) return false
      throw error
    }
    for (const [parameter, value] of assigned) this.#copy(parameter.storage.handle as number, this.at(value), this.#bytesOf(value))
    for (const [parameter, count] of changes) parameter.version += count
    return true
  }

  /** The list for large arguments as they lie. Where there is none yet they are copied to their places. */
  #loweredFor(inputs: readonly Storage[]): Lowered {
    const direct = this.#direct
    if (direct && this.#liesAt(direct.addresses, inputs)) return direct.lowered
    const seen = this.#seen
    if (this.#liesAt(seen.addresses, inputs)) seen.times++
    else {
      seen.addresses = this.#large.map(({ input }) => inputs[input].handle as number)
      seen.times = 0
    }
    if (seen.times >= seen.needed) {
      seen.needed *= 2
      const { addresses } = seen
      const elsewhere = new Map(this.#large.map(({ value }, i) => [value, addresses[i]]))
      const lowered = this.#lower(this.#temporaryMemory(), elsewhere)
      this.#direct = { addresses, lowered }
      return lowered
    }
    for (const { value, input, bytes } of this.#large) this.#copy(this.at(value), inputs[input].handle as number, bytes)
    return this.#planned
  }

  #liesAt(addresses: readonly number[], inputs: readonly Storage[]): boolean {
    const large = this.#large
    for (let i = 0; i < large.length; i++) if (inputs[large[i].input].handle !== addresses[i]) return false
    return true
  }

  /** The address of a value. */
  at(value: number): number {
    const place = this.#plan.places[value]
    if (place !== undefined) return this.#arena.at + place
    return this.#constants.get(value) ?? (outsideOf(this.#recording.values[value])?.handle as number)
  }

  /** Copies a value of the step. */
  copyTo(storage: Storage, value: number): void {
    this.#copy(storage.handle as number, this.at(value), this.#bytesOf(value))
  }

  dispose(): void {
    for (const [value, at] of this.#constants) this.#engine.memory.freeForSteps(at, this.#bytesOf(value))
    this.#constants.clear()
    if (--this.#arena.users === 0) shrink(this.#engine, this.#arena)
  }

  #copy(to: number, from: number, bytes: number): void {
    this.#engine.memory.bytes8.copyWithin(to, from, from + bytes)
  }

  #bytesOf(value: number): number {
    const { size, dtype } = this.#recording.values[value]
    return size * elementBytes(dtype)
  }

  /** Makes the list for the memory as it is now. */
  #prepare(): void {
    const { memory } = this.#engine
    for (const value of this.#plan.constants.keys())
      if (!this.#constants.has(value)) this.#constants.set(value, memory.allocForSteps(this.#bytesOf(value)))
    // A first round finds out how much temporary memory the kernels take.
    const temporary: Temporary = { start: 0, used: 0, most: 0 }
    this.#lower(temporary)
    grow(this.#engine, this.#arena, this.#plan.bytes + temporary.most)
    this.#planned = this.#lower(this.#temporaryMemory())
    this.#direct = undefined
    const storages = this.#storages()
    for (const [value, call] of this.#plan.constants) this.#make(this.#calls[call], storages[value])
    this.#version = this.#arena.version
  }

  #temporaryMemory(): Temporary {
    return { start: this.#arena.at + this.#plan.bytes, used: 0, most: 0 }
  }

  /** Makes a value that never changes. */
  #make(call: Recorded | Chain, storage: Storage): void {
    const { kernels } = this.backend
    const operand: Operand = { storage, shape: [storage.size], dtype: storage.dtype, size: storage.size }
    if (call.kind === 'write') this.backend.write(storage, call.data)
    else if (call.kind === 'kernel') kernels.fill(operand, call.values[1] as number)
  }

  /** The storages of all values. @param elsewhere the addresses of those that do not lie at their planned places */
  #storages(elsewhere?: ReadonlyMap<number, number>): Storage[] {
    return this.#recording.values.map((value, i): Storage => {
      const { dtype, size } = value
      return outsideOf(value) ?? { handle: elsewhere?.get(i) ?? this.at(i), backend: this.backend, dtype, size, references: 1 }
    })
  }

  #lower(temporary: Temporary, elsewhere?: ReadonlyMap<number, number>): Lowered {
    const constant = new Set(this.#plan.constants.values())
    const step = { recording: this.#recording, calls: this.#calls, constant, storages: this.#storages(elsewhere) }
    return lower(this.#engine, this.backend, step, temporary)
  }
}

/** The memory of a value that was there before the step. */
const outsideOf = ({ storage, parameter }: Value): Storage | undefined => (storage ? (parameter?.storage ?? storage) : undefined)
