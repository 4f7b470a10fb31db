/**
 * Activation functions, with Keras' definitions (keras/activations.py 2.3.1). Each is a function of a tensor; `getActivation` finds one
 * by name and wraps it with that name, by which a trainer knows whether a model ends in a softmax or sigmoid.
 *
 * Where a function has a kink, the derivative there is TensorFlow's: relu'(0) = 0, elu'(0) = α.
 */
import * as core from '@cotangent/core'
import { ShapeError, type Tensor } from '@cotangent/core'
import { lookUp, type Spelling } from './names.js'

/** An activation with its name, `softmax` say; a function of the user's has its own. */
export interface Activation {
  readonly name: string
  /** Set where the function is the one of that name here, rather than a user's. */
  readonly builtIn?: boolean
  call(x: Tensor): Tensor
}

/** x */
export const linear = (x: Tensor): Tensor => x

/**
 * max(x, 0), or in general: x limited to `maxValue` where x > threshold, and alpha·(x − threshold) elsewhere.
 *
 * @example
 * ```ts
 * const y = relu(x, { alpha: 0.1 })   // leaky
 * const z = relu(x, { maxValue: 6 })  // relu6
 * ```
 */
export function relu(x: Tensor, options: { alpha?: number; maxValue?: number | null; threshold?: number } = {}): Tensor {
  const { alpha = 0, maxValue = null, threshold = 0 } = options
  const above = threshold === 0 ? core.relu(x) : core.where(x.lessEqual(threshold), 0, x)
  const limited = maxValue === null ? above : above.clip(0, maxValue)
  return alpha === 0 ? limited : limited.sub(core.relu(core.sub(threshold, x)).mul(alpha))
}

/** x for x > 0, α(eˣ − 1) below (Clevert, Unterthiner, Hochreiter 2016). */
export const elu = (x: Tensor, alpha = 1): Tensor => core.relu(x).add(x.minimum(0).expm1().mul(alpha))

/** λ·elu(x, α) with the constants that keep mean 0 and variance 1 (Klambauer et al.: "Self-normalizing neural networks", 2017). */
export const selu = (x: Tensor): Tensor => elu(x, 1.6732632423543772).mul(1.0507009873554805)

/** ln(1 + eˣ) */
export const softplus = (x: Tensor): Tensor => core.softplus(x)
const LARGEST = 3.4028234663852886e38
/** x / (1 + |x|), ±1 at ±∞ */
export const softsign = (x: Tensor): Tensor => {
  const finite = x.clip(-LARGEST, LARGEST)
  return finite.div(finite.abs().add(1))
}
/** (eˣ − e⁻ˣ)/(eˣ + e⁻ˣ) */
export const tanh = (x: Tensor): Tensor => core.tanh(x)
/** 1/(1 + e⁻ˣ) */
export const sigmoid = (x: Tensor): Tensor => core.sigmoid(x)
/** 0.2·x + 0.5 limited to [0, 1]: Keras 2's piecewise linear sigmoid. */
export const hardSigmoid = (x: Tensor): Tensor => x.mul(0.2).add(0.5).clip(0, 1)
/** eˣ */
export const exponential = (x: Tensor): Tensor => core.exp(x)

/**
 * eˣ / Σ eˣ over the last axis.
 *
 * @throws ShapeError for a tensor without a batch axis.
 */
export function softmax(x: Tensor): Tensor {
  if (x.rank < 2) {
    throw new ShapeError(
      `softmax: at least 2 axes are needed, [batch, classes], got [${x.shape.join(', ')}]. For one sample add a batch axis: x.expandDims(0).`,
    )
  }
  return core.softmax(x)
}

const table = { linear, relu, elu, selu, softplus, softsign, tanh, sigmoid, hardSigmoid, exponential, softmax }

/** Names of the activations. */
export type ActivationName = keyof typeof table
/** How an activation may be given. */
export type ActivationIdentifier = Spelling<ActivationName> | Activation | ((x: Tensor) => Tensor)

/**
 * An activation by name, object or function; nothing means `linear`.
 *
 * @throws ValueError for an unknown name.
 * @example
 * ```ts
 * getActivation('hard_sigmoid').call(x)
 * ```
 */
export function getActivation(id: ActivationIdentifier | null | undefined): Activation {
  if (id === null || id === undefined) return { name: 'linear', builtIn: true, call: linear }
  if (typeof id === 'object') return id
  const call = typeof id === 'function' ? id : lookUp<(x: Tensor) => Tensor>('activation', id, table)
  const name = Object.entries(table).find(([, known]) => known === call)?.[0]
  return { name: name ?? (call.name || 'activation'), builtIn: name !== undefined, call: (x) => call(x) }
}

/** The activation's name if it is one whose inputs a loss can take instead (see `Loss.fromLogits`). */
export function finalActivationOf({ name, builtIn }: Activation): 'softmax' | 'sigmoid' | undefined {
  if (!builtIn) return undefined
  return name === 'softmax' || name === 'sigmoid' ? name : undefined
}
