/** The data that a layer is adapted to: one array or tensor, or batches of them. */
import { ShapeError, Tensor } from '@cotangent/core'
import { type Data, type HostArray, isShaped, isTyped, readHost } from '../../host-data.js'

/** Samples along the first axis, or batches of them: a list of tensors, a generator, anything that can be iterated. */
export type AdaptData = Data | Iterable<Data> | AsyncIterable<Data>

/** The batches one by one, on the host. */
export async function* hostBatches(what: string, data: AdaptData): AsyncGenerator<HostArray> {
  for await (const one of batchesOf(data)) {
    if (one instanceof Tensor) one.requireLive(what)
    const read: HostArray = one instanceof Tensor ? { shape: one.shape, data: await one.data() } : readHost(what, one)
    if (read.shape.length === 0) throw new ShapeError(`${what}: is a scalar; data need a first axis that counts the samples.`)
    yield read
  }
}

function batchesOf(data: AdaptData): Iterable<Data> | AsyncIterable<Data> {
  const isOne = data instanceof Tensor || isShaped(data) || isTyped(data) || typeof data !== 'object' || data === null
  if (isOne) return [data as Data]
  if (Array.isArray(data)) {
    const isList = data.length > 0 && data.every((item) => item instanceof Tensor || isShaped(item))
    return isList ? (data as readonly Data[]) : [data as Data]
  }
  return Symbol.asyncIterator in data || Symbol.iterator in data ? (data as Iterable<Data>) : [data as Data]
}
