/** The squashing function of the gates of LSTM and GRU, and its derivative. */
import { requireChoice } from '../../arguments.js'
import type { Ops } from '../../autodiff/op.js'
import type { Tensor } from '../../tensor/tensor.js'

/** The squashing function of gates: `sigmoid` is 1/(1 + e⁻ˣ), `hardSigmoid` is 0.2x + ½ limited to [0, 1], as in Keras 2. */
export type GateActivation = 'sigmoid' | 'hardSigmoid'

const GATE_ACTIVATIONS = ['sigmoid', 'hardSigmoid'] as const

/** Throws unless the name is that of a `GateActivation`. */
export function requireGateActivation(op: string, name: unknown): void {
  requireChoice(op, 'recurrentActivation', name, GATE_ACTIVATIONS)
}

/** y = gate(x), from 0 to 1. */
export const gate = (x: Tensor, activation: GateActivation, ops: Ops): Tensor =>
  activation === 'sigmoid' ? ops.sigmoid(x) : ops.clip(ops.add(ops.mul(x, 0.2), 0.5), 0, 1)

/** dX from dY and y = gate(x): dY·y(1 − y) for the sigmoid; for the hard sigmoid 0.2·dY, and 0 where it is limited. */
export function gateVjp(dY: Tensor, y: Tensor, activation: GateActivation, ops: Ops): Tensor {
  const slope = ops.mul(y, ops.sub(1, y)) // of the sigmoid; it is 0 exactly where y is 0 or 1
  return activation === 'sigmoid' ? ops.mul(dY, slope) : ops.where(ops.greater(slope, 0), ops.mul(dY, 0.2), 0)
}
