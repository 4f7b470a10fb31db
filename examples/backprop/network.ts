/**
 * The network of this example: two inputs, three tanh units, one sigmoid unit, and the mean squared error over the four points of
 * exclusive or. No network without a hidden layer can learn these (Minsky and Papert, "Perceptrons", 1969).
 *
 * Every intermediate value has a name, so the tape can be read with the names in this file.
 */
import { type Backend, currentBackend, key, normal, Parameter, type Shape, splitKey, type Tensor, tensor } from '@cotangent/core'

/** The parameters: the numbers that training changes. */
export interface Weights {
  W1: Parameter
  b1: Parameter
  W2: Parameter
  b2: Parameter
}

/** float64 for exact central differences, float32 for training. */
export type Precision = 'float64' | 'float32'

/** The four points and their targets. */
export const points = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
] as const
export const targets = [0, 1, 1, 0] as const

/** The data as tensors: x [4, 2] and t [4, 1]. */
export const data = (dtype: Precision, backend: Backend = currentBackend()): { x: Tensor; t: Tensor } => ({
  x: tensor(points, { dtype, backend }),
  t: tensor(
    targets.map((target) => [target]),
    { dtype, backend },
  ),
})

/** Random weights from a normal distribution, smaller ones for the biases. A seed gives the same draws in either precision. */
export function initialWeights(seed: number, dtype: Precision, backend: Backend = currentBackend()): Weights {
  const keys = splitKey(key(seed), 4)
  const draw = (name: string, i: number, shape: Shape, stddev: number): Parameter =>
    new Parameter(normal(keys[i], shape, { stddev, dtype, backend }), { name })
  return {
    W1: draw('W1', 0, [2, 3], 0.7),
    b1: draw('b1', 1, [3], 0.3),
    W2: draw('W2', 2, [3, 1], 0.7),
    b2: draw('b2', 3, [1], 0.3),
  }
}

/** All values from x to the loss, in order. `mean` is made of other ops: the tape shows a sum and a division. */
export function network(x: Tensor, t: Tensor, { W1, b1, W2, b2 }: Weights) {
  const u = x.matMul(W1) // [4, 3]
  const c = u.add(b1)
  const h = c.tanh()
  const v = h.matMul(W2) // [4, 1]
  const z = v.add(b2)
  const p = z.sigmoid() // the predictions
  const e = p.sub(t) // the errors
  const q = e.mul(e)
  const loss = q.mean() // []
  return { u, c, h, v, z, p, e, q, loss }
}
