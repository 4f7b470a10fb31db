import { afterAll, describe, expect, test } from 'vitest'
import { createGpuBackend } from '../src/backends/gpu/index.js'
import { type Backend, createReferenceBackend, createWasmBackend, defineOp, registry } from '../src/index.js'
import { checkAgainstDifferences, differences, drawInputs, run } from './sweep.js'

const reference = createReferenceBackend()
const ops = [...registry.values()].filter((op) => op.samples.length > 0)

/**
 * Tolerances, relative to 1 + |reference|. Kernels round to float32 (6e-8) and sum up to 130 products in float32, where the reference sums in float64;
 * derivatives go through one and two more such sums of values up to about 100.
 */
const backends: { name: string; backend: Backend; tolerance: { value: number; first: number; second: number } }[] = [
  { name: 'wasm', backend: createWasmBackend(), tolerance: { value: 1e-5, first: 1e-4, second: 1e-3 } },
  { name: 'gpu (webasm)', backend: await createGpuBackend({ mode: 'webasm' }), tolerance: { value: 3e-5, first: 2e-4, second: 2e-3 } },
  // Sums in float64, results in float32.
  { name: 'gpu (cpu)', backend: await createGpuBackend({ mode: 'cpu' }), tolerance: { value: 1e-5, first: 1e-4, second: 1e-3 } },
]

let cases = 0
let comparisons = 0
afterAll(() => {
  console.log(
    `op sweep: ${ops.length} ops × their samples = ${cases} cases on 1 + ${backends.length} backends; ${comparisons} derivatives against central differences`,
  )
})

describe('reference: derivatives equal central differences', () => {
  test.each(ops.map((op) => [op.name, op] as const))('%s', (_, op) => {
    const before = reference.memory()
    op.samples.forEach((sample, i) => {
      cases++
      comparisons += checkAgainstDifferences(op, sample, drawInputs(op, sample, i), reference)
    })
    expect(reference.memory(), 'leaked memory').toEqual(before)
  })
})

describe.each(backends)('$name: values, gradients and second derivatives equal the reference', ({ backend, tolerance }) => {
  test.each(ops.map((op) => [op.name, op] as const))('%s', (_, op) => {
    op.samples.forEach((sample, i) => {
      const inputs = drawInputs(op, sample, i)
      const want = run(op, sample, inputs, reference, 'float32')
      const { buffers, bytes } = backend.memory()
      const got = run(op, sample, inputs, backend, 'float32')
      expect(differences(got, want, tolerance), `sample ${i}: ${JSON.stringify(sample)}`).toEqual([])
      expect(backend.memory(), 'leaked memory').toMatchObject({ buffers, bytes })
    })
  })
})

describe('the sweep can fail', () => {
  const broken = (name: string, wrong: number) => {
    defineOp({
      name,
      rule: 'dX = dY·(1 − y²), but wrong',
      shape: ([x]) => x,
      forward: (k, out, [x]) => k.map(out, x, 'tanh'),
      vjp: ({ dY, y }, _, { mul, sub, square }) => [() => mul(dY, mul(sub(1, square(y)), wrong))],
      samples: [{ inputs: [[3, 5]] }],
    })
    const op = registry.get(name)
    registry.delete(name)
    if (!op) throw new Error('not registered')
    return op
  }
  test('a derivative broken on purpose is found', () => {
    const op = broken('brokenTanh', 1.001)
    expect(() => checkAgainstDifferences(op, op.samples[0], drawInputs(op, op.samples[0], 0), reference)).toThrow(
      /brokenTanh: derivative for element 0 of input 0/,
    )
  })
  test('the same op with the right derivative passes', () => {
    const op = broken('rightTanh', 1)
    expect(checkAgainstDifferences(op, op.samples[0], drawInputs(op, op.samples[0], 0), reference)).toBe(30)
  })
})
