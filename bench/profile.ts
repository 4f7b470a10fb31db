/**
 * Where the time of a training step goes. The kernels of the default backend are replaced by ones with a clock around them, so what is between two kernels
 * is seen, too: TypeScript. Threads are asked what they did meanwhile.
 */
import { currentBackend } from '@cotangent/core'
import { type Body, engineOf } from '@cotangent/core/kernels'
import type { Prepared } from './adapter.js'

/** One kind of call: its times are milliseconds a step. */
export interface ProfileRow {
  name: string
  calls: number
  /** From the call to its return, the waiting included. */
  ms: number
  /** Of that: waiting for parts that workers had begun. */
  waiting: number
  /** The time of the workers in parts of these calls, all together. */
  workers: number
  /** On one thread: the part of `ms` in jobs that several threads would share. */
  shareable: number
  /** Operations of its products; absent for kernels that are bound by memory. */
  flops?: number
  /** Bytes of its inputs and outputs, each counted once. */
  bytes: number
}

export interface Profile {
  steps: number
  threads: number
  /** The mean of the faster half of the steps without clocks. */
  plainMs: number
  /** The same with clocks; the rows and `typescript` add up to it. */
  ms: number
  rows: ProfileRow[]
  /** The time that is in no row: everything between the calls. */
  typescript: number
}

/** An operand of a kernel, as far as profiles care. */
interface Sized {
  readonly size: number
  readonly shape: readonly number[]
}
const isSized = (value: unknown): value is Sized => typeof value === 'object' && value !== null && 'size' in value && 'shape' in value
const operandsIn = (values: readonly unknown[]): Sized[] => values.flat(3).filter(isSized)

/** The operations of those kernels that are products; `operands` starts with the output. */
const flopsOf: Record<string, (operands: readonly Sized[], values: readonly unknown[]) => number> = {
  matMul: ([out, a], [, , , transposeA]) => 2 * out.size * (a.shape.at(transposeA ? -2 : -1) ?? 1),
  affine: ([out, , weights]) => 2 * out.size * weights.shape[0],
  conv2d: ([out, , filter]) => 2 * out.size * (filter.size / (filter.shape.at(-1) ?? 1)),
  conv2dInput: ([, dY, filter]) => 2 * dY.size * (filter.size / (filter.shape.at(-1) ?? 1)),
  conv2dFilter: ([out, , dY]) => 2 * dY.size * (out.size / (out.shape.at(-1) ?? 1)),
  // As the rows of networks count it: the future included, backward twice as much.
  attention: ([out, q, k]) => 2 * q.shape[0] * q.shape[1] * q.shape[2] * k.shape[1] * (q.shape[3] + out.shape[3]),
  attentionGradient: ([, dY, , q, k]) => 4 * q.shape[0] * q.shape[1] * q.shape[2] * k.shape[1] * (q.shape[3] + dY.shape[3]),
  ...Object.fromEntries(
    ['lstm', 'gru', 'gruResetAfter', 'simpleRnn'].flatMap((cell) => {
      // The recurrent weights come after the states, of which an LSTM has two; backward after dY, y and, but for a simple RNN, one state.
      const weights = cell === 'lstm' ? 4 : 3
      const weightsBack = cell === 'simpleRnn' ? 3 : 4
      return [
        [`${cell}Sequence`, (all: readonly Sized[]) => 2 * all[0].shape[1] * all[0].shape[2] * all[weights].size],
        [`${cell}SequenceGradient`, (all: readonly Sized[]) => 2 * (all[0].shape[0] - 1) * all[0].shape[1] * all[weightsBack].size],
      ]
    }),
  ),
  // With the products of the inputs. The recurrent weights have as many columns as W.
  ...Object.fromEntries(
    ['lstm', 'simpleRnn'].flatMap((cell) => [
      [
        `${cell}FromInputs`,
        ([{ shape }, , weights]: readonly Sized[]) => 2 * shape[1] * shape[2] * weights.shape[1] * (weights.shape[0] + shape[3]),
      ],
      [
        `${cell}FromInputsGradient`,
        ([, , { shape }, , weights]: readonly Sized[], values: readonly unknown[]) => {
          const wantsX = (values.at(-1) as { wantsX?: boolean }).wantsX === true
          return 2 * shape[1] * shape[2] * weights.shape[1] * ((wantsX ? 2 : 1) * weights.shape[0] + 2 * shape[3])
        },
      ],
    ]),
  ),
}

/** Bytes of inputs and outputs. An update reads and writes its slots. */
function bytesOf(name: string, values: readonly unknown[]): number {
  const sum = (all: readonly Sized[]): number => all.reduce((bytes, { size }) => bytes + 4 * size, 0)
  if (name !== 'update') return sum(operandsIn(values))
  const targets = values[0] as readonly { slots: Sized[]; inputs: Sized[] }[]
  return targets.reduce((bytes, { slots, inputs }) => bytes + 2 * sum(slots) + sum(inputs), 0)
}

/** A job that several threads would share, as one thread has run it. */
export interface Job {
  ms: number
  total: number
  unit: number
  nanoseconds: number
  valuesPerItem: number
  body: Body
}

/** Names the row of a call. */
type Label = (name: string, values: readonly unknown[]) => string

/** A call, as the clock notes it. */
interface Note {
  name: string
  values: readonly unknown[]
  label: Label
  ms: number
  waiting: number
  workers: number
  shareable: number
}

type Functions = Record<string, ((...values: never[]) => unknown) | undefined>

/** The faster half: the others had to share the processor with other programs. */
const fasterHalf = <T extends { ms: number }>(steps: readonly T[]): T[] =>
  [...steps].sort((a, b) => a.ms - b.ms).slice(0, Math.ceil(steps.length / 2))

const meanMs = (steps: readonly { ms: number }[]): number => steps.reduce((sum, { ms }) => sum + ms, 0) / steps.length

/** Runs steps without clocks, then with them. `watch`: on one thread, is told the jobs of each step with clocks. */
export async function profile(prepared: Prepared, steps: number, watch?: (jobs: readonly Job[]) => void): Promise<Profile> {
  const plain: { ms: number }[] = []
  const timed = async (): Promise<number> => {
    const start = performance.now()
    await prepared.run(1)
    return performance.now() - start
  }
  for (let i = 0; i < steps; i++) plain.push({ ms: await timed() })

  const backend = currentBackend()
  const engine = engineOf(backend)
  // Of each call only times are noted while the step runs, into objects that are there already: what they add up to is counted after the step.
  const notes: Note[] = []
  let [noted, inside] = [0, false]
  let [shareable, jobs] = [0, [] as Job[]]
  const pool = engine?.pool
  const busy = (): number => pool?.busy.reduce((a, b) => a + b, 0) ?? 0
  const clock = <R>(name: string, values: readonly unknown[], label: Label, work: () => R): R => {
    if (inside) return work() // a kernel that calls another
    inside = true
    if (noted === notes.length) notes.push({ name, values, label, ms: 0, waiting: 0, workers: 0, shareable: 0 })
    const note = notes[noted++]
    note.name = name
    note.values = values
    note.label = label
    if (pool) {
      note.waiting = pool.waited
      note.workers = busy()
    }
    const shared = shareable
    const start = performance.now()
    try {
      return work()
    } finally {
      note.ms = performance.now() - start
      inside = false
      note.shareable = shareable - shared
      if (pool) {
        note.waiting = pool.waited - note.waiting
        note.workers = busy() - note.workers
      }
    }
  }
  /** The rows of the step that has just run. */
  const counted = (): ProfileRow[] => {
    const rows = new Map<string, ProfileRow>()
    for (const { name, values, label, ms, waiting, workers, shareable } of notes.slice(0, noted)) {
      const key = label(name, values)
      const row = rows.get(key) ?? { name: key, calls: 0, ms: 0, waiting: 0, workers: 0, shareable: 0, bytes: 0 }
      rows.set(key, row)
      row.calls++
      row.ms += ms
      row.waiting += waiting
      row.workers += workers
      row.shareable += shareable
      row.bytes += bytesOf(name, values)
      const flops = flopsOf[name]?.(operandsIn(values), values)
      if (flops !== undefined) row.flops = (row.flops ?? 0) + flops
    }
    return [...rows.values()]
  }
  /** map, zip and reduce are many kernels; their argument says which. */
  const byArgument: Label = (name, values) => [name, ...values.filter((value) => typeof value === 'string')].join(' ')
  const clocked = (holder: Functions, name: string, label: Label): (() => void) => {
    const own = holder[name]
    if (typeof own !== 'function') return () => undefined
    holder[name] = (...values: never[]) => clock(name, values, label, () => own.apply(holder, values))
    return () => {
      holder[name] = own
    }
  }
  const undo: (() => void)[] = []
  // A recorded step does not go through the functions of the backend: the engine tells of its kernels.
  if (engine) {
    engine.observer = (name, values, work) => clock(name, values, byArgument, work)
    undo.push(() => {
      engine.observer = undefined
    })
  }
  for (const holder of [backend.kernels, backend.fused] as unknown as Functions[]) {
    for (const name of Object.keys(holder)) {
      undo.push(clocked(holder, name, byArgument))
    }
  }
  const host = backend as unknown as Functions
  for (const name of ['alloc', 'free']) undo.push(clocked(host, name, () => 'memory: taking and giving back'))
  for (const name of ['write', 'read', 'readSync']) undo.push(clocked(host, name, () => 'copying to and from the host'))
  if (engine && !engine.pool) {
    const { split } = engine
    engine.split = (total, unit, nanoseconds, body, valuesPerItem = 0) => {
      const start = performance.now()
      split(total, unit, nanoseconds, body, valuesPerItem)
      const ms = performance.now() - start
      if (nanoseconds < engine.splitAbove || total <= unit) return
      shareable += ms
      jobs.push({ ms, total, unit, nanoseconds, valuesPerItem, body })
    }
    undo.push(() => {
      engine.split = split
    })
  }
  const clockedSteps: { ms: number; rows: ProfileRow[] }[] = []
  try {
    for (let i = 0; i < steps; i++) {
      noted = 0
      jobs = []
      const ms = await timed()
      clockedSteps.push({ ms, rows: counted() })
      watch?.(jobs)
    }
  } finally {
    for (const restore of undo) restore()
  }

  const kept = fasterHalf(clockedSteps)
  const mean = new Map<string, ProfileRow>()
  for (const row of kept.flatMap((step) => step.rows)) {
    const sum = mean.get(row.name) ?? { name: row.name, calls: 0, ms: 0, waiting: 0, workers: 0, shareable: 0, bytes: 0 }
    mean.set(row.name, sum)
    for (const field of ['calls', 'ms', 'waiting', 'workers', 'shareable', 'bytes'] as const) sum[field] += row[field] / kept.length
    if (row.flops !== undefined) sum.flops = (sum.flops ?? 0) + row.flops / kept.length
  }
  const listed = [...mean.values()].sort((a, b) => b.ms - a.ms)
  const ms = meanMs(kept)
  return {
    steps,
    threads: backend.info?.().threads ?? 1,
    plainMs: meanMs(fasterHalf(plain)),
    ms,
    rows: listed,
    typescript: ms - listed.reduce((sum, row) => sum + row.ms, 0),
  }
}
