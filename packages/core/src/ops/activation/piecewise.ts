/**
 * Activations of straight pieces (and one parabola). At a bend the derivative is that of the composition: 0 where relu is cut off, 1 at the limits of a clip.
 *
 * Shape: any → the same
 */
import { requireNumber, requireOptions } from '../../arguments.js'
import type { Shape } from '../../tensor/shape.js'
import type { Tensor } from '../../tensor/tensor.js'
import type { Unary } from '../elementwise/elementwise.js'
import { requireFloats } from '../requirements.js'
import { activation, plain } from './define.js'

/** Samples that reach all pieces. */
const wide = { low: -4.1, high: 7.3 }

/**
 * min(max(x, 0), 6): relu of networks for small devices, such as MobileNet.
 *
 * Shape:    any → the same
 * Gradient: dX = dY where 0 < x ≤ 6
 *
 * @example
 * ```ts
 * relu6(tensor([-1, 2, 9]))   // [0, 2, 6]
 * ```
 */
export const relu6: Unary = plain('relu6', { value: (x, _, ops) => ops.minimum(ops.relu(x), 6), domain: wide })

interface LeakyOptions {
  negativeSlope: number
  threshold: number
  maxValue: number
}
const callLeaky = activation<LeakyOptions>('leakyRelu', {
  value: (x, { negativeSlope, threshold, maxValue }, ops) => {
    const kept = threshold === 0 ? ops.relu(x) : ops.where(ops.lessEqual(x, threshold), 0, x)
    const limited = maxValue === Infinity ? kept : ops.minimum(kept, maxValue)
    return negativeSlope === 0 ? limited : ops.sub(limited, ops.mul(ops.relu(ops.sub(threshold, x)), negativeSlope))
  },
  options: [
    { negativeSlope: 0.2, threshold: 0, maxValue: Infinity },
    { negativeSlope: 0.1, threshold: 0.3, maxValue: 2.7 },
    { negativeSlope: 0, threshold: 1.1, maxValue: Infinity },
  ],
  domain: wide,
})
/**
 * x above the threshold (0), but at most `maxValue`; `negativeSlope`·(x − threshold) below (Maas, Hannun, Ng: "Rectifier nonlinearities improve neural
 * network acoustic models", 2013). The slope is 0.2 by default, as in Keras; PyTorch takes 0.01.
 *
 * Shape:    any → the same
 * Gradient: dX = dY between the threshold and `maxValue`, negativeSlope·dY below, 0 above
 *
 * @example
 * ```ts
 * leakyRelu(tensor([-1, 2]))                                        // ≈ [-0.2, 2]
 * leakyRelu(tensor([-1, 2]), { negativeSlope: 0.01, maxValue: 1 })   // ≈ [-0.01, 1]
 * ```
 */
export function leakyRelu<S extends Shape>(
  x: Tensor<S>,
  options: { negativeSlope?: number; threshold?: number; maxValue?: number } = {},
): Tensor<S> {
  requireFloats('leakyRelu', 'x', x)
  requireOptions('leakyRelu', options, ['negativeSlope', 'threshold', 'maxValue'], 'leakyRelu(x, { negativeSlope: 0.1 })')
  const { negativeSlope = 0.2, threshold = 0, maxValue = Infinity } = options
  requireNumber('leakyRelu', 'negativeSlope', negativeSlope)
  requireNumber('leakyRelu', 'threshold', threshold)
  if (maxValue !== Infinity) requireNumber('leakyRelu', 'maxValue', maxValue)
  return callLeaky(x, { negativeSlope, threshold, maxValue }) as Tensor<S>
}

const callHardSigmoid = activation<{ slope: number }>('hardSigmoid', {
  value: (x, { slope }, ops) => ops.clip(ops.add(ops.mul(x, slope), 0.5), 0, 1),
  options: [{ slope: 1 / 6 }, { slope: 0.2 }],
  domain: wide,
})
/**
 * slope·x + ½ limited to [0, 1]: sigmoid in straight lines. The slope is 1/6, as in Keras 3 and PyTorch; Keras 2 has 0.2.
 *
 * Shape:    any → the same
 * Gradient: dX = slope·dY where 0 ≤ slope·x + ½ ≤ 1
 *
 * @example
 * ```ts
 * hardSigmoid(tensor([-4, 0, 1.5]))       // [0, 0.5, 0.75]
 * hardSigmoid(tensor([-4, 0, 1.5]), 0.2)  // ≈ [0, 0.5, 0.8]
 * ```
 */
export function hardSigmoid<S extends Shape>(x: Tensor<S>, slope = 1 / 6): Tensor<S> {
  requireFloats('hardSigmoid', 'x', x)
  requireNumber('hardSigmoid', 'slope', slope)
  return callHardSigmoid(x, { slope }) as Tensor<S>
}

/**
 * x·hardSigmoid(x), also called hard swish (Howard et al.: "Searching for MobileNetV3", 2019).
 *
 * Shape:    any → the same
 * Gradient: dX = dY·(x/3 + ½) where −3 ≤ x ≤ 3, 0 below, dY above
 *
 * @example
 * ```ts
 * hardSilu(tensor([-4, -1, 3]))   // ≈ [0, -0.33333, 3]
 * ```
 */
export const hardSilu: Unary = plain('hardSilu', {
  value: (x, _, ops) => ops.mulNoNaN(x, ops.clip(ops.add(ops.mul(x, 1 / 6), 0.5), 0, 1)),
  domain: wide,
})

/**
 * x limited to [−1, 1].
 *
 * Shape:    any → the same
 * Gradient: dX = dY where −1 ≤ x ≤ 1
 *
 * @example
 * ```ts
 * hardTanh(tensor([-3, 0.5]))   // [-1, 0.5]
 * ```
 */
export const hardTanh: Unary = plain('hardTanh', { value: (x, _, ops) => ops.clip(x, -1, 1) })

const callHardShrink = activation<{ lambda: number }>('hardShrink', {
  value: (x, { lambda }, ops) => ops.where(ops.lessEqual(ops.abs(x), lambda), 0, x),
  options: [{ lambda: 0.7 }],
})
/**
 * x where |x| > λ, and 0 elsewhere.
 *
 * Shape:    any → the same
 * Gradient: dX = dY where |x| > λ
 *
 * @example
 * ```ts
 * hardShrink(tensor([-2, 0.3]))   // [-2, 0]
 * ```
 */
export function hardShrink<S extends Shape>(x: Tensor<S>, lambda = 0.5): Tensor<S> {
  requireFloats('hardShrink', 'x', x)
  requireNumber('hardShrink', 'lambda', lambda, { least: 0 })
  return callHardShrink(x, { lambda }) as Tensor<S>
}

const callSoftShrink = activation<{ lambda: number }>('softShrink', {
  value: (x, { lambda }, ops) => ops.sub(x, ops.clip(x, -lambda, lambda)),
  options: [{ lambda: 0.7 }],
})
/**
 * x moved towards 0 by λ, and 0 where it is nearer.
 *
 * Shape:    any → the same
 * Gradient: dX = dY where |x| > λ
 *
 * @example
 * ```ts
 * softShrink(tensor([-2, 0.3, 1]))   // [-1.5, 0, 0.5]
 * ```
 */
export function softShrink<S extends Shape>(x: Tensor<S>, lambda = 0.5): Tensor<S> {
  requireFloats('softShrink', 'x', x)
  requireNumber('softShrink', 'lambda', lambda, { least: 0 })
  return callSoftShrink(x, { lambda }) as Tensor<S>
}

const callThreshold = activation<{ threshold: number; value: number }>('threshold', {
  value: (x, { threshold, value }, ops) => ops.where(ops.lessEqual(x, threshold), value, x),
  options: [{ threshold: 0.3, value: -1.5 }],
})
/**
 * x above the threshold, and `value` elsewhere.
 *
 * Shape:    any → the same
 * Gradient: dX = dY where x > limit
 *
 * @example
 * ```ts
 * threshold(tensor([-1, 0.5, 2]), 0.7, -9)   // [-9, -9, 2]
 * ```
 */
export function threshold<S extends Shape>(x: Tensor<S>, limit: number, value: number): Tensor<S> {
  requireFloats('threshold', 'x', x)
  requireNumber('threshold', 'limit', limit)
  requireNumber('threshold', 'value', value)
  return callThreshold(x, { threshold: limit, value }) as Tensor<S>
}

/**
 * 0 below −1, x above 1, and (x + 1)²/4 between: the softplus that belongs to sparsemax.
 *
 * Shape:    any → the same
 * Gradient: dX = dY·sparseSigmoid(x)
 *
 * @example
 * ```ts
 * sparsePlus(tensor([-2, 0, 3]))   // [0, 0.25, 3]
 * ```
 */
export const sparsePlus: Unary = plain('sparsePlus', {
  value: (x, _, ops) => ops.add(ops.mul(ops.square(ops.add(ops.clip(x, -1, 1), 1)), 0.25), ops.relu(ops.sub(x, 1))),
})

/**
 * (x + 1)/2 limited to [0, 1]: the derivative of sparsePlus.
 *
 * Shape:    any → the same
 * Gradient: dX = dY/2 where −1 ≤ x ≤ 1
 *
 * @example
 * ```ts
 * sparseSigmoid(tensor([-2, 0, 0.5]))   // [0, 0.5, 0.75]
 * ```
 */
export const sparseSigmoid: Unary = plain('sparseSigmoid', {
  value: (x, _, ops) => ops.clip(ops.mul(ops.add(x, 1), 0.5), 0, 1),
})
