/** The squashing function of gates, which LSTM and GRU share, and its derivative. */
import { requireChoice } from '../../arguments.js'
import type { Ops } from '../../autodiff/op.js'
import type { Tensor } from '../../tensor/tensor.js'

/** The squashing function of gates: 1/(1 + e⁻ˣ), or Keras' straight line, 0.2x + ½ within [0, 1]. */
export type GateActivation = 'sigmoid' | 'hardSigmoid'

const GATE_ACTIVATIONS = ['sigmoid', 'hardSigmoid'] as const

/** Throws unless it is the name of a function that gates may have. */
export function requireGateActivation(op: string, name: unknown): void {
  requireChoice(op, 'recurrentActivation', name, GATE_ACTIVATIONS)
}

/** y = gate(x), between 0 and 1. */
export const gate = (x: Tensor, activation: GateActivation, ops: Ops): Tensor =>
  activation === 'sigmoid' ? ops.sigmoid(x) : ops.clip(ops.add(ops.mul(x, 0.2), 0.5), 0, 1)

/** dX from dY and y = gate(x): dY·y(1 − y), or 0.2·dY where the straight line runs. */
export function gateVjp(dY: Tensor, y: Tensor, activation: GateActivation, ops: Ops): Tensor {
  const slope = ops.mul(y, ops.sub(1, y)) // of the sigmoid; where it is 0, y is 0 or 1
  return activation === 'sigmoid' ? ops.mul(dY, slope) : ops.where(ops.greater(slope, 0), ops.mul(dY, 0.2), 0)
}
