/** @cotangent/core: tensors, ops, derivatives, backends. This file exports the public names and nothing else. */
import { provideOps } from './autodiff/op.js'
import * as ops from './ops/index.js'
import { attachMethods } from './tensor/chain.js'

provideOps(ops)
attachMethods(ops)

export { checkpoint } from './autodiff/checkpoint.js'
export { customGrad } from './autodiff/custom-grad.js'
export { defineComposed, defineOp } from './autodiff/dispatch.js'
export { type GradOptions, grad, jvp, valueAndGrad, vjp } from './autodiff/grad.js'
export { type GradCheckElement, type GradCheckOptions, type GradCheckReport, gradCheck } from './autodiff/grad-check.js'
export { hessian, hvp, jacobian } from './autodiff/jacobian.js'
export { type ComposedOp, type OpDefinition, type Ops, type PrimitiveOp, registry, type Sample, type Vjp } from './autodiff/op.js'
export { labelled } from './autodiff/recording.js'
export { type SameTensors, type ScanStep, scan, type Tensors } from './autodiff/scan.js'
export { record, Tape, type TapeRecord, type TapeRecordJSON } from './autodiff/tape.js'
export { withDerivative } from './autodiff/with-derivative.js'
export type {
  Backend,
  BackendInfo,
  FusedKernels,
  GpuInfo,
  Kernels,
  MemoryInfo,
  Operand,
  Storage,
  UpdateProgram,
} from './backends/backend.js'
export type { GpuMode } from './backends/gpu/device/gpujs.js'
export type { GpuBackendOptions } from './backends/gpu/index.js'
export { type BackendName, configure, createGpuBackend, currentBackend, getBackend, useBackend } from './backends/index.js'
export { createReferenceBackend, type ReferenceOptions } from './backends/reference/index.js'
export { createWasmBackend, type WasmOptions } from './backends/wasm/index.js'
export { type CompiledStep, compileStep, type StepArgument, type StepInfo } from './compile-step.js'
export * from './errors.js'
export { expectNoLeaks, memory, print } from './inspect.js'
export * from './ops/activation/index.js'
export * from './ops/attention/attention.js'
export * from './ops/cumulative/cumulative.js'
export { type Direction, linearRecurrence } from './ops/cumulative/linear-recurrence.js'
export * from './ops/elementwise/log-add-exp.js'
export * from './ops/fourier/index.js'
export * from './ops/image/index.js'
export * from './ops/index.js'
export * from './ops/indexing/segment.js'
export { checkValues } from './ops/indexing/whole-indices.js'
export * from './ops/linalg/index.js'
export * from './ops/product/einsum.js'
export * from './ops/product/outer.js'
export {
  beta,
  categorical,
  dropout,
  gamma,
  poisson,
  randomInteger,
  type SamplingOptions,
  sampleLogits,
  samplingProbabilities,
  shuffle,
} from './ops/random/index.js'
export * from './ops/recurrent/index.js'
export { type CrossEntropyOptions, softmaxCrossEntropy } from './ops/reduce/cross-entropy.js'
export * from './ops/reduce/group-norm.js'
export * from './ops/reduce/normalize.js'
export * from './ops/reduce/rms-norm.js'
export * from './ops/sort/quantile.js'
export * from './ops/sort/search.js'
export * from './ops/windows/conv.js'
export * from './ops/windows/conv-filter-gradient.js'
export * from './ops/windows/conv-transpose.js'
export * from './ops/windows/conv-transpose-sized.js'
export * from './ops/windows/conv3d.js'
export * from './ops/windows/depthwise.js'
export * from './ops/windows/pool.js'
export * from './ops/windows/pool3d.js'
export * from './ops/windows/separable.js'
export * from './ops/windows/window.js'
export type { Triple, Window3dOptions } from './ops/windows/window3d.js'
export { fold as foldKey, type Key, key, permutation, split as splitKey, threefry2x32 } from './random.js'
export { type DebugOptions, debug, withBackend } from './runtime.js'
export { eachStep } from './step-listener.js'
export type { TensorMethods } from './tensor/chain.js'
export type { DType, TypedArray } from './tensor/dtype.js'
export { reclaim } from './tensor/finalizer.js'
export { keep, scope } from './tensor/scope.js'
export { checkedSizeOf as sizeOf, type Padding, type Shape, windowExtent } from './tensor/shape.js'
export type * from './tensor/static-shape.js'
export { type NestedArray, Parameter, Tensor } from './tensor/tensor.js'
export { applyUpdate, applyUpdates, UpdateExpression, updateProgram } from './update.js'
