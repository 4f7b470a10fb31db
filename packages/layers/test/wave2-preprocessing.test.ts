/** Golden vectors of Normalization, Rescaling, CategoryEncoding and Discretization; what `adapt` finds. */
import { getBackend, tensor } from '@cotangent/core'
import { expect, test } from 'vitest'
import { type GoldenTensor, loadGolden } from '../../core/test/golden.js'
import { Discretization, Normalization } from '../src/index.js'
import { type LayerCase, testLayerCases } from './wave2-layers.js'

testLayerCases('wave2/preprocessing', {
  notInputs: ['adapt', 'adapt_batches'],
  // The cases of adapt are run below; here with what it finds.
  options: ({ expected }) => (expected.boundaries ? { binBoundaries: (expected.boundaries as GoldenTensor).data } : {}),
})

const cases = loadGolden('wave2/preprocessing').cases as unknown as readonly LayerCase[]
const adapted = cases.filter(({ inputs }) => 'adapt' in inputs || 'adapt_batches' in inputs)

test.each(adapted)('adapt: $name', async ({ layer: name, params, inputs, expected, weights = [] }) => {
  const batches = ('adapt_batches' in inputs ? inputs.adapt_batches : [inputs.adapt]) as unknown as readonly GoldenTensor[]
  const data = batches.map(({ shape, data: values }) => ({ shape, data: Float64Array.from(values as number[]) }))
  const { inner: _, ...options } = params
  if (name === 'Discretization') {
    const layer = Discretization.fromConfig(options)
    await layer.adapt(data)
    const { data: wanted } = expected.boundaries as GoldenTensor
    expect(layer.binBoundaries?.length).toBe(wanted.length)
    for (const [i, value] of (layer.binBoundaries ?? []).entries()) expect(Math.abs(value - Number(wanted[i]))).toBeLessThan(1e-5)
    return
  }
  const backend = await getBackend('reference')
  for (const before of [true, false]) {
    const layer = Normalization.fromConfig(options)
    if (before) await layer.adapt(data.length === 1 ? data[0] : data)
    layer.build([null, ...inputs.x.shape.slice(1)], { key: [0, 0], dtype: 'float64', backend })
    if (!before) {
      await layer.adapt(tensor([1, 2, 3, 4], { shape: [2, 2] }).add(0) as never).catch(() => {})
      await layer.adapt(data[Symbol.iterator]())
    }
    const got = await layer.getWeights()
    for (const [i, { data: wanted }] of weights.entries()) {
      for (const [j, value] of [...got[i].data].entries()) expect(Math.abs(value - Number(wanted[j]))).toBeLessThan(1e-8)
    }
  }
})
