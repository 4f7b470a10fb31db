/**
 * The recurrent cells that have kernels for whole sequences: one step forward and one step backward of each, four units at a time. They compute what
 * the definitions in ops/recurrent/ say, in the same order of operations, so the bits agree.
 */
import type { FunctionBuilder } from '../assembler/assembler.js'
import { type Emit1, sigmoid, tanh } from '../assembler/functions-float32.js'
import { f32x4, type Vector, v128 } from '../assembler/instructions.js'
import type { Cell, Lanes } from './cell.js'

/** A squashing function: its value, and the cotangent d times its derivative, which is computed from the value. */
interface Gate {
  value: Emit1
  back(f: FunctionBuilder, d: Vector, value: Lanes): Vector
}

/** 1 − x²: the derivative of tanh, from its value. */
const oneMinusSquare = (f: FunctionBuilder, x: Lanes): Vector => f32x4.sub(f.splat(1), f32x4.mul(x, x))

/** σ(x), and d·σ·(1 − σ). */
const smooth: Gate = {
  value: sigmoid,
  back: (f, d, value) => f32x4.mul(d, f32x4.mul(value, f32x4.sub(f.splat(1), value))),
}

/** Hard sigmoid: 0.2x + ½, limited to [0, 1], and 0.2·d where it is not limited. */
const hard: Gate = {
  value: (f, x) => {
    const line = f32x4.add(f32x4.mul(x, f.splat(0.2)), f.splat(0.5))
    return f32x4.min(f32x4.max(line, f.splat(0)), f.splat(1))
  },
  back: (f, d, value) => v128.and(f32x4.mul(d, f.splat(0.2)), v128.and(f32x4.gt(value, f.splat(0)), f32x4.lt(value, f.splat(1)))),
}

/**
 * LSTM (Hochreiter and Schmidhuber, 1997; with a forget gate: Gers et al., 2000), parts h, c, i, f, c̃, o:
 *
 *   forward:  c = f∘c₋ + i∘c̃,  h = o∘tanh(c)
 *   backward: do = dh∘tanh(c),  dc += dh∘o∘(1 − tanh²(c)),  di = dc∘c̃,  df = dc∘c₋,  dc̃ = dc∘i,  dc₋ = dc∘f
 */
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
        steps: [
          (f, { sum, before }) => {
            const sums = [0, 1, 2, 3].map(sum)
            const [i, forget, o] = [0, 1, 3].map((q) => f.let(gate.value(f, sums[q])))
            const candidate = f.let(tanh(f, sums[2]))
            const c = f.let(f32x4.add(f32x4.mul(forget, before(1)), f32x4.mul(i, candidate)))
            return { parts: [c, i, forget, candidate, o].map((value, p) => [p + 1, value]) }
          },
          (f, { part }) => ({ parts: [[0, f.let(f32x4.mul(part(5), tanh(f, f.let(part(1)))))]] }),
        ],
      },
    ],
    backPhases: [
      {
        multiplied: [0, 1, 2, 3].map((q) => [q, q] as const),
        back(f, { d: [dH, dC], plusPart, part, before }) {
          const [i, forget, candidate, o] = [2, 3, 4, 5].map(part)
          const squashed = f.let(tanh(f, part(1)))
          const dO = plusPart(5, f32x4.mul(dH, squashed))
          const dCell = f.let(f32x4.add(dC, f32x4.mul(f32x4.mul(dH, o), oneMinusSquare(f, squashed))))
          const dI = plusPart(2, f32x4.mul(dCell, candidate))
          const dF = plusPart(3, f32x4.mul(dCell, before()))
          const dCandidate = plusPart(4, f32x4.mul(dCell, i))
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

/** A simple recurrent network: h = tanh(z + h₋·U). Its only part is h. */
export const simpleRnn: Cell = {
  gates: 1,
  columns: 1,
  states: 1,
  parts: 1,
  keeps: false,
  biased: false,
  phases: [{ gates: [0], steps: [(f, { sum }) => ({ parts: [[0, f.let(tanh(f, sum(0)))]] })] }],
  backPhases: [
    {
      multiplied: [[0, 0]],
      back: (f, { d: [dH], part }) => ({ dZ: [[0, f.let(f32x4.mul(dH, oneMinusSquare(f, part(0))))]] }),
    },
  ],
}

/** The new state of a GRU: h = z∘h₋ + (1 − z)∘h̃. */
const mix = (f: FunctionBuilder, z: Lanes, before: Lanes, candidate: Lanes): Vector =>
  f32x4.add(f32x4.mul(z, before), f32x4.mul(f32x4.sub(f.splat(1), z), candidate))

/**
 * A GRU with the reset before the product (Cho et al., 2014), parts h, z, r, h̃:  h̃ = tanh(z_h + (r∘h₋)·U_h),  h = z∘h₋ + (1 − z)∘h̃. With dropout
 * factors m, h₋ meets the weights as h₋∘m.
 */
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
        steps: [
          (f, { sum, operand }) => {
            const [z, r] = [0, 1].map(sum).map((x) => f.let(gate.value(f, x)))
            return {
              parts: [
                [1, z],
                [2, r],
              ],
              next: f.let(f32x4.mul(r, operand())),
            }
          },
        ],
      },
      {
        gates: [2],
        steps: [
          (f, { sum, before, part }) => {
            const candidate = f.let(tanh(f, sum(0)))
            const z = f.let(part(1))
            return {
              parts: [
                [0, f.let(mix(f, z, before(0), candidate))],
                [3, candidate],
              ],
            }
          },
        ],
      },
    ],
    backPhases: [
      {
        multiplied: [[2, 2]],
        back(f, { d: [dH], plusPart, part, before }) {
          const [z, candidate] = [part(1), part(3)]
          const dGate = plusPart(1, f32x4.mul(dH, f32x4.sub(before(), candidate)))
          const dCandidate = plusPart(3, f32x4.mul(dH, f32x4.sub(f.splat(1), z)))
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
        back(f, { plusPart, part, before, factors, product }) {
          const [r, dOperand, dropout] = [part(2), product(), factors()]
          const operand = dropout ? f32x4.mul(before(), dropout) : before()
          const dGate = plusPart(2, f32x4.mul(dOperand, operand))
          return { dZ: [[1, f.let(gate.back(f, dGate, r))]], product: f.let(f32x4.mul(dOperand, r)) }
        },
      },
    ],
  }
}

/**
 * A GRU with the reset after the product, parts h, z, r, h̃, q:  q = h₋·U_h + bias,  h̃ = tanh(z_h + r∘q),  h = z∘h₋ + (1 − z)∘h̃. The columns of dZ are the
 * gates', then dq.
 */
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
        steps: [
          (f, { sum, product }) => {
            const [z, r] = [0, 1].map(sum).map((x) => f.let(gate.value(f, x)))
            return { parts: [z, r, product(2)].map((value, i) => [[1, 2, 4][i], value]) }
          },
          (f, { z: input, before, part }) => {
            const candidate = f.let(tanh(f, f.let(f32x4.add(input(2), f32x4.mul(part(2), part(4))))))
            return { parts: [f.let(mix(f, f.let(part(1)), before(0), candidate)), candidate].map((value, i) => [3 * i, value]) }
          },
        ],
      },
    ],
    backPhases: [
      {
        multiplied: [
          [0, 0],
          [1, 1],
          [3, 2],
        ],
        back(f, { d: [dH], plusPart, part, before }) {
          const [z, r, candidate, q] = [1, 2, 3, 4].map(part)
          const dGate = plusPart(1, f32x4.mul(dH, f32x4.sub(before(), candidate)))
          const dOut = plusPart(3, f32x4.mul(dH, f32x4.sub(f.splat(1), z)))
          const dCandidate = f.let(f32x4.mul(dOut, oneMinusSquare(f, candidate)))
          const dReset = plusPart(2, f32x4.mul(dCandidate, q))
          const dProduct = plusPart(4, f32x4.mul(dCandidate, r))
          const dZ = [gate.back(f, dGate, z), gate.back(f, dReset, r), dCandidate, dProduct]
          return { dZ: dZ.map((x, column) => [column, f.let(x)]), kept: f.let(f32x4.mul(dH, z)) }
        },
      },
    ],
  }
}
