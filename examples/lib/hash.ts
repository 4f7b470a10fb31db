/**
 * SHA-256 of weights and of data, so that anybody can tell whether a training came to the same numbers.
 *
 * Two trainings with the same hash have the same weights to the last bit. README.md beside this file says how to compute it without Cotangent.
 */
import { createHash, type Hash } from 'node:crypto'
import type { Parameter } from '@cotangent/core'
import type { Callback, TrainContext } from '@cotangent/layers'

/** The numbers of an array. */
export type Numbers = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array

/** Adds numbers as little-endian bytes. A NaN has many bit patterns; here it is always 7fc00000, or 7ff8000000000000 in 64 bits. */
function addNumbers(hash: Hash, values: Numbers): void {
  const size = values.BYTES_PER_ELEMENT
  const bytes = new Uint8Array(values.length * size)
  const view = new DataView(bytes.buffer)
  const put: (at: number, value: number) => void =
    values instanceof Float32Array
      ? (at, value) => (Number.isNaN(value) ? view.setUint32(at, 0x7fc00000, true) : view.setFloat32(at, value, true))
      : values instanceof Float64Array
        ? (at, value) => (Number.isNaN(value) ? view.setBigUint64(at, 0x7ff80000_00000000n, true) : view.setFloat64(at, value, true))
        : (at, value) => view.setUint32(at, value, true)
  if (values instanceof Uint8Array) bytes.set(values)
  else for (let i = 0; i < values.length; i++) put(i * size, values[i])
  hash.update(bytes)
}

/**
 * SHA-256 of weights in the order given, which is that of `model.weights`; in hexadecimal.
 *
 * For each weight: a line of text, `kernel float32 784,128\n`, then its numbers in rows, each as four little-endian bytes. The line has the weight's own name without
 * the layer's, whose number depends on what else a program made.
 */
export async function weightsHash(weights: readonly Parameter[]): Promise<string> {
  const hash = createHash('sha256')
  for (const weight of weights) {
    hash.update(`${weight.name?.split('/').at(-1) ?? ''} ${weight.dtype} ${weight.shape.join()}\n`)
    addNumbers(hash, (await weight.data()) as Numbers)
  }
  return hash.digest('hex')
}

/** SHA-256 of the numbers of arrays, one after the other, as little-endian bytes; in hexadecimal. */
export function dataHash(arrays: readonly Numbers[]): string {
  const hash = createHash('sha256')
  for (const values of arrays) addNumbers(hash, values)
  return hash.digest('hex')
}

/** A callback that keeps the hash of the weights at the end of a training. */
export class WeightsWitness implements Callback {
  /** Undefined before the end. */
  sha256?: string
  #model?: TrainContext['model']

  onTrainBegin({ model }: TrainContext): void {
    this.#model = model
  }
  async onTrainEnd(): Promise<void> {
    this.sha256 = await weightsHash(this.#model?.weights ?? [])
  }
}
