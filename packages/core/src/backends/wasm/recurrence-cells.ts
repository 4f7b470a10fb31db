/**
 * One step of the recurrent cells that have kernels for whole sequences, and one step backwards, for four units at a time: what the compositions in
 * ops/lstm-sequence.ts and ops/simple-rnn-sequence.ts say, in the same order of operations, so that the bits agree.
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

/** What a step backwards sees. Loads are emitted where they are called. */
export interface StepBack {
  /** Cotangents of the states after the step. */
  readonly d: readonly Lanes[]
  /** The cotangent that came in for a part (p at least the number of states). */
  dPart(p: number): Vector
  /** A part of the forward output. */
  part(p: number): Lanes
  /** A state before the step (not the first, which no cell here needs). */
  before(i: number): Vector
}

export interface Cell {
  readonly gates: number
  readonly states: number
  /** The states after a step, then what else is kept. */
  readonly parts: number
  /** The parts, from the sums that go into the gates and the states before. */
  step(f: FunctionBuilder, z: readonly Lanes[], before: readonly Lanes[]): Lanes[]
  /** dZ for each gate, then the cotangents of the states before, but the first, whose cotangent is dZ·Uᵀ. */
  back(f: FunctionBuilder, at: StepBack): { dZ: Lanes[]; dBefore: Lanes[] }
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
    step(f, z, [, before]) {
      const [i, forget, o] = [0, 1, 3].map((q) => f.let(gate.value(f, z[q])))
      const candidate = f.let(tanh(f, z[2]))
      const c = f.let(f32x4.add(f32x4.mul(forget, before), f32x4.mul(i, candidate)))
      return [f.let(f32x4.mul(o, tanh(f, c))), c, i, forget, candidate, o]
    },
    back(f, { d: [dH, dC], dPart, part, before }) {
      const [i, forget, candidate, o] = [2, 3, 4, 5].map(part)
      const squashed = f.let(tanh(f, part(1)))
      const dO = f32x4.add(dPart(5), f32x4.mul(dH, squashed))
      const dCell = f.let(f32x4.add(dC, f32x4.mul(f32x4.mul(dH, o), oneMinusSquare(f, squashed))))
      const dI = f32x4.add(dPart(2), f32x4.mul(dCell, candidate))
      const dF = f32x4.add(dPart(3), f32x4.mul(dCell, before(1)))
      const dCandidate = f32x4.add(dPart(4), f32x4.mul(dCell, i))
      const dZ = [gate.back(f, dI, i), gate.back(f, dF, forget), f32x4.mul(dCandidate, oneMinusSquare(f, candidate)), gate.back(f, dO, o)]
      return { dZ: dZ.map((x) => f.let(x)), dBefore: [f.let(f32x4.mul(dCell, forget))] }
    },
  }
}

/** The one part is h. */
export const simpleRnn: Cell = {
  gates: 1,
  states: 1,
  parts: 1,
  step: (f, [z]) => [f.let(tanh(f, z))],
  back: (f, { d: [dH], part }) => ({ dZ: [f.let(f32x4.mul(dH, oneMinusSquare(f, part(0))))], dBefore: [] }),
}
