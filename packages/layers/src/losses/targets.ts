/** Targets in the shape that a loss or metric needs. Nothing here broadcasts: targets [n] beside outputs [n, 1] would silently become [n, n]. */
import { type Shape, shapeError, showShape, sizeOf, Tensor, ValueError } from '@cotangent/core'
import { describeValue } from '@cotangent/core/arguments'

/** Throws unless a value is a tensor. */
export function requireTensor(what: string, name: string, value: unknown): asserts value is Tensor {
  if (!(value instanceof Tensor)) throw new ValueError(`${what}: ${name} must be a tensor, got ${describeValue(value)}.`)
}

const same = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((n, i) => n === b[i])

/** A shape without its axes of size 1, the first axis left aside. */
const dense = (shape: Shape): Shape => shape.filter((n, axis) => axis === 0 || n !== 1)

/** The targets in the shape of the predictions, if the shapes differ in axes of size 1 only: [n] and [n, 1] are the same targets. Else undefined. */
function brought(t: Tensor, p: Tensor): Tensor | undefined {
  if (same(t.shape, p.shape)) return t
  return t.rank > 0 && p.rank > 0 && same(dense(t.shape), dense(p.shape)) ? t.reshape(p.shape) : undefined
}

const wrongShape = (what: string, problem: string, t: Tensor, p: Tensor, hint?: string): Error =>
  shapeError(
    what,
    problem,
    [
      { name: 'yTrue', shape: t.shape },
      { name: 'yPred', shape: p.shape },
    ],
    hint,
  )

/**
 * Targets as floats in the shape of the predictions.
 *
 * @throws ShapeError if they do not fit
 */
export function targetsLike(what: string, p: Tensor, yTrue: Tensor): Tensor {
  requireTensor(what, 'yTrue', yTrue)
  requireTensor(what, 'yPred', p)
  const t = brought(yTrue, p)
  if (t) return t.cast(p.dtype)
  const classes = yTrue.rank === p.rank - 1 || yTrue.shape[yTrue.rank - 1] === 1
  throw wrongShape(
    what,
    'targets and predictions have different shapes',
    yTrue,
    p,
    classes
      ? 'If the targets are class numbers, use sparseCategoricalCrossentropy and sparse metrics, or make them one-hot first.'
      : undefined,
  )
}

/** Class numbers [..b] or [..b, 1] as [..b], for predictions [..b, c]. Undefined if the shapes are different. */
function asLabels(t: Tensor, p: Tensor): Tensor | undefined {
  const batch = p.shape.slice(0, -1)
  if (p.rank < 2) return undefined
  return same(t.shape, batch) || same(t.shape, [...batch, 1]) ? t.reshape(batch) : undefined
}

/**
 * Class numbers [..b], one for each row of predictions.
 *
 * @throws ShapeError if they do not fit
 */
export function labelsLike(what: string, p: Tensor, yTrue: Tensor): Tensor {
  requireTensor(what, 'yTrue', yTrue)
  requireTensor(what, 'yPred', p)
  const labels = asLabels(yTrue, p)
  if (labels) return labels
  const oneHot = same(yTrue.shape, p.shape)
  throw wrongShape(
    what,
    'there must be one class number for each row of predictions',
    yTrue,
    p,
    oneHot ? 'One-hot targets go with the categorical loss and metrics, such as categoricalCrossentropy.' : undefined,
  )
}

/** Whether two shapes can be broadcast to a common one. */
function broadcasts(a: Shape, b: Shape): boolean {
  const axes = Math.min(a.length, b.length)
  return Array.from({ length: axes }, (_, i) => [a[a.length - 1 - i], b[b.length - 1 - i]]).every(([m, n]) => m === n || m === 1 || n === 1)
}

/**
 * The targets that a user's loss or metric gets, by their shape:
 *
 * - They differ from the predictions in axes of size 1 only: they get the shape of the predictions.
 * - They are class numbers ([..b] or [..b, 1] for predictions [..b, c]): they become [..b], for a sparse loss or metric.
 * - They cannot be broadcast with the predictions: they stay as they are. Keras assumes nothing about a user's function either.
 * - They could be broadcast: an error, since the result would be a wrong number.
 */
export function targetsForFunction(what: string, p: Tensor, yTrue: Tensor): Tensor {
  const t = brought(yTrue, p) ?? asLabels(yTrue, p)
  if (t) return t
  if (!broadcasts(yTrue.shape, p.shape)) return yTrue
  throw wrongShape(
    what,
    'targets and predictions have different shapes, and would silently be broadcast to a common one',
    yTrue,
    p,
    'Give the targets the shape of the output. A loss whose targets are meant to have another shape is an object: ' +
      '{ name, sparse: false, call(yTrue, yPred) { … } }; a metric one with its own start().',
  )
}

/** The result of a user's function as floats: one value or more for each sample, or one for all. */
export function requireValues(what: string, values: unknown, p: Tensor): Tensor {
  if (!(values instanceof Tensor)) {
    const hint =
      values === undefined ? ' Does the function return its result?' : typeof values === 'number' ? ' Make it with ops on the tensors.' : ''
    throw new ValueError(`${what}: the function must return a tensor, got ${describeValue(values)}.${hint}`)
  }
  const [samples] = p.shape
  if (values.rank > 0 && values.shape[0] !== samples) {
    throw new ValueError(
      `${what}: the function must return one value for each of the ${samples} samples, [${samples}] or [${samples}, ..], or one number for all; got ${showShape(values.shape)}.`,
    )
  }
  return values.dtype === 'bool' || values.dtype === 'uint8' || values.dtype === 'int32' ? values.cast(p.dtype) : values
}

/** Targets and predictions [n] as [n, 1]. Then a mean over the last axis does not run over the samples. */
export function withColumns(yTrue: Tensor, p: Tensor): [yTrue: Tensor, p: Tensor] {
  if (p.rank !== 1) return [yTrue, p]
  const column = [p.shape[0], 1]
  return [sizeOf(yTrue.shape) === p.size && yTrue.rank > 0 ? yTrue.reshape(column) : yTrue, p.reshape(column)]
}
