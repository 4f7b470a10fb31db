/** The interface of a recurrent cell, by which kernel.ts and gradient-kernel.ts run it over a sequence. */
import type { FunctionBuilder, Local } from '../assembler/assembler.js'
import type { Vector } from '../assembler/instructions.js'

/** Four units. */
export type Lanes = Local<'v128'>

/** The values that one phase of a forward step can read. A load is emitted where the function is called. */
export interface StepAt {
  /** z + product, for the i-th gate of the phase. */
  sum(i: number): Lanes
  /** z alone, and below the product alone, with its bias if the cell is `biased`. */
  z(i: number): Lanes
  product(i: number): Lanes
  /** A state before the step. */
  before(state: number): Lanes
  /** A part of the output that an earlier phase or an earlier walk of this one computed. */
  part(p: number): Vector
  /** The left factor of the product: the first state before the step, times the dropout factors. */
  operand(): Vector
}

/** The results of some arithmetic of a phase: parts of the output, and the left factor of the next product. */
export interface StepResult {
  parts: [p: number, value: Lanes][]
  next?: Lanes
}

/**
 * One recurrent product, for some of the gates, and the arithmetic after it. Each function of `steps` walks along a row of units by itself, behind the one before.
 * Short ones run faster: there fewer operations wait for each other.
 */
export interface Phase {
  readonly gates: readonly number[]
  readonly steps: readonly ((f: FunctionBuilder, at: StepAt) => StepResult)[]
}

/** The values that one phase of a backward step can read. */
export interface BackAt {
  /** Cotangents of the states after the step (in the first phase). */
  readonly d: readonly Lanes[]
  /** x plus the cotangent that came in for a part other than the states. */
  plusPart(p: number, x: Vector): Vector
  /** A part of the forward output. */
  part(p: number): Lanes
  /** The last of the states before the step; no cell here needs two. */
  before(): Lanes
  /** The dropout factors, if there are any. */
  factors(): Vector | undefined
  /** The product that the phase before ended in. */
  product(): Lanes
}

/** One phase backwards: it computes some columns of dZ, then a product of columns with Uᵀ. */
export interface BackPhase {
  /** Pairs: this column is multiplied by the weights of this gate. */
  readonly multiplied: readonly (readonly [column: number, gate: number])[]
  back(
    f: FunctionBuilder,
    at: BackAt,
  ): {
    dZ: [column: number, value: Lanes][]
    /** The cotangents of the states before the step, except the first. */
    dBefore?: Lanes[]
    /** The cotangent that reaches the first state before the step directly, not through the product (if the cell `keeps`). */
    kept?: Lanes
    /** The product of this phase is added to this instead of to the last product. */
    product?: Lanes
  }
}

export interface Cell {
  readonly gates: number
  /** Columns that the walk back gives for each unit: the cotangents of z, one a gate, then the cotangent of the product where it is another one. */
  readonly columns: number
  readonly states: number
  /** Parts of the output: the states after a step, then the gates and other values that the gradient needs. */
  readonly parts: number
  /** The first state also reaches the next step directly, not only through the product. */
  readonly keeps: boolean
  /** The product has a bias of its own, [g·u]. */
  readonly biased: boolean
  readonly phases: readonly Phase[]
  readonly backPhases: readonly BackPhase[]
}
