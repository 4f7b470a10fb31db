/** Kernels that normalise channels and rows. */
import type { KernelFamily } from '../backend.js'
import { createLayerNorm } from '../wasm/reduce/layer-norm.js'
import { createChannels } from '../wasm/reduce/normalize-channels.js'

export const normalizationKernels: KernelFamily = { wasm: (engine) => ({ ...createChannels(engine), ...createLayerNorm(engine) }) }
