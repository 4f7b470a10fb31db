/** Writes and reads a small trained model in every format. It runs anywhere. */
import { configure } from '@cotangent/core'
import { digest } from '../../core/test/digest.js'
import {
  batchNormalization,
  dense,
  dropout,
  lstm,
  type Model,
  modelFromBytes,
  modelFromTfjs,
  modelToBytes,
  modelToTfjs,
  Sequential,
  weightsFromBytes,
  weightsToBytes,
} from '../src/index.js'

const make = (): Sequential => new Sequential([lstm(3, { inputShape: [4, 2] }), batchNormalization(), dropout(0.2), dense(1)], { seed: 5 })

async function stateOf(model: Model): Promise<string> {
  const arrays = [...(await model.getWeights()), ...(await model.optimizer.getWeights())]
  return digest([Float64Array.from(arrays.flatMap(({ data }) => Array.from(data, Number)))])
}

/** Digests of what is read back, by format. All are the same if reading and writing work. */
export async function roundTrips(): Promise<Record<string, string>> {
  configure({ relaxedSimd: false })
  const model = make()
  model.compile({ optimizer: 'adam', loss: 'mse' })
  const x = Float32Array.from({ length: 48 }, (_, i) => ((i * 7919) % 101) / 101)
  const data = [
    { data: x, shape: [6, 4, 2] },
    { data: x.subarray(0, 6), shape: [6, 1] },
  ] as const
  await model.fit(...data, { epochs: 2, batchSize: 4, verbose: 0 })
  const out: Record<string, string> = { itself: await stateOf(model) }
  for (const format of ['h5', 'keras'] as const) out[format] = await stateOf(await modelFromBytes(await modelToBytes(model, { format })))
  const weights = async (copy: Model): Promise<string> => digest([Float64Array.from((await copy.getWeights()).flatMap((w) => [...w.data]))])
  out.weights = await weights(model)
  for (const format of ['h5', 'safetensors', 'npz'] as const) {
    const copy = make()
    await weightsFromBytes(copy, await weightsToBytes(model, { format }))
    out[`${format} weights`] = await weights(copy)
  }
  const { modelJson, shards } = await modelToTfjs(model)
  out.tfjs = await weights(await modelFromTfjs(modelJson, shards))
  return out
}
