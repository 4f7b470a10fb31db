/** Kernels that normalise channels and rows. */
import type { KernelFamily } from '../backend.js'
import { createChannels } from '../wasm/reduce/normalize-channels.js'
import { createRows } from '../wasm/reduce/normalize-rows.js'

export const normalizationKernels: KernelFamily = { wasm: (engine) => ({ ...createChannels(engine), ...createRows(engine) }) }
