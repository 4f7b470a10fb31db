/**
 * Regularizers: penalties on weights or outputs, added to the loss (keras/regularizers.py 2.3.1). A penalty is not divided by the batch size unless it says so
 * (`perSample`), and L2 has no factor ½.
 */
import { full, matMul, ShapeError, Tensor, tensor, ValueError } from '@cotangent/core'
import { describeValue, requireNumber } from '@cotangent/core/arguments'
import { ours } from '../own-classes.js'
import { classNameOf, lookUp, readOptions, requireCalled, type SavedObject, type SpelledOptions, type Spelling } from '../spelling/names.js'
import { fromZero, oneOf } from '../spelling/rules.js'

/** A penalty: it makes one number of a tensor. */
export interface Regularizer {
  /** Keras' class name, for saved models. */
  readonly className: string
  /** The options that make an equal regularizer. */
  getConfig(): Record<string, unknown>
  /** The penalty. Shape: any → [] */
  call(w: Tensor): Tensor
}

const rates = { l1: fromZero, l2: fromZero }
const example = 'l1L2({ l1: 0.01, l2: 0.01 })'

/** l1·Σ|w| + l2·Σw²; with `perSample` divided by the first size, as Keras 3 and tf.keras do with outputs of layers. */
export class L1L2 implements Regularizer {
  readonly className = ours(L1L2, 'L1L2')
  readonly l1: number
  readonly l2: number
  readonly perSample: boolean

  constructor(options: SpelledOptions<{ l1?: number; l2?: number; perSample?: boolean }> = {}) {
    const { l1, l2, perSample } = readOptions('l1L2', options, { l1: 0, l2: 0, perSample: false }, rates, example)
    this.l1 = l1
    this.l2 = l2
    this.perSample = perSample
  }

  getConfig(): Record<string, unknown> {
    return { l1: this.l1, l2: this.l2, ...(this.perSample && { perSample: true }) }
  }

  call(w: Tensor): Tensor {
    const terms = [...(this.l1 ? [w.abs().sum().mul(this.l1)] : []), ...(this.l2 ? [w.square().sum().mul(this.l2)] : [])]
    const sum = terms.length > 0 ? terms.reduce((a, b) => a.add(b)) : full([], 0, { dtype: w.dtype, backend: w.backend })
    return this.perSample ? sum.div(Math.max(1, w.shape[0])) : sum
  }
}

/** factor·mean |rᵢ·rⱼ| over all pairs i < j of the rows or columns of a matrix, each with norm 1. */
export class OrthogonalRegularizer implements Regularizer {
  readonly className = ours(OrthogonalRegularizer, 'OrthogonalRegularizer')
  readonly factor: number
  readonly mode: 'rows' | 'columns'
  readonly perSample: boolean

  constructor(options: SpelledOptions<OrthogonalRegularizerOptions> = {}) {
    const { factor, mode, perSample } = readOptions<Required<OrthogonalRegularizerOptions>>(
      'orthogonalRegularizer',
      options,
      { factor: 0.01, mode: 'rows', perSample: false },
      { factor: fromZero, mode: oneOf('rows', 'columns') },
      "orthogonalRegularizer({ mode: 'columns' })",
    )
    this.factor = factor
    this.mode = mode
    this.perSample = perSample
  }

  getConfig(): Record<string, unknown> {
    return { factor: this.factor, mode: this.mode, ...(this.perSample && { perSample: true }) }
  }

  call(w: Tensor): Tensor {
    if (w.rank !== 2) throw new ShapeError(`orthogonalRegularizer: it takes a matrix, got [${w.shape.join(', ')}].`)
    const rows = this.mode === 'rows' ? w : w.transpose()
    const [n] = rows.shape
    const lengths = rows.square().sum({ axis: 1, keepDims: true }).maximum(1e-14).sqrt()
    const unit = rows.div(lengths)
    const others = tensor(
      Float64Array.from({ length: n * n }, (_, i) => (Math.floor(i / n) === i % n ? 0 : 1)),
      { shape: [n, n], dtype: w.dtype, backend: w.backend },
    )
    // Each pair is there twice; one row alone has none.
    const scale = n > 1 ? this.factor / (n * (n - 1)) : 0
    const sum = matMul(unit, unit, { transposeB: true }).mul(others).abs().sum().mul(scale)
    return this.perSample ? sum.div(Math.max(1, w.shape[0])) : sum
  }
}

/** Options of `orthogonalRegularizer`. */
export interface OrthogonalRegularizerOptions {
  /** The factor of the penalty, at least 0; 0.01 by default. */
  factor?: number
  /** Whether rows (default) or columns are to be orthogonal. */
  mode?: 'rows' | 'columns'
  /** Whether the penalty is divided by the number of rows, as Keras 3 does with outputs of layers; false by default. */
  perSample?: boolean
}

/**
 * Makes a penalty for rows (or columns) of a matrix that are not orthogonal: factor·mean |rᵢ·rⱼ| over all pairs of them, each with norm 1.
 *
 * Source: Keras 3.16, regularizers.py, OrthogonalRegularizer
 *
 * @throws ValueError for a negative factor; ShapeError, when it is used, for a weight that is no matrix
 * @example
 * ```ts
 * console.log(await orthogonalRegularizer({ factor: 1 }).call(tensor([[1, 0], [3, 4]])).array())   // ≈ 0.6
 * ```
 */
export const orthogonalRegularizer = (options?: SpelledOptions<OrthogonalRegularizerOptions>): Regularizer =>
  new OrthogonalRegularizer(options)

/**
 * Makes the penalty rate·Σ|w|. The rate is at least 0; 0.01 by default.
 *
 * @throws ValueError for a negative rate
 * @example
 * ```ts
 * console.log(await l1(0.1).call(tensor([3, -4])).array())   // ≈ 0.7
 * ```
 */
export function l1(rate = 0.01): Regularizer {
  requireNumber('l1', 'the rate', rate, { least: 0 })
  return new L1L2({ l1: rate })
}
/**
 * Makes the penalty rate·Σw², without a factor ½. The rate is at least 0; 0.01 by default.
 *
 * @throws ValueError for a negative rate
 * @example
 * ```ts
 * console.log(await l2(0.1).call(tensor([3, -4])).array())   // ≈ 2.5
 * ```
 */
export function l2(rate = 0.01): Regularizer {
  requireNumber('l2', 'the rate', rate, { least: 0 })
  return new L1L2({ l2: rate })
}
/**
 * Makes the penalty l1·Σ|w| + l2·Σw². Both rates are at least 0; 0.01 by default. `perSample: true`, for outputs of layers, divides it by the number of samples as
 * Keras 3 does.
 *
 * @throws ValueError for a negative rate
 * @example
 * ```ts
 * const layer = dense(16, { kernelRegularizer: l1L2({ l1: 1e-5, l2: 1e-4 }) })
 * console.log(await l1L2({ l1: 1, l2: 0.1 }).call(tensor([3, -4])).array())   // ≈ 9.5
 * ```
 */
export const l1L2 = (options: { l1?: number; l2?: number; perSample?: boolean } = {}): Regularizer =>
  new L1L2(readOptions('l1L2', options, { l1: 0.01, l2: 0.01, perSample: false }, rates, example))

const isRegularizer = (id: Regularizer | SavedObject): id is Regularizer => 'call' in id && typeof id.call === 'function'

const table = { l1, l2, l1L2, orthogonalRegularizer } satisfies Record<string, () => Regularizer>

/** Names of the regularizers. */
export type RegularizerName = keyof typeof table
/** A regularizer by name, as an object, in the form that saved models hold, or as a function of the weight. */
export type RegularizerIdentifier = Spelling<RegularizerName> | Regularizer | SavedObject | ((w: Tensor) => Tensor)

/**
 * A regularizer by name (with rate 0.01), as an object, from a saved model's description, or from a function. null and undefined mean none.
 *
 * @throws ValueError for an unknown name
 * @example
 * ```ts
 * console.log(getRegularizer('l2')?.getConfig())   // ≈ { l1: 0, l2: 0.01 }
 * ```
 */
export function getRegularizer(id: RegularizerIdentifier | null | undefined): Regularizer | undefined {
  if (id === null || id === undefined) return undefined
  requireCalled('regularizer', id, table)
  if (typeof id === 'function') {
    const className = id.name || 'regularizer'
    return { className, getConfig: () => ({}), call: (w) => requirePenalty(className, id(w)) }
  }
  if (typeof id !== 'object') return lookUp<() => Regularizer>('regularizer', id, table)()
  if (isRegularizer(id)) return id
  return new (lookUp('regularizer', classNameOf('regularizer', id), { L1L2, L1: L1L2, L2: L1L2, OrthogonalRegularizer }))(id.config)
}

/** The result of a user's function, which must be one number. */
function requirePenalty(name: string, value: unknown): Tensor {
  if (value instanceof Tensor && value.rank === 0) return value
  throw new ValueError(
    `regularizer "${name}": the function must return a scalar tensor, got ${describeValue(value)}. Add up its values: .sum().`,
  )
}
