/** Kernels of attention and its gradient. */
import type { KernelFamily } from '../backend.js'
import { createAttention } from '../wasm/attention/attention.js'

export const attentionKernels: KernelFamily = { wasm: createAttention }
