/** All layers but the wrappers. */
export * from './activation/activation.js'
export * from './activation/advanced-activations.js'
export * from './activation/softmax.js'
export * from './attention/additive-attention.js'
export { Attention, type AttentionOptions, attention } from './attention/attention.js'
export type { AttentionLayerOptions } from './attention/attention-layer.js'
export * from './attention/group-query-attention.js'
export * from './attention/multi-head-attention.js'
export type { ProjectedAttentionOptions } from './attention/projected-attention.js'
export {
  Conv1D,
  Conv2D,
  Conv3D,
  type ConvOptions,
  type ConvolutionOptions,
  type ConvWeightOptions,
  conv1d,
  conv2d,
  conv3d,
} from './convolution/convolution.js'
export * from './convolution/convolution-transpose.js'
export * from './convolution/separable-convolution.js'
export * from './core/dense.js'
export * from './core/einsum-dense.js'
export { Embedding, type EmbeddingOptions, embedding } from './core/embedding.js'
export * from './core/identity.js'
export * from './core/masking.js'
export * from './core/reversible-embedding.js'
export {
  RandomRotation,
  RandomTranslation,
  RandomZoom,
  type RandomZoomOptions,
  randomRotation,
  randomTranslation,
  randomZoom,
} from './images/random-affine.js'
export {
  RandomBrightness,
  type RandomColorOptions,
  RandomContrast,
  randomBrightness,
  randomContrast,
} from './images/random-color.js'
export * from './images/random-crop.js'
export { type FlipMode, RandomFlip, type RandomFlipOptions, randomFlip } from './images/random-flip.js'
export type { RandomFactor, RandomSamplingOptions } from './images/random-image-layer.js'
export { CenterCrop, centerCrop, Resizing, type ResizingInterpolation, type ResizingOptions, resizing } from './images/sizes.js'
export * from './merge/concatenate.js'
export * from './merge/dot.js'
export * from './merge/merge.js'
export * from './normalization/batch-normalization.js'
export * from './normalization/group-normalization.js'
export * from './normalization/layer-normalization.js'
export * from './normalization/rms-normalization.js'
export * from './normalization/unit-normalization.js'
export * from './pooling/adaptive-pooling.js'
export * from './pooling/global-pooling.js'
export * from './pooling/pooling.js'
export type { AdaptData } from './preprocessing/adapt-data.js'
export * from './preprocessing/category-encoding.js'
export * from './preprocessing/discretization.js'
export type { EncodingMode } from './preprocessing/encoded.js'
export { IntegerLookup, type IntegerLookupOptions, integerLookup } from './preprocessing/integer-lookup.js'
export * from './preprocessing/normalization.js'
export * from './preprocessing/rescaling.js'
export { type DropoutMasks, RNNCell, type StepResult } from './recurrent/cells/cell.js'
export { GRUCell, type GRUCellOptions, gruCell, gruCellOptions } from './recurrent/cells/gru-cell.js'
export { LSTMCell, type LSTMCellOptions, lstmCell, lstmCellOptions } from './recurrent/cells/lstm-cell.js'
export * from './recurrent/cells/simple-rnn-cell.js'
export { StackedRNNCells, stackedRNNCells } from './recurrent/cells/stacked-cells.js'
export type { UnitsCellOptions } from './recurrent/cells/units-cell.js'
export * from './recurrent/conv-lstm.js'
export {
  GRU,
  type GRUOptions,
  gru,
  LSTM,
  type LSTMOptions,
  lstm,
  SimpleRNN,
  type SimpleRNNOptions,
  simpleRNN,
} from './recurrent/recurrent.js'
export { RecurrentLayer, RNN, type RNNContext, type RNNOptions, rnn } from './recurrent/rnn.js'
export * from './regularization/activity-regularization.js'
export { AlphaDropout, alphaDropout } from './regularization/alpha-dropout.js'
export { Dropout, type DropoutOptions, dropout } from './regularization/dropout.js'
export * from './regularization/noise.js'
export * from './regularization/spatial-dropout.js'
export * from './reshaping/flatten.js'
export * from './reshaping/padding.js'
export * from './reshaping/permute.js'
export * from './reshaping/repeat-vector.js'
export * from './reshaping/reshape.js'
export * from './reshaping/up-sampling.js'
