/**
 * Losses, with Keras 2.3's definitions (keras/losses.py 2.3.1, tf.keras backend of TensorFlow 1.15): functions of targets t and predictions
 * p that give one value a sample. Everything is a mean over the last axis unless a formula says Σ; ε = 1e-7.
 *
 * Keras looks at the op that produced p: after a softmax or sigmoid it takes the logits instead, so that nothing is clipped and the
 * derivative is exact. Here a `Loss` says with `fromLogits` that it can do so, and the trainer, which knows the last layer, hands it
 * the logits.
 *
 * Shape: t [n, ..], p [n, ..] → [n]
 */
import {
  add,
  log,
  mul,
  mulNoNaN,
  neg,
  relu,
  ShapeError,
  showShape,
  softmaxCrossEntropy,
  softplus,
  square,
  sub,
  type Tensor,
  ValueError,
  where,
} from '@cotangent/core'
import { describeValue, requireBoolean, requireWhole, unknownOption } from '@cotangent/core/arguments'
import { lookUp, readOptions, refuseOptions, type SpelledOptions, type Spelling } from '../spelling/names.js'
import { number, oneOf, share } from '../spelling/rules.js'
import { hideUncounted, perSample } from './masks.js'
import { labelsLike, requireTensor, requireValues, targetsForFunction, targetsLike, withColumns } from './targets.js'
import { unitLength } from './unit-length.js'

/** ε, `K.epsilon()` since Keras 2.1.3. */
export const EPSILON = 1e-7

/** A loss as a trainer uses it. */
export interface Loss {
  /** Our name (`meanSquaredError`), or that of the user's function. */
  readonly name: string
  /** Whether targets are class numbers, one for each row of predictions. */
  readonly sparse: boolean
  /** What a loss given by name was varied with, for saved models. */
  readonly options?: LossOptions
  /** The loss of each sample, [n]; where a mask [n, ..] of the predictions is false, their loss is 0. */
  call(yTrue: Tensor, yPred: Tensor, mask?: Tensor): Tensor
  /** For a model that ends in `activation`: the same loss, made of what goes into that activation. */
  readonly fromLogits?: {
    readonly activation: 'softmax' | 'sigmoid'
    call(yTrue: Tensor, logits: Tensor, mask?: Tensor): Tensor
  }
}

/**
 * A loss of the user's: one value a sample, or more, or a scalar. It gets targets in the shape of the predictions where only axes of size 1 differ,
 * and class numbers [..b] for predictions [..b, c]; other targets that could be broadcast are refused.
 */
export type LossFunction = (yTrue: Tensor, yPred: Tensor) => Tensor

/** What some losses can vary. */
export interface LossOptions {
  /** Predictions are logits (crossentropies). */
  fromLogits?: boolean
  /** Arithmetic of Keras 2.3 (default), or of 2.2 and before: log-odds binaryCrossentropy, no logits, hinge without mapping 0/1 to ±1. */
  form?: '2.3' | '2.2'
  /** Share of the target that is spread evenly over the classes (categorical and binary crossentropy). */
  labelSmoothing?: number
  /** Where `huber` turns from a parabola to a line. */
  delta?: number
}

const last = { axis: -1 } as const
const kept = { axis: -1, keepDims: true } as const

const lossDefaults: LossOptions = { fromLogits: undefined, form: undefined, labelSmoothing: undefined, delta: undefined }
/** Values that say nothing: any loss takes them. */
const neutral: Readonly<Record<keyof LossOptions, unknown>> = { fromLogits: false, form: '2.3', labelSmoothing: 0, delta: 1 }
const lossRules = { fromLogits: requireBoolean, form: oneOf('2.3', '2.2'), labelSmoothing: share, delta: number({ above: 0 }) }

/** Which losses take which options. */
const takers: Readonly<Record<keyof LossOptions, readonly string[]>> = {
  fromLogits: ['categoricalCrossentropy', 'sparseCategoricalCrossentropy', 'binaryCrossentropy'],
  form: ['categoricalCrossentropy', 'sparseCategoricalCrossentropy', 'binaryCrossentropy', 'hinge', 'squaredHinge'],
  labelSmoothing: ['categoricalCrossentropy', 'binaryCrossentropy'],
  delta: ['huber'],
}

/** Options that `getLoss` has checked and bound to a loss, which reads them at every step. */
const bound = new WeakSet<object>()

/** The options of a loss, checked; those that it has none of are refused. */
function readLossOptions(what: string, options: SpelledOptions<LossOptions>): LossOptions {
  if (bound.has(options)) return options as LossOptions
  const given = readOptions(what, options, lossDefaults, lossRules)
  const names = Object.keys(takers) as (keyof LossOptions)[]
  const own = names.filter((name) => takers[name].includes(what))
  const foreign = names.find((name) => !own.includes(name) && given[name] !== undefined && given[name] !== neutral[name])
  if (foreign) throw unknownOption(what, foreign, own)
  return Object.fromEntries(own.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]]])))
}

/** p − t */
const deviation = (what: string, yTrue: Tensor, p: Tensor): Tensor => {
  const t = targetsLike(what, p, yTrue)
  return p.sub(t)
}

const clipped = (p: Tensor): Tensor => p.clip(EPSILON, 1 - EPSILON)

/** (p − t)² */
export const meanSquaredError = (yTrue: Tensor, p: Tensor): Tensor => deviation('meanSquaredError', yTrue, p).square().mean(last)

/** |p − t| */
export const meanAbsoluteError = (yTrue: Tensor, p: Tensor): Tensor => deviation('meanAbsoluteError', yTrue, p).abs().mean(last)

/** 100·|(t − p) / max(|t|, ε)| */
export function meanAbsolutePercentageError(yTrue: Tensor, p: Tensor): Tensor {
  const t = targetsLike('meanAbsolutePercentageError', p, yTrue)
  return t.sub(p).div(t.abs().maximum(EPSILON)).abs().mean(last).mul(100)
}

/** (ln(max(p, ε) + 1) − ln(max(t, ε) + 1))² */
export function meanSquaredLogarithmicError(yTrue: Tensor, p: Tensor): Tensor {
  const t = targetsLike('meanSquaredLogarithmicError', p, yTrue)
  const log1 = (x: Tensor): Tensor => x.maximum(EPSILON).add(1).log()
  return square(sub(log1(p), log1(t))).mean(last)
}

/** ln cosh(p − t), as |d| + softplus(−2|d|) − ln 2, which does not overflow. */
export function logcosh(yTrue: Tensor, p: Tensor): Tensor {
  const d = deviation('logcosh', yTrue, p).abs()
  const y = add(d, softplus(d.mul(-2))).sub(Math.LN2)
  return y.mean(last)
}

/** ½d² for |d| ≤ δ, δ·(|d| − ½δ) beyond (Huber 1964). */
export function huber(yTrue: Tensor, p: Tensor, options: LossOptions = {}): Tensor {
  const { delta = 1 } = readLossOptions('huber', options)
  const d = deviation('huber', yTrue, p).abs()
  const inner = d.minimum(delta)
  return inner.square().mul(0.5).add(d.sub(inner).mul(delta)).mean(last)
}

/** 2.3 takes targets that are all 0 or 1 as −1 and +1. */
function signs(t: Tensor, form: LossOptions['form']): Tensor {
  if (form === '2.2') return t
  return where(t.equal(0).logicalOr(t.equal(1)).all(), t.mul(2).sub(1), t)
}

/** 1 − t·p, where that is above 0. */
function missing(what: string, yTrue: Tensor, p: Tensor, options: LossOptions): Tensor {
  const { form } = readLossOptions(what, options)
  return sub(1, signs(targetsLike(what, p, yTrue), form).mul(p)).maximum(0)
}

/** max(1 − t·p, 0) for t = ±1; targets 0 and 1 are taken as −1 and 1. */
export const hinge = (yTrue: Tensor, p: Tensor, options: LossOptions = {}): Tensor => missing('hinge', yTrue, p, options).mean(last)

/** max(1 − t·p, 0)² for t = ±1; targets 0 and 1 are taken as −1 and 1. */
export const squaredHinge = (yTrue: Tensor, p: Tensor, options: LossOptions = {}): Tensor =>
  square(missing('squaredHinge', yTrue, p, options)).mean(last)

/** max(0, max((1 − t)·p) − Σ t·p + 1) */
export function categoricalHinge(yTrue: Tensor, p: Tensor): Tensor {
  const t = targetsLike('categoricalHinge', p, yTrue)
  const right = mulNoNaN(p, t).sum(last)
  const wrong = mulNoNaN(p, sub(1, t)).max(last)
  return relu(wrong.sub(right).add(1))
}

/** p − t·ln(p + ε) */
export function poisson(yTrue: Tensor, p: Tensor): Tensor {
  const t = targetsLike('poisson', p, yTrue)
  return p.sub(mulNoNaN(p.add(EPSILON).log(), t)).mean(last)
}

/** Σ t·ln(t/p), both limited to [ε, 1]. */
export function kullbackLeiblerDivergence(yTrue: Tensor, yPred: Tensor): Tensor {
  const [t, p] = [targetsLike('kullbackLeiblerDivergence', yPred, yTrue).clip(EPSILON, 1), yPred.clip(EPSILON, 1)]
  return t.mul(t.div(p).log()).sum(last)
}

/** −cos of the angle between t and p. */
export function cosineProximity(yTrue: Tensor, p: Tensor): Tensor {
  const t = targetsLike('cosineProximity', p, yTrue)
  return unitLength(t).mul(unitLength(p)).sum(last).neg()
}

/** −Σ t·ln(p/Σp), the quotient limited to [ε, 1 − ε]; from logits z: −Σ t·ln softmax(z). */
export function categoricalCrossentropy(yTrue: Tensor, p: Tensor, options: LossOptions = {}): Tensor {
  const { fromLogits, labelSmoothing = 0 } = readLossOptions('categoricalCrossentropy', options)
  const given = targetsLike('categoricalCrossentropy', p, yTrue)
  const t = labelSmoothing === 0 ? given : given.mul(1 - labelSmoothing).add(labelSmoothing / p.shape[p.rank - 1])
  if (fromLogits) return softmaxCrossEntropy(p, t)
  return neg(mul(t, log(clipped(p.div(p.sum(kept))))).sum(last))
}

/** categoricalCrossentropy for class numbers. From probabilities, their clipped logarithms count as logits, as in TensorFlow 1. */
export function sparseCategoricalCrossentropy(yTrue: Tensor, p: Tensor, options: LossOptions = {}): Tensor {
  const { fromLogits } = readLossOptions('sparseCategoricalCrossentropy', options)
  const t = labelsLike('sparseCategoricalCrossentropy', p, yTrue).oneHot(p.shape[p.rank - 1], p.dtype) // [..b, c]
  return softmaxCrossEntropy(fromLogits ? p : clipped(p).log(), t)
}

/**
 * −t·ln(p + ε) − (1 − t)·ln(1 − p + ε), p limited to [ε, 1 − ε]; from logits z: t·softplus(−z) + (1 − t)·softplus(z).
 * Keras 2.2: the latter with z = ln(p/(1 − p)).
 */
export function binaryCrossentropy(yTrue: Tensor, p: Tensor, options: LossOptions = {}): Tensor {
  const { fromLogits, form, labelSmoothing = 0 } = readLossOptions('binaryCrossentropy', options)
  const given = targetsLike('binaryCrossentropy', p, yTrue)
  const t = labelSmoothing === 0 ? given : given.mul(1 - labelSmoothing).add(0.5 * labelSmoothing)
  // The other class's loss may be infinite, and does not count.
  const weighed = (right: Tensor, wrong: Tensor): Tensor => add(mulNoNaN(right, t), mulNoNaN(wrong, sub(1, t))).mean(last)
  const ofLogits = (z: Tensor): Tensor => weighed(softplus(z.neg()), softplus(z))
  if (fromLogits) return ofLogits(p)
  const q = clipped(p)
  if (form === '2.2') return ofLogits(log(q.div(sub(1, q))))
  return neg(weighed(log(q.add(EPSILON)), log(sub(1, q).add(EPSILON))))
}

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
  const formula: (t: Tensor, p: Tensor, options?: LossOptions) => Tensor = table[name]
  const bind = (checked: LossOptions) => {
    bound.add(checked)
    return (yTrue: Tensor, yPred: Tensor, mask?: Tensor): Tensor => {
      requireBatch(name, yTrue, yPred)
      if (yPred.rank === 1 && overClasses.has(name)) {
        throw new ShapeError(`${name}: the predictions ${showShape(yPred.shape)} have no axis of classes; they must be [n, .., classes].`)
      }
      const [t, p] = mask ? hideUncounted(...withColumns(yTrue, yPred), mask) : withColumns(yTrue, yPred)
      return perSample(formula(t, p, checked), p.shape[0], mask)
    }
  }
  const activation = given.fromLogits || given.form === '2.2' ? undefined : logitActivation[name]
  return {
    name,
    sparse: name === 'sparseCategoricalCrossentropy',
    options: given,
    call: bind(given),
    ...(activation && { fromLogits: { activation, call: bind({ ...given, fromLogits: true }) } }),
  }
}

/** Losses that mean nothing without an axis of classes. */
const overClasses: ReadonlySet<string> = new Set(['categoricalCrossentropy', 'categoricalHinge'])

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
 * @throws ValueError that names the first bad label, its position, and the range.
 */
export function checkLabels(values: ArrayLike<number>, classes: number, what?: string): void {
  if (typeof values !== 'object' || values === null || typeof values.length !== 'number')
    throw new ValueError(`checkLabels: expected a list of class numbers, got ${describeValue(values)}.`)
  requireWhole('checkLabels', 'classes', classes, { least: 1 })
  for (let i = 0; i < values.length; i++) {
    const label = values[i]
    if (Number.isInteger(label) && label >= 0 && label < classes) continue
    throw new ValueError(
      `${what ? `${what}: ` : ''}Label ${label} at position ${i} is not a class number: the model's output has ${classes} classes, so labels are whole numbers from 0 to ${classes - 1}.` +
        (label === classes ? ' Labels that count from 1 must be shifted: y − 1.' : ''),
    )
  }
}
