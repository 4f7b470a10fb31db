/** Outputs for data, and single steps on one batch. */
import { scope, sizeOf, Tensor, ValueError } from '@cotangent/core'
import { describeValue } from '@cotangent/core/arguments'
import type { SpelledOptions } from '../spelling/names.js'
import { fromValues, hostFloats, within } from './checks.js'
import { countingTo, identityOrder, type ModelData, type Rows } from './data.js'
import { batchOf, inputRows, samplesOf } from './feed.js'
import { type PredictOptions, readPredictOptions, readWeighting } from './fit-options.js'
import type { Use } from './model-use.js'
import type { Weighting } from './sample-weights.js'
import { between, type Tell, tellAll, testContext } from './stages.js'
import { releaseTotals } from './totals.js'
import type { Trainable } from './trainable.js'
import type { Compilable } from './trainer.js'

/**
 * The outputs for all samples, in order: one tensor for each output of the model.
 *
 * @param what the method that was called
 */
export async function predict(
  model: Predicting,
  what: string,
  x: ModelData,
  options: SpelledOptions<PredictOptions> | undefined,
  use: Use,
): Promise<Tensor[]> {
  const { batchSize, callbacks } = readPredictOptions(what, options)
  const rows = await inputRows(model, `${what}: x`, x)
  const tell = tellAll(callbacks, use)
  const [{ count }] = rows
  return between(
    () => tell((c) => c.onPredictBegin?.(testContext(model, { steps: Math.ceil(count / batchSize), samples: count }))),
    () => outputsOf(model, what, rows, batchSize, tell),
    () => tell((c) => c.onPredictEnd?.()),
  )
}

/** A model that predicts, by a step of the user's if it has one. */
interface Predicting extends Trainable {
  predictStep?(batch: { readonly x: Tensor; readonly xs: readonly Tensor[] }): unknown
}

/** The outputs of a batch: those of the model, or what its `predictStep` returns. */
function predicted(model: Predicting, xs: readonly Tensor[]): readonly Tensor[] {
  if (!model.predictStep) return model.run(xs, { training: false }, []).outputs
  const given = model.predictStep({ x: xs[0], xs })
  const outputs = (Array.isArray(given) ? given : [given]) as readonly Tensor[]
  for (const output of outputs) {
    if (output instanceof Tensor && output.shape[0] === xs[0].shape[0]) continue
    throw new ValueError(
      `${model.name}.predictStep: must return a tensor with a row for each of the ${xs[0].shape[0]} samples, or a list of such, got ${describeValue(output)}.`,
    )
  }
  return outputs
}

async function outputsOf(model: Predicting, what: string, rows: readonly Rows[], batchSize: number, tell: Tell): Promise<Tensor[]> {
  const [{ count }] = rows
  const order = identityOrder(count)
  let results = model.outputPorts.map(({ shape }) => {
    const sizes = [count, ...shape.slice(1).map((n) => n ?? 0)]
    return { shape: sizes, values: hostFloats(model.dtype, sizeOf(sizes)) }
  })
  for (let begin = 0; begin < count; begin += batchSize) {
    const end = Math.min(count, begin + batchSize)
    await tell((c) => c.onPredictBatchBegin?.(begin / batchSize))
    const outputs = within(`in ${what}, samples ${begin} to ${end - 1}`, () =>
      scope(() => {
        const xs = rows.map((row, i) => row.take(order, begin, end, model.inputPorts[i].dtype))
        return predicted(model, xs).map((output) => output.keep())
      }),
    )
    if (begin === 0) {
      // Now the sizes are known that the model leaves open.
      results = outputs.map((output) => {
        const shape = [count, ...output.shape.slice(1)]
        return { shape, values: hostFloats(model.dtype, sizeOf(shape)) }
      })
    }
    try {
      for (const [i, { shape, values }] of results.entries()) values.set(await outputs[i].data(), begin * sizeOf(shape.slice(1)))
    } finally {
      for (const output of outputs) output.dispose()
    }
    await tell((c) => c.onPredictBatchEnd?.(begin / batchSize))
  }
  return results.map(({ shape, values }) => scope(() => fromValues(values, shape, model.dtype, model.backend)))
}

/** The output of a model that has one output. */
export async function predictOne(
  model: Predicting,
  what: string,
  x: ModelData,
  options: SpelledOptions<PredictOptions> | undefined,
  use: Use,
): Promise<Tensor> {
  if (model.outputCount !== 1 && !model.predictStep) {
    throw new ValueError(
      `${what}: the model "${model.name}" has ${model.outputCount} outputs. Take them all: const [y, …] = await model.predictAll(x).`,
    )
  }
  const outputs = await predict(model, what, x, options, use)
  if (outputs.length === 1) return outputs[0]
  for (const output of outputs) output.dispose()
  throw new ValueError(`${what}: predictStep of "${model.name}" gave ${outputs.length} tensors. Take them all: await model.predictAll(x).`)
}

/** The class of each row: the position of the largest value, or for one value whether it is above ½. Frees the rows. */
export async function classesOf(outputs: Tensor): Promise<Int32Array> {
  const classes = scope(() => (outputs.shape.at(-1) === 1 ? outputs.greater(0.5).cast('int32') : outputs.argMax()).keep())
  outputs.dispose()
  const values = (await classes.data()) as Int32Array
  classes.dispose()
  return values
}

/** Does one step on one batch. Returns the values of loss and metrics. */
export async function onBatch(
  model: Compilable,
  what: 'trainOnBatch' | 'testOnBatch',
  [x, y, weights]: readonly [x: ModelData, y: ModelData, weights: SpelledOptions<Weighting> | undefined],
): Promise<number[]> {
  const weighting = readWeighting(what, weights)
  const samples = await samplesOf(model, `${what}: `, [x, y], weighting)
  const trainer = model.trainer()
  if (what === 'testOnBatch') trainer.requireLoss(what)
  const totals = trainer.newTotals()
  try {
    const batch = batchOf(model, samples, countingTo(samples.count), 0, samples.count)
    within(`in ${what}`, () =>
      scope(() => {
        const [xs, ys, factors] = [batch.x(), batch.y(), batch.weights?.()]
        if (what === 'trainOnBatch') trainer.trainStep(xs, ys, model.keyFor('dropout'), totals, factors)
        else trainer.testStep(xs, ys, totals, factors)
      }),
    )
    return Object.values(await trainer.read(totals))
  } finally {
    releaseTotals(totals)
  }
}
