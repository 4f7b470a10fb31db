/** Helpers that several test files use: backends, values read at once, and explicit loops to compare with. */

import { type Backend, createReferenceBackend, createWasmBackend, type Shape, type Tensor, withBackend } from '../src/index.js'
import { convert, type DType } from '../src/tensor/dtype.js'
import { stridesOf } from '../src/tensor/shape.js'
import { fromHost } from '../src/tensor/tensor.js'

export const reference = createReferenceBackend()
export const wasm = createWasmBackend()

/** The values of a tensor, read at once. */
export const valuesOf = (t: Tensor): number[] => [...(t.backend.readSync as NonNullable<Backend['readSync']>)(t.storage)]

/** A tensor on the reference backend, float64 unless said otherwise. */
export const make = (values: ArrayLike<number>, shape: Shape = [values.length], dtype: DType = 'float64'): Tensor =>
  fromHost(reference, convert(values, dtype), shape, dtype)

/** Runs `fn` with the reference as the default backend. */
export const onReference = <R>(fn: () => R): R => withBackend(reference, fn)

/** Buffers and bytes that are alive on a backend. */
export const alive = (backend: Backend): { buffers: number; bytes: number } => {
  const { buffers, bytes } = backend.memory()
  return { buffers, bytes }
}

/** Calls `visit` with the coordinates of every cell of a shape, in row-major order. */
export function eachCell(shape: Shape, visit: (at: readonly number[], i: number) => void): void {
  const strides = stridesOf(shape)
  const size = shape.reduce((a, b) => a * b, 1)
  for (let i = 0; i < size; i++)
    visit(
      shape.map((n, axis) => Math.floor(i / strides[axis]) % n),
      i,
    )
}

/** A function that reads an array by coordinates. */
export const reader = (values: readonly number[], shape: Shape): ((at: readonly number[]) => number) => {
  const strides = stridesOf(shape)
  return (at) => values[at.reduce((offset, index, axis) => offset + index * strides[axis], 0)]
}

/** Whether two lists of numbers agree to a tolerance relative to 1 + |b|; NaN equals NaN. */
export function near(a: ArrayLike<number>, b: ArrayLike<number>, tolerance = 1e-9): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) {
    if (Object.is(a[i], b[i])) continue
    if (!(Math.abs(a[i] - b[i]) <= tolerance * (1 + Math.abs(b[i])))) return false
  }
  return true
}

/** Σ a·b */
export const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, x, i) => sum + x * b[i], 0)
