/** @cotangent/layers: Keras-like models on @cotangent/core. The public names and nothing else. */
export * as activations from './activations.js'
export * from './architectures/index.js'
export * from './callbacks/index.js'
export { CompileError } from './errors.js'
export { connectGraph, type GraphDescription, type LayerUses, type TensorPlace } from './graph/description.js'
export { input } from './graph/input.js'
export { InputLayer, type InputOptions } from './graph/input-layer.js'
export type { OperationName } from './graph/operations/kinds.js'
export type { SymbolicMethods } from './graph/operations/methods.js'
export { type Constant, Operation, type OperationOptions, operation } from './graph/operations/operation.js'
export { LayerNode, SymbolicTensor } from './graph/symbolic-tensor.js'
export type { Data, HostArray, NestedRows, NumericArray, ShapedValues } from './host-data.js'
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
export { type DataFormat, imageDataFormat, setImageDataFormat } from './layers/data-format.js'
export * from './layers/index.js'
export { MergeLayer } from './layers/merge/merge-layer.js'
export type { PerAxis, SpatialOptions } from './layers/spatial-layer.js'
export * as losses from './losses/index.js'
export * as metrics from './metrics/index.js'
export { GraphModel, type GraphModelOptions, model } from './models/graph-model.js'
export { type InputPort, Model, type ModelOptions, type Port } from './models/model.js'
export { Sequential } from './models/sequential.js'
export { summaryLines } from './models/summary-text.js'
export * from './optimizers/index.js'
export { resetNames } from './spelling/automatic-names.js'
export * from './text/index.js'
export type { BatchData, BatchSource } from './training/batch-source.js'
export { type BatchesOptions, batches } from './training/batches.js'
export type { CompileOptions, PerOutput } from './training/compile-options.js'
export type { ModelData } from './training/data.js'
export { type EvaluateOptions, type FitOptions, History } from './training/fit.js'
export type { PredictOptions } from './training/fit-options.js'
export type { StepParts, TestBatch, TrainBatch } from './training/own-steps.js'
export { ProgressBar, progressLine } from './training/progress.js'
export type { ClassWeight, Weighting } from './training/sample-weights.js'
export * as constraints from './weights/constraints.js'
export * as initializers from './weights/initializers.js'
export { l1, l1L2, l2, type OrthogonalRegularizerOptions, orthogonalRegularizer } from './weights/regularizers.js'
export type { WeightOptions } from './weights/settings.js'
export type { WeightValue } from './weights/values.js'
