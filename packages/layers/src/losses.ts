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
  type Shape,
  shapeError,
  showShape,
  softmaxCrossEntropy,
  softplus,
  square,
  sub,
  type Tensor,
  ValueError,
  where,
} from '@cotangent/core'
import { perSample } from './masks.js'
import { lookUp, type Spelling } from './names.js'
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

/** A loss of the user's: one value a sample, or a scalar. */
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

/** Targets as floats in the shape of the predictions; [n] becomes [n, 1]. */
function targetsLike(p: Tensor, yTrue: Tensor): Tensor {
  const t = yTrue.cast(p.dtype)
  if (t.rank === p.rank - 1 && p.shape[p.rank - 1] === 1 && t.size === p.size) return t.reshape(p.shape)
  requireShape(t, p.shape, 'targets and predictions have different shapes', p)
  return t
}

function requireShape(t: Tensor, shape: Shape, problem: string, p: Tensor): void {
  if (showShape(t.shape) === showShape(shape)) return
  const classes = t.rank === p.rank - 1 || t.shape[t.rank - 1] === 1
  throw shapeError(
    'loss',
    problem,
    [
      { name: 'yTrue', shape: t.shape },
      { name: 'yPred', shape: p.shape },
    ],
    classes ? 'If the targets are class numbers, use sparseCategoricalCrossentropy, or make them one-hot first.' : undefined,
  )
}

/** Class numbers [..b] or [..b, 1] as one-hot rows [..b, c]. */
function oneHotLike(p: Tensor, yTrue: Tensor): Tensor {
  const batch = p.shape.slice(0, -1)
  const labels = yTrue.rank === p.rank && yTrue.shape[p.rank - 1] === 1 ? yTrue.reshape(batch) : yTrue
  if (showShape(labels.shape) !== showShape(batch)) {
    throw shapeError(
      'sparseCategoricalCrossentropy',
      'there must be one class number for each row of predictions',
      [
        { name: 'yTrue', shape: yTrue.shape },
        { name: 'yPred', shape: p.shape },
      ],
      showShape(yTrue.shape) === showShape(p.shape) ? 'One-hot targets go with categoricalCrossentropy.' : undefined,
    )
  }
  return labels.oneHot(p.shape[p.rank - 1], p.dtype) // [..b, c]
}

const clipped = (p: Tensor): Tensor => p.clip(EPSILON, 1 - EPSILON)

/** (p − t)² */
export const meanSquaredError = (yTrue: Tensor, p: Tensor): Tensor => p.sub(targetsLike(p, yTrue)).square().mean(last)

/** |p − t| */
export const meanAbsoluteError = (yTrue: Tensor, p: Tensor): Tensor => p.sub(targetsLike(p, yTrue)).abs().mean(last)

/** 100·|(t − p) / max(|t|, ε)| */
export function meanAbsolutePercentageError(yTrue: Tensor, p: Tensor): Tensor {
  const t = targetsLike(p, yTrue)
  return t.sub(p).div(t.abs().maximum(EPSILON)).abs().mean(last).mul(100)
}

/** (ln(max(p, ε) + 1) − ln(max(t, ε) + 1))² */
export function meanSquaredLogarithmicError(yTrue: Tensor, p: Tensor): Tensor {
  const log1 = (x: Tensor): Tensor => x.maximum(EPSILON).add(1).log()
  return square(sub(log1(p), log1(targetsLike(p, yTrue)))).mean(last)
}

/** ln cosh(p − t), as |d| + softplus(−2|d|) − ln 2, which does not overflow. */
export function logcosh(yTrue: Tensor, p: Tensor): Tensor {
  const d = p.sub(targetsLike(p, yTrue)).abs()
  const y = add(d, softplus(d.mul(-2))).sub(Math.LN2)
  return y.mean(last)
}

/** ½d² for |d| ≤ δ, δ·(|d| − ½δ) beyond (Huber 1964). */
export function huber(yTrue: Tensor, p: Tensor, { delta = 1 }: LossOptions = {}): Tensor {
  const d = p.sub(targetsLike(p, yTrue)).abs()
  const inner = d.minimum(delta)
  return inner.square().mul(0.5).add(d.sub(inner).mul(delta)).mean(last)
}

/** 2.3 takes targets that are all 0 or 1 as −1 and +1. */
function signs(t: Tensor, form: LossOptions['form']): Tensor {
  if (form === '2.2') return t
  return where(t.equal(0).logicalOr(t.equal(1)).all(), t.mul(2).sub(1), t)
}

/** max(1 − t·p, 0) for t = ±1; targets 0 and 1 are taken as −1 and 1. */
export const hinge = (yTrue: Tensor, p: Tensor, { form }: LossOptions = {}): Tensor =>
  sub(1, signs(targetsLike(p, yTrue), form).mul(p))
    .maximum(0)
    .mean(last)

/** max(1 − t·p, 0)² for t = ±1; targets 0 and 1 are taken as −1 and 1. */
export const squaredHinge = (yTrue: Tensor, p: Tensor, { form }: LossOptions = {}): Tensor =>
  square(sub(1, signs(targetsLike(p, yTrue), form).mul(p)).maximum(0)).mean(last)

/** max(0, max((1 − t)·p) − Σ t·p + 1) */
export function categoricalHinge(yTrue: Tensor, p: Tensor): Tensor {
  const t = targetsLike(p, yTrue)
  const right = mulNoNaN(p, t).sum(last)
  const wrong = mulNoNaN(p, sub(1, t)).max(last)
  return relu(wrong.sub(right).add(1))
}

/** p − t·ln(p + ε) */
export const poisson = (yTrue: Tensor, p: Tensor): Tensor => p.sub(mulNoNaN(p.add(EPSILON).log(), targetsLike(p, yTrue))).mean(last)

/** Σ t·ln(t/p), both limited to [ε, 1]. */
export function kullbackLeiblerDivergence(yTrue: Tensor, yPred: Tensor): Tensor {
  const [t, p] = [targetsLike(yPred, yTrue).clip(EPSILON, 1), yPred.clip(EPSILON, 1)]
  return t.mul(t.div(p).log()).sum(last)
}

/** −cos of the angle between t and p. */
export function cosineProximity(yTrue: Tensor, p: Tensor): Tensor {
  return unitLength(targetsLike(p, yTrue)).mul(unitLength(p)).sum(last).neg()
}

/** −Σ t·ln(p/Σp), the quotient limited to [ε, 1 − ε]; from logits z: −Σ t·ln softmax(z). */
export function categoricalCrossentropy(yTrue: Tensor, p: Tensor, { fromLogits, labelSmoothing = 0 }: LossOptions = {}): Tensor {
  const given = targetsLike(p, yTrue)
  const t = labelSmoothing === 0 ? given : given.mul(1 - labelSmoothing).add(labelSmoothing / p.shape[p.rank - 1])
  if (fromLogits) return softmaxCrossEntropy(p, t)
  return neg(mul(t, log(clipped(p.div(p.sum(kept))))).sum(last))
}

/** categoricalCrossentropy for class numbers. From probabilities, their clipped logarithms count as logits, as in TensorFlow 1. */
export const sparseCategoricalCrossentropy = (yTrue: Tensor, p: Tensor, { fromLogits }: LossOptions = {}): Tensor =>
  softmaxCrossEntropy(fromLogits ? p : clipped(p).log(), oneHotLike(p, yTrue))

/**
 * −t·ln(p + ε) − (1 − t)·ln(1 − p + ε), p limited to [ε, 1 − ε]; from logits z: t·softplus(−z) + (1 − t)·softplus(z).
 * Keras 2.2: the latter with z = ln(p/(1 − p)).
 */
export function binaryCrossentropy(yTrue: Tensor, p: Tensor, { fromLogits, form, labelSmoothing = 0 }: LossOptions = {}): Tensor {
  const given = targetsLike(p, yTrue)
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
export const lossValues = (name: LossName): LossFunction => table[name]

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
export function getLoss(id: LossIdentifier, options: LossOptions = {}): Loss {
  if (typeof id === 'object' && id !== null) return id
  const name = knownName(id)
  if (name === undefined) {
    const call = id as LossFunction
    return { name: call.name || 'loss', sparse: false, call: (t, p, mask) => perSample(call(t, p), p.shape[0], mask) }
  }
  const formula: (t: Tensor, p: Tensor, options?: LossOptions) => Tensor = table[name]
  const bind = (bound: LossOptions) => (t: Tensor, p: Tensor, mask?: Tensor) => perSample(formula(t, p, bound), p.shape[0], mask)
  const activation = options.fromLogits || options.form === '2.2' ? undefined : logitActivation[name]
  return {
    name,
    sparse: name === 'sparseCategoricalCrossentropy',
    options,
    call: bind(options),
    ...(activation && { fromLogits: { activation, call: bind({ ...options, fromLogits: true }) } }),
  }
}

/**
 * Checks class numbers on the host: devices cannot raise errors, and a class out of range would silently have loss 0.
 *
 * @param what where they come from, for the message: `fit: y`
 * @throws ValueError that names the first bad label, its position, and the range.
 */
export function checkLabels(values: ArrayLike<number>, classes: number, what?: string): void {
  for (let i = 0; i < values.length; i++) {
    const label = values[i]
    if (Number.isInteger(label) && label >= 0 && label < classes) continue
    throw new ValueError(
      `${what ? `${what}: ` : ''}Label ${label} at position ${i} is not a class number: the model's output has ${classes} classes, so labels are whole numbers from 0 to ${classes - 1}.` +
        (label === classes ? ' Labels that count from 1 must be shifted: y − 1.' : ''),
    )
  }
}
