/** Updates of an embedding's touched rows: which rules allow them, that they have the bits of a whole update, and that they do not touch other rows. */
import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { updateProgram } from '../../../update.js'
import type { Backend, Operand, UpdateProgram } from '../../backend.js'
import { createWasmBackend } from '../index.js'
import { keepsSlots } from './touched-rows.js'

const descent = updateProgram('test descent', { slots: 1, inputs: 1, scalars: 1 }, ([w], [g], [rate]) => [w.sub(rate.mul(g))])
const adagrad = updateProgram('test adagrad', { slots: 2, inputs: 1, scalars: 2 }, ([w, a], [g], [rate, epsilon]) => {
  const sum = a.add(g.square())
  return [w.sub(rate.mul(g).div(sum.sqrt().add(epsilon))), sum]
})
const momentum = updateProgram('test momentum', { slots: 2, inputs: 1, scalars: 2 }, ([w, v], [g], [rate, mu]) => {
  const next = mu.mul(v).sub(rate.mul(g))
  return [w.add(next), next]
})
const fading = updateProgram('test fading', { slots: 2, inputs: 1, scalars: 3 }, ([w, a], [g], [rate, rho, rest]) => {
  const mean = rho.mul(a).add(rest.mul(g.square()))
  return [w.sub(rate.mul(g).div(mean.sqrt())), mean]
})
const decay = updateProgram('test decay', { slots: 1, inputs: 1, scalars: 2 }, ([w], [g], [rate, weight]) => [
  w.sub(rate.mul(g.add(weight.mul(w)))),
])

describe('which rules leave a parameter alone where the gradient is zero', () => {
  test.each<[UpdateProgram, number[], boolean]>([
    [descent, [0.1], true],
    [descent, [Number.POSITIVE_INFINITY], false],
    [adagrad, [0.1, 1e-7], true],
    // 0 / √0 is NaN, in Keras too
    [adagrad, [0.1, 0], false],
    [momentum, [0.1, 0.9], false],
    [fading, [0.1, 0.9, 0.1], false],
    [decay, [0.1, 0.01], false],
  ])('$name with %j: %s', (program, scalars, expected) => {
    expect(keepsSlots(program, scalars)).toBe(expected)
  })
})

const rows = 24
const width = 5
const backend = createWasmBackend()

function operandOf(shape: number[], values?: Float32Array | Int32Array): Operand {
  const size = shape.reduce((a, b) => a * b, 1)
  const dtype = values instanceof Int32Array ? 'int32' : 'float32'
  const storage = { handle: backend.alloc(size, dtype), backend: backend as Backend, dtype, size, references: 1 } as const
  if (values) backend.write(storage, values)
  return { storage, shape, dtype, size }
}
const read = (x: Operand): Float32Array => backend.readSync?.(x.storage) as Float32Array

/** Updates a matrix. If `known`, `scatterAdd` makes the gradient; else the same values come from the host, so its rows are not known. */
function updated(
  known: boolean,
  program: UpdateProgram,
  scalars: number[],
  indices: number[],
  state: readonly Float32Array[],
): Float32Array[] {
  const slots = state.map((values) => operandOf([rows, width], values))
  const parts = operandOf(
    [indices.length, width],
    Float32Array.from({ length: indices.length * width }, (_, i) => Math.sin(i + 1)),
  )
  const at = operandOf([indices.length], Int32Array.from(indices))
  const gradient = operandOf([rows, width])
  backend.kernels.scatterAdd(gradient, parts, at)
  const input = known ? gradient : operandOf([rows, width], read(gradient))
  backend.fused.update?.([{ slots, inputs: [input] }], program, scalars)
  const after = slots.map(read)
  for (const x of new Set([...slots, parts, at, gradient, input])) backend.free(x.storage)
  return after
}
const someRows = fc.array(fc.integer({ min: 0, max: rows - 1 }), { minLength: 1, maxLength: 30 })
const state = (seed: number): Float32Array[] => {
  const w = Float32Array.from({ length: rows * width }, (_, i) => Math.cos(seed + i))
  w.set([-0, Infinity, -Infinity, Number.NaN])
  return [w, Float32Array.from(w, (_, i) => (i % 7) / 3)]
}

describe('updates of touched rows', () => {
  test.prop([someRows, fc.nat(1000)])('have the bits of an update of all rows', (indices, seed) => {
    const [w, a] = state(seed)
    for (const [program, scalars, slots] of [
      [descent, [0.1], [w]],
      [adagrad, [0.1, 1e-7], [w, a]],
      [momentum, [0.1, 0.9], [w, a]],
      [decay, [0.1, 0.01], [w]],
    ] as const) {
      const [byRows, whole] = [true, false].map((known) => updated(known, program, [...scalars], indices, slots))
      expect(byRows).toEqual(whole)
    }
  })
  test('are not written to other rows, nor read: a state that would spoil them does not', () => {
    const broken = new Float32Array(rows * width).fill(-1)
    broken.fill(1, 3 * width, 5 * width)
    const [w] = state(1)
    const [byRows] = updated(true, adagrad, [0.1, 1e-7], [3, 4, 3], [w, broken])
    const [whole] = updated(false, adagrad, [0.1, 1e-7], [3, 4, 3], [w, broken])
    expect(byRows.slice(3 * width, 5 * width)).toEqual(whole.slice(3 * width, 5 * width))
    expect(byRows.slice(5 * width)).toEqual(w.slice(5 * width))
    expect(whole[6 * width]).toBeNaN()
  })
  test('know nothing of rows that were summed before into the same memory', () => {
    const matrix = operandOf([rows, width])
    const w = operandOf([rows, width], new Float32Array(rows * width))
    for (const indices of [[2], Array.from({ length: rows }, (_, i) => i)]) {
      const at = operandOf([indices.length], Int32Array.from(indices))
      const parts = operandOf([indices.length, width], new Float32Array(indices.length * width).fill(1))
      backend.kernels.scatterAdd(matrix, parts, at)
      for (const x of [at, parts]) backend.free(x.storage)
    }
    backend.fused.update?.([{ slots: [w], inputs: [matrix] }], descent, [1])
    expect(read(w)).toEqual(new Float32Array(rows * width).fill(-1))
    for (const x of [matrix, w]) backend.free(x.storage)
  })
  test('know nothing of values that an update has changed since', () => {
    const indices = operandOf([1], Int32Array.of(2))
    const part = operandOf([1, width], new Float32Array(width).fill(1))
    const matrix = operandOf([rows, width])
    backend.kernels.scatterAdd(matrix, part, indices)
    const all = operandOf([rows, width], new Float32Array(rows * width).fill(1))
    backend.fused.update?.([{ slots: [matrix], inputs: [all] }], descent, [1])
    const w = operandOf([rows, width], new Float32Array(rows * width))
    backend.fused.update?.([{ slots: [w], inputs: [matrix] }], descent, [1])
    expect(read(w)).toEqual(Float32Array.from({ length: rows * width }, (_, i) => (Math.floor(i / width) === 2 ? 0 : 1)))
    for (const x of [indices, part, matrix, all, w]) backend.free(x.storage)
  })
})
