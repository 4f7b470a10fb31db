/**
 * The golden vectors of convolutions: in groups, of each channel, separable, of volumes, and transposed. And what they do not hold: adjoints, plain loops,
 * arguments that do not fit.
 */
import { describe, expect, test } from 'vitest'
import * as c from '../src/index.js'
import { loadGolden } from './golden.js'
import { checkLayerCase, type LayerCase, perAxis, places } from './wave2.js'

type Tensor = c.Tensor
type Params = Record<string, unknown>
type Call = (x: Tensor, kernels: readonly Tensor[], params: Params) => Tensor

const padding = ({ padding }: Params) => padding as 'valid' | 'same'
const pair = (value: unknown): readonly [number, number] => perAxis(value, 2) as [number, number]
const triple = (value: unknown): readonly [number, number, number] => perAxis(value, 3) as [number, number, number]

const window1d = (params: Params) => ({
  stride: perAxis(params.strides, 1)[0],
  dilation: perAxis(params.dilationRate, 1)[0],
  padding: padding(params),
})
const window2d = (params: Params) => ({ strides: pair(params.strides), dilation: pair(params.dilationRate), padding: padding(params) })
const window3d = (params: Params) => ({ strides: triple(params.strides), dilation: triple(params.dilationRate), padding: padding(params) })
const groups = (params: Params): number | undefined => params.groups as number | undefined
const outputPadding = <T>(params: Params, all: (value: unknown) => T): T | undefined =>
  params.outputPadding === undefined ? undefined : all(params.outputPadding)

const calls: Record<string, Call> = {
  Conv1D: (x, [kernel], params) => c.conv1d(x, kernel, { ...window1d(params), groups: groups(params) }),
  Conv2D: (x, [kernel], params) => c.conv2d(x, kernel, { ...window2d(params), groups: groups(params) }),
  Conv3D: (x, [kernel], params) => c.conv3d(x, kernel, { ...window3d(params), groups: groups(params) }),
  DepthwiseConv1D: (x, [kernel], params) => c.depthwiseConv1d(x, kernel, window1d(params)),
  DepthwiseConv2D: (x, [kernel], params) => c.depthwiseConv2d(x, kernel, window2d(params)),
  SeparableConv1D: (x, [depthwise, pointwise], params) => c.separableConv1d(x, depthwise, pointwise, window1d(params)),
  SeparableConv2D: (x, [depthwise, pointwise], params) => c.separableConv2d(x, depthwise, pointwise, window2d(params)),
  Conv1DTranspose: (x, [kernel], params) =>
    c.convTranspose1d(x, kernel, { ...window1d(params), outputPadding: outputPadding(params, (value) => perAxis(value, 1)[0]) }),
  Conv2DTranspose: (x, [kernel], params) =>
    c.convTranspose2d(x, kernel, { ...window2d(params), outputPadding: outputPadding(params, pair) }),
  Conv3DTranspose: (x, [kernel], params) =>
    c.convTranspose3d(x, kernel, { ...window3d(params), outputPadding: outputPadding(params, triple) }),
}

const activations: Record<string, (x: Tensor) => Tensor> = { relu: c.relu, tanh: c.tanh }

/** The layer: its convolution, then the bias, which is the last weight, and the activation. */
function layer(name: string): Call {
  return (x, weights, params) =>
    c.scope(() => {
      const y = calls[name](x, weights, params)
      const z = params.useBias === false ? y : c.add(y, weights[weights.length - 1])
      return typeof params.activation === 'string' ? activations[params.activation](z) : z
    })
}

const files = ['wave2/conv_grouped', 'wave2/conv3d', 'wave2/conv_transpose'].map((name) => ({ name, ...loadGolden(name) }))

describe.each(files)('$name', ({ cases, tolerance }) => {
  describe.each(places)('on $name', (place) => {
    test.each(cases as unknown as LayerCase[])('$name', async (golden) => {
      if (!tolerance) throw new Error('no tolerance')
      await checkLayerCase(place, golden, layer(golden.layer), tolerance)
    })
  })
})

const draw = (seed: number, shape: readonly number[]): Tensor =>
  c.normal(c.key(seed), shape, { dtype: 'float64', backend: places[0].backend })
const inner = async (a: Tensor, b: Tensor): Promise<number> => (await c.sum(c.mul(a, b)).data())[0]

describe('transposed convolutions', () => {
  test.each([
    { padding: 'same', strides: [2, 1, 3], dilation: [1, 2, 1], size: [5, 4, 7] },
    { padding: 'valid', strides: [2, 2, 1], dilation: [1, 1, 2], size: [6, 5, 6] },
  ] as const)('conv3dTranspose is the adjoint of conv3d: $padding', async ({ size, ...options }) => {
    const [y, filter] = [draw(1, [2, ...size, 2]), draw(2, [2, 3, 2, 2, 3])]
    const forward = c.conv3d(y, filter, options)
    const x = draw(3, forward.shape)
    expect(await inner(forward, x)).toBeCloseTo(await inner(y, c.conv3dTranspose(x, filter, size, options)), 9)
  })
  test('an even filter without output padding is cut from the whole result', async () => {
    const [x, filter] = [draw(4, [1, 3, 1]), draw(5, [4, 1, 1])]
    const y = await c.convTranspose1d(x, filter, { stride: 2, padding: 'same', outputPadding: 0 }).data()
    const [a, f] = [await x.data(), await filter.data()]
    const whole = new Float64Array(8)
    for (const [i, v] of a.entries()) for (const [j, w] of f.entries()) whole[2 * i + j] += v * w
    expect(y).toHaveLength(4)
    for (const [i, v] of y.entries()) expect(v).toBeCloseTo(whole[i + 2], 12)
  })
  test('output padding must be less than the stride', () => {
    expect(() => c.convTranspose1d(c.zeros([1, 3, 1]), c.zeros([2, 1, 1]), { stride: 2, outputPadding: 2 })).toThrow('outputPadding')
  })
})

test('a grouped convolution is a convolution of parts', async () => {
  const [x, filter] = [draw(6, [2, 5, 4, 6]), draw(7, [3, 2, 2, 9])]
  const y = c.conv2d(x, filter, { groups: 3, padding: 'same' })
  const parts = c.split(x, 3, 3).map((part, i) => c.conv2d(part, c.split(filter, 3, 3)[i], { padding: 'same' }))
  expect(await y.array()).toEqual(await c.concat(parts, 3).array())
})

test('errors say what does not fit', () => {
  const x = c.zeros([1, 4, 4, 6])
  expect(() => c.conv2d(x, c.zeros([2, 2, 2, 4]), { groups: 3 })).toThrow('4 filters do not divide into 3 groups')
  expect(() => c.conv2d(x, c.zeros([2, 2, 6, 4]), { groups: 2 })).toThrow('channels differ (6 vs 6, in 2 groups)')
  expect(() => c.conv2d(x, c.zeros([2, 2, 6, 4]), { groups: 0 })).toThrow('groups must be a whole number')
  expect(() => c.conv3d(x, c.zeros([2, 2, 6, 4]))).toThrow('need 5 axes')
  expect(() => c.conv3d(c.zeros([1, 2, 2, 2, 1]), c.zeros([3, 1, 1, 1, 1]))).toThrow('larger than the input')
  expect(() => c.separableConv2d(x, c.zeros([2, 2, 6, 1]), c.zeros([1, 1, 5, 3]))).toThrow('pointwise')
})
