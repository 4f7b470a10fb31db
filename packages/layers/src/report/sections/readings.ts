/** How a classifier read samples: the true class, its prediction, and how sure it was. Confusion matrices and lists of mistakes are made of this. */
import { ShapeError, showShape, Tensor, ValueError } from '@cotangent/core'
import { describeValue, requireChoice } from '@cotangent/core/arguments'
import { type Data, type HostArray, readHost } from '../../host-data.js'
import { Model } from '../../models/model.js'
import { readOptions } from '../../spelling/names.js'
import type { ModelData } from '../../training/data.js'
import { type HostData, requireCount, requireTexts } from './images.js'

/** How a classifier read samples. All lists have the length of the data. */
export interface Readings {
  /** Names of the classes. */
  readonly labels: readonly string[]
  readonly truth: Int32Array
  readonly predicted: Int32Array
  /** The probability that the network gave its prediction. */
  readonly confidence: Float64Array
}

/** Options of `readingsOf`. */
export interface ReadingOptions {
  /** Names of the classes; their numbers by default. */
  labels?: readonly string[]
  /**
   * The kind of the outputs. `probabilities` (default) are in 0 … 1. `logits` stand before a softmax, or before a sigmoid if there is one output. `clipped` are raw
   * outputs that the loss took for probabilities, as Keras' crossentropies do: they are cut to 0 … 1.
   */
  outputs?: 'probabilities' | 'logits' | 'clipped'
}

/** Options of `readings`. */
export interface ReadOptions extends ReadingOptions {
  /** Samples that are predicted at a time; 32 by default. */
  batchSize?: number
}

const defaults = { labels: undefined as readonly string[] | undefined, outputs: 'probabilities' as NonNullable<ReadingOptions['outputs']> }
const rules = {
  labels: requireTexts,
  outputs: (what: string, name: string, value: unknown): void => requireChoice(what, name, value, ['probabilities', 'logits', 'clipped']),
}

/** True classes as numbers: of whole numbers [n] or [n, 1], or of one-hot rows [n, c]. */
function classesOf(what: string, y: unknown, count: number, classes: number): Int32Array {
  const { shape, data } = readHost(`${what}: y`, y)
  const width = shape[1] ?? 1
  if (shape.length > 2 || shape[0] !== count || (width !== 1 && width !== classes)) {
    throw new ShapeError(
      `${what}: y must have the classes of ${count} samples, [${count}] or one-hot [${count}, ${classes}], got ${showShape(shape)}.`,
    )
  }
  const truth = new Int32Array(count)
  for (let i = 0; i < count; i++) {
    if (width > 1) {
      for (let c = 1; c < width; c++) if (data[i * width + c] > data[i * width + truth[i]]) truth[i] = c
      continue
    }
    truth[i] = data[i]
    if (data[i] === truth[i] && data[i] >= 0 && data[i] < classes) continue
    throw new ValueError(
      `${what}: y has ${data[i]} for sample ${i}, but the model tells ${classes} classes apart, from 0 to ${classes - 1}.`,
    )
  }
  return truth
}

/** The probabilities of one row of outputs, written over it. */
function asProbabilities(what: string, row: Float64Array, sample: number, outputs: NonNullable<ReadingOptions['outputs']>): void {
  const bad = row.findIndex((value) => Number.isNaN(value))
  if (bad >= 0) throw new ValueError(`${what}: the output for sample ${sample} is NaN. The training has diverged, or the data have NaN.`)
  if (outputs === 'logits') {
    const most = row.length === 1 ? 0 : Math.max(...row)
    const sum = row.reduce((total, value) => total + Math.exp(value - most), row.length === 1 ? 1 : 0)
    for (let c = 0; c < row.length; c++) row[c] = row.length === 1 ? 1 / (1 + Math.exp(-row[c])) : Math.exp(row[c] - most) / sum
  } else if (outputs === 'clipped') {
    for (let c = 0; c < row.length; c++) row[c] = Math.min(1, Math.max(0, row[c]))
  } else {
    const outside = row.find((value) => value < -1e-6 || value > 1 + 1e-6)
    if (outside !== undefined) {
      throw new ValueError(
        `${what}: the output for sample ${sample} is ${outside}, which is no probability. Say what it is: outputs: 'logits' or 'clipped'.`,
      )
    }
  }
}

/**
 * How a classifier read samples, from its outputs. The prediction is the class with the largest probability; with one output, class 1 above ½ and class 0
 * otherwise.
 *
 * Shape: outputs [n, classes] or [n, 1], y [n] or one-hot [n, classes]
 *
 * @throws ShapeError if y does not fit the outputs; ValueError for NaN, for an output that is no probability, for a class that the outputs do not have,
 * and for labels that are not as many as the classes
 * @example
 * ```ts
 * const outputs = [[0.9, 0.1], [0.3, 0.7], [0.6, 0.4]]
 * const { predicted, confidence } = readingsOf(outputs, [0, 1, 1], { labels: ['cat', 'dog'] })
 * console.log([...predicted], [...confidence])   // [0, 1, 0] [0.9, 0.7, 0.6]
 * ```
 */
export function readingsOf(outputs: HostData, y: HostData, options?: ReadingOptions): Readings {
  return readFrom('readingsOf', outputs, y, readOptions('readingsOf', options, defaults, rules))
}

function readFrom(what: string, given: unknown, y: unknown, { labels, outputs }: typeof defaults): Readings {
  const { shape, data } = readHost(`${what}: outputs`, given)
  const [count, width = 1] = shape
  if (shape.length > 2 || width === 0)
    throw new ShapeError(`${what}: outputs must be [samples, classes], or [samples, 1] for two classes, got ${showShape(shape)}.`)
  const classes = Math.max(2, width)
  if (labels && labels.length !== classes)
    throw new ValueError(`${what}: ${labels.length} labels for ${classes} classes. Give one for each, or none.`)
  const truth = classesOf(what, y, count, classes)
  const predicted = new Int32Array(count)
  const confidence = new Float64Array(count)
  const row = new Float64Array(width)
  for (let i = 0; i < count; i++) {
    for (let c = 0; c < width; c++) row[c] = data[i * width + c]
    asProbabilities(what, row, i, outputs)
    if (width === 1) {
      predicted[i] = row[0] > 0.5 ? 1 : 0
      confidence[i] = predicted[i] === 1 ? row[0] : 1 - row[0]
    } else {
      for (let c = 1; c < width; c++) if (row[c] > row[predicted[i]]) predicted[i] = c
      confidence[i] = row[predicted[i]]
    }
  }
  return { labels: labels ? [...labels] : Array.from({ length: classes }, (_, c) => String(c)), truth, predicted, confidence }
}

/**
 * Lets a classifier read samples: `predict`, then `readingsOf`.
 *
 * Shape: x [n, …] as the model takes it, y [n] or one-hot [n, classes]
 *
 * @throws ValueError for something that is no model, and as `readingsOf`
 * @example
 * ```ts
 * const read = await readings(model, xTest, yTest)
 * console.log(read.labels, read.predicted.length)   // ['0', '1', '2', '3'] 16
 * ```
 */
export async function readings(model: Model, x: ModelData, y: Data, options?: ReadOptions): Promise<Readings> {
  const what = 'readings'
  requireModel(what, model)
  const { batchSize, ...how } = readOptions(what, options, { ...defaults, batchSize: 32 }, { ...rules, batchSize: requireCount })
  const outputs = await model.predict(x, { batchSize })
  try {
    return readFrom(what, await onHost(outputs), y instanceof Tensor ? await onHost(y) : y, how)
  } finally {
    outputs.dispose()
  }
}

/** @internal */
export function requireModel(what: string, model: unknown): asserts model is Model {
  if (!(model instanceof Model)) throw new ValueError(`${what}: expected a model, got ${describeValue(model)}.`)
}

/** @internal A tensor's values and shape. */
export const onHost = async (x: Tensor): Promise<HostArray> => ({ data: await x.data(), shape: x.shape })
