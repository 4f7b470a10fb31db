/**
 * Activation functions as Keras defines them (keras/activations.py 2.3.1; those that came later are ops of core). Each is a function of a tensor, element by
 * element but for softmax and its kin. Shape: any → the same, but `glu` halves the last axis. `getActivation` finds one by name. The name stays with it, so that a
 * trainer sees whether a model ends in softmax or sigmoid.
 *
 * Where a function has a kink, its derivative is TensorFlow's: relu'(0) = 0, elu'(0) = α.
 */
import * as core from '@cotangent/core'
import { ShapeError, type Tensor } from '@cotangent/core'
import { describeValue, requireNumber } from '@cotangent/core/arguments'
import { requireTensor } from './losses/targets.js'
import { lookUp, readOptions, type Spelling } from './spelling/names.js'
import { fromZero, orNull } from './spelling/rules.js'

/** Options that Keras got after 2.3, with Keras 3's defaults. */
export {
  celu,
  gelu,
  glu,
  hardShrink,
  hardSilu,
  hardTanh,
  leakyRelu,
  logSigmoid,
  logSoftmax,
  mish,
  silu,
  softShrink,
  sparsemax,
  sparsePlus,
  sparseSigmoid,
  squareplus,
  tanhShrink,
  threshold,
} from '@cotangent/core'

/** An activation and its name, such as `softmax`. A user's function has its own name. */
export interface Activation {
  readonly name: string
  /** True if the function is the one that this package has under that name, not a user's. */
  readonly builtIn?: boolean
  call(x: Tensor): Tensor
}

/** x itself, if it is a tensor; throws if not. */
function checked(what: string, x: Tensor, name = 'x'): Tensor {
  requireTensor(what, name, x)
  return x
}

/**
 * y = x
 *
 * @example
 * ```ts
 * console.log(await activations.linear(tensor([-1, 2])).array())   // [-1, 2]
 * ```
 */
export const linear = (x: Tensor): Tensor => checked('linear', x)

/**
 * y = max(x, 0). In general: y = min(x, maxValue) for x > threshold, alpha·(x − threshold) elsewhere.
 *
 * @param options alpha, in Keras 3 negativeSlope, the slope below the threshold, 0 by default; maxValue, no limit by default; threshold, 0 by default
 * @throws ValueError if alpha and negativeSlope are both given
 * @example
 * ```ts
 * console.log(await activations.relu(tensor([-1, 8])).array())   // [0, 8]
 * console.log(await activations.relu(tensor([-1, 8]), { alpha: 0.5, maxValue: 6 }).array())   // [-0.5, 6]
 * ```
 */
export function relu(
  x: Tensor,
  options: { alpha?: number; negativeSlope?: number; maxValue?: number | null; threshold?: number } = {},
): Tensor {
  requireTensor('relu', 'x', x)
  const { maxValue, threshold, ...slopes } = readOptions<Required<typeof options>>(
    'relu',
    options,
    { alpha: 0, negativeSlope: 0, maxValue: null, threshold: 0 },
    { maxValue: orNull(fromZero) },
    'relu(x, { alpha: 0.1 })',
  )
  if (options.alpha !== undefined && options.negativeSlope !== undefined)
    throw new core.ValueError('relu: alpha and negativeSlope are two names of one slope. Give one of them.')
  const alpha = slopes.alpha || slopes.negativeSlope
  const above = threshold === 0 ? core.relu(x) : core.where(x.lessEqual(threshold), 0, x)
  const limited = maxValue === null ? above : above.clip(0, maxValue)
  return alpha === 0 ? limited : limited.sub(core.relu(core.sub(threshold, x)).mul(alpha))
}

/**
 * y = min(max(x, 0), 6), used by networks for small devices, such as MobileNet.
 *
 * @example
 * ```ts
 * console.log(await activations.relu6(tensor([-1, 8])).array())   // [0, 6]
 * ```
 */
export const relu6 = (x: Tensor): Tensor => relu(checked('relu6', x), { maxValue: 6 })

/**
 * y = x for x > 0, α(eˣ − 1) below (Clevert, Unterthiner, Hochreiter 2016). α is 1 by default.
 *
 * @example
 * ```ts
 * console.log(await activations.elu(tensor([-1, 2])).array())   // ≈ [-0.632, 2]
 * ```
 */
export function elu(x: Tensor, alpha = 1): Tensor {
  requireTensor('elu', 'x', x)
  requireNumber('elu', 'alpha', alpha)
  return core.relu(x).add(x.minimum(0).expm1().mul(alpha))
}

/**
 * y = λ·elu(x, α), with the two constants that keep mean 0 and variance 1 (Klambauer et al., "Self-normalizing neural networks", 2017).
 *
 * @example
 * ```ts
 * console.log(await activations.selu(tensor([-1, 1])).array())   // ≈ [-1.111, 1.051]
 * ```
 */
export const selu = (x: Tensor): Tensor => elu(checked('selu', x), 1.6732632423543772).mul(1.0507009873554805)

/**
 * y = ln(1 + eˣ)
 *
 * @example
 * ```ts
 * console.log(await activations.softplus(tensor([0, 100])).array())   // ≈ [0.693, 100]
 * ```
 */
export const softplus = (x: Tensor): Tensor => core.softplus(checked('softplus', x))
const LARGEST = 3.4028234663852886e38
/**
 * y = x / (1 + |x|); ±1 at ±∞.
 *
 * @example
 * ```ts
 * console.log(await activations.softsign(tensor([-1, 3])).array())   // [-0.5, 0.75]
 * ```
 */
export const softsign = (x: Tensor): Tensor => {
  const finite = checked('softsign', x).clip(-LARGEST, LARGEST)
  return finite.div(finite.abs().add(1))
}
/**
 * y = (eˣ − e⁻ˣ)/(eˣ + e⁻ˣ)
 *
 * @example
 * ```ts
 * console.log(await activations.tanh(tensor([0, 1])).array())   // ≈ [0, 0.762]
 * ```
 */
export const tanh = (x: Tensor): Tensor => core.tanh(checked('tanh', x))
/**
 * y = 1/(1 + e⁻ˣ)
 *
 * @example
 * ```ts
 * console.log(await activations.sigmoid(tensor([0, 1])).array())   // ≈ [0.5, 0.731]
 * ```
 */
export const sigmoid = (x: Tensor): Tensor => core.sigmoid(checked('sigmoid', x))
/**
 * y = 0.2·x + 0.5 limited to [0, 1], the `hard_sigmoid` of Keras 2. (That of Keras 3 is `hardSigmoid6`.)
 *
 * @example
 * ```ts
 * console.log(await activations.hardSigmoid(tensor([-5, 0, 1])).array())   // ≈ [0, 0.5, 0.7]
 * ```
 */
export const hardSigmoid = (x: Tensor): Tensor => checked('hardSigmoid', x).mul(0.2).add(0.5).clip(0, 1)
/**
 * y = relu6(x + 3)/6 = x/6 + 0.5 limited to [0, 1], the `hard_sigmoid` of Keras 3.
 *
 * @example
 * ```ts
 * console.log(await activations.hardSigmoid6(tensor([-5, 0, 1.5])).array())   // [0, 0.5, 0.75]
 * ```
 */
export const hardSigmoid6 = (x: Tensor): Tensor => core.hardSigmoid(checked('hardSigmoid6', x))
/**
 * y = eˣ
 *
 * @example
 * ```ts
 * console.log(await activations.exponential(tensor([0, 1])).array())   // ≈ [1, 2.718]
 * ```
 */
export const exponential = (x: Tensor): Tensor => core.exp(checked('exponential', x))

/**
 * y = eˣ / Σ eˣ, the sum taken over an axis, which is the last by default.
 *
 * @throws ShapeError for a tensor without a batch axis
 * @example
 * ```ts
 * console.log(await activations.softmax(tensor([[0, Math.log(3)]])).array())   // ≈ [[0.25, 0.75]]
 * ```
 */
export function softmax(x: Tensor, options?: { axis?: number }): Tensor {
  requireTensor('softmax', 'x', x)
  if (x.rank < 2) {
    throw new ShapeError(
      `softmax: at least 2 axes are needed, [batch, classes], got [${x.shape.join(', ')}]. For one sample add a batch axis: x.expandDims(0).`,
    )
  }
  return core.softmax(x, options)
}

const table = {
  ...{ linear, relu, relu6, elu, selu, softplus, softsign, tanh, sigmoid, hardSigmoid, exponential, softmax },
  ...{ hardSigmoid6, celu: core.celu, gelu: core.gelu, glu: core.glu, hardShrink: core.hardShrink, hardSilu: core.hardSilu },
  ...{ hardTanh: core.hardTanh, leakyRelu: core.leakyRelu, logSigmoid: core.logSigmoid, logSoftmax: core.logSoftmax, mish: core.mish },
  ...{ silu: core.silu, softShrink: core.softShrink, sparsemax: core.sparsemax, sparsePlus: core.sparsePlus },
  ...{ sparseSigmoid: core.sparseSigmoid, squareplus: core.squareplus, tanhShrink: core.tanhShrink },
}
/** Names that Keras has for the same. */
const aliases = { swish: 'silu', hardSwish: 'hardSilu' } as const

/** Names of the activations. */
export type ActivationName = keyof typeof table | keyof typeof aliases
/** An activation by name, as an object, or as a function. */
export type ActivationIdentifier = Spelling<ActivationName> | Activation | ((x: Tensor) => Tensor)

/**
 * An activation by name, as an object, or as a function; `linear` if there is none.
 *
 * @throws ValueError for an unknown name
 * @example
 * ```ts
 * console.log(await getActivation('hard_sigmoid').call(tensor([0])).array())   // [0.5]
 * ```
 */
export function getActivation(id: ActivationIdentifier | null | undefined): Activation {
  if (id === null || id === undefined) return { name: 'linear', builtIn: true, call: linear }
  if (typeof id === 'object') {
    if (typeof id.call === 'function' && typeof id.name === 'string') return id
    throw new core.ValueError(`activation: expected a name, a function of a tensor, or an object { name, call }, got ${describeValue(id)}.`)
  }
  const call = typeof id === 'function' ? id : lookUp<(x: Tensor) => Tensor>('activation', id, table, aliases)
  const name = Object.entries(table).find(([, known]) => known === call)?.[0]
  if (name !== undefined) return { name, builtIn: true, call: (x) => call(x) }
  const own = call.name || 'activation'
  return { name: own, builtIn: false, call: (x) => checked(`activation "${own}"`, call(x), 'what the function returns') }
}

/**
 * `softmax` or `sigmoid` if the activation is one of these. Then a loss can take its inputs, the logits (see `Loss.fromLogits`).
 *
 * @example
 * ```ts
 * console.log(activations.finalActivationOf(activations.getActivation('softmax')))   // softmax
 * ```
 */
export function finalActivationOf(activation: Activation): 'softmax' | 'sigmoid' | undefined {
  const { name, builtIn } = getActivation(activation)
  if (!builtIn) return undefined
  return name === 'softmax' || name === 'sigmoid' ? name : undefined
}
