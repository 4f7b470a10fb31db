/**
 * Helpers of the conformance tests: host tensors, one kernel run on two backends, floats compared by units in the last place.
 * Only tests import this file.
 */

import type { Backend, FusedKernels, Kernels, Operand } from '../../src/backends/backend.js'
import { crossEntropyKernels } from '../../src/backends/families/cross-entropy.js'
import { normalizationKernels } from '../../src/backends/families/normalization.js'
import { recurrentKernels } from '../../src/backends/families/recurrent.js'
import { windowKernels } from '../../src/backends/families/windows.js'
import { key, uniformInto } from '../../src/random.js'
import { type DType, hostArray, type TypedArray } from '../../src/tensor/dtype.js'
import { type Shape, sizeOf } from '../../src/tensor/shape.js'

/** A host tensor. */
export interface Host {
  shape: Shape
  dtype: DType
  values: TypedArray
}

const families = [windowKernels, recurrentKernels, normalizationKernels, crossEntropyKernels]

/** Calls one kernel. */
export type Call = (kernels: Kernels, fused: FusedKernels, out: Operand, ...inputs: Operand[]) => void

/** Copies a host tensor to a backend. */
export function operandOn(backend: Backend, { shape, dtype, values }: Host): Operand {
  const size = sizeOf(shape)
  const storage = { handle: backend.alloc(size, dtype), backend, dtype, size, references: 1 }
  backend.write(storage, values)
  return { storage, shape, dtype, size }
}

/** Runs a kernel on a backend, into an output full of garbage, and frees all operands. Throws if the kernel wrote past its output. */
export function compute(backend: Backend, shape: Shape, dtype: DType, inputs: readonly Host[], call: Call): TypedArray {
  const garbage = hostArray(dtype, sizeOf(shape)).fill(dtype === 'float32' ? NaN : 1)
  const out = operandOn(backend, { shape, dtype, values: garbage })
  const operands = inputs.map((input) => operandOn(backend, input))
  for (const family of families) backend.add?.(family)
  try {
    const before = behind(backend, out)
    call(backend.kernels, backend.fused, out, ...operands)
    if (behind(backend, out) !== before) throw new Error('the kernel wrote past the end of its output')
    return backend.readSync!(out.storage)
  } finally {
    for (const { storage } of [out, ...operands]) backend.free(storage)
  }
}

/** The 32 bytes behind an output: the allocator leaves room there, and a kernel must not write to it. */
function behind(backend: Backend, { storage, size, dtype }: Operand): string {
  if (backend.name !== 'wasm') return ''
  const bytes = size * (dtype === 'uint8' ? 1 : 4)
  return backend.readSync!({ ...storage, dtype: 'uint8', size: bytes + 32 })
    .slice(bytes)
    .join()
}

/** Numbers from a seed, evenly spread over [0, 1). */
export function draws(seed: number, size: number): Float32Array {
  const out = new Float32Array(size)
  uniformInto(out, key(seed))
  return out
}

const SPECIAL = [0, -0, 1, -1, NaN, Infinity, -Infinity, 1e-30, -1e30, 3e38, 1e-45, 0.5, 2.5, -1.5]

/** How `host` draws values. int32 values are a hundred times as large; bool and uint8 cover their range. */
export interface Values {
  low?: number
  high?: number
  special?: boolean
  integer?: boolean
}

/** A host tensor of random values made from a seed. */
export function host(
  seed: number,
  shape: Shape,
  dtype: DType,
  { low = -3, high = 3, special = false, integer = false }: Values = {},
): Host {
  const size = sizeOf(shape)
  const u = draws(seed, 2 * size)
  const values = hostArray(dtype, size)
  for (let i = 0; i < size; i++) {
    const x = low + u[2 * i] * (high - low)
    if (dtype === 'bool') values[i] = u[2 * i] < 0.5 ? 0 : 1
    else if (dtype === 'uint8') values[i] = Math.floor(u[2 * i] * 256)
    else if (dtype === 'int32') values[i] = Math.round(x * 100)
    else values[i] = special && u[2 * i + 1] < 0.2 ? SPECIAL[Math.floor(u[2 * i] * SPECIAL.length)] : integer ? Math.round(x) : x
  }
  return { shape, dtype, values }
}

const bits = new Float32Array(1)
const words = new Int32Array(bits.buffer)
/** The number of a float32 when all of them are counted in ascending order, so neighbours differ by 1. Both zeros are 0. */
function position(x: number): number {
  bits[0] = x
  return words[0] < 0 ? -(words[0] & 0x7fffffff) : words[0]
}

/** Throws unless each element is within `ulps` units in the last place, or within an absolute distance, of the expected one. NaN equals NaN. */
export function expectClose(actual: TypedArray, expected: TypedArray, ulps: number, within: (i: number) => number = () => 0): void {
  if (actual.length !== expected.length) throw new Error(`${actual.length} elements, expected ${expected.length}`)
  for (let i = 0; i < actual.length; i++) {
    const [a, e] = [actual[i], expected[i]]
    if (a === e || (Number.isNaN(a) && Number.isNaN(e)) || Math.abs(a - e) <= within(i)) continue
    const apart = Math.abs(position(a) - position(e))
    if (apart > ulps || !(expected instanceof Float32Array)) throw new Error(`element ${i}: ${a}, expected ${e} (${apart} ulp apart)`)
  }
}
