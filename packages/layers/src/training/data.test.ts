/** Rows of host arrays: every type of values, in order and shuffled, narrow and wide samples. */
import { createReferenceBackend, createWasmBackend, type DType, tensor } from '@cotangent/core'
import { describe, expect, test } from 'vitest'
import { rowsOf } from './data.js'

const types = [Float32Array, Float64Array, Int32Array, Uint8Array, Uint8ClampedArray, Int16Array]
const orders = { 'in order': [2, 3, 4], shuffled: [4, 0, 3, 3], 'one sample': [1], none: [] }

describe.each([createWasmBackend(), createReferenceBackend()].map((backend) => [backend.name, backend] as const))('%s', (_, backend) => {
  test.each(types.map((Type) => [Type.name, Type] as const))('%s', async (_, Type) => {
    for (const width of [3, 20]) {
      const data = new Type(5 * width).map((_: number, i: number) => (i % 7) * 1.25)
      const rows = rowsOf('x', { data, shape: [5, width] }, backend)
      for (const [name, samples] of Object.entries(orders))
        for (const dtype of ['float32', 'int32'] as DType[]) {
          const got = rows.take(Int32Array.of(9, ...samples), 1, 1 + samples.length, dtype)
          const values = samples.flatMap((sample) => [...data.subarray(sample * width, (sample + 1) * width)])
          const wanted = tensor(values, { shape: [samples.length, width], dtype, backend })
          expect([got.dtype, got.shape, await got.data()], `${name} ${width} ${dtype}`).toEqual([dtype, wanted.shape, await wanted.data()])
        }
    }
  })
})
