/** Layers against the golden vectors: outputs, and gradients of inputs and weights. Vectors of single ops are tested with the ops. */
import { createReferenceBackend, createWasmBackend, type DType, Parameter, scope, type Tensor, tensor, valueAndGrad } from '@cotangent/core'
import { describe, expect, test } from 'vitest'
import type { Layer } from '../src/index.js'
import * as layers from '../src/index.js'
import { camelKeys } from '../src/spelling/names.js'
import { goldenTensor, loadGolden } from './golden.js'

const places = [
  { name: 'reference, float64', backend: createReferenceBackend(), dtype: 'float64', rtol: 1e-7, atol: 1e-8 },
  { name: 'wasm, float32', backend: createWasmBackend(), dtype: 'float32', rtol: 1e-3, atol: 1e-4 },
] as const

/** The class, and the parameters of a file that are not the layer's. */
const files: Record<string, { className?: string; not: string[]; weights: string[] }> = {
  'dense.json': { className: 'Dense', not: [], weights: ['kernel', 'bias'] },
  'conv2d.json': { className: 'Conv2D', not: [], weights: ['kernel', 'bias'] },
  'conv1d.json': { className: 'Conv1D', not: [], weights: ['kernel', 'bias'] },
  'pooling.json': { not: ['layer', 'ties', 'tieRule'], weights: [] },
  'batchnorm.json': {
    className: 'BatchNormalization',
    not: ['training'],
    weights: ['gamma', 'beta', 'moving_mean', 'moving_variance'],
  },
}

const classes = new Map<string, unknown>(Object.entries(layers))

describe.each(places)('golden layers ($name)', ({ backend, dtype, rtol, atol }) => {
  const close = async (actual: { data(): Promise<ArrayLike<number>> }, wanted: unknown, what: string): Promise<void> => {
    const got = await actual.data()
    const { data } = goldenTensor(wanted)
    expect(got.length, what).toBe(data.length)
    for (let i = 0; i < data.length; i++)
      if (!(Math.abs(got[i] - data[i]) <= atol + rtol * Math.abs(data[i]))) expect.fail(`${what}[${i}] is ${got[i]}, expected ${data[i]}`)
  }
  const place = (value: unknown, type: DType = dtype) => {
    const { shape, data } = goldenTensor(value)
    return tensor(data, { shape, dtype: type, backend })
  }

  for (const [file, { className, not, weights: names }] of Object.entries(files)) {
    if (className && !classes.has(className)) continue
    for (const { name, params, inputs, expected } of loadGolden(file)) {
      test(`${file}: ${name}`, async () => {
        const config = Object.fromEntries(Object.entries(camelKeys(params)).filter(([key]) => !not.includes(key)))
        const layer = (classes.get(className ?? (params.layer as string)) as { fromConfig(config: object): Layer }).fromConfig(config)
        const x = new Parameter(place(inputs.x))
        layer.build([null, ...x.shape.slice(1)], { key: [0, 0], dtype, backend })
        const present = names.filter((weight) => weight in inputs)
        scope(() => layer.setWeights(present.map((weight) => place(inputs[weight]))))

        const training = params.training === true
        const sources = [x, ...layer.trainableWeights]
        const { output, grads } = scope(() => {
          let y: Tensor = x
          const { grads } = valueAndGrad(sources, () => {
            y = layer.call(x, { training }).keep()
            return y.mul(place(inputs.grad_output)).sum()
          })
          return { output: y, grads }
        })
        await close(output, expected.output, 'output')
        await close(grads[0], expected.grad_x, 'grad_x')
        for (const [i, weight] of present.slice(0, layer.trainableWeights.length).entries())
          await close(grads[i + 1], expected[`grad_${weight}`], `grad_${weight}`)
        if (training) {
          const [mean, variance] = layer.weights.slice(-2)
          await close(mean, expected.new_moving_mean, 'moving mean')
          await close(variance, expected.new_moving_variance_keras2, 'moving variance')
        }
        for (const t of [x, output, ...grads]) t.dispose()
        layer.dispose()
        expect(backend.memory(), 'leaked memory').toMatchObject({ buffers: 0, bytes: 0 })
      })
    }
  }
})
