/** The two arithmetics in which golden vectors are tested, and comparisons within their tolerance. */
import { type Backend, createReferenceBackend, type DType, getBackend, type Tensor, tensor } from '@cotangent/core'
import { expect } from 'vitest'
import { goldenTensor } from './golden.js'

export interface Arithmetic {
  name: string
  backend: Backend
  dtype: DType
  rtol: number
  atol: number
}

export const float64: Arithmetic = {
  name: 'float64 on reference',
  backend: createReferenceBackend(),
  dtype: 'float64',
  rtol: 1e-7,
  atol: 1e-8,
}
export const float32: Arithmetic = { name: 'float32 on wasm', backend: await getBackend('wasm'), dtype: 'float32', rtol: 1e-4, atol: 1e-5 }
export const arithmetics: readonly Arithmetic[] = [float64, float32]

/** A golden tensor on the device; integers stay integers. */
export function golden(value: unknown, { backend, dtype }: Arithmetic): Tensor {
  const { shape, data } = goldenTensor(value)
  return tensor(data, { shape, dtype: data instanceof Int32Array ? 'int32' : dtype, backend })
}

/** The numbers of a golden tensor, or of a plain list. */
export const numbers = (value: unknown): number[] => (Array.isArray(value) ? (value as number[]) : (value as { data: number[] }).data)

/** Throws unless |a − b| ≤ atol + rtol·|b| for all elements. b may have alternatives; one of them must fit. */
export function expectClose(
  what: string,
  got: ArrayLike<number>,
  want: readonly number[],
  { rtol, atol }: { rtol: number; atol: number },
  other?: readonly number[],
): void {
  expect(got.length, `${what}: number of values`).toBe(want.length)
  const near = (a: number, b: number): boolean => Math.abs(a - b) <= atol + rtol * Math.abs(b)
  const bad = want.findIndex((b, i) => !(near(got[i], b) || (other !== undefined && near(got[i], other[i]))))
  if (bad >= 0) expect.fail(`${what}[${bad}] is ${got[bad]}, expected ${want[bad]}${other ? ` or ${other[bad]}` : ''}`)
}
