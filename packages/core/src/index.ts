/**
 * @cotangent/core: tensors, ops, derivatives, backends. The public names and nothing else.
 */
import { attachMethods } from './chain.js'
import { provideOps } from './define-op.js'
import * as ops from './ops/index.js'

provideOps(ops)
attachMethods(ops)

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
export type { GpuMode } from './backends/gpu/gpujs.js'
export type { GpuBackendOptions } from './backends/gpu/index.js'
export { type BackendName, configure, createGpuBackend, currentBackend, getBackend, useBackend } from './backends/index.js'
export { createReferenceBackend } from './backends/reference/index.js'
export { createWasmBackend, type WasmOptions } from './backends/wasm/index.js'
export type { TensorMethods } from './chain.js'
export {
  type ComposedOp,
  defineComposed,
  defineOp,
  type OpDefinition,
  type Ops,
  type PrimitiveOp,
  registry,
  type Sample,
} from './define-op.js'
export type { DType, TypedArray } from './dtype.js'
export * from './errors.js'
export { reclaim } from './finalizer.js'
export * from './grad.js'
export { type GradCheckOptions, type GradCheckReport, gradCheck } from './grad-check.js'
export { expectNoLeaks, memory, print } from './inspect.js'
export * from './ops/index.js'
export { fold as foldKey, type Key, key, permutation, split as splitKey, threefry2x32 } from './random.js'
export { type DebugOptions, debug, withBackend } from './runtime.js'
export { keep, scope } from './scope.js'
export { checkedSizeOf as sizeOf, type Padding, type Shape, windowExtent } from './shape.js'
export type * from './static-shape.js'
export { labelled, record, Tape, type TapeRecord, type TapeRecordJSON } from './tape.js'
export { type NestedArray, Parameter, Tensor } from './tensor.js'
export { applyUpdate, applyUpdates, UpdateExpression, updateProgram } from './update.js'
