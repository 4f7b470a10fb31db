/** Runs the harness of all layers on layers of images and sequences. image-layers.test.ts tests their values. */
import { test } from 'vitest'
import * as l from '../src/index.js'
import { checkLayer, type LayerCheck } from './check-layer.js'

const image = { inputShape: [5, 4, 2] }
const sequence = { inputShape: [6, 3] }
const checks: Record<string, LayerCheck> = {
  MaxPooling2D: { make: () => l.maxPooling2d(), fromConfig: l.MaxPooling2D.fromConfig, ...image, outputShape: [2, 2, 2] },
  'MaxPooling2D, same, channels first': {
    make: () => l.maxPooling2d({ poolSize: [3, 2], strides: 2, padding: 'same', dataFormat: 'channelsFirst' }),
    fromConfig: l.MaxPooling2D.fromConfig,
    inputShape: [2, 5, 4],
    outputShape: [2, 3, 2],
  },
  MaxPooling1D: {
    make: () => l.maxPooling1d({ poolSize: 4, strides: 1 }),
    fromConfig: l.MaxPooling1D.fromConfig,
    ...sequence,
    outputShape: [3, 3],
  },
  AveragePooling2D: {
    make: () => l.averagePooling2d({ poolSize: [2, 3], strides: 1, padding: 'same' }),
    fromConfig: l.AveragePooling2D.fromConfig,
    ...image,
    outputShape: [5, 4, 2],
  },
  AveragePooling1D: { make: () => l.averagePooling1d(), fromConfig: l.AveragePooling1D.fromConfig, ...sequence, outputShape: [3, 3] },
  GlobalMaxPooling2D: {
    make: () => l.globalMaxPooling2d(),
    fromConfig: l.GlobalMaxPooling2D.fromConfig,
    inputShape: [2, 2, 6],
    outputShape: [6],
  },
  GlobalMaxPooling1D: {
    make: () => l.globalMaxPooling1d({ dataFormat: 'channelsFirst' }),
    fromConfig: l.GlobalMaxPooling1D.fromConfig,
    inputShape: [6, 2],
    outputShape: [6],
  },
  GlobalAveragePooling2D: {
    make: () => l.globalAveragePooling2d({ dataFormat: 'channels_first' }),
    fromConfig: l.GlobalAveragePooling2D.fromConfig,
    inputShape: [6, 2, 2],
    outputShape: [6],
  },
  GlobalAveragePooling1D: {
    make: () => l.globalAveragePooling1d(),
    fromConfig: l.GlobalAveragePooling1D.fromConfig,
    inputShape: [2, 6],
    outputShape: [6],
  },
  ZeroPadding2D: {
    make: () =>
      l.zeroPadding2d({
        padding: [
          [1, 0],
          [2, 3],
        ],
        dataFormat: 'channelsFirst',
      }),
    fromConfig: l.ZeroPadding2D.fromConfig,
    inputShape: [2, 3, 3],
    outputShape: [2, 4, 8],
  },
  ZeroPadding1D: {
    make: () => l.zeroPadding1d({ padding: [0, 2] }),
    fromConfig: l.ZeroPadding1D.fromConfig,
    ...sequence,
    outputShape: [8, 3],
  },
  Cropping2D: { make: () => l.cropping2d({ cropping: [1, 0] }), fromConfig: l.Cropping2D.fromConfig, ...image, outputShape: [3, 4, 2] },
  Cropping1D: { make: () => l.cropping1d({ cropping: [2, 0] }), fromConfig: l.Cropping1D.fromConfig, ...sequence, outputShape: [4, 3] },
  UpSampling2D: {
    make: () => l.upSampling2d({ size: [2, 3] }),
    fromConfig: l.UpSampling2D.fromConfig,
    inputShape: [2, 2, 2],
    outputShape: [4, 6, 2],
  },
  UpSampling1D: {
    make: () => l.upSampling1d({ size: 3, dataFormat: 'channelsFirst' }),
    fromConfig: l.UpSampling1D.fromConfig,
    ...sequence,
    outputShape: [6, 9],
  },
  Permute: { make: () => l.permute([3, 1, 2]), fromConfig: l.Permute.fromConfig, ...image, outputShape: [2, 5, 4] },
  RepeatVector: { make: () => l.repeatVector(3), fromConfig: l.RepeatVector.fromConfig, inputShape: [6], outputShape: [3, 6] },
  SpatialDropout2D: { make: () => l.spatialDropout2d(0), fromConfig: l.SpatialDropout2D.fromConfig, ...image, outputShape: [5, 4, 2] },
  SpatialDropout1D: { make: () => l.spatialDropout1d(0), fromConfig: l.SpatialDropout1D.fromConfig, ...sequence, outputShape: [6, 3] },
  GaussianNoise: {
    make: () => l.gaussianNoise(0.02),
    fromConfig: l.GaussianNoise.fromConfig,
    inputShape: [6],
    outputShape: [6],
    deterministic: false,
  },
  GaussianDropout: {
    make: () => l.gaussianDropout(0.001),
    fromConfig: l.GaussianDropout.fromConfig,
    inputShape: [6],
    outputShape: [6],
    deterministic: false,
  },
  ReLU: { make: () => l.reLU({ maxValue: 1, negativeSlope: 0.1 }), fromConfig: l.ReLU.fromConfig, inputShape: [6], outputShape: [6] },
  LeakyReLU: { make: () => l.leakyReLU(), fromConfig: l.LeakyReLU.fromConfig, inputShape: [6], outputShape: [6] },
  ELU: { make: () => l.elu({ alpha: 0.7 }), fromConfig: l.ELU.fromConfig, inputShape: [6], outputShape: [6] },
  ThresholdedReLU: {
    make: () => l.thresholdedReLU({ theta: 0.2 }),
    fromConfig: l.ThresholdedReLU.fromConfig,
    inputShape: [12],
    outputShape: [12],
  },
  PReLU: {
    make: () => l.prelu({ sharedAxes: [1, 2], alphaInitializer: 'uniform', alphaRegularizer: 'l2' }),
    fromConfig: l.PReLU.fromConfig,
    ...image,
    outputShape: [5, 4, 2],
    weightShapes: [[1, 1, 2]],
  },
  Softmax: { make: () => l.softmax({ axis: 1 }), fromConfig: l.Softmax.fromConfig, ...image, outputShape: [5, 4, 2] },
  BatchNormalization: {
    make: () => l.batchNormalization({ momentum: 0.8, gammaConstraint: 'non_neg', betaRegularizer: l.l2(1e-6) }),
    fromConfig: l.BatchNormalization.fromConfig,
    ...image,
    outputShape: [5, 4, 2],
    weightShapes: [[2], [2], [2], [2]],
    deterministic: false,
    stateful: true,
  },
  'BatchNormalization, channels first, without gamma': {
    make: () => l.batchNormalization({ axis: 1, momentum: 0.8, scale: false, variant: 'keras3' }),
    fromConfig: l.BatchNormalization.fromConfig,
    inputShape: [3, 2, 4],
    outputShape: [3, 2, 4],
    weightShapes: [[3], [3], [3]],
    deterministic: false,
    stateful: true,
  },
  LayerNormalization: {
    make: () => l.layerNormalization(),
    fromConfig: l.LayerNormalization.fromConfig,
    ...sequence,
    outputShape: [6, 3],
    weightShapes: [[3], [3]],
  },
  'LayerNormalization over two axes that are not the last': {
    make: () => l.layerNormalization({ axis: [1, 2], center: false, gammaInitializer: 'uniform' }),
    fromConfig: l.LayerNormalization.fromConfig,
    ...image,
    outputShape: [5, 4, 2],
    weightShapes: [[5, 4]],
  },
}
test.each(Object.entries(checks))('checkLayer: %s', (_, check) => checkLayer(check))
