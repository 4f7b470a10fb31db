/** The golden vectors of core's layers, on the reference in float64 and on the fast backends in float32. Also checks that a package claims each file. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  add,
  type Backend,
  conv1d,
  conv2d,
  createReferenceBackend,
  createWasmBackend,
  type DType,
  gather,
  lstmCell,
  matMul,
  max,
  maxPool1d,
  maxPool2d,
  mean,
  notEqual,
  relu,
  scope,
  sigmoid,
  slice,
  softmax,
  squeeze,
  stack,
  type Tensor,
  tanh,
  transpose,
  vjp,
  withBackend,
  zeros,
} from '../src/index.js'
import { expectClose, type GoldenTensor, goldenFiles, loadGolden, type Tolerance, tensorOf, tolerances } from './golden.js'

interface Place {
  name: string
  backend: Backend
  floats: DType
  tolerance: Tolerance
  loose: Tolerance
}
const places: Place[] = [
  {
    name: 'reference float64',
    backend: createReferenceBackend(),
    floats: 'float64',
    tolerance: tolerances.float64,
    loose: tolerances.float64,
  },
  { name: 'wasm float32', backend: createWasmBackend(), floats: 'float32', tolerance: tolerances.float32, loose: tolerances.loose },
]

interface Lstm {
  units: number
  activation: string
  recurrent_activation: string
  use_bias: boolean
  return_sequences: boolean
  go_backwards: boolean
  dropout: number
}
const lstm = loadGolden<Lstm>('lstm').cases
/** The cases that core's lstmCell can run: sigmoid gates, tanh, a bias, and no mask, dropout or initial state. */
const plainLstm = lstm.filter(
  ({ params, inputs }) =>
    params.recurrent_activation === 'sigmoid' &&
    params.activation === 'tanh' &&
    params.use_bias &&
    params.dropout === 0 &&
    !('mask' in inputs || 'initial_state' in inputs),
)

/** The files that the tests below run. */
const run = ['conv1d', 'conv2d', 'dense', 'pooling']

/** For each file, the package whose tests run it. */
const claims: Record<string, string> = {
  'activations.json': 'layers',
  'batchnorm.json': 'layers',
  'bidirectional.json': 'layers',
  'callbacks.json': 'layers',
  'conv1d.json': 'core',
  'conv2d.json': 'core',
  'dense.json': 'core',
  'embedding.json': 'layers',
  'fit.json': 'layers',
  'generator.json': 'datasets; evaluate_generator in layers',
  'gru.json': 'layers',
  'h5/keras22_dense_adam.h5': 'with its .json',
  'h5/keras22_dense_adam.json': 'layers',
  'h5/links.h5': 'layers',
  'h5/newest.h5': 'with its .json',
  'h5/newest.json': 'layers',
  'h5/oldest.h5': 'with its .json',
  'h5/oldest.json': 'layers',
  'h5/texts.h5': 'layers',
  'h5/weights_lstm.h5': 'with its .json',
  'h5/weights_lstm.json': 'layers',
  'initializers.json': 'layers',
  'losses.json': 'layers',
  'lstm.json': 'layers',
  'masks.json': 'layers; but masked losses, whose mean in Keras 3 is over what is valid',
  'metrics.json': 'layers',
  'numpy_rng.json': 'datasets',
  'optimizers.json': 'layers',
  'pooling.json': 'core',
  'preprocessing.json': 'datasets',
  'regularizers.json': 'layers',
  'simple_rnn.json': 'layers',
  'text_output.json': 'layers',
}

const activations: Record<string, (x: Tensor) => Tensor> = { linear: (x) => x, relu, softmax, tanh, sigmoid }

/** Runs f on named inputs, pulls `grad_output` back through it, and compares output and gradients with the expected ones. */
async function check(
  { backend, floats }: Place,
  tolerance: Tolerance,
  inputs: Record<string, GoldenTensor>,
  names: readonly string[],
  f: (xs: Record<string, Tensor>) => Tensor,
  expected: Record<string, GoldenTensor>,
): Promise<void> {
  const before = backend.memory()
  const xs = names.map((name) => tensorOf(inputs[name], backend, floats))
  const u = tensorOf(inputs.grad_output, backend, floats)
  const { value, grads } = withBackend(backend, () =>
    vjp((...args) => f(Object.fromEntries(names.map((name, i) => [name, args[i]]))), xs, u),
  )
  await expectClose(value, expected.output, tolerance, 'output')
  for (const [i, name] of names.entries()) await expectClose(grads[i], expected[`grad_${name}`], tolerance, `grad_${name}`)
  for (const tensor of [...xs, u, value, ...grads]) tensor.dispose()
  expect(backend.memory(), 'leaked memory').toMatchObject({ buffers: before.buffers, bytes: before.bytes })
}

const withBias = (y: Tensor, bias: Tensor | undefined): Tensor => (bias ? add(y, bias) : y)
const weights = (params: { use_bias: boolean }): string[] => ['x', 'kernel', ...(params.use_bias ? ['bias'] : [])]

describe.each(places)('golden on $name', (place) => {
  interface Dense {
    activation: string
    use_bias: boolean
  }
  describe('dense', () => {
    test.each(loadGolden<Dense>('dense').cases.map((c) => [c.name, c] as const))('%s', async (_, { params, inputs, expected }) => {
      const f = ({ x, kernel, bias }: Record<string, Tensor>): Tensor => activations[params.activation](withBias(matMul(x, kernel), bias))
      await check(place, place.tolerance, inputs, weights(params), f, expected)
    })
  })

  interface Conv2d extends Dense {
    strides: [number, number]
    dilation_rate: [number, number]
    padding: 'valid' | 'same'
    data_format: 'channels_first' | 'channels_last'
  }
  describe('conv2d', () => {
    test.each(loadGolden<Conv2d>('conv2d').cases.map((c) => [c.name, c] as const))('%s', async (_, { params, inputs, expected }) => {
      const first = params.data_format === 'channels_first'
      const f = ({ x, kernel, bias }: Record<string, Tensor>): Tensor => {
        const { strides, padding, dilation_rate: dilation } = params
        const y = conv2d(first ? transpose(x, [0, 2, 3, 1]) : x, kernel, { strides, padding, dilation })
        const z = activations[params.activation](withBias(y, bias))
        return first ? transpose(z, [0, 3, 1, 2]) : z
      }
      await check(place, place.tolerance, inputs, weights(params), f, expected)
    })
  })

  interface Conv1d extends Dense {
    strides: number
    dilation_rate: number
    padding: 'valid' | 'same' | 'causal'
  }
  describe('conv1d', () => {
    test.each(loadGolden<Conv1d>('conv1d').cases.map((c) => [c.name, c] as const))('%s', async (_, { params, inputs, expected }) => {
      const { strides: stride, padding, dilation_rate: dilation } = params
      const f = ({ x, kernel, bias }: Record<string, Tensor>): Tensor =>
        activations[params.activation](withBias(conv1d(x, kernel, { stride, padding, dilation }), bias))
      await check(place, place.tolerance, inputs, weights(params), f, expected)
    })
  })

  interface Pool {
    layer: 'MaxPooling2D' | 'MaxPooling1D' | 'GlobalMaxPooling1D' | 'GlobalAveragePooling1D'
    pool_size: [number, number] | number
    strides: [number, number] | number | null
    padding: 'valid' | 'same'
    data_format?: string
  }
  describe('pooling', () => {
    test.each(loadGolden<Pool>('pooling').cases.map((c) => [c.name, c] as const))('%s', async (_, { params, inputs, expected }) => {
      const { layer, pool_size, strides, padding, data_format } = params
      const f = ({ x }: Record<string, Tensor>): Tensor => {
        if (layer === 'GlobalMaxPooling1D') return max(x, { axis: 1 })
        if (layer === 'GlobalAveragePooling1D') return mean(x, { axis: 1 })
        if (layer === 'MaxPooling1D') return maxPool1d(x, pool_size as number, { stride: (strides ?? pool_size) as number, padding })
        const pool = (images: Tensor): Tensor =>
          maxPool2d(images, pool_size as [number, number], { strides: (strides ?? pool_size) as [number, number], padding })
        return data_format === 'channels_first' ? transpose(pool(transpose(x, [0, 2, 3, 1])), [0, 3, 1, 2]) : pool(x)
      }
      await check(place, place.tolerance, inputs, ['x'], f, expected)
    })
  })

  describe('embedding', () => {
    const { cases } = loadGolden<{ mask_zero: boolean }>('embedding')
    test.each(cases.map((c) => [c.name, c] as const))('%s', async (_, { params, inputs, expected }) => {
      const indices = tensorOf(inputs.indices, place.backend)
      const f = ({ embeddings }: Record<string, Tensor>): Tensor => gather(embeddings, indices)
      await check(place, place.tolerance, inputs, ['embeddings'], f, expected)
      if (params.mask_zero) {
        using mask = notEqual(indices, 0)
        expect([...(await mask.data())]).toEqual(expected.mask.data)
      }
      indices.dispose()
    })
  })

  describe('lstm, unrolled with lstmCell', () => {
    test.each(plainLstm.map((c) => [c.name, c] as const))('%s', async (_, { params, inputs, expected }) => {
      const names = ['x', 'kernel', 'recurrent_kernel', 'bias']
      await check(place, place.loose, inputs as Record<string, GoldenTensor>, names, (xs) => unrollLstm(params, xs).output, expected)

      const { h, c } = scope(() => {
        const xs = Object.fromEntries(names.map((name) => [name, tensorOf(inputs[name], place.backend, place.floats)]))
        const { h, c } = unrollLstm(params, xs)
        return { h, c }
      })
      const state = expected.final_state as unknown as GoldenTensor[]
      await expectClose(h, state[0], place.loose, 'h')
      await expectClose(c, state[1], place.loose, 'c')
      h.dispose()
      c.dispose()
    })
  })
})

/** Runs every step of an LSTM over x [n, t, in]; outputs are in the order they were computed. */
function unrollLstm(params: Lstm, { x, kernel, recurrent_kernel, bias }: Record<string, Tensor>): { output: Tensor; h: Tensor; c: Tensor } {
  const [n, steps, features] = x.shape
  let h: Tensor = zeros([n, params.units], { dtype: x.dtype, backend: x.backend })
  let c: Tensor = zeros([n, params.units], { dtype: x.dtype, backend: x.backend })
  const outputs: Tensor[] = []
  for (let step = 0; step < steps; step++) {
    const t = params.go_backwards ? steps - 1 - step : step
    const state = lstmCell(squeeze(slice(x, [0, t, 0], [n, 1, features]), 1), h, c, kernel, recurrent_kernel, bias)
    h = squeeze(slice(state, [0], [1]), 0)
    c = squeeze(slice(state, [1], [1]), 0)
    outputs.push(h)
  }
  return { output: params.return_sequences ? stack(outputs, 1) : h, h, c }
}

describe("every fixture is somebody's", () => {
  test('no file is unclaimed, and no claim is for a file that is gone', () => {
    // io-keras3-golden.test.ts goes over the folder keras/; files of wave2/ are named by their tests.
    const elsewhere = (file: string): boolean => /^(keras|wave2)\//.test(file)
    expect(goldenFiles().filter((file) => !elsewhere(file))).toEqual(Object.keys(claims).sort())
  })
  test('each file of wave2/ is read by a test', () => {
    const nobody = 'nobody' // to see that a file without a test is found
    const files = [...goldenFiles().filter((file) => file.startsWith('wave2/')), `wave2/${nobody}.json`]
    const packages = join(import.meta.dirname, '../..')
    const tests = readdirSync(packages, { recursive: true, encoding: 'utf8' })
      .filter((path) => /^\w+\/(src|test)\/.*\.test\.ts$/.test(path))
      .map((path) => readFileSync(join(packages, path), 'utf8'))
    const unread = files.map((file) => file.replace(/\.json$/, '')).filter((file) => !tests.some((text) => text.includes(`'${file}'`)))
    expect(unread).toEqual([`wave2/${nobody}`])
  })
  test('files claimed here are run above', () => {
    const here = Object.keys(claims).filter((file) => claims[file] === 'core')
    expect(here.map((file) => file.replace(/\.json$/, '')).sort()).toEqual([...run].sort())
    expect(plainLstm.length).toBeGreaterThan(0)
  })
  test('a comparison can fail, and names the element', async () => {
    const backend = places[0].backend
    const want: GoldenTensor = { shape: [2], dtype: 'float64', data: [1, 2] }
    using close = tensorOf({ ...want, data: [1, 2 + 1e-8] }, backend, 'float64')
    using far = tensorOf({ ...want, data: [1, 2 + 1e-6] }, backend, 'float64')
    using bad = tensorOf({ ...want, data: [Number.NaN, 2] }, backend, 'float64')
    await expectClose(close, want, tolerances.float64)
    await expect(expectClose(far, want, tolerances.float64)).rejects.toThrow('element 1 is 2.000001, expected 2')
    await expect(expectClose(bad, want, tolerances.float64)).rejects.toThrow('element 0 is NaN')
    await expect(expectClose(close, { ...want, shape: [1, 2] }, tolerances.float64)).rejects.toThrow('shape [2], expected [1, 2]')
  })
})
