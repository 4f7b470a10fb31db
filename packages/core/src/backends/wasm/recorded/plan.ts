/**
 * Places for all values of a recorded step, fixed once for every step to come. A value needs its place from the call that makes it to the last call that reads
 * it; two values whose times do not meet may have the same place. The largest values are placed first, each at the lowest place that is free all its time
 * (greedy by size: Pisarchyk and Lee, "Efficient memory management for deep neural net inference", 2020).
 */
import { elementBytes } from '../assembler/elements.js'
import { blockBytes } from '../engine/memory.js'
import type { Chain } from './fuse.js'
import { type Recorded, RecordedOperand, type Value } from './recorder.js'

/** Bytes of the largest value that gets memory of its own because it never changes. */
const MOST_CONSTANT = 2 ** 20

/** Where values lie. */
export interface Plan {
  /** For each value its place from the start of the step's memory, in bytes; undefined for values that lie elsewhere. */
  readonly places: readonly (number | undefined)[]
  /** The bytes of the step's memory. */
  readonly bytes: number
  /** For each value that never changes, the call that makes it. */
  readonly constants: ReadonlyMap<number, number>
}

/** The values that a call names, each once. */
export function valuesIn(call: Recorded | Chain): Set<number> {
  const found = new Set<number>()
  const visit = (item: unknown): void => {
    if (item instanceof RecordedOperand) found.add(item.value)
    else if (Array.isArray(item)) for (const inner of item) visit(inner)
    else if (typeof item === 'object' && item !== null) for (const inner of Object.values(item)) visit(inner)
  }
  if (call.kind === 'kernel') visit(call.values)
  else if (call.kind === 'chain') visit([call.out, call.inputs])
  else if (call.kind === 'write' || call.kind === 'draw') found.add(call.to)
  else if (call.kind === 'check') found.add(call.of)
  return found
}

/** The values that a call writes: its first operand, or the slots of an update. */
export function writtenBy(call: Recorded | Chain): Set<number> {
  if (call.kind === 'write' || call.kind === 'draw') return new Set([call.to])
  if (call.kind === 'chain') return new Set([call.out.value])
  if (call.kind !== 'kernel') return new Set()
  const [first] = call.values
  if (first instanceof RecordedOperand) return new Set([first.value])
  const slots = (first as readonly { slots: readonly RecordedOperand[] }[]).flatMap((target) => target.slots)
  return new Set(slots.map(({ value }) => value))
}

/** Whether a call writes the same values in each step, and not very many. */
export const isConstant = (call: Recorded | Chain): boolean =>
  call.kind === 'write'
    ? call.data.byteLength <= MOST_CONSTANT
    : call.kind === 'kernel' && call.name === 'fill' && 4 * (call.values[0] as RecordedOperand).size <= MOST_CONSTANT

/**
 * Places the values of a step.
 *
 * @param calls what it does, in order
 * @param kept values that must be there after the last call
 */
export function planMemory(calls: readonly (Recorded | Chain)[], values: readonly Value[], kept: Iterable<number>): Plan {
  const first = values.map(({ input }) => (input === undefined ? calls.length : -1))
  const last = values.map(() => -1)
  const makers = values.map((): number[] => [])
  for (const [i, call] of calls.entries()) {
    for (const value of valuesIn(call)) {
      first[value] = Math.min(first[value], i)
      last[value] = i
    }
    for (const value of writtenBy(call)) makers[value].push(i)
  }
  for (const value of kept) last[value] = calls.length

  const bytesOf = (value: number): number => values[value].size * elementBytes(values[value].dtype)
  const constants = new Map<number, number>()
  const blocks: number[] = []
  for (const [value, { storage }] of values.entries()) {
    if (storage || last[value] < first[value]) continue
    const [maker, ...others] = makers[value]
    if (values[value].input === undefined && others.length === 0 && isConstant(calls[maker])) constants.set(value, maker)
    else blocks.push(value)
  }

  const places: (number | undefined)[] = values.map(() => undefined)
  const placed: { start: number; end: number; first: number; last: number }[] = []
  let bytes = 0
  blocks.sort((a, b) => bytesOf(b) - bytesOf(a) || a - b)
  for (const value of blocks) {
    const size = blockBytes(bytesOf(value))
    let start = 0
    // `placed` is in the order of places: the first gap that is long enough is the lowest.
    for (const other of placed) {
      if (other.first > last[value] || other.last < first[value]) continue
      if (start + size <= other.start) break
      start = Math.max(start, other.end)
    }
    const block = { start, end: start + size, first: first[value], last: last[value] }
    let at = placed.length
    while (at > 0 && placed[at - 1].start > start) at--
    placed.splice(at, 0, block)
    places[value] = start
    bytes = Math.max(bytes, block.end)
  }
  return { places, bytes, constants }
}
