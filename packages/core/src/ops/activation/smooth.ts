/**
 * Activations that are smooth, or that bend at 0 only. All are right at ±∞, values and derivatives: a factor that is 0 there wins over an infinite one
 * (`mulNoNaN`).
 *
 * Shape: any → the same
 */
import { requireBoolean, requireNumber, requireOptions } from '../../arguments.js'
import type { Ops } from '../../autodiff/op.js'
import type { Shape } from '../../tensor/shape.js'
import type { Tensor } from '../../tensor/tensor.js'
import { relu, type Unary } from '../elementwise/elementwise.js'
import { requireFloats } from '../requirements.js'
import { activation, plain } from './define.js'

/** (1 + erf(x/√2))/2: the share of a normal distribution below x. */
const normalBelow = (x: Tensor, ops: Ops): Tensor => ops.mul(ops.add(ops.erf(ops.mul(x, Math.SQRT1_2)), 1), 0.5)

const callGelu = activation('gelu', {
  fused: { kernel: 'gelu', gradient: 'geluGradient' },
  value: (x, _, ops) => ops.mulNoNaN(x, normalBelow(x, ops)),
  slope: [
    (x, _, ops) => {
      const density = ops.mul(ops.exp(ops.mul(ops.square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI))
      return ops.add(normalBelow(x, ops), ops.mulNoNaN(x, density))
    },
    '(Φ(x) + x·φ(x))',
  ],
})

const TWICE = 2 * Math.sqrt(2 / Math.PI)
const CUBIC = 0.044715
/** (1 + tanh u)/2 = sigmoid(2u), which keeps its digits where tanh u is near −1. u = √(2/π)·(x + 0.044715·x³) */
const geluGate = (x: Tensor, ops: Ops): Tensor => ops.sigmoid(ops.mul(ops.mul(x, ops.add(ops.mul(ops.square(x), CUBIC), 1)), TWICE))

const callGeluTanh = activation('geluTanh', {
  fused: { kernel: 'geluTanh', gradient: 'geluTanhGradient' },
  value: (x, _, ops) => ops.mulNoNaN(x, geluGate(x, ops)),
  slope: [
    (x, _, ops) => {
      const gate = geluGate(x, ops)
      const bend = ops.mul(ops.mul(x, ops.add(ops.mul(ops.square(x), 3 * CUBIC), 1)), TWICE)
      return ops.add(gate, ops.mulNoNaN(bend, ops.mul(gate, ops.sub(1, gate))))
    },
    "(g + x·g'(x)), g being the gate",
  ],
})

/**
 * x·Φ(x), Φ being the share of a normal distribution below x (Hendrycks & Gimpel: "Gaussian error linear units", 2016). `approximate` takes
 * x·(1 + tanh(√(2/π)·(x + 0.044715·x³)))/2 instead, as GPT-2 does.
 *
 * Shape:    any → the same
 * Gradient: dX = dY·(Φ(x) + x·φ(x))
 *
 * @example
 * ```ts
 * gelu(tensor([-1, 0, 1]))                          // ≈ [-0.15866, 0, 0.84134]
 * gelu(tensor([-1, 0, 1]), { approximate: true })   // ≈ [-0.15881, 0, 0.84119]
 * ```
 */
export function gelu<S extends Shape>(x: Tensor<S>, options: { approximate?: boolean } = {}): Tensor<S> {
  requireFloats('gelu', 'x', x)
  requireOptions('gelu', options, ['approximate'], 'gelu(x, { approximate: true })')
  const { approximate = false } = options
  requireBoolean('gelu', 'approximate', approximate)
  return (approximate ? callGeluTanh : callGelu)(x, {}) as Tensor<S>
}

/**
 * x·sigmoid(x), also called swish (Elfwing, Uchibe, Doya 2018; Ramachandran, Zoph, Le 2017).
 *
 * Shape:    any → the same
 * Gradient: dX = dY·σ·(1 + x·(1 − σ))
 *
 * @example
 * ```ts
 * silu(tensor([-1, 0, 1]))   // ≈ [-0.26894, 0, 0.73106]
 * ```
 */
export const silu: Unary = plain('silu', {
  fused: { kernel: 'silu', gradient: 'siluGradient' },
  value: (x, _, ops) => ops.mulNoNaN(x, ops.sigmoid(x)),
  slope: [
    (x, _, ops) => {
      const s = ops.sigmoid(x)
      return ops.mulNoNaN(ops.add(ops.mulNoNaN(x, ops.sub(1, s)), 1), s)
    },
    'σ·(1 + x·(1 − σ))',
  ],
})

/**
 * x·tanh(softplus(x)) (Misra: "Mish: a self regularized non-monotonic activation function", 2019).
 *
 * Shape:    any → the same
 * Gradient: dX = dY·(t + x·σ·(1 − t²)), t being tanh(softplus(x))
 *
 * @example
 * ```ts
 * mish(tensor([-1, 0, 1]))   // ≈ [-0.3034, 0, 0.8651]
 * ```
 */
export const mish: Unary = plain('mish', {
  value: (x, _, ops) => ops.mulNoNaN(x, ops.tanh(ops.softplus(x))),
  slope: [
    (x, _, ops) => {
      const t = ops.tanh(ops.softplus(x))
      return ops.add(t, ops.mulNoNaN(x, ops.mul(ops.sigmoid(x), ops.sub(1, ops.square(t)))))
    },
    '(t + x·σ·(1 − t²))',
  ],
})

/** The largest float32: the limit for values that meet a product with 0 or a quotient of themselves. */
const LARGEST = 3.4028234663852886e38

/**
 * x/(1 + |x|), ±1 at ±∞.
 *
 * Shape:    any → the same
 * Gradient: dX = dY/(1 + |x|)²
 *
 * @example
 * ```ts
 * softsign(tensor([-1, 0, 3]))   // [-0.5, 0, 0.75]
 * ```
 */
export const softsign: Unary = plain('softsign', {
  value: (x, _, ops) => {
    const finite = ops.clip(x, -LARGEST, LARGEST)
    return ops.div(finite, ops.add(ops.abs(finite), 1))
  },
  slope: [(x, _, ops) => ops.square(ops.reciprocal(ops.add(ops.abs(x), 1))), '1/(1 + |x|)²'],
})

/**
 * ln sigmoid(x), exact where sigmoid itself would round to 0.
 *
 * Shape:    any → the same
 * Gradient: dX = dY·sigmoid(−x)
 *
 * @example
 * ```ts
 * logSigmoid(tensor([-100, 0]))   // ≈ [-100, -0.69315]
 * ```
 */
export const logSigmoid: Unary = plain('logSigmoid', { value: (x, _, ops) => ops.neg(ops.softplus(ops.neg(x))) })

/**
 * x − tanh(x)
 *
 * Shape:    any → the same
 * Gradient: dX = dY·tanh²(x)
 *
 * @example
 * ```ts
 * tanhShrink(tensor([0, 1]))   // ≈ [0, 0.23841]
 * ```
 */
export const tanhShrink: Unary = plain('tanhShrink', { value: (x, _, ops) => ops.sub(x, ops.tanh(x)) })

/** relu(x) + (b/2)/(√(x² + b) + |x|): the formula without a difference of nearly equal numbers. */
const aboveRelu = (x: Tensor, b: number, ops: Ops): Tensor =>
  ops.add(ops.relu(x), ops.div(b / 2, ops.add(ops.sqrt(ops.add(ops.square(x), b)), ops.abs(x))))

const callSquareplus = activation<{ b: number }>('squareplus', {
  value: (x, { b }, ops) => aboveRelu(x, b, ops),
  slope: [
    // Beyond 1e9·√b the slope is 0 or 1 to the last digit, and x² may overflow.
    (x, { b }, ops) => {
      const limit = 1e9 * Math.sqrt(b)
      const near = ops.clip(x, -limit, limit)
      return ops.div(aboveRelu(near, b, ops), ops.sqrt(ops.add(ops.square(near), b)))
    },
    'y/√(x² + b)',
  ],
  options: [{ b: 4 }, { b: 0.5 }],
})
/**
 * (x + √(x² + b))/2: like softplus, of algebra alone (Barron: "Squareplus", 2021). b = 0 gives relu.
 *
 * Shape:    any → the same
 * Gradient: dX = dY·y/√(x² + b)
 *
 * @throws ValueError if b is below 0.
 * @example
 * ```ts
 * squareplus(tensor([-1.5, 0, 1.5]))   // [0.5, 1, 2]
 * ```
 */
export function squareplus<S extends Shape>(x: Tensor<S>, b = 4): Tensor<S> {
  requireFloats('squareplus', 'x', x)
  requireNumber('squareplus', 'b', b, { least: 0 })
  return b === 0 ? relu(x) : (callSquareplus(x, { b }) as Tensor<S>)
}

/** x above 0, and slope·(e^(x/width) − 1) below. */
const callElu = activation<{ slope: number; width: number; scale: number }>('elu', {
  value: (x, { slope, width, scale }, ops) => {
    const below = ops.minimum(x, 0)
    const y = ops.add(ops.relu(x), ops.mul(ops.expm1(width === 1 ? below : ops.div(below, width)), slope))
    return scale === 1 ? y : ops.mul(y, scale)
  },
  options: [
    { slope: 1, width: 1, scale: 1 },
    { slope: 0.7, width: 1, scale: 1 },
    { slope: 0.5, width: 0.5, scale: 1.25 },
  ],
})
/**
 * x for x > 0, α(eˣ − 1) below (Clevert, Unterthiner, Hochreiter 2016).
 *
 * Shape:    any → the same
 * Gradient: dX = dY where x > 0, dY·α·eˣ elsewhere
 *
 * @example
 * ```ts
 * elu(tensor([-1, 2]))   // ≈ [-0.63212, 2]
 * ```
 */
export function elu<S extends Shape>(x: Tensor<S>, alpha = 1): Tensor<S> {
  requireFloats('elu', 'x', x)
  requireNumber('elu', 'alpha', alpha)
  return callElu(x, { slope: alpha, width: 1, scale: 1 }) as Tensor<S>
}

/**
 * x for x > 0, α(e^(x/α) − 1) below, whose slope has no jump for any α (Barron: "Continuously differentiable exponential linear units", 2017).
 *
 * Shape:    any → the same
 * Gradient: dX = dY where x > 0, dY·e^(x/α) elsewhere
 *
 * @throws ValueError unless α is above 0.
 * @example
 * ```ts
 * celu(tensor([-1, 2]), 0.5)   // ≈ [-0.43233, 2]
 * ```
 */
export function celu<S extends Shape>(x: Tensor<S>, alpha = 1): Tensor<S> {
  requireFloats('celu', 'x', x)
  requireNumber('celu', 'alpha', alpha, { above: 0 })
  return callElu(x, { slope: alpha, width: alpha, scale: 1 }) as Tensor<S>
}

/**
 * λ·elu(x, α) with the constants that keep mean 0 and variance 1 (Klambauer et al.: "Self-normalizing neural networks", 2017).
 *
 * Shape:    any → the same
 * Gradient: dX = λ·dY where x > 0, dY·λ·α·eˣ elsewhere
 *
 * @example
 * ```ts
 * selu(tensor([-1, 2]))   // ≈ [-1.11133, 2.1014]
 * ```
 */
export function selu<S extends Shape>(x: Tensor<S>): Tensor<S> {
  requireFloats('selu', 'x', x)
  return callElu(x, { slope: 1.6732632423543772, width: 1, scale: 1.0507009873554805 }) as Tensor<S>
}
