/**
 * Activation functions, with Keras' definitions (keras/activations.py 2.3.1). Each is a function of a tensor; `getActivation` finds one
 * by name and wraps it with that name, by which a trainer knows whether a model ends in a softmax or sigmoid.
 *
 * Where a function has a kink, the derivative there is TensorFlow's: relu'(0) = 0, elu'(0) = α.
 */
import * as core from '@cotangent/core'
import { ShapeError, type Tensor } from '@cotangent/core'
import { describeValue, requireNumber } from '@cotangent/core/arguments'
import { requireTensor } from './losses/targets.js'
import { lookUp, readOptions, type Spelling } from './spelling/names.js'
import { fromZero, orNull } from './spelling/rules.js'

/** An activation with its name, `softmax` say; a function of the user's has its own. */
export interface Activation {
  readonly name: string
  /** Set where the function is the one of that name here, rather than a user's. */
  readonly builtIn?: boolean
  call(x: Tensor): Tensor
}

/** The tensor itself. */
function checked(what: string, x: Tensor, name = 'x'): Tensor {
  requireTensor(what, name, x)
  return x
}

/** x */
export const linear = (x: Tensor): Tensor => checked('linear', x)

/**
 * max(x, 0), or in general: x limited to `maxValue` where x > threshold, and alpha·(x − threshold) elsewhere.
 *
 * @example
 * ```ts
 * const y = activations.relu(x, { alpha: 0.1 })   // leaky
 * const z = activations.relu(x, { maxValue: 6 })  // relu6
 * ```
 */
export function relu(x: Tensor, options: { alpha?: number; maxValue?: number | null; threshold?: number } = {}): Tensor {
  requireTensor('relu', 'x', x)
  const { alpha, maxValue, threshold } = readOptions<{ alpha: number; maxValue: number | null; threshold: number }>(
    'relu',
    options,
    { alpha: 0, maxValue: null, threshold: 0 },
    { maxValue: orNull(fromZero) },
    'relu(x, { alpha: 0.1 })',
  )
  const above = threshold === 0 ? core.relu(x) : core.where(x.lessEqual(threshold), 0, x)
  const limited = maxValue === null ? above : above.clip(0, maxValue)
  return alpha === 0 ? limited : limited.sub(core.relu(core.sub(threshold, x)).mul(alpha))
}

/** min(max(x, 0), 6): relu of networks for small devices, such as MobileNet. */
export const relu6 = (x: Tensor): Tensor => relu(checked('relu6', x), { maxValue: 6 })

/** x for x > 0, α(eˣ − 1) below (Clevert, Unterthiner, Hochreiter 2016). */
export function elu(x: Tensor, alpha = 1): Tensor {
  requireTensor('elu', 'x', x)
  requireNumber('elu', 'alpha', alpha)
  return core.relu(x).add(x.minimum(0).expm1().mul(alpha))
}

/** λ·elu(x, α) with the constants that keep mean 0 and variance 1 (Klambauer et al.: "Self-normalizing neural networks", 2017). */
export const selu = (x: Tensor): Tensor => elu(checked('selu', x), 1.6732632423543772).mul(1.0507009873554805)

/** ln(1 + eˣ) */
export const softplus = (x: Tensor): Tensor => core.softplus(checked('softplus', x))
const LARGEST = 3.4028234663852886e38
/** x / (1 + |x|), ±1 at ±∞ */
export const softsign = (x: Tensor): Tensor => {
  const finite = checked('softsign', x).clip(-LARGEST, LARGEST)
  return finite.div(finite.abs().add(1))
}
/** (eˣ − e⁻ˣ)/(eˣ + e⁻ˣ) */
export const tanh = (x: Tensor): Tensor => core.tanh(checked('tanh', x))
/** 1/(1 + e⁻ˣ) */
export const sigmoid = (x: Tensor): Tensor => core.sigmoid(checked('sigmoid', x))
/** 0.2·x + 0.5 limited to [0, 1]: Keras 2's piecewise linear sigmoid. */
export const hardSigmoid = (x: Tensor): Tensor => checked('hardSigmoid', x).mul(0.2).add(0.5).clip(0, 1)
/** eˣ */
export const exponential = (x: Tensor): Tensor => core.exp(checked('exponential', x))

/**
 * eˣ / Σ eˣ over the last axis.
 *
 * @throws ShapeError for a tensor without a batch axis.
 */
export function softmax(x: Tensor): Tensor {
  requireTensor('softmax', 'x', x)
  if (x.rank < 2) {
    throw new ShapeError(
      `softmax: at least 2 axes are needed, [batch, classes], got [${x.shape.join(', ')}]. For one sample add a batch axis: x.expandDims(0).`,
    )
  }
  return core.softmax(x)
}

const table = { linear, relu, relu6, elu, selu, softplus, softsign, tanh, sigmoid, hardSigmoid, exponential, softmax }

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
  if (typeof id === 'object') {
    if (typeof id.call === 'function' && typeof id.name === 'string') return id
    throw new core.ValueError(`activation: expected a name, a function of a tensor, or an object { name, call }, got ${describeValue(id)}.`)
  }
  const call = typeof id === 'function' ? id : lookUp<(x: Tensor) => Tensor>('activation', id, table)
  const name = Object.entries(table).find(([, known]) => known === call)?.[0]
  if (name !== undefined) return { name, builtIn: true, call: (x) => call(x) }
  const own = call.name || 'activation'
  return { name: own, builtIn: false, call: (x) => checked(`activation "${own}"`, call(x), 'what the function returns') }
}

/** The activation's name if it is one whose inputs a loss can take instead (see `Loss.fromLogits`). */
export function finalActivationOf(activation: Activation): 'softmax' | 'sigmoid' | undefined {
  const { name, builtIn } = getActivation(activation)
  if (!builtIn) return undefined
  return name === 'softmax' || name === 'sigmoid' ? name : undefined
}
