/** Gradient descent on the same network, on the default backend, until the four points are learned. */
import { scope, valueAndGrad } from '@cotangent/core'
import { data, initialWeights, network, targets } from './network.js'

/** Options of the training. */
export interface TrainOptions {
  seed: number
  /** The step length: w ← w − rate·dw. */
  rate: number
  /** The most steps. */
  steps: number
}

export interface Training {
  /** The loss before steps 0, 1, 2, 5, 10, 20, 50 …, and at the end. */
  losses: { step: number; loss: number }[]
  /** The predictions for the four points at the end. */
  predictions: number[]
  /** The number of predictions that are on the right side of ½. */
  right: number
}

/** The loss below which the four points count as learned. */
const SOLVED = 1e-3
/** The steps whose loss is kept. */
const isRound = (step: number): boolean => step === 0 || /^[125]0*$/.test(String(step))

/** Trains from the random weights of the seed. */
export async function train({ seed, rate, steps }: TrainOptions): Promise<Training> {
  const { x, t } = data('float32')
  const weights = initialWeights(seed, 'float32')
  const parameters = Object.values(weights)
  const losses: Training['losses'] = []

  for (let step = 0; ; step++) {
    const { value, grads } = valueAndGrad(parameters, () => network(x, t, weights).loss)
    const loss = await value.item()
    const done = step === steps || loss < SOLVED
    if (done || isRound(step)) losses.push({ step, loss })
    if (!done) scope(() => parameters.forEach((w, i) => void w.assign(w.sub(grads[i].mul(rate)))))
    for (const grad of grads) grad.dispose()
    if (done) {
      value.dispose()
      break
    }
  }

  const p = scope(() => network(x, t, weights).p)
  const predictions = Array.from(await p.data())
  for (const tensor of [x, t, p, ...parameters]) tensor.dispose()
  const right = predictions.filter((prediction, i) => prediction > 0.5 === targets[i] > 0.5).length
  return { losses, predictions, right }
}
