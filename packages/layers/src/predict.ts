/** Outputs for data, and single steps on one batch. */
import { scope, sizeOf, type Tensor } from '@cotangent/core'
import { fromValues, hostFloats, requireWhole } from './checks.js'
import type { Compiled, Totals } from './compiled.js'
import { identityOrder, type ModelData } from './data.js'
import { batchOf, inputRows, partOf } from './feed.js'
import type { Model } from './model.js'
import type { Weighting } from './sample-weights.js'

/** The outputs for all samples, in order, one tensor an output. */
export async function predict(model: Model, x: ModelData, { batchSize = 32 }: { batchSize?: number }): Promise<Tensor[]> {
  requireWhole('predict: batchSize', batchSize, 1)
  const rows = await inputRows(model, 'predict: x', x)
  const [{ count }] = rows
  const order = identityOrder(count)
  let results = model.outputPorts.map(({ shape }) => {
    const sizes = [count, ...shape.slice(1).map((n) => n ?? 0)]
    return { shape: sizes, values: hostFloats(model.dtype, sizeOf(sizes)) }
  })
  for (let begin = 0; begin < count; begin += batchSize) {
    const end = Math.min(count, begin + batchSize)
    const outputs = scope(() => {
      const xs = rows.map((row, i) => row.take(order, begin, end, model.inputPorts[i].dtype))
      return model.run(xs, { training: false }, []).outputs.map((output) => output.keep())
    })
    if (begin === 0) {
      // Sizes that the model leaves open are those of the data.
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

/** The class of each row: the position of the largest value, or for one value whether it is above 1/2. Frees the rows. */
export async function classesOf(outputs: Tensor): Promise<Int32Array> {
  const classes = scope(() => (outputs.shape.at(-1) === 1 ? outputs.greater(0.5).cast('int32') : outputs.argMax()).keep())
  outputs.dispose()
  const values = (await classes.data()) as Int32Array
  classes.dispose()
  return values
}

/** One step on one batch; the values of loss and metrics. */
export async function onBatch(
  model: Model,
  what: string,
  [x, y, weights]: readonly [x: ModelData, y: ModelData, weights: Weighting],
  step: (compiled: Compiled, xs: Tensor[], ys: Tensor[], totals: Totals, factors: (Tensor | undefined)[] | undefined) => void,
): Promise<number[]> {
  const part = await partOf(model, `${what}: `, [x, y], weights)
  const compiled = model.compiled()
  const totals = compiled.newTotals()
  try {
    const batch = batchOf(model, part, identityOrder(part.count), 0, part.count)
    scope(() => step(compiled, batch.x(), batch.y(), totals, batch.weights?.()))
    const logs = await compiled.read(totals)
    return compiled.names.map((name) => logs[name])
  } finally {
    compiled.release(totals)
  }
}
