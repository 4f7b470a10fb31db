/**
 * Who listens while a step is recorded (compile-step.ts), and what the listener is told: whatever a later step must do again without running the program.
 * Tensors, keys and updates tell it; without a listener they do as always.
 */
import { requireFunction } from './arguments.js'
import type { Storage } from './backends/backend.js'
import type { Key } from './random.js'
import type { TypedArray } from './tensor/dtype.js'

/** A parameter, as the listener sees it. */
export interface Changeable {
  storage: Storage
  version: number
}

/** Hears what a program does beside calling kernels. */
export interface StepListener {
  /** The value of a parameter changed. `before` is its memory until now. */
  changed(parameter: Changeable, before: Storage): void
  /** A key was made of another one. */
  folded(from: Key, index: number, made: Key): void
  /** The host computed with a key, or with numbers of `eachStep`. */
  drawn(from: object): void
  /** Values are written that `make` computes. */
  writes(storage: Storage, make: () => TypedArray): void
  /** Values are checked on the host, in each step. */
  checks(storage: Storage, check: (values: TypedArray) => void): void
  /** Numbers that `make` gives for each step. `guard` gives what must stay the same from step to step. */
  eachStep(make: () => readonly number[], guard?: () => unknown): readonly number[]
}

let listener: StepListener | undefined
/** Whether a compiled step runs, listened to or not. */
let inStep = false

/** The listener, while a step is recorded. */
export const stepListener = (): StepListener | undefined => listener

/** Whether a compiled step runs: then what it makes ends with it. */
export const isInStep = (): boolean => inStep

/** Runs the program of a step, with or without a listener. */
export function runStep<R>(heard: StepListener | undefined, program: () => R): R {
  const [outer, was] = [listener, inStep]
  listener = heard
  inStep = true
  try {
    return program()
  } finally {
    listener = outer
    inStep = was
  }
}

/**
 * Numbers that change from step to step. In a step of `compileStep` the function runs before each step, so that the numbers are those of that step; elsewhere
 * it runs once, now. Give the result to `applyUpdate`.
 *
 * @param make gives the numbers of the next step. It may count steps
 * @param guard gives a value that decides which ops run, such as whether this step updates: where it differs from that of the recorded step, the program runs
 * @example
 * ```ts
 * let t = 0
 * const rates = eachStep(() => [0.1 / ++t])
 * console.log(rates[0]) // 0.1
 * ```
 */
export function eachStep(make: () => readonly number[], guard?: () => unknown): readonly number[] {
  requireFunction('eachStep', 'make', make, 'eachStep(() => [rate])')
  if (guard !== undefined) requireFunction('eachStep', 'guard', guard)
  return listener ? listener.eachStep(make, guard) : make()
}
