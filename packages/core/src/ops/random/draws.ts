/** Random draws from keys: whole numbers, gamma, beta, Poisson, categories, and shuffled entries. Each is a pure function of its key. */
import { requireNumber, requireOptions, requireWhole } from '../../arguments.js'
import { ValueError } from '../../errors.js'
import { block, type Key, permutation, requireKey } from '../../random.js'
import type { DType } from '../../tensor/dtype.js'
import { scope } from '../../tensor/scope.js'
import { normalizeAxis, type Shape, sizeOf } from '../../tensor/shape.js'
import type { Made } from '../../tensor/static-shape.js'
import { requireTensor, type Tensor } from '../../tensor/tensor.js'
import { type CreateOptions, uniform } from '../create.js'
import { add, maximum } from '../elementwise/binary.js'
import { log, neg } from '../elementwise/elementwise.js'
import { CREATE_OPTIONS, empty, placed, written } from '../placed.js'
import { argMax } from '../reduce/reduce.js'
import { requireFloats } from '../requirements.js'
import { gather } from '../shape/gather.js'
import { logGamma, poissonCount, type Uniform, uniformsOf } from './rejection.js'

/** A tensor whose element i is what `draw` makes of the numbers of element i. */
function drawn<S extends Shape>(
  what: string,
  key: Key,
  shape: S,
  options: CreateOptions,
  draw: (u: Uniform) => number,
  natural?: DType,
): Tensor<S> {
  const place = placed(what, options, CREATE_OPTIONS, natural)
  requireKey(what, key)
  return written(empty(what, shape, place), () => Float64Array.from({ length: sizeOf(shape) }, (_, i) => draw(uniformsOf(key, i))))
}

/**
 * Whole numbers from low to high − 1, equally frequent; int32 by default.
 *
 * Shape:    → the given shape
 * Gradient: none, a draw depends on its key alone
 *
 * @throws ValueError if high is not above low, or either is beyond int32.
 * @example
 * ```ts
 * const dice = randomInteger(key(7), [10], 1, 7)
 * ```
 */
export function randomInteger<N extends number, S extends readonly N[] | readonly []>(
  key: Key,
  shape: S,
  low: number,
  high: number,
  options: CreateOptions = {},
): Made<S> {
  const place = placed('randomInteger', options, CREATE_OPTIONS, 'int32')
  requireKey('randomInteger', key)
  requireWhole('randomInteger', 'low', low, { least: -(2 ** 31), most: 2 ** 31 })
  requireWhole('randomInteger', 'high', high, { least: -(2 ** 31), most: 2 ** 31 })
  if (!(low < high)) throw new ValueError(`randomInteger: there is no whole number from ${low} to below ${high}.`)
  const out = empty('randomInteger', shape, place)
  return written(out, () =>
    Float64Array.from({ length: sizeOf(shape) }, (_, i) => {
      const [a, b] = block(key, [i, 0])
      const u = ((a >>> 5) * 2 ** 26 + (b >>> 6)) * 2 ** -53 // 53 bits, so that the bias is below 2⁻²¹
      return low + Math.floor(u * (high - low))
    }),
  ) as Made<S>
}

/**
 * Values of the gamma distribution of shape α and scale 1: mean α, variance α. Multiply them by a scale.
 *
 * Shape:    → the given shape
 * Gradient: none, a draw depends on its key alone
 * Source:   Marsaglia & Tsang (2000), see rejection.ts
 *
 * @throws ValueError if alpha is not above 0.
 * @example
 * ```ts
 * const waiting = gamma(key(7), [100], 2).mul(5)   // the time of two events that come every 5 minutes
 * ```
 */
export function gamma<N extends number, S extends readonly N[] | readonly []>(
  key: Key,
  shape: S,
  alpha: number,
  options: CreateOptions = {},
): Made<S> {
  requireNumber('gamma', 'alpha', alpha, { above: 0 })
  return drawn('gamma', key, shape, options, (u) => Math.exp(logGamma(alpha, u))) as Made<S>
}

/**
 * Values of the beta distribution, from 0 to 1: mean a/(a + b). A value is X/(X + Y), X and Y being gamma values of shapes a and b.
 *
 * Shape:    → the given shape
 * Gradient: none, a draw depends on its key alone
 *
 * @throws ValueError if a or b is not above 0.
 * @example
 * ```ts
 * const rates = beta(key(7), [5], 2, 8)   // rates.shape = [5]
 * ```
 */
export function beta<N extends number, S extends readonly N[] | readonly []>(
  key: Key,
  shape: S,
  a: number,
  b: number,
  options: CreateOptions = {},
): Made<S> {
  requireNumber('beta', 'a', a, { above: 0 })
  requireNumber('beta', 'b', b, { above: 0 })
  return drawn('beta', key, shape, options, (u) => 1 / (1 + Math.exp(-logGamma(a, u) + logGamma(b, u)))) as Made<S>
}

/**
 * Counts of events that happen at a rate: values of the Poisson distribution of this mean; int32 by default.
 *
 * Shape:    → the given shape
 * Gradient: none, a draw depends on its key alone
 * Source:   below a rate of 10 Knuth's product of uniform numbers, from there Hörmann's PTRS (1993), see rejection.ts
 *
 * @throws ValueError if the rate is negative or above 2³⁰.
 * @example
 * ```ts
 * const visitors = poisson(key(7), [24], 3.5)
 * ```
 */
export function poisson<N extends number, S extends readonly N[] | readonly []>(
  key: Key,
  shape: S,
  rate: number,
  options: CreateOptions = {},
): Made<S> {
  requireNumber('poisson', 'rate', rate, { least: 0, most: 2 ** 30 })
  return drawn('poisson', key, shape, options, (u) => poissonCount(rate, u), 'int32') as Made<S>
}

/**
 * Categories drawn with probabilities softmax(logits), over the last axis: argMax of logits − ln(−ln u), the Gumbel-max trick.
 *
 * Shape:    logits [.., v] → int32 [..]
 * Gradient: none, a category is piecewise constant
 *
 * @example
 * ```ts
 * const classes = categorical(key(7), tensor([[0, 0], [9, 0]]))   // [0 or 1, most likely 0]
 * ```
 */
export function categorical(key: Key, logits: Tensor): Tensor {
  requireKey('categorical', key)
  requireLogits('categorical', logits)
  // Not 0, whose logarithm would make a category that has a probability equal to one that has none.
  return scope(() => gumbelMax(logits, maximum(uniform(key, logits.shape, { backend: logits.backend }), 2 ** -25)))
}

/** @internal argMax of logits − ln(−ln u). */
export const gumbelMax = (logits: Tensor, u: Tensor): Tensor => argMax(add(logits, neg(log(neg(log(u))))), { axis: -1 })

/** @internal Throws unless it is a tensor of floats with categories on its last axis. */
export function requireLogits(what: string, logits: Tensor): void {
  requireFloats(what, 'logits', logits)
  if (logits.rank === 0 || logits.shape[logits.rank - 1] === 0) {
    throw new ValueError(`${what}: logits need at least one category on their last axis, got shape [${logits.shape.join(', ')}].`)
  }
}

/**
 * The entries of x along an axis (0 by default) in random order.
 *
 * Shape:    any → the same
 * Gradient: back to where the entries were
 *
 * @example
 * ```ts
 * const mixed = shuffle(key(7), tensor([1, 2, 3]))   // mixed.sum() = 6
 * ```
 */
export function shuffle(key: Key, x: Tensor, options: { axis?: number } = {}): Tensor {
  requireKey('shuffle', key)
  requireTensor('shuffle', 'x', x)
  requireOptions('shuffle', options, ['axis'], 'shuffle(key, x, { axis: 1 })')
  const { axis = 0 } = options
  const at = normalizeAxis('shuffle', axis, x.rank)
  return gather(x, [...permutation(key, x.shape[at])], { axis: at })
}
