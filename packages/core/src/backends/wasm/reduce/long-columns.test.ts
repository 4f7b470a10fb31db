/** Sums of long columns keep the order of additions that reduce.ts states. */
import { expect, test } from 'vitest'
import { valuesOf } from '../../../../test/helpers.js'
import { createWasmBackend, tensor } from '../../../index.js'

/** Blocks of 512 rows in float32, their totals in float64. */
function columnSum(x: Float32Array, outer: number, length: number, inner: number, column: number): number {
  let total = 0
  for (let begin = 0; begin < length; begin += 512) {
    let block = 0
    for (let l = begin; l < Math.min(length, begin + 512); l++) block = Math.fround(block + x[(outer * length + l) * inner + column])
    total += block
  }
  return Math.fround(total)
}

test.each([
  [1, 1025, 2],
  [1, 1536, 4],
  [1, 2000, 33],
  [3, 1100, 48],
  [7, 1030, 5],
  [1, 5000, 64],
])('[%i, %i, %i] is summed in blocks, in order', (outer, length, inner) => {
  const x = Float32Array.from({ length: outer * length * inner }, (_, i) => Math.sin(i * 1.1) * 10 ** (i % 5))
  const backend = createWasmBackend({ threads: 1 })
  const got = valuesOf(tensor(x, { shape: [outer, length, inner], backend }).sum({ axis: 1 }))
  const want = Array.from({ length: outer * inner }, (_, i) => columnSum(x, Math.floor(i / inner), length, inner, i % inner))
  expect(got).toEqual(want)
  expect(backend.memory().buffers).toBe(2) // x and the sum: the totals of the blocks are given back
})
