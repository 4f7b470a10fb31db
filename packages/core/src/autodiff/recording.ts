/** The tapes that record at the moment, and the path that labels their records. */
import { describeValue, requireFunction } from '../arguments.js'
import { ValueError } from '../errors.js'
import type { Tensor } from '../tensor/tensor.js'
import type { OpDefinition } from './op.js'

/** A tape, as seen from here. */
export interface Recorder {
  /** Called after every op. */
  record(op: OpDefinition, inputs: readonly Tensor[], output: Tensor, options: object): void
  /** Whether the tensor is a source or depends on one. */
  tracks(tensor: Tensor): boolean
  /** Whether the walk backwards may still need the tensor. */
  holds(tensor: Tensor): boolean
}

/** Active tapes, innermost last. */
const stack: Recorder[] = []
/** Names that label records, outermost first. */
const labels: string[] = []

/** True while any tape records. */
export const isRecording = (): boolean => stack.length > 0

/** True if an active tape follows this tensor. */
export const isTracked = (tensor: Tensor): boolean => stack.some((tape) => tape.tracks(tensor))

/** True if an active tape may still need this tensor for its walk backwards: then nobody frees it. */
export const heldByTape = (tensor: Tensor): boolean => stack.some((tape) => tape.holds(tensor))

/** Runs `fn` while a tape records. */
export function recordingOn<R>(tape: Recorder, fn: () => R): R {
  stack.push(tape)
  try {
    return fn()
  } finally {
    stack.splice(stack.lastIndexOf(tape), 1)
  }
}

/** Runs `fn` unseen by every active tape. */
export function withoutRecording<R>(fn: () => R): R {
  const paused = stack.splice(0)
  try {
    return fn()
  } finally {
    stack.push(...paused)
  }
}

/** Runs `fn` with a name that the records made in it carry. */
export function labelled<R>(name: string, fn: () => R): R {
  requireFunction('labelled', 'fn', fn, "labelled('encoder', () => …)")
  if (typeof name !== 'string') throw new ValueError(`labelled: name must be text, got ${describeValue(name)}.`)
  labels.push(name)
  try {
    return fn()
  } finally {
    labels.pop()
  }
}

/** Where the program is: the names given to `labelled` and those of composed ops, outermost first, e.g. "dense_1/softmax". */
export const currentPath = (): string => labels.join('/')

/** The path under which the ops of a derivative are recorded: the path of the op, then its name with a d before it. Example: "dense_1/dtanh". */
export const pathOfDerivative = ({ op, path }: { op: OpDefinition; path: string }): string => `${path ? `${path}/` : ''}d${op.name}`

/** Called by the dispatcher after every op: every active tape gets to know of it. */
export function recordOp(op: OpDefinition, inputs: readonly Tensor[], output: Tensor, options: object): void {
  for (let i = 0; i < stack.length; i++) stack[i].record(op, inputs, output, options)
}
