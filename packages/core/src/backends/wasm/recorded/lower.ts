/**
 * The list of a recorded step: functions without arguments, in the order of the recording. It is made by calling the kernels of the backend once more while
 * the engine collects instead of running (`Engine.collector`). So a kernel is cut into calls and jobs as ever, and gives the same bits. A kernel that looks at
 * values on the host, or takes what changes from step to step (a key), is not collected: it runs as a whole each time. An update is collected in spite of its
 * scalars, since they are the last arguments of each of its calls.
 */
import type { TypedArray } from '../../../tensor/dtype.js'
import type { Backend, Storage } from '../../backend.js'
import type { Collector, Engine, KernelFunction } from '../engine/engine.js'
import { LooksAtValues, type Temporary } from '../engine/memory.js'
import { type Body, type Call, direct } from '../engine/threads.js'
import { type Chain, runChain } from './fuse.js'
import { writtenBy } from './plan.js'
import { foldAgain, type Recorded, RecordedOperand, type Recording } from './recorder.js'

export type Work = () => void

/** The calls of a step for values at certain addresses. */
export interface Lowered {
  readonly list: readonly Work[]
  /** The kernels that the list was made of, and where the work of each ends. */
  readonly kernels: readonly { readonly name: string; readonly values: readonly unknown[]; readonly end: number }[]
  /** The position in the list of the first work that changes what is outside. */
  readonly effect: number
}

/** A step that is lowered. */
export interface Step {
  readonly recording: Recording
  readonly calls: readonly (Recorded | Chain)[]
  /** The positions of calls that are left out, since what they write is there. */
  readonly constant: ReadonlySet<number>
  /** The memory of each value. */
  readonly storages: readonly Storage[]
}

/** Makes the list. */
export function lower(engine: Engine, backend: Backend, { recording, calls, constant, storages }: Step, temporary: Temporary): Lowered {
  const changes = new Set<unknown>(recording.changing)
  const list: Work[] = []
  const kernels: Lowered['kernels'][number][] = []
  let effect: number | undefined
  const place = (item: unknown): unknown => {
    if (item instanceof RecordedOperand) {
      const { value, shape, dtype, size } = item
      return { storage: storages[value], shape, dtype, size }
    }
    if (typeof item !== 'object' || item === null || changes.has(item)) return item
    if (Array.isArray(item)) return item.map(place)
    return Object.fromEntries(Object.entries(item).map(([name, inner]) => [name, place(inner)]))
  }
  for (const [i, call] of calls.entries()) {
    if (constant.has(i)) continue
    if (hasEffect(call, recording)) effect ??= list.length
    let values: unknown[] = []
    if (call.kind === 'kernel') {
      values = call.values.map(place)
      const whole: Work = () => {
        const method = (backend[call.table] as Record<string, (...values: unknown[]) => void>)[call.name]
        method(...values)
      }
      const varying = call.values.filter((value) => changes.has(value))
      const scalars = call.name === 'update' && varying.length === 1 && varying[0] === call.values[2] ? (varying[0] as number[]) : undefined
      temporary.used = 0
      list.push(...((varying.length > 0 && !scalars ? undefined : collected(engine, whole, temporary, scalars)) ?? [whole]))
    } else if (call.kind === 'chain') {
      const whole: Work = () => runChain(engine, call, ({ value }) => storages[value].handle as number)
      list.push(...(collected(engine, whole, temporary) ?? [whole]))
    } else if (call.kind === 'check') list.push(() => call.check(backend.readSync?.(storages[call.of]) as TypedArray))
    else if (call.kind === 'fold') list.push(() => foldAgain(call))
    else if (call.kind === 'write') list.push(() => backend.write(storages[call.to], call.data))
    else if (call.kind === 'draw') list.push(() => backend.write(storages[call.to], call.make()))
    else
      list.push(() => {
        const { held, make } = call
        const made = make()
        for (let n = 0; n < made.length; n++) held[n] = made[n]
      })
    kernels.push({ name: call.kind === 'kernel' ? call.name : call.kind, values, end: list.length })
  }
  return { list, kernels, effect: effect ?? list.length }
}

/** Whether a call does more than fill the step's own memory, so that the program cannot simply be run instead. */
function hasEffect(call: Recorded | Chain, { values }: Recording): boolean {
  if (call.kind === 'numbers') return true
  for (const value of writtenBy(call)) if (values[value].storage) return true
  return false
}

/**
 * The calls and jobs of a kernel; undefined if it looks at values.
 *
 * @param scalars numbers that change from step to step, the last arguments of each call
 */
function collected(engine: Engine, kernel: Work, temporary: Temporary, scalars?: readonly number[]): Work[] | undefined {
  const list: Work[] = []
  const collect: Call = ({ raw }, ...values) => void list.push(scalars ? withScalars(raw, values, scalars) : bound(raw, values))
  const collector: Collector = {
    call(kernel, values) {
      collect(kernel, ...values)
      return Number.NaN
    },
    clear: () => void (engine.simd256 && list.push(() => engine.clearUpperHalves())),
    job(total, unit, nanoseconds, body, valuesPerItem) {
      const before = list.length
      body(0, total, collect, 0)
      const alone = list.splice(before)
      // Small jobs are never shared.
      if (nanoseconds < engine.splitAbove || total <= unit) return void list.push(...alone)
      const either: Body = (begin, end, call, part) => {
        if (call === direct) for (const work of alone) work()
        else body(begin, end, call, part)
      }
      list.push(() => engine.split(total, unit, nanoseconds, either, valuesPerItem))
    },
  }
  engine.collector = collector
  try {
    engine.memory.collecting(temporary, kernel)
    return list
  } catch (error) {
    if (error instanceof LooksAtValues) return undefined
    throw error
  } finally {
    engine.collector = undefined
  }
}

/** A call that ends in scalars of the step that runs. */
function withScalars(raw: KernelFunction['raw'], values: number[], scalars: readonly number[]): Work {
  const first = values.length - scalars.length
  return () => {
    for (let i = 0; i < scalars.length; i++) values[first + i] = scalars[i]
    raw(...values)
  }
}

/** A call with its arguments; written out for those numbers of arguments that are common, since spreading takes longer than some kernels. */
function bound(raw: KernelFunction['raw'], values: readonly number[]): Work {
  const [a, b, c, d, e, f, g, h] = values
  switch (values.length) {
    case 2:
      return () => void raw(a, b)
    case 3:
      return () => void raw(a, b, c)
    case 4:
      return () => void raw(a, b, c, d)
    case 5:
      return () => void raw(a, b, c, d, e)
    case 6:
      return () => void raw(a, b, c, d, e, f)
    case 7:
      return () => void raw(a, b, c, d, e, f, g)
    case 8:
      return () => void raw(a, b, c, d, e, f, g, h)
    default:
      return () => void raw(...values)
  }
}
