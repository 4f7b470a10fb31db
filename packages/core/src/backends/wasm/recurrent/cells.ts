/**
 * One step of the recurrent cells that have kernels for whole sequences, and one step backwards, for four units at a time: what the compositions in
 * ops/ say, in the same order of operations, so that the bits agree.
 */
import type { FunctionBuilder, Local } from '../assembler/assembler.js'
import { type Emit1, sigmoid, tanh } from '../assembler/functions-float32.js'
import { f32x4, type Vector, v128 } from '../assembler/instructions.js'

type Lanes = Local<'v128'>

/** A squashing function, and its derivative times d, from its value. */
interface Gate {
  value: Emit1
  back(f: FunctionBuilder, d: Vector, value: Lanes): Vector
}

/** The values at hand in a phase of a step. Loads are emitted where they are called. */
export interface StepAt {
  /** z + product of the phase's i-th gate. */
  sum(i: number): Lanes
  /** z alone, and the product alone, which has its bias (if the cell is `biased`). */
  z(i: number): Lanes
  product(i: number): Lanes
  /** The states before the step. */
  readonly before: readonly Lanes[]
  /** A part that an earlier phase gave. */
  part(p: number): Vector
  /** The operand of the product: the first state before, times the dropout factors. */
  operand(): Vector
}

/** A recurrent product for some gates and what follows it; the next phase has a product with `next`. */
export interface Phase {
  readonly gates: readonly number[]
  step(f: FunctionBuilder, at: StepAt): { parts: [p: number, value: Lanes][]; next?: Lanes }
}

/** The values at hand in a phase of a step backwards. */
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

/** Some columns of dZ, then a product of columns with Uᵀ. */
export interface BackPhase {
  /** Which column meets the weights of which gate. */
  readonly multiplied: readonly (readonly [column: number, gate: number])[]
  back(
    f: FunctionBuilder,
    at: BackAt,
  ): {
    dZ: [column: number, value: Lanes][]
    /** The cotangents of the states before, but the first. */
    dBefore?: Lanes[]
    /** The cotangent that goes to the first state before, but not through the product (if the cell `keeps`). */
    kept?: Lanes
    /** The value that the product is added to, in place of the last. */
    product?: Lanes
  }
}

export interface Cell {
  readonly gates: number
  /** The results of the walk back for each unit: cotangents of z by gates, and of the product where they are others. */
  readonly columns: number
  readonly states: number
  /** The states after a step, then what else is kept. */
  readonly parts: number
  /** Whether the first state goes on outside the product, too. */
  readonly keeps: boolean
  /** Whether the product has a bias of its own, [g·u]. */
  readonly biased: boolean
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
    columns: 4,
    states: 2,
    parts: 6,
    keeps: false,
    biased: false,
    phases: [
      {
        gates: [0, 1, 2, 3],
        step(f, { sum, before }) {
          const sums = [0, 1, 2, 3].map(sum)
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
        multiplied: [0, 1, 2, 3].map((q) => [q, q] as const),
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
  columns: 1,
  states: 1,
  parts: 1,
  keeps: false,
  biased: false,
  phases: [{ gates: [0], step: (f, { sum }) => ({ parts: [[0, f.let(tanh(f, sum(0)))]] }) }],
  backPhases: [
    {
      multiplied: [[0, 0]],
      back: (f, { d: [dH], part }) => ({ dZ: [[0, f.let(f32x4.mul(dH, oneMinusSquare(f, part(0))))]] }),
    },
  ],
}

/** z·h₋ + (1 − z)·h̃ */
const mix = (f: FunctionBuilder, z: Lanes, before: Lanes, candidate: Lanes): Vector =>
  f32x4.add(f32x4.mul(z, before), f32x4.mul(f32x4.sub(f.splat(1), z), candidate))

/** With the reset before the product. Parts h, z, r, h̃; what meets the candidate's weights is r∘(h₋∘m). */
export const gru = (hardSigmoid: boolean): Cell => {
  const gate = hardSigmoid ? hard : smooth
  return {
    gates: 3,
    columns: 3,
    states: 1,
    parts: 4,
    keeps: true,
    biased: false,
    phases: [
      {
        gates: [0, 1],
        step(f, { sum, operand }) {
          const [z, r] = [0, 1].map(sum).map((x) => f.let(gate.value(f, x)))
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
        step(f, { sum, before, part }) {
          const candidate = f.let(tanh(f, sum(0)))
          const z = f.let(part(1))
          return {
            parts: [
              [0, f.let(mix(f, z, before[0], candidate))],
              [3, candidate],
            ],
          }
        },
      },
    ],
    backPhases: [
      {
        multiplied: [[2, 2]],
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
        multiplied: [
          [0, 0],
          [1, 1],
        ],
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

/** With the reset after the product. Parts h, z, r, h̃ and q, the candidate's product; columns of dZ by gates, and then dq. */
export const gruResetAfter = (hardSigmoid: boolean): Cell => {
  const gate = hardSigmoid ? hard : smooth
  return {
    gates: 3,
    columns: 4,
    states: 1,
    parts: 5,
    keeps: true,
    biased: true,
    phases: [
      {
        gates: [0, 1, 2],
        step(f, { sum, z: input, product, before }) {
          const [z, r] = [0, 1].map(sum).map((x) => f.let(gate.value(f, x)))
          const q = product(2)
          const candidate = f.let(tanh(f, f.let(f32x4.add(input(2), f32x4.mul(r, q)))))
          const h = f.let(mix(f, z, before[0], candidate))
          return { parts: [h, z, r, candidate, q].map((value, p) => [p, value]) }
        },
      },
    ],
    backPhases: [
      {
        multiplied: [
          [0, 0],
          [1, 1],
          [3, 2],
        ],
        back(f, { d: [dH], dPart, part, before }) {
          const [z, r, candidate, q] = [1, 2, 3, 4].map(part)
          const dGate = f32x4.add(dPart(1), f32x4.mul(dH, f32x4.sub(before(), candidate)))
          const dOut = f32x4.add(dPart(3), f32x4.mul(dH, f32x4.sub(f.splat(1), z)))
          const dCandidate = f.let(f32x4.mul(dOut, oneMinusSquare(f, candidate)))
          const dReset = f32x4.add(dPart(2), f32x4.mul(dCandidate, q))
          const dProduct = f32x4.add(dPart(4), f32x4.mul(dCandidate, r))
          const dZ = [gate.back(f, dGate, z), gate.back(f, dReset, r), dCandidate, dProduct]
          return { dZ: dZ.map((x, column) => [column, f.let(x)]), kept: f.let(f32x4.mul(dH, z)) }
        },
      },
    ],
  }
}
