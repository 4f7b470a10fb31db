/**
 * Losses by name, as objects that a trainer uses. The formulas are in formulas.ts.
 *
 * Keras looks at the op that produced p: after a softmax or sigmoid it takes the logits instead, so that nothing is clipped and the derivative is exact.
 * Here a `Loss` says with `fromLogits` that it can do so. The trainer, which knows the last layer, hands it the logits.
 */
import { ShapeError, showShape, type Tensor, ValueError } from '@cotangent/core'
import { describeValue, requireWhole } from '@cotangent/core/arguments'
import { lookUp, refuseOptions, type SpelledOptions, type Spelling } from '../spelling/names.js'
import { categoricalGeneralizedCrossEntropy, circle } from './circle.js'
import { ctc } from './ctc.js'
import { binaryFocalCrossentropy, categoricalFocalCrossentropy } from './focal.js'
import {
  binaryCrossentropy,
  categoricalCrossentropy,
  categoricalHinge,
  cosineProximity,
  hinge,
  huber,
  kullbackLeiblerDivergence,
  logcosh,
  meanAbsoluteError,
  meanAbsolutePercentageError,
  meanSquaredError,
  meanSquaredLogarithmicError,
  poisson,
  sparseCategoricalCrossentropy,
  squaredHinge,
} from './formulas.js'
import { hideUncounted, perSample, weighed } from './masks.js'
import { bindOptions, type LossOptions, meansCounted, readLossOptions } from './options.js'
import { dice, tversky } from './overlap.js'
import { reduced } from './reduction.js'
import { labelsLike, requireTensor, requireValues, targetsForFunction, withColumns } from './targets.js'

export { EPSILON } from './epsilon.js'
export type { LossOptions } from './options.js'
export type { Reduction } from './reduction.js'
export {
  binaryCrossentropy,
  binaryFocalCrossentropy,
  categoricalCrossentropy,
  categoricalFocalCrossentropy,
  categoricalGeneralizedCrossEntropy,
  categoricalHinge,
  circle,
  cosineProximity,
  ctc,
  dice,
  hinge,
  huber,
  kullbackLeiblerDivergence,
  logcosh,
  meanAbsoluteError,
  meanAbsolutePercentageError,
  meanSquaredError,
  meanSquaredLogarithmicError,
  poisson,
  sparseCategoricalCrossentropy,
  squaredHinge,
  tversky,
}

/** A loss as a trainer uses it. */
export interface Loss {
  /** Our name (`meanSquaredError`), or that of the user's function. */
  readonly name: string
  /** Whether targets are class numbers, one for each row of predictions. */
  readonly sparse: boolean
  /** The options of a loss given by name, for saved models. */
  readonly options?: LossOptions
  /** A class number that need not be one of the output's. */
  readonly ignored?: number | null
  /** The loss of each sample, [n]; where a mask [n, ..] of the predictions is false, their loss is 0. */
  call(yTrue: Tensor, yPred: Tensor, mask?: Tensor): Tensor
  /** The loss of a batch as one number, made by `reduction`. Without this function a trainer takes the mean of `call`, as in Keras 2.3. */
  reduce?(yTrue: Tensor, yPred: Tensor, mask?: Tensor, weights?: Tensor): Tensor
  /** For a model that ends in `activation`: the same loss, made of what goes into that activation. */
  readonly fromLogits?: {
    readonly activation: 'softmax' | 'sigmoid'
    call(yTrue: Tensor, logits: Tensor, mask?: Tensor): Tensor
    reduce?(yTrue: Tensor, logits: Tensor, mask?: Tensor, weights?: Tensor): Tensor
  }
}

/**
 * A loss of the user's: one value a sample, or more, or a scalar. It gets targets in the shape of the predictions where only axes of size 1 differ,
 * and class numbers [..b] for predictions [..b, c]; other targets that could be broadcast are refused.
 */
export type LossFunction = (yTrue: Tensor, yPred: Tensor) => Tensor

const table = {
  meanSquaredError,
  meanAbsoluteError,
  meanAbsolutePercentageError,
  meanSquaredLogarithmicError,
  logcosh,
  huber,
  hinge,
  squaredHinge,
  categoricalHinge,
  poisson,
  kullbackLeiblerDivergence,
  cosineProximity,
  categoricalCrossentropy,
  sparseCategoricalCrossentropy,
  binaryCrossentropy,
  binaryFocalCrossentropy,
  categoricalFocalCrossentropy,
  categoricalGeneralizedCrossEntropy,
  dice,
  tversky,
  circle,
  ctc,
} satisfies Record<string, (yTrue: Tensor, yPred: Tensor, options?: LossOptions) => Tensor>

/** Keras' other names. */
export const lossAliases = {
  mse: 'meanSquaredError',
  mae: 'meanAbsoluteError',
  mape: 'meanAbsolutePercentageError',
  msle: 'meanSquaredLogarithmicError',
  kld: 'kullbackLeiblerDivergence',
  klDivergence: 'kullbackLeiblerDivergence',
  cosine: 'cosineProximity',
  cosineSimilarity: 'cosineProximity',
  bce: 'binaryCrossentropy',
  huberLoss: 'huber',
} as const

/** Names of the losses. */
export type LossName = keyof typeof table
/** All of them. */
export const lossNames = Object.keys(table) as readonly LossName[]
/** How a loss may be given. */
export type LossIdentifier = Spelling<LossName> | Spelling<keyof typeof lossAliases> | Loss | LossFunction

const logitActivation: Partial<Record<LossName, 'softmax' | 'sigmoid'>> = {
  categoricalCrossentropy: 'softmax',
  sparseCategoricalCrossentropy: 'softmax',
  binaryCrossentropy: 'sigmoid',
}

/** The camelCase name of a loss of this file, given by name or as its function; undefined for a function of the user's. */
function knownName(id: string | LossFunction): LossName | undefined {
  if (typeof id === 'function') return lossNames.find((name) => table[name] === id)
  return lookUp('loss', id, Object.fromEntries(lossNames.map((name) => [name, name])), lossAliases)
}

/** @internal The values of a loss before they are averaged to one a sample. */
export const lossValues = (name: LossName): LossFunction => lookUp<LossFunction>('loss of lossValues', name, table)

/**
 * A loss by name, object or function.
 *
 * @param options vary a loss given by name; see LossOptions
 * @throws ValueError for an unknown name.
 * @example
 * ```ts
 * const loss = getLoss('binary_crossentropy', { form: '2.2' })
 * loss.call(yTrue, yPred)   // [n]
 * ```
 */
export function getLoss(id: LossIdentifier, options: SpelledOptions<LossOptions> = {}): Loss {
  if (typeof id === 'object' && id !== null) return requireLoss(id)
  const name = knownName(id)
  if (name === undefined) {
    refuseOptions(`getLoss: a loss of your own, ${(id as LossFunction).name || 'without a name'}`, options)
    return lossOf(id as LossFunction)
  }
  const given = readLossOptions(name, options)
  const activation = given.fromLogits || given.form === '2.2' ? undefined : logitActivation[name]
  return {
    name,
    sparse: name === 'sparseCategoricalCrossentropy' || name === 'categoricalGeneralizedCrossEntropy',
    options: given,
    ...(typeof given.ignoreClass === 'number' && { ignored: given.ignoreClass }),
    ...bind(name, given),
    ...(activation && { fromLogits: { activation, ...bind(name, { ...given, fromLogits: true }) } }),
  }
}

/** The functions of a loss with its options. */
function bind(name: LossName, options: LossOptions): Pick<Loss, 'call' | 'reduce'> {
  bindOptions(options)
  const formula: (t: Tensor, p: Tensor, options?: LossOptions) => Tensor = table[name]
  const { ignoreClass } = options
  /** The losses, and masks of those that count. Where a factor is 0 no NaN comes near. */
  const measure = (yTrue: Tensor, yPred: Tensor, factors: readonly Tensor[]): { values: Tensor; valid: Tensor[] } => {
    requireBatch(name, yTrue, yPred)
    if (yPred.rank === 1 && overClasses.has(name)) {
      throw new ShapeError(`${name}: the predictions ${showShape(yPred.shape)} have no axis of classes; they must be [n, .., classes].`)
    }
    const valid = typeof ignoreClass === 'number' ? [labelsLike(name, yPred, yTrue).notEqual(ignoreClass)] : []
    const hiding = ofPairs.has(name) ? [] : [...valid, ...factors]
    const [t, p] = hiding.reduce(([t, p], factor) => hideUncounted(t, p, factor), withColumns(yTrue, yPred))
    // Who trains has checked class numbers, and the formula would look at floats once more.
    const values = formula(name === 'sparseCategoricalCrossentropy' ? t.cast('int32') : t, p, options)
    return { values, valid: name === 'circle' ? [values.greater(0)] : valid }
  }
  const reduction = options.reduction ?? (meansCounted(name) || typeof ignoreClass === 'number' ? 'sum_over_batch_size' : undefined)
  return {
    call(yTrue, yPred, mask) {
      const { values, valid } = measure(yTrue, yPred, mask ? [mask] : [])
      return perSample(valid.reduce(weighed, values), yPred.shape[0], mask)
    },
    ...(reduction && {
      reduce(yTrue, yPred, mask, weights) {
        const factors = [mask, weights].filter((factor) => factor !== undefined)
        const { values, valid } = measure(yTrue, yPred, factors)
        // One loss for the whole batch is that of each sample, if they have weights.
        const each = values.rank === 0 && factors.length > 0 ? values.broadcastTo([yPred.shape[0]]) : values
        return reduced(each, reduction, mask ? [...valid, mask] : valid, weights)
      },
    }),
  }
}

/** Losses in which samples meet others: none can be taken away. */
const ofPairs: ReadonlySet<string> = new Set<LossName>(['dice', 'tversky', 'circle'])

/** Losses that mean nothing without an axis of classes. */
const overClasses: ReadonlySet<string> = new Set(['categoricalCrossentropy', 'categoricalHinge', 'categoricalFocalCrossentropy'])

/** Throws unless both are tensors, with a batch axis. */
function requireBatch(what: string, yTrue: Tensor, yPred: Tensor): void {
  requireTensor(what, 'yTrue', yTrue)
  requireTensor(what, 'yPred', yPred)
  if (yPred.rank === 0) throw new ShapeError(`${what}: yPred is a scalar; predictions need a first axis that counts the samples.`)
}

/** A loss that is an object of the user's. */
function requireLoss(loss: Loss): Loss {
  if (typeof loss.call !== 'function' || typeof loss.name !== 'string') {
    throw new ValueError(
      `loss: expected a name, a function (yTrue, yPred) => Tensor, or an object { name, sparse, call }, got ${describeValue(loss)}.`,
    )
  }
  return loss
}

/** A loss that is a function of the user's. */
function lossOf(measure: LossFunction): Loss {
  const name = measure.name || 'loss'
  const what = `loss "${name}"`
  return {
    name,
    sparse: false,
    call(yTrue, yPred, mask) {
      requireBatch(what, yTrue, yPred)
      const given = targetsForFunction(what, yPred, yTrue)
      const [t, p] = mask ? hideUncounted(given, yPred, mask) : [given, yPred]
      return perSample(requireValues(what, measure(t, p), p), p.shape[0], mask)
    },
  }
}

/**
 * Checks class numbers on the host: devices cannot raise errors, and a class out of range would silently have loss 0.
 *
 * @param what where they come from, for the message: `fit: y`
 * @param ignored a number that may stand among them
 * @throws ValueError that names the first bad label, its position, and the range.
 */
export function checkLabels(values: ArrayLike<number>, classes: number, what?: string, ignored?: number | null): void {
  if (typeof values !== 'object' || values === null || typeof values.length !== 'number')
    throw new ValueError(`checkLabels: expected a list of class numbers, got ${describeValue(values)}.`)
  requireWhole('checkLabels', 'classes', classes, { least: 1 })
  for (let i = 0; i < values.length; i++) {
    const label = values[i]
    if (label === ignored || (Number.isInteger(label) && label >= 0 && label < classes)) continue
    throw new ValueError(
      `${what ? `${what}: ` : ''}Label ${label} at position ${i} is not a class number: the model's output has ${classes} classes, so labels are whole numbers from 0 to ${classes - 1}.` +
        (label === classes ? ' Labels that count from 1 must be shifted: y − 1.' : ''),
    )
  }
}
