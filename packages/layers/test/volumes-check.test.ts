/** Runs the harness of all layers on layers of volumes, and on convolutions of sequences that came with Keras 3. wave2-*.test.ts test their values. */
import { tensor } from '@cotangent/core'
import { describe, expect, test } from 'vitest'
import * as l from '../src/index.js'
import { checkLayer, type LayerCheck } from './check-layer.js'

const volume = { inputShape: [3, 4, 2, 2] }
const checks: Record<string, LayerCheck> = {
  Conv3D: {
    make: () => l.conv3d(3, [2, 3, 2], { activation: 'tanh', padding: 'same', strides: [1, 2, 1] }),
    fromConfig: l.Conv3D.fromConfig,
    ...volume,
    outputShape: [3, 2, 2, 3],
    weightShapes: [[2, 3, 2, 2, 3], [3]],
  },
  'Conv3D, groups, channels first': {
    make: () => l.conv3d(4, 2, { groups: 2, dataFormat: 'channelsFirst' }),
    fromConfig: l.Conv3D.fromConfig,
    inputShape: [2, 3, 3, 2],
    outputShape: [4, 2, 2, 1],
    weightShapes: [[2, 2, 2, 1, 4], [4]],
  },
  'Conv2D, groups': {
    make: () => l.conv2d(4, 2, { groups: 2, activation: 'relu' }),
    fromConfig: l.Conv2D.fromConfig,
    inputShape: [4, 4, 2],
    outputShape: [3, 3, 4],
    weightShapes: [[2, 2, 1, 4], [4]],
  },
  Conv1DTranspose: {
    make: () => l.conv1dTranspose(2, 3, { strides: 2, outputPadding: 1 }),
    fromConfig: l.Conv1DTranspose.fromConfig,
    inputShape: [4, 3],
    outputShape: [10, 2],
    weightShapes: [[3, 2, 3], [2]],
  },
  Conv3DTranspose: {
    make: () => l.conv3dTranspose(2, 2, { strides: 2, padding: 'same' }),
    fromConfig: l.Conv3DTranspose.fromConfig,
    inputShape: [2, 1, 2, 3],
    outputShape: [4, 2, 4, 2],
    weightShapes: [[2, 2, 2, 2, 3], [2]],
  },
  DepthwiseConv1D: {
    make: () => l.depthwiseConv1d(3, { depthMultiplier: 2, padding: 'same' }),
    fromConfig: l.DepthwiseConv1D.fromConfig,
    inputShape: [5, 2],
    outputShape: [5, 4],
    weightShapes: [[3, 2, 2], [4]],
  },
  SeparableConv1D: {
    make: () => l.separableConv1d(3, 2, { padding: 'causal', activation: 'tanh' }),
    fromConfig: l.SeparableConv1D.fromConfig,
    inputShape: [5, 2],
    outputShape: [5, 3],
    weightShapes: [[2, 2, 1], [1, 2, 3], [3]],
  },
  MaxPooling3D: {
    make: () => l.maxPooling3d({ poolSize: [1, 2, 2] }),
    fromConfig: l.MaxPooling3D.fromConfig,
    ...volume,
    outputShape: [3, 2, 1, 2],
  },
  AveragePooling3D: {
    make: () => l.averagePooling3d({ poolSize: 2, strides: 1, padding: 'same' }),
    fromConfig: l.AveragePooling3D.fromConfig,
    ...volume,
    outputShape: [3, 4, 2, 2],
  },
  AdaptiveAveragePooling1D: {
    make: () => l.adaptiveAveragePooling1d(3),
    fromConfig: l.AdaptiveAveragePooling1D.fromConfig,
    inputShape: [4, 2],
    outputShape: [3, 2],
  },
  AdaptiveAveragePooling2D: {
    make: () => l.adaptiveAveragePooling2d([3, 1], { dataFormat: 'channelsFirst' }),
    fromConfig: l.AdaptiveAveragePooling2D.fromConfig,
    inputShape: [2, 5, 2],
    outputShape: [2, 3, 1],
  },
  AdaptiveAveragePooling3D: {
    make: () => l.adaptiveAveragePooling3d([2, 4, 1]),
    fromConfig: l.AdaptiveAveragePooling3D.fromConfig,
    ...volume,
    outputShape: [2, 4, 1, 2],
  },
  AdaptiveMaxPooling1D: {
    make: () => l.adaptiveMaxPooling1d(2),
    fromConfig: l.AdaptiveMaxPooling1D.fromConfig,
    inputShape: [5, 2],
    outputShape: [2, 2],
  },
  AdaptiveMaxPooling2D: {
    make: () => l.adaptiveMaxPooling2d(2),
    fromConfig: l.AdaptiveMaxPooling2D.fromConfig,
    inputShape: [3, 4, 2],
    outputShape: [2, 2, 2],
  },
  AdaptiveMaxPooling3D: {
    make: () => l.adaptiveMaxPooling3d(2),
    fromConfig: l.AdaptiveMaxPooling3D.fromConfig,
    ...volume,
    outputShape: [2, 2, 2, 2],
  },
  GlobalMaxPooling3D: {
    make: () => l.globalMaxPooling3d({ keepdims: true }),
    fromConfig: l.GlobalMaxPooling3D.fromConfig,
    inputShape: [2, 1, 2, 6],
    outputShape: [1, 1, 1, 6],
  },
  GlobalAveragePooling3D: {
    make: () => l.globalAveragePooling3d({ dataFormat: 'channelsFirst' }),
    fromConfig: l.GlobalAveragePooling3D.fromConfig,
    inputShape: [6, 2, 1, 2],
    outputShape: [6],
  },
  ZeroPadding3D: {
    make: () =>
      l.zeroPadding3d({
        padding: [
          [1, 0],
          [0, 2],
          [1, 1],
        ],
      }),
    fromConfig: l.ZeroPadding3D.fromConfig,
    inputShape: [2, 1, 2, 2],
    outputShape: [3, 3, 4, 2],
  },
  Cropping3D: {
    make: () => l.cropping3d({ cropping: [1, 1, 0] }),
    fromConfig: l.Cropping3D.fromConfig,
    inputShape: [4, 4, 2, 2],
    outputShape: [2, 2, 2, 2],
  },
  UpSampling3D: {
    make: () => l.upSampling3d({ size: [1, 2, 1] }),
    fromConfig: l.UpSampling3D.fromConfig,
    inputShape: [2, 2, 2, 1],
    outputShape: [2, 4, 2, 1],
  },
  'UpSampling2D, bilinear': {
    make: () => l.upSampling2d({ interpolation: 'bilinear' }),
    fromConfig: l.UpSampling2D.fromConfig,
    inputShape: [3, 2, 2],
    outputShape: [6, 4, 2],
  },
  SpatialDropout3D: {
    make: () => l.spatialDropout3d(0.2),
    fromConfig: l.SpatialDropout3D.fromConfig,
    inputShape: [1, 2, 1, 6],
    outputShape: [1, 2, 1, 6],
    deterministic: false,
  },
}

test.each(Object.entries(checks))('checkLayer: %s', (_, check) => checkLayer(check))

test('globalAveragePooling1d under a mask keeps axes, too', async () => {
  const x = tensor([[[2], [4], [9]]])
  const mask = tensor([[1, 1, 0]], { dtype: 'bool' })
  for (const dataFormat of ['channelsLast', 'channelsFirst'] as const) {
    const layer = l.globalAveragePooling1d({ keepdims: true, dataFormat })
    const y = layer.call(dataFormat === 'channelsLast' ? x : x.transpose([0, 2, 1]), { training: false, mask })
    expect(await y.array()).toEqual([[[3]]])
  }
})

describe('messages', () => {
  test('groups that do not divide', () => {
    expect(() => l.conv2d(3, 2, { groups: 2 })).toThrow('Conv2D: 3 filters do not divide into groups: 2.')
    expect(() => l.conv2d(4, 2, { groups: 2 }).outputShape([null, 4, 4, 3])).toThrow(
      /the 3 channels of the input do not divide into groups: 2/,
    )
  })
  test('of three dimensions', () => {
    expect(() => l.conv3d(2, [2, 2])).toThrow(/Conv3D: kernelSize must be a whole number or three, at least 1, got \[2,2\]/)
    expect(() => l.conv3d(2, 2).outputShape([null, 4, 4, 1])).toThrow(/takes inputs of 5 axes \[batch, depth, height, width, channels\]/)
    expect(() => l.conv3d(2, 5).outputShape([null, 4, 9, 9, 1])).toThrow(/whose depth, height, width are \[4, 9, 9\]/)
    expect(() => l.zeroPadding3d({ padding: [1, 2] })).toThrow(/ZeroPadding3D: padding must be a number, one for each axis, or three pairs/)
    expect(() => l.conv1dTranspose(1, 2, { strides: 2, padding: 'same', outputPadding: 0 }).outputShape([null, 1, 1])).toThrow(
      /nothing would be left of axis 0/,
    )
  })
})
