/**
 * Every fused kernel of the gpu backend against its definition, the composition, which the reference runs. Each op with a fused kernel is called
 * with its own samples, on the engines of conformance.test.ts; more samples cover sizes for which a kernel takes another path.
 *
 * The tolerance is relative to 1 + |reference|: sums of up to 130 products in float32, as in the sweep. Long sums of a filter's gradient stay below it, too.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type OpDefinition, registry, type Sample } from '../../src/autodiff/op.js'
import { convert, isFloat, type TypedArray } from '../../src/tensor/dtype.js'
import { distance, drawInputs, type HostInput } from '../sweep.js'
import '../../src/ops/index.js'
import type { Backend } from '../../src/backends/backend.js'
import { createGpuBackend, type GpuBackendOptions, type GpuBackendSeams } from '../../src/backends/gpu/index.js'
import { brokenRules } from '../../src/backends/gpu/source/rules.js'
import { createReferenceBackend } from '../../src/backends/reference/index.js'
import { scope } from '../../src/tensor/scope.js'
import { fromHost } from '../../src/tensor/tensor.js'

const TOLERANCE = 3e-5
const reference = createReferenceBackend()

function value(op: OpDefinition, sample: Sample<object>, inputs: readonly HostInput[], backend: Backend): TypedArray {
  return scope(() => {
    const tensors = inputs.map(({ values, shape, dtype }) => {
      const type = isFloat(dtype) ? 'float32' : dtype
      return fromHost(backend, convert(values, type), shape, type)
    })
    return backend.readSync!(op.call(tensors, sample.options ?? {}).storage)
  })
}

const plain = { masked: false, goBackwards: false, dropped: false, recurrentActivation: 'sigmoid' }
const all = { ...plain, masked: true, goBackwards: true, dropped: true }
const dropped = { ...plain, dropped: true }
const weights = (shape: number[]) => ({ shape, low: -0.4, high: 0.4 })
/** Samples for paths that the ops' own samples do not reach. */
const more: Record<string, Sample<object>[]> = {
  affine: [33, 36].map((n) => ({ inputs: [[30, 150], weights([150, n]), [n]], options: { relu: n === 36 } })),
  conv2d: [
    { inputs: [[2, 10, 9, 8], weights([3, 3, 8, 12]), [12]], options: { strides: [1, 2], padding: 'same', relu: true } },
    { inputs: [[1, 6, 5, 200], weights([3, 2, 200, 3]), [3]], options: { padding: 'same', relu: true } },
  ],
  conv2dTranspose: [{ inputs: [[2, 10, 5, 12], weights([3, 3, 8, 12])], options: { size: [10, 9], strides: [1, 2], padding: 'same' } }],
  conv2dFilterGradient: [
    { inputs: [[70, 9, 8, 2], weights([70, 9, 8, 3])], options: { kernelSize: [3, 2], padding: 'same' } },
    { inputs: [[6, 9, 8, 3], weights([6, 9, 8, 8])], options: { kernelSize: [3, 2], padding: 'same' } },
  ],
  depthwiseFilterGradient: [
    { inputs: [[40, 7, 6, 3], weights([40, 4, 3, 3])], options: { kernelSize: [2, 2], strides: [2, 2], padding: 'same' } },
  ],
  softmax: [{ inputs: [{ shape: [3, 300], low: -90, high: 90 }] }],
  // More than seven steps and more than forty-nine: one round and two rounds of putting steps together. And steps large enough for four columns a thread.
  lstmSequence: [
    { inputs: [[3, 9, 8], [3, 2], [3, 2], weights([2, 8]), [3, 2], [3, 9]], options: all },
    { inputs: [[2, 51, 8], [2, 2], [2, 2], weights([2, 8])], options: plain },
    { inputs: [[40, 2, 64], [40, 16], [40, 16], weights([16, 64]), [40, 16]], options: dropped },
  ],
  lstmSequenceGradient: [
    { inputs: [[6, 2, 40, 16], [6, 2, 40, 16], [40, 16], weights([16, 64]), [40, 16]], options: dropped },
    { inputs: [[6, 9, 3, 2], [6, 9, 3, 2], [3, 2], weights([2, 8]), [3, 2], [3, 9]], options: all },
  ],
  gruSequence: [
    { inputs: [[130, 2, 48], [130, 16], weights([16, 48]), [130, 16]], options: { ...dropped, resetAfter: false } },
    { inputs: [[3, 9, 6], [3, 2], weights([2, 6]), [3, 2], [3, 9]], options: { ...all, resetAfter: false } },
    { inputs: [[130, 2, 48], [130, 16], weights([16, 48]), [48], [130, 16]], options: { ...dropped, resetAfter: true } },
    { inputs: [[3, 9, 6], [3, 2], weights([2, 6]), [6], [3, 2], [3, 9]], options: { ...all, resetAfter: true } },
  ],
  gruSequenceGradient: [
    { inputs: [weights([4, 2, 130, 16]), weights([4, 2, 130, 16]), [130, 16], weights([16, 48]), [130, 16]], options: dropped },
    { inputs: [[4, 9, 3, 2], [4, 9, 3, 2], [3, 2], weights([2, 6]), [3, 2], [3, 9]], options: all },
  ],
  gruResetAfterSequenceGradient: [
    { inputs: [weights([5, 2, 130, 16]), weights([5, 2, 130, 16]), [130, 16], weights([16, 48]), [130, 16]], options: dropped },
    { inputs: [[5, 9, 3, 2], [5, 9, 3, 2], [3, 2], weights([2, 6]), [3, 2], [3, 9]], options: all },
  ],
  simpleRnnSequence: [
    { inputs: [[40, 2, 32], [40, 32], weights([32, 32]), [40, 2]], options: { ...plain, masked: true } },
    { inputs: [[3, 51, 2], [3, 2], weights([2, 2]), [3, 2], [3, 51]], options: all },
  ],
  simpleRnnSequenceGradient: [
    { inputs: [[1, 2, 40, 32], [1, 2, 40, 32], weights([32, 32]), [40, 32]], options: dropped },
    { inputs: [[1, 9, 3, 2], [1, 9, 3, 2], weights([2, 2]), [3, 2], [3, 9]], options: all },
  ],
}

const engines: [string, GpuBackendOptions, GpuBackendSeams][] = [
  ['webasm', { mode: 'webasm' }, {}],
  ['cpu', { mode: 'cpu' }, {}],
  ['webasm, folded', { mode: 'webasm' }, { limits: { division: 64 } }],
]

describe.each(engines)('fused kernels on gpu %s', (_, options, seams) => {
  let gpu: Backend
  const sources: string[] = []
  beforeAll(async () => {
    gpu = await createGpuBackend(options, { ...seams, onCompile: (source) => sources.push(source) })
  })
  afterAll(async () => {
    expect(sources.filter((source) => brokenRules(source).length > 0)).toEqual([])
    await gpu.dispose?.()
  })

  const ops = [...registry.values()].filter(({ fused }) => fused)
  test.each(ops.map((op) => [op.name, op] as const))('%s', (name, op) => {
    const samples = [...op.samples, ...(more[name] ?? [])]
    for (const [i, sample] of samples.entries()) {
      const inputs = drawInputs(op, sample, i)
      const before = gpu.memory()
      const [got, want] = [gpu, reference].map((backend) => value(op, sample, inputs, backend))
      expect(distance(got, want), `sample ${i}: ${JSON.stringify(sample)}`).toBeLessThan(TOLERANCE)
      expect(gpu.memory()).toEqual(before)
    }
  })

  test('pooling gives NaN the first place', () => {
    const image: HostInput = {
      values: Float64Array.of(1, Number.NaN, 3, Number.NaN, -5, -4, -6, -3),
      shape: [1, 2, 4, 1],
      dtype: 'float32',
    }
    const [pool, back] = ['maxPool2d', 'maxPool2dGradient'].map((name) => registry.get(name) as OpDefinition)
    const sample = { inputs: [], options: { poolSize: [2, 2], strides: [1, 1], padding: 'same' } }
    const dY: HostInput = { values: Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8), shape: [1, 2, 4, 1], dtype: 'float32' }
    for (const [op, inputs] of [
      [pool, [image]],
      [back, [image, dY]],
    ] as const)
      expect(value(op, sample, inputs, gpu)).toEqual(value(op, sample, inputs, reference))
  })
})
