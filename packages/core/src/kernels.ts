/**
 * `@cotangent/core/kernels`: the tools that kernels are written with, for studying them (`npm run bench -- lens … --variant`). It has no tensors and no ops. It changes
 * with the code, unlike `@cotangent/core`, whose names are stable.
 *
 * An `Engine` owns a memory and compiles modules that a `ModuleBuilder` describes. Expressions come from the instruction sets (`i32`, `v128`,
 * `f32x4`). `emitPacked` writes the packed matrix product for a register `Tile`; `tileFor` gives the tile that the backend uses. `engineOf` gives the engine under a
 * wasm backend, whose pool counts the time of its threads. `jobsOf` and `rangeOf` say how it cuts work for some number of threads.
 */
export {
  assemble,
  FunctionBuilder,
  type Label,
  type Local,
  ModuleBuilder,
  type ModuleOptions,
  type ParameterLocals,
  type Parameters,
} from './backends/wasm/assembler/assembler.js'
export { firstLanes, storeSome } from './backends/wasm/assembler/elements.js'
export {
  f32,
  f32x4,
  type I32,
  i32,
  i32x4,
  shuffle32,
  type Value,
  type ValueType,
  type Vector,
  v128,
} from './backends/wasm/assembler/instructions.js'
export { Engine, type KernelFunction, type WasmOptions } from './backends/wasm/engine/engine.js'
export { jobsOf, rangeOf } from './backends/wasm/engine/parts.js'
export type { Body, Call } from './backends/wasm/engine/threads.js'
export { MOST_THREADS } from './backends/wasm/engine/worker-program.js'
export { engineOf } from './backends/wasm/index.js'
export { emitPacked, type Tile, tileFor } from './backends/wasm/product/gemm-kernel.js'
