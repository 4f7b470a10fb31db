/** Outputs for data, and single steps on one batch. */
import { scope, sizeOf, type Tensor, ValueError } from '@cotangent/core'
import type { SpelledOptions } from '../spelling/names.js'
import { fromValues, hostFloats, within } from './checks.js'
import { identityOrder, type ModelData, type Rows } from './data.js'
import { batchOf, inputRows, samplesOf } from './feed.js'
import { type PredictOptions, readPredictOptions, readWeighting } from './fit-options.js'
import type { Weighting } from './sample-weights.js'
import type { Trainable } from './trainable.js'
import type { Compilable } from './trainer.js'

/**
 * The outputs for all samples, in order: one tensor for each output of the model.
 *
 * @param what the method that was called
 */
export async function predict(model: Trainable, what: string, x: ModelData, options?: SpelledOptions<PredictOptions>): Promise<Tensor[]> {
  const { batchSize } = readPredictOptions(what, options)
  const rows = await inputRows(model, `${what}: x`, x)
  return outputsOf(model, what, rows, batchSize)
}

async function outputsOf(model: Trainable, what: string, rows: readonly Rows[], batchSize: number): Promise<Tensor[]> {
  const [{ count }] = rows
  const order = identityOrder(count)
  let results = model.outputPorts.map(({ shape }) => {
    const sizes = [count, ...shape.slice(1).map((n) => n ?? 0)]
    return { shape: sizes, values: hostFloats(model.dtype, sizeOf(sizes)) }
  })
  for (let begin = 0; begin < count; begin += batchSize) {
    const end = Math.min(count, begin + batchSize)
    const outputs = within(`in ${what}, samples ${begin} to ${end - 1}`, () =>
      scope(() => {
        const xs = rows.map((row, i) => row.take(order, begin, end, model.inputPorts[i].dtype))
        return model.run(xs, { training: false }, []).outputs.map((output) => output.keep())
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
  }
  return results.map(({ shape, values }) => scope(() => fromValues(values, shape, model.dtype, model.backend)))
}

/** The output of a model that has one output. */
export async function predictOne(model: Trainable, what: string, x: ModelData, options?: SpelledOptions<PredictOptions>): Promise<Tensor> {
  if (model.outputCount !== 1) {
    throw new ValueError(
      `${what}: the model "${model.name}" has ${model.outputCount} outputs. Take them all: const [y, …] = await model.predictAll(x).`,
    )
  }
  return (await predict(model, what, x, options))[0]
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
  const totals = trainer.newTotals()
  try {
    const batch = batchOf(model, samples, identityOrder(samples.count), 0, samples.count)
    within(`in ${what}`, () =>
      scope(() => {
        const [xs, ys, factors] = [batch.x(), batch.y(), batch.weights?.()]
        if (what === 'trainOnBatch') trainer.trainStep(xs, ys, model.keyFor('dropout'), totals, factors)
        else trainer.testStep(xs, ys, totals, factors)
      }),
    )
    return Object.values(await trainer.read(totals))
  } finally {
    trainer.release(totals)
  }
}
