/** The golden vectors of normalisation that are of ops. Axes that are not the last one are moved or flattened here, as the layers do. */
import { describe, expect, test } from 'vitest'
import * as c from '../src/index.js'
import { loadGolden } from './golden.js'
import { checkLayerCase, type LayerCase, places } from './wave2.js'

type Tensor = c.Tensor
type Call = (x: Tensor, weights: readonly Tensor[], params: Record<string, unknown>) => Tensor

/** Normalises over `axis` with a function of the last axis: those axes, moved to the end, as one. */
function overAxes(x: Tensor, weights: readonly Tensor[], axis: unknown, f: (x: Tensor, weights: readonly Tensor[]) => Tensor): Tensor {
  const axes = (Array.isArray(axis) ? (axis as number[]) : [(axis as number | undefined) ?? -1]).map((a) => (a < 0 ? a + x.rank : a))
  const order = [...x.shape.map((_, i) => i).filter((i) => !axes.includes(i)), ...axes]
  const moved = c.transpose(x, order)
  const y = f(c.reshape(moved, [...moved.shape.slice(0, -axes.length), -1]), weights.map(c.flatten))
  return c.transpose(
    c.reshape(y, moved.shape),
    order.map((_, i) => order.indexOf(i)),
  )
}

const calls: Record<string, Call> = {
  RMSNormalization: (x, weights, { axis, epsilon }) =>
    overAxes(x, weights, axis, (rows, [gamma]) => c.rmsNorm(rows, { gamma, epsilon: epsilon as number | undefined })),
  LayerNormalization: (x, weights, { axis, epsilon }) =>
    overAxes(x, weights, axis, (rows, [gamma, beta]) => c.layerNorm(rows, { gamma, beta, epsilon: epsilon as number | undefined })),
  GroupNormalization: (x, weights, { axis, groups, epsilon, center = true, scale = true }) =>
    overAxes(x, weights, axis, (images, [first, second]) =>
      c.groupNorm(images, groups === -1 ? images.shape[images.rank - 1] : (groups as number), {
        gamma: scale ? first : undefined,
        beta: center ? (scale ? second : first) : undefined,
        epsilon: epsilon as number | undefined,
      }),
    ),
  BatchNormalization: (x, weights, { axis }) =>
    overAxes(x, weights, axis, (rows, [gamma, beta, mean, variance]) => c.batchNorm(rows, mean, variance, { gamma, beta })),
}
/** Layers that no op stands for: they are tested with the layers. */
const layersAlone = ['UnitNormalization', 'SpectralNormalization']

const file = loadGolden('wave2/norm')
const cases = file.cases as unknown as LayerCase[]

test('every case is run here or belongs to a layer', () => {
  expect(cases.filter(({ layer }) => !(layer in calls) && !layersAlone.includes(layer))).toEqual([])
})

describe.each(places)('normalisation of wave2 on $name', (place) => {
  test.each(cases.filter(({ layer }) => layer in calls))('$name', async (golden) => {
    if (!file.tolerance) throw new Error('no tolerance')
    await checkLayerCase(place, golden, (x, weights, params) => c.scope(() => calls[golden.layer](x, weights, params)), file.tolerance)
  })
})

test('one group is layerNorm of the whole sample, and errors say what does not fit', async () => {
  const x = c.normal(c.key(3), [2, 3, 4])
  const whole = c.layerNorm(x.reshape([2, 12])).reshape([2, 3, 4])
  expect(await c.groupNorm(x, 1).array()).toEqual(await whole.array())
  expect(() => c.groupNorm(x, 3)).toThrow('4 channels do not divide into 3 groups')
  expect(() => c.rmsNorm(x, { gamma: c.zeros([3]) })).toThrow('gamma needs one number for each position')
})
