/** @cotangent/layers: Keras-like models on @cotangent/core. The public names and nothing else. */
export * as activations from './activations.js'
export { resetNames } from './automatic-names.js'
export type { BatchData, BatchSource } from './batch-source.js'
export { type BatchesOptions, batches } from './batches.js'
export * from './callbacks/index.js'
export type { CompileOptions, PerOutput } from './compiled.js'
export * as constraints from './constraints.js'
export type { Data, HostArray, ModelData } from './data.js'
export { type DataFormat, imageDataFormat, setImageDataFormat } from './data-format.js'
export { CompileError } from './errors.js'
export { type EvaluateOptions, type FitOptions, History } from './fit.js'
export type { PredictOptions } from './fit-options.js'
export { connectGraph, type GraphDescription, type LayerUses, type TensorPlace } from './graph/description.js'
export { GraphModel, type GraphModelOptions, model } from './graph/graph-model.js'
export { InputLayer, type InputOptions, input } from './graph/input-layer.js'
export { LayerNode, SymbolicTensor } from './graph/symbolic-tensor.js'
export type { NestedRows, NumericArray, ShapedValues } from './host-data.js'
export * as initializers from './initializers.js'
export * from './io/index.js'
export {
  type BatchShape,
  type BuildContext,
  type CallContext,
  type FinalActivation,
  Layer,
  type LayerOptions,
  type LayerOutputs,
  type ManyContext,
} from './layer.js'
export * from './layers/index.js'
export * as losses from './losses.js'
export { MergeLayer } from './merge-layer.js'
export * as metrics from './metrics.js'
export { type InputPort, Model, type ModelOptions, type Port } from './model.js'
export * from './optimizers/index.js'
export { ProgressBar, progressLine } from './progress.js'
export { l1, l1L2, l2 } from './regularizers.js'
export type { ClassWeight, Weighting } from './sample-weights.js'
export { Sequential } from './sequential.js'
export type { PerAxis, SpatialOptions } from './spatial-layer.js'
export { summaryLines } from './summary-text.js'
export type { WeightOptions } from './weight-settings.js'
export type { WeightValue } from './weight-values.js'
