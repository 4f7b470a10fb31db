/**
 * One step of the recurrent cells that have kernels for whole sequences, and one step backwards, for four units at a time: what the compositions in
 * ops/ say, in the same order of operations, so that the bits agree.
 */
import type { FunctionBuilder, Local } from './assembler.js'
import { type Emit1, sigmoid, tanh } from './functions-float32.js'
import { f32x4, type Vector, v128 } from './instructions.js'

type Lanes = Local<'v128'>

/** A squashing function, and its derivative times d, from its value. */
interface Gate {
  value: Emit1
  back(f: FunctionBuilder, d: Vector, value: Lanes): Vector
}

/** What a phase of a step sees. Loads are emitted where they are called. */
export interface StepAt {
  /** z + product, for each gate of the phase. */
  readonly sums: readonly Lanes[]
  /** The states before the step. */
  readonly before: readonly Lanes[]
  /** A part that an earlier phase gave. */
  part(p: number): Vector
  /** What was multiplied: the first state before, times the dropout factors. */
  operand(): Vector
}

/** A recurrent product for some gates and what follows it; the next phase has a product with `next`. */
export interface Phase {
  readonly gates: readonly number[]
  step(f: FunctionBuilder, at: StepAt): { parts: [p: number, value: Lanes][]; next?: Lanes }
}

/** What a phase of a step backwards sees. */
export interface BackAt {
  /** Cotangents of the states after the step (in the first phase). */
  readonly d: readonly Lanes[]
  /** The cotangent that came in for a part (p at least the number of states). */
  dPart(p: number): Vector
  /** A part of the forward output. */
  part(p: number): Lanes
  /** The last of the states before the step: no cell here needs two. */
  before(): Lanes
  /** The dropout factors, if there are any. */
  factors(): Vector | undefined
  /** The product of the phase before. */
  product(): Lanes
}

/** dZ of some gates, then a product of `multiplied` gates with Uᵀ. */
export interface BackPhase {
  readonly multiplied: readonly number[]
  back(
    f: FunctionBuilder,
    at: BackAt,
  ): {
    dZ: [q: number, value: Lanes][]
    /** The cotangents of the states before, but the first. */
    dBefore?: Lanes[]
    /** What goes to the first state before, but not through the product (if the cell `keeps`). */
    kept?: Lanes
    /** What the product is added to, in place of the last. */
    product?: Lanes
  }
}

export interface Cell {
  readonly gates: number
  readonly states: number
  /** The states after a step, then what else is kept. */
  readonly parts: number
  /** Whether the first state goes on outside the product, too. */
  readonly keeps: boolean
  readonly phases: readonly Phase[]
  readonly backPhases: readonly BackPhase[]
}

/** 1 − x² */
const oneMinusSquare = (f: FunctionBuilder, x: Lanes): Vector => f32x4.sub(f.splat(1), f32x4.mul(x, x))

/** σ and d·σ·(1 − σ) */
const smooth: Gate = {
  value: sigmoid,
  back: (f, d, value) => f32x4.mul(d, f32x4.mul(value, f32x4.sub(f.splat(1), value))),
}

/** 0.2x + ½ within [0, 1], and 0.2·d inside. */
const hard: Gate = {
  value: (f, x) => {
    const line = f32x4.add(f32x4.mul(x, f.splat(0.2)), f.splat(0.5))
    return f32x4.min(f32x4.max(line, f.splat(0)), f.splat(1))
  },
  back: (f, d, value) => v128.and(f32x4.mul(d, f.splat(0.2)), v128.and(f32x4.gt(value, f.splat(0)), f32x4.lt(value, f.splat(1)))),
}

/** Parts h, c, i, f, c̃, o. */
export const lstm = (hardSigmoid: boolean): Cell => {
  const gate = hardSigmoid ? hard : smooth
  return {
    gates: 4,
    states: 2,
    parts: 6,
    keeps: false,
    phases: [
      {
        gates: [0, 1, 2, 3],
        step(f, { sums, before }) {
          const [i, forget, o] = [0, 1, 3].map((q) => f.let(gate.value(f, sums[q])))
          const candidate = f.let(tanh(f, sums[2]))
          const c = f.let(f32x4.add(f32x4.mul(forget, before[1]), f32x4.mul(i, candidate)))
          const h = f.let(f32x4.mul(o, tanh(f, c)))
          return { parts: [h, c, i, forget, candidate, o].map((value, p) => [p, value]) }
        },
      },
    ],
    backPhases: [
      {
        multiplied: [0, 1, 2, 3],
        back(f, { d: [dH, dC], dPart, part, before }) {
          const [i, forget, candidate, o] = [2, 3, 4, 5].map(part)
          const squashed = f.let(tanh(f, part(1)))
          const dO = f32x4.add(dPart(5), f32x4.mul(dH, squashed))
          const dCell = f.let(f32x4.add(dC, f32x4.mul(f32x4.mul(dH, o), oneMinusSquare(f, squashed))))
          const dI = f32x4.add(dPart(2), f32x4.mul(dCell, candidate))
          const dF = f32x4.add(dPart(3), f32x4.mul(dCell, before()))
          const dCandidate = f32x4.add(dPart(4), f32x4.mul(dCell, i))
          const dZ = [
            gate.back(f, dI, i),
            gate.back(f, dF, forget),
            f32x4.mul(dCandidate, oneMinusSquare(f, candidate)),
            gate.back(f, dO, o),
          ]
          return { dZ: dZ.map((x, q) => [q, f.let(x)]), dBefore: [f.let(f32x4.mul(dCell, forget))] }
        },
      },
    ],
  }
}

/** The one part is h. */
export const simpleRnn: Cell = {
  gates: 1,
  states: 1,
  parts: 1,
  keeps: false,
  phases: [{ gates: [0], step: (f, { sums }) => ({ parts: [[0, f.let(tanh(f, sums[0]))]] }) }],
  backPhases: [
    {
      multiplied: [0],
      back: (f, { d: [dH], part }) => ({ dZ: [[0, f.let(f32x4.mul(dH, oneMinusSquare(f, part(0))))]] }),
    },
  ],
}

/** With the reset before the product. Parts h, z, r, h̃; what meets the candidate's weights is r∘(h₋∘m). */
export const gru = (hardSigmoid: boolean): Cell => {
  const gate = hardSigmoid ? hard : smooth
  return {
    gates: 3,
    states: 1,
    parts: 4,
    keeps: true,
    phases: [
      {
        gates: [0, 1],
        step(f, { sums, operand }) {
          const [z, r] = sums.map((sum) => f.let(gate.value(f, sum)))
          return {
            parts: [
              [1, z],
              [2, r],
            ],
            next: f.let(f32x4.mul(r, operand())),
          }
        },
      },
      {
        gates: [2],
        step(f, { sums, before, part }) {
          const candidate = f.let(tanh(f, sums[0]))
          const z = f.let(part(1))
          const h = f.let(f32x4.add(f32x4.mul(z, before[0]), f32x4.mul(f32x4.sub(f.splat(1), z), candidate)))
          return {
            parts: [
              [0, h],
              [3, candidate],
            ],
          }
        },
      },
    ],
    backPhases: [
      {
        multiplied: [2],
        back(f, { d: [dH], dPart, part, before }) {
          const [z, candidate] = [part(1), part(3)]
          const dGate = f32x4.add(dPart(1), f32x4.mul(dH, f32x4.sub(before(), candidate)))
          const dCandidate = f32x4.add(dPart(3), f32x4.mul(dH, f32x4.sub(f.splat(1), z)))
          return {
            dZ: [
              [0, f.let(gate.back(f, dGate, z))],
              [2, f.let(f32x4.mul(dCandidate, oneMinusSquare(f, candidate)))],
            ],
            kept: f.let(f32x4.mul(dH, z)),
          }
        },
      },
      {
        multiplied: [0, 1],
        back(f, { dPart, part, before, factors, product }) {
          const [r, dOperand, dropout] = [part(2), product(), factors()]
          const operand = dropout ? f32x4.mul(before(), dropout) : before()
          const dGate = f32x4.add(dPart(2), f32x4.mul(dOperand, operand))
          return { dZ: [[1, f.let(gate.back(f, dGate, r))]], product: f.let(f32x4.mul(dOperand, r)) }
        },
      },
    ],
  }
}
