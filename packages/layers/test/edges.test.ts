/**
 * Losses and activations at infinities, NaN and the largest numbers have their limits as values, in float32 on the wasm engine and on the reference.
 */
import { createReferenceBackend, createWasmBackend, grad, scope, type Tensor, tensor, withBackend } from '@cotangent/core'
import { describe, expect, test } from 'vitest'
import { type ActivationName, getActivation, relu } from '../src/activations.js'
import { getLoss, type LossName, type LossOptions } from '../src/losses/index.js'

const [inf, nan] = [Infinity, Number.NaN]

const losses: [LossName, LossOptions, number[][], number[][], number[]][] = [
  // a certain and right prediction costs nothing, a certain and wrong one ∞
  [
    'binaryCrossentropy',
    { fromLogits: true },
    [[1], [0], [1], [0], [nan], [1]],
    [[inf], [-inf], [-inf], [inf], [0], [nan]],
    [0, 0, inf, inf, nan, nan],
  ],
  [
    'categoricalCrossentropy',
    { fromLogits: true },
    [
      [1, 0],
      [0, 1],
      [0.5, 0.5],
    ],
    [
      [0, -inf],
      [0, -inf],
      [0, -inf],
    ],
    [0, inf, inf],
  ],
  [
    'sparseCategoricalCrossentropy',
    { fromLogits: true },
    [[0], [1]],
    [
      [0, -inf],
      [0, -inf],
    ],
    [0, inf],
  ],
  ['categoricalCrossentropy', { fromLogits: true }, [[1, 0]], [[1e5, 1e5 - 1]], [0.31326168751822286]],
  [
    'logcosh',
    {},
    [[0], [0], [0], [0], [0], [0]],
    [[inf], [-inf], [3e38], [-3e38], [-2], [nan]],
    [inf, inf, 3e38, 3e38, 1.3250027473578645, nan],
  ],
  ['huber', {}, [[0], [0], [0]], [[inf], [-inf], [3e38]], [inf, inf, 3e38]],
  [
    'categoricalHinge',
    {},
    [
      [1, 0],
      [0, 1],
    ],
    [
      [inf, 0],
      [inf, 0],
    ],
    [0, inf],
  ],
  ['poisson', {}, [[0], [0]], [[inf], [3]], [inf, 3]],
  [
    'cosineProximity',
    {},
    [
      [1, 1],
      [1, 0],
    ],
    [
      [3e38, 3e38],
      [1e25, 1e25],
    ],
    [-1, -Math.SQRT1_2],
  ],
  ['meanSquaredError', {}, [[0], [0]], [[inf], [-inf]], [inf, inf]],
  ['hinge', {}, [[1, -1]], [[inf, -inf]], [0]],
]

const activations: [ActivationName, number[], number[]][] = [
  ['softsign', [inf, -inf, 3e38, nan, 1], [1, -1, 1, nan, 0.5]],
  ['softplus', [inf, -inf, nan], [inf, 0, nan]],
  ['elu', [inf, -inf, nan], [inf, -1, nan]],
  ['selu', [inf, -inf], [inf, -1.7580993408473766]],
  ['hardSigmoid', [inf, -inf, nan], [1, 0, nan]],
  ['sigmoid', [inf, -inf, nan], [1, 0, nan]],
  ['tanh', [inf, -inf, nan], [1, -1, nan]],
  ['relu', [inf, -inf, nan], [inf, 0, nan]],
]

// Functions are computed to a few units in the last place of float32.
const near = (got: ArrayLike<number>, want: readonly number[]): void => {
  expect(got.length).toBe(want.length)
  want.forEach((w, i) => {
    if (Number.isFinite(w)) expect(Math.abs(got[i] - w), `[${i}] is ${got[i]}, not ${w}`).toBeLessThanOrEqual(5e-7 * Math.abs(w))
    else expect(got[i], `[${i}]`).toBe(w)
  })
}

describe.each([createWasmBackend(), createReferenceBackend()])('$name', (backend) => {
  const values = async (f: () => Tensor): Promise<ArrayLike<number>> => {
    using y = withBackend(backend, () => scope(f))
    return await y.data()
  }
  const floats = (x: unknown): Tensor => tensor(x as number[], { dtype: 'float32' })

  test.each(losses)('%s %o', async (name, options, yTrue, yPred, want) => {
    near(await values(() => getLoss(name, options).call(floats(yTrue), floats(yPred))), want)
  })

  test.each(activations)('%s', async (name, x, want) => near(await values(() => getActivation(name).call(floats(x))), want))

  test('relu with a threshold keeps NaN', async () => {
    near(await values(() => relu(floats([nan, inf, -inf, 2]), { threshold: 1 })), [nan, inf, 0, 2])
  })

  test('gradients of crossentropies stay numbers where a logit is infinite', async () => {
    const gradient = (name: LossName, t: number[][], z: number[][]) =>
      values(() => grad((x: Tensor) => getLoss(name, { fromLogits: true }).call(floats(t), x).sum())(floats(z)))
    near(await gradient('binaryCrossentropy', [[1], [0], [1]], [[inf], [-inf], [-inf]]), [0, 0, -1])
    near(await gradient('categoricalCrossentropy', [[1, 0, 0]], [[0, -inf, 0]]), [-0.5, 0, 0.5])
  })
})
