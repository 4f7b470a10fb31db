/** The golden vectors of resizing, affine sampling and pooling of volumes, and what they do not hold: weights, bad pixels, arguments that do not fit. */
import { describe, expect, test } from 'vitest'
import * as c from '../src/index.js'
import { loadGolden } from './golden.js'
import { checkCase, checkLayerCase, type LayerCase, perAxis, places } from './wave2.js'

type Tensor = c.Tensor
type Params = Record<string, unknown>

const images: Record<string, (x: Tensor, params: Params) => Tensor> = {
  resize: (x, { size, interpolation, antialias }) =>
    c.resize(x, size as [number, number], { interpolation: interpolation as c.Interpolation, antialias: antialias as boolean }),
  affineTransform: (x, { transforms, interpolation, fillMode, fillValue }) =>
    c.affineTransform(x, transforms as number[][], { interpolation, fillMode, fillValue } as c.AffineOptions),
}
const files = ['wave2/resize', 'wave2/affine'].map((name) => ({ name, ...loadGolden<Params & { op: string }>(name) }))

describe.each(files)('$name', ({ cases, tolerance }) => {
  describe.each(places)('on $name', (place) => {
    test.each(cases)('$name', async ({ params, inputs, expected }) => {
      if (!tolerance) throw new Error('no tolerance')
      const run = (x: Tensor): Tensor => images[params.op](x, params)
      const { output, grad_x } = expected
      await checkCase(place, tolerance[place.floats], [inputs.x], run, { output, gradOutput: inputs.grad_output, grads: [grad_x] })
    })
  })
})

const sides = (value: unknown): [number, number][] =>
  perAxis(value, 3).map((side: unknown) => (Array.isArray(side) ? side : [side, side]) as [number, number])
const pool =
  (f: typeof c.maxPool3d) =>
  (x: Tensor, { poolSize, strides, padding }: Params): Tensor => {
    const size = perAxis(poolSize, 3) as [number, number, number]
    const given = strides === null ? undefined : (perAxis(strides, 3) as [number, number, number])
    return f(x, size, { strides: given, padding: padding as 'same' })
  }
/** Over all axes between the batch and the channels. */
const whole =
  (f: typeof c.max) =>
  (x: Tensor, { keepdims }: Params): Tensor =>
    f(x, { axis: x.shape.slice(1, -1).map((_, i) => i + 1), keepDims: keepdims as boolean })

const volumes: Record<string, (x: Tensor, params: Params) => Tensor> = {
  MaxPooling3D: pool(c.maxPool3d),
  AveragePooling3D: pool(c.averagePool3d),
  ZeroPadding3D: (x, { padding }) => c.pad(x, [[0, 0], ...sides(padding), [0, 0]]),
  Cropping3D: (x, { cropping }) => c.crop(x, [[0, 0], ...sides(cropping), [0, 0]]),
  UpSampling3D: (x, { size }) => c.upSample(x, perAxis(size, 3)),
  ...Object.fromEntries(['1D', '2D', '3D'].map((rank) => [`GlobalMaxPooling${rank}`, whole(c.max)])),
  ...Object.fromEntries(['1D', '2D', '3D'].map((rank) => [`GlobalAveragePooling${rank}`, whole(c.mean)])),
}
const pooling = loadGolden('wave2/pool3d')

describe.each(places)('pooling of volumes on $name', (place) => {
  test.each(pooling.cases as unknown as LayerCase[])('$name', async (golden) => {
    if (!pooling.tolerance) throw new Error('no tolerance')
    await checkLayerCase(place, golden, (x, _, params) => volumes[golden.layer](x, params), pooling.tolerance)
  })
})

const { backend } = places[0]
const make = (data: number[], shape: number[]): Tensor => c.tensor(data, { shape, dtype: 'float64', backend })
const flat = async (x: Tensor): Promise<number[]> => Array.from(await x.data())

describe('resize', () => {
  const names = ['nearest', 'bilinear', 'bicubic', 'lanczos3', 'lanczos5'] as const
  test.each(names.flatMap((interpolation) => [true, false].map((antialias) => ({ interpolation, antialias }))))(
    'keeps a constant image, and an image of its own size: $interpolation, antialias $antialias',
    async (options) => {
      const constant = c.full([1, 5, 4, 2], 3, { dtype: 'float64', backend })
      for (const value of await flat(c.resize(constant, [7, 2], options))) expect(value).toBeCloseTo(3, 12)
      const x = c.normal(c.key(1), [2, 3, 4, 2], { dtype: 'float64', backend })
      expect(await flat(c.resize(x, [3, 4], options))).toEqual(await flat(x))
    },
  )
  test('antialias makes means of what an output pixel covers', async () => {
    const x = make([1, 3, 5, 7], [1, 1, 4, 1])
    const means = await flat(c.resize(x, [1, 1], { antialias: true }))
    expect(means[0]).toBeCloseTo(4, 12)
  })
  test('nearest keeps any dtype, and other pixels as they are beside a NaN', async () => {
    const bytes = c.tensor([1, 255], { shape: [1, 1, 2, 1], dtype: 'uint8', backend })
    expect(await flat(c.resize(bytes, [1, 4], { interpolation: 'nearest' }))).toEqual([1, 1, 255, 255])
    expect(await flat(c.resize(make([1, Number.NaN], [1, 1, 2, 1]), [1, 4], { interpolation: 'nearest' }))).toEqual([
      1,
      1,
      Number.NaN,
      Number.NaN,
    ])
    expect(() => c.resize(bytes, [1, 4])).toThrow('float32')
  })
})

describe('affineTransform', () => {
  const row = make([1, 2, 3, 4], [1, 1, 4, 1])
  const moved = (by: number, options: c.AffineOptions): Promise<number[]> => flat(c.affineTransform(row, [[1, 0, by, 0, 1, 0]], options))
  test.each([
    ['reflect', [3, 4, 4, 3], [1, 1, 2, 3]],
    ['wrap', [3, 4, 1, 2], [4, 1, 2, 3]],
    ['nearest', [3, 4, 4, 4], [1, 1, 2, 3]],
    ['constant', [3, 4, 9, 9], [9, 1, 2, 3]],
  ] as const)('%s, in both directions', async (fillMode, left, right) => {
    expect(await moved(2, { fillMode, fillValue: 9 })).toEqual(left)
    expect(await moved(-1, { fillMode, fillValue: 9 })).toEqual(right)
  })
  test('far away, at infinity, and beside an infinite pixel of no weight', async () => {
    expect(await moved(4e15, { fillMode: 'reflect' })).toHaveLength(4)
    expect(await flat(c.affineTransform(row, [[1, 0, 0, 0, 1, 0, -1, 0]], { fillMode: 'constant', fillValue: 9 }))).toContain(9)
    const infinite = make([1, Infinity, 3], [1, 1, 3, 1])
    expect(await flat(c.affineTransform(infinite, [[1, 0, 0, 0, 1, 0]]))).toEqual([1, Infinity, 3])
  })
  test('errors say what is needed', () => {
    expect(() => c.affineTransform(row, [[1, 0, 0]])).toThrow('one list of 6 or 8 numbers is needed for each of the 1 images')
    expect(() => c.affineTransform(row, [])).toThrow('Write affineTransform')
    expect(() =>
      c.crop(row, [
        [0, 0],
        [0, 0],
        [3, 2],
        [0, 0],
      ]),
    ).toThrow('axis 2 has 4 elements')
    expect(() => c.upSample(row, [2])).toThrow('1 axes that the factors are for')
  })
})
